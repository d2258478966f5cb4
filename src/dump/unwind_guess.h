/* SPDX-License-Identifier: MIT */
/* Stepping to the caller without unwind data: by the chain of frame pointers, and by looking for return addresses on the
 * stack. For x86, x64 and arm64. */
#ifndef DUMP_UNWIND_GUESS_H
#define DUMP_UNWIND_GUESS_H

#include "dump/frames.h"

#define GUESS_WORDS_FIRST 160   /* looked at from frame 0, whose function may be in the middle of pushing arguments */
#define GUESS_WORDS 40
#define GUESS_GAP (128u * 1024) /* a frame is not larger than this */

enum guess_call { CALL_NO, CALL_YES, CALL_NOT_READ };

/* Whether the code before an address is a call, so that it may be a return address. */
enum guess_call guess_call_before(struct space *, uint64_t address);

struct guess {
	struct space *space;
	bool (*is_code)(void *who, uint64_t address); /* in a part of a module, or of a code source, that may run */
	void *who;
	uint64_t stack_end;         /* words at or above it are no longer stack */
};

/* False: the chain ends or is none; the registers are unchanged then. A pc of 0 is the chain's proper end. */
bool guess_by_pointer(const struct guess *, struct registers *) MUST_CHECK;

/* Looks at so many words from sp on. */
bool guess_by_scan(const struct guess *, struct registers *, unsigned words) MUST_CHECK;

#endif
