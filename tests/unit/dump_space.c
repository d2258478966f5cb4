/* SPDX-License-Identifier: MIT */
#include "dump/open.h"

#include "opened_dump.h"
#include "dump/reason.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char name[SPACE_NAME_MAX];

/* Two threads, two modules, three ranges of full memory and a crash. */
static void
make_full(void)
{
	static const uint64_t parameters[] = {1, 0x24};
	size_t first, second, list, context, crash_context, named, codeview;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	context = put_context(&maker, 0x7ff000, 0x20000, 1232);
	crash_context = put_context(&maker, 0x140001000, 0x20100, 1232 + 700); /* with XSTATE behind */
	first = put_string(&maker, "C:\\site\\w3wp.exe");
	second = put_string(&maker, "C:\\Windows\\ntdll.dll");
	codeview = put_bytes(&maker, "RSDS\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\2\0\0\0a.pdb", 30);
	list = put(&maker, 2, 4);
	put_module(&maker, 0x7ff800000000, 0x1000, second, 0, 0);
	put_module(&maker, 0x140000000, 0x2000, first, codeview, 30);
	minidump_stream(&maker, STREAM_MODULES, list, 4 + 2 * 108);
	list = put(&maker, 2, 4);
	put_thread(&maker, 7, 0, 0x20000, 0x100, 0, context, 1232);
	put_thread(&maker, 8, 0x30000, 0x20100, 0x100, 0, context, 1232);
	minidump_stream(&maker, STREAM_THREADS, list, 4 + 2 * 48);
	named = put_string(&maker, "worker");
	list = put(&maker, 1, 4);
	put(&maker, 8, 4);
	put(&maker, named, 8);
	minidump_stream(&maker, STREAM_THREAD_NAMES, list, 16);
	put_exception(&maker, 8, 0xc0000005, 0x140001000, 2, parameters, crash_context, 1232 + 700);
	list = put(&maker, 3, 8);
	put(&maker, maker.used + 8 + 48, 8);
	put(&maker, 0x20000, 8), put(&maker, 0x100, 8);
	put(&maker, 0x20100, 8), put(&maker, 0x100, 8);
	put(&maker, 0x30000, 8), put(&maker, 0x1000, 8);
	minidump_stream(&maker, STREAM_MEMORY64, list, 16 + 48);
	for (size_t i = 0; i < 0x1200; i++)
		put(&maker, i < 0x200 ? i : i == 0x200 + 13 * 8 ? 87 : 0, 1);
}

static void
reads_a_full_dump(void)
{
	struct registers registers;
	uint64_t start, size;
	uint32_t value = 0;
	unsigned char room[16];
	make_full();
	CHECK(open_made());
	CHECK(space.arch == ARCH_X64 && space.os == OS_WINDOWS && space.pointer_size == 8 && space.os_build == 20348);
	CHECK(space.module_count == 2 && space.thread_count == 2 && space.crash.recorded && space.crash.thread == 8);
	CHECK(space.modules[0].base == 0x140000000 && space.main_base == 0x7ff800000000);
	CHECK(space.modules[0].version == 0x0001000200030004);
	CHECK(space.crash.has_fault_address && space.crash.fault_address == 0x24);
	/* across two ranges that adjoin, and not beyond the last byte */
	CHECK(space_read(&space, 0x200f8, room, 16) && room[7] == 0xff && room[8] == 0x00);
	CHECK(space_read(&space, 0x201f0, room, 16));
	CHECK(!space_read(&space, 0x201f1, room, 16));
	CHECK(space_read_some(&space, 0x201f1, room, 16) == 15);
	CHECK(!space_read(&space, 0x1ffff, room, 1) && !space_read(&space, UINT64_MAX, room, 2));
	CHECK(space_range_at(&space, 0x20180, &start, &size) && start == 0x20100 && size == 0x100);
	CHECK(space_range_at(&space, 0x20200, &start, &size) && start == 0x30000);
	CHECK(space_range_at(&space, 0, &start, &size) && start == 0x20000);
	CHECK(!space_range_at(&space, 0x31000, &start, &size));
	/* the crash's own context, and the list's for the other */
	CHECK(space_registers(&space, &space.threads[1], &registers) && registers.pc == 0x140001000 && registers.sp == 0x20100);
	CHECK(registers.r[3] == 0x103 && registers.r[4] == 0x20100 && registers.valid == 0xffff);
	CHECK(space_registers(&space, &space.threads[0], &registers) && registers.pc == 0x7ff000);
	CHECK(space_last_error(&space, &space.threads[1], &value) && value == 87);
	CHECK(!space_last_error(&space, &space.threads[0], &value));
	space_thread_name(&space, &space.threads[1], name);
	CHECK_TEXT(name, "worker");
	CHECK(space.soft_count == 0);
}

