/* SPDX-License-Identifier: MIT */
/* ELF images as they lie mapped in the dumped memory: segments, the place of .eh_frame_hdr, dynamic symbols. Layouts:
 * System V ABI and Linux Standard Base. For x64 and arm64; nothing is trusted. */
#ifndef DUMP_ELF_H
#define DUMP_ELF_H

#include "dump/frames.h"

#define ELF_X64 62
#define ELF_ARM64 183

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

/* The dynamic symbol of a function that holds the address: its size must cover it, or without size, it begins at
 * `function` or later. False: none. */
bool elf_symbol(const struct elf *, struct space *, uint64_t address, uint64_t function, char name[FRAME_NAME_MAX],
                uint64_t *start) MUST_CHECK;

#endif
