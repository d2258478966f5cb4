/* SPDX-License-Identifier: MIT */
/* Which .NET runtimes a dumped process holds: by the names of their modules, or by what a single-file or NativeAOT program
 * exports; and their versions. */
#ifndef DUMP_RUNTIMES_H
#define DUMP_RUNTIMES_H

#include "dump/managed.h"

/* Lists them in the findings. True: the one that raised the exception is known, and is the first; RaiseException was given
 * its base. */
bool runtimes_find(struct space *, struct managed_findings *);

#endif
