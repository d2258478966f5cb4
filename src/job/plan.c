/* SPDX-License-Identifier: MIT */
#include "job/plan.h"

#include "job/aftermath.h"

#define BLOCK_STEP BLOCK_BYTES_LEAST

const char plan_formula[] =
	"memory  1.25 MiB + K x 0.31 MiB + K x F x 1 MiB + U x 0.15 MiB + (K x D + U) x block (+ " AFTERMATH_MIB " MiB with --analyze), taken before the\n"
	"        first connection and never more, however large the dump: K dumps at once (--jobs, no more than sites), F\n"
	"        folders and D blob destinations, U lanes (0 without a blob). One dump to a blob with the defaults: 22 MiB.\n"
	"        With --instance all or --children all of --jobs connect, 0.31 MiB each; each site beyond the first takes 24 KiB\n"
	"        (1 KiB an instance).\n"
	"        A blob holds 50,000 blocks: with 4 MiB blocks dumps of up to 195 GiB fit. Without --memory smaller blocks grow\n"
	"        up to that when a dump would not fit otherwise.";

const char plan_formula_put[] =
	"memory  1.25 MiB + 0.31 MiB + U x 0.15 MiB + (1 + U) x block, taken before the first connection: U lanes. With the\n"
	"        defaults 22 MiB. A blob holds 50,000 blocks: for a file over 195 GiB blocks grow as far as it needs, unless\n"
	"        --memory is given.";

static uint64_t
peak_of(const struct plan *plan)
{
	return PLAN_BASE + plan->fixed + (uint64_t)plan->jobs * (PLAN_JOB + (uint64_t)plan->folders * DISK_BYTES) +
	       (uint64_t)plan->lanes * PLAN_LANE + (uint64_t)plan->slots * plan->block;
}

static void
settle(struct plan *plan, unsigned blobs)
{
	plan->slots = blobs == 0 ? 0 : (size_t)plan->jobs * blobs + plan->lanes;
	plan->peak = peak_of(plan);
}

/* One step smaller: halves blocks down to 256 KiB, then lanes down to 2, then blocks down to the least, then one lane.
 * Few large blocks beat many small ones only until a block is about 256 KiB: then requests cost more than bytes. */
static bool
shrink(struct plan *plan)
{
	if (plan->lanes == 0)
		return false;
	if (plan->block > 256 * KIB)
		plan->block = plan->block / 2 / BLOCK_STEP * BLOCK_STEP;
	else if (plan->lanes > 2)
		plan->lanes--;
	else if (plan->block > BLOCK_STEP)
		plan->block = plan->block / 2 / BLOCK_STEP * BLOCK_STEP;
	else if (plan->lanes > 1)
		plan->lanes--;
	else
		return false;
	return true;
}

/* Grows the blocks again by steps of 64 KiB, since halving may leave half of the limit unused. */
static void
use_the_rest(struct plan *plan, size_t most, uint64_t limit)
{
	while (plan->slots > 0 && plan->block + BLOCK_STEP <= most &&
	       plan->peak + (uint64_t)plan->slots * BLOCK_STEP <= limit) {
		plan->block += BLOCK_STEP;
		plan->peak = peak_of(plan);
	}
}

bool
plan_make(struct plan *plan, unsigned jobs, unsigned folders, unsigned blobs, size_t fixed, uint64_t lanes,
          uint64_t block, uint64_t limit, struct fault *fault)
{
	size_t most;
	if (block == 0)
		block = BLOCK_BYTES_DEFAULT;
	*plan = (struct plan){.jobs = jobs, .folders = folders, .fixed = fixed, .lanes = blobs == 0 ? 0 : (unsigned)(lanes != 0 ? lanes : LANES_DEFAULT)};
	plan->block = most = (size_t)((block + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP);
	settle(plan, blobs);
	if (limit == 0) {
		plan->room = plan->block > BLOCK_BYTES_DEFAULT ? plan->block : BLOCK_BYTES_DEFAULT;
		return true;
	}
	while (plan->peak > limit) {
		if (!shrink(plan)) {
			uint64_t kib = (plan->peak + 1023) / 1024;
			fault_raise(fault, FAULT_USAGE, "--memory: at least %llu KiB are needed for %u dumps at once",
			            (unsigned long long)kib, jobs);
			return fault_hint(fault, "lower --jobs or give more memory");
		}
		settle(plan, blobs);
	}
	use_the_rest(plan, most, limit);
	plan->room = plan->block;
	return true;
}

void
plan_grow(struct plan *plan, uint64_t bytes)
{
	uint64_t least = (bytes + BLOCKS_MAX - 1) / BLOCKS_MAX;
	if (least <= plan->room || least > BLOCK_BYTES_MAX)
		return; /* beyond that no blob holds it, which the upload says */
	plan->room = (size_t)((least + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP);
	plan->peak = peak_of(plan) + (uint64_t)plan->slots * (plan->room - plan->block);
}

void
plan_put(struct text *text, const struct plan *plan)
{
	text_printf(text, "memory: %.1f MiB at most: %u at once, %u lanes, %zu blocks of %zu KiB, %u folders",
	            (double)plan->peak / MIB, plan->jobs, plan->lanes, plan->slots, plan->block / KIB, plan->folders);
	if (plan->room > plan->block && plan->room > BLOCK_BYTES_DEFAULT)
		text_printf(text, ", blocks of %zu KiB for the largest file", plan->room / KIB);
}
