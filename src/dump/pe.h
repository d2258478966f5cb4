/* SPDX-License-Identifier: MIT */
/* A PE image as it lies mapped in the dumped memory: directories, sections, and the names of exports near to addresses.
 * Layout: Microsoft's PE format specification. Nothing is trusted: counts are clamped, places may be missing. */
#ifndef DUMP_PE_H
#define DUMP_PE_H

#include "dump/frames.h"

#define PE_DIRECTORY_EXPORT 0
#define PE_DIRECTORY_EXCEPTION 3
#define PE_DIRECTORY_CLI 14
#define PE_SECTIONS_MAX 96      /* the loader's own limit */
#define PE_EXPORTS_MAX 65536    /* ordinals have 16 bits */

struct pe {
	uint64_t base;
	uint32_t image_size, timestamp;
	uint16_t machine;           /* 0x14c x86, 0x8664 x64, 0xaa64 arm64 */
	bool plus;                  /* PE32+ */
	uint64_t directories_at;    /* address */
	uint32_t directory_count;
	uint64_t sections_at;       /* address */
	unsigned section_count;
};

/* Reads the headers at base; false when they are missing or no PE's. */
bool pe_open(struct pe *, struct space *, uint64_t base) MUST_CHECK;

/* False: not there, or empty. */
bool pe_directory(const struct pe *, struct space *, unsigned number, uint32_t *rva, uint32_t *size) MUST_CHECK;

/* Whether rva lies in a section that may be executed. */
bool pe_executable(const struct pe *, struct space *, uint32_t rva);

/* A function, or a part of one, in the directory of exceptions. */
struct pe_entry {
	uint64_t base;               /* what the rest is relative to */
	uint32_t begin, end, unwind;
};

enum pe_found {
	PE_FOUND,
	PE_LEAF,                    /* the table is there and has no entry: a function without a frame */
	PE_NOT_READ                 /* the table is not there: nothing is known */
};

struct pe_step {
	bool exact;   /* in: pc is the instruction itself (frame 0, or under a trap), not a return address */
	bool trapped; /* out: the caller was interrupted there: its pc is exact */
};

struct pe_want {
	uint32_t rva;               /* asked for */
	uint32_t start;             /* found: the nearest export at or below it */
	uint32_t function;          /* its place in the table of functions */
	uint32_t name;              /* rva of its name, 0: none found */
};

/* For each want, which must be sorted by rva, the nearest named export at or below it; one pass over the tables. What
 * forwards to another image is left out. */
void pe_nearest_exports(const struct pe *, struct space *, struct pe_want *, size_t count);

/* A C string of the dumped process as valid UTF-8, cut to the room; false: unreadable or empty. */
bool pe_name_text(struct space *, uint64_t address, char name[FRAME_NAME_MAX]) MUST_CHECK;

#endif
