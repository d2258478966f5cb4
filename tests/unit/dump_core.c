/* SPDX-License-Identifier: MIT */
#include "dump/core.h"

#include "dump/images.h"
#include "dump/open.h"
#include "opened_dump.h"
#include "dump/reason.h"
#include "unit.h"

#include <unistd.h>

#define X64 62
#define ARM64 183

static char name[SPACE_NAME_MAX];

static void
put_siginfo(uint32_t signal, uint32_t code, uint64_t address)
{
	size_t at = core_note(&maker, 0x53494749, 128);
	put_at(&maker, at, signal, 4);
	put_at(&maker, at + 8, code, 4);
	put_at(&maker, at + 16, address, 8);
}

struct mapped {
	uint64_t start, end, page;
	const char *name;
};

static void
put_files(const struct mapped *files, size_t count)
{
	char names[400];
	struct text text = text_in(names, sizeof names);
	size_t at;
	for (size_t i = 0; i < count; i++) {
		text_put(&text, files[i].name);
		text_put_byte(&text, 0);
	}
	at = core_note(&maker, 0x46494c45, 16 + 24 * count + text.used);
	put_at(&maker, at, count, 8);
	put_at(&maker, at + 8, 4096, 8);
	for (size_t i = 0; i < count; i++) {
		put_at(&maker, at + 16 + 24 * i, files[i].start, 8);
		put_at(&maker, at + 24 + 24 * i, files[i].end, 8);
		put_at(&maker, at + 32 + 24 * i, files[i].page, 8);
	}
	memcpy(maker.bytes + at + 16 + 24 * count, names, text.used);
}

/* Files: a library in two pieces, a data file, memory without a file, the program. */
static void
make_core(void)
{
	static const struct mapped files[] = {
		{0x10000, 0x11000, 0, "/lib/liba.so"}, {0x11000, 0x13000, 1, "/lib/liba.so"},
		{0x20000, 0x21000, 0, "/usr/share/data"}, {0x30000, 0x31000, 0, "/memfd:doublemapper (deleted)"},
		{0x40000, 0x42000, 0, "/app/prog"}, {0x50000, 0x51000, 0, "/lib/not-dumped.so"},
		{0x40000000, 0x40001000, 5, "/app/prog"},
	};
	static const unsigned char build[] = {4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 0xab, 0xcd, 0xef};
	size_t notes, end, at;
	core_begin(&maker, X64, 6);
	notes = maker.used;
	core_thread(&maker, 100, 11, 0x40100, 0x60f00);
	at = core_note(&maker, 3, 136);
	put_at(&maker, at + 24, 99, 4);
	put_siginfo(11, 1, 0x10);
	at = core_note(&maker, 6, 48);
	put_at(&maker, at, 9, 8), put_at(&maker, at + 8, 0x40080, 8);
	put_at(&maker, at + 16, 33, 8), put_at(&maker, at + 24, 0x70000, 8);
	put_files(files, sizeof files / sizeof files[0]);
	core_thread(&maker, 101, 11, 0x11000, 0x61f00);
	end = maker.used;
	core_segment(&maker, 0, 4, notes, 0, end - notes);
	at = put_bytes(&maker, "\x7f" "ELF\2\1\1", 7);
	put_bytes(&maker, NULL, 0x200 - 7);
	put_at(&maker, at + 32, 64, 8);
	put_at(&maker, at + 56, 1, 2);
	put_at(&maker, at + 64, 4, 4), put_at(&maker, at + 72, 0x100, 8), put_at(&maker, at + 96, 36, 8);
	memcpy(maker.bytes + at + 0x100, build, sizeof build);
	core_segment(&maker, 1, 1, at, 0x10000, 0x200);
	core_segment(&maker, 2, 1, put_bytes(&maker, "data", 4), 0x20000, 4);
	at = put_bytes(&maker, "\x7f" "ELF", 4);
	put_bytes(&maker, NULL, 0x200);
	core_segment(&maker, 3, 1, at, 0x40000, 0x204);
	core_segment(&maker, 4, 1, put_bytes(&maker, NULL, 0x200), 0x60e00, 0x200);
	at = put_bytes(&maker, "\x7f" "ELF....linux-vdso.so.1", 24);
	core_segment(&maker, 5, 1, at, 0x70000, 24);
}