static void
knows_modules(void)
{
	char id[2 * SPACE_BUILD_ID_MAX + 1];
	make_full();
	CHECK(open_made());
	CHECK(space_module_at(&space, 0x13fffffff) == NULL);
	CHECK(space_module_at(&space, 0x140000000) == &space.modules[0]);
	CHECK(space_module_at(&space, 0x140001fff) == &space.modules[0]);
	CHECK(space_module_at(&space, 0x140002000) == NULL);
	space_module_name(&space, &space.modules[0], name);
	CHECK_TEXT(name, "C:\\site\\w3wp.exe");
	CHECK_TEXT(space_short_name(name), "w3wp.exe");
	space_debug_id(&space, &space.modules[0], id);
	CHECK_TEXT(id, "0403020106050807090A0B0C0D0E0F102");
	space_code_id(&space, &space.modules[0], id);
	CHECK_TEXT(id, "5A5A00012000");
	space_debug_name(&space, &space.modules[0], name);
	CHECK_TEXT(name, "a.pdb");
	space_debug_id(&space, &space.modules[1], id);
	CHECK_TEXT(id, "");
	CHECK_TEXT(space_short_name("/usr/lib/"), "lib/");
	CHECK_TEXT(space_short_name(""), "");
}

/* Whatever is left of a dump, nothing is read out of bounds (the sanitizers watch) and every answer comes. */
static void
use_everything(void)
{
	struct registers registers;
	struct module gone;
	uint64_t value;
	uint32_t error;
	char id[2 * SPACE_BUILD_ID_MAX + 1], room[400];
	struct text text = text_in(room, sizeof room);
	for (size_t i = 0; i < space.module_count && i < 20; i++) {
		space_module_name(&space, &space.modules[i], name);
		space_debug_id(&space, &space.modules[i], id);
		space_code_id(&space, &space.modules[i], id);
		space_debug_name(&space, &space.modules[i], name);
	}
	for (size_t i = 0; i < space.thread_count && i < 20; i++) {
		space_thread_name(&space, &space.threads[i], name);
		(void)!space_last_error(&space, &space.threads[i], &error);
		if (space_registers(&space, &space.threads[i], &registers))
			(void)!space_pointer(&space, registers.sp, &value);
	}
	for (uint64_t i = 0; i < 20 && space_unloaded(&space, i, &gone); i++)
		space_module_name(&space, &gone, name);
	(void)!space_comment(&space, &text);
	reason_put(&text, &space);
	reason_put_type(&text, &space);
	reason_put_hint(&text, &space);
	dump_close(&space);
}

static void
survives_truncation_at_every_byte(void)
{
	unsigned good = 0;
	make_full();
	for (size_t size = 0; size < maker.used; size++) {
		/* a copy of its own size, so that the sanitizer sees each byte beyond */
		unsigned char *cut = malloc(size + 1);
		memcpy(cut, maker.bytes, size);
		if (open_span((struct span){cut, size})) {
			good++;
			CHECK(space.soft_count > 0);
			use_everything();
		} else {
			CHECK(fault.kind == FAULT_CORRUPT && fault.text[0] != 0);
		}
		free(cut);
	}
	CHECK(good > 0x1000);
}

static void
survives_single_bytes_changed(void)
{
	make_full();
	for (size_t at = 0; at < maker.used - 0x1200; at++) {
		unsigned char kept = maker.bytes[at];
		static const unsigned char values[] = {0, 0xff, 0x80};
		for (size_t i = 0; i < sizeof values; i++) {
			maker.bytes[at] = values[i];
			if (open_made())
				use_everything();
		}
		maker.bytes[at] = kept;
	}
	CHECK(open_made());
}

