/* SPDX-License-Identifier: MIT */
#include "http/body.h"

#include "unit.h"

#include <errno.h>

/* Bytes in pieces of at most `piece`, and then an end or a fault. */
struct script {
	struct http_wire wire;
	struct span rest;
	size_t piece;
	enum fault_kind then; /* FAULT_NONE: a proper end */
	size_t reads;
};

static struct http_body body;
static struct script script;
static struct fault fault;
static unsigned char room[300000];
static size_t used;

static bool
script_read(struct http_wire *wire, void *into, size_t size, size_t *got, struct deadline deadline, struct fault *why)
{
	struct script *own = (struct script *)wire;
	CHECK(size > 0 && !deadline_passed(deadline));
	own->reads++;
	*got = own->rest.count < own->piece ? own->rest.count : own->piece;
	if (*got > size)
		*got = size;
	if (*got == 0 && own->then == FAULT_NETWORK)
		return fault_errno(why, FAULT_NETWORK, ECONNRESET, "reading");
	if (*got == 0 && own->then != FAULT_NONE)
		return fault_raise(why, own->then, "as scripted");
	if (*got > 0)
		memcpy(into, own->rest.at, *got);
	own->rest = span_from(own->rest, *got);
	return true;
}

static void
start(enum http_framing framing, uint64_t length, struct span ahead, struct span rest, size_t piece)
{
	struct http_head head;
	memset(&head, 0, sizeof head);
	head.framing = framing;
	head.length = length;
	script = (struct script){{script_read}, rest, piece, FAULT_NONE, 0};
	memset(&body, 0xa5, sizeof body);
	http_body_open(&body, &script.wire, &head, ahead, 7000);
	fault_clear(&fault);
}

/* Reads all into room, `step` bytes at a time. */
static bool
read_all(size_t step)
{
	size_t got;
	used = 0;
	for (;;) {
		size_t size = sizeof room - used < step ? sizeof room - used : step;
		if (!body.source.read(&body.source, room + used, size, &got, &fault))
			return false;
		used += got;
		if (got == 0)
			return true;
	}
}

static bool
came(const char *words)
{
	return span_is((struct span){room, used}, words);
}

static struct span
none(void)
{
	return (struct span){NULL, 0};
}

static const size_t steps[] = {1, 2, 3, 7, 4095, 4096, 4097, 65536};
#define STEPS (sizeof steps / sizeof steps[0])

/* The same bytes however they are cut: ahead of the body, on the wire, in the caller's room. */
static void
check_cuts(enum http_framing framing, uint64_t length, const char *words, const char *want)
{
	struct span all = span_of(words);
	for (size_t ahead = 0; ahead <= all.count; ahead += all.count > 100 ? 37 : 1)
		for (size_t i = 0; i < STEPS * STEPS; i++) {
			start(framing, length, span_first(all, ahead), span_from(all, ahead), steps[i / STEPS]);
			CHECK(read_all(steps[i % STEPS]) && came(want));
			CHECK(body.ended && !body.failed && body.given == used && http_body_is_clean(&body));
		}
}

static void
reads_each_framing(void)
{
	check_cuts(HTTP_LENGTH, 11, "hello world", "hello world");
	check_cuts(HTTP_UNTIL_CLOSE, 0, "hello world", "hello world");
	check_cuts(HTTP_UNTIL_CLOSE, 0, "", "");
	check_cuts(HTTP_CHUNKED, 0, "b\r\nhello world\r\n0\r\n\r\n", "hello world");
	check_cuts(HTTP_CHUNKED, 0, "5\r\nhello\r\n1\r\n \r\n00005\r\nworld\r\n000\r\n\r\n", "hello world");
	check_cuts(HTTP_CHUNKED, 0, "B;a=b;c=\"d e\"\r\nhello world\r\n0 \t;x\r\nA: b\r\nX-Y:\r\n\r\n", "hello world");
	check_cuts(HTTP_CHUNKED, 0, "0\r\n\r\n", "");
}

