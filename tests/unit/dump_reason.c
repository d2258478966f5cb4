/* SPDX-License-Identifier: MIT */
#include "dump/reason.h"

#include "dump_open.h"
#include "unit.h"

#define WINDOWS 2
#define LINUX 0x8201
#define MAC 0x8101
#define X64 9
#define X86 0

static char words[3][600];

/* Opens what was made and asks for the words, the type and the hint. */
static void
ask(void)
{
	struct text text;
	CHECK(open_made());
	text = text_in(words[0], sizeof words[0]);
	reason_put(&text, &space);
	text = text_in(words[1], sizeof words[1]);
	reason_put_type(&text, &space);
	text = text_in(words[2], sizeof words[2]);
	reason_put_hint(&text, &space);
	space_close(&space);
}

/* A dump with one thread 7 at pc; the flags of the exception are the signal's code. */
static void
make(unsigned cpu, unsigned platform, uint64_t pc, uint32_t code, uint32_t flags, uint64_t address, uint32_t count,
     const uint64_t *parameters)
{
	size_t list, context, exception;
	minidump_begin(&maker);
	minidump_system(&maker, cpu, platform);
	context = put_context(&maker, pc, 0x20000, 1232);
	list = put(&maker, 1, 4);
	put_thread(&maker, 7, 0, 0, 0, 0, context, 1232);
	minidump_stream(&maker, STREAM_THREADS, list, 52);
	exception = put_exception(&maker, 7, code, address, count, parameters, context, 1232);
	put_at(&maker, exception + 12, flags, 4);
}

static void
check(const char *reason, const char *type, const char *hint)
{
	ask();
	CHECK_TEXT(words[0], reason);
	CHECK_TEXT(words[1], type);
	CHECK_TEXT(words[2], hint);
}

static void
names_accesses(void)
{
	make(X64, WINDOWS, 0x1000, 0xc0000005, 0, 0x1000, 2, (const uint64_t[]){0, 0});
	check("access violation reading 0x0 (c0000005)", "EXCEPTION_ACCESS_VIOLATION_READ", "null pointer");
	make(X64, WINDOWS, 0x1000, 0xc0000005, 0, 0x1000, 2, (const uint64_t[]){1, 0xffff});
	check("access violation writing 0xffff (c0000005)", "EXCEPTION_ACCESS_VIOLATION_WRITE", "null pointer + 0xffff");
	make(X64, WINDOWS, 0x1000, 0xc0000005, 0, 0x1000, 2, (const uint64_t[]){1, 0x10000});
	check("access violation writing 0x10000 (c0000005)", "EXCEPTION_ACCESS_VIOLATION_WRITE", "");
	make(X64, WINDOWS, 0, 0xc0000005, 0, 0, 2, (const uint64_t[]){8, 0});
	check("access violation executing 0x0 (c0000005)", "EXCEPTION_ACCESS_VIOLATION_EXEC",
	      "null pointer; a call through a null pointer");
	make(X64, WINDOWS, 0x777000, 0xc0000005, 0, 0, 2, (const uint64_t[]){8, 0x777000});
	check("access violation executing 0x777000 (c0000005)", "EXCEPTION_ACCESS_VIOLATION_EXEC", "a jump to where no code is");
	make(X64, WINDOWS, 0x1000, 0xc0000005, 0, 0, 2, (const uint64_t[]){99, 0x5000000});
	check("access violation touching 0x5000000 (c0000005)", "EXCEPTION_ACCESS_VIOLATION", "");
	make(X64, WINDOWS, 0x1000, 0xc0000005, 0, 0, 1, (const uint64_t[]){1});
	check("access violation (c0000005)", "EXCEPTION_ACCESS_VIOLATION", "");
	make(X64, WINDOWS, 0x1000, 0xc0000006, 0, 0, 3, (const uint64_t[]){0, 0x5000000, 0xc000009c});
	check("in-page error reading 0x5000000 (status c000009c) (c0000006)", "EXCEPTION_IN_PAGE_ERROR_READ", "");
}

