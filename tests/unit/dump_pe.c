/* SPDX-License-Identifier: MIT */
#include "dump/pe.h"

#include "unit.h"

#include "made_dump.h"

#define BASE 0x140000000u

/* Exports: a 0x1000, b 0x1100, c 0x1100 (again), d forwards, one without name at 0x1200. */
static struct space *
make_image(void)
{
	static const uint32_t functions[] = {0x1000, 0x1100, 0x1100, 0x4010, 0x1200};
	static const char *const names[] = {"a", "b", "c", "d"};
	made_begin(9, 2);
	made_module(BASE, 0x8000, "x.dll");
	made_range(BASE, 0x8000);
	made_pe(BASE);
	made_directory(BASE, 0, 0x4000, 0x100);
	made_u32(BASE + 0x4000 + 20, 5);
	made_u32(BASE + 0x4000 + 24, 4);
	made_u32(BASE + 0x4000 + 28, 0x5000);
	made_u32(BASE + 0x4000 + 32, 0x5100);
	made_u32(BASE + 0x4000 + 36, 0x5200);
	for (unsigned i = 0; i < 5; i++)
		made_u32(BASE + 0x5000 + 4 * i, functions[i]);
	for (unsigned i = 0; i < 4; i++) {
		made_u32(BASE + 0x5100 + 4 * i, 0x5300 + 16 * i);
		made_u16(BASE + 0x5200 + 2 * i, i);
		made_bytes(BASE + 0x5300 + 16 * i, names[i], 2);
	}
	return made_open(0, 0);
}

static void
headers(void)
{
	struct space *space = make_image();
	struct pe pe;
	uint32_t rva, size;
	CHECK(pe_open(&pe, space, BASE));
	CHECK(pe.plus && pe.machine == 0x8664 && pe.image_size == 0x8000 && pe.section_count == 2);
	CHECK(pe_directory(&pe, space, 0, &rva, &size) && rva == 0x4000 && size == 0x100);
	CHECK(!pe_directory(&pe, space, 1, &rva, &size));
	CHECK(!pe_directory(&pe, space, 16, &rva, &size));
	CHECK(!pe_executable(&pe, space, 0xfff) && pe_executable(&pe, space, 0x1000));
	CHECK(pe_executable(&pe, space, 0x2fff) && !pe_executable(&pe, space, 0x3000));
	made_u16(BASE + 0x84, 0x8664 ^ 0x7b79); /* .NET's for Linux */
	CHECK(pe_open(&pe, space, BASE) && pe.machine == 0x8664);
	made_u16(BASE + 0x84, 0xaa64 ^ 0x7b79);
	CHECK(pe_open(&pe, space, BASE) && pe.machine == 0xaa64);
	made_u16(BASE + 0x84, 0x14c);
	CHECK(pe_open(&pe, space, BASE) && pe.machine == 0x14c);
	made_u16(BASE + 0x84, 0x8664);
	CHECK(!pe_open(&pe, space, BASE + 0x1000));
	CHECK(!pe_open(&pe, space, 0x1000));
	CHECK(!pe_open(&pe, space, UINT64_MAX - 10));
}

static void
broken_headers(void)
{
	struct space *space = make_image();
	struct pe pe;
	made_u32(BASE + 0x3c, 0xffffffff);
	CHECK(!pe_open(&pe, space, BASE));
	made_u32(BASE + 0x3c, 0x7ffe);
	CHECK(!pe_open(&pe, space, BASE));
	made_u32(BASE + 0x3c, 0x80);
	made_u16(BASE + 0x98, 0x107);
	CHECK(!pe_open(&pe, space, BASE));
	made_u16(BASE + 0x98, 0x20b);
	made_u16(BASE + 0x86, 0xffff);
	made_u32(BASE + 0x98 + 108, 0xffffffff);
	CHECK(pe_open(&pe, space, BASE) && pe.section_count == PE_SECTIONS_MAX && pe.directory_count == 16);
	CHECK(!pe_executable(&pe, space, 0x7fffffff));
}

static const char *
nearest(struct space *space, uint32_t rva)
{
	static char name[FRAME_NAME_MAX];
	struct pe pe;
	struct pe_want want = {rva, 1, 1, 1};
	if (!pe_open(&pe, space, BASE))
		return "no image";
	pe_nearest_exports(&pe, space, &want, 1);
	return want.name != 0 && pe_name_text(space, BASE + want.name, name) ? name : "";
}

static void
nearest_exports(void)
{
	struct space *space = make_image();
	struct pe_want want[] = {{0xfff, 0, 0, 0}, {0x1000, 0, 0, 0}, {0x10ff, 0, 0, 0}, {0x1101, 0, 0, 0}, {0x1300, 0, 0, 0}};
	struct pe pe;
	CHECK(pe_open(&pe, space, BASE));
	pe_nearest_exports(&pe, space, want, 5);
	CHECK(want[0].start == 0 && want[1].start == 0x1000 && want[2].start == 0x1000 && want[3].start == 0x1100);
	CHECK(want[4].start == 0x1200 && want[4].name == 0);
	CHECK_TEXT(nearest(space, 0xfff), "");
	CHECK_TEXT(nearest(space, 0x1000), "a");
	CHECK_TEXT(nearest(space, 0x10ff), "a");
	CHECK_TEXT(nearest(space, 0x1100), "b");
	CHECK_TEXT(nearest(space, 0x4020), ""); /* what forwards is no code */
	pe_nearest_exports(&pe, space, want, 0);
}

static void
hostile_exports(void)
{
	struct space *space = make_image();
	made_u32(BASE + 0x4000 + 20, 0xffffffff);
	made_u32(BASE + 0x4000 + 24, 0xffffffff);
	CHECK_TEXT(nearest(space, 0x1000), "a");
	made_u32(BASE + 0x4000 + 36, 0xfffffff0);
	CHECK_TEXT(nearest(space, 0x1000), "");
	made_u32(BASE + 0x4000 + 28, 0xfffffff0);
	CHECK_TEXT(nearest(space, 0x1000), "");
	made_directory(BASE, 0, 0x7ff0, 0x100);
	CHECK_TEXT(nearest(space, 0x1000), "");
}

static void
names(void)
{
	struct space *space = make_image();
	char name[FRAME_NAME_MAX];
	made_bytes(BASE + 0x6000, "\xc3\xa4\xff" "b\x01", 6);
	CHECK(pe_name_text(space, BASE + 0x6000, name));
	CHECK_TEXT(name, "\xc3\xa4?b\x01");
	CHECK(!pe_name_text(space, BASE + 0x6005, name));
	CHECK(!pe_name_text(space, 0, name));
	memset(made_at(BASE + 0x7f00), 'n', 0x100);
	CHECK(pe_name_text(space, BASE + 0x7f01, name) && strlen(name) == 255);
	CHECK(pe_name_text(space, BASE + 0x7fff, name) && strcmp(name, "n") == 0);
	CHECK(!pe_name_text(space, BASE + 0x8000, name));
}

int
main(void)
{
	UNIT_RUN(headers);
	UNIT_RUN(broken_headers);
	UNIT_RUN(nearest_exports);
	UNIT_RUN(hostile_exports);
	UNIT_RUN(names);
	return unit_end();
}
