/* SPDX-License-Identifier: MIT */
/* Windows' x64 unwind data: RUNTIME_FUNCTION and UNWIND_INFO ("x64 exception handling" in Microsoft's C++ reference),
 * read from the dumped memory. .NET's JIT writes the same on Linux. */
#ifndef DUMP_UNWIND_X64_H
#define DUMP_UNWIND_X64_H

#include "dump/pe.h"

#define X64_CHAIN_MAX 32 /* chained infos and entries that point at entries */

enum x64_register { X64_RAX, X64_RCX, X64_RDX, X64_RBX, X64_RSP, X64_RBP, X64_RSI, X64_RDI };

/* The entry for base + rva. Of a leaf, gap is where the entry before it ends: its function begins there or later. */
enum pe_found x64_find(const struct pe *, struct space *, uint32_t rva, struct pe_entry *, uint32_t *gap);

/* Where the function begins whose part the entry is: follows chains and entries that point at entries. */
uint32_t x64_function_begin(struct space *, const struct pe_entry *);

/* Undoes the frame at registers->pc; false when the data is missing or senseless, the registers may be half done then. */
bool x64_unwind(struct space *, const struct pe_entry *, struct registers *, struct pe_step *) MUST_CHECK;

/* Undoes a function without a frame: pops the return address. */
bool x64_unwind_leaf(struct space *, struct registers *) MUST_CHECK;

/* Sets a register and keeps the copies sp and fp in step. */
void x64_set(struct registers *, unsigned number, uint64_t value);

#endif