static void
hints_at_addresses(void)
{
	make(X64, WINDOWS, 0x1000, 0xc0000005, 0, 0, 2, (const uint64_t[]){0, UINT64_MAX});
	put_at(&maker, 32 + 12 * MAKER_STREAMS + 56 + 0x80, 0xfeeefeeefeeefeee, 8);
	check("access violation reading 0xffffffffffffffff (c0000005)", "EXCEPTION_ACCESS_VIOLATION_READ",
	      "probably an address that no pointer can have (not canonical): rcx is 0xfeeefeeefeeefeee (freed heap memory)");
	make(X64, WINDOWS, 0x1000, 0xc0000005, 0, 0, 2, (const uint64_t[]){0, 0xfffffffffffffff8});
	ask();
	CHECK_TEXT(words[2], "null pointer - 0x8");
	make(X86, WINDOWS, 0x1000, 0xc0000005, 0, 0, 2, (const uint64_t[]){0, 0xffffffffcdcdcdd5});
	check("access violation reading 0xcdcdcdd5 (c0000005)", "EXCEPTION_ACCESS_VIOLATION_READ",
	      "0xcdcdcdd5 looks like uninitialised heap memory of a debug build");
	make(X86, WINDOWS, 0x1000, 0xc0000005, 0, 0, 2, (const uint64_t[]){0, 0xcdcdddcd});
	ask();
	CHECK_TEXT(words[2], "");
}

static void
names_fail_fast(void)
{
	make(X64, WINDOWS, 0x1000, 0xc0000409, 1, 0, 1, (const uint64_t[]){7});
	check("fail fast 7: abort() or std::terminate() (c0000409)", "FAST_FAIL_FATAL_APP_EXIT", "");
	make(X64, WINDOWS, 0x1000, 0xc0000409, 1, 0, 1, (const uint64_t[]){0x100000002});
	check("fail fast 4294967298: unknown code (c0000409)", "EXCEPTION_STACK_BUFFER_OVERRUN", "");
	make(X64, WINDOWS, 0x1000, 0xc0000409, 1, 0, 0, NULL);
	check("fail fast (c0000409)", "EXCEPTION_STACK_BUFFER_OVERRUN", "");
}

static void
names_other_exceptions(void)
{
	make(X64, WINDOWS, 0x1000, 0xe0434352, 1, 0, 5, (const uint64_t[]){0xffffffff80131509, 0, 0, 0, 0x180000000});
	check(".NET exception, HRESULT 80131509 (e0434352)", "CLR_EXCEPTION", "");
	make(X64, WINDOWS, 0x1000, 0xdeadbeef, 3, 0, 0, NULL);
	check("exception (deadbeef)", "0xdeadbeef / 0x00000003", "");
	make(X64, WINDOWS, 0x1000, 0, 0, 0, 0, NULL);
	check("no crash recorded", "", "");
	make(X64, WINDOWS, 0x1000, 0x0517a7ed, 0, 0, 0, NULL);
	check("no crash recorded", "", "");
	make(X64, MAC, 0x1000, 1, 2, 0x30, 0, NULL);
	check("EXC_BAD_ACCESS, invalid memory reference at 0x30", "EXC_BAD_ACCESS / KERN_PROTECTION_FAILURE", "null pointer + 0x30");
}

static void
names_signals(void)
{
	make(X64, LINUX, 0x1000, 11, 1, 0x30, 0, NULL);
	check("SIGSEGV, invalid memory reference at 0x30 (SEGV_MAPERR: address not mapped)", "SIGSEGV / SEGV_MAPERR",
	      "null pointer + 0x30");
	make(X64, LINUX, 0x1000, 11, 0x80, 0, 0, NULL);
	ask();
	CHECK_TEXT(words[1], "SIGSEGV / SI_KERNEL");
	CHECK_TEXT(words[2], "probably an address that no pointer can have (not canonical)");
	make(X64, LINUX, 0x1000, 6, 0xfffffffa, 0x3e800000001, 0, NULL);
	check("SIGABRT, abort (SI_TKILL: sent by a thread, mostly the process itself)", "SIGABRT", "");
	make(X64, LINUX, 0x1000, 8, 0, 0x401f27, 0, NULL);
	check("SIGFPE, arithmetic error at 0x401f27", "SIGFPE / 0x00000000", "");
	make(X64, LINUX, 0x1000, 42, 7, 0, 0, NULL);
	check("signal 42", "0x0000002a / 0x00000007", "");
	make(X64, LINUX, 0x1000, 0xffffffff, 0, 0, 0, NULL);
	check("no crash recorded", "", "");
}

