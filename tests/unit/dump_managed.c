/* SPDX-License-Identifier: MIT */
/* What a dump tells of .NET without a descriptor: NativeAOT's JSON, Watson buckets, objects by their looks; and which of
 * several runtimes is asked. */
#include "dump/clr_aot.h"
#include "dump/clr_heuristic.h"
#include "dump/clr_watson.h"

#include "dump/open.h"
#include "dump_block.h"
#include "unit.h"

#include <unistd.h>

#define SIZE 0x8000
#define RUNTIME 0x10000000ull /* modules lie outside the block */
#define OTHER 0x20000000ull
#define STACK 0x1000 /* the beginning of the block */
#define RECORD 0x1800
#define FAIL_FAST 0xc0000409u

static unsigned char bytes[SIZE + 8192]; /* records may reach past what the dump has */
static struct maker maker;
static struct space space;
static struct memory memory;
static struct fault fault;
static struct managed_findings findings;
static struct managed *opened;
static struct managed_frame frames[MANAGED_INNER_MAX][MANAGED_FRAMES_MAX];
static char room[CLR_AOT_BYTES];

static void
set(size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[at + i] = (unsigned char)(value >> 8 * i);
}

static void
begin(void)
{
	memset(bytes, 0, sizeof bytes);
	memset(&findings, 0, sizeof findings);
	for (size_t i = 0; i < MANAGED_INNER_MAX; i++)
		findings.exceptions[i].frames = frames[i];
}

/* A crash of thread 7, whose stack is the block's beginning; modules by their names, at RUNTIME, OTHER and the block itself. */
static void
open_crash(uint32_t code, uint32_t count, const uint64_t *parameters, const char *const names[3])
{
	static const uint64_t bases[] = {RUNTIME, OTHER, BLOCK};
	size_t context, list, at[3] = {0};
	unsigned modules = 0;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	context = put_context(&maker, BLOCK, BLOCK, 1232);
	put_exception(&maker, 7, code, 0x1234, count, parameters, context, 1232);
	list = put(&maker, 1, 4);
	put_thread(&maker, 7, 0, BLOCK, STACK, 0, context, 1232);
	minidump_stream(&maker, STREAM_THREADS, list, 4 + 48);
	for (size_t i = 0; i < 3 && names != NULL; i++)
		if (names[i] != NULL)
			at[i] = put_string(&maker, names[i]);
	list = put(&maker, 0, 4);
	for (size_t i = 0; i < 3; i++)
		if (at[i] != 0) {
			put_module(&maker, bases[i], SIZE, at[i], 0, 0);
			modules++;
		}
	put_at(&maker, list, modules, 4);
	minidump_stream(&maker, STREAM_MODULES, list, 4 + 108 * modules);
	list = put(&maker, 1, 8);
	put(&maker, 0, 8);
	put(&maker, BLOCK, 8);
	put(&maker, SIZE, 8);
	minidump_stream(&maker, STREAM_MEMORY64, list, 32);
	put_at(&maker, list + 8, maker.used, 8);
	put_bytes(&maker, bytes, SIZE);
	memory.used = 0;
	memset(memory.at, 0, dump_need());
	fault_clear(&fault);
	CHECK(dump_open_bytes(&space, &memory, maker_span(&maker), &fault));
}

/* --- NativeAOT */

static const char triage[] =
	"{\"version\":\"1.0.0\",\"runtime_base\":\"0x10000000\",\"runtime_type\":\"4\",\"runtime_version\":\"9.0.16\",\"reason\":\"1\","
	"\"thread\":\"0x7\",\"message\":\"Unhandled\",\"exception\":{\"address\":\"0x1F00\",\"hr\":\"0x80131999\","
	"\"message\":\"no \\\"way\\\"\",\"type\":\"Shop.Bad\",\"stack\":[{\"ip\":\"0x10001234\",\"module\":\"0x10000000\",\"offset\":\"0x10\","
	"\"name\":\"Shop.Orders.Load(Int32)\"},{\"ip\":\"0x10005678\",\"offset\":\"0x20\"}],\"inner\":[{\"address\":\"0x2F00\","
	"\"hr\":\"0x80131509\",\"message\":\"\\u4e2d\",\"type\":\"Shop.Worse\"},{\"type\":\"Shop.Third\",\"inner\":[{\"type\":\"Shop.Fourth\"}]}]}}";

