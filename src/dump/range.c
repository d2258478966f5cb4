/* SPDX-License-Identifier: MIT */
#include "dump/range.h"

#include <string.h>

#define BLOCK 2016 /* divides by the sizes of all kinds of entries */
#define PT_LOAD 1

/* A walk over a list, reading some dozens of entries at once. */
struct walk {
	struct view *view;
	const struct range_list *list;
	uint64_t next;   /* number of the entry to come */
	uint64_t sum;    /* of sizes before it */
	uint64_t first;  /* number of the first entry in the block */
	size_t in_block; /* entries */
	uint64_t promised;
	unsigned char block[BLOCK];
};

size_t
ranges_need(void)
{
	return memory_need(RANGE_CHECKPOINTS * sizeof(struct checkpoint), 64);
}

static size_t
entry_bytes(enum range_kind kind)
{
	switch (kind) {
	case RANGES_MEMORY64:
	case RANGES_MEMORY32:
		return 16;
	case RANGES_STACKS:
		return 48;
	case RANGES_PHDR:
		return 56;
	case RANGES_NONE:
		break;
	}
	return 0;
}

static void
walk_from(struct walk *walk, struct view *view, const struct range_list *list, const struct checkpoint *from)
{
	walk->view = view;
	walk->list = list;
	walk->next = from == NULL ? 0 : from->entry;
	walk->sum = from == NULL ? 0 : from->offset;
	walk->first = walk->in_block = 0;
	walk->promised = 0;
}

static bool
fill_block(struct walk *walk)
{
	size_t entry = entry_bytes(walk->list->kind), count = BLOCK / entry;
	if (count > walk->list->count - walk->next)
		count = (size_t)(walk->list->count - walk->next);
	walk->first = walk->next;
	walk->in_block = count;
	return view_read(walk->view, walk->list->at + walk->next * entry, walk->block, count * entry);
}

