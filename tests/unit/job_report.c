/* SPDX-License-Identifier: MIT */
/* Findings put together by hand, and the whole of what the reports make of them. */
#include "job/report_json.h"
#include "job/report_text.h"

#include "unit.h"

static char got[16384];
static size_t got_count;

static bool
keep(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	(void)sink;
	if (count >= sizeof got - got_count)
		return fault_raise(fault, FAULT_BOUND, "more than the test has room for");
	memcpy(got + got_count, from, count);
	got_count += count;
	got[got_count] = 0;
	return true;
}

/* A file with one name in it: MINIDUMP_STRING "C:\shop.exe" at 16. */
static const unsigned char file[] = "0123456789abcdef\x16\0\0\0C\0:\0\\\0s\0h\0o\0p\0.\0e\0x\0e\0\0\0";

static struct diagnosis diagnosis;
static struct module module = {.base = 0x140000000, .size = 0x10000, .name_at = 16, .timestamp = 0x11223344, .version = 0x0001000200030004};
static struct thread threads[2] = {{.id = 7}, {.id = 9}};
static struct managed_frame methods[2][2] = {{{.method = "System.Linq.First", .pc = 1}, {.method = "Shop.Run\x1b[2J", .pc = 2}},
                                             {{.method = "Shop.Load", .pc = 3}}};

static struct memory memory;

static bool
set_up(void)
{
	struct fault fault;
	fault_clear(&fault);
	memset(&diagnosis, 0, sizeof diagnosis);
	if (!memory_open(&memory, view_need() + 4096, &fault))
		return false;
	view_of_bytes(&diagnosis.space.view, &memory, (struct span){file, sizeof file});
	diagnosis.path = "/tmp/a.dmp";
	diagnosis.space.arch = ARCH_X64;
	diagnosis.space.os = OS_WINDOWS;
	diagnosis.space.os_major = 10;
	diagnosis.space.os_build = 20348;
	diagnosis.space.pointer_size = 8;
	diagnosis.space.pid = 4292;
	diagnosis.space.dump_time_s = 1700000060;
	diagnosis.space.process_start_s = 1700000000;
	diagnosis.space.modules = &module;
	diagnosis.space.module_count = 1;
	diagnosis.space.main_base = module.base;
	diagnosis.space.threads = threads;
	diagnosis.space.thread_count = 2;
	diagnosis.space.crash.recorded = true;
	diagnosis.space.crash.thread = 7;
	diagnosis.space.crash.code = 0xc0000005;
	diagnosis.crashed = true;
	diagnosis.thread = &threads[0];
	snprintf(diagnosis.program, sizeof diagnosis.program, "shop.exe");
	snprintf(diagnosis.type, sizeof diagnosis.type, "EXCEPTION_ACCESS_VIOLATION_READ");
	snprintf(diagnosis.detail, sizeof diagnosis.detail, "access violation reading 0x10 (c0000005)");
	snprintf(diagnosis.hint, sizeof diagnosis.hint, "null pointer + 0x10");
	diagnosis.frames.count = 3;
	diagnosis.frames.ended_well = true;
	diagnosis.frames.list[0] = (struct frame){.pc = 0x140001010, .trust = TRUST_CONTEXT, .module = &module, .name = "f", .name_start = 0x140001000};
	diagnosis.frames.list[1] = (struct frame){.pc = 0x140002020, .trust = TRUST_PDATA, .module = &module, .repeated = 41, .repeated_group = 1};
	diagnosis.frames.list[2] = (struct frame){.pc = 0x999, .trust = TRUST_FP, .managed = true, .name = "Shop.Main"};
	diagnosis.top = 0;
	snprintf(diagnosis.notes[diagnosis.note_count++], sizeof diagnosis.notes[0], "something\nwas missing");
	signature_begin(&diagnosis.signature, diagnosis.type);
	signature_end(&diagnosis.signature);
	return true;
}

static void
add_exceptions(void)
{
	struct managed_findings *findings = &diagnosis.findings;
	findings->runtimes[0] = (struct managed_runtime){.base = 0x1000, .name = "coreclr.dll", .version = "10.0.9"};
	findings->runtime_count = 1;
	findings->source = findings->type_source = findings->trace_source = MANAGED_DESCRIPTOR;
	findings->thread = 7;
	findings->exception_count = 2;
	findings->exceptions[0] = (struct managed_exception){.type = "Shop.Bad", .message = "no \xe2\x80\xaeway", .has_message = true,
	                                                     .hresult = 0x80131500, .has_hresult = true, .frames = methods[0], .frame_count = 2};
	findings->exceptions[1] = (struct managed_exception){.type = "Shop.Worse", .frames = methods[1], .frame_count = 1};
}

