/* SPDX-License-Identifier: MIT */
#include "dump/unwind_elf.h"
#include "dump/unwind_x64.h"

#include "unit.h"

#include "made_dump.h"

#define BASE 0x555500000000u
#define STACK 0x7ff000000000u
#define INDEX 0x2000u
#define CIE 0x3000u
#define FDE 0x3100u
#define DYNAMIC 0x4000u

static struct elf elf;

static void
put_segment(unsigned n, uint32_t type, uint32_t flags, uint64_t address, uint64_t size)
{
	uint64_t at = BASE + 64 + 56 * n;
	made_u32(at, type);
	made_u32(at + 4, flags);
	made_u64(at + 8, address);
	made_u64(at + 16, address);
	made_u64(at + 40, size);
}

/* CIE: zR or zRS, code by 1, data by -8, return address 16; CFA is rsp + 8, pc at CFA - 8. */
static void
put_cie(bool signal)
{
	static const unsigned char plain[] = {1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0};
	static const unsigned char marked[] = {1, 'z', 'R', 'S', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0};
	made_u32(BASE + CIE, 4 + 16);
	made_u32(BASE + CIE + 4, 0);
	made_bytes(BASE + CIE + 8, signal ? marked : plain, 16);
}

/* The FDE of [0x1000, 0x1100) with these instructions. */
static void
put_fde(const void *code, size_t size)
{
	made_u32(BASE + FDE, 4 + 8 + 1 + size);
	made_u32(BASE + FDE + 4, FDE + 4 - CIE);
	made_u32(BASE + FDE + 8, 0x1000u - (FDE + 8));
	made_u32(BASE + FDE + 12, 0x100);
	made_bytes(BASE + FDE + 16, "", 1);
	made_bytes(BASE + FDE + 17, code, size);
}

static struct space *
make_image(void)
{
	struct space *space;
	made_begin(9, 0x8201);
	made_module(BASE, 0x8000, "/lib/x.so");
	made_range(BASE, 0x8000);
	made_range(STACK, 0x1000);
	made_bytes(BASE, "\x7f" "ELF\x02\x01\x01", 7);
	made_u16(BASE + 18, 62);
	made_u64(BASE + 32, 64);
	made_u16(BASE + 54, 56);
	made_u16(BASE + 56, 3);
	put_segment(0, 1, 5, 0, 0x8000);
	put_segment(1, 0x6474e550, 4, INDEX, 20);
	put_segment(2, 2, 6, DYNAMIC, 0x100);
	made_bytes(BASE + INDEX, "\x01\x1b\x03\x3b", 4);
	made_u32(BASE + INDEX + 8, 1);
	made_u32(BASE + INDEX + 12, 0x1000u - INDEX);
	made_u32(BASE + INDEX + 16, FDE - INDEX);
	put_cie(false);
	put_fde("", 0);
	for (unsigned i = 0; i < 0x200; i++)
		made_u64(STACK + 8 * i, i + 1);
	space = made_open(STACK, 0x1000);
	CHECK(elf_open(&elf, space, BASE));
	return space;
}

static struct registers
start(uint32_t place)
{
	struct registers registers;
	memset(&registers, 0, sizeof registers);
	registers.pc = BASE + place;
	x64_set(&registers, X64_RSP, STACK);
	x64_set(&registers, X64_RBP, STACK + 0x80);
	return registers;
}

static void
headers(void)
{
	struct space *space = make_image();
	CHECK(elf.bias == BASE && elf.index == BASE + INDEX && elf.machine == 62);
	CHECK(elf_executable(&elf, BASE) && elf_executable(&elf, BASE + 0x7fff) && !elf_executable(&elf, BASE + 0x8000));
	CHECK(!elf_open(&elf, space, BASE + 8));
	made_u64(BASE + 32, 0xfffffffffffffff0);
	CHECK(!elf_open(&elf, space, BASE));
	made_u64(BASE + 32, 0x7ff0);
	CHECK(!elf_open(&elf, space, BASE));
}

