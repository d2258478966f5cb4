/* SPDX-License-Identifier: MIT */
/* The address of an exported name in a module of the dump: PE export directory (Microsoft PE format, "The .edata Section")
 * or ELF dynamic symbols through DT_GNU_HASH (System V ABI, chapter 5). Reads a few dozen bytes, however many exports there are. */
#ifndef DUMP_CLR_SYMBOL_H
#define DUMP_CLR_SYMBOL_H

#include "dump/space.h"

/* False: not exported, or the pages that say so are not in the dump. */
bool clr_symbol_find(struct space *, const struct module *, const char *name, uint64_t *address) MUST_CHECK;

/* What the loader writes at an address of an ELF module, by its table of relative relocations: for pointers in the file's
 * own copy of a page, which nobody has relocated. False: nothing. */
bool clr_symbol_relocated(struct space *, const struct module *, uint64_t address, uint64_t *value) MUST_CHECK;

#endif
