/* SPDX-License-Identifier: MIT */
#include "dump/unwind_x64.h"

#include "unit.h"

#include "made_dump.h"

#define BASE 0x140000000u
#define STACK 0x200000u
#define PDATA 0x4000u
#define XDATA 0x5000u

static struct pe pe;

/* An image with room for three entries, none yet, and a stack of 0x1000 bytes that holds 1, 2, 3… in its words. */
static struct space *
make_image(void)
{
	made_begin(9, 2);
	made_module(BASE, 0x8000, "x.dll");
	made_range(STACK, 0x1000);
	made_range(BASE, 0x8000);
	made_pe(BASE);
	made_directory(BASE, 3, PDATA, 36);
	for (unsigned i = 0; i < 3; i++) {
		made_u32(BASE + PDATA + 12 * i, 0x1000 + 0x100 * i);
		made_u32(BASE + PDATA + 12 * i + 4, 0x1080 + 0x100 * i);
		made_u32(BASE + PDATA + 12 * i + 8, XDATA + 0x100 * i);
	}
	for (unsigned i = 0; i < 0x200; i++)
		made_u64(STACK + 8 * i, i + 1);
	memset(made_at(BASE + 0x1000), 0x90, 0x1000);
	return made_open(STACK, 0x1000);
}

static void
put_info(uint32_t rva, const void *bytes, size_t size)
{
	made_bytes(BASE + rva, bytes, size);
}

static struct registers
start(uint32_t rva)
{
	struct registers registers;
	memset(&registers, 0, sizeof registers);
	registers.pc = BASE + rva;
	x64_set(&registers, X64_RSP, STACK);
	return registers;
}

static bool
unwind(struct space *space, struct registers *registers, bool exact, bool *trapped)
{
	struct pe_entry entry;
	struct pe_step step = {exact, false};
	uint32_t gap;
	bool good;
	if (!pe_open(&pe, space, BASE) ||
	    x64_find(&pe, space, (uint32_t)(registers->pc - BASE) - (exact ? 0 : 1), &entry, &gap) != PE_FOUND)
		return false;
	good = x64_unwind(space, &entry, registers, &step);
	if (trapped != NULL)
		*trapped = step.trapped;
	return good;
}

static void
lookup(void)
{
	struct space *space = make_image();
	struct pe_entry entry;
	uint32_t gap;
	CHECK(pe_open(&pe, space, BASE));
	CHECK(x64_find(&pe, space, 0xfff, &entry, &gap) == PE_LEAF && gap == 0);
	CHECK(x64_find(&pe, space, 0x1000, &entry, &gap) == PE_FOUND && entry.unwind == XDATA);
	CHECK(x64_find(&pe, space, 0x107f, &entry, &gap) == PE_FOUND);
	CHECK(x64_find(&pe, space, 0x1080, &entry, &gap) == PE_LEAF && gap == 0x1080);
	CHECK(x64_find(&pe, space, 0x1200, &entry, &gap) == PE_FOUND && entry.begin == 0x1200);
	CHECK(x64_find(&pe, space, 0xffffffff, &entry, &gap) == PE_LEAF && gap == 0x1280);
	made_directory(BASE, 3, 0x7ff8, 0xffffffff);
	CHECK(x64_find(&pe, space, 0x1000, &entry, &gap) == PE_NOT_READ);
	made_directory(BASE, 3, 0, 0);
	CHECK(x64_find(&pe, space, 0x1000, &entry, &gap) == PE_NOT_READ);
	made_directory(BASE, 3, PDATA, 11);
	CHECK(x64_find(&pe, space, 0x1000, &entry, &gap) == PE_LEAF);
}

/* push rbx; push r15; sub rsp, 0x20; all ways to write sizes */
static void
pushes_and_allocations(void)
{
	static const unsigned char small[] = {1, 7, 3, 0, 7, 0x32, 3, 0xf0, 1, 0x30};
	static const unsigned char large[] = {1, 9, 4, 0, 9, 0x01, 4, 0, 3, 0xf0, 1, 0x30, 0, 0};
	static const unsigned char huge[] = {1, 9, 5, 0, 9, 0x11, 0x20, 0, 0, 0, 1, 0x30};
	struct space *space = make_image();
	struct registers r = start(0x1040);
	put_info(XDATA, small, sizeof small);
	CHECK(unwind(space, &r, true, NULL));
	CHECK(r.r[15] == 5 && r.r[X64_RBX] == 6 && r.pc == 7 && r.sp == STACK + 56 && r.r[X64_RSP] == r.sp);
	r = start(0x1040);
	put_info(XDATA, large, sizeof large);
	CHECK(unwind(space, &r, false, NULL));
	CHECK(r.r[15] == 5 && r.r[X64_RBX] == 6 && r.pc == 7);
	r = start(0x1040);
	put_info(XDATA, huge, sizeof huge);
	made_u16(BASE + XDATA + 2, 4);
	CHECK(unwind(space, &r, true, NULL));
	CHECK(r.r[X64_RBX] == 5 && r.pc == 6);
}

