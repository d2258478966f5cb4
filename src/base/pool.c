/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include "base/stop.h"

#include <assert.h>
#include <time.h>

#define PAGE 4096
#define LOOK_MS 200 /* how often a wait looks for a stop signal, which cannot wake a condition */

size_t
pool_need(size_t count, size_t slot_size)
{
	return memory_need(count * sizeof(struct slot), 16) + memory_need(count * slot_size, PAGE);
}

bool
pool_open(struct pool *pool, struct memory *memory, size_t count, size_t slot_size, struct fault *fault)
{
	unsigned char *room;
	pthread_condattr_t how;
	assert(slot_size % PAGE == 0);
	pool->slots = memory_take(memory, count * sizeof(struct slot), 16);
	room = memory_take(memory, count * slot_size, PAGE);
	pool->count = count;
	pool->free = NULL;
	for (size_t i = count; i-- > 0;) {
		pool->slots[i] = (struct slot){room + i * slot_size, slot_size, 0, pool->free};
		pool->free = &pool->slots[i];
	}
	pool->last = count > 0 ? &pool->slots[count - 1] : NULL;
	if (pthread_condattr_init(&how) != 0 || pthread_condattr_setclock(&how, CLOCK_MONOTONIC) != 0 ||
	    pthread_mutex_init(&pool->lock, NULL) != 0 || pthread_cond_init(&pool->freed, &how) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	return true;
}

/* Why it returned does not matter: the caller looks again. */
static void
wait_a_little(struct pool *pool, struct deadline deadline)
{
	int64_t until = deadline_sooner(deadline, deadline_in(LOOK_MS)).at_ms;
	struct timespec at = {(time_t)(until / 1000), (long)(until % 1000) * 1000000};
	pthread_cond_timedwait(&pool->freed, &pool->lock, &at);
}

struct slot *
pool_take(struct pool *pool, const bool *unwanted, struct deadline deadline, struct fault *fault)
{
	struct slot *slot = NULL;
	pthread_mutex_lock(&pool->lock);
	while (pool->free == NULL && !(unwanted != NULL && *unwanted)) {
		if (!stop_check(fault))
			goto done;
		if (deadline_passed(deadline)) {
			fault_raise(fault, FAULT_TIMEOUT, "no block became free: the destination is too slow or stands still");
			goto done;
		}
		wait_a_little(pool, deadline);
	}
	if (unwanted != NULL && *unwanted) {
		fault_raise(fault, FAULT_STOPPED, "given up");
		goto done;
	}
	slot = pool->free;
	pool->free = slot->next;
	slot->next = NULL;
	slot->used = 0;
done:
	/* whoever leaves without a slot may have swallowed the signal that another one waits for */
	if (slot == NULL)
		pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
	return slot;
}

void
pool_give(struct pool *pool, struct slot *slot)
{
	pthread_mutex_lock(&pool->lock);
	slot->next = NULL;
	if (pool->free == NULL)
		pool->free = slot;
	else
		pool->last->next = slot;
	pool->last = slot;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
}

void
pool_wake(struct pool *pool, bool *flag)
{
	pthread_mutex_lock(&pool->lock);
	*flag = true;
	pthread_cond_broadcast(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
}
