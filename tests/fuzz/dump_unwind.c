/* SPDX-License-Identifier: MIT */
/* A thread's walk over hostile unwind data. The first byte picks Windows' tables of x64 or arm64 (8), .eh_frame for x64 or
 * arm64, or x86; its bit 4 repeats the stack's 512 bytes up to its end. Then come 64 bytes of places for registers, and the
 * rest lies over the tables, the code, the stack and another stack by turns of 256 bytes. seeds.py makes the seeds. */
#include "dump/frames.h"

#include "../unit/made_dump.h"

#define IMAGE 0x8000u /* places below it are the image's */
#define STACK 0x200000u
#define SIZE 0x4000u
#define OTHER 0x300000u
#define TABLES 0x4000u
#define PIECE 256u

static struct frames frames;
static uint64_t base; /* of the image */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

static void
make_pe(unsigned machine)
{
	made_pe(base);
	made_u16(base + 0x84, machine);
	made_directory(base, 3, TABLES, 96);
	made_directory(base, 0, TABLES + 0x800, 0x100);
}

static void
make_elf(unsigned machine)
{
	static const struct { uint32_t type, address, size; } segments[] = {{1, 0, 0x8000}, {0x6474e550, TABLES, 64}, {2, TABLES + 0x800, 256}};
	made_bytes(base, "\x7f" "ELF\x02\x01\x01", 7);
	made_u16(base + 18, machine);
	made_u64(base + 32, 64);
	made_u16(base + 54, 56);
	made_u16(base + 56, 3);
	for (unsigned i = 0; i < 3; i++) {
		made_u32(base + 64 + 56 * i, segments[i].type);
		made_u32(base + 64 + 56 * i + 4, 5);
		made_u64(base + 64 + 56 * i + 8, segments[i].address);
		made_u64(base + 64 + 56 * i + 16, segments[i].address);
		made_u64(base + 64 + 56 * i + 40, segments[i].size);
	}
}

/* Registers point into the stack or, from 0xc000 on, into the code; pc into the code. */
static void
put_registers(const unsigned char *data, unsigned architecture)
{
	unsigned char *context = made.file + MADE_CONTEXT;
	for (unsigned i = 0; i < 32; i++) {
		uint64_t number = (uint64_t)data[2 * i] | (uint64_t)data[2 * i + 1] << 8;
		uint64_t value = number < 0xc000 ? STACK + number % SIZE : base + 0x1000 + number % 0x1000;
		if (architecture == 0)
			made_number(context + 0x9c + 4 * (i % 11), i == 7 ? base + 0x1000 + value % 0x1000 : value, 4);
		else if (architecture == 9)
			made_number(context + 0x78 + 8 * (i % 17), i == 16 ? base + 0x1000 + value % 0x1000 : value, 8);
		else
			made_number(context + 8 + 8 * i, value, 8);
	}
	if (architecture == 12)
		made_number(context + 0x108, base + 0x1000 + data[0], 8);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	static const unsigned architectures[] = {9, 9, 12, 0, 12}, machines[] = {0x8664, 62, 183, 0x14c, 0xaa64};
	static const uint64_t places[] = {TABLES, TABLES + PIECE, TABLES + 0x800, STACK, STACK + PIECE, 0x1000,
	                                  OTHER, OTHER + PIECE};
	struct space *space;
	unsigned mode;
	if (count < 65 || count > 65 + PIECE * sizeof places / sizeof places[0])
		return 0;
	base = (data[0] & 3) == 3 ? 0x40000000 : 0x140000000;
	mode = (data[0] & 11) == 8 ? 4 : data[0] & 3;
	made_begin(architectures[mode], mode == 1 || mode == 2 ? 0x8201 : 2);
	made_module(base, IMAGE, "C:\\x.exe");
	made_range(STACK, SIZE);
	made_range(OTHER, 0x1000);
	made_range(base, IMAGE);
	if (mode == 1 || mode == 2)
		make_elf(machines[mode]);
	else
		make_pe(machines[mode]);
	put_registers(data + 1, architectures[mode]);
	for (size_t i = 65, n = 0; i < count; i += PIECE, n++)
		made_bytes(places[n] < IMAGE ? base + places[n] : places[n], data + i, count - i < PIECE ? count - i : PIECE);
	for (uint64_t at = STACK + 2 * PIECE; (data[0] & 16) != 0 && at < STACK + SIZE; at += 2 * PIECE)
		made_bytes(at, made_at(STACK), 2 * PIECE);
	space = made_open(STACK, data[0] & 4 ? SIZE : 0);
	space->crash.thread = space->threads[0].id;
	walk_thread(space, &space->threads[0], NULL, &frames);
	if (frames.count == 0 || frames.count > FRAMES_MAX)
		abort();
	for (size_t i = 1; i < frames.count; i++)
		if (!frames.list[i].exact && frames.list[i].sp < frames.list[i - 1].sp)
			abort();
	return 0;
}