/* Frame 0 inside its prolog: only what has run is undone. A return address there means all has run. */
static void
inside_prolog(void)
{
	static const unsigned char info[] = {1, 7, 3, 0, 7, 0x32, 3, 0xf0, 1, 0x30};
	static const struct { uint32_t rva; uint64_t pc, rbx, r15; } wanted[] = {
		{0x1000, 1, 0, 0}, {0x1001, 2, 1, 0}, {0x1002, 2, 1, 0}, {0x1003, 3, 2, 1}, {0x1006, 3, 2, 1}, {0x1007, 7, 6, 5}};
	struct space *space = make_image();
	struct registers r;
	put_info(XDATA, info, sizeof info);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		r = start(wanted[i].rva);
		CHECK(unwind(space, &r, true, NULL));
		CHECK(r.pc == wanted[i].pc && r.r[X64_RBX] == wanted[i].rbx && r.r[15] == wanted[i].r15);
	}
	r = start(0x1001);
	CHECK(unwind(space, &r, false, NULL) && r.pc == 7);
	r = start(0x1080); /* a call at the very end: the entry is that of the byte before */
	CHECK(unwind(space, &r, false, NULL) && r.pc == 7);
}

/* push rbp; sub rsp, 0x40; lea rbp, [rsp+0x20]; rsi saved at 0x30 from the base */
static void
frame_register(void)
{
	static const unsigned char info[] = {1, 14, 5, 0x25, 14, 0x64, 6, 0, 10, 0x03, 5, 0x72, 1, 0x50};
	struct space *space = make_image();
	struct registers r = start(0x1040);
	put_info(XDATA, info, sizeof info);
	x64_set(&r, X64_RBP, STACK + 0x120);
	x64_set(&r, X64_RSP, STACK + 8); /* below: the function has called alloca */
	CHECK(unwind(space, &r, true, NULL));
	CHECK(r.r[X64_RSI] == 0x130 / 8 + 1 && r.r[X64_RBP] == 0x140 / 8 + 1 && r.pc == 0x148 / 8 + 1);
	CHECK(r.fp == r.r[X64_RBP] && r.sp == STACK + 0x150);
	r = start(0x1009); /* before rbp is set */
	x64_set(&r, X64_RBP, STACK + 0x500);
	CHECK(unwind(space, &r, true, NULL));
	CHECK(r.r[X64_RBP] == 0x40 / 8 + 1 && r.pc == 0x48 / 8 + 1 && r.r[X64_RSI] == 0);
}

static void
far_saves_and_xmm(void)
{
	/* sub rsp, 0x48; xmm6 at 16; rdi at 0x38 by the far form; r12 near */
	static const unsigned char info[] = {1, 20, 10, 0, 20, 0x69, 16, 0, 0, 0, 18, 0x75, 0x38, 0, 0, 0, 15, 0xc4, 2, 0, 12, 0x82, 10, 0x68, 1, 0};
	struct space *space = make_image();
	struct registers r = start(0x1040);
	unsigned char bytes[sizeof info];
	memcpy(bytes, info, sizeof info);
	bytes[2] = 11;
	put_info(XDATA, bytes, sizeof bytes);
	CHECK(unwind(space, &r, true, NULL));
	CHECK(r.r[X64_RDI] == 0x38 / 8 + 1 && r.r[12] == 3 && r.pc == 0x48 / 8 + 1);
}

static void
machine_frames(void)
{
	static const unsigned char plain[] = {1, 0, 2, 0, 0, 0x72, 0, 0x0a}, coded[] = {1, 0, 1, 0, 0, 0x1a, 0, 0};
	struct space *space = make_image();
	struct registers r = start(0x1040);
	bool trapped;
	put_info(XDATA, plain, sizeof plain);
	made_u64(STACK + 0x40 + 24, STACK + 0x800);
	CHECK(unwind(space, &r, true, &trapped));
	CHECK(trapped && r.pc == 9 && r.sp == STACK + 0x800);
	r = start(0x1040);
	put_info(XDATA, coded, sizeof coded);
	CHECK(unwind(space, &r, true, &trapped));
	CHECK(trapped && r.pc == 2 && r.sp == 5);
}

