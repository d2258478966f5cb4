/* SPDX-License-Identifier: MIT */
/* Small dumps built in memory: bytes that grow, and a minidump's directory with streams added one by one. */
#ifndef DUMP_MAKER_H
#define DUMP_MAKER_H

#include "dump/minidump.h"

#include <stdint.h>
#include <string.h>

#ifndef MAKER_ROOM
#define MAKER_ROOM (8u << 20)
#endif
#define MAKER_STREAMS 24

struct maker {
	unsigned char bytes[MAKER_ROOM];
	size_t used;
	uint32_t streams;
};

static inline void
put_at(struct maker *maker, size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		maker->bytes[at + i] = (unsigned char)(value >> 8 * i);
}

static inline size_t
put(struct maker *maker, uint64_t value, size_t size)
{
	size_t at = maker->used;
	put_at(maker, at, value, size);
	maker->used += size;
	return at;
}

static inline size_t
put_bytes(struct maker *maker, const void *bytes, size_t size)
{
	size_t at = maker->used;
	if (bytes != NULL)
		memcpy(maker->bytes + at, bytes, size);
	else
		memset(maker->bytes + at, 0, size);
	maker->used += size;
	return at;
}

/* A MINIDUMP_STRING of ASCII. */
static inline size_t
put_string(struct maker *maker, const char *words)
{
	size_t at = put(maker, 2 * strlen(words), 4);
	for (; *words != 0; words++)
		put(maker, (unsigned char)*words, 2);
	return at;
}

static inline void
minidump_begin(struct maker *maker)
{
	memset(maker, 0, sizeof *maker);
	put_bytes(maker, "MDMP", 4);
	put(maker, 0x1234a793, 4);
	put(maker, 0, 4);
	put(maker, 32, 4);
	put(maker, 0, 4);
	put(maker, 1700000000, 4);
	put(maker, 2, 8);
	put_bytes(maker, NULL, MAKER_STREAMS * 12);
}

/* Names [at, at + size) as a stream. */
static inline void
minidump_stream(struct maker *maker, uint32_t type, size_t at, size_t size)
{
	size_t entry = 32 + 12u * maker->streams++;
	put_at(maker, entry, type, 4);
	put_at(maker, entry + 4, size, 4);
	put_at(maker, entry + 8, at, 4);
	put_at(maker, 8, maker->streams, 4);
}

static inline void
minidump_system(struct maker *maker, unsigned cpu, unsigned platform)
{
	size_t at = put_bytes(maker, NULL, 56);
	put_at(maker, at, cpu, 2);
	put_at(maker, at + 8, 10, 4);
	put_at(maker, at + 16, 20348, 4);
	put_at(maker, at + 20, platform, 4);
	minidump_stream(maker, STREAM_SYSTEM, at, 56);
}

/* A context of x64: `size` is at least 1232. */
static inline size_t
put_context(struct maker *maker, uint64_t pc, uint64_t sp, size_t size)
{
	size_t at = put_bytes(maker, NULL, size);
	put_at(maker, at + 0x30, 0x10001f, 4);
	for (size_t i = 0; i < 16; i++)
		put_at(maker, at + 0x78 + 8 * i, 0x100 + i, 8);
	put_at(maker, at + 0x98, sp, 8);
	put_at(maker, at + 0xf8, pc, 8);
	return at;
}

static inline void
put_thread(struct maker *maker, uint32_t id, uint64_t teb, uint64_t stack, uint32_t stack_size, size_t stack_at,
           size_t context_at, uint32_t context_size)
{
	put(maker, id, 4);
	put_bytes(maker, NULL, 12);
	put(maker, teb, 8);
	put(maker, stack, 8);
	put(maker, stack_size, 4);
	put(maker, stack_at, 4);
	put(maker, context_size, 4);
	put(maker, context_at, 4);
}

static inline void
put_module(struct maker *maker, uint64_t base, uint32_t size, size_t name_at, size_t codeview_at, uint32_t codeview_size)
{
	size_t at = put_bytes(maker, NULL, 108);
	put_at(maker, at, base, 8);
	put_at(maker, at + 8, size, 4);
	put_at(maker, at + 16, 0x5a5a0001, 4);
	put_at(maker, at + 20, name_at, 4);
	put_at(maker, at + 24, 0xfeef04bd, 4);
	put_at(maker, at + 32, 0x00010002, 4);
	put_at(maker, at + 36, 0x00030004, 4);
	put_at(maker, at + 76, codeview_size, 4);
	put_at(maker, at + 80, codeview_at, 4);
}

static inline size_t
put_exception(struct maker *maker, uint32_t thread, uint32_t code, uint64_t address, uint32_t count,
              const uint64_t *parameters, size_t context_at, uint32_t context_size)
{
	size_t at = put_bytes(maker, NULL, 168);
	put_at(maker, at, thread, 4);
	put_at(maker, at + 8, code, 4);
	put_at(maker, at + 24, address, 8);
	put_at(maker, at + 32, count, 4);
	for (size_t i = 0; i < count && i < 15; i++)
		put_at(maker, at + 40 + 8 * i, parameters[i], 8);
	put_at(maker, at + 160, context_size, 4);
	put_at(maker, at + 164, context_at, 4);
	minidump_stream(maker, STREAM_EXCEPTION, at, 168);
	return at;
}

static inline struct span
maker_span(const struct maker *maker)
{
	return (struct span){maker->bytes, maker->used};
}

/* The header of a core with its segments behind it; they are filled in by core_segment. */
static inline void
core_begin(struct maker *maker, unsigned machine, size_t segments)
{
	memset(maker, 0, sizeof *maker);
	put_bytes(maker, "\x7f" "ELF\2\1\1", 7);
	put_bytes(maker, NULL, 57);
	put_at(maker, 16, 4, 2);
	put_at(maker, 18, machine, 2);
	put_at(maker, 32, 64, 8);
	put_at(maker, 52, 64, 2);
	put_at(maker, 54, 56, 2);
	put_at(maker, 56, segments < 0xffff ? segments : 0xffff, 2);
	put_bytes(maker, NULL, segments * 56);
}

static inline void
core_segment(struct maker *maker, size_t index, uint32_t type, uint64_t offset, uint64_t address, uint64_t size)
{
	size_t at = 64 + index * 56;
	put_at(maker, at, type, 4);
	put_at(maker, at + 8, offset, 8);
	put_at(maker, at + 16, address, 8);
	put_at(maker, at + 32, size, 8);
	put_at(maker, at + 40, size, 8);
}

static inline size_t
core_note(struct maker *maker, uint32_t type, size_t size)
{
	size_t at;
	put(maker, 5, 4);
	put(maker, size, 4);
	put(maker, type, 4);
	put_bytes(maker, "CORE\0PRP", 8);
	at = put_bytes(maker, NULL, (size + 3) & ~(size_t)3);
	return at;
}

static inline size_t
core_thread(struct maker *maker, uint32_t id, int signal, uint64_t pc, uint64_t sp)
{
	size_t at = core_note(maker, 1, 336);
	put_at(maker, at + 12, (unsigned)signal, 2);
	put_at(maker, at + 32, id, 4);
	put_at(maker, at + 112 + 16 * 8, pc, 8);
	put_at(maker, at + 112 + 19 * 8, sp, 8);
	put_at(maker, at + 112 + 10 * 8, 0xaa, 8);
	return at;
}

#endif
