/* SPDX-License-Identifier: MIT */
/* One .NET runtime in a dump as the clr rooms see it: where its structures' fields are, and the metadata of the modules
 * looked at last. */
#ifndef DUMP_CLR_H
#define DUMP_CLR_H

#include "dump/clr_descriptor.h"
#include "dump/clr_metadata.h"
#include "dump/managed.h"

#define CLR_METADATA_KEPT 8
#define CLR_PARENTS_MOST 64 /* base types above a type */
#define CLR_CODE 0xe0434352u /* of managed exceptions, as RaiseException is given it */
#define CLR_FAIL_FAST 0x80131506u     /* HRESULTs of exceptions that are made beforehand and have no trace */
#define CLR_STACK_OVERFLOW 0x800703e9u

#define CLR_CODES_KEPT 64

struct clr_code {
	uint64_t start;    /* of the method, or of the funclet in a ReadyToRun image */
	uint64_t method;   /* MethodDesc; 0: unknown */
	uint64_t base;     /* what the RUNTIME_FUNCTIONs are relative to */
	uint64_t unwinds;  /* address of the RUNTIME_FUNCTIONs */
	uint32_t count;    /* of them; 0: no code */
};

struct clr {
	struct space *space;
	struct clr_descriptor d;
	bool narrow_tokens;            /* a type's row stands in 16 bits at 10 of its method table (before .NET 8) */
	bool guess_base;               /* where a module's image is must be guessed (no descriptor) */
	uint64_t kept_for[CLR_METADATA_KEPT]; /* module structures; 0: none */
	struct clr_metadata kept[CLR_METADATA_KEPT];
	unsigned next_kept;
	uint64_t code_for[CLR_CODES_KEPT]; /* addresses that were looked at without a map; 0: none */
	struct clr_code codes[CLR_CODES_KEPT];
};

/* The metadata of a module by the address of its Module structure; NULL: cannot be read. Valid until the next call. */
const struct clr_metadata *clr_module_metadata(struct clr *, uint64_t module);

/* Appends the name of the type with this method table. */
bool clr_put_type(struct clr *, uint64_t method_table, struct text *) MUST_CHECK;

/* Appends Namespace.Type.Method of a MethodDesc. */
bool clr_put_method(struct clr *, uint64_t method, struct text *) MUST_CHECK;

#endif