static void
aot_triage(void)
{
	const struct managed_exception *e = findings.exceptions;
	begin();
	findings.runtime_count = 1;
	CHECK(clr_aot_parse(span_of(triage), &findings));
	CHECK(findings.exception_count == 2 && findings.thread == 7 && !findings.fail_fast && findings.source == MANAGED_NATIVEAOT);
	CHECK_TEXT(findings.runtimes[0].version, "9.0.16");
	CHECK_TEXT(e[0].type, "Shop.Bad");
	CHECK_TEXT(e[0].message, "no \"way\"");
	CHECK(e[0].has_message && e[0].has_hresult && e[0].hresult == 0x80131999 && e[0].address == 0x1f00);
	CHECK(e[0].frame_count == 2 && frames[0][0].pc == 0x10001234 && frames[0][1].pc == 0x10005678);
	CHECK_TEXT(frames[0][0].method, "Shop.Orders.Load");
	CHECK_TEXT(frames[0][1].method, "");
	CHECK_TEXT(e[1].type, "Shop.Worse");
	CHECK_TEXT(e[1].message, "\xe4\xb8\xad");
	CHECK(e[1].frame_count == 0);
}

static void
aot_fail_fast(void)
{
	begin();
	CHECK(clr_aot_parse(span_of("{\"reason\":\"2\",\"message\":\"words\"}"), &findings));
	CHECK(findings.fail_fast && findings.exception_count == 1 && findings.exceptions[0].has_message);
	CHECK_TEXT(findings.exceptions[0].message, "words");
	CHECK_TEXT(findings.exceptions[0].type, "");
	CHECK(clr_aot_parse(span_of("{\"reason\":\"2\",\"message\":\"words\",\"exception\":{\"type\":\"A.B\",\"message\":\"m\"}}"), &findings));
	CHECK(findings.exception_count == 2);
	CHECK_TEXT(findings.exceptions[0].message, "words");
	CHECK_TEXT(findings.exceptions[0].type, "");
	CHECK_TEXT(findings.exceptions[1].type, "A.B");
	CHECK(clr_aot_parse(span_of("{\"reason\":\"3\",\"message\":\"\"}"), &findings));
	CHECK(!findings.fail_fast && findings.exception_count == 0);
}

static void
aot_hostile(void)
{
	static char deep[CLR_AOT_BYTES];
	struct text text = text_in(deep, sizeof deep);
	static const char *const wrong[] = {"", "{}", "[]", "{\"x\":1}", "x", "{\"exception\":\"a\"}", "{\"message\":\"a\"", "\"exception\""};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		begin();
		CHECK(!clr_aot_parse(span_of(wrong[i]), &findings));
		CHECK(findings.exception_count == 0);
	}
	for (size_t i = 0; i < sizeof triage - 1; i++) {
		begin();
		CHECK(!clr_aot_parse((struct span){(const unsigned char *)triage, i}, &findings));
		CHECK(findings.exception_count == 0 && findings.exceptions[0].type[0] == 0);
	}
	text_put(&text, "{\"exception\":{\"type\":\"T0\"");
	for (int i = 1; i < 60; i++)
		text_printf(&text, ",\"inner\":[{\"type\":\"T%d\"", i);
	for (int i = 1; i < 60; i++)
		text_put(&text, "}]");
	text_put(&text, "}}");
	begin();
	if (clr_aot_parse(text_span(&text), &findings)) /* else nested deeper than JSON may be here */
		CHECK(findings.exception_count == MANAGED_INNER_MAX);
	text_reset(&text);
	text_put(&text, "{\"exception\":{\"stack\":[");
	for (unsigned i = 0; i <= MANAGED_FRAMES_MAX; i++)
		text_put(&text, i == 0 ? "{\"ip\":\"0x1\"}" : ",{\"ip\":\"0x1\"}");
	text_put(&text, "]}}");
	begin();
	CHECK(clr_aot_parse(text_span(&text), &findings));
	CHECK(findings.exceptions[0].frame_count == MANAGED_FRAMES_MAX && findings.exceptions[0].frames_left_out == 1);
}

