/* SPDX-License-Identifier: MIT */
/* The JSON reader: the corpus of JSONTestSuite, every split of a text, truncation at every byte, bounds, hostile texts. */
#include "unit.h"

#include "base/encode.h"
#include "base/json.h"

#include <dirent.h>

static struct json_reader reader;
static struct fault fault;
static bool more;

/* Hands out a text in pieces of `step` bytes (0: of a random size up to 9), and breaks at `broken` if that is not 0.
 * Instead of the text, `make` may write the next part of one into room. */
struct pieces {
	struct source source;
	struct span rest;
	size_t step, given, broken;
	unsigned random;
	size_t (*make)(struct pieces *, unsigned char *room, size_t size);
	unsigned made;
};

static unsigned
next_random(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

static bool
pieces_read(struct source *source, void *room, size_t size, size_t *got, struct fault *why)
{
	struct pieces *p = (struct pieces *)source;
	size_t step = p->step != 0 ? p->step : 1 + next_random(&p->random) % 9;
	if (p->make != NULL) {
		*got = p->make(p, room, size);
		return true;
	}
	if (p->broken != 0 && p->given + step >= p->broken)
		return fault_raise(why, FAULT_NETWORK, "reset at %zu", p->broken);
	*got = step < p->rest.count ? step : p->rest.count;
	if (*got > size)
		*got = size;
	if (*got > 0)
		memcpy(room, p->rest.at, *got);
	p->rest = span_from(p->rest, *got);
	p->given += *got;
	return true;
}

static struct pieces
pieces_of(struct span text, size_t step)
{
	struct pieces p;
	memset(&p, 0, sizeof p);
	p.source.read = pieces_read;
	p.rest = text;
	p.step = step;
	p.random = 7;
	return p;
}

static bool
judge(struct span text, size_t step)
{
	struct pieces p = pieces_of(text, step);
	fault_clear(&fault);
	return json_check(&p.source, &fault);
}

static bool
is_valid(const char *text)
{
	bool whole = judge(span_of(text), 4096), bytewise = judge(span_of(text), 1);
	CHECK(whole == bytewise);
	CHECK(whole || fault.kind == FAULT_CORRUPT || fault.kind == FAULT_BOUND);
	return whole;
}

/* Reads all elements; their number, or -1 after a fault. */
static int
drain(void)
{
	for (int count = 0;; count++) {
		if (!json_next(&reader, &more, &fault))
			return -1;
		if (!more)
			return count;
	}
}

static struct pieces opened;

static void
open_text(const char *text, size_t step, const char *member, const char *const *wanted, size_t count)
{
	opened = pieces_of(span_of(text), step);
	fault_clear(&fault);
	json_open(&reader, &opened.source, member, wanted, count);
}

static const char *
text_of(size_t i)
{
	static char room[JSON_WINDOW];
	return json_get_text(&reader, i, room, sizeof room) ? room : "(none)";
}

static int64_t
int_of(size_t i)
{
	int64_t value;
	return json_get_int(&reader, i, &value) ? value : -999;
}

static bool
next(void)
{
	return json_next(&reader, &more, &fault) && more;
}

static bool
ended(void)
{
	return json_next(&reader, &more, &fault) && !more;
}

/* The one element of a text, with the values of `wanted`, in pieces of one byte. */
static bool
element(const char *text, const char *const *wanted, size_t count)
{
	open_text(text, 1, NULL, wanted, count);
	return next();
}

/* ---- what is JSON ---- */

static bool
read_corpus_file(const char *name, unsigned char *room, size_t size, size_t *count)
{
	char path[512];
	FILE *file;
	snprintf(path, sizeof path, "../shared/corpora/json/%s", name);
	file = fopen(path, "rb");
	if (file == NULL)
		return false;
	*count = fread(room, 1, size, file);
	fclose(file);
	return true;
}

static void
test_corpus(void)
{
	static unsigned char room[300000];
	DIR *folder = opendir("../shared/corpora/json");
	struct dirent *entry;
	int judged = 0;
	if (folder == NULL) {
		SKIP("../shared is not there");
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		size_t count = 0, steps[] = {4096, 1, 2, 3, 7, 0, 0, 0};
		bool first = false;
		if (entry->d_name[0] == '.' || strchr("yni", entry->d_name[0]) == NULL || entry->d_name[1] != '_')
			continue;
		CHECK(read_corpus_file(entry->d_name, room, sizeof room, &count) && count < sizeof room);
		judged++;
		for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
			bool accepted = judge((struct span){room, count}, steps[i]);
			struct pieces p = pieces_of((struct span){room, count}, steps[i]);
			bool wrong = (accepted && entry->d_name[0] == 'n') || (!accepted && entry->d_name[0] == 'y');
			if (wrong)
				fprintf(stderr, "%s in steps of %zu: %s\n", entry->d_name, steps[i], fault.text);
			CHECK(!wrong);
			if (i == 0)
				first = accepted;
			CHECK(accepted == first);
			fault_clear(&fault);
			json_open(&reader, &p.source, "value", NULL, 0);
			CHECK((drain() >= 0) == accepted);
		}
	}
	closedir(folder);
	CHECK(judged == 318);
}

