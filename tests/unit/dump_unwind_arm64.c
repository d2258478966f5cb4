/* SPDX-License-Identifier: MIT */
#include "dump/unwind_arm64.h"

#include "unit.h"

#include "made_dump.h"

#define BASE 0x140000000u
#define STACK 0x200000u
#define PDATA 0x4000u
#define XDATA 0x5000u
#define FP 29
#define LR 30

/* Fields of a packed entry: flag, length in instructions, floats, integers, homes, chain, frame in 16 bytes. */
#define PACKED(flag, length, f, i, h, cr, frame) \
	((flag) | (uint32_t)(length) << 2 | (f) << 13 | (i) << 16 | (h) << 20 | (cr) << 21 | (uint32_t)(frame) << 23)
/* The head of a record: length in instructions, single epilog, epilogs or index, words of codes. */
#define RECORD(length, e, epilogs, words) ((uint32_t)(length) | (e) << 21 | (epilogs) << 22 | (uint32_t)(words) << 27)

static struct pe pe;

/* One function at 0x1000, a leaf at 0x1800, another function at 0x2000; a stack that holds 1, 2, 3… in its words. */
static struct space *
make_image(uint32_t word)
{
	made_begin(12, 2);
	made_module(BASE, 0x8000, "x.dll");
	made_range(STACK, 0x4000);
	made_range(BASE, 0x8000);
	made_pe(BASE);
	made_u16(BASE + 0x84, 0xaa64);
	made_directory(BASE, 3, PDATA, 16);
	made_u32(BASE + PDATA, 0x1000);
	made_u32(BASE + PDATA + 4, word);
	made_u32(BASE + PDATA + 8, 0x2000);
	made_u32(BASE + PDATA + 12, PACKED(1, 8, 0, 0, 0, 3, 1));
	for (unsigned i = 0; i < 0x800; i++)
		made_u64(STACK + 8 * i, i + 1);
	return made_open(STACK, 0x4000);
}

static void
put_record(uint32_t head, const void *rest, size_t size)
{
	made_u32(BASE + XDATA, head);
	made_bytes(BASE + XDATA + 4, rest, size);
}

/* Unwinds from an instruction of the function at 0x1000. fp is 0x100 bytes up the stack, lr 0x99. */
static bool
unwind(struct space *space, unsigned instruction, bool exact, struct registers *r)
{
	struct pe_entry entry;
	struct pe_step step = {exact, false};
	uint32_t gap;
	memset(r, 0, sizeof *r);
	r->pc = BASE + 0x1000 + 4 * instruction;
	r->r[31] = r->sp = STACK;
	r->r[FP] = r->fp = STACK + 0x100;
	r->r[LR] = 0x99;
	if (!pe_open(&pe, space, BASE) || arm64_find(&pe, space, 0x1000 + 4 * instruction, &entry, &gap) != PE_FOUND)
		return false;
	return arm64_unwind(space, &entry, r, &step) && !step.trapped;
}

static bool
at(const struct registers *r, uint64_t words, uint64_t pc)
{
	return r->sp == STACK + 8 * words && r->r[31] == r->sp && r->pc == pc;
}

static void
lookup(void)
{
	struct space *space = make_image(PACKED(1, 16, 0, 0, 0, 3, 1));
	struct pe_entry entry;
	uint32_t gap;
	CHECK(pe_open(&pe, space, BASE));
	CHECK(arm64_find(&pe, space, 0x0fff, &entry, &gap) == PE_LEAF && gap == 0);
	CHECK(arm64_find(&pe, space, 0x1000, &entry, &gap) == PE_FOUND && entry.begin == 0x1000 && entry.end == 0x1040);
	CHECK(arm64_find(&pe, space, 0x103f, &entry, &gap) == PE_FOUND);
	CHECK(arm64_find(&pe, space, 0x1040, &entry, &gap) == PE_LEAF && gap == 0x1040);
	CHECK(arm64_find(&pe, space, 0x201f, &entry, &gap) == PE_FOUND && entry.begin == 0x2000);
	CHECK(arm64_find(&pe, space, 0x2020, &entry, &gap) == PE_LEAF && gap == 0x2020);
	made_u32(BASE + PDATA + 4, 0x7fff0000); /* a record that is not there */
	CHECK(arm64_find(&pe, space, 0x1000, &entry, &gap) == PE_NOT_READ);
	made_directory(BASE, 3, 0x7ffc, 16);
	CHECK(arm64_find(&pe, space, 0x1000, &entry, &gap) == PE_NOT_READ);
	made_directory(BASE, 3, PDATA, 0xffffffff);
	CHECK(arm64_find(&pe, space, 0x1000, &entry, &gap) != PE_LEAF);
	made_u16(BASE + 0x84, 0x8664);
	CHECK(pe_open(&pe, space, BASE) && arm64_find(&pe, space, 0x1000, &entry, &gap) == PE_NOT_READ);
}