static void
reads_a_core(void)
{
	struct registers registers;
	char id[2 * SPACE_BUILD_ID_MAX + 1];
	make_core();
	CHECK(open_made());
	CHECK(space.is_core && space.arch == ARCH_X64 && space.os == OS_LINUX && space.pid == 99);
	CHECK(space.thread_count == 2 && space.crash.recorded && space.crash.thread == 100 && space.crash.code == 11);
	CHECK(space.crash.flags == 1 && space.crash.has_fault_address && space.crash.fault_address == 0x10);
	CHECK(space.crash.address == 0x40100);
	CHECK(space.threads[0].stack_start == 0x60e00 && space.threads[0].stack_size == 0x200);
	CHECK(space.threads[1].stack_start == 0);
	CHECK(space_registers(&space, &space.threads[0], &registers) && registers.r[0] == 0xaa && registers.sp == 0x60f00);
	CHECK(space.module_count == 4 && space.main_base == 0x40000);
	CHECK(space.modules[0].base == 0x10000 && space.modules[0].size == 0x3000);
	space_module_name(&space, &space.modules[0], name);
	CHECK_TEXT(name, "/lib/liba.so");
	space_code_id(&space, &space.modules[0], id);
	CHECK_TEXT(id, "abcdef0000000000000000000000000000000000");
	space_debug_id(&space, &space.modules[0], id);
	CHECK_TEXT(id, "00EFCDAB0000000000000000000000000");
	space_module_name(&space, &space.modules[2], name);
	CHECK_TEXT(name, "/lib/not-dumped.so");
	space_module_name(&space, &space.modules[3], name);
	CHECK_TEXT(name, "linux-vdso.so.1");
	CHECK(space.soft_count == 0);
}

/* A PE's file of 0x2600 bytes: code at rva 0x10200 from 0x200 on, data at 0x20000 from 0x2000 on. */
static void
make_pe(unsigned char file[0x2600])
{
	static const uint32_t fields[][2] = {
		{0x3c, 0x80}, {0x80, 0x4550}, {0x84, 0x28664}, {0x88, 0x11223344}, {0x94, 240}, {0x98, 0x20b}, {0x98 + 56, 0x30000},
		{0x98 + 60, 0x200}, {0x190, 0x1e00}, {0x194, 0x10200}, {0x198, 0x1e00}, {0x19c, 0x200}, {0x1b8, 0x900}, {0x1bc, 0x20000},
		{0x1c0, 0x600}, {0x1c4, 0x2000},
	};
	memset(file, 0, 0x2600);
	memcpy(file, "MZ", 2);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		for (unsigned k = 0; k < 4; k++)
			file[fields[i][0] + k] = (unsigned char)(fields[i][1] >> 8 * k);
	memcpy(file + 0x700, "code", 4);
	memcpy(file + 0x2100, "data", 4);
}

/* Its headers are at 0x400000 and, of another mapping of the whole file, at 0x500000. */
static void
make_pe_core(const unsigned char file[0x2600], const struct mapped *files, size_t count)
{
	size_t notes, end, at;
	core_begin(&maker, X64, 3);
	notes = maker.used;
	core_thread(&maker, 100, 11, 0x410600, 0x60f00);
	put_files(files, count);
	end = maker.used;
	core_segment(&maker, 0, 4, notes, 0, end - notes);
	at = put_bytes(&maker, file, 0x200);
	core_segment(&maker, 1, 1, at, 0x400000, 0x200);
	core_segment(&maker, 2, 1, at, 0x500000, 0x200);
	CHECK(open_made());
}

