/* SPDX-License-Identifier: MIT */
#include "dump/frames.h"

#include "dump/open.h"
#include "unit.h"

#include "made_dump.h"

#define BASE 0x140000000u  /* x.exe: functions at 0x1000 + 0x100 * n, each sub rsp, 0x28 */
#define NTDLL 0x170000000u
#define STACK 0x200000u
#define SIZE 0x20000u
#define PDATA 0x4000u
#define XDATA 0x5000u
#define EXPORTS 0x6000u
#define FUNCTIONS 8

static struct frames frames;
static uint64_t top; /* of the stack being built */

static void
make_module(uint64_t base)
{
	static const unsigned char info[] = {1, 4, 1, 0, 4, 0x42};
	made_pe(base);
	made_directory(base, 3, PDATA, 12 * FUNCTIONS);
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		made_u32(base + PDATA + 12 * i, 0x1000 + 0x100 * i);
		made_u32(base + PDATA + 12 * i + 4, 0x1100 + 0x100 * i);
		made_u32(base + PDATA + 12 * i + 8, XDATA);
	}
	made_bytes(base + XDATA, info, sizeof info);
	memset(made_at(base + 0x1000), 0x90, 0x2000);
	for (unsigned i = 0; i < FUNCTIONS; i++)
		made_bytes(base + 0x1000 + 0x100 * i + 0x3b, "\xe8", 1);
}

/* One export, `name` at rva. */
static void
make_export(uint64_t base, const char *name, uint32_t rva)
{
	made_directory(base, 0, EXPORTS, 0x40);
	made_u32(base + EXPORTS + 20, 1);
	made_u32(base + EXPORTS + 24, 1);
	made_u32(base + EXPORTS + 28, EXPORTS + 0x40);
	made_u32(base + EXPORTS + 32, EXPORTS + 0x44);
	made_u32(base + EXPORTS + 36, EXPORTS + 0x48);
	made_u32(base + EXPORTS + 0x40, rva);
	made_u32(base + EXPORTS + 0x44, EXPORTS + 0x50);
	made_bytes(base + EXPORTS + 0x50, name, strlen(name) + 1);
}

static void
begin(void)
{
	made_begin(9, 2);
	made_module(BASE, 0x8000, "C:\\x.exe");
	made_module(NTDLL, 0x8000, "C:\\ntdll.dll");
	made_range(STACK, SIZE);
	made_range(BASE, 0x8000);
	made_range(NTDLL, 0x8000);
	make_module(BASE);
	make_module(NTDLL);
	make_export(NTDLL, "RtlUserThreadStart", 0x1000);
	made_register(16, BASE + 0x1040);
	made_register(4, STACK);
	top = STACK;
}

/* Function n of a module has called the one above. */
static void
call_from(uint64_t base, unsigned n)
{
	top += 0x28;
	made_u64(top, base + 0x1040 + 0x100 * n);
	top += 8;
}

static void
walk(void)
{
	struct space *space = made_open(STACK, SIZE);
	walk_thread(space, &space->threads[0], NULL, &frames);
}

static void
by_pdata(void)
{
	begin();
	call_from(BASE, 1);
	call_from(BASE, 2);
	call_from(NTDLL, 0);
	walk();
	CHECK(frames.count == 4 && frames.ended_well && frames.left_out == 0);
	CHECK(frames.list[0].trust == TRUST_CONTEXT && frames.list[0].exact && frames.list[0].function == BASE + 0x1000);
	CHECK(frames.list[1].trust == TRUST_PDATA && frames.list[1].pc == BASE + 0x1140 && frames.list[1].sp == STACK + 0x30);
	CHECK(!frames.list[1].exact && frames.list[1].repeated == 0 && frames.list[1].repeated_group == 1);
	CHECK(frames.list[2].module != NULL && frames.list[2].module->base == BASE && frames.list[2].name[0] == 0);
	CHECK_TEXT(frames.list[3].name, "RtlUserThreadStart");
	CHECK(frames.list[3].name_start == NTDLL + 0x1000);
}