static void
test_grammar(void)
{
	static const char *const good[] = {
		"0", "-0", "10", "-1.5e+10", "1E-2", "1e5", "0.0", " 1 ", "true", "false", "null", "\"\"", "[]", "{}", "[ ]", "{ }",
		"\t[1 ,\n2,\r[]]", "{\"\":{\"\":[]}}", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00aF\"", "\"\x7f\"", "\"\\ud800\"",
		"\xef\xbb\xbf{}", "\xef\xbb\xbf 1", "[[],{},\"\",0,true]",
	};
	static const char *const bad[] = {
		"", " ", "-", "+1", "01", "-01", "1.", ".5", "1.e1", "1e", "1e+", "0x1", "1 2", "--1", "1-", "tru", "truex", "True",
		"nul", "falsey", "NaN", "Infinity", "'a'", "\"", "\"a", "\"\\x\"", "\"\\u12g4\"", "\"\\u123\"", "\"\n\"", "\"\x1f\"",
		"[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "}", "{]", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
		"{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1]", "{,}", "{a:1}", "[1]]", "{}{}", "[],", "//", "[1]/**/", "\v1", "\f[]",
		"\xef\xbb\xbf", "\xef\xbb", "\xef\xbb\xbf\xef\xbb\xbf{}", " \xef\xbb\xbf{}", "{}\xef\xbb\xbf", "\xef\xbb{}", "\xff\xfe{",
		"<html>", "{\"a\":\"\xc0\x80\"}", "\"\\", "\"\\\"", "{\"\\q\":1}", "\"\\u\"", "\"\\U0041\"", "[\"a\",\"b\"", "{:1}",
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		bool valid = is_valid(good[i]);
		if (!valid)
			fprintf(stderr, "refused: %s: %s\n", good[i], fault.text);
		CHECK(valid);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		bool valid = is_valid(bad[i]);
		if (valid)
			fprintf(stderr, "accepted: %s\n", bad[i]);
		CHECK(!valid);
		CHECK(fault.kind == FAULT_CORRUPT);
	}
	for (int c = 0; c < 256; c++) {
		unsigned char text[] = {'"', '\\', (unsigned char)c, '"'};
		CHECK(judge((struct span){text, 4}, 1) == (c != 0 && strchr("\"\\/bfnrt", c) != NULL));
	}
	CHECK(!judge((struct span){(const unsigned char *)"1\0", 2}, 1));
	CHECK(!judge((struct span){(const unsigned char *)"\"\0\"", 3}, 1));
	CHECK(!judge((struct span){(const unsigned char *)"\"\\\0\"", 4}, 1));
	CHECK(!judge((struct span){(const unsigned char *)"[\0]", 3}, 1));
}

