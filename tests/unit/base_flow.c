/* SPDX-License-Identifier: MIT */
/* The copy loop, the tee and the meter, with sources that break and sinks that refuse, at every byte. */
#include "unit.h"

#include "base/flow.h"
#include "base/stop.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT "the quick brown fox"
#define BYTES (sizeof TEXT - 1)

/* Gives TEXT in pieces of `step`; fails when `broken` bytes are out (-1: never). */
struct origin {
	struct source source;
	size_t given, step;
	int broken;
};

static bool
origin_read(struct source *source, void *room, size_t size, size_t *got, struct fault *fault)
{
	struct origin *origin = (struct origin *)source;
	if ((int)origin->given == origin->broken)
		return fault_raise(fault, FAULT_NETWORK, "reset");
	*got = BYTES - origin->given;
	if (*got > origin->step)
		*got = origin->step;
	if (*got > size)
		*got = size;
	memcpy(room, &TEXT[origin->given], *got);
	origin->given += *got;
	return true;
}

/* Keeps what it is given; refuses a write at `full` bytes, or the finish. */
struct shelf {
	struct sink sink;
	char room[64];
	size_t used;
	int full, finishes, abandons;
	bool refuses_finish;
};

static bool
shelf_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct shelf *shelf = (struct shelf *)sink;
	CHECK(shelf->finishes == 0 && shelf->abandons == 0);
	if (shelf->full >= 0 && shelf->used + count > (size_t)shelf->full)
		return fault_raise(fault, FAULT_SYSTEM, "full at %d", shelf->full);
	memcpy(shelf->room + shelf->used, from, count);
	shelf->used += count;
	return true;
}

static bool
shelf_finish(struct sink *sink, struct fault *fault)
{
	struct shelf *shelf = (struct shelf *)sink;
	shelf->finishes++;
	return !shelf->refuses_finish || fault_raise(fault, FAULT_DENIED, "not committed");
}

static void
shelf_abandon(struct sink *sink)
{
	((struct shelf *)sink)->abandons++;
}

static struct shelf
shelf_of(int full)
{
	struct shelf shelf;
	memset(&shelf, 0, sizeof shelf);
	shelf.sink = (struct sink){shelf_write, shelf_finish, shelf_abandon};
	shelf.full = full;
	return shelf;
}

static bool
holds_all(const struct shelf *shelf)
{
	return shelf->used == BYTES && memcmp(shelf->room, TEXT, BYTES) == 0;
}

static struct fault fault;
static char room[8];

static bool
run(struct sink *sink, size_t step, int broken)
{
	struct origin origin = {{origin_read}, 0, step, broken};
	fault_clear(&fault);
	return flow(&origin.source, sink, room, sizeof room, &fault);
}

static void
test_flow(void)
{
	for (size_t step = 1; step <= BYTES + 1; step++) {
		struct shelf shelf = shelf_of(-1);
		CHECK(run(&shelf.sink, step, -1));
		CHECK(holds_all(&shelf) && shelf.finishes == 1 && shelf.abandons == 0);
	}
}

static void
test_flow_breaks(void)
{
	for (int at = 0; at <= (int)BYTES; at++) {
		struct shelf shelf = shelf_of(-1);
		CHECK(!run(&shelf.sink, 1, at) && fault.kind == FAULT_NETWORK);
		CHECK((int)shelf.used == at && shelf.finishes == 0 && shelf.abandons == 1);
		shelf = shelf_of(at);
		CHECK(run(&shelf.sink, 1, -1) == (at == (int)BYTES));
		CHECK(shelf.finishes == (at == (int)BYTES) && shelf.abandons == (at < (int)BYTES));
		CHECK(at == (int)BYTES || fault.kind == FAULT_SYSTEM);
	}
}

static void
test_flow_finish_refused(void)
{
	struct shelf shelf = shelf_of(-1);
	shelf.refuses_finish = true;
	CHECK(!run(&shelf.sink, 5, -1) && fault.kind == FAULT_DENIED);
	CHECK(shelf.finishes == 1 && shelf.abandons == 1);
}

static void
stopped_child(void)
{
	struct shelf shelf = shelf_of(-1);
	if (!stop_install(&fault) || kill(getpid(), SIGTERM) != 0)
		_exit(2);
	if (run(&shelf.sink, 1, -1) || fault.kind != FAULT_STOPPED || fault.detail != SIGTERM)
		_exit(3);
	_exit(shelf.used == 0 && shelf.finishes == 0 && shelf.abandons == 1 ? 0 : 4);
}

static void
test_flow_stopped(void)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0)
		stopped_child();
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static struct shelf a, b;
static struct tee_leg legs[2];
static struct tee tee;

