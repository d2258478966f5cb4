/* SPDX-License-Identifier: MIT */
/* Whole diagnoses of small dumps: cut at every byte, and what their notes say is missing. */
#include "job/report_json.h"
#include "job/report_text.h"

#define MAKER_ROOM 65536
#include "dump_maker.h"
#include "unit.h"

static char got[65536];
static size_t got_count;
static struct maker maker;
static struct memory memory;
static struct diagnosis *diagnosis;
static struct fault fault;

static bool
keep(struct sink *sink, const void *from, size_t count, struct fault *failed)
{
	(void)sink;
	if (count >= sizeof got - got_count)
		return fault_raise(failed, FAULT_BOUND, "more than the test has room for");
	memcpy(got + got_count, from, count);
	got_count += count;
	got[got_count] = 0;
	return true;
}

static bool
diagnose(struct span bytes, bool all)
{
	struct diagnose_options options = {all, false, NULL};
	fault_clear(&fault);
	memset(memory.at, 0, memory.used);
	memory.used = 0;
	diagnosis = memory_take(&memory, sizeof *diagnosis, 64);
	return diagnose_open_bytes(diagnosis, &memory, bytes, &options, &fault);
}

static void
write_with(void (*report)(struct diagnosis *, struct pen *))
{
	static struct sink sink = {keep, NULL, NULL};
	static struct pen pen;
	got_count = 0;
	pen_open(&pen, &sink, &fault);
	report(diagnosis, &pen);
	CHECK(pen_close(&pen));
}

static bool
has_note(const char *words)
{
	for (size_t i = 0; i < diagnosis->note_count; i++)
		if (strstr(diagnosis->notes[i], words) != NULL)
			return true;
	return false;
}

/* A copy of its own size each time, so that the sanitizer sees each byte beyond. What is cut off is noted. */
static void
cut_everywhere(struct span whole, size_t head)
{
	size_t good = 0;
	CHECK(diagnose(whole, true) && diagnosis->crashed && diagnosis->frames.count > 1 && !diagnosis->space.torn);
	diagnose_close(diagnosis);
	for (size_t size = 0; size < whole.count; size++) {
		unsigned char *cut = malloc(size + 1);
		memcpy(cut, whole.at, size);
		if (diagnose((struct span){cut, size}, true)) {
			good++;
			CHECK(diagnosis->note_count > 0);
			write_with(report_text);
			CHECK(strncmp(got, "What ", 5) == 0 && got[got_count - 1] == '\n');
			write_with(report_json);
			CHECK(got[0] == '{' && got_count > 2 && strcmp(got + got_count - 2, "}\n") == 0);
			diagnose_close(diagnosis);
		} else {
			CHECK(fault.kind == FAULT_CORRUPT && fault.text[0] != 0);
		}
		free(cut);
	}
	CHECK(good >= whole.count - head);
}

static struct span
seed(const char *name)
{
	static unsigned char bytes[32768];
	char path[100];
	FILE *file;
	size_t count = 0;
	snprintf(path, sizeof path, "tests/fuzz/seeds/dump_analyze/%s", name);
	file = fopen(path, "rb");
	CHECK(file != NULL);
	if (file != NULL) {
		count = fread(bytes, 1, sizeof bytes, file);
		fclose(file);
	}
	return span_from((struct span){bytes, count}, 1); /* the first byte is the target's choice */
}

static void
minidump_cut_at_every_byte(void)
{
	cut_everywhere(seed("x64-all"), 1480);
}

static void
core_cut_at_every_byte(void)
{
	cut_everywhere(seed("core"), 800);
}

/* A stack of 0x1000 bytes, of which the dump has `kept`; nothing on it looks like a return address. Tells where it lies. */
static size_t
make_stack(uint64_t pc, size_t kept)
{
	size_t context, list;
	minidump_begin(&maker);
	minidump_system(&maker, 9, 2);
	context = put_context(&maker, pc, 0x20010, 1232);
	put_exception(&maker, 7, 0xc0000005, pc, 0, NULL, context, 1232);
	list = put(&maker, 1, 4);
	put_thread(&maker, 7, 0, 0x20000, 0x1000, 0, context, 1232);
	minidump_stream(&maker, STREAM_THREADS, list, 4 + 48);
	context = put_string(&maker, "C:\\shop.exe");
	list = put(&maker, 1, 4);
	put_module(&maker, 0x140000000, 0x3000, context, 0, 0);
	minidump_stream(&maker, STREAM_MODULES, list, 4 + 108);
	list = put(&maker, 2, 8);
	put(&maker, 0, 8);
	for (size_t i = 0; i < 2; i++) {
		put(&maker, i == 0 ? 0x20000 : 0x20080, 8); /* two ranges without a gap */
		put(&maker, i == 0 ? 0x80 : kept - 0x80, 8);
	}
	minidump_stream(&maker, STREAM_MEMORY64, list, 48);
	put_at(&maker, list + 8, maker.used, 8);
	return put_bytes(&maker, NULL, kept);
}

static void
tells_why_a_stack_ends(void)
{
	make_stack(0x140001000, 0x200);
	CHECK(diagnose(maker_span(&maker), false));
	CHECK(has_note("the stack cannot be followed behind frame 0: its memory from 0x20200 on is not in this dump"));
	CHECK(!has_note("unwind data"));
	make_stack(0x140001000, 0x1000);
	CHECK(diagnose(maker_span(&maker), false));
	CHECK(!has_note("its memory from"));
	CHECK(has_note("unwind data of shop.exe is not in this dump"));
}

