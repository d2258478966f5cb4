/* SPDX-License-Identifier: MIT */
#include "job/plan.h"

#include "job/aftermath.h"

#include "unit.h"

static struct plan plan;
static struct fault fault;

static bool
make(unsigned jobs, unsigned folders, unsigned blobs, uint64_t lanes, uint64_t block, uint64_t limit)
{
	fault_clear(&fault);
	return plan_make(&plan, jobs, folders, blobs, 0, lanes, block, limit, &fault);
}

static void
defaults_hold_the_promise(void)
{
	CHECK(make(1, 0, 1, 0, 0, 0) && plan.lanes == 4 && plan.block == 4 * MIB && plan.slots == 5);
	CHECK(plan.peak <= 24ull * MIB);
	CHECK(make(1, 1, 0, 0, 0, 0) && plan.lanes == 0 && plan.slots == 0);
	CHECK(plan.peak <= 3ull * MIB);
	CHECK(make(4, 1, 2, 3, 1 * MIB, 0) && plan.slots == 4 * 2 + 3);
}

/* What the help says of --analyze. */
static void
analysis_as_stated(void)
{
	size_t stated = strtoul(AFTERMATH_MIB, NULL, 10) * MIB;
	CHECK(aftermath_need() <= stated && aftermath_need() + MIB > stated);
}

static void
blocks_are_whole_steps(void)
{
	CHECK(make(1, 0, 1, 0, 65537, 0) && plan.block == 131072);
	CHECK(make(1, 0, 1, 0, 65536, 0) && plan.block == 65536 && plan.room == BLOCK_BYTES_DEFAULT);
	CHECK(make(1, 0, 1, 0, 8 * MIB, 0) && plan.room == 8 * MIB);
}

static void
memory_shrinks_to_fit(void)
{
	CHECK(make(1, 0, 1, 0, 0, 4 * MIB) && plan.peak <= 4 * MIB && plan.lanes >= 2 && plan.block >= 256 * KIB && plan.room == plan.block);
	CHECK(make(1, 1, 1, 0, 0, 4 * MIB) && plan.peak <= 4 * MIB);
	CHECK(make(1, 0, 1, 64, 1024u * MIB, 100 * MIB) && plan.peak <= 100 * MIB);
	CHECK(make(1, 0, 1, 0, 0, 1000 * MIB) && plan.block == 4 * MIB && plan.lanes == 4);
	CHECK(!make(1, 0, 1, 0, 0, 1 * MIB) && fault.kind == FAULT_USAGE && strstr(fault.text, "KiB are needed") != NULL);
	CHECK(!make(1, 1, 0, 0, 0, 2 * MIB) && fault.kind == FAULT_USAGE);
}

static void
every_limit_is_kept_or_refused(void)
{
	for (uint64_t limit = 1 * MIB; limit < 80 * MIB; limit += 97 * KIB)
		for (unsigned jobs = 1; jobs <= 4; jobs++) {
			bool made = make(jobs, 1, 1, 8, 8 * MIB, limit);
			CHECK(made ? plan.peak <= limit && plan.block >= BLOCK_BYTES_LEAST && plan.lanes >= 1 : fault.kind == FAULT_USAGE);
		}
}

static void
blocks_grow_for_large_files(void)
{
	const uint64_t fits = 50000ull * 4 * MIB;
	char room[200];
	struct text text = text_in(room, sizeof room);
	CHECK(make(1, 0, 1, 0, 0, 0));
	plan_grow(&plan, 0);
	plan_grow(&plan, fits);
	CHECK(plan.room == 4 * MIB && plan.peak <= 24ull * MIB);
	plan_grow(&plan, fits + 1);
	CHECK(plan.room == 4 * MIB + 64 * KIB && plan.block == 4 * MIB);
	plan_grow(&plan, 50000ull * 4000 * MIB);
	CHECK(plan.room == 4000ull * MIB && plan.room * 50000ull >= 50000ull * 4000 * MIB);
	CHECK(plan.peak >= 5 * 4000ull * MIB && plan.peak <= 5 * 4000ull * MIB + 3 * MIB);
	plan_grow(&plan, 50000ull * 4000 * MIB + 1);
	CHECK(plan.room == 4000ull * MIB);
	plan_put(&text, &plan);
	CHECK(strstr(room, "blocks of 4096000 KiB for the largest file") != NULL);
	/* smaller blocks than the default may grow up to it anyway */
	CHECK(make(1, 0, 1, 0, 65536, 0));
	plan_grow(&plan, 50000ull * 65536 + 1);
	CHECK(plan.room == 4 * MIB);
}

int
main(void)
{
	UNIT_RUN(blocks_grow_for_large_files);
	UNIT_RUN(defaults_hold_the_promise);
	UNIT_RUN(analysis_as_stated);
	UNIT_RUN(blocks_are_whole_steps);
	UNIT_RUN(memory_shrinks_to_fit);
	UNIT_RUN(every_limit_is_kept_or_refused);
	return unit_end();
}