/* 0x1100 is a part of the function at 0x1000; its entry chains, and all codes of that count. */
static void
chains(void)
{
	static const unsigned char first[] = {1, 1, 1, 0, 1, 0x30}, part[] = {0x21, 4, 1, 0, 4, 0x12, 0, 0};
	struct space *space = make_image();
	struct registers r = start(0x1120);
	struct pe_entry entry;
	uint32_t gap;
	put_info(XDATA, first, sizeof first);
	put_info(XDATA + 0x100, part, sizeof part);
	made_u32(BASE + XDATA + 0x108, 0x1000);
	made_u32(BASE + XDATA + 0x10c, 0x1080);
	made_u32(BASE + XDATA + 0x110, XDATA);
	CHECK(unwind(space, &r, true, NULL) && r.r[X64_RBX] == 3 && r.pc == 4);
	r = start(0x1100); /* nothing of the part has run, all of the chained has */
	CHECK(unwind(space, &r, true, NULL) && r.r[X64_RBX] == 1 && r.pc == 2);
	CHECK(pe_open(&pe, space, BASE) && x64_find(&pe, space, 0x1120, &entry, &gap) == PE_FOUND);
	CHECK(x64_function_begin(space, &entry) == 0x1000);
	/* An entry that points at an entry. */
	made_u32(BASE + PDATA + 32, PDATA + 1);
	r = start(0x1240);
	CHECK(unwind(space, &r, true, NULL) && r.r[X64_RBX] == 1 && r.pc == 2);
}

static void
hostile_chains(void)
{
	static const unsigned char part[] = {0x21, 0, 0, 0};
	struct space *space = make_image();
	struct registers r = start(0x1020);
	struct pe_entry entry;
	uint32_t gap;
	put_info(XDATA, part, sizeof part);
	made_u32(BASE + XDATA + 4, 0x1000);
	made_u32(BASE + XDATA + 8, 0x1080);
	made_u32(BASE + XDATA + 12, XDATA);
	CHECK(!unwind(space, &r, true, NULL)); /* chained to itself */
	CHECK(x64_find(&pe, space, 0x1020, &entry, &gap) == PE_FOUND);
	CHECK(x64_function_begin(space, &entry) == 0x1000);
	made_u32(BASE + PDATA + 8, PDATA + 1); /* an entry that is its own */
	r = start(0x1020);
	CHECK(!unwind(space, &r, true, NULL));
	made_u32(BASE + PDATA + 8, 0xfffffff0);
	r = start(0x1020);
	CHECK(!unwind(space, &r, true, NULL));
}

static void
senseless_codes(void)
{
	static const unsigned char list[][8] = {
		{3, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 1, 0, 0, 0x0b}, {1, 0, 1, 0, 0, 0x0f}, {1, 0, 1, 0, 0, 0x04}, {1, 0, 1, 0, 0, 0x21},
		{1, 0, 2, 0, 0, 0x05, 0, 0}};
	struct space *space = make_image();
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct registers r = start(0x1040);
		put_info(XDATA, list[i], 8);
		CHECK(!unwind(space, &r, true, NULL));
	}
}

/* add rsp, 0x20; pop r15; pop rbx; ret, from each of its instructions */
static void
epilogues(void)
{
	static const unsigned char info[] = {1, 7, 3, 0, 7, 0x32, 3, 0xf0, 1, 0x30};
	static const unsigned char code[] = {0x48, 0x83, 0xc4, 0x20, 0x41, 0x5f, 0x5b, 0xc3};
	static const struct { uint32_t at; uint64_t pc, rbx, r15; } wanted[] = {{0, 7, 6, 5}, {4, 3, 2, 1}, {6, 2, 1, 0}, {7, 1, 0, 0}};
	static const unsigned char jump[] = {0x5b, 0xe9, 0, 1, 0, 0}, inside[] = {0x5b, 0xe9, 0xf0, 0xff, 0xff, 0xff};
	static const unsigned char through[] = {0x5b, 0x48, 0xff, 0xe0}, lea[] = {0x48, 0x8d, 0x65, 0x10, 0x5d, 0xc3};
	static const unsigned char framed[] = {1, 1, 2, 0x05, 1, 0x03, 1, 0x50};
	struct space *space = make_image();
	struct registers r;
	put_info(XDATA, info, sizeof info);
	made_bytes(BASE + 0x1040, code, sizeof code);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		r = start(0x1040 + wanted[i].at);
		CHECK(unwind(space, &r, true, NULL));
		CHECK(r.pc == wanted[i].pc && r.r[X64_RBX] == wanted[i].rbx && r.r[15] == wanted[i].r15);
	}
	r = start(0x1047); /* not for a return address */
	CHECK(unwind(space, &r, false, NULL) && r.pc == 7);
	made_bytes(BASE + 0x1040, jump, sizeof jump);
	r = start(0x1040);
	CHECK(unwind(space, &r, true, NULL) && r.pc == 2 && r.r[X64_RBX] == 1);
	made_bytes(BASE + 0x1040, through, sizeof through);
	r = start(0x1040);
	CHECK(unwind(space, &r, true, NULL) && r.pc == 2);
	made_bytes(BASE + 0x1040, inside, sizeof inside); /* a loop, no epilogue */
	r = start(0x1040);
	CHECK(unwind(space, &r, true, NULL) && r.pc == 7);
	put_info(XDATA, framed, sizeof framed);
	made_bytes(BASE + 0x1040, lea, sizeof lea);
	r = start(0x1040);
	x64_set(&r, X64_RBP, STACK + 0x100);
	CHECK(unwind(space, &r, true, NULL) && r.r[X64_RBP] == 0x110 / 8 + 1 && r.pc == 0x118 / 8 + 1);
}

