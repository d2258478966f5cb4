/* SPDX-License-Identifier: MIT */
/* The upload threads, shared by all captures of a run. Each lane has a kept-alive connection of its own and does one job
 * at a time, in the order they were handed over. One lock guards the queue and what the owners of jobs count; it is never
 * held across a network call. Nothing here knows what a blob is. */
#ifndef AZURE_CREW_H
#define AZURE_CREW_H

#include "base/pool.h"
#include "http/client.h"

#define CREW_ROOM (26u * KIB) /* for a job to compose its request in */

struct crew_lane;

struct crew_job {
	void (*run)(struct crew_lane *, struct crew_job *); /* on a lane */
	void *owner;
	struct slot *slot;
	uint32_t number;
};

struct crew_lane {
	struct crew *crew;
	pthread_t thread;
	unsigned number;      /* from 0 */
	bool opened;          /* client is of some origin */
	struct http_client client;
	char room[CREW_ROOM]; /* the job's; wiped at the end, as it may hold secrets */
};

struct crew_host { /* what lanes need to resume each other's TLS sessions */
	char host[HOST_MAX + 1];
	uint16_t port;
	struct tls_session session;
};

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t wanted; /* lanes wait here for a job or the end */
	pthread_cond_t moved;  /* others wait here for room in the queue, or for what they count */
	const struct network *network;
	struct pool *pool;
	struct crew_lane *lanes;
	unsigned count;        /* lanes that run */
	struct crew_job *queue;
	size_t queue_size, first, queued;
	bool closing;
	struct crew_host hosts[DESTINATIONS_MAX];
	size_t host_count;
	void *owners;          /* for the owners of jobs, under the lock: a list of themselves */
};

/* Bytes that crew_open takes of a memory. */
size_t crew_need(unsigned lanes, size_t queue);

/* Starts the lanes; fewer than wanted, but at least one, when the system gives no more threads. `queue` jobs can wait for a
 * lane: as many as the pool has slots is right. Connections are made when a job wants one. */
bool crew_open(struct crew *, struct memory *, const struct network *, unsigned lanes, size_t queue, struct pool *,
               struct fault *) MUST_CHECK;

/* Hands a job over. Waits while the queue is full, which lanes end in bounded time. */
void crew_push(struct crew *, struct crew_job);

/* Runs `call` on a lane and waits for it. */
bool crew_call(struct crew *, bool (*call)(struct crew_lane *, void *state, struct fault *), void *state,
               struct fault *) MUST_CHECK;

/* http_client_ask on the lane's connection to this origin: kept from the job before if that was of the same origin. TLS
 * sessions of other lanes are resumed. */
bool crew_ask(struct crew_lane *, const struct url *origin, const struct http_request *, struct fault *) MUST_CHECK;

/* The lock, for what owners of jobs share with lanes; crew_wait sleeps until somebody calls crew_tell. */
void crew_lock(struct crew *);
void crew_unlock(struct crew *);
void crew_wait(struct crew *); /* with the lock held */
void crew_tell(struct crew *); /* with the lock held */

/* Waits for the lanes to end their jobs, closes connections, overwrites secrets. No job may be left in the queue. */
void crew_close(struct crew *);

#endif
