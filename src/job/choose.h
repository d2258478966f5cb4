/* SPDX-License-Identifier: MIT */
/* Which processes of a site are meant: by pid, by name, or every worker. Kudu's own process is never chosen. */
#ifndef JOB_CHOOSE_H
#define JOB_CHOOSE_H

#include "azure/kudu.h"

#define CHOSEN_MAX 256

struct choice {
	const int64_t *pids; /* not empty: these */
	size_t pid_count;
	char *const *names;  /* not empty: processes of these names, any case */
	size_t name_count;   /* both empty: every worker */
};

/* Lists, asks for roles and leaves the chosen ones in `room` (CHOSEN_MAX). FAULT_MISSING when nothing matches or a pid is
 * not there, FAULT_UNABLE for Kudu's own pid. */
bool choose(struct site *, const struct choice *, struct kudu_process *room, size_t *count, struct fault *) MUST_CHECK;

#endif
