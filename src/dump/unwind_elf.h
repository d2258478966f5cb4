/* SPDX-License-Identifier: MIT */
/* Linux: ELF images as they lie mapped in the dumped memory, their .eh_frame_hdr and .eh_frame (Linux Standard Base, DWARF
 * 5 section 6.4), their dynamic symbols, and signal frames. For x64 and arm64. */
#ifndef DUMP_UNWIND_ELF_H
#define DUMP_UNWIND_ELF_H

#include "dump/frames.h"

struct elf {
	uint64_t bias;              /* added to the addresses in the file */
	uint64_t index;             /* address of .eh_frame_hdr, 0: none */
	uint64_t symbols, strings;  /* addresses of the dynamic tables, 0: none */
	uint64_t strings_size;
	uint32_t symbol_count;
	uint16_t machine;
	uint64_t text[4][2];        /* executable segments [from, to) */
	unsigned text_count;
};

/* Reads the headers at base; false when they are missing or no 64-bit ELF's. */
bool elf_open(struct elf *, struct space *, uint64_t base) MUST_CHECK;

bool elf_executable(const struct elf *, uint64_t address);

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

/* The dynamic symbol of a function that holds the address: its size must cover it, or without size, it begins at
 * `function` or later. False: none. */
bool elf_symbol(const struct elf *, struct space *, uint64_t address, uint64_t function, char name[FRAME_NAME_MAX],
                uint64_t *start) MUST_CHECK;

#endif
