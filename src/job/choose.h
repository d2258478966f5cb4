/* SPDX-License-Identifier: MIT */
/* Which processes of a site are meant: by pid, by name, every worker, with their children, or only the busiest. Kudu's own
 * process is never chosen. */
#ifndef JOB_CHOOSE_H
#define JOB_CHOOSE_H

#include "job/board.h"

/* Whether a process of the list is to be looked at; the others are only counted. */
bool choice_wants(const struct choice *, const struct kudu_process *);

/* Whether a process may run the app's code beside w3wp and be worth a mention: not w3wp, not what comes with a console or a
 * dump. */
bool choice_may_be_app(const struct kudu_process *);

/* Whether looking means the whole detail, not only the role. */
bool choice_needs_detail(const struct choice *);

/* All processes of the instance are known: marks those that are to be dumped, and drops the rest. A choice that can only
 * be made when all instances are known is left to choose_on_site. */
void choose_on_instance(struct board *, unsigned instance);

/* All instances of the site are known. FAULT_MISSING when nothing matches or a pid is not there, FAULT_UNABLE for Kudu's
 * own pid: then nothing is marked that was not before. */
bool choose_on_site(struct board *, unsigned site, struct fault *) MUST_CHECK;

#define CHOSEN_MAX 64

/* The workers of the instance that answers, asked for one after the other: at most CHOSEN_MAX into `room`. FAULT_MISSING when
 * there is none. */
bool choose_workers(struct site *, struct kudu_process *room, size_t *count, struct fault *) MUST_CHECK;

#endif