/* Adds memory at an address: one MemoryList of one range, filled by the caller. */
static size_t
add_memory(uint64_t address, size_t size)
{
	size_t at = put_bytes(&maker, NULL, size), list = put(&maker, 1, 4);
	put(&maker, address, 8);
	put(&maker, size, 4);
	put(&maker, at, 4);
	minidump_stream(&maker, STREAM_MEMORY, list, 20);
	return at;
}

static void
make_msvc(const char *mangled)
{
	size_t at;
	make(X64, WINDOWS, 0x1000, 0xe06d7363, 1, 0, 4, (const uint64_t[]){0x19930520, 0x100600, 0x100100, 0x100000});
	at = add_memory(0x100000, 0x800);
	put_at(&maker, at + 0x100 + 12, 0x200, 4);
	put_at(&maker, at + 0x200, 1, 4);
	put_at(&maker, at + 0x204, 0x300, 4);
	put_at(&maker, at + 0x304, 0x400, 4);
	memcpy(maker.bytes + at + 0x410, mangled, strlen(mangled));
	put_at(&maker, at + 0x608, 0x100700, 8);
	memcpy(maker.bytes + at + 0x700, "order 42", 8);
}

static void
names_msvc_types(void)
{
	make_msvc(".?AVerror@shop@@");
	check("C++ exception shop::error: order 42 (e06d7363)", "Unhandled C++ Exception", "");
	make_msvc(".?AV?$list@H@std@@");
	ask();
	CHECK_TEXT(words[0], "C++ exception .?AV?$list@H@std@@: order 42 (e06d7363)");
	make_msvc(".?AVerror@\x01shop@@");
	ask();
	CHECK_TEXT(words[0], "C++ exception (e06d7363)");
	make_msvc("");
	ask();
	CHECK_TEXT(words[0], "C++ exception (e06d7363)");
	make(X64, WINDOWS, 0x1000, 0xe06d7363, 1, 0, 4, (const uint64_t[]){0, 0, UINT64_MAX, UINT64_MAX});
	ask();
	CHECK_TEXT(words[0], "C++ exception (e06d7363)");
	make(X64, WINDOWS, 0x1000, 0xe06d7363, 1, 0, 0, NULL);
	ask();
	CHECK_TEXT(words[0], "C++ exception (e06d7363)");
}

static void
make_gcc(const char *mangled)
{
	size_t at;
	make(X64, WINDOWS, 0x1000, 0x20474343, 0, 0, 1, (const uint64_t[]){0x100100});
	at = add_memory(0x100000, 0x800);
	put_at(&maker, at + 0x100 - 80, 0x100300, 8);
	put_at(&maker, at + 0x308, 0x100400, 8);
	memcpy(maker.bytes + at + 0x400, mangled, strlen(mangled));
	put_at(&maker, at + 0x148, 0x100700, 8);
	memcpy(maker.bytes + at + 0x700, "order 42", 8);
}

static void
names_gcc_types(void)
{
	make_gcc("St13runtime_error");
	ask();
	CHECK_TEXT(words[0], "C++ exception (GCC) std::runtime_error: order 42 (20474343)");
	make_gcc("N4shop5errorE");
	ask();
	CHECK_TEXT(words[0], "C++ exception (GCC) shop::error: order 42 (20474343)");
	make_gcc("*10OrderError");
	ask();
	CHECK_TEXT(words[0], "C++ exception (GCC) OrderError: order 42 (20474343)");
	make_gcc("N4shop9999error");
	ask();
	CHECK_TEXT(words[0], "C++ exception (GCC) N4shop9999error: order 42 (20474343)");
	make_gcc("i");
	ask();
	CHECK_TEXT(words[0], "C++ exception (GCC) i: order 42 (20474343)");
}

