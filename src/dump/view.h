/* SPDX-License-Identifier: MIT */
/* A dump or image file read by offset through a small page cache: memory does not depend on the file's size, and a work
 * budget ends what a hostile file would make endless. Not for several threads at once. */
#ifndef DUMP_VIEW_H
#define DUMP_VIEW_H

#include "base/fault.h"
#include "base/memory.h"
#include "base/span.h"

#include <stdint.h>

#define VIEW_PAGE 4096
#define VIEW_PAGES 256             /* 1 MiB of cache */
#define VIEW_WAYS 4                /* a page has so many places it may stand in */
#define VIEW_COST_LEAST 64         /* what the shortest read takes of the budget */
#define VIEW_BUDGET (3ull << 29)   /* bytes read from the file in all: a diagnosis of a 100 GB dump reads some 20 MB, one of
                                      260,000 frames 600 MB, and what a hostile file asks for ends within 2 s */

struct view_page {
	uint64_t number; /* of the page in the file, + 1; 0: empty */
	uint32_t used;   /* valid bytes */
	uint32_t age;
};

struct view {
	int fd;              /* -1: bytes in memory */
	struct span bytes;
	uint64_t size;
	uint64_t budget;
	uint32_t clock;
	struct view_page pages[VIEW_PAGES];
	unsigned char *room; /* VIEW_PAGES * VIEW_PAGE */
};

size_t view_need(void); /* bytes that view_open takes of a memory */

/* FAULT_MISSING when there is no such file, FAULT_SYSTEM, FAULT_CORRUPT for what is no regular file. */
bool view_open(struct view *, struct memory *, const char *path, struct fault *) MUST_CHECK;

/* The same over bytes in memory, which stay the caller's; for tests and for a dump that came as a stream. */
void view_of_bytes(struct view *, struct memory *, struct span);
void view_close(struct view *);

/* Exactly size bytes at offset, or false: past the end, unreadable, or the budget is used up (view_exhausted). Reads of
 * several pages go past the cache. */
bool view_read(struct view *, uint64_t offset, void *room, size_t size) MUST_CHECK;
bool view_exhausted(const struct view *);

/* Little-endian. */
bool view_u32(struct view *, uint64_t offset, uint32_t *value) MUST_CHECK;

#endif