static void
clamps_what_lists_claim(void)
{
	size_t list;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	list = put(&maker, 0xffffffff, 4);
	put_thread(&maker, 7, 0, 0, 0, 0, 0, 0);
	minidump_stream(&maker, STREAM_THREADS, list, 4 + 48);
	list = put(&maker, UINT64_MAX, 8);
	put(&maker, UINT64_MAX - 4, 8);
	put(&maker, 0x1000, 8), put(&maker, UINT64_MAX, 8);
	put(&maker, 0x2000, 8), put(&maker, UINT64_MAX, 8);
	minidump_stream(&maker, STREAM_MEMORY64, list, 48);
	put_exception(&maker, 7, 0xc0000005, 1, 0xffffffff, (const uint64_t[15]){0}, 0xfffffff0, 0xffffffff);
	CHECK(open_made());
	CHECK(space.thread_count == 1 && space.crash.parameter_count == 15 && space.soft_count == 4);
	CHECK(space.lists[0].usable == 0);
	use_everything();
}

/* 200 ranges, sorted or not, some upon others: each address asked for in any order is where a plain search finds it, and what
 * is not there is not looked for a second time. */
static void
remembers_where_nothing_is(void)
{
	static uint64_t starts[200], sizes[200];
	uint64_t start, size, seed = 1, budget;
	for (unsigned sorted = 0; sorted < 2; sorted++) {
		size_t list;
		minidump_begin(&maker);
		minidump_system(&maker, 9, 2);
		list = put(&maker, 1, 4);
		put_thread(&maker, 7, 0, 0, 0, 0, 0, 0);
		minidump_stream(&maker, STREAM_THREADS, list, 52);
		list = put(&maker, 200, 4);
		for (unsigned i = 0; i < 200; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			starts[i] = 0x1000 + (sorted == 1 ? i * 0x40 : (seed >> 33) % 0x3200);
			sizes[i] = sorted == 1 ? (seed >> 50) % 0x41 : (seed >> 50) % 24;
			put(&maker, starts[i], 8), put(&maker, sizes[i], 4), put(&maker, 32, 4);
		}
		minidump_stream(&maker, STREAM_MEMORY, list, 4 + 200 * 16);
		CHECK(open_made() && space.lists[0].sorted == (sorted == 1));
		for (unsigned n = 0; n < 20000; n++) {
			uint64_t at, next = UINT64_MAX;
			bool here = false;
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			at = 0xf00 + (seed >> 33) % 0x3500;
			for (unsigned i = 0; i < 200; i++) {
				here = here || (at >= starts[i] && at - starts[i] < sizes[i]);
				if (starts[i] > at && sizes[i] > 0 && starts[i] < next)
					next = starts[i];
			}
			if (space_range_at(&space, at, &start, &size) != (here || next != UINT64_MAX) ||
			    ((here || next != UINT64_MAX) && (here ? at - start >= size : start != next)))
				fprintf(stderr, "at %llx\n", (unsigned long long)at), unit_bad++;
		}
		(void)!space_range_at(&space, 0x100000, &start, &size);
		budget = space.view.budget;
		for (uint64_t at = 0x5000; at < 0x200000; at += 0x1000)
			CHECK(!space_range_at(&space, at, &start, &size));
		CHECK(space.view.budget == budget);
	}
}

/* Sums and ends that wrap must not lead back into the file or to the bottom of memory; a stack at 0 of the file is not there. */
static void
places_do_not_wrap(void)
{
	uint64_t start, size;
	uint8_t byte;
	size_t list;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	list = put(&maker, 3, 8);
	put(&maker, 32, 8);
	put(&maker, 0x1000, 8), put(&maker, UINT64_MAX, 8);
	put(&maker, 0x200000, 8), put(&maker, 0x10, 8); /* behind the sum at 31 of the file */
	put(&maker, 0x300000, 8), put(&maker, 0x10, 8);
	minidump_stream(&maker, STREAM_MEMORY64, list, 64);
	list = put(&maker, 2, 4);
	put(&maker, UINT64_MAX - 7, 8), put(&maker, 0x100, 4), put(&maker, 32, 4);
	put(&maker, 0x400000, 8), put(&maker, 0x100, 4), put(&maker, 0xfffffff0, 4);
	minidump_stream(&maker, STREAM_MEMORY, list, 36);
	list = put(&maker, 1, 4);
	put_thread(&maker, 7, 0, 0x500000, 0x20, 0, 0, 0);
	minidump_stream(&maker, STREAM_THREADS, list, 4 + 48);
	CHECK(open_made() && space.lists[0].usable == 1 && space.lists[1].usable == 1);
	CHECK(space_u8(&space, 0x1000, &byte) && !space_u8(&space, 0x200000, &byte) && !space_u8(&space, 0x300000, &byte));
	CHECK(space_range_at(&space, UINT64_MAX - 7, &start, &size) && start == UINT64_MAX - 7 && size == 7);
	CHECK(!space_u8(&space, 0x400000, &byte) && !space_u8(&space, 0x500000, &byte));
}