static void
joins_the_sections_of_a_pe(void)
{
	static unsigned char file[0x2600];
	struct mapped files[] = {
		{0x400000, 0x401000, 0, "/app/x.dll"}, {0x410000, 0x412000, 0, "/app/x.dll"}, {0x420000, 0x421000, 2, "/app/x.dll"},
		{0x500000, 0x503000, 0, "/app/x.dll"}, {0x600000, 0x601000, 0, "/lib/z"},
	};
	const struct module *m = space.modules;
	make_pe(file);
	make_pe_core(file, files, 5);
	m = space.modules;
	CHECK(space.module_count == 3 && m[0].base == 0x400000 && m[0].size == 0x30000 && m[0].timestamp == 0x11223344 && !m[0].is_flat);
	CHECK(m[1].base == 0x500000 && m[1].size == 0x3000 && m[1].timestamp == 0x11223344 && m[1].is_flat);
	CHECK(m[2].timestamp == 0 && !m[2].is_flat);
	files[2].page = 1; /* not where the headers say */
	make_pe_core(file, files, 5);
	CHECK(space.modules[0].size == 0x30000 && space.module_count == 3);
	files[1].page = 1;
	files[2].start += 0x10000, files[2].end += 0x10000; /* behind the image */
	make_pe_core(file, files, 5);
	CHECK(space.modules[0].size == 0x31000); /* by their order in the file alone */
	files[0].name = "/app/y.dll";
	make_pe_core(file, files, 5);
	CHECK(space.modules[0].size == 0x1000 && space.modules[0].is_flat);
	files[0].name = "/app/x.dll", files[1].page = 0;
	files[2] = (struct mapped){0x425000, 0x426000, 0, "/lib/y"}; /* inside the image */
	make_pe_core(file, files, 5);
	CHECK(space.modules[0].size == 0x25000 && space.modules[1].base == 0x425000);
}

/* --images: of the image mapped by section and of the flat one the same file serves. */
static void
finds_a_pe_on_disk(void)
{
	static const struct mapped files[] = {
		{0x400000, 0x401000, 0, "/app/x.dll"}, {0x410000, 0x412000, 0, "/app/x.dll"}, {0x420000, 0x430000, 2, "/app/x.dll"},
		{0x500000, 0x503000, 0, "/app/x.dll"},
	};
	static unsigned char file[0x2600];
	static struct images images;
	static struct memory room;
	char folder[] = "/tmp/kudump-unit-XXXXXX", path[64], got[4];
	FILE *to;
	make_pe(file);
	file[0x98 + 57] = 0xfa, file[0x98 + 58] = 0x02; /* the size of image is 0x2fa00: no whole pages */
	make_pe_core(file, files, 4);
	if (mkdtemp(folder) == NULL || !memory_open(&room, images_need(), &fault))
		return;
	snprintf(path, sizeof path, "%s/x.dll", folder);
	for (unsigned i = 0; i < 2; i++) {
		to = fopen(path, "wb");
		CHECK(to != NULL && fwrite(file, 1, sizeof file, to) == sizeof file && fclose(to) == 0);
		room.used = 0;
		CHECK(images_open(&images, &room, folder, &fault));
		space.images = &images.as_images;
		CHECK(space_read(&space, 0x410700, got, 4) == (i == 0) && (i != 0 || memcmp(got, "code", 4) == 0));
		CHECK(space_read(&space, 0x420100, got, 4) == (i == 0) && (i != 0 || memcmp(got, "data", 4) == 0));
		CHECK(space_read(&space, 0x502100, got, 4) == (i == 0) && (i != 0 || memcmp(got, "data", 4) == 0));
		CHECK(!space_read(&space, 0x502600, got, 4));
		CHECK((images.other_id > 0) == (i == 1));
		images_close(&images);
		file[0x88]++; /* another build */
	}
	space.images = NULL;
	memory_close(&room);
	unlink(path);
	rmdir(folder);
}