/* ProcDump's comment has lines, and control characters are no one's. */
static void
writes_comments_by_lines(void)
{
	static const char words[] = "\r\n*** procdump -ma -e\r\n*** Unhandled: E0434352\x1b[2J\r\n\r\n";
	size_t at;
	(void)make_stack(0x140001000, 0x1000);
	at = maker.used;
	for (const char *c = words; *c != 0; c++)
		put(&maker, (unsigned char)*c, 2);
	minidump_stream(&maker, STREAM_COMMENT_W, at, maker.used - at);
	CHECK(diagnose(maker_span(&maker), false));
	write_with(report_text);
	CHECK(strstr(got, "\nComment\n  *** procdump -ma -e\n  *** Unhandled: E0434352\\u{1b}[2J\n\nNotes\n") != NULL);
	write_with(report_json);
	CHECK(strstr(got, "\"comment\":\"\\u000d\\u000a*** procdump -ma -e\\u000d\\u000a*** Unhandled: E0434352\\u001b[2J\\u000d\\u000a\\u000d\\u000a\"") != NULL);
	at = maker.used;
	put(&maker, '\n', 2), put(&maker, '\r', 2);
	maker.streams--;
	minidump_stream(&maker, STREAM_COMMENT_W, at, 4);
	CHECK(diagnose(maker_span(&maker), false));
	write_with(report_text);
	CHECK(strstr(got, "Comment") == NULL);
	at = maker.used;
	for (unsigned i = 0; i < 50; i++)
		put(&maker, 'a', 2), put(&maker, '\n', 2);
	maker.streams--;
	minidump_stream(&maker, STREAM_COMMENT_W, at, 200);
	CHECK(diagnose(maker_span(&maker), false));
	write_with(report_text);
	CHECK(strstr(got, "  a\n  a\n  and more\n\nNotes") != NULL);
}

/* A dump on demand of a process that Windows is about to report: thread 7 of the two, both in the function that is named so. */
static void
finds_a_crash_under_way(void)
{
	static unsigned char bytes[32768];
	static const char function[] = "UnhandledExceptionFilter";
	struct span from = seed("none"), dump = {bytes, from.count};
	memcpy(bytes, from.at, from.count);
	CHECK(diagnose(dump, false) && diagnosis->crashing_in == NULL && diagnosis->thread == NULL);
	write_with(report_text);
	CHECK(strstr(got, "What      no crash is recorded in this dump\nProcess ") == got);
	write_with(report_json);
	CHECK(strstr(got, "{\"thread_id\":7,") != NULL && strstr(got, "{\"thread_id\":8,") != NULL); /* what each was doing */
	bytes[0x5868] = 126; /* in the TEB that both threads have */
	memcpy(bytes + 0x44a0, function, sizeof function); /* the image's first name */
	bytes[0x4460] = 0xa0;
	CHECK(diagnose(dump, false) && diagnosis->crashing_in != NULL && !diagnosis->crashed);
	write_with(report_text);
	CHECK(strstr(got, "What      no crash is recorded in this dump, but thread 7 was about to end the process: it stands in UnhandledExceptionFilter\n"
	                  "Where     shop.exe!UnhandledExceptionFilter+0x10, thread 7 \"main\"\nStack     => 0 ") == got);
	CHECK(strstr(got, "\nStack\n  thread 7 \"main\", last error 126: module not found\n") != NULL);
	write_with(report_json);
	CHECK(strstr(got, "\"last_error_value\":\"0x0000007e\"") != NULL);
	CHECK(strstr(got, "\"unrecorded_crash\":{\"thread_id\":7,\"function\":\"UnhandledExceptionFilter\"}") != NULL);
	CHECK(strstr(got, "crash_info") == NULL);
	CHECK(diagnose(seed("native"), true) && diagnosis->crashing_in == NULL);
}

/* What made the call is the answer, although only a scan found it: but not one word further up. */
static void
marks_who_called_into_nowhere(void)
{
	for (size_t gap = 0; gap <= 8; gap += 8) {
		size_t stack = make_stack(0x5000, 0x1000);
		put_at(&maker, stack + 0x10 + gap, 0x140001100, 8);
		CHECK(diagnose(maker_span(&maker), false));
		CHECK(diagnosis->frames.count == 2 && diagnosis->frames.list[1].pc == 0x140001100);
		CHECK(diagnosis->top == (gap == 0 ? 1 : NO_FRAME));
		CHECK((strstr(diagnosis->signature.text, "shop.exe+0x1100") != NULL) == (gap == 0));
	}
}

/* Its directory lists an exception at 0x62c of the file. */
static void
tells_that_the_crash_is_cut_off(void)
{
	struct span whole = seed("x64-all");
	CHECK(diagnose(span_first(whole, 0x630), false) && diagnosis->space.torn && !diagnosis->crashed);
	write_with(report_text);
	CHECK(strstr(got, "What      unknown: the file ends before the record of a crash\n") == got);
	CHECK(diagnose(span_first(whole, 0x62c + 168), false) && diagnosis->space.torn && diagnosis->crashed);
	write_with(report_text);
	CHECK(strstr(got, "What      access violation") == got);
}

int
main(void)
{
	if (!memory_open(&memory, memory_need(sizeof *diagnosis, 64) + diagnose_need(false), &fault))
		return 1;
	UNIT_RUN(minidump_cut_at_every_byte);
	UNIT_RUN(core_cut_at_every_byte);
	UNIT_RUN(tells_why_a_stack_ends);
	UNIT_RUN(writes_comments_by_lines);
	UNIT_RUN(finds_a_crash_under_way);
	UNIT_RUN(marks_who_called_into_nowhere);
	UNIT_RUN(tells_that_the_crash_is_cut_off);
	return unit_end();
}