static void
allows_padding_behind_the_count(void)
{
	size_t list;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	list = put(&maker, 1, 4);
	put(&maker, 0, 4);
	put_thread(&maker, 77, 0, 0, 0, 0, 0, 0);
	minidump_stream(&maker, STREAM_THREADS, list, 8 + 48);
	CHECK(open_made() && space.thread_count == 1 && space.threads[0].id == 77 && space.soft_count == 0);
}

static void
reads_lists_with_larger_entries(void)
{
	struct module gone = {0};
	size_t list, named, threads;
	minidump_begin(&maker);
	minidump_system(&maker, 0, 2);
	named = put_string(&maker, "old.dll");
	list = put(&maker, 16, 4);
	put(&maker, 28, 4), put(&maker, 2, 4), put(&maker, 0, 4);
	for (unsigned i = 0; i < 2; i++) {
		size_t at = put_bytes(&maker, NULL, 28);
		put_at(&maker, at, 0x400000 + i, 8);
		put_at(&maker, at + 20, named, 4);
	}
	minidump_stream(&maker, STREAM_UNLOADED, list, 16 + 56);
	threads = put(&maker, 1, 4);
	put_thread(&maker, 5, 0, 0, 0, 0, 0, 0);
	minidump_stream(&maker, STREAM_THREADS, threads, 52);
	list = put(&maker, 12, 4);
	put(&maker, 72, 4), put(&maker, 1, 4);
	threads = put_bytes(&maker, NULL, 72);
	put_at(&maker, threads, 5, 4);
	put_at(&maker, threads + 48, 0xabc, 8);
	minidump_stream(&maker, STREAM_THREAD_INFO, list, 12 + 72);
	CHECK(open_made() && space.pointer_size == 4);
	CHECK(space_unloaded(&space, 1, &gone) && gone.base == 0x400001 && !space_unloaded(&space, 2, &gone));
	space_module_name(&space, &gone, name);
	CHECK_TEXT(name, "old.dll");
	CHECK(space.threads[0].start_address == 0xabc && space.soft_count == 0);
	put_at(&maker, list + 4, 63, 4);
	CHECK(open_made() && space.soft_count == 1 && space.threads[0].start_address == 0);
}

static void
mends_names(void)
{
	size_t list, named;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	named = put(&maker, 13, 4); /* odd: six units and a half */
	put(&maker, 'a', 2), put(&maker, 0xd83d, 2), put(&maker, 0xde00, 2), put(&maker, 0xd83d, 2), put(&maker, 'b', 2),
		put(&maker, 0xdc00, 2), put(&maker, 'c', 2);
	list = put(&maker, 3, 4);
	put_module(&maker, 0x1000, 0x100, named, 0, 0);
	put_module(&maker, 0x2000, 0, named, 0, 0);
	put_module(&maker, UINT64_MAX - 5, 0x100, named, 0, 0);
	minidump_stream(&maker, STREAM_MODULES, list, 4 + 3 * 108);
	CHECK(open_made() && space.module_count == 1 && space.soft_count == 1);
	space_module_name(&space, &space.modules[0], name);
	CHECK_TEXT(name, "a\xf0\x9f\x98\x80\xef\xbf\xbd" "b\xef\xbf\xbd");
	put_at(&maker, named, 0xffffffff, 4);
	CHECK(open_made());
	space_module_name(&space, &space.modules[0], name);
	CHECK(strlen(name) < SPACE_NAME_MAX);
}

