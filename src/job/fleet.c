/* SPDX-License-Identifier: MIT */
#include "job/fleet.h"

#include "base/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct fleet_worker {
	struct fleet *fleet;
	pthread_t thread;
	bool started;
	struct capture capture;
	struct kudu_process chosen[CHOSEN_MAX];
};

size_t
fleet_need(const struct plan *plan, size_t destinations)
{
	size_t each = memory_need(sizeof(struct landing) * destinations, 16) +
	              memory_need(sizeof(struct tee_leg) * destinations, 16) + memory_need(FLOW_BYTES, 4096) +
	              memory_need(DISK_BYTES, 4096) * plan->folders;
	return memory_need(sizeof(struct fleet_worker) * plan->jobs, 64) + each * plan->jobs;
}

static bool
open_worker(struct fleet *fleet, struct fleet_worker *worker, struct memory *memory, struct fault *fault)
{
	struct capture *capture = &worker->capture;
	worker->fleet = fleet;
	capture->count = fleet->destination_count;
	capture->landings = memory_take(memory, sizeof(struct landing) * capture->count, 16);
	capture->legs = memory_take(memory, sizeof(struct tee_leg) * capture->count, 16);
	capture->room = memory_take(memory, FLOW_BYTES, 4096);
	for (size_t i = 0; i < capture->count; i++) {
		const struct destination *destination = &fleet->destinations[i];
		void *room = destination->kind == DESTINATION_FOLDER ? memory_take(memory, DISK_BYTES, 4096) : NULL;
		landing_aim(&capture->landings[i], destination, fleet->means, room, DISK_BYTES);
	}
	return progress_open(&capture->progress, fault);
}

bool
fleet_open(struct fleet *fleet, struct memory *memory, const struct plan *plan, struct fault *fault)
{
	pthread_condattr_t how;
	fleet->next_site = 0;
	fleet->running = 0;
	fleet->worker_count = plan->jobs;
	fleet->workers = memory_take(memory, sizeof(struct fleet_worker) * plan->jobs, 64);
	for (unsigned i = 0; i < plan->jobs; i++)
		if (!open_worker(fleet, &fleet->workers[i], memory, fault))
			return false;
	if (pthread_condattr_init(&how) != 0 || pthread_condattr_setclock(&how, CLOCK_MONOTONIC) != 0 ||
	    pthread_mutex_init(&fleet->lock, NULL) != 0 || pthread_cond_init(&fleet->ended, &how) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	return true;
}

static void
tell(struct fleet *fleet, const char *site, const struct capture *capture, const struct fault *fault)
{
	struct fleet_report report = {site, capture, fault};
	pthread_mutex_lock(&fleet->lock);
	fleet->report(fleet->state, &report);
	pthread_mutex_unlock(&fleet->lock);
}

static void
label(struct capture *capture, const struct kudu_process *process)
{
	char words[96];
	snprintf(words, sizeof words, "%s %.24s %" PRId64, capture->site.name, process->name, process->pid);
	progress_label(&capture->progress, words);
}

/* The processes of one site; a failed dump does not keep the others from being tried, a stop does. */
static void
dump_chosen(struct fleet *fleet, struct fleet_worker *worker, size_t count)
{
	struct capture *capture = &worker->capture;
	for (size_t i = 0; i < count; i++) {
		struct fault fault;
		bool done;
		fault_clear(&fault);
		label(capture, &worker->chosen[i]);
		done = capture_run(capture, &worker->chosen[i], &fleet->order, &fault);
		tell(fleet, capture->site.name, capture, &fault);
		if (!done && fault.kind == FAULT_STOPPED)
			return;
	}
}

static void
visit(struct fleet *fleet, struct fleet_worker *worker, const struct url *url)
{
	struct capture *capture = &worker->capture;
	struct fault fault;
	size_t count;
	fault_clear(&fault);
	progress_label(&capture->progress, url->host);
	progress_phase(&capture->progress, PHASE_LISTING);
	if (site_open(&capture->site, fleet->network, url, fleet->login, fleet->instance, &fault)) {
		capture->site.stall_ms = fleet->stall_ms;
		if (choose(&capture->site, &fleet->choice, worker->chosen, &count, &fault))
			dump_chosen(fleet, worker, count);
	}
	if (fault.kind != FAULT_NONE)
		tell(fleet, url->host, NULL, &fault);
	site_close(&capture->site);
	progress_phase(&capture->progress, PHASE_IDLE);
}

static const struct url *
next_site(struct fleet *fleet)
{
	const struct url *url = NULL;
	pthread_mutex_lock(&fleet->lock);
	if (fleet->next_site < fleet->site_count && stop_signal() == 0)
		url = &fleet->sites[fleet->next_site++];
	pthread_mutex_unlock(&fleet->lock);
	return url;
}

static void *
work(void *state)
{
	struct fleet_worker *worker = state;
	struct fleet *fleet = worker->fleet;
	const struct url *url;
	while ((url = next_site(fleet)) != NULL)
		visit(fleet, worker, url);
	pthread_mutex_lock(&fleet->lock);
	fleet->running--;
	pthread_cond_signal(&fleet->ended);
	pthread_mutex_unlock(&fleet->lock);
	return NULL;
}

bool
fleet_start(struct fleet *fleet, struct fault *fault)
{
	pthread_attr_t how;
	int error = pthread_attr_init(&how);
	if (error == 0)
		error = pthread_attr_setstacksize(&how, THREAD_STACK);
	pthread_mutex_lock(&fleet->lock);
	for (unsigned i = 0; error == 0 && i < fleet->worker_count; i++) {
		struct fleet_worker *worker = &fleet->workers[i];
		error = pthread_create(&worker->thread, &how, work, worker);
		worker->started = error == 0;
		fleet->running += worker->started;
	}
	pthread_mutex_unlock(&fleet->lock);
	pthread_attr_destroy(&how);
	if (error != 0 && fleet->running == 0)
		return fault_errno(fault, FAULT_SYSTEM, error, "starting a thread");
	return true; /* fewer than wanted just take longer */
}

bool
fleet_wait(struct fleet *fleet, int64_t ms)
{
	int64_t until = deadline_in(ms).at_ms;
	struct timespec at = {(time_t)(until / 1000), (long)(until % 1000) * 1000000};
	bool ended;
	pthread_mutex_lock(&fleet->lock);
	while (fleet->running > 0 && pthread_cond_timedwait(&fleet->ended, &fleet->lock, &at) != ETIMEDOUT)
		;
	ended = fleet->running == 0;
	pthread_mutex_unlock(&fleet->lock);
	return ended;
}

void
fleet_join(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->worker_count; i++)
		if (fleet->workers[i].started)
			pthread_join(fleet->workers[i].thread, NULL);
}

unsigned
fleet_workers(const struct fleet *fleet)
{
	return fleet->worker_count;
}

struct progress_view
fleet_look(struct fleet *fleet, unsigned i)
{
	return progress_look(&fleet->workers[i].capture.progress);
}