static void
packed_frames(void)
{
	struct registers r;
	/* chained, 32 bytes: stp x29, lr, [sp, -32]!; mov x29, sp … ldp x29, lr, [sp], 32; ret */
	struct space *space = make_image(PACKED(1, 16, 0, 0, 0, 3, 2));
	CHECK(unwind(space, 5, true, &r) && at(&r, 0x20 + 4, 0x22) && r.fp == 0x21);  /* by x29 */
	CHECK(unwind(space, 0, true, &r) && at(&r, 0, 0x99));
	CHECK(unwind(space, 1, true, &r) && at(&r, 4, 2) && r.fp == 1);
	CHECK(unwind(space, 2, true, &r) && at(&r, 0x24, 0x22));
	CHECK(unwind(space, 13, true, &r) && at(&r, 0x24, 0x22));
	CHECK(unwind(space, 14, true, &r) && at(&r, 4, 2));  /* the load of the epilog, by sp */
	CHECK(unwind(space, 15, true, &r) && at(&r, 0, 0x99)); /* its return */
	CHECK(unwind(space, 15, false, &r) && at(&r, 0x24, 0x22));
	/* a fragment has neither prolog nor epilog */
	made_u32(BASE + PDATA + 4, PACKED(2, 16, 0, 0, 0, 3, 2));
	CHECK(unwind(space, 0, true, &r) && at(&r, 0x24, 0x22));
	CHECK(unwind(space, 15, true, &r) && at(&r, 0x24, 0x22));
	/* large: sub sp, 1024 - 16; stp; mov; three registers before */
	made_u32(BASE + PDATA + 4, PACKED(1, 16, 0, 3, 0, 3, 66));
	CHECK(unwind(space, 8, true, &r) && at(&r, 0x20 + 132, 0x22) && r.r[19] == 0x20 + 128 + 1 && r.r[21] == 0x20 + 128 + 3);
	CHECK(unwind(space, 2, true, &r) && at(&r, 4, 0x99) && r.r[19] == 1 && r.r[20] == 2 && r.r[21] == 3);
	CHECK(unwind(space, 1, true, &r) && at(&r, 4, 0x99) && r.r[21] == 0);
	CHECK(unwind(space, 3, true, &r) && at(&r, 132, 0x99));
	/* larger than one instruction can make room for */
	made_u32(BASE + PDATA + 4, PACKED(1, 16, 0, 0, 0, 0, 400));
	CHECK(unwind(space, 8, true, &r) && at(&r, 800, 0x99));
	CHECK(unwind(space, 1, true, &r) && at(&r, 510, 0x99));
	CHECK(unwind(space, 14, true, &r) && at(&r, 510, 0x99));
	/* signed: pacibsp first */
	made_u32(BASE + PDATA + 4, PACKED(1, 16, 0, 0, 0, 2, 2));
	made_u64(STACK + 0x108, 0xab12000000000022);
	CHECK(unwind(space, 8, true, &r) && at(&r, 0x24, 0x22));
	CHECK(unwind(space, 1, true, &r) && at(&r, 0, 0x99));
	CHECK(unwind(space, 2, true, &r) && at(&r, 4, 2));
}

