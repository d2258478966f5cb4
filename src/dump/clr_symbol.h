/* SPDX-License-Identifier: MIT */
/* The address of an exported name in a module of the dump: PE export directory (Microsoft PE format, "The .edata Section")
 * or ELF dynamic symbols through DT_GNU_HASH. Reads a few dozen bytes, however many exports there are. */
#ifndef DUMP_CLR_SYMBOL_H
#define DUMP_CLR_SYMBOL_H

#include "dump/space.h"

/* False: not exported, or the pages that say so are not in the dump. */
bool clr_symbol_find(struct space *, const struct module *, const char *name, uint64_t *address) MUST_CHECK;

#endif