static void
empty_bodies_touch_no_wire(void)
{
	start(HTTP_EMPTY, 0, none(), span_of("x"), 9);
	CHECK(body.ended && read_all(9) && used == 0 && script.reads == 0 && http_body_is_clean(&body));
	start(HTTP_LENGTH, 0, none(), span_of("x"), 9);
	CHECK(body.ended && read_all(9) && used == 0 && script.reads == 0);
	start(HTTP_LENGTH, 3, span_of("abc"), span_of("x"), 9);
	CHECK(read_all(9) && came("abc") && script.reads == 0);
}

static void
sees_what_follows(void)
{
	start(HTTP_LENGTH, 3, span_of("abcHTTP/1.1"), none(), 9);
	CHECK(read_all(9) && came("abc") && body.ended && !http_body_is_clean(&body));
	start(HTTP_CHUNKED, 0, none(), span_of("1\r\na\r\n0\r\n\r\nX"), 99);
	CHECK(read_all(9) && came("a") && body.ended && !http_body_is_clean(&body));
	start(HTTP_EMPTY, 0, span_of("x"), none(), 9);
	CHECK(read_all(9) && !http_body_is_clean(&body));
}

static void
fails_for_good(void)
{
	size_t got = 9;
	CHECK(body.failed);
	fault_clear(&fault);
	CHECK(!body.source.read(&body.source, room, 9, &got, &fault) && got == 0 && fault.kind == FAULT_CORRUPT);
}

static void
check_short(enum http_framing framing, uint64_t length, const char *words, const char *why)
{
	static const enum fault_kind ends[] = {FAULT_NONE, FAULT_NETWORK, FAULT_TIMEOUT, FAULT_TLS, FAULT_STOPPED};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		enum fault_kind want = ends[i] == FAULT_NONE || ends[i] == FAULT_NETWORK ? FAULT_CORRUPT : ends[i];
		if (framing == HTTP_UNTIL_CLOSE && ends[i] == FAULT_NONE)
			continue;
		start(framing, length, none(), span_of(words), 3);
		script.then = ends[i];
		CHECK(!read_all(4096) && fault.kind == want && !body.ended);
		CHECK(want != FAULT_CORRUPT || fault.detail == ECONNRESET);
		CHECK(want == FAULT_STOPPED || strstr(fault.text, why) != NULL);
		if (want != FAULT_STOPPED && strstr(fault.text, why) == NULL)
			fprintf(stderr, "%s\n", fault.text);
		CHECK(want != FAULT_TIMEOUT || strstr(fault.text, "nothing came for 7 s") != NULL);
		fails_for_good();
	}
}

static void
short_is_a_fault(void)
{
	check_short(HTTP_LENGTH, 12, "hello world", "after 11 of 12 bytes");
	check_short(HTTP_LENGTH, 1, "", "after 0 of 1 bytes");
	check_short(HTTP_UNTIL_CLOSE, 0, "hello", "after 5 bytes of a body of unknown length");
	check_short(HTTP_CHUNKED, 0, "", "before the last chunk, after 0 bytes");
	check_short(HTTP_CHUNKED, 0, "5", "before the last chunk, after 0 bytes");
	check_short(HTTP_CHUNKED, 0, "5;ext", "before the last chunk");
	check_short(HTTP_CHUNKED, 0, "5\r", "before the last chunk");
	check_short(HTTP_CHUNKED, 0, "5\r\n", "inside a chunk, after 0 of its 5 bytes and 0 bytes in all");
	check_short(HTTP_CHUNKED, 0, "2\r\nab\r\n5\r\nhel", "inside a chunk, after 3 of its 5 bytes and 5 bytes in all");
	check_short(HTTP_CHUNKED, 0, "5\r\nhello", "before the last chunk, after 5 bytes");
	check_short(HTTP_CHUNKED, 0, "5\r\nhello\r", "before the last chunk, after 5 bytes");
	check_short(HTTP_CHUNKED, 0, "5\r\nhello\r\n", "before the last chunk, after 5 bytes");
	check_short(HTTP_CHUNKED, 0, "5\r\nhello\r\n0", "before the last chunk, after 5 bytes");
	check_short(HTTP_CHUNKED, 0, "5\r\nhello\r\n0\r\n", "behind the last chunk, after 5 bytes");
	check_short(HTTP_CHUNKED, 0, "5\r\nhello\r\n0\r\nA: b", "behind the last chunk, after 5 bytes");
	check_short(HTTP_CHUNKED, 0, "5\r\nhello\r\n0\r\nA: b\r\n", "behind the last chunk, after 5 bytes");
	check_short(HTTP_CHUNKED, 0, "5\r\nhello\r\n0\r\n\r", "behind the last chunk, after 5 bytes");
}