static void
packed_registers(void)
{
	struct registers r;
	struct space *space = make_image(PACKED(1, 24, 0, 4, 0, 1, 4)); /* x19 to x22, lr, 16 bytes of locals */
	CHECK(unwind(space, 9, true, &r) && at(&r, 8, 7) && r.r[19] == 3 && r.r[20] == 4 && r.r[22] == 6);
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 0, 3, 0, 1, 2));       /* x19, x20, then x21 with lr */
	CHECK(unwind(space, 9, true, &r) && at(&r, 4, 4) && r.r[20] == 2 && r.r[21] == 3);
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 0, 1, 0, 1, 1));
	CHECK(unwind(space, 9, true, &r) && at(&r, 2, 2) && r.r[19] == 1);
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 0, 0, 0, 1, 1));
	CHECK(unwind(space, 9, true, &r) && at(&r, 2, 1));
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 0, 1, 0, 0, 1));
	CHECK(unwind(space, 9, true, &r) && at(&r, 2, 0x99) && r.r[19] == 1);
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 0, 10, 0, 0, 5));
	CHECK(unwind(space, 9, true, &r) && at(&r, 10, 0x99) && r.r[19] == 1 && r.r[28] == 10 && r.fp == STACK + 0x100);
	made_u32(BASE + PDATA + 4, PACKED(1, 48, 7, 10, 1, 3, 14));     /* everything */
	CHECK(unwind(space, 20, true, &r) && at(&r, 0x20 + 28, 0x22) && r.r[19] == 0x23 && r.r[28] == 0x2c);
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 2, 0, 0, 0, 2));       /* d8 to d10 alone */
	CHECK(unwind(space, 9, true, &r) && at(&r, 4, 0x99));
	CHECK(unwind(space, 1, true, &r) && at(&r, 4, 0x99));
	CHECK(unwind(space, 0, true, &r) && at(&r, 0, 0x99));
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 0, 0, 1, 0, 4));       /* arguments alone */
	CHECK(unwind(space, 9, true, &r) && at(&r, 8, 0x99));
	CHECK(unwind(space, 1, true, &r) && at(&r, 8, 0x99));
	/* more registers than there are, a frame smaller than they need, a flag that is none */
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 0, 11, 0, 0, 9));
	CHECK(!unwind(space, 9, true, &r));
	made_u32(BASE + PDATA + 4, PACKED(1, 24, 0, 4, 0, 0, 1));
	CHECK(!unwind(space, 9, true, &r));
	made_u32(BASE + PDATA + 4, PACKED(3, 24, 0, 0, 0, 3, 2));
	CHECK(!unwind(space, 9, true, &r));
}

/* Each code by itself, in the body of a function. */
static void
codes(void)
{
	static const struct { unsigned char bytes[4]; uint64_t words, pc; unsigned number; uint64_t value; } list[] = {
		{{0x03, 0xe4}, 6, 0x99, 19, 0},                   /* alloc_s */
		{{0x24, 0xe4}, 4, 0x99, 20, 2},                   /* save_r19r20_x */
		{{0x42, 0xe4}, 0, 4, FP, 3},                      /* save_fplr */
		{{0x83, 0xe4}, 4, 2, FP, 1},                      /* save_fplr_x */
		{{0xc1, 0x01, 0xe4}, 0x202, 0x99, 19, 0},         /* alloc_m */
		{{0xc8, 0x82, 0xe4}, 0, 0x99, 22, 4},             /* save_regp */
		{{0xcc, 0x43, 0xe4}, 4, 0x99, 21, 2},             /* save_regp_x */
		{{0xd1, 0x05, 0xe4}, 0, 0x99, 23, 6},             /* save_reg */
		{{0xd4, 0x41, 0xe4}, 2, 0x99, 21, 1},             /* save_reg_x */
		{{0xd6, 0x42, 0xe4}, 0, 4, 21, 3},                /* save_lrpair */
		{{0xd8, 0x42, 0xe4}, 0, 0x99, 19, 0},             /* save_fregp */
		{{0xda, 0x43, 0xe4}, 4, 0x99, 19, 0},             /* save_fregp_x */
		{{0xdc, 0x42, 0xe4}, 0, 0x99, 19, 0},             /* save_freg */
		{{0xde, 0x41, 0xe4}, 2, 0x99, 19, 0},             /* save_freg_x */
		{{0xe0, 0x00, 0x00, 0x02}, 4, 0x99, 19, 0},       /* alloc_l */
		{{0xe1, 0xe4}, 0x20, 0x99, 19, 0},                /* set_fp */
		{{0xe2, 0x04, 0xe4}, 0x1c, 0x99, 19, 0},          /* add_fp */
		{{0xe3, 0xe5, 0xec, 0xe4}, 0, 0x99, 19, 0},       /* nop, end_c, clear_unwound_to_call */
		{{0xe6, 0xc8, 0x00, 0xe4}, 0, 0x99, 22, 4},       /* save_next, save_regp */
		{{0xe7, 0x53, 0x01, 0xe4}, 0, 0x99, 20, 4},       /* save_any_reg, a pair */
		{{0xe7, 0x33, 0x01, 0xe4}, 4, 0x99, 19, 1},       /* the same, indexed */
		{{0xe7, 0x13, 0x41, 0xe4}, 0, 0x99, 19, 0},       /* of floating point */
	};
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		static const unsigned char end[] = {0xe4, 0, 0, 0};
		struct space *space = make_image(XDATA);
		struct registers r;
		put_record(RECORD(64, 0, 0, 2), list[i].bytes, 4);
		made_bytes(BASE + XDATA + 8, end, 4);
		CHECK(unwind(space, 32, true, &r));
		CHECK(at(&r, list[i].words, list[i].pc) && r.r[list[i].number] == list[i].value);
	}
}

