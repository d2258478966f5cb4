/* SPDX-License-Identifier: MIT */
/* A walked stack: frames with their trust, and the interface between the walk (dump/walk), native unwinding
 * (dump/unwind_*), and managed code (dump/clr). */
#ifndef DUMP_FRAMES_H
#define DUMP_FRAMES_H

#include "dump/space.h"

#define FRAMES_MAX 256
#define FRAMES_TOP 200 /* when frames are left out, it is behind this many */
#define FRAME_NAME_MAX 256
#define FRAME_FILE_MAX 256

enum frame_trust { TRUST_CONTEXT, TRUST_PDATA, TRUST_CFI, TRUST_FP, TRUST_SCAN };

struct frame {
	uint64_t pc;                 /* of frame 0 the instruction, else the return address */
	uint64_t sp;
	enum frame_trust trust;
	bool exact;                  /* pc is the instruction itself: frame 0, and what a trap or signal interrupted */
	const struct module *module; /* NULL: none (JIT code, or lost) */
	uint64_t function;           /* start of the function by unwind data, 0: unknown */
	char name[FRAME_NAME_MAX];   /* function name, UTF-8; empty: unknown */
	uint64_t name_start;         /* address that the name's symbol begins at, 0: unknown */
	bool managed;
	char file[FRAME_FILE_MAX];   /* from .sym files; empty: unknown */
	uint32_t line;
	uint32_t repeated;           /* how many more times this frame stood here (stack overflow) */
	uint32_t repeated_group;     /* frames of the repeating group, 1: this alone */
};

struct frames {
	struct frame list[FRAMES_MAX];
	size_t count;
	uint64_t left_out;  /* frames that were walked but not kept, beside the folded ones */
	bool ended_well;    /* at the thread's start */
	uint64_t end_sp;    /* of the last frame, those that were folded counted */
};

/* Code that no module holds: the code manager of a .NET runtime. NULL members: none. */
struct code_source {
	/* The RUNTIME_FUNCTION for pc: image base it is relative to, and its three words; false: not mine. */
	bool (*unwind_at)(struct code_source *, struct space *, uint64_t pc, uint64_t *base, uint32_t entry[3]);
	/* The method at pc as Namespace.Type.Method; false: not mine. start: where the method begins, 0: unknown. */
	bool (*name_at)(struct code_source *, struct space *, uint64_t pc, char name[FRAME_NAME_MAX], uint64_t *start);
};

const char *frame_trust_name(enum frame_trust);

/* A place for one more frame: the list keeps its first FRAMES_TOP frames and the last ones. */
struct frame *frames_add(struct frames *);

/* Folds repeats at the end of the list. */
void frames_fold(struct frames *);

/* Walks a thread's stack from its registers; never fails, may have 0 frames. `code` may be NULL. Names come from `code`,
 * from .sym files, and from export tables under the rule that the export lies within the frame's own function. */
void walk_thread(struct space *, const struct thread *, struct code_source *code, struct frames *);

#endif
