/* SPDX-License-Identifier: MIT */
/* Where in a dump the bytes of an address are: lists of ranges that stay in the file, found through a sparse index of fixed
 * size, however many ranges there are. Layouts: MINIDUMP_MEMORY64_LIST, MINIDUMP_MEMORY_LIST, MINIDUMP_THREAD of Microsoft's
 * minidumpapiset; Elf64_Phdr of the System V ABI. */
#ifndef DUMP_RANGE_H
#define DUMP_RANGE_H

#include "dump/view.h"

#define RANGE_CHECKPOINTS 4096 /* of a list: every k-th range */
#define RANGE_RECENT 8
#define RANGE_GAPS 8

enum range_kind { RANGES_NONE, RANGES_MEMORY64, RANGES_MEMORY32, RANGES_STACKS, RANGES_PHDR };

struct range {
	uint64_t start, size; /* address; bytes that the file has */
	uint64_t offset;      /* of them in the file */
};

/* Addresses that no range holds: code of modules above all, which a dump may lack and is asked for again and again. */
struct gap {
	uint64_t start, last; /* both within; last 0: the slot is empty */
	bool ends;            /* `next` is the range behind it */
	struct range next;
};

struct checkpoint {
	uint64_t start;  /* address of the range */
	uint64_t offset; /* sum of sizes before it (RANGES_MEMORY64) */
	uint64_t entry;  /* its number */
};

struct range_list {
	enum range_kind kind;
	uint64_t at, count;  /* place of the first entry in the file; entries */
	uint64_t base;       /* RANGES_MEMORY64: where the bytes begin */
	uint64_t stride;     /* a checkpoint every so many usable ranges */
	bool sorted;         /* by address, without overlap: the checkpoints can be searched */
	uint64_t usable;     /* ranges with bytes */
	uint64_t promised;   /* the end of the furthest range by the list, which the file may not have */
	struct checkpoint *checkpoints;
	size_t checkpoint_count;
	struct range recent[RANGE_RECENT];
	struct gap gaps[RANGE_GAPS];
	unsigned turn, gap_turn;
};

size_t ranges_need(void); /* bytes that ranges_index takes of a memory */

/* Makes the index of a list whose kind, at, count and base are set and whose entries lie within the file: one pass. */
void ranges_index(struct range_list *, struct view *, struct memory *);

/* The range that holds an address, or the next one above. False: none, or the view is exhausted. */
bool ranges_find(struct range_list *, struct view *, uint64_t address, struct range *) MUST_CHECK;

#endif