/* An export is no name for a function it does not lie in. */
static void
export_rule(void)
{
	static const struct { uint32_t rva; const char *name; } list[] = {{0x10ff, ""}, {0x1100, "f"}, {0x1140, ""}, {0x113f, "f"}, {0x1110, "f"}};
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		begin();
		make_export(BASE, "f", list[i].rva);
		call_from(BASE, 1);
		call_from(NTDLL, 0);
		walk();
		CHECK(frames.count == 3);
		CHECK_TEXT(frames.list[0].name, "");
		CHECK_TEXT(frames.list[1].name, list[i].name);
		CHECK(frames.list[1].name_start == (list[i].name[0] != 0 ? BASE + list[i].rva : 0));
	}
}

/* A call that does not return may be a function's last instruction: the return address is the next function's, whose frame is
 * larger here and whose name is another. What a trap interrupted is taken as it is. */
static void
call_at_the_end(void)
{
	static const unsigned char info[] = {1, 4, 1, 0, 4, 0x82};
	begin();
	made_u32(BASE + PDATA + 12 * 2 + 8, XDATA + 0x10);
	made_bytes(BASE + XDATA + 0x10, info, sizeof info);
	make_export(BASE, "next", 0x1200);
	call_from(BASE, 1);
	made_u64(top - 8, BASE + 0x1200);
	call_from(BASE, 3);
	call_from(NTDLL, 0);
	walk();
	CHECK(frames.count == 4 && frames.ended_well);
	CHECK(frames.list[1].pc == BASE + 0x1200 && frames.list[1].function == BASE + 0x1100);
	CHECK_TEXT(frames.list[1].name, "");
	CHECK(frames.list[2].pc == BASE + 0x1340 && frames.list[2].trust == TRUST_PDATA);
	begin();
	make_export(BASE, "next", 0x1200);
	made_register(16, BASE + 0x1200);
	made_u64(STACK, BASE + 0x1140); /* nothing of its prolog has run */
	walk();
	CHECK_TEXT(frames.list[0].name, "next");
	CHECK(frames.count > 1 && frames.list[1].pc == BASE + 0x1140 && frames.list[1].sp == STACK + 8);
}

/* Behind what a trap interrupted nothing was called: pc is the instruction itself, here its function's first one. */
static void
trap(void)
{
	static const unsigned char info[] = {1, 1, 1, 0, 0, 0x0a};
	begin();
	made_u32(BASE + PDATA + 12 * 2 + 8, XDATA + 0x10);
	made_bytes(BASE + XDATA + 0x10, info, sizeof info); /* function 2 stands on a trap's record */
	call_from(BASE, 2);
	made_u64(top, BASE + 0x1300);
	made_u64(top + 0x18, top + 0x100);
	made_u64(top + 0x100, BASE + 0x1140);
	top += 0x108;
	call_from(NTDLL, 0);
	walk();
	CHECK(frames.count == 5 && frames.ended_well);
	CHECK(frames.list[2].pc == BASE + 0x1300 && frames.list[2].exact && frames.list[2].function == BASE + 0x1300);
	CHECK(frames.list[3].pc == BASE + 0x1140 && !frames.list[3].exact);
}

/* Nor is a call that ends a module one of the next. */
static void
call_at_the_end_of_a_module(void)
{
	begin();
	call_from(BASE, 1);
	made_u64(top - 8, BASE + 0x8000);
	walk();
	CHECK(frames.count > 1 && frames.list[1].pc == BASE + 0x8000);
	CHECK(frames.list[1].module != NULL && frames.list[1].module->base == BASE);
}