static void
use_everything(void)
{
	struct registers registers;
	char id[2 * SPACE_BUILD_ID_MAX + 1], room[400];
	struct text text = text_in(room, sizeof room);
	uint64_t value;
	for (size_t i = 0; i < space.module_count && i < 20; i++) {
		space_module_name(&space, &space.modules[i], name);
		space_debug_id(&space, &space.modules[i], id);
	}
	for (size_t i = 0; i < space.thread_count && i < 20; i++)
		if (space_registers(&space, &space.threads[i], &registers))
			(void)!space_pointer(&space, registers.sp, &value);
	reason_put(&text, &space);
	reason_put_type(&text, &space);
	reason_put_hint(&text, &space);
	dump_close(&space);
}

static void
survives_truncation_and_changes(void)
{
	make_core();
	for (size_t size = 0; size < maker.used; size++) {
		unsigned char *cut = malloc(size + 1);
		memcpy(cut, maker.bytes, size);
		if (open_span((struct span){cut, size}))
			use_everything();
		else
			CHECK(fault.kind == FAULT_CORRUPT);
		free(cut);
	}
	for (size_t at = 4; at < maker.used; at++) {
		unsigned char kept = maker.bytes[at];
		maker.bytes[at] = (unsigned char)(kept ^ 0xff);
		if (open_made())
			use_everything();
		maker.bytes[at] = kept;
	}
	CHECK(open_made());
}

/* Threads with these signals, the signal's note behind the thread of that number (-1: none). */
static void
make_threads(const int *signals, size_t count, int noted)
{
	size_t notes;
	core_begin(&maker, X64, 1);
	notes = maker.used;
	for (size_t i = 0; i < count; i++) {
		core_thread(&maker, 100 + (uint32_t)i, signals[i], 0, 0);
		if ((int)i == noted)
			put_siginfo(6, 0xfffffffa, 0);
	}
	core_segment(&maker, 0, 4, notes, 0, maker.used - notes);
}

/* As createdump of .NET Core 3 does it; the thread of that number waits for it. */
static void
make_createdump(int waiting)
{
	size_t notes, at;
	core_begin(&maker, X64, 1);
	notes = maker.used;
	for (int i = 0; i < 3; i++) {
		at = core_thread(&maker, 100 + (uint32_t)i, 6, 0, 0);
		memcpy(maker.bytes + at - 3, "THR", 3);
		put_at(&maker, at + 112 + 15 * 8, i == waiting ? 61 : 202, 8);
	}
	core_segment(&maker, 0, 4, notes, 0, maker.used - notes);
}

static void
finds_the_thread_that_crashed(void)
{
	static const int none[3] = {0}, all[] = {6, 6, 6}, one[] = {0, 0, 11}, stopped[] = {19, 19};
	make_threads(none, 3, 1);
	CHECK(open_made() && space.crash.recorded && space.crash.thread == 101 && space.crash.code == 6);
	CHECK(!space.crash.has_fault_address);
	make_threads(all, 3, -1);
	CHECK(open_made() && space.crash.recorded && space.crash.thread == 100);
	make_threads(one, 3, -1);
	CHECK(open_made() && space.crash.recorded && space.crash.thread == 102 && space.crash.code == 11);
	make_threads(none, 3, -1);
	CHECK(open_made() && !space.crash.recorded && space.requesting_thread == 100);
	make_threads(stopped, 2, -1);
	CHECK(open_made() && !space.crash.recorded);
	make_createdump(1);
	CHECK(open_made() && space.crash.recorded && space.crash.doubtful && space.crash.thread == 101 && space.crash.code == 6);
	make_createdump(-1);
	CHECK(open_made() && !space.crash.recorded && !space.crash.doubtful && space.requesting_thread == 100);
	core_begin(&maker, X64, 1);
	CHECK(!open_made() && fault.kind == FAULT_CORRUPT && strstr(fault.text, "no thread") != NULL);
}