static void
aot_by_parameters(void)
{
	const uint64_t parameters[] = {0x48, BLOCK + 0x100, sizeof triage - 1}, other[] = {7, BLOCK + 0x100, sizeof triage - 1};
	begin();
	memcpy(bytes + 0x100, triage, sizeof triage - 1);
	open_crash(FAIL_FAST, 3, parameters, NULL);
	CHECK(clr_aot_read(&space, &findings, room));
	CHECK_TEXT(findings.exceptions[0].type, "Shop.Bad");
	begin();
	open_crash(FAIL_FAST, 3, other, NULL);
	CHECK(!clr_aot_read(&space, &findings, room));
	begin();
	open_crash(FAIL_FAST, 2, parameters, NULL);
	CHECK(!clr_aot_read(&space, &findings, room));
	begin();
	memcpy(bytes + 0x100, triage, sizeof triage - 1);
	open_crash(FAIL_FAST, 3, (const uint64_t[]){0x48, BLOCK + 0x100, UINT64_MAX}, NULL); /* the NUL behind it ends it */
	CHECK(clr_aot_read(&space, &findings, room));
	begin();
	open_crash(FAIL_FAST, 3, (const uint64_t[]){0x48, BLOCK + SIZE, 10}, NULL);
	CHECK(!clr_aot_read(&space, &findings, room));
}

/* A program at the block that exports the debug header. */
static void
make_exporter(unsigned major, uint64_t flags)
{
	begin();
	memcpy(bytes, "MZ", 2);
	set(0x3c, 0x80, 4);
	set(0x98, 0x20b, 2);
	set(0x98 + 112, 0x400, 4);
	set(0x98 + 116, 0x100, 4);
	set(0x400 + 20, 1, 4);
	set(0x400 + 24, 1, 4);
	set(0x400 + 28, 0x500, 4);
	set(0x400 + 32, 0x510, 4);
	set(0x400 + 36, 0x520, 4);
	set(0x500, 0x600, 4);
	set(0x510, 0x530, 4);
	memcpy(bytes + 0x530, "DotNetRuntimeDebugHeader", 25);
	memcpy(bytes + 0x600, "DNDH", 4);
	set(0x604, major, 2);
	set(0x608, flags, 4);
	set(0x618, BLOCK + 0x700, 8);
	set(0x700, BLOCK + 0x740, 8);
	set(0x708, BLOCK + 0x800, 8);
	set(0x710, BLOCK + 0x750, 8);
	set(0x718, BLOCK + 0x800, 8);
	memcpy(bytes + 0x740, "g_other", 8);
	memcpy(bytes + 0x750, "g_CrashInfoBuffer", 18);
	memcpy(bytes + 0x800, triage, sizeof triage);
}

static void
aot_by_header(void)
{
	static const char *const names[3] = {NULL, NULL, "C:\\shop.exe"};
	const struct {
		unsigned major;
		uint64_t flags;
		bool good;
	} cases[] = {{3, 1, true}, {5, 1, true}, {2, 1, false}, {3, 0, false}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		make_exporter(cases[i].major, cases[i].flags);
		open_crash(0xc0000005, 0, NULL, names);
		findings.runtimes[0].base = BLOCK;
		findings.runtime_count = 1;
		CHECK(clr_aot_read(&space, &findings, room) == cases[i].good);
	}
	make_exporter(4, 1);
	open_crash(0xc0000005, 0, NULL, names);
	(void)managed_open(&space, &memory, NULL, &findings);
	CHECK(findings.runtime_count == 1 && findings.source == MANAGED_NATIVEAOT && findings.exception_count == 2);
	CHECK_TEXT(findings.runtimes[0].name, "shop.exe");
	CHECK_TEXT(findings.runtimes[0].version, "9.0.16");
	CHECK_TEXT(findings.missing, "");
}

static void
aot_in_core(void)
{
	size_t note, data;
	begin();
	core_begin(&maker, 62, 3);
	note = maker.used;
	core_thread(&maker, 7, 6, 0x1000, BLOCK);
	core_segment(&maker, 0, 4, note, 0, maker.used - note);
	data = maker.used;
	memcpy(bytes, "DIAGINFOHEADER", 15);
	set(16, 1, 4);
	set(24, BLOCK, 8);
	put_bytes(&maker, bytes, 4096);
	core_segment(&maker, 1, 1, data, 0x7ffffff10000, 4096);
	data = maker.used;
	memset(bytes, 0, sizeof bytes);
	set(0, FAIL_FAST, 4);
	set(24, 3, 4);
	set(32, 0x48, 8);
	set(40, BLOCK + 0x200, 8);
	set(48, sizeof triage - 1, 8);
	memcpy(bytes + 0x200, triage, sizeof triage - 1);
	put_bytes(&maker, bytes, SIZE);
	core_segment(&maker, 2, 1, data, BLOCK, SIZE);
	memory.used = 0;
	memset(memory.at, 0, dump_need());
	CHECK(dump_open_bytes(&space, &memory, maker_span(&maker), &fault));
	CHECK(clr_aot_read(&space, &findings, room));
	CHECK_TEXT(findings.exceptions[0].type, "Shop.Bad");
	maker.bytes[data + 32] = 0x49;
	space.view.budget = VIEW_BUDGET;
	memset(space.view.pages, 0, sizeof space.view.pages);
	CHECK(!clr_aot_read(&space, &findings, room));
}