static void
plain_frame(void)
{
	struct space *space = make_image();
	struct registers r = start(0x1000);
	struct elf_step step = {true, false, false, 0};
	CHECK(elf_unwind(&elf, space, &r, &step));
	CHECK(r.pc == 1 && r.sp == STACK + 8 && r.fp == STACK + 0x80 && step.function == BASE + 0x1000 && !step.trapped);
	step.exact = false;
	r = start(0x1000); /* the byte before is no function's */
	CHECK(!elf_unwind(&elf, space, &r, &step) && r.pc == BASE + 0x1000);
	r = start(0x1100);
	CHECK(elf_unwind(&elf, space, &r, &step));
	r = start(0x1101);
	CHECK(!elf_unwind(&elf, space, &r, &step));
}

/* push rbp; mov rbp, rsp; …; with a state kept and restored, a register in another, and one that was saved */
static void
rules(void)
{
	static const unsigned char code[] = {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x0a, 0x02, 0x10, 0x83, 3, 0x0c, 7, 8, 0x0b, 0x02, 0x10, 0x09, 3, 1, 0x14, 12, 1};
	static const struct { uint32_t at; uint64_t pc, rbp, rbx; } wanted[] = {
		{0x1000, 1, STACK + 0x80, 0}, {0x1001, 2, 1, 0}, {0x1003, 2, 1, 0}, {0x1004, 18, 17, 0}, {0x1014, 18, 17, 0}, {0x1024, 18, 17, 77}};
	struct space *space = make_image();
	put_fde(code, sizeof code);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		struct registers r = start(wanted[i].at);
		struct elf_step step = {true, false, false, 0};
		r.r[X64_RDX] = 77;
		CHECK(elf_unwind(&elf, space, &r, &step));
		CHECK(r.pc == wanted[i].pc && r.fp == wanted[i].rbp && r.r[X64_RBX] == wanted[i].rbx);
	}
}

static void
expressions(void)
{
	/* CFA: that of a PLT entry: rsp + 8 + ((rip & 15 >= 11) << 3); rbx at [rsp + 0x20] */
	static const unsigned char code[] = {0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22, 0x10, 3, 2, 0x77, 0x20};
	static const unsigned char bottomless[] = {0x0f, 1, 0x22}, loop[] = {0x0f, 3, 0x2f, 0xfd, 0xff}, high[] = {0x0f, 2, 0x8f, 0};
	struct space *space = make_image();
	struct registers r = start(0x100a);
	struct elf_step step = {true, false, false, 0};
	put_fde(code, sizeof code);
	CHECK(elf_unwind(&elf, space, &r, &step) && r.pc == 1 && r.r[X64_RBX] == 5);
	r = start(0x100b);
	CHECK(elf_unwind(&elf, space, &r, &step) && r.pc == 2 && r.sp == STACK + 16);
	r = start(0x100b);
	put_fde(bottomless, sizeof bottomless);
	CHECK(!elf_unwind(&elf, space, &r, &step));
	put_fde(loop, sizeof loop);
	CHECK(!elf_unwind(&elf, space, &r, &step));
	put_fde(high, sizeof high);
	CHECK(!elf_unwind(&elf, space, &r, &step));
}

static void
outermost_and_signal(void)
{
	static const unsigned char outermost[] = {0x07, 16};
	struct space *space = make_image();
	struct registers r = start(0x1010);
	struct elf_step step = {false, false, false, 0};
	put_fde(outermost, sizeof outermost);
	CHECK(elf_unwind(&elf, space, &r, &step) && step.outermost);
	put_cie(true);
	put_fde("", 0);
	r = start(0x1010);
	CHECK(elf_unwind(&elf, space, &r, &step) && step.trapped);
}

