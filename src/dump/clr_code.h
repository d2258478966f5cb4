/* SPDX-License-Identifier: MIT */
/* Which method an instruction address belongs to: the runtime's map of code ranges, behind it the nibble map of a heap of
 * JIT code or the function table of a ReadyToRun image (contract ExecutionManager, version 2). Where no such map is known,
 * .NET 9 and older, the header is looked for that a pointer in front of each JIT-compiled method leads to. */
#ifndef DUMP_CLR_CODE_H
#define DUMP_CLR_CODE_H

#include "dump/clr.h"

/* False: no managed method there, or the map is not known. */
bool clr_code_at(struct clr *, uint64_t pc, struct clr_code *) MUST_CHECK;

/* The entry whose range holds pc. */
bool clr_code_unwind(struct clr *, uint64_t pc, const struct clr_code *, uint32_t entry[3]) MUST_CHECK;

#endif