/* The scanner's UTF-8 against the other one of this floor, over every beginning of four bytes that can matter. */
static void
test_utf8(void)
{
	static const unsigned char edges[] = {0x00, 0x22, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
	size_t n = sizeof edges;
	for (size_t i = 0; i < 256 * n * n * n; i++) {
		unsigned char text[6] = {'"', (unsigned char)(i / (n * n * n)), edges[i / (n * n) % n], edges[i / n % n], edges[i % n], '"'};
		size_t size = utf8_length((struct span){text + 1, 4});
		if (text[1] < 0x80 || size == 0) {
			if (text[1] >= 0x80)
				CHECK(!judge((struct span){text, 6}, 8));
			continue;
		}
		text[size + 1] = '"';
		CHECK(judge((struct span){text, size + 2}, 8));
		CHECK(judge((struct span){text, size + 2}, 1));
		CHECK(!judge((struct span){text, size}, 8));
	}
}

static size_t
make_nest(unsigned char *room, char open, size_t depth)
{
	size_t used = 0;
	for (size_t i = 0; i < depth; i++) {
		if (open == '{') {
			memcpy(room + used, "{\"a\":", 5);
			used += 5;
		} else {
			room[used++] = '[';
		}
	}
	room[used++] = '1';
	for (size_t i = 0; i < depth; i++)
		room[used++] = open == '{' ? '}' : ']';
	return used;
}

static void
test_depth(void)
{
	static unsigned char room[8 * JSON_DEPTH_MAX];
	static const char *const wanted[] = {"a/a/a/a", ""};
	static const char opens[] = "[{";
	for (int i = 0; i < 2; i++) {
		size_t count = make_nest(room, opens[i], JSON_DEPTH_MAX);
		struct pieces p = pieces_of((struct span){room, count}, 3);
		CHECK(judge((struct span){room, count}, 1));
		fault_clear(&fault);
		json_open(&reader, &p.source, "a", wanted, 2);
		CHECK(drain() == 1);
		CHECK(judge((struct span){room, make_nest(room, opens[i], JSON_DEPTH_MAX - 1)}, 4096));
		count = make_nest(room, opens[i], JSON_DEPTH_MAX + 1);
		CHECK(!judge((struct span){room, count}, 1));
		CHECK(fault.kind == FAULT_BOUND);
		p = pieces_of((struct span){room, count}, 5);
		fault_clear(&fault);
		json_open(&reader, &p.source, NULL, wanted, 2);
		CHECK(drain() == -1 && fault.kind == FAULT_BOUND);
	}
	/* the kinds of brackets are kept apart at every level */
	memset(room, '[', 100);
	memset(room + 100, ']', 100);
	for (size_t i = 0; i < 100; i++) {
		room[100 + i] = '}';
		CHECK(!judge((struct span){room, 200}, 64));
		room[100 + i] = ']';
	}
	CHECK(judge((struct span){room, 200}, 64));
}

static void
test_words(void)
{
	open_text("<html><body>Sign in</body></html>", 4096, NULL, NULL, 0);
	CHECK(!json_next(&reader, &more, &fault));
	CHECK_TEXT(fault.text, "not JSON that can be read, at byte 0: a value should begin here");
	CHECK(!is_valid("[1,2"));
	CHECK_TEXT(fault.text, "not JSON that can be read, at byte 4: it ends too early");
	CHECK(!is_valid("[tru"));
	CHECK_TEXT(fault.text, "not JSON that can be read, at byte 4: it ends too early");
	CHECK(!is_valid("{\"a\":secret}"));
	CHECK(strstr(fault.text, "byte 5") != NULL && strstr(fault.text, "secret") == NULL);
	CHECK(!is_valid("[] x"));
	CHECK_TEXT(fault.text, "not JSON that can be read, at byte 3: something follows behind its end");
	CHECK(!is_valid("[1.]"));
	CHECK_TEXT(fault.text, "not JSON that can be read, at byte 3: a digit should stand here");
}

/* ---- what Kudu sends ---- */

static const char list[] =
	"[{\"id\":4292,\"name\":\"w3wp\",\"machineName\":\"RD0003FFA1B2C3\",\"href\":\"https://contoso.scm.azurewebsites.net/api/"
	"processes/4292\",\"user_name\":\"IIS APPPOOL\\\\contoso\"},\r\n {\"unknown\":[{\"id\":1}],\"id\":6948,\"name\":\"w3wp\"}]";

static const char detail[] =
	"{\"id\":4292,\"name\":\"w3wp\",\"machineName\":\"RD0003FFA1B2C3\",\"iis_profile_timeout_in_seconds\":180.0,"
	"\"parent\":\"https://contoso.scm.azurewebsites.net/api/processes/-1\",\"children\":[\"https://x/api/processes/5116\"],"
	"\"threads\":[{\"id\":2212,\"href\":\"https://x/threads/2212\",\"state\":\"Wait\"}],"
	"\"open_file_handles\":[\"C:\\\\home\\\\LogFiles\\\\a.log\"],"
	"\"modules\":[{\"base_address\":\"7ffd1a2b0000\",\"file_name\":\"ntdll.dll\",\"file_version\":null}],"
	"\"file_name\":\"C:\\\\Windows\\\\w3wp.exe\",\"command_line\":\"w3wp.exe -ap \\\"contoso\\\"\",\"user_name\":\"IIS APPPOOL\\\\"
	"b\\u00fccher \xd0\xb6 \\ud83d\\ude00\",\"handle_count\":1021,\"start_time\":\"2024-09-04T09:12:44.1873214Z\","
	"\"virtual_memory\":2203842945024,\"environment_variables\":{\"APP_POOL_ID\":\"~1contoso\",\"SECRET\":\"hunter2\"},"
	"\"is_scm_site\":true}";

enum { ID, NAME, MACHINE, USER, POOL, SCM, WEBJOB, VIRTUAL, WANTED };
static const char *const wanted_members[WANTED] = {"id", "name", "machineName", "user_name", "environment_variables/APP_POOL_ID",
                                                   "is_scm_site", "is_webjob", "virtual_memory"};

static void
check_detail(void)
{
	CHECK(next());
	CHECK(int_of(ID) == 4292);
	CHECK_TEXT(text_of(NAME), "w3wp");
	CHECK_TEXT(text_of(MACHINE), "RD0003FFA1B2C3");
	CHECK_TEXT(text_of(USER), "IIS APPPOOL\\b\xc3\xbc" "cher \xd0\xb6 \xf0\x9f\x98\x80");
	CHECK_TEXT(text_of(POOL), "~1contoso");
	CHECK(json_is_true(&reader, SCM));
	CHECK(!json_is_true(&reader, WEBJOB) && json_get(&reader, WEBJOB).kind == JSON_ABSENT);
	CHECK(int_of(VIRTUAL) == 2203842945024);
	CHECK(strstr(reader.window, "hunter2") == NULL);
	CHECK(ended());
	CHECK(ended());
}

static void
test_detail(void)
{
	for (size_t step = 0; step < 40; step++) {
		open_text(detail, step, NULL, wanted_members, WANTED);
		check_detail();
	}
	open_text(detail, 4096, "value", wanted_members, WANTED);
	check_detail();
}

static void
test_list(void)
{
	for (size_t step = 0; step < 40; step++) {
		open_text(list, step, NULL, wanted_members, WANTED);
		CHECK(next());
		CHECK(int_of(ID) == 4292);
		CHECK_TEXT(text_of(USER), "IIS APPPOOL\\contoso");
		CHECK(next());
		CHECK(int_of(ID) == 6948);
		CHECK_TEXT(text_of(USER), "(none)");
		CHECK_TEXT(text_of(NAME), "w3wp");
		CHECK(ended());
	}
}

/* A source of two pieces, the first of `step` bytes. */
static bool
two_pieces(struct source *source, void *room, size_t size, size_t *got, struct fault *why)
{
	struct pieces *p = (struct pieces *)source;
	bool read = pieces_read(source, room, size, got, why);
	p->step = 4096;
	return read;
}

static void
test_every_split(void)
{
	for (size_t i = 1; i < sizeof detail - 1; i++) {
		open_text(detail, i, NULL, wanted_members, WANTED);
		opened.source.read = two_pieces;
		check_detail();
	}
}

static void
test_truncated(void)
{
	for (size_t i = 0; i < sizeof detail - 1; i++) {
		struct pieces p = pieces_of(span_first(span_of(detail), i), 17);
		fault_clear(&fault);
		json_open(&reader, &p.source, NULL, wanted_members, WANTED);
		CHECK(drain() == -1 && fault.kind == FAULT_CORRUPT);
		CHECK(!judge(span_first(span_of(detail), i), 4096) && fault.kind == FAULT_CORRUPT);
	}
	for (size_t i = 0; i < sizeof list - 1; i++) {
		struct pieces p = pieces_of(span_first(span_of(list), i), 17);
		fault_clear(&fault);
		json_open(&reader, &p.source, NULL, wanted_members, WANTED);
		CHECK(drain() == -1 && fault.kind == FAULT_CORRUPT);
	}
}

static void
test_broken_source(void)
{
	for (size_t i = 1; i < sizeof detail; i++) {
		open_text(detail, 1, NULL, wanted_members, WANTED);
		opened.broken = i;
		CHECK(drain() == -1 && fault.kind == FAULT_NETWORK && strstr(fault.text, "reset at") != NULL);
		opened = pieces_of(span_of(detail), 1);
		opened.broken = i;
		fault_clear(&fault);
		CHECK(!json_check(&opened.source, &fault) && fault.kind == FAULT_NETWORK);
	}
}

static void
test_garbage_behind(void)
{
	open_text("[{\"id\":1}] {}", 1, NULL, wanted_members, WANTED);
	CHECK(next() && int_of(ID) == 1);
	CHECK(!json_next(&reader, &more, &fault) && fault.kind == FAULT_CORRUPT);
	open_text("{\"id\":1}]", 4096, NULL, wanted_members, WANTED);
	CHECK(next() && int_of(ID) == 1);
	CHECK(!json_next(&reader, &more, &fault) && fault.kind == FAULT_CORRUPT);
}

static size_t
make_processes(struct pieces *p, unsigned char *room, size_t size)
{
	unsigned n = p->made++;
	if (n == 4001)
		return 0;
	if (n == 4000)
		return (size_t)snprintf((char *)room, size, "]");
	return (size_t)snprintf((char *)room, size, "%c{\"href\":\"https://h/%u\",\"user_name\":\"\\u0416%u\",\"name\":\"p%u\",\"id\":%u}",
	                        n == 0 ? '[' : ',', n, n, n, n + 4);
}

static void
test_4000_processes(void)
{
	char user[16];
	open_text("", 1, NULL, wanted_members, WANTED);
	opened.make = make_processes;
	for (unsigned n = 0; n < 4000; n++) {
		CHECK(next());
		CHECK(int_of(ID) == n + 4);
		snprintf(user, sizeof user, "\xd0\x96%u", n);
		CHECK_TEXT(text_of(USER), user);
		CHECK_TEXT(text_of(MACHINE), "(none)");
	}
	CHECK(ended());
}

/* A detail of more than 4 MB: handles, then an environment of 20,000 names with ours in the midst of it. */
static size_t
make_big_detail(struct pieces *p, unsigned char *room, size_t size)
{
	unsigned n = p->made++;
	if (n == 0)
		return (size_t)snprintf((char *)room, size, "{\"id\":77,\"open_file_handles\":[0");
	if (n <= 20000)
		return (size_t)snprintf((char *)room, size, ",\"C:\\\\home\\\\site\\\\wwwroot\\\\\\u00e4 %u %080u\"", n, n);
	if (n == 20001)
		return (size_t)snprintf((char *)room, size, "],\"environment_variables\":{\"A\":\"\"");
	if (n == 30000)
		return (size_t)snprintf((char *)room, size, ",\"APP_POOL_ID\":\"contoso\"");
	if (n <= 40000)
		return (size_t)snprintf((char *)room, size, ",\"VARIABLE_%u\":\"%0100u\"", n, n);
	return n == 40001 ? (size_t)snprintf((char *)room, size, "},\"is_scm_site\":true}") : 0;
}

static void
test_big_detail(void)
{
	open_text("", 1, NULL, wanted_members, WANTED);
	opened.make = make_big_detail;
	CHECK(next());
	CHECK(int_of(ID) == 77);
	CHECK_TEXT(text_of(POOL), "contoso");
	CHECK(json_is_true(&reader, SCM));
	CHECK(ended());
}

/* ---- members ---- */

static void
test_escaped_names(void)
{
	static const char *const wanted[] = {"id", "a/b", "\xd0\xb6\xf0\x9f\x98\x80", "x\"y\\z", "sl"};
	CHECK(element("{\"\\u0069d\":1,\"\\u0061\":{\"\\u0062\":2},\"\\u0416\":0,\"\\u0436\\uD83D\\ude00\":3,\"x\\\"y\\u005cz\":4,"
	              "\"s\\/l\":5,\"\\u0069\\u0064\\u0000\":6}", wanted, 5));
	CHECK(int_of(0) == 1 && int_of(1) == 2 && int_of(2) == 3 && int_of(3) == 4 && int_of(4) == -999);
}

static void
test_long_names(void)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
	static const char *const wanted[] = {name, "z"};
	char room[1024];
	struct text text = text_in(room, sizeof room);
	CHECK(strlen(name) == JSON_NAME_MAX);
	/* all of it as \u escapes, and beside it names that are one byte longer, escaped and plain */
	text_put(&text, "{\"");
	for (const char *at = name; *at != 0; at++)
		text_printf(&text, "\\u%04x", (unsigned)*at);
	text_printf(&text, "\":5,\"%sm\":6,\"", name);
	for (const char *at = name; *at != 0; at++)
		text_printf(&text, "\\u%04x", (unsigned)*at);
	text_put(&text, "m\":7,\"z\":8}");
	CHECK(!text.cut);
	CHECK(element(room, wanted, 2));
	CHECK(int_of(0) == 5 && int_of(1) == 8);
	CHECK(ended());
}

