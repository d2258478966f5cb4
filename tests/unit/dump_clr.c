/* SPDX-License-Identifier: MIT */
/* Metadata, objects, threads and code maps of a .NET runtime, as laid out by hand in one block of memory. */
#include "dump/clr_code.h"
#include "dump/clr_object.h"

#include "dump/open.h"
#include "dump_block.h"
#include "unit.h"

#define SIZE 0x10000
#define METADATA 0x400        /* flat; the section's virtual address is 0x2000 */
#define TABLES 0x70           /* behind the root */
#define STRINGS 0x200
#define IMAGE 0x1000
#define EXCEPTION_GLOBAL 0x100
#define STORE_GLOBAL 0x108
#define ARRAY_GLOBAL 0x110
#define TABLE_EXCEPTION 0x200 /* method tables */
#define TABLE_DERIVED 0x240
#define TABLE_OTHER 0x280
#define TABLE_ARRAY 0x2c0
#define MODULE_AT 0x300
#define OBJECT 0x400
#define INNER 0x500
#define STRING 0x600
#define TRACE 0x700
#define KEEPING 0x800         /* an object[] whose first element is the trace */
#define CHUNK 0x900
#define STORE 0xa00
#define THREAD 0xb00
#define TRACKER 0xc00
#define HANDLE 0xc80

static unsigned char bytes[SIZE];
static struct clr clr;
static struct maker maker;
static struct space space;
static struct memory memory;
static struct fault fault;
static struct managed_exception exceptions[MANAGED_INNER_MAX];
static struct managed_frame frames[MANAGED_INNER_MAX][MANAGED_FRAMES_MAX];
static char name[FRAME_NAME_MAX];

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
words(size_t at, const char *text, size_t size)
{
	memcpy(bytes + at, text, size);
}

/* Rows: <Module>, System.Exception, Shop.Outer, Inner in Outer; methods Run and "\xff". */
static void
make_metadata(size_t at)
{
	static const char strings[] = "\0<Module>\0System\0Exception\0Shop\0Outer\0Inner\0Run\0\xff";
	static const unsigned char types[4][2] = {{1, 0}, {17, 10}, {32, 27}, {38, 0}};
	size_t rows = at + TABLES + 24 + 4 * 4;
	set(at, 0x424a5342, 4);
	set(at + 12, 12, 4);
	words(at + 16, "v4.0.30319\0", 12);
	set(at + 30, 2, 2);
	set(at + 32, TABLES, 4);
	set(at + 36, STRINGS - TABLES, 4);
	words(at + 40, "#~\0", 4);
	set(at + 44, STRINGS, 4);
	set(at + 48, sizeof strings, 4);
	words(at + 52, "#Strings\0\0\0", 12);
	set(at + TABLES + 8, 1 | 1 << 2 | 1 << 6 | 1ull << 41, 8);
	set(at + TABLES + 16, 1ull << 41, 8);
	for (size_t i = 0; i < 4; i++)
		set(at + TABLES + 24 + 4 * i, (const unsigned char[]){1, 4, 2, 1}[i], 4);
	rows += 10; /* Module */
	for (size_t i = 0; i < 4; i++, rows += 14) {
		set(rows + 4, types[i][0], 2);
		set(rows + 6, types[i][1], 2);
	}
	set(rows + 8, 44, 2);
	set(rows + 14 + 8, 48, 2);
	rows += 2 * 14;
	set(rows, 4, 2);
	set(rows + 2, 3, 2);
	memcpy(bytes + at + STRINGS, strings, sizeof strings);
}

static void
make_image(bool flat)
{
	size_t at = IMAGE, cli = flat ? METADATA : 0x2000;
	words(at, "MZ", 2);
	set(at + 0x3c, 0x80, 4);
	set(at + 0x86, 1, 2);
	set(at + 0x94, 240, 2);
	set(at + 0x98, 0x20b, 2);
	set(at + 0x98 + 112 + 14 * 8, 0x2000, 4);
	set(at + 0x98 + 240 + 8, 0x1000, 4);
	set(at + 0x98 + 240 + 12, 0x2000, 4);
	set(at + 0x98 + 240 + 16, 0x1000, 4);
	set(at + 0x98 + 240 + 20, METADATA, 4);
	set(at + cli + 8, 0x2100, 4);
	set(at + cli + 12, 0x400, 4);
	make_metadata(at + cli + 0x100);
}