/* Frame 0 in a function without frame: the return address is at rsp; it has a name when an export is near. */
static void
leaf(void)
{
	begin();
	make_export(BASE, "syscall", 0x1810);
	made_register(16, BASE + 0x1824);
	made_u64(STACK, BASE + 0x1140);
	top = STACK + 8;
	call_from(NTDLL, 0);
	walk();
	CHECK(frames.count == 3 && frames.list[1].trust == TRUST_PDATA && frames.list[1].pc == BASE + 0x1140);
	CHECK_TEXT(frames.list[0].name, "syscall");
	begin();
	make_export(BASE, "far", 0x1810);
	made_register(16, BASE + 0x1851);
	made_u64(STACK, BASE + 0x1140);
	walk();
	CHECK_TEXT(frames.list[0].name, "");
}

static void
call_through_null(void)
{
	begin();
	made_register(16, 0);
	made_u64(STACK, BASE + 0x1140);
	top = STACK + 8;
	call_from(NTDLL, 0);
	walk();
	CHECK(frames.count == 3 && frames.list[0].module == NULL && frames.list[0].pc == 0);
	CHECK(frames.list[1].trust == TRUST_SCAN && frames.list[2].trust == TRUST_PDATA);
	made_u64(STACK + 0x50, STACK + 0x80), made_u64(STACK + 0x58, BASE + 0x1340);
	made_register(5, STACK + 0x50); /* the caller's own pointer would lead past it */
	walk();
	CHECK(frames.count == 3 && frames.list[1].pc == BASE + 0x1140);
}

/* What lies beyond the thread's start is not looked at, whatever stands on the stack there. */
static void
ends_at_start(void)
{
	begin();
	call_from(NTDLL, 0);
	call_from(BASE, 3);
	call_from(BASE, 4);
	walk();
	CHECK(frames.count == 2 && frames.ended_well);
	begin();
	call_from(NTDLL, 0);
	made_u64(top + 0x10, BASE + 0x1340);
	made_u32(NTDLL + XDATA, 0x03); /* unwind data of an unknown version */
	walk();
	CHECK(frames.count == 2 && frames.ended_well);
}

static void
scan_when_data_is_missing(void)
{
	begin();
	made_bytes(BASE + XDATA, "\3", 1);
	made_u64(STACK + 0x50, BASE + 0x1141); /* no call before it */
	made_u64(STACK + 0x58, BASE + 0x4040); /* no code */
	made_u64(STACK + 0x60, BASE + 0x1240);
	walk();
	CHECK(frames.count == 2 && frames.list[1].trust == TRUST_SCAN && frames.list[1].pc == BASE + 0x1240);
	CHECK(!frames.ended_well);
}

static void
folding(void)
{
	begin();
	call_from(BASE, 1);
	for (unsigned i = 0; i < 500; i++)
		call_from(BASE, 2);
	call_from(BASE, 3);
	call_from(NTDLL, 0);
	walk();
	CHECK(frames.count == 5 && frames.ended_well && frames.left_out == 0);
	CHECK(frames.list[2].repeated == 499 && frames.list[2].repeated_group == 1 && frames.list[2].sp == STACK + 0x60);
	CHECK(frames.list[1].repeated == 0 && frames.list[3].repeated == 0);
}

static void
folding_groups(void)
{
	uint64_t sum = 0;
	begin();
	for (unsigned i = 0; i < 200; i++) {
		call_from(BASE, 1);
		call_from(BASE, 2);
		call_from(BASE, 2);
	}
	call_from(BASE, 4);
	call_from(NTDLL, 0);
	walk();
	for (size_t i = 0; i < frames.count; i++)
		sum += 1 + frames.list[i].repeated;
	CHECK(sum == 603 && frames.count < 12 && frames.list[1].repeated_group == 3 && frames.ended_well);
}

static void
few_repeats_stay(void)
{
	begin();
	for (unsigned i = 0; i < 6; i++)
		call_from(BASE, 2);
	call_from(NTDLL, 0);
	walk();
	CHECK(frames.count == 8);
	for (size_t i = 0; i < frames.count; i++)
		CHECK(frames.list[i].repeated == 0);
}

