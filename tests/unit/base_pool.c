/* SPDX-License-Identifier: MIT */
/* The pool alone and under threads; meant to be run under the thread sanitizer too. */
#include "unit.h"

#include "base/pool.h"
#include "base/stop.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 3
#define SLOT_SIZE 8192u

static struct memory memory;
static struct pool pool;
static struct fault fault;

static void
open_pool(size_t count)
{
	fault_clear(&fault);
	CHECK(memory_open(&memory, pool_need(count, SLOT_SIZE), &fault));
	CHECK(pool_open(&pool, &memory, count, SLOT_SIZE, &fault));
}

static void
test_take_and_give(void)
{
	struct slot *slots[SLOTS];
	open_pool(SLOTS);
	for (size_t i = 0; i < SLOTS; i++) {
		slots[i] = pool_take(&pool, NULL, deadline_in(0), &fault);
		CHECK(slots[i] != NULL && slots[i]->size == SLOT_SIZE && slots[i]->used == 0 && slots[i]->next == NULL);
		CHECK((uintptr_t)slots[i]->at % 4096 == 0);
		memset(slots[i]->at, (int)i + 1, SLOT_SIZE);
		slots[i]->used = 77;
	}
	for (size_t i = 0; i < SLOTS; i++)
		CHECK(slots[i]->at[0] == i + 1 && slots[i]->at[SLOT_SIZE - 1] == i + 1);
	CHECK(pool_take(&pool, NULL, deadline_in(0), &fault) == NULL && fault.kind == FAULT_TIMEOUT);
	fault_clear(&fault);
	pool_give(&pool, slots[1]);
	CHECK(pool_take(&pool, NULL, deadline_in(0), &fault) == slots[1] && slots[1]->used == 0);
	memory_close(&memory);
}

/* What was given first is taken first, also when the pool was empty in between. */
static void
test_in_turns(void)
{
	struct slot *slots[SLOTS];
	open_pool(SLOTS);
	for (size_t i = 0; i < SLOTS; i++)
		slots[i] = pool_take(&pool, NULL, deadline_in(0), &fault);
	pool_give(&pool, slots[2]);
	pool_give(&pool, slots[0]);
	CHECK(pool_take(&pool, NULL, deadline_in(0), &fault) == slots[2]);
	pool_give(&pool, slots[1]);
	CHECK(pool_take(&pool, NULL, deadline_in(0), &fault) == slots[0]);
	CHECK(pool_take(&pool, NULL, deadline_in(0), &fault) == slots[1]);
	CHECK(pool.free == NULL);
	memory_close(&memory);
}

static void
test_waits_until_deadline(void)
{
	int64_t from = clock_ms(), took;
	struct slot *slot;
	open_pool(1);
	slot = pool_take(&pool, NULL, deadline_never(), &fault);
	CHECK(slot != NULL);
	CHECK(pool_take(&pool, NULL, deadline_in(250), &fault) == NULL && fault.kind == FAULT_TIMEOUT);
	took = clock_ms() - from;
	CHECK(took >= 249 && took < 5000);
	memory_close(&memory);
}

/* A thread that asks for a slot and says what it got. */
struct asker {
	pthread_t thread;
	bool unwanted;
	struct slot *slot;
	struct fault fault;
	int64_t waited_ms;
};

static void *
ask(void *with)
{
	struct asker *asker = with;
	int64_t from = clock_ms();
	asker->slot = pool_take(&pool, &asker->unwanted, deadline_in(20000), &asker->fault);
	asker->waited_ms = clock_ms() - from;
	return NULL;
}

static void
start(struct asker *asker)
{
	memset(asker, 0, sizeof *asker);
	CHECK(pthread_create(&asker->thread, NULL, ask, asker) == 0);
}

static void
pause_ms(long ms)
{
	struct timespec pause = {0, ms * 1000000};
	nanosleep(&pause, NULL);
}

static void
test_give_wakes(void)
{
	struct asker asker;
	struct slot *slot;
	open_pool(1);
	slot = pool_take(&pool, NULL, deadline_in(0), &fault);
	start(&asker);
	pause_ms(30);
	pool_give(&pool, slot);
	pthread_join(asker.thread, NULL);
	CHECK(asker.slot == slot && asker.waited_ms < 5000);
	memory_close(&memory);
}