static void
test_repeated(void)
{
	static const char *const wanted[] = {"id", "a/b"};
	CHECK(element("{\"id\":1,\"id\":\"two\",\"\\u0069d\":3}", wanted, 2));
	CHECK(int_of(0) == 3);
	CHECK(element("{\"id\":1,\"a\":{\"b\":2},\"id\":{\"id\":4},\"a\":{\"b\":[5]}}", wanted, 2));
	CHECK(json_get(&reader, 0).kind == JSON_ABSENT && json_get(&reader, 1).kind == JSON_ABSENT);
	CHECK(element("{\"id\":[],\"id\":7}", wanted, 2));
	CHECK(int_of(0) == 7);
}

static void
test_repeated_too_often(void)
{
	static const char *const wanted[] = {"i"};
	char room[1024];
	for (int count = 31; count < 40; count++) {
		struct text text = text_in(room, sizeof room);
		for (int i = 0; i < count; i++)
			text_printf(&text, "%s\"i\":%d", i == 0 ? "{" : ",", i);
		text_put(&text, "}");
		open_text(room, 1, NULL, wanted, 1);
		if (count * 2 + 1 <= JSON_TOKENS)
			CHECK(next() && int_of(0) == count - 1);
		else
			CHECK(!json_next(&reader, &more, &fault) && fault.kind == FAULT_BOUND);
	}
}