#define BYTES(words) {(const unsigned char *)words, sizeof words - 1}

static void
refuses_malformed_chunks(void)
{
	static const struct span table[] = {
		BYTES("\r\n"), BYTES("\n"), BYTES(";a\r\n"), BYTES("x\r\n"), BYTES("+5\r\n"), BYTES("-5\r\n"), BYTES("-1\r\n"), BYTES("0x5\r\n"),
		BYTES("0X5\r\n"), BYTES(" 5\r\n"), BYTES("\t5\r\n"), BYTES("5 \r\n"), BYTES("5\t\r\n"), BYTES("5 5\r\n"), BYTES("5\n"),
		BYTES("5\rh"), BYTES("5\r\rh"), BYTES("5\0\r\n"), BYTES("5g\r\n"), BYTES("5_0\r\n"), BYTES("5.0\r\n"), BYTES("5h\r\n"),
		BYTES("5,5\r\n"), BYTES("\"5\"\r\n"), BYTES("5\x0b\r\n"), BYTES("5;a\nb\r\n"), BYTES("5;a\0\r\n"), BYTES("5;a\rb\r\n"), BYTES("5 x;\r\n"),
		BYTES("8000000000000000\r\n"), BYTES("ffffffffffffffff\r\n"), BYTES("10000000000000000\r\n"),
		BYTES("00000000000000005\r\n"), BYTES("fffffffffffffffff\r\n"), BYTES("100000000000000005\r\n"),
		BYTES("5\r\nhello0\r\n\r\n"), BYTES("5\r\nhello\n0\r\n"), BYTES("5\r\nhello\r0"), BYTES("5\r\nhello!\r\n"), BYTES("5\r\nhello\r\n\r\n"),
		BYTES("4\r\nhello\r\n"), BYTES("5\r\nhello\r\r\n"), BYTES("5\r\nhello \r\n"),
		BYTES("0\r\n\n"), BYTES("0\r\n\rx"), BYTES("0\n\n"), BYTES("0\r\nA\r\n\r\n"), BYTES("0\r\nA b: c\r\n"), BYTES("0\r\nA : c\r\n"),
		BYTES("0\r\n: c\r\n"), BYTES("0\r\n A: c\r\n"), BYTES("0\r\nA: b\r\n c\r\n"), BYTES("0\r\nA: b\nC: d\r\n"), BYTES("0\r\nA: b\0\r\n"),
		BYTES("0\r\nA: b\rC: d\r\n"), BYTES("0\r\nHTTP/1.1 200 OK\r\n\r\n"), BYTES("HTTP/1.1 200 OK\r\n"),
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		for (size_t piece = 1; piece <= 64; piece += 63) {
			bool taken;
			start(HTTP_CHUNKED, 0, none(), table[i], piece);
			script.then = FAULT_TIMEOUT; /* must be refused by what is there, not by what is missing */
			taken = read_all(4096);
			if (taken || fault.kind != FAULT_CORRUPT || fault.detail != 0)
				fprintf(stderr, "case %zu: %s\n", i, fault.text);
			CHECK(!taken && fault.kind == FAULT_CORRUPT && fault.detail == 0);
			fails_for_good();
		}
}

static void
takes_the_largest_size(void)
{
	start(HTTP_CHUNKED, 0, none(), span_of("7fffffffffffffff\r\nabc"), 99);
	CHECK(!read_all(4096) && came("abc") && fault.kind == FAULT_CORRUPT);
	CHECK(strstr(fault.text, "after 3 of its 9223372036854775807 bytes") != NULL);
	start(HTTP_CHUNKED, 0, none(), span_of("0000000000000005\r\nhello\r\n0\r\n\r\n"), 99);
	CHECK(read_all(4096) && came("hello"));
}

static struct span
long_line(const char *before, size_t count, const char *behind)
{
	static char words[20000];
	struct text text = text_in(words, sizeof words);
	text_put(&text, before);
	while (text.used < count - strlen(behind))
		text_put_byte(&text, 'x');
	text_put(&text, behind);
	CHECK(text.used == count && !text.cut);
	return text_span(&text);
}

/* Of five bytes each, and the empty line. */
static struct span
many_trailers(size_t count)
{
	static char words[20000];
	struct text text = text_in(words, sizeof words);
	while (count-- > 0)
		text_put(&text, "A:b\r\n");
	text_put(&text, "\r\n");
	return text_span(&text);
}

static void
bounds_lines(void)
{
	start(HTTP_CHUNKED, 0, long_line("3;", CHUNK_LINE_MAX, "\r\n"), span_of("abc\r\n0\r\n\r\n"), 99);
	CHECK(read_all(4096) && came("abc"));
	start(HTTP_CHUNKED, 0, long_line("3;", CHUNK_LINE_MAX + 1, "\r\n"), span_of("abc\r\n0\r\n\r\n"), 99);
	CHECK(!read_all(4096) && fault.kind == FAULT_BOUND);
	start(HTTP_CHUNKED, 0, span_of("3\r\nabc\r\n0\r\n"), long_line("A:", TRAILER_MAX, "\r\n\r\n"), 999);
	CHECK(read_all(4096) && came("abc"));
	start(HTTP_CHUNKED, 0, span_of("3\r\nabc\r\n0\r\n"), long_line("A:", TRAILER_MAX + 1, "\r\n\r\n"), 999);
	CHECK(!read_all(4096) && fault.kind == FAULT_BOUND && came("abc"));
	/* many short ones count together */
	start(HTTP_CHUNKED, 0, span_of("0\r\n"), many_trailers(TRAILER_MAX / 5 + 1), 999);
	CHECK(!read_all(4096) && fault.kind == FAULT_BOUND);
	start(HTTP_CHUNKED, 0, span_of("0\r\n"), many_trailers(TRAILER_MAX / 5), 999);
	CHECK(read_all(4096));
}

/* Large chunks go straight into the caller's room, small ones several at a time, and nothing that is there waits for
 * what is not. */
static void
reads_well(void)
{
	static char many[120000], large[200100];
	struct text text = text_in(many, sizeof many);
	size_t got;
	for (int i = 0; i < 15000; i++)
		text_put(&text, "1\r\na\r\n");
	text_put(&text, "0\r\n\r\n");
	start(HTTP_CHUNKED, 0, none(), text_span(&text), 65536);
	CHECK(read_all(65536) && used == 15000);
	CHECK(script.reads <= text.used / HTTP_WINDOW + 2);

	text = text_in(large, sizeof large);
	text_put(&text, "30d40\r\n"); /* 200000 */
	while (text.used < 200007)
		text_put_byte(&text, 'b');
	text_put(&text, "\r\n0\r\n\r\n");
	start(HTTP_CHUNKED, 0, none(), text_span(&text), 1000000);
	CHECK(read_all(65536) && used == 200000);
	CHECK(script.reads <= 6);

	start(HTTP_CHUNKED, 0, none(), span_of("2\r\nab\r\n2\r\ncd\r\n2"), 999);
	script.then = FAULT_TIMEOUT;
	CHECK(body.source.read(&body.source, room, 99, &got, &fault) && got == 4);
	CHECK(!body.source.read(&body.source, room, 99, &got, &fault) && fault.kind == FAULT_TIMEOUT);
}

static void
says_times(void)
{
	static const struct {
		int64_t ms;
		const char *words;
	} table[] = {{900000, "15 min"}, {120000, "2 min"}, {60000, "60 s"}, {90000, "90 s"}, {1000, "1 s"}, {1500, "1500 ms"}, {5, "5 ms"}};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char words[32];
		struct text text = text_in(words, sizeof words);
		http_put_ms(&text, table[i].ms);
		CHECK_TEXT(words, table[i].words);
	}
}

int
main(void)
{
	UNIT_RUN(reads_each_framing);
	UNIT_RUN(empty_bodies_touch_no_wire);
	UNIT_RUN(sees_what_follows);
	UNIT_RUN(short_is_a_fault);
	UNIT_RUN(refuses_malformed_chunks);
	UNIT_RUN(takes_the_largest_size);
	UNIT_RUN(bounds_lines);
	UNIT_RUN(reads_well);
	UNIT_RUN(says_times);
	return unit_end();
}