static const char description[] =
	"{\"version\":0,\"types\":{\"Exception\":{\"_message\":16,\"_innerException\":32,\"_stackTrace\":48,\"_HResult\":108},"
	"\"String\":{\"m_FirstChar\":12,\"m_StringLength\":8},\"Array\":{\"!\":16,\"m_NumComponents\":8},\"Module\":{\"Base\":8},"
	"\"MethodTable\":{\"MTFlags2\":8,\"Module\":24,\"ParentMethodTable\":16},\"MethodDesc\":{\"ChunkIndex\":2,\"Flags\":6,"
	"\"Flags3AndTokenRemainder\":0},\"MethodDescChunk\":{\"!\":24,\"MethodTable\":0,\"FlagsAndTokenRange\":18},"
	"\"DynamicMethodDesc\":{\"MethodName\":32},\"Thread\":{\"OSId\":8,\"LinkNext\":16,\"ExceptionTracker\":24,"
	"\"LastThrownObject\":32},\"ThreadStore\":{\"FirstThreadLink\":0,\"ThreadCount\":8},"
	"\"ExceptionInfo\":{\"ThrownObject\":8,\"PreviousNestedInfo\":0}},\"globals\":{\"ObjectToMethodTableUnmask\":7,"
	"\"MethodDescTokenRemainderBitCount\":12,\"MethodDescAlignment\":8,\"ThreadStore\":\"0x7f0000100108\","
	"\"ExceptionMethodTable\":\"0x7f0000100100\",\"ObjectArrayMethodTable\":\"0x7f0000100110\"}}";

static void
make_object(size_t at, size_t table, size_t inner, uint32_t hresult)
{
	set(at, BLOCK + table + 1, 8); /* the collector's mark */
	point(at + 16, STRING);
	if (inner != 0)
		point(at + 32, inner);
	set(at + 108, hresult, 4);
}

static void
make_tables(void)
{
	static const uint32_t tables[][3] = {{TABLE_EXCEPTION, 2, 0}, {TABLE_DERIVED, 4, TABLE_EXCEPTION}, {TABLE_OTHER, 3, 0}, {TABLE_ARRAY, 1, 0}};
	for (size_t i = 0; i < 4; i++) {
		set(tables[i][0] + 8, tables[i][1] << 8, 4);
		point(tables[i][0] + 24, MODULE_AT);
		if (tables[i][2] != 0)
			point(tables[i][0] + 16, tables[i][2]);
	}
	point(MODULE_AT + 8, IMAGE);
	point(EXCEPTION_GLOBAL, TABLE_EXCEPTION);
	point(ARRAY_GLOBAL, TABLE_ARRAY);
}

/* Two elements of method Run, in Shop.Outer+Inner. */
static void
make_trace(void)
{
	set(TRACE + 8, 16 + 2 * 32, 4);
	set(TRACE + 16, 2, 4);
	for (size_t i = 0; i < 2; i++) {
		set(TRACE + 32 + 32 * i, 0x1000 + i, 8);
		point(TRACE + 32 + 32 * i + 16, CHUNK + 24 + 8);
	}
	point(CHUNK, TABLE_DERIVED);
	set(CHUNK + 24 + 8, 0xb001, 2);
	set(CHUNK + 24 + 8 + 2, 1, 1);
	point(OBJECT + 48, TRACE);
}

static void
make_threads(void)
{
	point(STORE_GLOBAL, STORE);
	point(STORE, THREAD + 16);
	set(STORE + 8, 2, 4);
	set(THREAD + 8, 77, 4);
	point(THREAD + 16, THREAD + 0x40 + 16);
	set(THREAD + 0x40 + 8, 78, 4);
	point(THREAD + 0x40 + 24, TRACKER);
	point(TRACKER + 8, HANDLE);
	point(HANDLE, OBJECT);
	point(THREAD + 32, HANDLE);
}