static void
finds_in_unsorted_lists(void)
{
	uint64_t start, size;
	uint8_t byte = 0;
	size_t list, memory_at;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	memory_at = put(&maker, 0x0807060504030201, 8);
	list = put(&maker, 1, 4);
	put_thread(&maker, 5, 0, 0x9000, 4, memory_at, 0, 0);
	minidump_stream(&maker, STREAM_THREADS, list, 52);
	list = put(&maker, 3, 4);
	put(&maker, 0x5000, 8), put(&maker, 4, 4), put(&maker, memory_at + 4, 4);
	put(&maker, 0x1000, 8), put(&maker, 2, 4), put(&maker, memory_at, 4);
	put(&maker, 0x1001, 8), put(&maker, 4, 4), put(&maker, memory_at + 3, 4);
	minidump_stream(&maker, STREAM_MEMORY, list, 52);
	CHECK(open_made() && space.list_count == 2 && !space.lists[0].sorted);
	CHECK(space_u8(&space, 0x5000, &byte) && byte == 5);
	CHECK(space_u8(&space, 0x1000, &byte) && byte == 1);
	CHECK(space_u8(&space, 0x1001, &byte) && byte == 2);
	CHECK(space_u8(&space, 0x1004, &byte) && byte == 7);
	CHECK(space_u8(&space, 0x9001, &byte) && byte == 2); /* only in the stack of the thread */
	CHECK(space_range_at(&space, 0x1005, &start, &size) && start == 0x5000);
	CHECK(!space_u8(&space, 0x1005, &byte));
}

static void
guesses_without_system_information(void)
{
	size_t list, context;
	minidump_begin(&maker);
	context = put_context(&maker, 0x1234, 0x20000, 1232);
	list = put(&maker, 1, 4);
	put_thread(&maker, 7, 0, 0, 0, 0, context, 1232);
	minidump_stream(&maker, STREAM_THREADS, list, 52);
	CHECK(open_made() && space.arch == ARCH_X64 && space.soft_count == 1);
}

static void
reads_contexts_of_other_machines(void)
{
	struct registers registers;
	size_t list, context;
	minidump_begin(&maker);
	minidump_system(&maker, 12, 2);
	context = put_bytes(&maker, NULL, 912);
	for (unsigned i = 0; i < 33; i++)
		put_at(&maker, context + 8 + 8 * i, 0x1000 + i, 8);
	list = put(&maker, 1, 4);
	put_thread(&maker, 7, 0, 0, 0, 0, context, 912);
	minidump_stream(&maker, STREAM_THREADS, list, 52);
	CHECK(open_made() && space_registers(&space, &space.threads[0], &registers));
	CHECK(registers.pc == 0x1020 && registers.sp == 0x101f && registers.fp == 0x101d && registers.r[30] == 0x101e);
	put_at(&maker, list + 4 + 40, 795, 4);
	CHECK(open_made() && !space_registers(&space, &space.threads[0], &registers));
	put_at(&maker, context + 0xb8, 0x77, 4), put_at(&maker, context + 0xc4, 0x66, 4), put_at(&maker, context + 0xb4, 0x55, 4);
	put_at(&maker, list + 4 + 40, 716, 4);
	put_at(&maker, 32 + 12 * MAKER_STREAMS, 0, 2);
	CHECK(open_made() && space.arch == ARCH_X86 && space_registers(&space, &space.threads[0], &registers));
	CHECK(registers.pc == 0x77 && registers.sp == 0x66 && registers.r[4] == 0x66 && registers.r[5] == 0x55);
}