/* Deep without a pattern: the first frames and the last are kept. */
static void
deep(void)
{
	unsigned seed = 1;
	begin();
	for (unsigned i = 0; i < 1500; i++) {
		seed = seed * 1103515245u + 12345u;
		call_from(BASE, seed >> 16 & 7);
	}
	call_from(NTDLL, 0);
	walk();
	CHECK(frames.count <= FRAMES_MAX && frames.ended_well && frames.left_out > 1000);
	CHECK(frames.list[1].sp == STACK + 0x30 && frames.list[FRAMES_TOP - 1].sp == STACK + 0x30 * (FRAMES_TOP - 1));
	CHECK(frames.list[frames.count - 1].sp == STACK + 0x30 * 1501);
	CHECK(frames.list[frames.count - 2].sp == STACK + 0x30 * 1500);
	CHECK(frames.count + frames.left_out == 1502);
}

static void
nothing_to_walk(void)
{
	struct space *space;
	begin();
	space = made_open(STACK, SIZE);
	space->threads[0].context_at = 0;
	walk_thread(space, &space->threads[0], NULL, &frames);
	CHECK(frames.count == 0);
	begin();
	made_register(4, 0x10);
	made_register(16, 0x10);
	walk();
	CHECK(frames.count == 1 && !frames.ended_well);
	begin();
	made_register(4, UINT64_MAX - 0x20);
	walk();
	CHECK(frames.count == 1);
}

/* A frame pointer function whose frame pointer leads down: no loop comes of it. */
static void
no_way_down(void)
{
	static const unsigned char info[] = {1, 4, 2, 5, 4, 0x03, 1, 0x50};
	begin();
	made_bytes(BASE + XDATA, info, sizeof info);
	made_register(4, STACK + 0x100);
	made_register(5, STACK + 0x40);
	made_u64(STACK + 0x40, STACK + 0x40);
	made_u64(STACK + 0x48, BASE + 0x1040);
	walk();
	CHECK(frames.count >= 1 && frames.count < 4);
}

struct jit {
	struct code_source source;
	uint64_t at;
};

static bool
jit_unwind(struct code_source *source, struct space *space, uint64_t pc, uint64_t *base, uint32_t entry[3])
{
	struct jit *jit = (struct jit *)source;
	(void)space;
	if (pc < jit->at || pc - jit->at >= 0x100)
		return false;
	*base = BASE;
	entry[0] = (uint32_t)(jit->at - BASE);
	entry[1] = entry[0] + 0x100;
	entry[2] = XDATA;
	return true;
}

static bool
jit_name(struct code_source *source, struct space *space, uint64_t pc, char name[FRAME_NAME_MAX], uint64_t *start)
{
	struct jit *jit = (struct jit *)source;
	(void)space;
	if (pc < jit->at || pc - jit->at >= 0x100)
		return false;
	memcpy(name, "A.B.C", 6);
	*start = jit->at;
	return true;
}

static void
managed_code(void)
{
	struct jit jit = {{jit_unwind, jit_name}, BASE + 0x10000};
	struct space *space;
	begin();
	call_from(BASE, 1);
	top += 0x28;
	made_u64(top, jit.at + 0x40);
	top += 8;
	call_from(BASE, 2);
	call_from(NTDLL, 0);
	space = made_open(STACK, SIZE);
	walk_thread(space, &space->threads[0], &jit.source, &frames);
	CHECK(frames.count == 5 && frames.ended_well);
	CHECK(frames.list[2].managed && frames.list[2].module == NULL && frames.list[2].name_start == jit.at);
	CHECK_TEXT(frames.list[2].name, "A.B.C");
	CHECK(!frames.list[3].managed && frames.list[3].trust == TRUST_PDATA);
}