static void
test_paths(void)
{
	static const char *const wanted[] = {"a", "a/b", "a/b/c", "b", "p/q/r/s"};
	CHECK(element("{\"b\":[{\"b\":9}],\"x\":{\"a\":8,\"b\":7},\"a\":{\"b\":{\"c\":1,\"a\":2,\"b\":3},\"a\":4},\"p\":{\"q\":{\"r\":{\"s\":5,"
	              "\"t\":{\"s\":6}}}}}", wanted, 5));
	CHECK(json_get(&reader, 0).kind == JSON_ABSENT);
	CHECK(json_get(&reader, 1).kind == JSON_ABSENT);
	CHECK(int_of(2) == 1 && json_get(&reader, 3).kind == JSON_ABSENT && int_of(4) == 5);
	CHECK(element("{\"a\":{\"b\":2,\"\":3},\"b\":null}", wanted, 5));
	CHECK(int_of(1) == 2 && json_get(&reader, 3).kind == JSON_NULL && json_get(&reader, 0).kind == JSON_ABSENT);
	CHECK(element("{\"a\":[{\"b\":2}],\"p\":{\"q\":[{\"r\":{\"s\":1}}]}}", wanted, 5));
	CHECK(json_get(&reader, 1).kind == JSON_ABSENT && json_get(&reader, 4).kind == JSON_ABSENT);
	CHECK(element("{\"a\":false}", wanted, 5));
	CHECK(json_get(&reader, 0).kind == JSON_FALSE);
	CHECK(ended());
}

