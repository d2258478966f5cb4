/* SPDX-License-Identifier: MIT */
/* Many captures: K threads, each takes the next site and dumps its chosen processes one after the other, since Kudu can
 * write one dump of a site at a time. */
#ifndef JOB_FLEET_H
#define JOB_FLEET_H

#include "job/capture.h"
#include "job/choose.h"
#include "job/plan.h"

/* What one dump, or a site that could not be asked at all, came to. Valid during the call of `report` only. */
struct fleet_report {
	const char *site;              /* name or address */
	const struct capture *capture; /* of the dump; NULL: the site failed before one */
	const struct fault *fault;     /* kind FAULT_NONE: at least one destination has it */
};

struct fleet {
	/* set by the owner */
	const struct network *network;
	const struct url *sites;
	size_t site_count;
	const struct login *login;
	const char *instance;                   /* NULL: the one that answers */
	struct choice choice;
	struct capture_order order;
	int64_t stall_ms;
	const struct landing_means *means;
	const struct destination *destinations;
	size_t destination_count;
	void (*report)(void *state, const struct fleet_report *); /* one call at a time, from any thread */
	void *state;
	/* the room's own */
	struct fleet_worker *workers;
	unsigned worker_count, running;
	size_t next_site;
	pthread_mutex_t lock;
	pthread_cond_t ended;
};

/* Bytes that fleet_open takes of a memory. */
size_t fleet_need(const struct plan *, size_t destinations);

/* Takes the memory of all workers. Call once, before fleet_start. */
bool fleet_open(struct fleet *, struct memory *, const struct plan *, struct fault *) MUST_CHECK;

/* Starts the workers; fleet_wait says whether they have all ended after at most `ms`, fleet_join cleans up then. */
bool fleet_start(struct fleet *, struct fault *) MUST_CHECK;
bool fleet_wait(struct fleet *, int64_t ms);
void fleet_join(struct fleet *);

/* How worker i is getting on. */
unsigned fleet_workers(const struct fleet *);
struct progress_view fleet_look(struct fleet *, unsigned i);

#endif