/* --- Watson buckets */

static void
put_words(size_t at, const char *words)
{
	memset(bytes + at, 0, 510);
	for (size_t i = 0; words[i] != 0; i++)
		bytes[at + 2 * i] = (unsigned char)words[i];
}

static void
make_record(size_t at)
{
	static const char *const parts[] = {"CLR20r3", "shopw.exe", "2.0.5.0", "6a0e06ac", "azmcp", "0.0.0.0", "6b010be1", "2", "29",
	                                    "Shop.OrderException"};
	set(at, 1, 4);
	for (size_t i = 0; i < 10; i++)
		put_words(at + 4 + 510 * i, parts[i]);
}

static bool
search_record(void)
{
	open_crash(CLR_CODE, 1, (const uint64_t[]){0xffffffff80131999}, NULL);
	return clr_watson_search(&space, space_thread(&space, 7), &findings.watson);
}

static void
watson_search(void)
{
	const struct managed_watson *w = &findings.watson;
	begin();
	make_record(RECORD);
	CHECK(search_record());
	CHECK(w->found && w->method == 2 && w->il_offset == 0x29);
	CHECK_TEXT(w->app, "shopw.exe");
	CHECK_TEXT(w->app_version, "2.0.5.0");
	CHECK_TEXT(w->module, "azmcp");
	CHECK_TEXT(w->module_version, "0.0.0.0");
	CHECK_TEXT(w->type, "Shop.OrderException");
	begin();
	make_record(SIZE - 5104); /* the last that fits */
	CHECK(search_record());
	begin();
	make_record(SIZE - 5100);
	CHECK(!search_record());
	begin();
	memcpy(bytes + RECORD + 4, "C\0L\0R\0002\0000\0r\0003\0", 14);
	make_record(RECORD + 6000); /* behind a false one */
	CHECK(search_record());
	CHECK(clr_watson_search(&space, NULL, &findings.watson));
	open_crash(CLR_CODE, 0, NULL, (const char *const[3]){NULL, NULL, "shop.exe"});
	CHECK(!clr_watson_search(&space, NULL, &findings.watson)); /* a module's own memory */
}

static void
watson_implausible(void)
{
	const struct {
		unsigned part;
		const char *words;
	} wrong[] = {{0, "CLR20r4"}, {1, ""}, {1, "a\x1b[2J"}, {2, "2.x"}, {3, "6a0e06ag"}, {3, "123456789"}, {4, ""}, {5, "v1"}, {7, ""},
	             {7, "xyz"}, {8, "-1"}, {9, ""}, {9, "1Type"}, {9, "a(b"}, {9, "a\\b"}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		begin();
		make_record(RECORD);
		put_words(RECORD + 4 + 510 * wrong[i].part, wrong[i].words);
		if (search_record())
			fprintf(stderr, "wrong[%zu] was taken\n", i), unit_bad++;
		CHECK(!findings.watson.found);
	}
	begin();
	make_record(RECORD);
	memset(bytes + RECORD + 4 + 510 * 9, 'a', 510); /* no end */
	CHECK(!search_record());
}

