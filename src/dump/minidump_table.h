/* SPDX-License-Identifier: MIT */
/* Streams of a minidump as tables: what a stream claims is held against its size. */
#ifndef DUMP_MINIDUMP_TABLE_H
#define DUMP_MINIDUMP_TABLE_H

#include "dump/minidump.h"

/* In the file: `count` entries of `stride` bytes. */
struct minidump_table {
	uint64_t at, count;
	uint32_t stride;
};

/* The first `most` bytes of a stream, zeroes behind its end; the span has as many as are there. */
struct span minidump_head(struct space *, const struct stream *, unsigned char *room, size_t most);

/* A list with a 32-bit count, then entries; four bytes between them are legal when they make the size come out. */
bool minidump_plain_table(struct space *, uint32_t type, uint32_t stride, struct minidump_table *) MUST_CHECK;

/* A list that says the size of its header and entries, which may be larger than those we know. */
bool minidump_stated_table(struct space *, uint32_t type, uint32_t least, struct minidump_table *) MUST_CHECK;

/* Cuts a table to what its stream has room for, with a note. */
void minidump_clamp(struct space *, const struct stream *, struct minidump_table *);

bool minidump_entry(struct space *, const struct minidump_table *, uint64_t index, unsigned char *room, size_t size) MUST_CHECK;

#endif
