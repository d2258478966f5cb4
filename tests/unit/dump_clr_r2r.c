/* SPDX-License-Identifier: MIT */
/* Methods of a ReadyToRun image by its own tables: entry points in a sparse array, handlers by their method's clauses. */
#include "dump/clr_r2r.h"

#include "dump/frames.h"
#include "made_r2r.h"
#include "unit.h"

static struct clr_r2r r2r;
static char name[FRAME_NAME_MAX];
static uint64_t start;

static const char *
name_at(struct space *space, uint32_t rva)
{
	struct text text = text_in(name, sizeof name);
	start = 0;
	return clr_r2r_put_method(&r2r, space, R2R_BASE + rva, &text, &start) ? name : "-";
}

static struct space *
open_fresh(void)
{
	memset(&r2r, 0, sizeof r2r);
	return made_r2r();
}

static void
names_by_entry(void)
{
	struct space *space = open_fresh();
	CHECK_TEXT(name_at(space, 0xfff), "-");
	CHECK_TEXT(name_at(space, 0x1000), "N.A.One");
	CHECK(start == R2R_BASE + 0x1000);
	CHECK_TEXT(name_at(space, 0x10ff), "N.A.One");
	CHECK_TEXT(name_at(space, 0x1100), "-"); /* between functions */
	CHECK_TEXT(name_at(space, 0x1280), "N.B.Last");
	CHECK(start == R2R_BASE + 0x1200);
	CHECK_TEXT(name_at(space, 0x1410), "N.B.Two");
	CHECK_TEXT(name_at(space, 0x1510), "N.B.Two"); /* with where its fixups are */
	CHECK_TEXT(name_at(space, 0x1610), "-");
	CHECK_TEXT(name_at(space, 0x9000), "-"); /* no module */
}

/* A function that is no entry point is a handler of the method before, by its clauses, or an instance of a generic one. */
static void
names_handlers(void)
{
	struct space *space = open_fresh();
	CHECK_TEXT(name_at(space, 0x1310), "N.B.Last");
	CHECK(start == R2R_BASE + 0x1200);
	CHECK_TEXT(name_at(space, 0x1325), "-");
	CHECK_TEXT(name_at(space, 0x1330), "N.B.Last"); /* a filter */
	made_u32(R2R_BASE + R2R_CLAUSES + 24, 0);       /* then its last word is a type */
	memset(&r2r, 0, sizeof r2r);
	CHECK_TEXT(name_at(space, 0x1330), "-");
	made_u32(R2R_BASE + R2R_HANDLERS + 12, R2R_CLAUSES + 23); /* less than one clause */
	memset(&r2r, 0, sizeof r2r);
	CHECK_TEXT(name_at(space, 0x1310), "-");
	CHECK_TEXT(name_at(space, 0x1280), "N.B.Last");
}

static void
keeps_what_it_found(void)
{
	struct space *space = open_fresh();
	uint32_t looks;
	CHECK_TEXT(name_at(space, 0x1280), "N.B.Last");
	looks = r2r.looks;
	CHECK(looks > 0);
	CHECK_TEXT(name_at(space, 0x1281), "N.B.Last");
	CHECK(r2r.looks == looks);
}

static void
hostile(void)
{
	static const struct {
		uint32_t rva, value;
	} wrong[] = {{R2R_HEADER, 0}, {R2R_HEADER + 12, 0}, {0x4000 + 64, 0}, {0x4000 + 64, 0xfffffff0}, {R2R_METADATA, 0}, {0x84, 0x2aa64},
	             {R2R_HEADER + 20, 0xffffff00}, {R2R_HEADER + 32, 0xffffff00}, {R2R_HEADER + 36, 0}, {R2R_HEADER + 36, 1}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct space *space = open_fresh();
		made_u32(R2R_BASE + wrong[i].rva, wrong[i].value);
		if (strcmp(name_at(space, 0x1000), "-") != 0)
			fprintf(stderr, "wrong[%zu] was taken: %s\n", i, name), unit_bad++;
	}
	for (unsigned value = 0; value < 256; value++) { /* trees that lead nowhere, out of the section, in circles */
		struct space *space = open_fresh();
		memset(made_at(R2R_BASE + R2R_ENTRIES), (int)value, 0x100);
		(void)name_at(space, 0x1000);
		CHECK(r2r.looks <= 0x40000);
	}
	r2r.looks = 0x1000000; /* there is an end to it */
	r2r.base = 0;
	memset(r2r.kept_for, 0, sizeof r2r.kept_for);
	CHECK_TEXT(name_at(made_r2r(), 0x1000), "-");
}

int
main(void)
{
	UNIT_RUN(names_by_entry);
	UNIT_RUN(names_handlers);
	UNIT_RUN(keeps_what_it_found);
	UNIT_RUN(hostile);
	return unit_end();
}
