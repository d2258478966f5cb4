/* SPDX-License-Identifier: MIT */
/* Goes the way that a dump would go, one step at a time, and says where it ends: for `kudump doctor`. No process is
 * dumped, and what it writes to a destination it takes away again. */
#ifndef JOB_DOCTOR_H
#define JOB_DOCTOR_H

#include "azure/instances.h"
#include "job/choose.h"
#include "job/landing.h"

enum doctor_verdict { DOCTOR_OK, DOCTOR_FAILED, DOCTOR_SKIPPED };

struct doctor_finding {
	const char *subject; /* the site's host, or the destination without secrets */
	const char *step;
	enum doctor_verdict verdict;
	const char *said;          /* what was found, or why it was skipped */
	const struct fault *fault; /* with DOCTOR_FAILED */
};

struct doctor {
	const struct network *network;
	const struct login *login;
	const char *instance; /* NULL: the one that answers */
	void (*tell)(void *state, const struct doctor_finding *); /* as each step ends */
	void *state;
	/* the room's own */
	const struct url *url;
	struct url way;  /* the same, as far as it is tried */
	struct site site;
	struct kudu_process found[CHOSEN_MAX];
	bool answered; /* the site has said something over HTTP */
};

/* Name, proxy, connection, TLS, login, clock, role, instances, processes. Waits as each of them does, without repeats. */
void doctor_site(struct doctor *, const struct url *scm);

/* The login and the writing of it: an empty file or blob is made and deleted. */
void doctor_destination(struct doctor *, struct landing *);

#endif