/* x86 has no tables: an export counts when no other function begins between it and pc. */
static void
export_rule_x86(void)
{
	static const struct { uint32_t rva; unsigned char between[5]; const char *name; } list[] = {
		{0x1100, {0x8b, 0x45, 0x08, 0xc3, 0x90}, ""},      /* a return and filling */
		{0x1100, {0x8b, 0x45, 0xc2, 0x08, 0x00}, "f"},     /* a return with code behind it */
		{0x1100, {0x8b, 0x45, 0xcc, 0xcc, 0x51}, ""},
		{0x1100, {0x8b, 0x45, 0x08, 0xcc, 0x51}, "f"},     /* one such byte is part of an instruction */
		{0x1100, {0xc3, 0x55, 0x8b, 0xec, 0x51}, ""},
		{0x1100, {0xc3, 0x51, 0x8b, 0xec, 0x51}, "f"},
		{0x1125, {0xcc, 0xcc, 0xcc, 0xcc, 0xcc}, "f"},     /* the export begins right behind the filling */
		{0x1141, {0x51, 0x51, 0x51, 0x51, 0x51}, ""},      /* behind pc */
	};
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		made_begin(0, 2);
		made_module(BASE & 0x7fffffff, 0x8000, "C:\\x.exe");
		made_range(STACK, SIZE);
		made_range(BASE & 0x7fffffff, 0x8000);
		made_pe(BASE & 0x7fffffff);
		made_u16((BASE & 0x7fffffff) + 0x84, 0x14c);
		make_export(BASE & 0x7fffffff, "f", list[i].rva);
		memset(made_at((BASE & 0x7fffffff) + 0x1000), 0x51, 0x1000);
		made_bytes((BASE & 0x7fffffff) + 0x1120, list[i].between, 5);
		made_number(made.file + MADE_CONTEXT + 0xb8, (BASE & 0x7fffffff) + 0x1140, 4);
		made_number(made.file + MADE_CONTEXT + 0xc4, STACK, 4);
		walk();
		CHECK(frames.count >= 1);
		CHECK_TEXT(frames.list[0].name, list[i].name);
	}
}

/* A Linux thread whose signal's handler went over to a stack of its own: what was interrupted is found by the record
 * that something there points at. */
#define OTHER 0x300000u
#define RECORD (OTHER + 0x8000)

static void
put_record(uint64_t at, uint64_t pc, uint64_t sp, uint64_t segments)
{
	made_u64(at + 40 + 8 * 10, 0x77); /* rbp */
	made_u64(at + 40 + 8 * 15, sp);
	made_u64(at + 40 + 8 * 16, pc);
	made_u64(at + 40 + 8 * 18, segments);
	made_u64(at + 40 + 8 * 20, 14);
}

static struct space *
begin_signal(uint64_t segments)
{
	made_begin(9, 0x8201);
	made_module(BASE, 0x8000, "/x");
	made_range(STACK, 0x1000);
	made_range(OTHER, 0x10000);
	made_range(BASE, 0x8000);
	make_module(BASE);
	made_register(16, 0x7000000); /* nowhere */
	made_register(4, STACK + 0x100);
	made_register(5, 0);
	made_u64(STACK + 0x400, 0x30);             /* no records: too low, unreadable, not aligned, none */
	made_u64(STACK + 0x408, 0x900000);
	made_u64(STACK + 0x410, RECORD + 4);
	made_u64(STACK + 0x418, OTHER + 0x100);
	made_u64(STACK + 0x420, RECORD);
	put_record(RECORD, BASE + 0x1240, OTHER + 0x2000, segments);
	made_u64(OTHER + 0x2028, BASE + 0x1340);
	made_open(STACK, 0x1000)->crash.thread = 7;
	return &made.space;
}

