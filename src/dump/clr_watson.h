/* SPDX-License-Identifier: MIT */
/* The record that the runtime makes for Windows Error Reporting of an exception that nobody caught: "CLR20r3", program,
 * module, method token, IL offset, type. Layout: dotnet/runtime, src/coreclr/vm/dwbucketmanager.hpp (GenericModeBlock): a
 * BOOL and strings of 255 UTF-16 units each. */
#ifndef DUMP_CLR_WATSON_H
#define DUMP_CLR_WATSON_H

#include "dump/clr.h"

/* The record that an exception holds in _watsonBuckets. False: none, or not a plausible one. */
bool clr_watson_read(struct clr *, uint64_t exception, struct managed_watson *) MUST_CHECK;

/* A record anywhere: on the thread's stack, then in memory that belongs to no module, of which only some 100 MiB are
 * read. NULL: no thread. */
bool clr_watson_search(struct space *, const struct thread *, struct managed_watson *) MUST_CHECK;

#endif