static void
test_wake(void)
{
	struct asker asker;
	struct slot *slot;
	open_pool(1);
	slot = pool_take(&pool, NULL, deadline_in(0), &fault);
	start(&asker);
	pause_ms(30);
	pool_wake(&pool, &asker.unwanted);
	pthread_join(asker.thread, NULL);
	CHECK(asker.slot == NULL && asker.fault.kind == FAULT_STOPPED && asker.waited_ms < 5000);
	/* also when a slot is free */
	pool_give(&pool, slot);
	fault_clear(&fault);
	CHECK(pool_take(&pool, &asker.unwanted, deadline_in(1000), &fault) == NULL && fault.kind == FAULT_STOPPED);
	CHECK(pool.free == slot);
	memory_close(&memory);
}

static void *
ask_and_give(void *with)
{
	struct asker *asker = with;
	ask(asker);
	if (asker->slot != NULL)
		pool_give(&pool, asker->slot);
	return NULL;
}

/* Waiters of whom some are called off just as the slot comes back: all the others get it in turn, without a pause. */
static void
test_called_off_beside_others(void)
{
	struct asker askers[8];
	struct slot *slot;
	open_pool(1);
	for (int round = 0; round < 50; round++) {
		slot = pool_take(&pool, NULL, deadline_in(0), &fault);
		CHECK(slot != NULL);
		for (size_t i = 0; i < 8; i++) {
			memset(&askers[i], 0, sizeof askers[i]);
			CHECK(pthread_create(&askers[i].thread, NULL, ask_and_give, &askers[i]) == 0);
		}
		pause_ms(2);
		pool_wake(&pool, &askers[0].unwanted);
		pool_give(&pool, slot);
		pool_wake(&pool, &askers[5].unwanted);
		for (size_t i = 0; i < 8; i++) {
			pthread_join(askers[i].thread, NULL);
			CHECK(askers[i].slot == slot || i == 0 || i == 5);
		}
	}
	memory_close(&memory);
}

/* Workers that take, write and give as fast as they can: no slot is ever in two hands. */
static unsigned long rounds;
static pthread_mutex_t rounds_lock = PTHREAD_MUTEX_INITIALIZER;

static void *
work(void *with)
{
	unsigned char mark = *(unsigned char *)with;
	for (int i = 0; i < 3000; i++) {
		struct fault own;
		struct slot *slot;
		bool alone = true;
		fault_clear(&own);
		slot = pool_take(&pool, NULL, deadline_in(20000), &own);
		if (slot == NULL)
			return NULL;
		memset(slot->at, mark, 64);
		slot->used = mark;
		for (int k = 0; k < 64; k++)
			alone = alone && slot->at[k] == mark;
		alone = alone && slot->used == mark;
		pool_give(&pool, slot);
		pthread_mutex_lock(&rounds_lock);
		rounds += alone;
		pthread_mutex_unlock(&rounds_lock);
	}
	return NULL;
}

static void
test_crowd(void)
{
	pthread_t threads[8];
	unsigned char marks[8];
	size_t back = 0;
	open_pool(SLOTS);
	rounds = 0;
	for (size_t i = 0; i < 8; i++) {
		marks[i] = (unsigned char)(i + 1);
		CHECK(pthread_create(&threads[i], NULL, work, &marks[i]) == 0);
	}
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	CHECK(rounds == 8 * 3000);
	for (struct slot *slot = pool.free; slot != NULL; slot = slot->next)
		back++;
	CHECK(back == SLOTS);
	memory_close(&memory);
}

static void
stopped_child(void)
{
	int64_t from = clock_ms();
	open_pool(1);
	if (!stop_install(&fault) || pool_take(&pool, NULL, deadline_in(0), &fault) == NULL)
		_exit(2);
	kill(getpid(), SIGINT);
	if (pool_take(&pool, NULL, deadline_in(30000), &fault) != NULL || fault.kind != FAULT_STOPPED)
		_exit(3);
	_exit(clock_ms() - from < 5000 ? 0 : 4);
}

static void
test_stopped(void)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0)
		stopped_child();
	CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	UNIT_RUN(test_take_and_give);
	UNIT_RUN(test_in_turns);
	UNIT_RUN(test_waits_until_deadline);
	UNIT_RUN(test_give_wakes);
	UNIT_RUN(test_wake);
	UNIT_RUN(test_called_off_beside_others);
	UNIT_RUN(test_crowd);
	UNIT_RUN(test_stopped);
	return unit_end();
}