static void
other_stack(void)
{
	static const uint64_t bad[] = {0, 0x23, 0x0010000000000033};
	struct space *space = begin_signal(0x002b000000000033);
	walk_thread(space, &space->threads[0], NULL, &frames);
	CHECK(frames.count >= 3 && frames.list[1].pc == BASE + 0x1240 && frames.list[1].exact);
	CHECK(frames.list[1].sp == OTHER + 0x2000 && frames.list[1].trust == TRUST_SCAN);
	CHECK(frames.list[2].pc == BASE + 0x1340 && frames.list[2].trust == TRUST_PDATA);
	space->crash.thread = 8;
	walk_thread(space, &space->threads[0], NULL, &frames);
	CHECK(frames.count == 1);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		space = begin_signal(bad[i]);
		walk_thread(space, &space->threads[0], NULL, &frames);
		CHECK(frames.count == 1);
	}
	space = begin_signal(0x33);
	put_record(RECORD, 0x40, OTHER + 0x2000, 0x33); /* no code */
	walk_thread(space, &space->threads[0], NULL, &frames);
	CHECK(frames.count == 1);
	put_record(RECORD, BASE + 0x1240, STACK + 0x200, 0x33); /* the stack that is left */
	walk_thread(space, &space->threads[0], NULL, &frames);
	CHECK(frames.count == 1);
	for (unsigned i = 0; i < 16; i++) { /* records that point at each other's stack end after some */
		put_record(OTHER + 0x4000 + 0x100 * i, BASE + 0x1040, i % 2 == 0 ? STACK : OTHER, 0x33);
		made_u64(STACK + 8 * i, OTHER + 0x4000);
		made_u64(OTHER + 8 * i, OTHER + 0x4100);
	}
	walk_thread(space, &space->threads[0], NULL, &frames);
	CHECK(frames.count > 0 && frames.count <= 20);
}

/* Real dumps of Windows: what Breakpad's own walk finds by context and frame pointers, its scan's inventions below the
 * thread's start left away. */
static void
real_dumps(void)
{
	static const struct { const char *path; size_t count; uint64_t second; uint32_t repeated; } list[] = {
		{"../shared/dumps/real/ascii_read_av.dmp", 6, 0xd683d8, 0},
		{"../shared/dumps/real/stack_exhaustion.dmp", 8, 0xdea6a7, 238},
		{"../shared/dumps/real/thread_name_list.dmp", 4, 0x75010419, 0},
		{"../shared/dumps/real/tiny-exe-fastfail.dmp", 22, 0x7ffb0b1815a0, 0},
		{"../shared/dumps/real/write_av_non_canonical.dmp", 9, 0x7ff738721220, 0},
	};
	static struct space space;
	struct fault fault;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		const struct thread *thread;
		fault_clear(&fault);
		made.memory.used = 0;
		if (!dump_open(&space, &made.memory, list[i].path, &fault)) {
			CHECK(fault.kind == FAULT_MISSING);
			SKIP("no ../shared/dumps/real");
			return;
		}
		thread = space_thread(&space, space.crash.thread);
		CHECK(thread != NULL);
		if (thread != NULL)
			walk_thread(&space, thread, NULL, &frames);
		CHECK(frames.count == list[i].count && frames.ended_well);
		CHECK(frames.list[1].pc == list[i].second && frames.list[1].repeated == list[i].repeated);
		dump_close(&space);
	}
}

int
main(void)
{
	UNIT_RUN(by_pdata);
	UNIT_RUN(export_rule);
	UNIT_RUN(call_at_the_end);
	UNIT_RUN(call_at_the_end_of_a_module);
	UNIT_RUN(trap);
	UNIT_RUN(leaf);
	UNIT_RUN(call_through_null);
	UNIT_RUN(ends_at_start);
	UNIT_RUN(scan_when_data_is_missing);
	UNIT_RUN(folding);
	UNIT_RUN(folding_groups);
	UNIT_RUN(few_repeats_stay);
	UNIT_RUN(deep);
	UNIT_RUN(nothing_to_walk);
	UNIT_RUN(no_way_down);
	UNIT_RUN(managed_code);
	UNIT_RUN(export_rule_x86);
	UNIT_RUN(other_stack);
	UNIT_RUN(real_dumps);
	return unit_end();
}
