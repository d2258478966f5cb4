/* SPDX-License-Identifier: MIT */
/* Which method an address belongs to: by the runtime's map of ranges with nibbles or a ReadyToRun table behind it, and by
 * the header in front of a method where there is no map. */
#include "dump/clr_code.h"

#include "dump/open.h"
#include "dump_block.h"
#include "unit.h"

#define SIZE 0x10000
#define LEVELS_AT 0x100   /* one pointer of each level of the range map */
#define FRAGMENT 0x200
#define SECTION 0x280
#define HEAP 0x300
#define NIBBLES 0x400     /* the map of the heap that begins at CODE */
#define MODULE 0x500
#define INFO 0x580
#define FUNCTIONS 0x640
#define HOT_COLD 0x700
#define BUCKETS 0x800
#define HEADER 0xc00
#define CODE 0x4000
#define TYPE 0x1000       /* method table */
#define CHUNK 0x1080
#define METHOD (CHUNK + 24)
#define NAMES 0x2000      /* module, and dynamic metadata behind it */

static unsigned char bytes[SIZE];
static struct clr clr;
static struct maker maker;
static struct space space;
static struct memory memory;
static struct fault fault;
static struct clr_code code;

static const char description[] =
	"{\"version\":0,\"types\":{\"Module\":{\"Base\":8,\"DynamicMetadata\":16,\"ReadyToRunInfo\":24},"
	"\"DynamicMetadata\":{\"Size\":0,\"Data\":4},"
	"\"MethodTable\":{\"MTFlags2\":8,\"Module\":24,\"ParentMethodTable\":16},\"MethodDesc\":{\"ChunkIndex\":2,\"Flags\":6,"
	"\"Flags3AndTokenRemainder\":0},\"MethodDescChunk\":{\"!\":24,\"MethodTable\":0,\"FlagsAndTokenRange\":18},"
	"\"RangeSectionMap\":{\"TopLevelData\":0},"
	"\"RangeSectionFragment\":{\"RangeBegin\":8,\"RangeEndOpen\":16,\"RangeSection\":24,\"Next\":0},"
	"\"RangeSection\":{\"RangeBegin\":0,\"HeapList\":40,\"R2RModule\":32},\"CodeHeapListNode\":{\"MapBase\":32,\"HeaderMap\":40},"
	"\"RealCodeHeader\":{\"MethodDesc\":24,\"NumUnwindInfos\":32,\"UnwindInfos\":36},"
	"\"ReadyToRunInfo\":{\"CompositeInfo\":40,\"NumRuntimeFunctions\":88,\"RuntimeFunctions\":80,\"NumHotColdMap\":104,"
	"\"HotColdMap\":96,\"EntryPointToMethodDescMap\":112},\"HashMap\":{\"Buckets\":16},\"Bucket\":{\"!\":64,\"Keys\":0,"
	"\"Values\":32}},\"globals\":{\"ObjectToMethodTableUnmask\":7,\"HashMapValueMask\":\"0x7fffffffffffffff\","
	"\"MethodDescTokenRemainderBitCount\":12,\"MethodDescAlignment\":8,\"StubCodeBlockLast\":15%s}}";

static void
set(size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[at + i] = (unsigned char)(value >> 8 * i);
}

static void
point(size_t at, size_t to)
{
	set(at, BLOCK + to, 8);
}

static void
open_block(bool map)
{
	static char text[4096];
	char global[80];
	snprintf(global, sizeof global, ",\"ExecutionManagerCodeRangeMapAddress\":\"0x%llx\"",
	         (unsigned long long)(BLOCK + LEVELS_AT - (BLOCK >> 49 & 255) * 8));
	snprintf(text, sizeof text, description, map ? global : "");
	CHECK(block_open(&space, &memory, &maker, 9, bytes, sizeof bytes, &fault));
	memset(&clr, 0, sizeof clr);
	clr.space = &space;
	CHECK(clr_descriptor_parse(&clr.d, span_of(text)));
}

/* Each level has just the pointer that leads on; the last leads to a fragment that is not ours, and that to ours. */
static void
make_map(void)
{
	memset(bytes, 0, sizeof bytes);
	for (unsigned i = 0, shift = 41; i < 4; i++, shift -= 8)
		set(LEVELS_AT + 8 * i, (BLOCK + LEVELS_AT + 8 * (i + 1) - (BLOCK >> shift & 255) * 8) | 1, 8);
	point(LEVELS_AT + 32, FRAGMENT);
	point(FRAGMENT, FRAGMENT + 32);
	point(FRAGMENT + 32 + 8, CODE);
	point(FRAGMENT + 32 + 16, CODE + 0x2000);
	point(FRAGMENT + 32 + 24, SECTION);
	point(SECTION, CODE);
}

