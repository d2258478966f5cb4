/* SPDX-License-Identifier: MIT */
/* --images DIR: functions, source files and lines from Breakpad's .sym files, in a symbol store's layout
 * (DIR/x.pdb/DEBUGID/x.sym, for ELF DIR/x.so/DEBUGID/x.so.sym) or simply as DIR/x.sym; also by the name in lower case. A
 * file is used only if its MODULE record has the module's debug id. */
#ifndef DUMP_SYMBOLS_H
#define DUMP_SYMBOLS_H

#include "dump/symfile.h"

#define SYMBOLS_FILES 64       /* known at once */
#define SYMBOLS_RECENT 256     /* answers kept: threads stand in the same places */

struct symbols_slot {
	uint64_t base;         /* of the module */
	uint32_t age;
	bool known, found;     /* asked for before; file is open */
	struct symfile file;
};

struct symbols_answer {
	uint64_t address;
	bool known;
	struct symbol symbol;
};

struct symbols {
	/* the room's own */
	const char *folder;    /* the caller's */
	struct symbols_slot slots[SYMBOLS_FILES];
	struct symbols_answer *recent;
	struct symfile_window window;
	uint32_t clock;
	/* for the report: of how many modules a file was used, how many had one of another id */
	unsigned found, other_id;
	char other_name[64];   /* of the first with another id */
};

size_t symbols_need(void); /* bytes that symbols_open takes of a memory */
void symbols_open(struct symbols *, struct memory *, const char *folder);
void symbols_close(struct symbols *);

/* What is known of an address in a module, by its distance from the base; without a name: nothing. Valid until the next
 * call. */
const struct symbol *symbols_at(struct symbols *, struct space *, const struct module *, uint32_t rva);

/* Whether more was asked for than sound files make necessary, and the rest left out. */
bool symbols_exhausted(const struct symbols *);

#endif