static void
test_no_objects(void)
{
	static const char *const wanted[] = {"id", ""};
	open_text("[1,\"two\",[3,[]],{\"id\":4,\"\":5},null,{}]", 1, NULL, wanted, 2);
	CHECK(next() && int_of(1) == 1 && int_of(0) == -999);
	CHECK(next());
	CHECK_TEXT(text_of(1), "two");
	CHECK(next() && json_get(&reader, 1).kind == JSON_ABSENT);
	CHECK(next() && int_of(0) == 4 && json_get(&reader, 1).kind == JSON_ABSENT);
	CHECK(next() && json_get(&reader, 1).kind == JSON_NULL);
	CHECK(next() && json_get(&reader, 0).kind == JSON_ABSENT);
	CHECK(ended());
	CHECK(element("\"No route\"", wanted, 2));
	CHECK_TEXT(text_of(1), "No route");
	CHECK(ended());
	CHECK(element(" -12", wanted, 2) && int_of(1) == -12 && ended());
	open_text("[]", 1, NULL, wanted, 2);
	CHECK(ended());
	open_text("{}", 1, NULL, wanted, 2);
	CHECK(next() && ended());
	open_text(" ", 1, NULL, wanted, 2);
	CHECK(drain() == -1 && fault.kind == FAULT_CORRUPT);
}

