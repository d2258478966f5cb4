/* SPDX-License-Identifier: MIT */
#include "dump/unwind_guess.h"

#include "unit.h"

#include "made_dump.h"

#define BASE 0x140000000u
#define STACK 0x200000u

static bool
is_code(void *who, uint64_t address)
{
	(void)who;
	return address >= BASE + 0x1000 && address < BASE + 0x3000;
}

/* Code of nops with a call before BASE + 0x1100, 0x1200, 0x1300… */
static struct space *
make_image(unsigned architecture)
{
	struct space *space;
	made_begin(architecture, 2);
	made_module(BASE, 0x8000, "x.dll");
	made_range(STACK, 0x1000);
	made_range(BASE, 0x8000);
	memset(made_at(BASE + 0x1000), 0x90, 0x2000);
	for (unsigned i = 1; i < 0x20; i++)
		made_bytes(BASE + 0x1000 + 0x100 * i - 5, "\xe8", 1);
	space = made_open(STACK, 0x1000);
	return space;
}

static struct registers
start(uint64_t sp, uint64_t fp)
{
	struct registers registers;
	memset(&registers, 0, sizeof registers);
	registers.pc = BASE + 0x1080;
	registers.sp = registers.r[4] = sp;
	registers.fp = registers.r[5] = fp;
	return registers;
}

static void
calls(void)
{
	static const struct { unsigned char bytes[7]; unsigned size; bool call; } list[] = {
		{{0xff, 0xd0}, 2, true}, {{0x41, 0xff, 0xd4}, 3, true}, {{0xff, 0x10}, 2, true}, {{0xff, 0x50, 0x08}, 3, true},
		{{0xff, 0x14, 0x24}, 3, true}, {{0xff, 0x54, 0x24, 0x20}, 4, true}, {{0xff, 0x15, 1, 2, 3, 4}, 6, true},
		{{0xff, 0x90, 1, 2, 3, 4}, 6, true}, {{0xff, 0x94, 0x24, 1, 2, 3, 4}, 7, true}, {{0xff, 0x14, 0x25, 1, 2, 3, 4}, 7, true},
		{{0xe8, 1, 2, 3, 4}, 5, true}, {{0xff, 0xe0}, 2, false}, {{0xff, 0x15, 1, 2, 3}, 5, false}, {{0xe9, 1, 2, 3, 4}, 5, false},
		{{0xff, 0x14}, 2, false}, {{0xff, 0x14, 0x25}, 3, false}};
	struct space *space = make_image(9);
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		memset(made_at(BASE + 0x1400), 0x90, 16);
		made_bytes(BASE + 0x1410 - list[i].size, list[i].bytes, list[i].size);
		CHECK(guess_call_before(space, BASE + 0x1410) == (list[i].call ? CALL_YES : CALL_NO));
	}
	CHECK(guess_call_before(space, 0) == CALL_NO && guess_call_before(space, 3) == CALL_NO);
	CHECK(guess_call_before(space, 0x500000) == CALL_NOT_READ);
	space = make_image(12);
	made_u32(BASE + 0x1400, 0x94000010);
	made_u32(BASE + 0x1404, 0xd63f0100);
	CHECK(guess_call_before(space, BASE + 0x1404) == CALL_YES && guess_call_before(space, BASE + 0x1408) == CALL_YES);
	CHECK(guess_call_before(space, BASE + 0x140c) == CALL_NO);
}

static void
pointers(void)
{
	struct space *space = make_image(9);
	struct guess guess = {space, is_code, NULL, STACK + 0x1000};
	struct registers r = start(STACK, STACK + 0x20);
	made_u64(STACK + 0x20, STACK + 0x80);
	made_u64(STACK + 0x28, BASE + 0x1100);
	CHECK(guess_by_pointer(&guess, &r));
	CHECK(r.pc == BASE + 0x1100 && r.sp == STACK + 0x30 && r.fp == STACK + 0x80 && r.r[4] == r.sp && r.r[5] == r.fp);
	made_u64(STACK + 0x80, STACK + 0x100);
	CHECK(!guess_by_pointer(&guess, &r) && r.sp == STACK + 0x30); /* no return address above it */
	r = start(STACK + 0x28, STACK + 0x20); /* below the stack pointer */
	CHECK(!guess_by_pointer(&guess, &r));
	r = start(STACK, STACK + 0x21);
	CHECK(!guess_by_pointer(&guess, &r));
	r = start(STACK, STACK + 0x1000);
	CHECK(!guess_by_pointer(&guess, &r));
	made_u64(STACK + 0x28, BASE + 0x1101); /* no call before it */
	r = start(STACK, STACK + 0x20);
	CHECK(!guess_by_pointer(&guess, &r) && r.pc == BASE + 0x1080);
	made_u64(STACK + 0x20, 0);
	made_u64(STACK + 0x28, 0);
	CHECK(guess_by_pointer(&guess, &r) && r.pc == 0);
}

static void
scans(void)
{
	struct space *space = make_image(9);
	struct guess guess = {space, is_code, NULL, STACK + 0x1000};
	struct registers r = start(STACK, 0);
	made_u64(STACK + 0x10, BASE + 0x1101);
	made_u64(STACK + 0x40, STACK + 0x90);
	made_u64(STACK + 0x48, BASE + 0x1100);
	CHECK(!guess_by_scan(&guess, &r, 9));
	CHECK(guess_by_scan(&guess, &r, 10));
	r = start(STACK - GUESS_GAP, 0); /* below the stack, which it has overflowed */
	CHECK(!guess_by_scan(&guess, &r, 9));
	CHECK(guess_by_scan(&guess, &r, 10) && r.pc == BASE + 0x1100 && r.sp == STACK + 0x50);
	r = start(STACK - GUESS_GAP - 8, 0);
	CHECK(!guess_by_scan(&guess, &r, 100));
	r = start(STACK, 0);
	CHECK(guess_by_scan(&guess, &r, 10));
	CHECK(r.pc == BASE + 0x1100 && r.sp == STACK + 0x50 && r.fp == STACK + 0x90);
	r = start(STACK, 0);
	guess.stack_end = STACK + 0x48;
	CHECK(!guess_by_scan(&guess, &r, 100));
	guess.stack_end = UINT64_MAX;
	r = start(STACK + 0xff8, 0);
	CHECK(!guess_by_scan(&guess, &r, 100));
	r = start(UINT64_MAX - 7, 0);
	CHECK(!guess_by_scan(&guess, &r, 100));
}

static void
narrow(void)
{
	struct space *space = make_image(0);
	struct guess guess = {space, is_code, NULL, STACK + 0x1000};
	struct registers r = start(STACK, STACK + 0x20);
	CHECK(space->pointer_size == 4);
	made_u32(STACK + 0x20, STACK + 0x80);
	made_u32(STACK + 0x24, BASE & 0xffffffffu);
	CHECK(!guess_by_pointer(&guess, &r));
	made_u32(STACK + 0x24, 0);
	made_u32(STACK + 0x20, 0);
	CHECK(guess_by_pointer(&guess, &r) && r.pc == 0 && r.sp == STACK + 0x28);
}

int
main(void)
{
	UNIT_RUN(calls);
	UNIT_RUN(pointers);
	UNIT_RUN(scans);
	UNIT_RUN(narrow);
	return unit_end();
}
