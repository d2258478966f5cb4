/* SPDX-License-Identifier: MIT */
/* Numbers and pointers as DWARF writes them, read one after the other from the dumped memory. */
#ifndef DUMP_UNWIND_CURSOR_H
#define DUMP_UNWIND_CURSOR_H

#include "dump/space.h"

struct cursor {
	struct space *space;
	uint64_t at, end;
	uint64_t piece_at;
	size_t piece_count;
	bool bad;           /* something was not there or too long: what was taken since is worth nothing */
	unsigned char piece[256];
};

void cursor_open(struct cursor *, struct space *, uint64_t at, uint64_t end);
uint8_t cursor_u8(struct cursor *);
uint64_t cursor_number(struct cursor *, unsigned size); /* little-endian, at most 8 bytes */
uint64_t cursor_uleb(struct cursor *);
int64_t cursor_sleb(struct cursor *);
uint64_t cursor_extend(uint64_t value, unsigned bits);  /* of a signed number */

/* A pointer in one of the encodings of .eh_frame; base: what datarel counts from. */
uint64_t cursor_pointer(struct cursor *, uint8_t encoding, uint64_t base);

#endif
