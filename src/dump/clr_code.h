/* SPDX-License-Identifier: MIT */
/* Which method an instruction address belongs to: the runtime's map of code ranges, behind it the nibble map of a heap of
 * JIT code or the function table of a ReadyToRun image. Structure: contract ExecutionManager, version 2. */
#ifndef DUMP_CLR_CODE_H
#define DUMP_CLR_CODE_H

#include "dump/clr.h"

struct clr_code {
	uint64_t start;    /* of the method, or of the funclet in a ReadyToRun image */
	uint64_t method;   /* MethodDesc; 0: unknown */
	uint64_t base;     /* what the RUNTIME_FUNCTIONs are relative to */
	uint64_t unwinds;  /* address of the RUNTIME_FUNCTIONs */
	uint32_t count;    /* of them */
};

/* False: no managed method there, or the map is not known. */
bool clr_code_at(struct clr *, uint64_t pc, struct clr_code *) MUST_CHECK;

/* The entry whose range holds pc. */
bool clr_code_unwind(struct clr *, uint64_t pc, const struct clr_code *, uint32_t entry[3]) MUST_CHECK;

#endif