/* stp x29, lr, [sp, -256]!; stp d8, d9; stp x19, x20, [sp, 240]; mov x29, sp */
static const unsigned char usual[] = {0xe1, 0xc8, 0x1e, 0xd8, 0x1c, 0x9f, 0xe4, 0xe3};

static void
records(void)
{
	static const unsigned char scopes[] = {0x10, 0, 0, 0, 0x20, 0, 0x40, 0, 0xe1, 0xc8, 0x1e, 0xd8, 0x1c, 0x9f, 0xe4, 0xe3};
	struct space *space = make_image(XDATA);
	struct registers r;
	put_record(RECORD(64, 1, 0, 2), usual, sizeof usual);
	CHECK(unwind(space, 20, true, &r) && at(&r, 0x40, 0x22) && r.r[19] == 0x3f && r.fp == 0x21);
	CHECK(unwind(space, 0, true, &r) && at(&r, 0, 0x99));
	CHECK(unwind(space, 1, true, &r) && at(&r, 32, 2));
	CHECK(unwind(space, 2, true, &r) && at(&r, 32, 2) && r.r[19] == 0);
	CHECK(unwind(space, 3, true, &r) && at(&r, 32, 2) && r.r[19] == 31);
	CHECK(unwind(space, 59, true, &r) && at(&r, 0x40, 0x22)); /* the epilog has five instructions */
	CHECK(unwind(space, 60, true, &r) && at(&r, 32, 2) && r.r[19] == 31);
	CHECK(unwind(space, 61, true, &r) && at(&r, 32, 2) && r.r[19] == 0);
	CHECK(unwind(space, 62, true, &r) && at(&r, 32, 2));
	CHECK(unwind(space, 63, true, &r) && at(&r, 0, 0x99));
	/* two epilogs by scopes, the second with codes from 1 on */
	put_record(RECORD(64, 0, 2, 2), scopes, sizeof scopes);
	CHECK(unwind(space, 15, true, &r) && at(&r, 0x40, 0x22));
	CHECK(unwind(space, 16, true, &r) && at(&r, 0x40, 0x22));
	CHECK(unwind(space, 17, true, &r) && at(&r, 32, 2) && r.r[20] == 32);
	CHECK(unwind(space, 20, true, &r) && at(&r, 0, 0x99));
	CHECK(unwind(space, 21, true, &r) && at(&r, 0x40, 0x22));
	CHECK(unwind(space, 32, true, &r) && at(&r, 32, 2) && r.r[20] == 32);
	CHECK(unwind(space, 35, true, &r) && at(&r, 0, 0x99));
	CHECK(unwind(space, 36, true, &r) && at(&r, 0x40, 0x22));
	/* numbers in a second word */
	made_u32(BASE + XDATA, 64);
	made_u32(BASE + XDATA + 4, 2 << 16);
	made_bytes(BASE + XDATA + 8, usual, sizeof usual);
	CHECK(unwind(space, 63, true, &r) && at(&r, 0x40, 0x22));
	/* a part of another function: what comes behind end_c is that one's prolog */
	put_record(RECORD(64, 0, 0, 2), "\xe5\xe1\x83\xe4\0\0\0", 8);
	CHECK(unwind(space, 0, true, &r) && at(&r, 0x24, 0x22));
}