/* The type of an exception whose object cannot be read; its HRESULT is RaiseException's. */
static void
watson_alone(void)
{
	begin();
	make_record(RECORD);
	open_crash(CLR_CODE, 5, (const uint64_t[]){0xffffffff80131999, 0, 0, 0, RUNTIME}, (const char *const[3]){"clr.dll", NULL, NULL});
	(void)managed_open(&space, &memory, NULL, &findings);
	CHECK(findings.exception_count == 1 && findings.source == MANAGED_WATSON && findings.type_source == MANAGED_WATSON);
	CHECK_TEXT(findings.exceptions[0].type, "Shop.OrderException");
	CHECK(findings.exceptions[0].hresult == 0x80131999 && findings.exceptions[0].has_hresult && findings.thread == 7);
	open_crash(0xc0000005, 2, (const uint64_t[]){0, 8}, (const char *const[3]){"clr.dll", NULL, NULL});
	(void)managed_open(&space, &memory, NULL, &findings);
	CHECK(findings.exception_count == 0); /* it may be of another crash */
	CHECK(strstr(findings.missing, "does not describe itself") != NULL);
}

/* What raised the exception is not among the modules: that is said. */
static void
no_runtime(void)
{
	begin();
	open_crash(CLR_CODE, 5, (const uint64_t[]){0xffffffff80131999, 0, 0, 0, RUNTIME}, (const char *const[3]){"shop.exe", NULL, NULL});
	(void)managed_open(&space, &memory, NULL, &findings);
	CHECK(findings.runtime_count == 0 && strstr(findings.missing, "no .NET runtime") != NULL);
	open_crash(0xc0000005, 2, (const uint64_t[]){0, 8}, (const char *const[3]){"shop.exe", NULL, NULL});
	(void)managed_open(&space, &memory, NULL, &findings);
	CHECK_TEXT(findings.missing, "");
}

/* --- objects by their looks */

/* An exception of .NET 8 at `at`, without readable types, whose trace ends with pc at BLOCK + sp. */
static void
make_object(size_t at, uint32_t hresult, uint64_t pc, size_t sp)
{
	set(at, BLOCK + 0x7000, 8);
	set(at + 0x10, BLOCK + 0x6000, 8);
	set(at + 0x30, BLOCK + at + 0x100, 8);
	set(at + 0x70, CLR_CODE, 4);
	set(at + 0x74, hresult, 4);
	set(at + 0x108, 16 + 32, 4);
	set(at + 0x110, 1, 4);
	set(at + 0x120, pc, 8);
	set(at + 0x128, BLOCK + sp, 8);
	set(0x6008, 2, 4);
	memcpy(bytes + 0x600c, "h\0i", 4);
	set(0x7010, 0x1000, 8); /* its parent is not in the dump */
}

static void
open_old(uint32_t code, uint32_t count, const uint64_t *parameters)
{
	open_crash(code, count, parameters, (const char *const[3]){"clr.dll", NULL, NULL});
	(void)managed_open(&space, &memory, NULL, &findings);
}

static void
raised_object(void)
{
	const uint64_t parameters[] = {0xffffffff80131999, 0, 0, 0, RUNTIME};
	begin();
	make_object(0x2000, 0x80131999, 0x5000, 0x100);
	set(0x200, BLOCK + 0x2000, 8);
	open_old(CLR_CODE, 5, parameters);
	CHECK(findings.exception_count == 1 && findings.source == MANAGED_HEURISTIC && findings.exceptions[0].type_unsure);
	CHECK_TEXT(findings.exceptions[0].message, "hi");
	CHECK(findings.runtimes[0].source == MANAGED_HEURISTIC);
	make_object(0x2000, 0x80131998, 0x5000, 0x100); /* not the one that was raised */
	open_old(CLR_CODE, 5, parameters);
	CHECK(findings.exception_count == 0);
}

/* A crash that was not raised: an exception counts only while its trace is on the stack. */
static void
live_object(void)
{
	begin();
	make_object(0x2000, 0x80004003, 0x5000, 0x100);
	set(0x200, BLOCK + 0x2000, 8);
	open_old(0xc0000005, 2, (const uint64_t[]){0, 8});
	CHECK(findings.exception_count == 0);
	set(0xf8, 0x5001, 8);
	open_old(0xc0000005, 2, (const uint64_t[]){0, 8});
	CHECK(findings.exception_count == 1 && findings.exceptions[0].hresult == 0x80004003);
	set(0xf8, 0, 8);
	set(0x80, 0x5000, 8); /* where the processor stopped */
	open_old(0xc0000005, 2, (const uint64_t[]){0, 8});
	CHECK(findings.exception_count == 1);
	set(0x80, 0, 8);
	set(0x108, 0x5001, 8); /* above the frame */
	open_old(0xc0000005, 2, (const uint64_t[]){0, 8});
	CHECK(findings.exception_count == 0);
}

