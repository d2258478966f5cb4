/* SPDX-License-Identifier: MIT */
/* A list of blocks to what an upload would take over: the XML in two pieces and at once, and the ids in it. */
#include "azure/blob_left.h"
#include "azure/blob_list.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t count);

struct sum {
	uint64_t blocks, sizes;
	uint32_t taken;
};

static uint32_t marks[1];
static const struct blob_ids ids = {.prefix = "0a1b2c3d00000000", .marks = marks};

static void
note(void *state, struct span id, uint64_t size)
{
	struct sum *sum = state;
	uint32_t number, mark;
	if (id.count == 0 || id.count >= LEFT_TEXT_MAX)
		abort();
	sum->blocks++;
	sum->sizes += size;
	if (!blob_ids_read(&ids, id, &number, &mark))
		return;
	if (number >= 1u << 20)
		abort();
	sum->taken += number ^ mark;
}

int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t count)
{
	struct sum whole = {0, 0, 0}, pieces = {0, 0, 0};
	struct blob_left one = {.block = note, .state = &whole}, two = {.block = note, .state = &pieces};
	size_t first = count == 0 ? 0 : at[0] % count;
	blob_left_add(&one, (struct span){at, count});
	blob_left_add(&two, (struct span){at, first});
	blob_left_add(&two, (struct span){at + first, count - first});
	if (memcmp(&whole, &pieces, sizeof whole) != 0 || one.ended != two.ended)
		abort();
	return 0;
}
