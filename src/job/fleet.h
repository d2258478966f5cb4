/* SPDX-License-Identifier: MIT */
/* Many sites at once: K threads do what the board says, each with one connection. What only a dump needs (buffers of
 * destinations) is there once for each dump that can run at the same time. */
#ifndef JOB_FLEET_H
#define JOB_FLEET_H

#include "job/board.h"
#include "job/capture.h"
#include "job/plan.h"

/* What one dump came to, or why a site or an instance could not be asked. Valid during the call of `report` only. */
struct fleet_report {
	const struct board_site *site;
	const struct board_instance *instance; /* NULL: it is about the site */
	struct board_process *process;         /* that was dumped; NULL: none was */
	const struct capture *capture;         /* of the dump; NULL: none was */
	const struct fault *fault;             /* kind FAULT_NONE: at least one destination has it */
};

struct fleet {
	/* set by the owner */
	const struct network *network;
	struct board board; /* its sites and whether it dumps */
	struct capture_order order;
	int64_t stall_ms;
	const struct landing_means *means;
	const struct destination *destinations;
	size_t destination_count;
	/* One call at a time, from any thread. settled: all of a site is known; NULL: nobody asks. */
	void (*report)(void *state, const struct fleet_report *);
	void (*settled)(void *state, const struct board_site *);
	void *state;
	/* the room's own */
	struct fleet_worker *workers;
	struct fleet_berth *berths, *free;
	unsigned worker_count, running;
	pthread_mutex_t lock;
	pthread_cond_t ended;
};

/* Bytes that fleet_open takes of a memory; `workers` connections, plan.jobs dumps at once. */
size_t fleet_need(const struct plan *, unsigned workers, size_t destinations);

/* Takes the memory of all workers. Call once, before fleet_start. */
bool fleet_open(struct fleet *, struct memory *, const struct plan *, unsigned workers, struct fault *) MUST_CHECK;

/* Starts the workers; fleet_wait says whether they have all ended after at most `ms`, fleet_join cleans up then. */
bool fleet_start(struct fleet *, struct fault *) MUST_CHECK;
bool fleet_wait(struct fleet *, int64_t ms);
void fleet_join(struct fleet *);

/* How worker i is getting on. */
unsigned fleet_workers(const struct fleet *);
struct progress_view fleet_look(struct fleet *, unsigned i);

#endif