static void
make_all(void)
{
	memset(bytes, 0, sizeof bytes);
	make_image(true);
	make_tables();
	make_object(OBJECT, TABLE_DERIVED, INNER, 0x80131999);
	make_object(INNER, TABLE_EXCEPTION, OBJECT, 0x80131500); /* a cycle */
	set(STRING + 8, 2, 4);
	words(STRING + 12, "h\0i", 4);
	make_trace();
	make_threads();
}

static void
open_block(void)
{
	CHECK(block_open(&space, &memory, &maker, 9, bytes, sizeof bytes, &fault));
	memset(&clr, 0, sizeof clr);
	clr.space = &space;
	CHECK(clr_descriptor_parse(&clr.d, span_of(description)));
	memset(exceptions, 0, sizeof exceptions);
	for (size_t i = 0; i < MANAGED_INNER_MAX; i++)
		exceptions[i].frames = frames[i];
}

static const char *
type_name(const struct clr_metadata *m, uint32_t row)
{
	struct text text = text_in(name, sizeof name);
	return clr_metadata_put_type(m, &space, row, &text) ? name : "-";
}

static const char *
method_name(const struct clr_metadata *m, uint32_t row)
{
	struct text text = text_in(name, sizeof name);
	return clr_metadata_put_method(m, &space, row, &text) ? name : "-";
}

static void
names_from_metadata(void)
{
	static struct clr_metadata m;
	for (int flat = 0; flat < 2; flat++) {
		memset(bytes, 0, sizeof bytes);
		make_image(flat == 1);
		open_block();
		CHECK(clr_metadata_open_image(&m, &space, BLOCK + IMAGE));
		CHECK_TEXT(type_name(&m, 0), "-");
		CHECK_TEXT(type_name(&m, 1), "<Module>");
		CHECK_TEXT(type_name(&m, 2), "System.Exception");
		CHECK_TEXT(type_name(&m, 3), "Shop.Outer");
		CHECK_TEXT(type_name(&m, 4), "Shop.Outer+Inner");
		CHECK_TEXT(type_name(&m, 5), "-");
		CHECK_TEXT(method_name(&m, 0), "-");
		CHECK_TEXT(method_name(&m, 1), "Run");
		CHECK_TEXT(method_name(&m, 2), "\xef\xbf\xbd");
		CHECK_TEXT(method_name(&m, 3), "-");
	}
}

/* Wide heaps and indexes: heap flag 1 makes string indexes 4 bytes; 65536 rows make table indexes 4 bytes. */
static void
wide_indexes(void)
{
	static struct clr_metadata m;
	size_t tables = METADATA + TABLES;
	memset(bytes, 0, sizeof bytes);
	make_metadata(METADATA);
	set(tables + 6, 1, 1);
	set(tables + 8, 1 << 2, 8);
	set(tables + 24, 2, 4);
	memset(bytes + tables + 28, 0, 64);
	set(tables + 28 + 18 + 4, 32, 4); /* a row has 4 + 2 * 4 + 3 * 2 bytes */
	set(tables + 28 + 18 + 8, 27, 4);
	open_block();
	CHECK(clr_metadata_open_blob(&m, &space, BLOCK + METADATA, 0x400));
	CHECK(m.row_size[2] == 18 && m.string_index == 4);
	CHECK_TEXT(type_name(&m, 2), "Shop.Outer");
	set(METADATA + 36, 0x30000, 4); /* table 0x2c: generic constraints, with 65536 and 65535 parameters */
	set(tables + 8, 1ull << 42 | 1ull << 44, 8);
	for (uint32_t rows = 65535; rows <= 65536; rows++) {
		set(tables + 24, rows, 4);
		set(tables + 28, 0, 4);
		open_block();
		CHECK(clr_metadata_open_blob(&m, &space, BLOCK + METADATA, 0x100000));
		CHECK(m.row_size[44] == (rows == 65536 ? 6u : 4u));
	}
}