static void
signal_by_code(void)
{
	static const unsigned char code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	struct space *space = make_image();
	struct registers r = start(0x1200);
	CHECK(!elf_unwind_signal(space, &r));
	made_bytes(BASE + 0x1200, code, sizeof code);
	CHECK(elf_unwind_signal(space, &r));
	CHECK(r.r[8] == 6 && r.r[X64_RDI] == 14 && r.fp == 16 && r.r[X64_RCX] == 20 && r.sp == 21 && r.pc == 22);
}

static void
hostile_frames(void)
{
	static const unsigned char codes[][6] = {{0x0b}, {0x0a, 0x0a, 0x0a, 0x0a, 0x0a}, {0x3f}, {0x10, 1, 0xff, 0xff, 0xff, 0x7f},
		{0x0e, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x0d, 16}};
	struct space *space = make_image();
	struct elf_step step = {true, false, false, 0};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		struct registers r = start(0x1010);
		put_fde(codes[i], 6);
		(void)!elf_unwind(&elf, space, &r, &step);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct registers r = start(0x1010);
		put_fde("", 0);
		made_u32(BASE + FDE + 4 * i, 0xfffffff0);
		CHECK(!elf_unwind(&elf, space, &r, &step));
	}
	for (unsigned i = 0; i < 4; i++) {
		struct registers r = start(0x1010);
		put_fde("", 0);
		made_bytes(BASE + INDEX + i, "\xff", 1);
		(void)!elf_unwind(&elf, space, &r, &step);
	}
}

static void
put_symbol(unsigned n, uint32_t name, uint64_t value, uint64_t size)
{
	made_u32(BASE + 0x5000 + 24 * n, name);
	made_bytes(BASE + 0x5000 + 24 * n + 4, "\x12\0\x01\0", 4);
	made_u64(BASE + 0x5000 + 24 * n + 8, value);
	made_u64(BASE + 0x5000 + 24 * n + 16, size);
}

/* Symbols a [0x1000, 0x1010), b at 0x1100 without size; b's address in the table as the loader of glibc leaves it. */
static void
symbols(void)
{
	struct space *space = make_image();
	char name[FRAME_NAME_MAX];
	uint64_t at;
	const uint64_t dynamic[] = {6, BASE + 0x5000, 5, 0x6000, 10, 0x10, 4, BASE + 0x6100, 0, 0};
	for (unsigned i = 0; i < 10; i++)
		made_u64(BASE + DYNAMIC + 8 * i, dynamic[i]);
	made_u32(BASE + 0x6104, 3);
	made_bytes(BASE + 0x6000, "\0a\0b", 5);
	put_symbol(1, 1, 0x1000, 0x10);
	put_symbol(2, 3, 0x1100, 0);
	CHECK(elf_open(&elf, space, BASE) && elf.symbol_count == 3);
	CHECK(elf_symbol(&elf, space, BASE + 0x100f, 0, name, &at) && at == BASE + 0x1000);
	CHECK_TEXT(name, "a");
	CHECK(!elf_symbol(&elf, space, BASE + 0x1010, 0, name, &at));
	CHECK(!elf_symbol(&elf, space, BASE + 0x1180, 0, name, &at));
	CHECK(!elf_symbol(&elf, space, BASE + 0x1180, BASE + 0x1140, name, &at));
	CHECK(elf_symbol(&elf, space, BASE + 0x1180, BASE + 0x1100, name, &at) && strcmp(name, "b") == 0);
	put_symbol(1, 0xffffffff, 0x1000, 0x10);
	CHECK(!elf_symbol(&elf, space, BASE + 0x100f, 0, name, &at));
	made_u32(BASE + 0x6104, 0xffffffff);
	CHECK(elf_open(&elf, space, BASE));
	(void)!elf_symbol(&elf, space, BASE + 0x100f, 0, name, &at);
}

int
main(void)
{
	UNIT_RUN(headers);
	UNIT_RUN(plain_frame);
	UNIT_RUN(rules);
	UNIT_RUN(expressions);
	UNIT_RUN(outermost_and_signal);
	UNIT_RUN(signal_by_code);
	UNIT_RUN(hostile_frames);
	UNIT_RUN(symbols);
	return unit_end();
}