/* The handle stands in a structure that holds the thread's id. */
static void
held_object(void)
{
	begin();
	make_object(0x2000, 0x80004003, 0x5000, 0x100);
	set(0xf8, 0x5001, 8);
	set(0x200, BLOCK + 0x3000, 8);
	set(0x3128, 7, 8);
	set(0x3150, BLOCK + 0x4000, 8);
	set(0x4000, BLOCK + 0x2000, 8);
	open_old(0xc0000005, 2, (const uint64_t[]){0, 8});
	CHECK(findings.exception_count == 1 && findings.exceptions[0].hresult == 0x80004003);
	open_crash(0, 0, NULL, (const char *const[3]){"clr.dll", NULL, NULL});
	space.crash.recorded = false; /* on demand: of any thread, but only what its Thread holds */
	space.crash.thread = 0;
	(void)managed_open(&space, &memory, NULL, &findings);
	CHECK(findings.exception_count == 1 && findings.thread == 7 && findings.thread_is_other);
	set(0x3128, 8, 8); /* another thread's */
	open_old(0xc0000005, 2, (const uint64_t[]){0, 8});
	CHECK(findings.exception_count == 0);
}

/* Without an object the version tells how methods are to be found. */
static void
assumed_layout(void)
{
	static const struct {
		const char *version;
		unsigned bits; /* of a method's token, 0: unknown */
		bool narrow;
	} runtimes[] = {{"10.0.1226.42308", 12, false}, {"9.0", 12, false}, {"8.0.3126.42015", 12, true}, {"6.0.1322.58009", 14, true},
	                {"4.700.20.11803", 14, true}, {"4.8.9181.0", 0, false}, {"2.1", 0, false}, {"", 0, false}, {"99999999999", 12, false}};
	static struct clr clr;
	clr.space = &space;
	for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++) {
		memset(&clr.d, 0, sizeof clr.d);
		CHECK(clr_heuristic_assume(&clr, runtimes[i].version) == (runtimes[i].bits != 0));
		CHECK(clr.d.globals[GLOBAL_REMAINDER_BITS] == runtimes[i].bits && (runtimes[i].bits == 0 || clr.narrow_tokens == runtimes[i].narrow));
	}
	space.pointer_size = 4;
	CHECK(!clr_heuristic_assume(&clr, "10.0"));
}

/* --- createdump's report beside the dump */

static char folder[] = "/tmp/kudump-unit-XXXXXX", dump[64], report[96];

static bool
put_report(size_t object, const char *type, uint32_t hresult)
{
	FILE *file = fopen(report, "w");
	if (file == NULL)
		return false;
	fprintf(file, "{\"payload\":{\"threads\":[{\"crashed\":\"true\",\"native_thread_id\":\"0x7\",\"managed_exception_object\":\"0x%llx\","
	        "\"managed_exception_type\":\"%s\",\"managed_exception_hresult\":\"0x%x\",\"stack_frames\":["
	        "{\"native_address\":\"0x9999\",\"method_name\":\"Shop.Other()\"},{\"native_address\":\"0x5001\",\"method_name\":\"Shop.Run()\"}]}]}}",
	        (unsigned long long)(BLOCK + object), type, (unsigned)hresult);
	return fclose(file) == 0;
}

static void
open_reported(void)
{
	open_crash(0xc0000005, 2, (const uint64_t[]){0, 8}, (const char *const[3]){"clr.dll", NULL, NULL});
	opened = managed_open(&space, &memory, dump, &findings);
}

/* The report names the type, and by their addresses the methods of the object's own trace. */
static void
reported_names(void)
{
	const struct managed_exception *e = findings.exceptions;
	begin();
	make_object(0x2000, 0x80131999, 0x5000, 0x100);
	set(0x200, BLOCK + 0x2000, 8), set(0xf8, 0x5001, 8);
	CHECK(put_report(0x2000, "Shop.Bad", 0x80131999));
	open_reported();
	CHECK(findings.exception_count == 1 && findings.source == MANAGED_HEURISTIC && findings.type_source == MANAGED_CRASHREPORT);
	CHECK_TEXT(e->type, "Shop.Bad");
	CHECK_TEXT(e->message, "hi");
	CHECK(e->frame_count == 1 && findings.trace_source == MANAGED_CRASHREPORT);
	CHECK_TEXT(e->frames[0].method, "Shop.Run");
	{ /* frames have the trace's names, but not where the methods begin */
		struct code_source *code = managed_code(opened);
		char name[FRAME_NAME_MAX];
		uint64_t start = 1;
		CHECK(code != NULL && code->name_at(code, &space, e->frames[0].pc, name, &start) && start == 0);
		CHECK_TEXT(name, "Shop.Run");
	}
	CHECK(put_report(0x2000, "Shop.Bad", 0x80131999));
	set(0x2120, 0x4000, 8), set(0xf8, 0x4001, 8); /* an address the report does not have */
	open_reported();
	CHECK(e->frame_count == 0 && findings.exception_count == 1);
}

