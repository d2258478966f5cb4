/* SPDX-License-Identifier: MIT */
/* A file becomes a space: the kind of dump is found out, its reader called, and what was read is looked over. */
#ifndef DUMP_OPEN_H
#define DUMP_OPEN_H

#include "dump/space.h"

size_t dump_need(void); /* bytes that dump_open takes of a memory */

/* Opens a dump of either kind. After false there is nothing to close. FAULT_CORRUPT with words for a file that is none (a
 * zip, a gzip, a PE, text…), FAULT_UNABLE for kinds we know but do not read (32-bit ELF of another machine, microdumps…). */
bool dump_open(struct space *, struct memory *, const char *path, struct fault *) MUST_CHECK;

/* The same over bytes in memory, which stay the caller's. */
bool dump_open_bytes(struct space *, struct memory *, struct span, struct fault *) MUST_CHECK;
void dump_close(struct space *);

#endif
