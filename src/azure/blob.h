/* SPDX-License-Identifier: MIT */
/* A dump on its way into a block blob: a sink that fills blocks, which the crew sends while the next one fills, and that
 * makes the blob exist with one commit at the end. Nothing is visible before that, and nothing is left of what failed. */
#ifndef AZURE_BLOB_H
#define AZURE_BLOB_H

#include "azure/blob_ops.h"
#include "azure/blob_resume.h"
#include "azure/blob_target.h"
#include "azure/crew.h"
#include "base/digest.h"

#define METADATA_MAX 2560 /* bytes of header lines; Azure takes 8 KiB */

struct blob_options {
	bool overwrite;    /* replace a blob of that name */
	bool exact;        /* the very name that is asked for, or none */
	bool content_md5;  /* store the MD5 of all bytes on the blob */
	uint64_t expected; /* bytes that will come; 0: not known */
	size_t block;      /* bytes of a block, as long as 50,000 of them will do; 0: a slot's */
	int64_t stall_ms;  /* between two bytes; 0: the default */
	/* Of what can be read again, its length known: takes the very name that is asked for, begins with what is there, and
	 * leaves its blocks when it is abandoned. NULL: none of that. */
	struct blob_resume *resume;
};

struct blob_upload {
	struct sink sink;
	char name[BLOB_NAME_MAX + 1]; /* within the target: with -2, -3… when it was taken; stays once opened */
	/* the room's own from here */
	struct crew *crew;
	struct pool *pool;
	const struct blob_target *target;
	struct blob_options options;
	struct blob_ids ids;
	char id[UPLOAD_ID_DIGITS + 1];
	char metadata[METADATA_MAX];
	struct slot *slot;            /* being filled */
	size_t block;                 /* bytes of a block now */
	uint32_t blocks;              /* handed to the crew */
	uint64_t bytes;
	struct md5 md5;
	bool free_name;               /* no blob of that name was there */
	bool committing;              /* a commit was sent: from then on nothing is ever deleted */
	/* under the crew's lock */
	struct blob_upload *next;     /* open ones of the run, so that two do not choose one name */
	uint32_t pending;             /* blocks with the crew */
	uint32_t stored;              /* blocks the service has */
	bool failed;
	struct fault fault;           /* the first one */
	/* under the pool's lock */
	bool unwanted;
};

/* Opens an upload to NAME in the target. Without `overwrite` a name that is taken, by a blob or by another upload of this
 * run, becomes NAME-2 and so on up to 99 (before the last '.'); who may not read cannot know, and meets it at the commit.
 * Blocks grow up to the size of the pool's slots when 50,000 would not hold the expected bytes, or, when those are not
 * known, after the first half of them; FAULT_BOUND when even that is not enough. The pool must
 * have at least one slot more than there are uploads open at once. Waits for a request. */
bool blob_upload_open(struct blob_upload *, struct crew *, struct pool *, const struct blob_target *, const char *name,
                      const struct blob_options *, struct fault *) MUST_CHECK;

/* The same as a write of the sink for who reads right into the block: room for the next bytes, waiting for a slot; and how
 * many were put there, which may hand the block over. */
bool blob_upload_room(struct blob_upload *, unsigned char **at, size_t *size, struct fault *) MUST_CHECK;
void blob_upload_filled(struct blob_upload *, size_t count);

/* Adds metadata, between open and finish. The name is letters a-z and digits, a letter first; of the value what is not
 * printable ASCII becomes '?'. Empty values, and what no longer fits, are left out. */
void blob_upload_state(struct blob_upload *, const char *name, const char *value);

/* The blob's URL, without secrets. */
void blob_upload_put(struct text *, const struct blob_upload *);

#endif