static void
test_array_member(void)
{
	static const char *const wanted[] = {"id", "nextLink", "properties/id", "error/code"};
	for (size_t step = 0; step < 9; step++) {
		open_text("{\"count\":2,\"id\":\"outer\",\"value\":[{\"id\":\"a\",\"properties\":{\"id\":1},\"value\":[{\"id\":\"no\"}]},{\"id\":\"b\"}],"
		          "\"nextLink\":\"https://n\\/2\"}", step, "value", wanted, 4);
		CHECK(next());
		CHECK_TEXT(text_of(0), "a");
		CHECK(int_of(2) == 1);
		CHECK_TEXT(text_of(1), "(none)");
		CHECK(next());
		CHECK_TEXT(text_of(0), "b");
		CHECK(int_of(2) == -999);
		for (int again = 0; again < 2; again++) {
			CHECK(ended());
			CHECK_TEXT(text_of(0), "outer");
			CHECK_TEXT(text_of(1), "https://n/2");
		}
	}
	/* a list without an envelope, an envelope without a list, a list that is none, one that is repeated or not at the top */
	open_text(list, 1, "value", wanted, 4);
	CHECK(drain() == 2);
	open_text("{\"error\":{\"code\":\"GatewayTimeout\",\"value\":[1]}}", 1, "value", wanted, 4);
	CHECK(next());
	CHECK_TEXT(text_of(3), "GatewayTimeout");
	CHECK(ended());
	open_text("{\"value\":{\"id\":1},\"id\":2}", 1, "value", wanted, 4);
	CHECK(next() && int_of(0) == 2 && ended());
	open_text("{\"value\":[{\"id\":1}],\"id\":2,\"v\\u0061lue\":[{\"id\":3},{\"id\":4}]}", 1, "value", wanted, 4);
	CHECK(next() && int_of(0) == 1 && next() && int_of(0) == 3 && next() && int_of(0) == 4);
	CHECK(ended() && int_of(0) == 2);
	open_text("{\"values\":[1],\"x\":[1],\"valu\":[1]}", 1, "value", wanted, 4);
	CHECK(drain() == 1);
	open_text("{\"value\":[]}", 1, "value", wanted, 4);
	CHECK(ended());
	open_text("{\"value\":[[1]],\"id\":2}", 1, "value", wanted, 4);
	CHECK(next() && int_of(0) == -999 && ended() && int_of(0) == 2);
	open_text("[{\"value\":[{\"id\":9}],\"id\":1}]", 1, "value", wanted, 4);
	CHECK(next() && int_of(0) == 1 && ended());
}

static void
test_copies(void)
{
	static const char *const wanted[] = {"id"};
	char room[8];
	CHECK(element("{\"id\":\"1234567\"}", wanted, 1));
	CHECK(json_get_text(&reader, 0, room, 8));
	CHECK_TEXT(room, "1234567");
	CHECK(!json_get_text(&reader, 0, room, 7) && room[0] == 0);
	CHECK(!json_get_text(&reader, 0, room, 1) && room[0] == 0);
	CHECK(element("{\"id\":\"a\\u0000b\"}", wanted, 1));
	CHECK(!json_get_text(&reader, 0, room, sizeof room) && room[0] == 0);
	CHECK(element("{\"id\":\"\"}", wanted, 1));
	CHECK(json_get_text(&reader, 0, room, 1) && room[0] == 0);
	CHECK(element("{\"id\":5}", wanted, 1));
	CHECK(!json_get_text(&reader, 0, room, sizeof room));
}

static void
test_strings(void)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
		{"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
		{"\\u0041\\u00e9\\u20ac\\uFFFF", "A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf"},
		{"\\ud83d\\uDE00", "\xf0\x9f\x98\x80"},
		{"\\ud800\\udc00\\udbff\\udfff", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		{"\\ud83d", "\xef\xbf\xbd"},
		{"\\ude00", "\xef\xbf\xbd"},
		{"\\ud83dx", "\xef\xbf\xbdx"},
		{"\\ud83d\\n", "\xef\xbf\xbd\n"},
		{"\\ud83d\\u0041", "\xef\xbf\xbd" "A"},
		{"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
		{"\\ude00\\ude00", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\\\\u0041", "\\u0041"},
		{"{\\\"a\\\":[1]},", "{\"a\":[1]},"},
	};
	static const char *const wanted[] = {"s"};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char room[256];
		snprintf(room, sizeof room, "{\"s\":\"%s\"}", cases[i].raw);
		CHECK(element(room, wanted, 1));
		CHECK_TEXT(text_of(0), cases[i].text);
	}
}

static void
test_numbers(void)
{
	static const char *const whole[] = {"0", "-0", "7", "-7", "9223372036854775807", "-9223372036854775808"};
	static const int64_t values[] = {0, 0, 7, -7, INT64_MAX, INT64_MIN};
	static const char *const others[] = {"9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e3", "1.0", "0.5",
	                                     "99999999999999999999999999", "\"7\"", "true", "null", "{}", "[7]"};
	static const char *const wanted[] = {"n"};
	char room[128];
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		int64_t value = 1;
		snprintf(room, sizeof room, "{\"n\":%s}", whole[i]);
		CHECK(element(room, wanted, 1));
		CHECK(json_get_int(&reader, 0, &value) && value == values[i]);
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		int64_t value;
		snprintf(room, sizeof room, "{\"n\":%s}", others[i]);
		CHECK(element(room, wanted, 1));
		CHECK(!json_get_int(&reader, 0, &value));
	}
}

