/* SPDX-License-Identifier: MIT */
#include "azure/crew.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Sanitizers put guards around every variable. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LANE_STACK (8 * THREAD_STACK)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LANE_STACK (8 * THREAD_STACK)
#endif
#endif
#ifndef LANE_STACK
#define LANE_STACK THREAD_STACK
#endif

size_t
crew_need(unsigned lanes, size_t queue)
{
	return memory_need(lanes * sizeof(struct crew_lane), 64) + memory_need(queue * sizeof(struct crew_job), 64);
}

/* True with the next job; false when the crew is to end and nothing is left to do. */
static bool
next_job(struct crew *crew, struct crew_job *job)
{
	bool found;
	crew_lock(crew);
	while (crew->queued == 0 && !crew->closing)
		pthread_cond_wait(&crew->wanted, &crew->lock);
	found = crew->queued > 0;
	if (found) {
		*job = crew->queue[crew->first];
		crew->first = (crew->first + 1) % crew->queue_size;
		crew->queued--;
		crew_tell(crew);
	}
	crew_unlock(crew);
	return found;
}

static void *
work(void *state)
{
	struct crew_lane *lane = state;
	struct crew_job job;
	while (next_job(lane->crew, &job))
		job.run(lane, &job);
	if (lane->opened)
		http_client_close(&lane->client);
	return NULL;
}

/* Signals are for the main thread's handler, whichever thread the system picks; nothing to mask. */
static bool
start_lanes(struct crew *crew, unsigned lanes, struct fault *fault)
{
	pthread_attr_t how;
	int error = pthread_attr_init(&how);
	if (error != 0)
		return fault_errno(fault, FAULT_SYSTEM, error, "starting an upload thread");
	error = pthread_attr_setstacksize(&how, LANE_STACK);
	for (unsigned i = 0; error == 0 && i < lanes; i++) {
		struct crew_lane *lane = &crew->lanes[i];
		lane->crew = crew;
		lane->number = i;
		error = pthread_create(&lane->thread, &how, work, lane);
		crew->count += error == 0;
	}
	pthread_attr_destroy(&how);
	if (crew->count == 0)
		return fault_errno(fault, FAULT_SYSTEM, error, "starting an upload thread");
	if (error != 0)
		log_note("only %u of %u upload threads could be started: %s", crew->count, lanes, strerror(error));
	return true;
}

bool
crew_open(struct crew *crew, struct memory *memory, const struct network *network, unsigned lanes, size_t queue,
          struct pool *pool, struct fault *fault)
{
	assert(lanes > 0 && queue > 0);
	memset(crew, 0, sizeof *crew);
	crew->network = network;
	crew->pool = pool;
	crew->lanes = memory_take(memory, lanes * sizeof(struct crew_lane), 64);
	crew->queue = memory_take(memory, queue * sizeof(struct crew_job), 64);
	crew->queue_size = queue;
	if (pthread_mutex_init(&crew->lock, NULL) != 0 || pthread_cond_init(&crew->wanted, NULL) != 0 ||
	    pthread_cond_init(&crew->moved, NULL) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	return start_lanes(crew, lanes, fault);
}

void
crew_close(struct crew *crew)
{
	crew_lock(crew);
	crew->closing = true;
	pthread_cond_broadcast(&crew->wanted);
	crew_unlock(crew);
	for (unsigned i = 0; i < crew->count; i++) {
		pthread_join(crew->lanes[i].thread, NULL);
		memory_wipe(crew->lanes[i].room, sizeof crew->lanes[i].room);
		memory_wipe(crew->lanes[i].client.room, sizeof crew->lanes[i].client.room);
	}
	assert(crew->queued == 0);
	pthread_cond_destroy(&crew->moved);
	pthread_cond_destroy(&crew->wanted);
	pthread_mutex_destroy(&crew->lock);
	memory_wipe(crew->hosts, sizeof crew->hosts);
}

void
crew_lock(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
}

void
crew_unlock(struct crew *crew)
{
	pthread_mutex_unlock(&crew->lock);
}

void
crew_wait(struct crew *crew)
{
	pthread_cond_wait(&crew->moved, &crew->lock);
}

void
crew_tell(struct crew *crew)
{
	pthread_cond_broadcast(&crew->moved);
}

void
crew_push(struct crew *crew, struct crew_job job)
{
	crew_lock(crew);
	while (crew->queued == crew->queue_size)
		crew_wait(crew);
	crew->queue[(crew->first + crew->queued) % crew->queue_size] = job;
	crew->queued++;
	pthread_cond_signal(&crew->wanted);
	crew_unlock(crew);
}

struct call {
	bool (*call)(struct crew_lane *, void *state, struct fault *);
	void *state;
	struct fault *fault;
	bool good, done; /* done is under the lock */
};

static void
run_call(struct crew_lane *lane, struct crew_job *job)
{
	struct call *call = job->owner;
	call->good = call->call(lane, call->state, call->fault);
	crew_lock(lane->crew);
	call->done = true;
	crew_tell(lane->crew);
	crew_unlock(lane->crew);
}

bool
crew_call(struct crew *crew, bool (*function)(struct crew_lane *, void *state, struct fault *), void *state,
          struct fault *fault)
{
	struct call call = {function, state, fault, false, false};
	crew_push(crew, (struct crew_job){run_call, &call, NULL, 0});
	crew_lock(crew);
	while (!call.done)
		crew_wait(crew);
	crew_unlock(crew);
	return call.good;
}

/* With the lock held. NULL when there is none, and no room for one if `make`. */
static struct crew_host *
host_of(struct crew *crew, const struct url *origin, bool make)
{
	struct crew_host *host;
	for (size_t i = 0; i < crew->host_count; i++)
		if (crew->hosts[i].port == origin->port && strcmp(crew->hosts[i].host, origin->host) == 0)
			return &crew->hosts[i];
	if (!make || crew->host_count == DESTINATIONS_MAX)
		return NULL;
	host = &crew->hosts[crew->host_count++];
	snprintf(host->host, sizeof host->host, "%s", origin->host);
	host->port = origin->port;
	return host;
}

/* The newest session of any lane to this host. */
static void
borrow_session(struct crew_lane *lane, const struct url *origin)
{
	struct crew_host *host;
	crew_lock(lane->crew);
	host = host_of(lane->crew, origin, false);
	if (host != NULL && host->session.valid)
		lane->client.session = host->session;
	crew_unlock(lane->crew);
}

static void
lend_session(struct crew_lane *lane, const struct url *origin)
{
	struct crew_host *host;
	crew_lock(lane->crew);
	host = host_of(lane->crew, origin, true);
	if (host != NULL)
		host->session = lane->client.session;
	crew_unlock(lane->crew);
}

bool
crew_ask(struct crew_lane *lane, const struct url *origin, const struct http_request *request, struct fault *fault)
{
	struct http_client *client = &lane->client;
	uint64_t before;
	bool good;
	if (lane->opened && !url_same_origin(&client->origin, origin)) {
		http_client_close(client);
		lane->opened = false;
	}
	if (!lane->opened)
		http_client_open(client, lane->crew->network, origin);
	lane->opened = true;
	if (!client->open && origin->secure)
		borrow_session(lane, origin);
	before = client->connects;
	good = http_client_ask(client, request, fault);
	if (good && client->connects != before && origin->secure)
		lend_session(lane, origin);
	return good;
}
