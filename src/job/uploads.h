/* SPDX-License-Identifier: MIT */
/* Several files, one after the other, on a thread of their own, so that somebody can watch. One that fails does not keep
 * the next from being tried; a stop does. */
#ifndef JOB_UPLOADS_H
#define JOB_UPLOADS_H

#include "job/upload.h"

struct uploads {
	/* set by the owner */
	char *const *files;  /* "-" is stdin */
	size_t count;
	const char *name;    /* of the only one; NULL: the file's own */
	void (*report)(void *state, const struct upload *, const char *file, const struct fault *); /* after each */
	void *state;
	struct upload upload;
	/* the room's own */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done;           /* under the lock */
	size_t next;         /* after uploads_join: how many were tried */
};

/* Starts; uploads_wait says whether all have ended after at most `ms`, uploads_join cleans up then. */
bool uploads_start(struct uploads *, const struct upload_means *, struct fault *) MUST_CHECK;
bool uploads_wait(struct uploads *, int64_t ms);
void uploads_join(struct uploads *);

#endif