static void
write_with(void (*report)(struct diagnosis *, struct pen *))
{
	static struct sink sink = {keep, NULL, NULL};
	static struct pen pen;
	struct fault fault;
	fault_clear(&fault);
	got_count = 0;
	pen_open(&pen, &sink, &fault);
	report(&diagnosis, &pen);
	CHECK(pen_close(&pen));
}

static void
native_text(void)
{
	CHECK(set_up());
	write_with(report_text);
	CHECK_TEXT(got,
	           "What      access violation reading 0x10 (c0000005)\n"
	           "Why       null pointer + 0x10\n"
	           "Where     shop.exe!f+0x10, thread 7\n"
	           "Stack     => 0 shop.exe!f+0x10\n"
	           "             1 shop.exe+0x2020\n"
	           "             2 Shop.Main\n"
	           "Signature 71b52f9179e2ac3a  EXCEPTION_ACCESS_VIOLATION_READ\n"
	           "Process   shop.exe, pid 4292, Windows 10.0.20348 x64\n"
	           "Dump      a.dmp, minidump, 45 bytes, taken 2023-11-14T22:14:20Z, 60 s after the process began\n"
	           "\nStack\n"
	           "  thread 7\n"
	           "=>  0  0x0000000140001010  context  shop.exe!f+0x10\n"
	           "    1  0x0000000140002020  pdata    shop.exe+0x2020\n"
	           "       stands here 41 times more\n"
	           "    2  0x0000000000000999  fp       Shop.Main\n"
	           "\nThreads\n"
	           "  2 (--all shows their stacks)\n"
	           "\nModules\n"
	           "  0x0000000140000000    10000  shop.exe  1.2.3.4\n"
	           "\nTimes\n"
	           "  began 2023-11-14T22:13:20Z\n"
	           "\nNotes\n"
	           "  - something\\nwas missing\n");
	memory_close(&memory);
}

static void
managed_text(void)
{
	CHECK(set_up());
	add_exceptions();
	write_with(report_text);
	CHECK(strstr(got, "What      Shop.Bad: no \\u{202e}way\n"
	                  "Why       access violation reading 0x10 (c0000005): null pointer + 0x10\n"
	                  "Cause     Shop.Worse, thrown in Shop.Load\n"
	                  "Where     Shop.Run\\u{1b}[2J, thread 7\n"
	                  "Trace        System.Linq.First\n"
	                  "          => Shop.Run\\u{1b}[2J\n") == got);
	CHECK(strstr(got, "x64, .NET 10.0.9 (coreclr.dll)\n") != NULL);
	CHECK(strstr(got, "\nManaged exception\n"
	                  "  of thread 7, from the runtime's contract descriptor\n"
	                  "  Shop.Bad: no \\u{202e}way\n"
	                  "     HRESULT 0x80131500\n"
	                  "     at System.Linq.First\n"
	                  "=>   at Shop.Run\\u{1b}[2J\n"
	                  "  inner: Shop.Worse\n"
	                  "     at Shop.Load\n") != NULL);
	memory_close(&memory);
}

/* What is less certain says so. */
static void
marked_text(void)
{
	struct managed_findings *findings = &diagnosis.findings;
	CHECK(set_up());
	add_exceptions();
	findings->source = findings->trace_source = MANAGED_HEURISTIC;
	findings->type_source = MANAGED_WATSON;
	findings->exceptions[0].message_found = findings->exceptions[0].type_unsure = findings->exceptions[1].inner_lost = true;
	findings->exceptions[1].type[0] = '\0';
	findings->watson = (struct managed_watson){true, "shop.exe", "1.2.3.4", "shop\x1b", "1.0.0.0", 2, 0x29, "Shop.Bad"};
	write_with(report_text);
	CHECK(strstr(got, "  its type from the Watson bucket\n  Shop.Bad: ") != NULL && strstr(got, "  its trace from") == NULL);
	CHECK(strstr(got, "Environment.FailFast on the stack\n     not held against System.Exception: ") != NULL);
	CHECK(strstr(got, "  inner: an exception of unknown type\n     at Shop.Load\n     its inner exception cannot be read") != NULL);
	CHECK(strstr(got, "  Watson bucket: Shop.Bad at IL offset 0x29 of method 06000002 in shop\\u{1b} 1.0.0.0, program shop.exe 1.2.3.4\n") != NULL);
	write_with(report_json);
	CHECK(strstr(got, "\"source\":\"heuristic\",\"type_source\":\"watson\",\"thread_id\":7") != NULL);
	CHECK(strstr(got, "\"message_source\":\"stack\",\"type_unverified\":true,\"frames\"") != NULL && strstr(got, "\"inner_unreadable\":true") != NULL);
	CHECK(strstr(got, "\"watson\":{\"app\":\"shop.exe\",\"app_version\":\"1.2.3.4\",\"module\":\"shop\\u001b\",\"module_version\":\"1.0.0.0\","
	                  "\"method_token\":\"0x06000002\",\"il_offset\":\"0x29\",\"type\":\"Shop.Bad\"}") != NULL);
	memory_close(&memory);
}