/* A 32-bit process dumped by a 64-bit tool: one thread in 64-bit code with a kept context, one in 32-bit code. */
static void
shows_the_narrow_side_of_wow64(void)
{
	struct registers registers;
	uint32_t value;
	size_t list, context, narrow, named, at;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	named = put_string(&maker, "C:\\Windows\\System32\\wow64cpu.dll");
	list = put(&maker, 1, 4);
	put_module(&maker, 0x77000000, 0x1000, named, 0, 0);
	minidump_stream(&maker, STREAM_MODULES, list, 112);
	context = put_context(&maker, 0x77000100, 0x50000, 1232);
	narrow = put_context(&maker, 0xf00400500, 0x60000, 1232);
	put_at(&maker, narrow + 0x38, 0x23, 2);
	list = put(&maker, 2, 4);
	put_thread(&maker, 7, 0x10000, 0, 0, 0, context, 1232);
	put_thread(&maker, 8, 0, 0, 0, 0, narrow, 1232);
	minidump_stream(&maker, STREAM_THREADS, list, 100);
	at = put_bytes(&maker, NULL, 0x3000);
	list = put(&maker, 1, 4);
	put(&maker, 0x10000, 8), put(&maker, 0x3000, 4), put(&maker, at, 4);
	minidump_stream(&maker, STREAM_MEMORY, list, 20);
	put_at(&maker, at, 0x12000, 8);            /* the 32-bit TEB */
	put_at(&maker, at + 0x2004, 0x40000, 4), put_at(&maker, at + 0x2008, 0x3f000, 4), put_at(&maker, at + 0x2034, 5, 4);
	put_at(&maker, at + 0x1488, 0x10800, 8);
	put_at(&maker, at + 0x804, 0x1003f, 4);
	put_at(&maker, at + 0x804 + 0xb8, 0x401000, 4);
	CHECK(open_made() && space.is_wow64 && space.arch == ARCH_X86 && space.pointer_size == 4);
	CHECK(space_registers(&space, &space.threads[0], &registers) && registers.pc == 0x401000);
	CHECK(space.threads[0].stack_start == 0x3f000 && space.threads[0].stack_size == 0x1000);
	CHECK(space_last_error(&space, &space.threads[0], &value) && value == 5);
	CHECK(space_registers(&space, &space.threads[1], &registers) && registers.pc == 0x400500 && registers.sp == 0x60000);
	CHECK(registers.valid == 0xff && registers.r[8] == 0);
	/* the exception's own context is of the 64-bit side, in wow64cpu: the kept one is what crashed */
	put_exception(&maker, 7, 0x4000001f, 0x77000100, 0, NULL, context, 1232);
	CHECK(open_made() && space.is_wow64 && space.crash.recorded && space.crash.thread == 7);
	CHECK(space_registers(&space, &space.threads[0], &registers) && registers.pc == 0x401000);
	/* without any 32-bit context all stays as it is */
	put_at(&maker, at + 0x804, 0, 4);
	put_at(&maker, narrow + 0x38, 0x33, 2);
	CHECK(open_made() && !space.is_wow64 && space.arch == ARCH_X64 && space.soft_count == 1);
}

static void
keeps_the_first_of_two_streams(void)
{
	make_full();
	minidump_stream(&maker, STREAM_MODULES, 32, 0);
	minidump_stream(&maker, 0, 0xffffffff, 0xffffffff);
	CHECK(open_made() && space.module_count == 2 && space.soft_count == 1);
}

static void
notes_overlapping_modules(void)
{
	size_t list;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	list = put(&maker, 2, 4);
	put_module(&maker, 0x1000, 0x1000, 0, 0, 0);
	put_module(&maker, 0x1800, 0x100, 0, 0, 0);
	minidump_stream(&maker, STREAM_MODULES, list, 4 + 2 * 108);
	CHECK(open_made() && space.soft_count == 1);
	CHECK(space_module_at(&space, 0x1850) == &space.modules[1]);
	CHECK(space_module_at(&space, 0x1950) == &space.modules[0]);
}

static void
check_refusal(const char *start, enum fault_kind kind, const char *words)
{
	fault_clear(&fault);
	CHECK(!open_span(span_of(start)));
	CHECK(fault.kind == kind);
	CHECK(strstr(fault.text, words) != NULL);
	if (strstr(fault.text, words) == NULL)
		fprintf(stderr, "%s\n", fault.text);
}

static void
says_what_is_no_dump(void)
{
	check_refusal("PK\3\4......", FAULT_CORRUPT, "zip");
	CHECK(strstr(fault.hint, "minidump.dmp") != NULL);
	check_refusal("\x1f\x8b\x08", FAULT_CORRUPT, "gzip");
	check_refusal("MZ\x90", FAULT_CORRUPT, "Windows program");
	check_refusal("<!DOCTYPE html>", FAULT_CORRUPT, "HTML");
	check_refusal(" \r\n\t<html>", FAULT_CORRUPT, "HTML");
	check_refusal("\xef\xbb\xbf{\"error\":1}", FAULT_CORRUPT, "JSON");
	check_refusal("PAGEDU64", FAULT_UNABLE, "kernel");
	check_refusal("W/google-breakpad: -----BEGIN BREAKPAD MICRODUMP-----", FAULT_UNABLE, "microdump");
	check_refusal("\x7f" "ELF\1\1\1.........................................................", FAULT_UNABLE, "32-bit");
	check_refusal("\x7f" "ELF", FAULT_CORRUPT, "ends inside");
	check_refusal("hello", FAULT_CORRUPT, "no dump");
	check_refusal("", FAULT_CORRUPT, "empty");
	check_refusal("MDMP", FAULT_CORRUPT, "ends inside");
	check_refusal(" \t ", FAULT_CORRUPT, "no dump");
}

