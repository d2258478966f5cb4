/* SPDX-License-Identifier: MIT */
/* Makes a full minidump in memory, for tests of what reads the dumped process: modules, one thread with its registers,
 * and ranges of memory, whose bytes the test fills in. */
#ifndef MADE_DUMP_H
#define MADE_DUMP_H

#include "dump/open.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MADE_RANGES 8
#define MADE_MODULES 4
#define MADE_FILE (768u * 1024)
#define MADE_DATA 4096u
#define MADE_CONTEXT 2048u

struct made {
	unsigned char file[MADE_FILE];
	size_t used;
	struct { uint64_t start, size; size_t place; } ranges[MADE_RANGES];
	unsigned range_count, module_count;
	struct space space;
	struct memory memory;
};

static struct made made;

static inline void
made_number(unsigned char *at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

/* architecture: 0 x86, 9 x64, 12 arm64; platform: 2 Windows, 0x8201 Linux. */
static inline void
made_begin(unsigned architecture, unsigned platform)
{
	memset(made.file, 0, made.used);
	made.used = MADE_DATA;
	made.range_count = made.module_count = 0;
	memcpy(made.file, "MDMP\x93\xa7", 6);
	made_number(made.file + 8, 4, 4);
	made_number(made.file + 12, 32, 4);
	made_number(made.file + 128, architecture, 2);
	made_number(made.file + 128 + 20, platform, 4);
}

static inline void
made_module(uint64_t base, uint32_t size, const char *name)
{
	unsigned char *entry = made.file + 256 + 4 + 108 * made.module_count;
	size_t place = 1024 + 128 * made.module_count++;
	assert(made.module_count <= MADE_MODULES && strlen(name) < 60);
	made_number(entry, base, 8);
	made_number(entry + 8, size, 4);
	made_number(entry + 20, place, 4);
	made_number(made.file + place, 2 * strlen(name), 4);
	for (size_t i = 0; name[i] != 0; i++)
		made.file[place + 4 + 2 * i] = (unsigned char)name[i];
}

/* Ranges must come in rising order. */
static inline void
made_range(uint64_t start, uint64_t size)
{
	assert(made.range_count < MADE_RANGES && made.used + size <= MADE_FILE);
	made.ranges[made.range_count].start = start;
	made.ranges[made.range_count].size = size;
	made.ranges[made.range_count++].place = made.used;
	made.used += (size_t)size;
}

/* The bytes at an address, inside a range. */
static inline unsigned char *
made_at(uint64_t address)
{
	memset(made.space.view.pages, 0, sizeof made.space.view.pages); /* what is changed is read anew */
	for (unsigned i = 0; i < made.range_count; i++)
		if (address >= made.ranges[i].start && address - made.ranges[i].start < made.ranges[i].size)
			return made.file + made.ranges[i].place + (size_t)(address - made.ranges[i].start);
	abort();
}

static inline void
made_u64(uint64_t address, uint64_t value)
{
	made_number(made_at(address), value, 8);
}

static inline void
made_u32(uint64_t address, uint64_t value)
{
	made_number(made_at(address), value, 4);
}

static inline void
made_u16(uint64_t address, uint64_t value)
{
	made_number(made_at(address), value, 2);
}

static inline void
made_bytes(uint64_t address, const void *bytes, size_t size)
{
	memcpy(made_at(address), bytes, size);
}

/* A register of the thread's context, x64: number as Windows orders them, 16 the pc. */
static inline void
made_register(unsigned number, uint64_t value)
{
	made_number(made.file + MADE_CONTEXT + (number == 16 ? 0xf8 : 0x78 + 8 * number), value, 8);
}

static inline void
made_entry(unsigned n, uint32_t type, size_t size, size_t place)
{
	made_number(made.file + 32 + 12 * n, type, 4);
	made_number(made.file + 32 + 12 * n + 4, size, 4);
	made_number(made.file + 32 + 12 * n + 8, place, 4);
}

/* Opens what was made; the bytes of ranges may still be changed, not the rest. */
static inline struct space *
made_open(uint64_t stack_start, uint32_t stack_size)
{
	struct fault fault;
	fault_clear(&fault);
	made_entry(0, 7, 56, 128);
	made_entry(1, 4, 4 + 108 * made.module_count, 256);
	made_entry(2, 3, 52, 1664);
	made_entry(3, 9, 16 + 16 * made.range_count, 1792);
	made_number(made.file + 256, made.module_count, 4);
	made_number(made.file + 1664, 1, 4);
	made_number(made.file + 1668, 7, 4);
	made_number(made.file + 1668 + 24, stack_start, 8);
	made_number(made.file + 1668 + 32, stack_size, 4);
	made_number(made.file + 1668 + 40, 1232, 4);
	made_number(made.file + 1668 + 44, MADE_CONTEXT, 4);
	made_number(made.file + 1792, made.range_count, 8);
	made_number(made.file + 1800, MADE_DATA, 8);
	for (unsigned i = 0; i < made.range_count; i++) {
		made_number(made.file + 1808 + 16 * i, made.ranges[i].start, 8);
		made_number(made.file + 1816 + 16 * i, made.ranges[i].size, 8);
	}
	if (made.memory.at == NULL) {
		if (!memory_open(&made.memory, dump_need(), &fault))
			abort();
	}
	made.memory.used = 0;
	if (!dump_open_bytes(&made.space, &made.memory, (struct span){made.file, made.used}, &fault)) {
		fprintf(stderr, "%s\n", fault.text);
		abort();
	}
	return &made.space;
}

/* Headers of a PE32+ image with one section of code [0x1000, 0x3000) and one of data [0x3000, 0x8000). */
static inline void
made_pe(uint64_t base)
{
	made_bytes(base, "MZ", 2);
	made_u32(base + 0x3c, 0x80);
	made_bytes(base + 0x80, "PE\0\0", 4);
	made_u16(base + 0x84, 0x8664);
	made_u16(base + 0x86, 2);
	made_u16(base + 0x94, 240);
	made_u16(base + 0x98, 0x20b);
	made_u32(base + 0x98 + 56, 0x8000);
	made_u32(base + 0x98 + 108, 16);
	made_u32(base + 0x188 + 8, 0x2000);
	made_u32(base + 0x188 + 12, 0x1000);
	made_u32(base + 0x188 + 36, 0x60000020);
	made_u32(base + 0x1b0 + 8, 0x5000);
	made_u32(base + 0x1b0 + 12, 0x3000);
	made_u32(base + 0x1b0 + 36, 0x40000040);
}

static inline void
made_directory(uint64_t base, unsigned number, uint32_t rva, uint32_t size)
{
	made_u32(base + 0x98 + 112 + 8 * number, rva);
	made_u32(base + 0x98 + 112 + 8 * number + 4, size);
}

#endif