static void
tells_assertions(void)
{
	size_t at;
	make(X64, WINDOWS, 0x1000, 0xc000000d, 0, 0, 0, NULL);
	at = put_bytes(&maker, NULL, 776);
	minidump_stream(&maker, STREAM_ASSERTION, at, 776);
	ask();
	CHECK_TEXT(words[0], "invalid parameter (c000000d)");
	put_at(&maker, at + 256, 'f', 2);
	ask();
	CHECK_TEXT(words[0], "invalid parameter: f (c000000d)");
	put_at(&maker, at, 'x', 2), put_at(&maker, at + 512, 'c', 2), put_at(&maker, at + 768, 12, 4);
	ask();
	CHECK_TEXT(words[0], "invalid parameter: x, f, c:12 (c000000d)");
}

static void
stays_within_small_rooms(void)
{
	make_msvc(".?AVerror@shop@@");
	CHECK(open_made());
	for (size_t room = 1; room < 60; room++) {
		char *small = malloc(room);
		struct text text = text_in(small, room);
		reason_put(&text, &space);
		reason_put_type(&text, &space);
		reason_put_hint(&text, &space);
		CHECK(strlen(small) < room);
		free(small);
	}
	space_close(&space);
}

/* Real dumps, when they are there: what Breakpad's minidump_stackwalk says of them. */
static void
agrees_on_real_dumps(void)
{
	static const struct {
		const char *name, *type;
		size_t threads, modules;
		uint64_t pc;
	} known[] = {
		{"tiny-exe-fastfail", "FAST_FAIL_FATAL_APP_EXIT", 4, 21, 0x7ff75355af42},
		{"write_av_non_canonical", "EXCEPTION_ACCESS_VIOLATION_READ", 0, 0, 0},
		{"stack_exhaustion", "EXCEPTION_STACK_OVERFLOW", 2, 0, 0xdea637},
		{"null_read_av", "EXCEPTION_ACCESS_VIOLATION_READ", 2, 0, 0},
		{"linux_inline", "SIGILL / ILL_ILLOPN", 0, 0, 0x2161b6},
		{"linux_raise_sigabrt", "SIGABRT", 0, 0, 0},
		{"rm-pipeline-inlines-macos-segv", "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS", 0, 0, 0},
		{"minidump_crashpad_annotation", "Uncaught NSException", 0, 0, 0},
		{"thread_name_list", "EXCEPTION_ACCESS_VIOLATION_READ", 0, 0, 0},
		{"tiny-exe-with-cet-xsave", "", 0, 0, 0},
	};
	char path[200], room[100];
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct text type = text_in(room, sizeof room);
		struct registers registers;
		const struct thread *thread;
		snprintf(path, sizeof path, "../shared/dumps/real/%s.dmp", known[i].name);
		memory.used = 0;
		fault_clear(&fault);
		if (!space_open(&space, &memory, path, &fault)) {
			CHECK(fault.kind == FAULT_MISSING);
			SKIP("no shared dumps here");
			return;
		}
		reason_put_type(&type, &space);
		CHECK_TEXT(room, known[i].type);
		CHECK(known[i].threads == 0 || known[i].threads == space.thread_count);
		CHECK(known[i].modules == 0 || known[i].modules == space.module_count);
		thread = space.crash.recorded ? space_thread(&space, space.crash.thread) : space.threads;
		CHECK(thread != NULL && space_registers(&space, thread, &registers));
		CHECK(known[i].pc == 0 || registers.pc == known[i].pc);
		space_close(&space);
	}
}

int
main(void)
{
	if (!memory_open(&memory, space_need(), &fault))
		return 1;
	UNIT_RUN(names_accesses);
	UNIT_RUN(hints_at_addresses);
	UNIT_RUN(names_fail_fast);
	UNIT_RUN(names_other_exceptions);
	UNIT_RUN(names_signals);
	UNIT_RUN(names_msvc_types);
	UNIT_RUN(names_gcc_types);
	UNIT_RUN(tells_assertions);
	UNIT_RUN(stays_within_small_rooms);
	UNIT_RUN(agrees_on_real_dumps);
	return unit_end();
}
