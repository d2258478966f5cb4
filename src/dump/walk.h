/* SPDX-License-Identifier: MIT */
/* A walk under way, as its own rooms see it: dump/walk steps, dump/walk_names says what the frames are called and where
 * a thread begins. The walk's one entrance for others is walk_thread of dump/frames. */
#ifndef DUMP_WALK_H
#define DUMP_WALK_H

#include "dump/elf.h"
#include "dump/pe.h"

#define IMAGES_KEPT 8

struct image {
	const struct module *module;
	enum { IMAGE_NOT_READ, IMAGE_PE, IMAGE_ELF } kind;
	struct pe pe;
	struct elf elf;
};

struct walker {
	struct space *space;
	struct code_source *code;
	struct frames *frames;
	struct registers registers;
	bool crashed;            /* this thread: only here is a signal's record looked for, which takes many reads */
	bool exact;              /* registers.pc is the instruction itself */
	enum frame_trust trust;  /* how registers came about */
	uint64_t stack_end;
	unsigned switches;
	unsigned next_image;
	struct image images[IMAGES_KEPT];
};

/* The headers of a module, read at its first use. */
const struct image *walk_image(struct walker *, const struct module *);

/* The function table's entry for an address of an image: x64 or arm64. Of a leaf, gap is where the entry before it ends. */
enum pe_found walk_find(const struct pe *, struct space *, uint32_t rva, struct pe_entry *, uint32_t *gap);

/* Names frames [from, to). */
void walk_name_frames(struct walker *, size_t from, size_t to);

/* How deep a name is in a thread's start: 2: below it there is nothing, 1: nothing of interest, 0: it is none. */
int walk_start_depth(const struct frame *);

/* Whether guessing must not go beyond the last frame. On x86 two frames of ntdll begin a thread, and a chain of frame
 * pointers ends properly there: then it alone is followed. */
bool walk_at_start(struct walker *);

#endif