static uint64_t
plus(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

/* The range of an entry as it is written. */
static void
decode(struct walk *walk, struct span entry, struct range *range)
{
	uint32_t size = 0, place = 0, type = 0;
	bool good = false;
	memset(range, 0, sizeof *range);
	switch (walk->list->kind) {
	case RANGES_MEMORY64:
		good = span_u64(entry, 0, &range->start) && span_u64(entry, 8, &range->size);
		range->offset = plus(walk->list->base, walk->sum);
		walk->sum = plus(walk->sum, range->size);
		break;
	case RANGES_MEMORY32:
		good = span_u64(entry, 0, &range->start) && span_u32(entry, 8, &size) && span_u32(entry, 12, &place);
		break;
	case RANGES_STACKS:
		good = span_u64(entry, 24, &range->start) && span_u32(entry, 32, &size) && span_u32(entry, 36, &place);
		if (place == 0)
			size = 0; /* full dumps have the stack in their memory list alone */
		break;
	case RANGES_PHDR:
		good = span_u32(entry, 0, &type) && span_u64(entry, 8, &range->offset) && span_u64(entry, 16, &range->start)
		       && span_u64(entry, 32, &range->size);
		if (type != PT_LOAD)
			range->size = 0;
		break;
	case RANGES_NONE:
		break;
	}
	if (size > 0) {
		range->size = size;
		range->offset = place;
	}
	if (!good)
		range->size = 0;
}

/* Only what can be addressed and what the file has. */
static void
clip(struct range *range, uint64_t file_size)
{
	if (range->size > UINT64_MAX - range->start)
		range->size = UINT64_MAX - range->start;
	if (range->offset >= file_size)
		range->size = 0;
	else if (range->size > file_size - range->offset)
		range->size = file_size - range->offset;
}

/* The next usable range; *at is its checkpoint. False at the end. */
static bool
walk_next(struct walk *walk, struct range *range, struct checkpoint *at)
{
	size_t size = entry_bytes(walk->list->kind);
	while (walk->next < walk->list->count) {
		size_t within;
		if (walk->next >= walk->first + walk->in_block && !fill_block(walk))
			return false;
		within = (size_t)(walk->next - walk->first) * size;
		at->entry = walk->next++;
		at->offset = walk->sum;
		decode(walk, (struct span){walk->block + within, size}, range);
		at->start = range->start;
		if (range->size > 0 && plus(range->offset, range->size) > walk->promised)
			walk->promised = plus(range->offset, range->size);
		clip(range, walk->view->size);
		if (range->size > 0)
			return true;
	}
	return false;
}

void
ranges_index(struct range_list *list, struct view *view, struct memory *memory)
{
	struct walk walk;
	struct range range;
	struct checkpoint at;
	uint64_t end = 0;
	list->checkpoints = memory_take(memory, RANGE_CHECKPOINTS * sizeof *list->checkpoints, 64);
	list->checkpoint_count = 0;
	list->stride = list->count / RANGE_CHECKPOINTS + 1;
	list->sorted = true;
	list->usable = 0;
	walk_from(&walk, view, list, NULL);
	while (walk_next(&walk, &range, &at)) {
		if (range.start < end)
			list->sorted = false;
		end = range.start + range.size;
		if (list->usable++ % list->stride == 0 && list->checkpoint_count < RANGE_CHECKPOINTS)
			list->checkpoints[list->checkpoint_count++] = at;
	}
	list->promised = walk.promised;
}

/* The last checkpoint that is not above an address; NULL: all are. */
static const struct checkpoint *
checkpoint_below(const struct range_list *list, uint64_t address)
{
	size_t low = 0, high = list->checkpoint_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list->checkpoints[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : &list->checkpoints[low - 1];
}

static bool
holds(const struct range *range, uint64_t address)
{
	return address >= range->start && address - range->start < range->size;
}

/* What was learned of the addresses around one that no range holds. */
struct search {
	struct range above; /* the next range */
	bool any;           /* there is one */
	uint64_t below;     /* the end of the last range in front */
	bool whole;         /* all entries that matter were read */
};

static bool
find_in_file(const struct range_list *list, struct view *view, uint64_t address, struct range *found, struct search *search)
{
	struct walk walk;
	struct range range;
	struct checkpoint at;
	walk_from(&walk, view, list, list->sorted ? checkpoint_below(list, address) : NULL);
	while (walk_next(&walk, &range, &at)) {
		if (holds(&range, address)) {
			*found = range;
			return true;
		}
		if (range.start > address && (!search->any || range.start < search->above.start)) {
			search->above = range;
			search->any = true;
		}
		if (range.start <= address && range.start + range.size > search->below)
			search->below = range.start + range.size;
		if (search->any && list->sorted)
			break;
	}
	search->whole = (search->any && list->sorted) || walk.next == list->count;
	return false;
}

static void
keep_gap(struct range_list *list, const struct search *search)
{
	struct gap *gap = &list->gaps[list->gap_turn++ % RANGE_GAPS];
	*gap = (struct gap){search->below, search->any ? search->above.start - 1 : UINT64_MAX, search->any, search->above};
}

/* False: the range, or the gap, is not among those kept. */
static bool
find_kept(const struct range_list *list, uint64_t address, struct range *found, bool *any)
{
	for (size_t i = 0; i < RANGE_RECENT; i++) {
		if (holds(&list->recent[i], address)) {
			*found = list->recent[i];
			return *any = true;
		}
	}
	for (size_t i = 0; i < RANGE_GAPS; i++) {
		const struct gap *gap = &list->gaps[i];
		if (gap->last == 0 || address < gap->start || address > gap->last)
			continue;
		*any = gap->ends;
		if (gap->ends)
			*found = gap->next;
		return true;
	}
	return false;
}

bool
ranges_find(struct range_list *list, struct view *view, uint64_t address, struct range *found)
{
	struct search search = {.any = false};
	bool any;
	if (list->usable == 0)
		return false;
	if (find_kept(list, address, found, &any))
		return any;
	if (find_in_file(list, view, address, found, &search)) {
		list->recent[list->turn++ % RANGE_RECENT] = *found;
		return true;
	}
	if (search.whole)
		keep_gap(list, &search);
	if (search.any)
		*found = search.above;
	return search.any;
}
