/* SPDX-License-Identifier: MIT */
/* Windows' arm64 unwind data: packed entries of .pdata and records of .xdata ("ARM64 exception handling" in Microsoft's
 * C++ reference), read from the dumped memory. */
#ifndef DUMP_UNWIND_ARM64_H
#define DUMP_UNWIND_ARM64_H

#include "dump/pe.h"

/* The entry for base + rva, its word of unwind data in `unwind`. Of a leaf, gap is where the entry before it ends. */
enum pe_found arm64_find(const struct pe *, struct space *, uint32_t rva, struct pe_entry *, uint32_t *gap);

/* Undoes the frame at registers->pc; false when the data is missing or senseless, the registers may be half done then. */
bool arm64_unwind(struct space *, const struct pe_entry *, struct registers *, struct pe_step *) MUST_CHECK;

/* Undoes a function without a frame: goes where the link register points. */
void arm64_unwind_leaf(struct registers *);

#endif