/* Methods at CODE + 0x20 and CODE + 0x214; a helper at CODE + 0x600. */
static void
make_heap(void)
{
	make_map();
	point(SECTION + 40, HEAP);
	point(HEAP + 32, CODE);
	point(HEAP + 40, NIBBLES);
	set(NIBBLES, 0x01000000, 4);
	set(NIBBLES + 4, 0x29, 4);             /* no nibbles but the start: CODE + 0x20 */
	set(NIBBLES + 8, 0x60000000, 4);       /* nibble 16: CODE + 0x200 + 5 * 4 */
	set(NIBBLES + 12, 0x20e, 4);           /* again: CODE + 0x200 + 5 * 4 */
	set(NIBBLES + 24, 0x10000000, 4);
	point(CODE + 0x20 - 8, HEADER);
	point(CODE + 0x214 - 8, HEADER + 0x80);
	set(CODE + 0x600 - 8, 3, 8);
	point(HEADER + 24, METHOD);
	set(HEADER + 32, 2, 4);
	set(HEADER + 36, 0x20, 4);
	set(HEADER + 40, 0x100, 4);
	set(HEADER + 48, 0x100, 4);
	set(HEADER + 52, 0x200, 4);
	point(HEADER + 0x80 + 24, METHOD + 8);
	set(HEADER + 0x80 + 32, 0xffffffff, 4);
}

static void
jit_code(void)
{
	uint32_t entry[3];
	make_heap();
	open_block(true);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x20, &code) && code.start == BLOCK + CODE + 0x20 && code.method == BLOCK + METHOD);
	CHECK(code.count == 2 && code.base == BLOCK + CODE);
	CHECK(clr_code_unwind(&clr, BLOCK + CODE + 0xff, &code, entry) && entry[0] == 0x20);
	CHECK(clr_code_unwind(&clr, BLOCK + CODE + 0x100, &code, entry) && entry[0] == 0x100);
	CHECK(!clr_code_unwind(&clr, BLOCK + CODE + 0x200, &code, entry));
	CHECK(!clr_code_unwind(&clr, BLOCK + CODE + 0x1f, &code, entry));
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x213, &code) && code.start == BLOCK + CODE + 0x20); /* begins behind us */
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x214, &code) && code.start == BLOCK + CODE + 0x214 && code.count == 0);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x300, &code) && code.start == BLOCK + CODE + 0x214);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x400, &code) && code.start == BLOCK + CODE + 0x214); /* the word in front */
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x1f, &code));
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x600, &code)); /* helper code */
	CHECK(!clr_code_at(&clr, BLOCK + CODE - 1, &code));
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x2000, &code));
	CHECK(!clr_code_at(&clr, 1ull << 57, &code));
	point(SECTION, CODE + 0x100); /* unwind data is told from where the section begins */
	open_block(true);
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x20, &code));
	point(SECTION, CODE);
	point(FRAGMENT, FRAGMENT); /* a list that ends in itself */
	open_block(true);
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x20, &code));
}

/* Functions at 0x100, 0x200 (a funclet of the first), 0x300 and 0x1000, the cold part of that at 0x300. */
static void
make_image(void)
{
	static const uint32_t begins[] = {0x100, 0x200, 0x300, 0x1000};
	uint64_t key = BLOCK + CODE + 0x100;
	make_map();
	point(SECTION + 32, MODULE);
	point(MODULE + 24, INFO);
	set(INFO + 88, 4, 4);
	point(INFO + 80, FUNCTIONS);
	for (size_t i = 0; i < 4; i++) {
		set(FUNCTIONS + 12 * i, begins[i], 4);
		set(FUNCTIONS + 12 * i + 4, begins[i] + 0x80, 4);
	}
	set(INFO + 104, 2, 4);
	point(INFO + 96, HOT_COLD);
	set(HOT_COLD, 3, 4);
	set(HOT_COLD + 4, 2, 4);
	point(INFO + 112 + 16, BUCKETS);
	set(BUCKETS, 5, 4);
	for (size_t i = 0; i < 2; i++, key += 0x200) {
		size_t bucket = BUCKETS + 64 + 64 * ((uint32_t)(key >> 2) % 5);
		set(bucket + 8 + 8 * i, key, 8);
		set(bucket + 32 + 8 + 8 * i, (BLOCK + METHOD + 8 * i) >> 1, 8);
	}
}

static void
image_code(void)
{
	uint32_t entry[3];
	make_image();
	open_block(true);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x110, &code) && code.start == BLOCK + CODE + 0x100 && code.method == BLOCK + METHOD);
	CHECK(clr_code_unwind(&clr, BLOCK + CODE + 0x110, &code, entry) && entry[0] == 0x100);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x210, &code) && code.start == BLOCK + CODE + 0x100 && code.method == BLOCK + METHOD);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x310, &code) && code.start == BLOCK + CODE + 0x300 && code.method == BLOCK + METHOD + 8);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x1010, &code) && code.method == BLOCK + METHOD + 8);
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x50, &code));
	point(INFO + 40, INFO); /* a composite image: its own map serves */
	open_block(true);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x110, &code) && code.method == BLOCK + METHOD);
	set(BUCKETS, 1, 4);
	open_block(true);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x110, &code) && code.method == 0);
	set(INFO + 88, 0xffffffff, 4);
	open_block(true);
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x110, &code));
}