static void
reads_arm64(void)
{
	struct registers registers;
	size_t notes, at;
	core_begin(&maker, ARM64, 1);
	notes = maker.used;
	at = core_note(&maker, 1, 392);
	put_at(&maker, at + 32, 5, 4);
	for (unsigned i = 0; i < 34; i++)
		put_at(&maker, at + 112 + 8 * i, 0x1000 + i, 8);
	core_segment(&maker, 0, 4, notes, 0, maker.used - notes);
	CHECK(open_made() && space.arch == ARCH_ARM64 && space_registers(&space, &space.threads[0], &registers));
	CHECK(registers.pc == 0x1020 && registers.sp == 0x101f && registers.fp == 0x101d && registers.r[30] == 0x101e);
	CHECK(registers.flags == 0x1021);
	put_at(&maker, at - 16, 391, 4); /* descsz */
	CHECK(open_made() && !space_registers(&space, &space.threads[0], &registers));
}

/* More segments than a 16-bit count can say: it is in the first section header. */
static void
reads_many_segments(void)
{
	const size_t count = 70000;
	size_t notes, data;
	uint32_t value = 0;
	core_begin(&maker, X64, count);
	notes = maker.used;
	core_thread(&maker, 1, 6, 0, 0);
	core_segment(&maker, 0, 4, notes, 0, maker.used - notes);
	data = put_bytes(&maker, NULL, 4 * count);
	for (size_t i = 1; i < count; i++) {
		put_at(&maker, data + 4 * i, i, 4);
		core_segment(&maker, i, 1, data + 4 * i, 0x1000 * i, 4);
	}
	put_at(&maker, 40, put_bytes(&maker, NULL, 64), 8);
	put_at(&maker, maker.used - 64 + 44, count, 4);
	CHECK(open_made() && space.lists[0].sorted && space.lists[0].usable == count - 1);
	CHECK(space.lists[0].checkpoint_count > 2000 && space.lists[0].checkpoint_count <= RANGE_CHECKPOINTS);
	for (size_t i = 1; i < count; i += i < 100 || i > count - 100 ? 1 : 97)
		CHECK(space_u32(&space, 0x1000 * i, &value) && value == i);
	CHECK(!space_u32(&space, 0x1000 * count, &value) && !space_u32(&space, 0, &value) && !space_u32(&space, 0x1001, &value));
	/* the same without order */
	core_segment(&maker, 5, 1, data + 4 * 6, 0x6000, 4);
	core_segment(&maker, 6, 1, data + 4 * 5, 0x5000, 4);
	CHECK(open_made() && !space.lists[0].sorted);
	CHECK(space_u32(&space, 0x5000, &value) && value == 5);
	CHECK(space_u32(&space, 0x1000 * (count - 1), &value) && value == count - 1);
	/* a count beyond the file */
	put_at(&maker, maker.used - 64 + 44, 0xffffffff, 4);
	CHECK(open_made() && space.soft_count > 0);
}

static void
refuses_other_elf_files(void)
{
	make_core();
	put_at(&maker, 16, 3, 2);
	CHECK(!open_made() && fault.kind == FAULT_CORRUPT && strstr(fault.text, "no core") != NULL);
	put_at(&maker, 16, 4, 2);
	put_at(&maker, 18, 243, 2);
	CHECK(!open_made() && fault.kind == FAULT_UNABLE && strstr(fault.text, "243") != NULL);
	put_at(&maker, 18, X64, 2);
	put_at(&maker, 5, 2, 1);
	CHECK(!open_made() && fault.kind == FAULT_UNABLE);
	put_at(&maker, 5, 1, 1);
	put_at(&maker, 54, 32, 2);
	CHECK(!open_made() && fault.kind == FAULT_CORRUPT);
}

int
main(void)
{
	if (!memory_open(&memory, dump_need(), &fault))
		return 1;
	UNIT_RUN(reads_a_core);
	UNIT_RUN(joins_the_sections_of_a_pe);
	UNIT_RUN(finds_a_pe_on_disk);
	UNIT_RUN(survives_truncation_and_changes);
	UNIT_RUN(finds_the_thread_that_crashed);
	UNIT_RUN(reads_arm64);
	UNIT_RUN(reads_many_segments);
	UNIT_RUN(refuses_other_elf_files);
	return unit_end();
}
