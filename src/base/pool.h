/* SPDX-License-Identifier: MIT */
/* Equal slots of memory shared by captures and uploaders. Waiting for a free slot is the back-pressure of the whole
 * program: a reader that finds none stops reading. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/deadline.h"
#include "base/memory.h"

#include <pthread.h>

struct slot {
	unsigned char *at; /* page aligned */
	size_t size;       /* room */
	size_t used;       /* bytes in it; the holder's to set */
	struct slot *next; /* the pool's while free, the holder's while taken */
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct slot *free, *last; /* taken in turns: how much memory is touched does not hang on who was fast */
	struct slot *slots;
	size_t count;
};

/* Bytes that pool_open takes of a memory. */
size_t pool_need(size_t count, size_t slot_size);

/* `count` slots of `slot_size` bytes each out of `memory`. Call once, before threads. */
bool pool_open(struct pool *, struct memory *, size_t count, size_t slot_size, struct fault *) MUST_CHECK;

/* A free slot with used = 0; waits for one. NULL with a fault at the deadline, after a stop, or as soon as *unwanted
 * (may be NULL; written by another thread under the pool's lock by pool_wake) is true. */
struct slot *pool_take(struct pool *, const bool *unwanted, struct deadline, struct fault *) MUST_CHECK;

void pool_give(struct pool *, struct slot *);

/* Sets *flag under the pool's lock and wakes all who wait. */
void pool_wake(struct pool *, bool *flag);

#endif