/* Of other processors the rows have no end. */
static void
image_code_short(void)
{
	static const uint32_t begins[] = {0x100, 0x200, 0x300, 0x1000};
	uint32_t entry[3];
	make_image();
	for (size_t i = 0; i < 4; i++) {
		set(FUNCTIONS + 8 * i, begins[i], 4);
		set(FUNCTIONS + 8 * i + 4, 0x5000, 4);
	}
	open_block(true);
	space.arch = ARCH_X86;
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x210, &code) && code.start == BLOCK + CODE + 0x100 && code.method == BLOCK + METHOD);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x1010, &code) && code.method == BLOCK + METHOD + 8);
	CHECK(!clr_code_unwind(&clr, BLOCK + CODE + 0x110, &code, entry));
}

/* Row 1 of both tables: Shop.Run. */
static void
make_names(void)
{
	static const char strings[] = "\0Shop\0Run";
	size_t at = NAMES + 0x40, tables = at + 0x60;
	point(NAMES + 16, NAMES + 0x3c);
	set(NAMES + 0x3c, 0x200, 4);
	set(at, 0x424a5342, 4);
	set(at + 12, 4, 4);
	set(at + 22, 2, 2);
	set(at + 24, 0x60, 4);
	set(at + 28, 0x80, 4);
	memcpy(bytes + at + 32, "#~\0", 4);
	set(at + 36, 0x100, 4);
	set(at + 40, sizeof strings, 4);
	memcpy(bytes + at + 44, "#Strings\0\0\0", 12);
	memcpy(bytes + at + 0x100, strings, sizeof strings);
	set(tables + 8, 1 << 2 | 1 << 6, 8);
	set(tables + 24, 1, 4);
	set(tables + 28, 1, 4);
	set(tables + 32 + 4, 1, 2);
	set(tables + 32 + 14 + 8, 6, 2);
	set(TYPE + 8, 1 << 8, 4);
	point(TYPE + 24, NAMES);
	point(CHUNK, TYPE);
	set(METHOD, 1, 2);
}

/* A method of 0x100 bytes at CODE + 0x1040, and a funclet behind it. */
static void
make_header(void)
{
	memset(bytes, 0, sizeof bytes);
	make_names();
	point(CODE + 0x1040 - 8, HEADER);
	point(HEADER + 24, METHOD);
	set(HEADER + 32, 2, 4);
	set(HEADER + 36, 0x1040, 4);
	set(HEADER + 40, 0x1140, 4);
	set(HEADER + 44, 0x1200, 4);
	set(HEADER + 48, 0x1140, 4);
	set(HEADER + 52, 0x1180, 4);
	set(CODE + 0x1200, 0x19, 1);
}

static void
without_map(void)
{
	uint32_t entry[3];
	make_header();
	open_block(false);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x1040, &code) && code.start == BLOCK + CODE + 0x1040 && code.method == BLOCK + METHOD);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x117f, &code) && code.base == BLOCK + CODE && code.count == 2);
	CHECK(clr_code_unwind(&clr, BLOCK + CODE + 0x117f, &code, entry) && entry[0] == 0x1140);
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x1180, &code));
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x103f, &code));
	CHECK(!clr_code_at(&clr, BLOCK + CODE + 0x103f, &code)); /* remembered */
	CHECK(!clr_code_at(&clr, 0, &code));
	CHECK(!clr_code_at(&clr, 8, &code));
	CHECK(!clr_code_at(&clr, BLOCK + SIZE, &code));
}

/* Everything about the header must agree. */
static void
false_headers(void)
{
	const struct {
		size_t at;
		uint64_t value;
		size_t size;
	} wrong[] = {{CODE + 0x1040 - 8, BLOCK + HEADER + 4, 8}, {CODE + 0x1040 - 8, 0x1000, 8}, {HEADER + 24, 0, 8}, {HEADER + 24, BLOCK + METHOD + 4, 8},
	             {HEADER + 32, 0, 4}, {HEADER + 32, 4097, 4}, {HEADER + 36, 0x1048, 4}, {HEADER + 40, 0x1040, 4}, {HEADER + 52, 0x1100, 4},
	             {HEADER + 48, 0x1000, 4}, {CODE + 0x1200, 0x1b, 1}, {HEADER + 44, 0x7ffffff0, 4}, {TYPE + 8, 2 << 8, 4}, {METHOD, 2, 2}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		make_header();
		set(wrong[i].at, wrong[i].value, wrong[i].size);
		open_block(false);
		if (clr_code_at(&clr, BLOCK + CODE + 0x1130, &code))
			fprintf(stderr, "wrong[%zu] was taken\n", i), unit_bad++;
	}
	make_header();
	open_block(false);
	CHECK(clr_code_at(&clr, BLOCK + CODE + 0x1130, &code));
}

int
main(void)
{
	if (!memory_open(&memory, dump_need() + 65536, &fault))
		return 1;
	UNIT_RUN(jit_code);
	UNIT_RUN(image_code);
	UNIT_RUN(image_code_short);
	UNIT_RUN(without_map);
	UNIT_RUN(false_headers);
	return unit_end();
}