static void
hostile_metadata(void)
{
	static struct clr_metadata m;
	static const struct {
		size_t at;
		uint64_t value;
		size_t size;
	} wrong[] = {{0, 0, 4}, {12, 257, 4}, {30, 33, 2}, {30, 0, 2}, {32, 0xfffffff0, 4}, {36, 0xfffffff0, 4}, {36, 23, 4},
	             {44, 0x401, 4}, {48, 0x10000, 4}, {52, 0x41414141, 4}, {TABLES + 24 + 4, 0x1000001, 4}, {TABLES + 24 + 4, 0x10000, 4}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		memset(bytes, 0, sizeof bytes);
		make_metadata(METADATA);
		set(METADATA + wrong[i].at, wrong[i].value, wrong[i].size);
		open_block();
		if (clr_metadata_open_blob(&m, &space, BLOCK + METADATA, 0x400))
			fprintf(stderr, "wrong[%zu] was taken\n", i), unit_bad++;
	}
	memset(bytes, 0, sizeof bytes); /* nested in itself */
	make_metadata(METADATA);
	set(METADATA + TABLES + 24 + 16 + 10 + 4 * 14 + 2 * 14 + 2, 4, 2);
	open_block();
	CHECK(clr_metadata_open_blob(&m, &space, BLOCK + METADATA, 0x400));
	CHECK(strncmp(type_name(&m, 4), "Inner+Inner+", 12) == 0);
}

static void
reads_a_chain(void)
{
	make_all();
	open_block();
	CHECK(clr_is_exception(&clr, BLOCK + OBJECT));
	CHECK(!clr_is_exception(&clr, BLOCK + STRING));
	CHECK(!clr_is_exception(&clr, 0));
	CHECK(clr_read_chain(&clr, BLOCK + OBJECT, true, exceptions, MANAGED_INNER_MAX) == 2);
	CHECK_TEXT(exceptions[0].type, "Shop.Outer+Inner");
	CHECK_TEXT(exceptions[1].type, "System.Exception");
	CHECK(exceptions[0].hresult == 0x80131999 && exceptions[0].has_hresult);
	CHECK_TEXT(exceptions[0].message, "hi");
	CHECK(exceptions[0].has_message && !exceptions[0].message_cut);
	CHECK(exceptions[0].frame_count == 2 && exceptions[1].frame_count == 0);
	CHECK_TEXT(frames[0][1].method, "Shop.Outer+Inner.Run");
	CHECK(frames[0][1].pc == 0x1001);
	CHECK(clr_read_chain(&clr, BLOCK + OBJECT, true, exceptions, 1) == 1);
}

/* A trace that keeps methods alive is the first element of an object[]; counts are held against the array's bytes. */
static void
traces(void)
{
	make_all();
	set(KEEPING, BLOCK + TABLE_ARRAY, 8);
	point(KEEPING + 16, TRACE);
	point(OBJECT + 48, KEEPING);
	set(TRACE + 16, 0xffffffff, 4);
	open_block();
	CHECK(clr_read_chain(&clr, BLOCK + OBJECT, true, exceptions, 1) == 1);
	CHECK(exceptions[0].frame_count == 2 && exceptions[0].frames_left_out == 0);
	make_all();
	set(TRACE + 8, 16 + 200 * 32, 4);
	set(TRACE + 16, 200, 4);
	open_block();
	CHECK(clr_read_chain(&clr, BLOCK + OBJECT, true, exceptions, 1) == 1);
	CHECK(exceptions[0].frame_count == MANAGED_FRAMES_MAX && exceptions[0].frames_left_out == 200 - MANAGED_FRAMES_MAX);
	make_all();
	set(CHUNK + 24 + 8 + 6, 7, 2); /* a dynamic method */
	point(CHUNK + 24 + 8 + 32, 0xf00);
	words(0xf00, "lambda", 7);
	open_block();
	CHECK(clr_read_chain(&clr, BLOCK + OBJECT, true, exceptions, 1) == 1);
	CHECK_TEXT(frames[0][0].method, "[dynamic] lambda");
}

