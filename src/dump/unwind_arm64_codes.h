/* SPDX-License-Identifier: MIT */
/* The unwind codes of Windows' arm64: a byte or more for each instruction of a prolog or epilog, in the order in which
 * they are undone. */
#ifndef DUMP_UNWIND_ARM64_CODES_H
#define DUMP_UNWIND_ARM64_CODES_H

#include "dump/space.h"

#define ARM64_CODES_MOST 1020 /* 255 words */
#define ARM64_FIRST_SAVED 19  /* x19 is the first register that a function keeps */
#define ARM64_LAST_SAVED 28
#define ARM64_ADDRESS 0x0000ffffffffffffull /* of a return address, without its signature */

enum { ARM64_FP = 29, ARM64_LR = 30, ARM64_SP = 31 };

enum arm64_code {
	ARM64_ALLOC_L = 0xe0, ARM64_SET_FP, ARM64_ADD_FP, ARM64_NOP, ARM64_END, ARM64_END_C, ARM64_SAVE_NEXT, ARM64_SAVE_ANY,
	ARM64_TRAP_FRAME, ARM64_MACHINE_FRAME, ARM64_CONTEXT, ARM64_EC_CONTEXT, ARM64_CLEAR_UNWOUND, ARM64_PAC_SIGN_LR = 0xfc
};

struct arm64_codes {
	size_t count;
	unsigned char at[ARM64_CODES_MOST];
};

struct arm64_undoing {
	struct space *space;
	struct registers *registers;
	unsigned next; /* pairs that the coming save has beyond its own */
	bool trapped;  /* pc is set, and exact */
};

/* Instructions of the prolog or epilog whose codes begin at `from`; false: they have no end. */
bool arm64_count(const struct arm64_codes *, size_t from, uint32_t *count) MUST_CHECK;

/* Undoes what the codes from `from` on describe, without the first `skip` instructions. */
bool arm64_undo(struct arm64_undoing *, const struct arm64_codes *, size_t from, uint32_t skip) MUST_CHECK;

#endif