/* What was found by its looks is not what the report names: only the latter counts, even if the dump lacks it. */
static void
reported_object(void)
{
	const struct managed_exception *e = findings.exceptions;
	begin();
	make_object(0x2000, 0x80131509, 0x5000, 0x100);
	make_object(0x3000, 0x80131999, 0x5000, 0x100);
	set(0x200, BLOCK + 0x2000, 8), set(0xf8, 0x5001, 8);
	CHECK(put_report(0x3000, "Shop.Bad", 0x80131999));
	open_reported();
	CHECK(e->address == BLOCK + 0x3000 && e->hresult == 0x80131999 && e->frame_count == 1);
	CHECK(put_report(SIZE, "Shop.Bad", 0x80131999));
	open_reported();
	CHECK(findings.exception_count == 1 && findings.source == MANAGED_CRASHREPORT && e->address == 0);
	CHECK_TEXT(e->type, "Shop.Bad");
	CHECK(e->hresult == 0x80131999 && e->has_hresult && !e->has_message && e->frame_count == 0);
}

/* One that is made beforehand has no trace: where the thread stood tells. */
static void
reported_stack(void)
{
	begin();
	CHECK(put_report(SIZE, "System.StackOverflowException", 0x800703e9));
	open_reported();
	CHECK(findings.exceptions[0].frame_count == 2 && findings.trace_source == MANAGED_CRASHREPORT);
	CHECK_TEXT(findings.exceptions[0].frames[1].method, "Shop.Run");
	CHECK(put_report(SIZE, "Shop.Bad", 0x80131999));
	open_reported();
	CHECK(findings.exception_count == 1 && findings.exceptions[0].frame_count == 0);
}

/* --- several runtimes */

static void
raiser_is_asked(void)
{
	const uint64_t parameters[] = {0xffffffff80131999, 0, 0, 0, OTHER};
	begin();
	make_object(0x2000, 0x80131999, 0x5000, 0x100);
	set(0x200, BLOCK + 0x2000, 8);
	open_crash(CLR_CODE, 5, parameters, (const char *const[3]){"coreclr.dll", "clr.dll", NULL});
	(void)managed_open(&space, &memory, NULL, &findings);
	CHECK(findings.runtime_count == 2 && findings.exception_count == 1);
	CHECK(findings.runtimes[0].base == OTHER && findings.runtimes[0].source == MANAGED_HEURISTIC);
	CHECK_TEXT(findings.runtimes[0].name, "clr.dll");
	CHECK(findings.runtimes[1].base == RUNTIME && findings.runtimes[1].source == MANAGED_NONE);
}

int
main(void)
{
	if (!memory_open(&memory, dump_need() + managed_need() + 65536, &fault))
		return 1;
	UNIT_RUN(aot_triage);
	UNIT_RUN(aot_fail_fast);
	UNIT_RUN(aot_hostile);
	UNIT_RUN(aot_by_parameters);
	UNIT_RUN(aot_by_header);
	UNIT_RUN(aot_in_core);
	UNIT_RUN(watson_search);
	UNIT_RUN(watson_implausible);
	UNIT_RUN(watson_alone);
	UNIT_RUN(no_runtime);
	UNIT_RUN(raised_object);
	UNIT_RUN(live_object);
	UNIT_RUN(held_object);
	UNIT_RUN(assumed_layout);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(dump, sizeof dump, "%s/core", folder);
	snprintf(report, sizeof report, "%s.crashreport.json", dump);
	UNIT_RUN(reported_names);
	UNIT_RUN(reported_object);
	UNIT_RUN(reported_stack);
	unlink(report);
	rmdir(folder);
	UNIT_RUN(raiser_is_asked);
	return unit_end();
}