/* Version 2 begins with marks of epilogues, which say nothing about the prolog. */
static void
version_two(void)
{
	static const unsigned char info[] = {2, 1, 3, 0, 8, 0x16, 0x10, 0x06, 1, 0x30, 0, 0};
	struct space *space = make_image();
	struct registers r = start(0x1040);
	put_info(XDATA, info, sizeof info);
	CHECK(unwind(space, &r, true, NULL) && r.r[X64_RBX] == 1 && r.pc == 2);
}

/* A mark without its partner at the end of the codes, and versions that nobody knows. */
static void
other_versions(void)
{
	static const unsigned char odd[] = {2, 1, 2, 0, 1, 0x30, 8, 0x16}, three[] = {3, 1, 1, 0, 1, 0x30};
	struct space *space = make_image();
	struct registers r = start(0x1040);
	put_info(XDATA, odd, sizeof odd);
	CHECK(unwind(space, &r, true, NULL) && r.r[X64_RBX] == 1 && r.pc == 2);
	r = start(0x1040);
	put_info(XDATA, three, sizeof three);
	CHECK(!unwind(space, &r, true, NULL) && r.pc == BASE + 0x1040);
}

/* .NET's JIT on Linux: a frame register far into its frame, 0x20 * 16 bytes here. */
static void
large_frame_register(void)
{
	static const unsigned char info[] = {1, 9, 6, 0xf5, 9, 0x0b, 0x20, 0, 0, 0, 5, 0x54, 1, 0, 1, 0x50};
	static const unsigned char cut[] = {1, 9, 1, 0xf5, 9, 0x0b};
	struct space *space = make_image();
	struct registers r = start(0x1040);
	put_info(XDATA, info, sizeof info);
	x64_set(&r, X64_RBP, STACK + 0x300);
	CHECK(unwind(space, &r, false, NULL) && r.r[X64_RBP] == 0x108 / 8 && r.pc == 0x110 / 8 && r.sp == STACK + 0x110);
	r = start(0x1004); /* not yet set up: the stack pointer counts */
	x64_set(&r, X64_RBP, STACK + 0x300);
	CHECK(unwind(space, &r, true, NULL) && r.r[X64_RBP] == 1 && r.pc == 2);
	r = start(0x1040);
	put_info(XDATA, cut, sizeof cut);
	CHECK(!unwind(space, &r, false, NULL));
}

static void
stack_missing(void)
{
	static const unsigned char info[] = {1, 1, 1, 0, 1, 0x30};
	struct space *space = make_image();
	struct registers r = start(0x1040);
	put_info(XDATA, info, sizeof info);
	x64_set(&r, X64_RSP, STACK + 0xff8);
	CHECK(!unwind(space, &r, true, NULL));
	r = start(0x1040);
	x64_set(&r, X64_RSP, UINT64_MAX - 3);
	CHECK(!unwind(space, &r, true, NULL));
	CHECK(!x64_unwind_leaf(space, &r));
}

int
main(void)
{
	UNIT_RUN(lookup);
	UNIT_RUN(pushes_and_allocations);
	UNIT_RUN(inside_prolog);
	UNIT_RUN(frame_register);
	UNIT_RUN(far_saves_and_xmm);
	UNIT_RUN(machine_frames);
	UNIT_RUN(chains);
	UNIT_RUN(hostile_chains);
	UNIT_RUN(senseless_codes);
	UNIT_RUN(epilogues);
	UNIT_RUN(version_two);
	UNIT_RUN(other_versions);
	UNIT_RUN(large_frame_register);
	UNIT_RUN(stack_missing);
	return unit_end();
}