/* A string of `bytes` characters under the name "s". */
static char *
long_member(size_t bytes)
{
	static char room[2 * JSON_WINDOW];
	struct text text = text_in(room, sizeof room);
	text_put(&text, "[{\"t\":1,\"s\":\"");
	while (bytes-- > 0)
		text_put_byte(&text, 'x');
	text_put(&text, "\"},{\"t\":2}]");
	CHECK(!text.cut);
	return room;
}

static void
test_window(void)
{
	static const char *const wanted[] = {"s", "t"}, *const other[] = {"t"};
	/* the window then holds {"01":1,"00":"x…"} */
	size_t most = JSON_WINDOW - strlen("{\"01\":1,\"00\":\"\"}");
	for (size_t bytes = most - 1; bytes <= most + 1; bytes++) {
		open_text(long_member(bytes), 0, NULL, wanted, 2);
		if (bytes <= most) {
			CHECK(next() && strlen(text_of(0)) == bytes && int_of(1) == 1);
			CHECK(next() && json_get(&reader, 0).kind == JSON_ABSENT && int_of(1) == 2);
			CHECK(ended());
		} else {
			CHECK(!json_next(&reader, &more, &fault) && fault.kind == FAULT_BOUND);
			CHECK(strstr(fault.text, "\"s\"") != NULL);
		}
	}
	open_text(long_member(JSON_WINDOW + 100), 0, NULL, other, 1);
	CHECK(next() && int_of(0) == 1 && next() && int_of(0) == 2 && ended());
}

static void
test_most_wanted(void)
{
	static char names[JSON_WANTED_MAX][8];
	const char *wanted[JSON_WANTED_MAX];
	char room[1024];
	struct text text = text_in(room, sizeof room);
	for (size_t i = 0; i < JSON_WANTED_MAX; i++) {
		snprintf(names[i], sizeof names[i], "m%zu", i);
		wanted[i] = names[i];
		text_printf(&text, "%s\"m%zu\":%zu", i == 0 ? "{" : ",", i, i);
	}
	text_put(&text, "}");
	CHECK(element(room, wanted, JSON_WANTED_MAX));
	for (size_t i = 0; i < JSON_WANTED_MAX; i++)
		CHECK(int_of(i) == (int64_t)i);
}

/* Texts of brackets, names and commas at random: reader and scanner agree, in any pieces, and nothing breaks. */
static void
test_random(void)
{
	static const char *const words[] = {"{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "1", "-2.5e3", "true", "null", "\"a\":", "\"b\":{",
	                                    "\"value\":[", "\"\\u0061\":", " ", "},{", "]}", "}]"};
	static const char *const wanted[] = {"a", "b", "a/b", "b/a/b", ""};
	unsigned state = 42;
	int valid = 0;
	for (int round = 0; round < 60000; round++) {
		char room[256];
		struct text text = text_in(room, sizeof room);
		bool accepted;
		for (unsigned left = next_random(&state) % 10; left-- > 0;)
			text_put(&text, words[next_random(&state) % (sizeof words / sizeof words[0])]);
		accepted = judge(text_span(&text), 4096);
		valid += accepted;
		open_text(room, 0, (round & 1) != 0 ? "value" : NULL, wanted, 5);
		CHECK((drain() >= 0) == accepted);
	}
	CHECK(valid > 500);
}

int
main(void)
{
	UNIT_RUN(test_corpus);
	UNIT_RUN(test_grammar);
	UNIT_RUN(test_utf8);
	UNIT_RUN(test_depth);
	UNIT_RUN(test_words);
	UNIT_RUN(test_detail);
	UNIT_RUN(test_list);
	UNIT_RUN(test_every_split);
	UNIT_RUN(test_truncated);
	UNIT_RUN(test_broken_source);
	UNIT_RUN(test_garbage_behind);
	UNIT_RUN(test_4000_processes);
	UNIT_RUN(test_big_detail);
	UNIT_RUN(test_escaped_names);
	UNIT_RUN(test_long_names);
	UNIT_RUN(test_repeated);
	UNIT_RUN(test_repeated_too_often);
	UNIT_RUN(test_paths);
	UNIT_RUN(test_no_objects);
	UNIT_RUN(test_array_member);
	UNIT_RUN(test_copies);
	UNIT_RUN(test_strings);
	UNIT_RUN(test_numbers);
	UNIT_RUN(test_window);
	UNIT_RUN(test_most_wanted);
	UNIT_RUN(test_random);
	return unit_end();
}