static void
opens_files_by_path(void)
{
	memory.used = 0;
	fault_clear(&fault);
	CHECK(!dump_open(&space, &memory, "/nonexistent/x.dmp", &fault) && fault.kind == FAULT_MISSING);
	memory.used = 0;
	fault_clear(&fault);
	CHECK(!dump_open(&space, &memory, "/tmp", &fault) && fault.kind == FAULT_CORRUPT);
}

/* 100 GiB with a Memory64List whose bytes begin in a hole of the file. */
static void
opens_a_huge_sparse_file(void)
{
	char path[] = "/tmp/kudump-space-XXXXXX";
	const uint64_t piece = 1ull << 30, count = 99;
	uint64_t base;
	uint8_t byte = 0;
	size_t list, threads;
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	threads = put(&maker, 1, 4);
	put_thread(&maker, 7, 0, 0, 0, 0, 0, 0);
	minidump_stream(&maker, STREAM_THREADS, threads, 52);
	list = put(&maker, count, 8);
	base = maker.used + 8 + 16 * count;
	put(&maker, base, 8);
	for (uint64_t i = 0; i < count; i++)
		put(&maker, 0x10000000000 + 2 * i * piece, 8), put(&maker, piece, 8);
	minidump_stream(&maker, STREAM_MEMORY64, list, 16 + 16 * count);
	CHECK(pwrite(fd, maker.bytes, maker.used, 0) == (ssize_t)maker.used);
	CHECK(pwrite(fd, "Z", 1, (off_t)(base + count * piece - 1)) == 1);
	memory.used = 0;
	fault_clear(&fault);
	CHECK(dump_open(&space, &memory, path, &fault));
	CHECK(space.soft_count == 0 && space.lists[0].sorted && space.lists[0].usable == count);
	CHECK(space_u8(&space, 0x10000000000 + 2 * (count - 1) * piece + piece - 1, &byte) && byte == 'Z');
	CHECK(!space_u8(&space, 0x10000000000 + piece, &byte));
	CHECK(VIEW_BUDGET - space.view.budget < 1u << 20);
	dump_close(&space);
	/* one byte less is noted */
	CHECK(ftruncate(fd, (off_t)(base + count * piece - 1)) == 0);
	memory.used = 0;
	CHECK(dump_open(&space, &memory, path, &fault) && space.soft_count == 1);
	CHECK(!space_u8(&space, 0x10000000000 + 2 * (count - 1) * piece + piece - 1, &byte));
	CHECK(space_u8(&space, 0x10000000000 + 2 * (count - 1) * piece + piece - 2, &byte) && byte == 0);
	dump_close(&space);
	close(fd);
	unlink(path);
}

static void
ends_when_the_budget_does(void)
{
	uint8_t byte;
	make_full();
	CHECK(open_made());
	space.view.budget = VIEW_COST_LEAST;
	CHECK(!space_u8(&space, 0x30000, &byte) && view_exhausted(&space.view));
	CHECK(!space_u8(&space, 0x20000, &byte));
	use_everything();
}

int
main(void)
{
	if (!memory_open(&memory, dump_need(), &fault))
		return 1;
	UNIT_RUN(reads_a_full_dump);
	UNIT_RUN(knows_modules);
	UNIT_RUN(survives_truncation_at_every_byte);
	UNIT_RUN(survives_single_bytes_changed);
	UNIT_RUN(clamps_what_lists_claim);
	UNIT_RUN(places_do_not_wrap);
	UNIT_RUN(remembers_where_nothing_is);
	UNIT_RUN(allows_padding_behind_the_count);
	UNIT_RUN(reads_lists_with_larger_entries);
	UNIT_RUN(mends_names);
	UNIT_RUN(finds_in_unsorted_lists);
	UNIT_RUN(guesses_without_system_information);
	UNIT_RUN(reads_contexts_of_other_machines);
	UNIT_RUN(shows_the_narrow_side_of_wow64);
	UNIT_RUN(keeps_the_first_of_two_streams);
	UNIT_RUN(notes_overlapping_modules);
	UNIT_RUN(says_what_is_no_dump);
	UNIT_RUN(opens_files_by_path);
	UNIT_RUN(opens_a_huge_sparse_file);
	UNIT_RUN(ends_when_the_budget_does);
	return unit_end();
}
