/* SPDX-License-Identifier: MIT */
/* The threads of a minidump: their list, their names and starts, and the 32-bit side of a process that a 64-bit tool
 * dumped (WOW64). */
#ifndef DUMP_MINIDUMP_THREADS_H
#define DUMP_MINIDUMP_THREADS_H

#include "dump/minidump.h"

void minidump_read_threads(struct space *);

/* Once memory, modules and the crash are known: turns to the 32-bit contexts if there are any. */
void minidump_enter_wow64(struct space *);

#endif