/* The kernel's call of a handler: sp and pc, or a whole context, lie on the stack. */
static void
traps(void)
{
	struct space *space = make_image(XDATA);
	struct registers r;
	put_record(RECORD(64, 0, 0, 1), "\xe9\xe4\0", 4);
	CHECK(!unwind(space, 32, true, &r) && r.sp == 1 && r.pc == 2);
	put_record(RECORD(64, 0, 0, 1), "\xea\xe4\0", 4);
	CHECK(!unwind(space, 32, true, &r) && r.sp == 33 && r.pc == 34 && r.fp == 31 && r.r[LR] == 32 && r.r[0] == 2);
}

static void
hostile(void)
{
	static const struct { uint32_t head; unsigned char bytes[8]; } list[] = {
		{RECORD(64, 0, 0, 1), {0x01, 0x01, 0x01, 0x01}},              /* no end */
		{RECORD(64, 0, 0, 1), {0xe3, 0xe3, 0xe3, 0xc8}},              /* the last one cut */
		{RECORD(64, 0, 0, 1), {0xdf, 0x00, 0xe4}},                    /* codes that are none */
		{RECORD(64, 0, 0, 1), {0xe8, 0xe4}}, {RECORD(64, 0, 0, 1), {0xeb, 0xe4}}, {RECORD(64, 0, 0, 1), {0xed, 0xe4}},
		{RECORD(64, 0, 0, 2), {0xf8, 0, 0xe4}}, {RECORD(64, 0, 0, 2), {0xfb, 0, 0, 0, 0, 0xe4}},
		{RECORD(64, 0, 0, 1), {0xe7, 0x80, 0x00, 0xe4}}, {RECORD(64, 0, 0, 1), {0xe7, 0x00, 0xc0, 0xe4}},
		{RECORD(64, 0, 0, 1), {0xe7, 0x1f, 0x00, 0xe4}},              /* register 31 */
		{RECORD(64, 0, 0, 1), {0xcb, 0x00, 0xe4}},                    /* registers 31 and 32 */
		{RECORD(64, 0, 0, 1), {0xe2, 0xff, 0x42, 0xe4}},              /* below the stack */
		{RECORD(64, 0, 0, 31), {0xe3}},                               /* nothing but zeroes */
		{RECORD(64, 0, 0, 1) | 1 << 18, {0xe4}},                      /* version 1 */
	};
	struct registers r;
	struct space *space;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		space = make_image(XDATA);
		put_record(list[i].head, list[i].bytes, 8);
		CHECK(!unwind(space, 32, true, &r));
	}
	/* epilogs past the end, an index past the codes, 65,535 of them, codes past the image */
	put_record(RECORD(64, 1, 31, 1), "\xe4\0\0", 4);
	CHECK(unwind(space, 32, true, &r));
	put_record(RECORD(64, 0, 1, 1), "\x20\0\xc0\xff\xe4\0\0", 8);
	CHECK(unwind(space, 32, true, &r));
	made_u32(BASE + XDATA, 64);
	made_u32(BASE + XDATA + 4, 0x1ffff);
	CHECK(!unwind(space, 32, true, &r));
	made_u32(BASE + PDATA + 4, 0x7ff8);
	made_u32(BASE + 0x7ff8, RECORD(64, 0, 0, 31));
	CHECK(!unwind(space, 32, true, &r));
	made_u32(BASE + 0x7ff8, 0);
	CHECK(!unwind(space, 32, true, &r));
}

int
main(void)
{
	UNIT_RUN(lookup);
	UNIT_RUN(packed_frames);
	UNIT_RUN(packed_registers);
	UNIT_RUN(codes);
	UNIT_RUN(records);
	UNIT_RUN(traps);
	UNIT_RUN(hostile);
	return unit_end();
}