static bool
run_tee(int full_a, int full_b, int broken, bool refuse_a, bool refuse_b)
{
	a = shelf_of(full_a);
	b = shelf_of(full_b);
	a.refuses_finish = refuse_a;
	b.refuses_finish = refuse_b;
	legs[0].sink = &a.sink;
	legs[1].sink = &b.sink;
	legs[0].fault.kind = legs[1].fault.kind = FAULT_BUSY; /* left over from before */
	legs[0].ended = legs[1].ended = true;
	tee_open(&tee, legs, 2);
	return run(&tee.sink, 3, broken);
}

static void
test_tee(void)
{
	CHECK(run_tee(-1, -1, -1, false, false));
	CHECK(holds_all(&a) && holds_all(&b) && a.finishes == 1 && b.finishes == 1 && a.abandons + b.abandons == 0);
	CHECK(legs[0].fault.kind == FAULT_NONE && legs[1].fault.kind == FAULT_NONE);
}

static void
test_tee_leg_falls(void)
{
	for (int full = 0; full < (int)BYTES; full++) {
		CHECK(run_tee(full, -1, -1, false, false));
		CHECK(holds_all(&b) && b.finishes == 1 && b.abandons == 0);
		CHECK(a.finishes == 0 && a.abandons == 1 && legs[0].fault.kind == FAULT_SYSTEM && legs[1].fault.kind == FAULT_NONE);
		CHECK(run_tee(-1, full, -1, false, false));
		CHECK(holds_all(&a) && a.finishes == 1 && b.finishes == 0 && b.abandons == 1 && legs[1].fault.kind == FAULT_SYSTEM);
	}
	CHECK(run_tee(-1, -1, -1, true, false));
	CHECK(a.finishes == 1 && a.abandons == 1 && legs[0].fault.kind == FAULT_DENIED && b.finishes == 1 && b.abandons == 0);
	CHECK(run_tee(-1, 4, -1, false, false) && fault.kind == FAULT_NONE);
}

static void
test_tee_all_fall(void)
{
	CHECK(!run_tee(12, 4, -1, false, false));
	CHECK_TEXT(fault.text, "full at 4");
	CHECK(!run_tee(4, 12, -1, false, false));
	CHECK_TEXT(fault.text, "full at 4");
	CHECK(a.abandons == 1 && b.abandons == 1 && a.finishes + b.finishes == 0);
	CHECK(!run_tee(-1, 4, -1, true, false));
	CHECK_TEXT(fault.text, "full at 4");
	CHECK(!run_tee(-1, -1, -1, true, true) && fault.kind == FAULT_DENIED);
	CHECK(a.abandons == 1 && b.abandons == 1);
}

static void
test_tee_source_breaks(void)
{
	CHECK(!run_tee(-1, 3, 9, false, false) && fault.kind == FAULT_NETWORK);
	CHECK(a.abandons == 1 && b.abandons == 1 && a.finishes + b.finishes == 0);
	CHECK(legs[0].fault.kind == FAULT_NONE && legs[1].fault.kind == FAULT_SYSTEM);
}

static void
test_meter(void)
{
	struct meter meter;
	struct shelf shelf = shelf_of(-1);
	fault_clear(&fault);
	CHECK(meter_open(&meter, &shelf.sink, &fault) && meter_bytes(&meter) == 0);
	CHECK(run(&meter.sink, 4, -1) && meter_bytes(&meter) == BYTES && shelf.finishes == 1);
	meter_close(&meter);
	shelf = shelf_of(10);
	CHECK(meter_open(&meter, &shelf.sink, &fault));
	CHECK(!run(&meter.sink, 4, -1) && meter_bytes(&meter) == 8 && shelf.abandons == 1);
	meter_close(&meter);
}

static void *
read_meter(void *of)
{
	uint64_t before = 0, now;
	do {
		now = meter_bytes(of);
		if (now < before)
			return of;
		before = now;
	} while (now < 100 * BYTES);
	return NULL;
}

static void
test_meter_from_thread(void)
{
	struct meter meter;
	struct shelf shelf = shelf_of(-1);
	pthread_t thread;
	void *bad = &meter;
	CHECK(meter_open(&meter, &shelf.sink, &fault) && pthread_create(&thread, NULL, read_meter, &meter) == 0);
	for (int i = 0; i < 100; i++) {
		shelf.used = 0;
		CHECK(meter.sink.write(&meter.sink, TEXT, BYTES, &fault));
	}
	CHECK(pthread_join(thread, &bad) == 0 && bad == NULL);
	meter_close(&meter);
}

int
main(void)
{
	UNIT_RUN(test_flow);
	UNIT_RUN(test_flow_breaks);
	UNIT_RUN(test_flow_finish_refused);
	UNIT_RUN(test_flow_stopped);
	UNIT_RUN(test_tee);
	UNIT_RUN(test_tee_leg_falls);
	UNIT_RUN(test_tee_all_fall);
	UNIT_RUN(test_tee_source_breaks);
	UNIT_RUN(test_meter);
	UNIT_RUN(test_meter_from_thread);
	return unit_end();
}
