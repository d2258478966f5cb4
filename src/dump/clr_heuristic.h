/* SPDX-License-Identifier: MIT */
/* The exception without a descriptor (Framework 4.x, .NET 8 and older, small dumps of newer ones): the one that the runtime's
 * own Thread structure holds as thrown last, if its trace ends on this stack; else an object on the crashing thread's stack
 * whose code is that of managed exceptions, and whose HRESULT is that of the crash, whose types reach System.Exception, or
 * whose fields are an exception's. Field offsets: stable since Framework 4.0 and .NET Core 3.1, see docs/analyze-net.md. */
#ifndef DUMP_CLR_HEURISTIC_H
#define DUMP_CLR_HEURISTIC_H

#include "dump/clr.h"

/* Looks through the stack of a thread and sets up `clr` for what was found, so that clr_read_chain can read it; 0: nothing.
 * `version` of the runtime may be empty. `held`: only what the Thread structure holds. *types: its type, and so those of
 * methods, can be named. */
uint64_t clr_heuristic_find(struct clr *, const struct thread *, const char *version, bool held, bool *types);

/* Where nothing was thrown: sets up `clr` by the runtime's version alone, so that methods can be named. False: unknown. */
bool clr_heuristic_assume(struct clr *, const char *version);

#endif
