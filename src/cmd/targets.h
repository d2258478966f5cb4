/* SPDX-License-Identifier: MIT */
/* The sites of a run as the board wants them, from the options. */
#ifndef CMD_TARGETS_H
#define CMD_TARGETS_H

#include "cmd/configured.h"
#include "cmd/session.h"
#include "job/board.h"

struct targets {
	struct board_site sites[SITES_MAX];
	size_t count;
	struct url arm;
	int64_t pids[SITES_MAX];
	bool by_config; /* the sites are those of the config */
};

/* --scm, --arm, --instance, --pid, --name, --children, --pick and --type for every site; without --scm, --publish-profile
 * and --arm the sites of the config, which these win over. `session` and `configured` are open and outlive it. */
bool targets_read(struct targets *, const struct session *, struct configured *, const struct settings *,
                  struct fault *) MUST_CHECK;

/* How many connections help: one a site, unless there is more to ask of one. And how many dumps can run at once. */
unsigned targets_workers(const struct targets *, const struct settings *);
unsigned targets_dumps(const struct targets *, const struct settings *);

/* Whether the run is about more than one site or instance. */
bool targets_are_many(const struct targets *);

#endif