/* The words of a fail-fast stand without a type. */
static void
fail_fast_text(void)
{
	CHECK(set_up());
	add_exceptions();
	diagnosis.findings.fail_fast = true;
	diagnosis.findings.exceptions[0].type[0] = '\0';
	write_with(report_text);
	CHECK(strstr(got, "What      Environment.FailFast: no \\u{202e}way\n") == got);
	diagnosis.findings.fail_fast = false;
	write_with(report_text);
	CHECK(strstr(got, "What      an exception of unknown type: no ") == got);
	memory_close(&memory);
}

static void
redacted(void)
{
	CHECK(set_up());
	add_exceptions();
	diagnosis.options.redact_message = true;
	write_with(report_text);
	CHECK(strstr(got, "way") == NULL && strstr(got, "Shop.Bad: (message left out)\n") != NULL);
	write_with(report_json);
	CHECK(strstr(got, "way") == NULL && strstr(got, "\"message_redacted\":true") != NULL);
	memory_close(&memory);
}

static void
nothing_known(void)
{
	CHECK(set_up());
	diagnosis.space.crash.recorded = diagnosis.crashed = false;
	diagnosis.space.modules = NULL;
	diagnosis.space.module_count = diagnosis.space.thread_count = 0;
	diagnosis.thread = NULL;
	diagnosis.type[0] = diagnosis.detail[0] = diagnosis.hint[0] = diagnosis.program[0] = 0;
	diagnosis.signature.hash[0] = 0;
	diagnosis.frames.count = 0;
	diagnosis.space.os = OS_UNKNOWN;
	diagnosis.space.arch = ARCH_UNKNOWN;
	write_with(report_text);
		CHECK(strstr(got, "What      no crash is recorded in this dump\nProcess   unknown, pid 4292, unknown system") == got);
	write_with(report_json);
	CHECK(strstr(got, "crash_info") == NULL && strstr(got, "\"threads\":[]") != NULL);
	memory_close(&memory);
}

static void
json(void)
{
	CHECK(set_up());
	add_exceptions();
	write_with(report_json);
	CHECK(strstr(got, "{\"status\":\"OK\",\"file\":\"/tmp/a.dmp\",\"pid\":4292,\"process_uptime\":60,"
	                  "\"crash_info\":{\"type\":\"EXCEPTION_ACCESS_VIOLATION_READ\"") == got);
	CHECK(strstr(got, "\"source\":\"descriptor\",\"thread_id\":7,\"exception\":{\"type\":\"Shop.Bad\",\"message\":\"no \\u202eway\","
	                  "\"hresult\":\"0x80131500\",\"frames\":[{\"method\":\"System.Linq.First\",\"offset\":\"0x0000000000000001\"},"
	                  "{\"method\":\"Shop.Run\\u001b[2J\",\"offset\":\"0x0000000000000002\"}],"
	                  "\"inner\":{\"type\":\"Shop.Worse\",") != NULL);
	CHECK(strstr(got, "{\"frame\":1,\"trust\":\"pdata\",\"offset\":\"0x0000000140002020\",\"module\":\"shop.exe\","
	                  "\"module_offset\":\"0x0000000000002020\",\"repeated\":41,\"repeated_frames\":1}") != NULL);
	CHECK(strstr(got, "{\"frame\":2,\"trust\":\"fp\",\"offset\":\"0x0000000000000999\",\"function\":\"Shop.Main\",\"managed\":true}") != NULL);
	CHECK(got[got_count - 1] == '\n' && strchr(got, '\n') == got + got_count - 1);
	memory_close(&memory);
}

static void
groups(void)
{
	static struct stack_group list[2] = {{1, 1, 2}};
	static uint32_t of_thread[2] = {1, 1};
	CHECK(set_up());
	diagnosis.options.all = true;
	diagnosis.thread = NULL;
	diagnosis.groups = list;
	diagnosis.group_count = 1;
	diagnosis.thread_group = of_thread;
	list[0].first = of_thread[0] = of_thread[1] = 0;
	write_with(report_text);
	CHECK(strstr(got, "\nThreads\n  2 threads with this stack: 7, 9\n") != NULL);
	memory_close(&memory);
}

int
main(void)
{
	UNIT_RUN(native_text);
	UNIT_RUN(managed_text);
	UNIT_RUN(marked_text);
	UNIT_RUN(fail_fast_text);
	UNIT_RUN(redacted);
	UNIT_RUN(nothing_known);
	UNIT_RUN(json);
	UNIT_RUN(groups);
	return unit_end();
}
