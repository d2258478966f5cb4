/* SPDX-License-Identifier: MIT */
/* Linux: the frame that .eh_frame or a signal describes is undone. For x64 and arm64. */
#ifndef DUMP_UNWIND_ELF_H
#define DUMP_UNWIND_ELF_H

#include "dump/elf.h"

struct elf_step {
	bool exact;        /* in: pc is the instruction itself, not a return address */
	bool trapped;      /* out: the caller was interrupted by a signal: its pc is exact */
	bool outermost;    /* out: the data says there is no caller */
	uint64_t function; /* out: where the function of pc begins */
};

/* Undoes the frame at registers->pc; false when the data is missing or senseless, the registers are unchanged then. */
bool elf_unwind(const struct elf *, struct space *, struct registers *, struct elf_step *) MUST_CHECK;

/* The kernel's frame of a signal, known by the code at pc that leaves it, for libraries without CFI there. x64 only. */
bool elf_unwind_signal(struct space *, struct registers *) MUST_CHECK;

/* The registers that a signal's ucontext at an address holds; false: there is none, by what every such record has. x64
 * only. */
bool elf_context_at(struct space *, uint64_t at, struct registers *) MUST_CHECK;

#endif