static void
strings(void)
{
	static const uint16_t units[] = {0x68, 0xe9, 0x4e2d, 0xd83d, 0xde00, 0xd800, 0x21};
	char room[32];
	bool cut;
	make_all();
	set(STRING + 8, 7, 4);
	for (size_t i = 0; i < 7; i++)
		set(STRING + 12 + 2 * i, units[i], 2);
	open_block();
	CHECK(clr_read_string(&clr, BLOCK + STRING, room, sizeof room, &cut) && !cut);
	CHECK_TEXT(room, "h\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\xef\xbf\xbd!");
	CHECK(clr_read_string(&clr, BLOCK + STRING, room, 9, &cut) && cut);
	CHECK_TEXT(room, "h\xc3\xa9\xe4\xb8\xad");
	set(STRING + 8, 0xffffffff, 4);
	open_block();
	CHECK(!clr_read_string(&clr, BLOCK + STRING, room, sizeof room, &cut));
	set(STRING + 8, 0x3fffffdf, 4);
	open_block();
	CHECK(clr_read_string(&clr, BLOCK + STRING, room, sizeof room, &cut) && cut);
	set(STRING + 8, 0, 4);
	open_block();
	CHECK(clr_read_string(&clr, BLOCK + STRING, room, sizeof room, &cut) && !cut);
	CHECK_TEXT(room, "");
	CHECK(!clr_read_string(&clr, BLOCK + SIZE, room, sizeof room, &cut));
}

/* A pair of surrogates between two pieces of 256 units. */
static void
pair_between_pieces(void)
{
	static char room[2048];
	bool cut;
	make_all();
	set(0x4000 + 8, 258, 4);
	for (size_t i = 0; i < 255; i++)
		set(0x4000 + 12 + 2 * i, 'a', 2);
	set(0x4000 + 12 + 510, 0xd83d, 2);
	set(0x4000 + 12 + 512, 0xde00, 2);
	set(0x4000 + 12 + 514, '!', 2);
	open_block();
	CHECK(clr_read_string(&clr, BLOCK + 0x4000, room, sizeof room, &cut) && !cut);
	CHECK_TEXT(room + 255, "\xf0\x9f\x98\x80!");
}

static void
threads(void)
{
	struct clr_thrown thrown;
	bool found;
	make_all();
	open_block();
	CHECK(clr_thrown_by(&clr, 78, &thrown, &found) && found);
	CHECK(thrown.object == BLOCK + OBJECT && thrown.in_flight && thrown.thread == 78);
	CHECK(clr_thrown_by(&clr, 77, &thrown, &found) && found);
	CHECK(thrown.object == BLOCK + OBJECT && !thrown.in_flight);
	CHECK(clr_thrown_by(&clr, 79, &thrown, &found) && !found);
	CHECK(clr_thrown_by_any(&clr, &thrown) && thrown.thread == 78);
	set(THREAD + 0x40 + 24, 0, 8);
	open_block();
	CHECK(!clr_thrown_by_any(&clr, &thrown));
	make_all();
	point(THREAD + 16, THREAD + 16); /* a list that ends in itself */
	set(STORE + 8, 0xffffffff, 4);
	point(TRACKER, TRACKER);
	open_block();
	CHECK(clr_thrown_by(&clr, 78, &thrown, &found) && !found);
	make_all();
	point(TRACKER + 8, OBJECT); /* the object itself, as newer runtimes have it */
	open_block();
	CHECK(clr_thrown_by(&clr, 78, &thrown, &found) && thrown.object == BLOCK + OBJECT && thrown.in_flight);
	set(TRACKER + 8, 0x1234, 8);
	point(TRACKER, TRACKER);
	open_block();
	CHECK(clr_thrown_by(&clr, 78, &thrown, &found) && found && thrown.object == 0);
}

int
main(void)
{
	if (!memory_open(&memory, dump_need() + 65536, &fault))
		return 1;
	UNIT_RUN(names_from_metadata);
	UNIT_RUN(wide_indexes);
	UNIT_RUN(hostile_metadata);
	UNIT_RUN(reads_a_chain);
	UNIT_RUN(traces);
	UNIT_RUN(strings);
	UNIT_RUN(pair_between_pieces);
	UNIT_RUN(threads);
	return unit_end();
}
