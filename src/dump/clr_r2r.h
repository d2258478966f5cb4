/* SPDX-License-Identifier: MIT */
/* Names of methods out of a ReadyToRun image's own tables, for runtimes whose maps are not known: which function holds an
 * address, which row of MethodDef begins with it. Layout: dotnet/runtime, docs/design/coreclr/botr/readytorun-format.md;
 * the sparse array of entry points: src/coreclr/vm/nativeformatreader.h. For x64; instances of generic methods have no row
 * of their own there and so no name. */
#ifndef DUMP_CLR_R2R_H
#define DUMP_CLR_R2R_H

#include "dump/clr_metadata.h"

#define CLR_R2R_KEPT 64

/* The image asked for last, and what was found in others. All zeroes at first. */
struct clr_r2r {
	uint64_t base;                   /* 0: none yet */
	bool usable;
	uint64_t functions, entries, handlers; /* addresses of the sections */
	uint32_t function_count, entries_size, handler_count;
	struct clr_metadata metadata;
	uint64_t kept_for[CLR_R2R_KEPT]; /* the beginnings of functions; 0: none */
	uint32_t kept[CLR_R2R_KEPT];     /* rows of MethodDef, 0: it has none */
	uint32_t looks;                  /* entry points that were looked at in all; there is an end to it */
};

/* Appends Namespace.Type.Method of the method at pc, *start is where it begins. False: no such image, or no row. */
bool clr_r2r_put_method(struct clr_r2r *, struct space *, uint64_t pc, struct text *, uint64_t *start) MUST_CHECK;

#endif
