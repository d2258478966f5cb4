/* SPDX-License-Identifier: MIT */
#include "http/head.h"

#include "unit.h"

#include <inttypes.h>

#define OK "HTTP/1.1 200 OK\r\n"
#define END "\r\n"

static struct http_head head;
static struct fault fault;

static bool
parse_span(struct span bytes, bool head_request)
{
	fault_clear(&fault);
	return http_head_end(bytes) == bytes.count && http_head_parse(&head, bytes, head_request, &fault);
}

static bool
parse(const char *words)
{
	return parse_span(span_of(words), false);
}

struct good {
	const char *words;
	int status;
	enum http_framing framing;
	uint64_t length;
	bool keep_alive;
};

static void
frames(void)
{
	static const struct good table[] = {
		{OK "Content-Length: 5\r\n\r\n", 200, HTTP_LENGTH, 5, true},
		{OK "content-LENGTH:5\r\n\r\n", 200, HTTP_LENGTH, 5, true},
		{OK "Content-Length: \t 5 \t\r\n\r\n", 200, HTTP_LENGTH, 5, true},
		{OK "Content-Length: 0\r\n\r\n", 200, HTTP_LENGTH, 0, true},
		{OK "Content-Length: 0005\r\n\r\n", 200, HTTP_LENGTH, 5, true},
		{OK "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", 200, HTTP_LENGTH, 5, true},
		{OK "Content-Length: 9223372036854775807\r\n\r\n", 200, HTTP_LENGTH, INT64_MAX, true},
		{OK "Content-Length: 5\r\nConnection: close\r\n\r\n", 200, HTTP_LENGTH, 5, false},
		{OK "Content-Length: 5\r\nConnection: x, CLOSE\r\n\r\n", 200, HTTP_LENGTH, 5, false},
		{OK "Content-Length: 5\r\nConnection: x\r\nConnection: close ,y\r\n\r\n", 200, HTTP_LENGTH, 5, false},
		{OK "Content-Length: 5\r\nConnection: keep-alive, closed\r\n\r\n", 200, HTTP_LENGTH, 5, true},
		{OK "Transfer-Encoding: chunked\r\n\r\n", 200, HTTP_CHUNKED, 0, true},
		{OK "transfer-encoding:\tChUnKeD\r\n\r\n", 200, HTTP_CHUNKED, 0, true},
		{OK "\r\n", 200, HTTP_UNTIL_CLOSE, 0, false},
		{OK "Connection: keep-alive\r\n\r\n", 200, HTTP_UNTIL_CLOSE, 0, false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 200, HTTP_LENGTH, 5, false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n", 200, HTTP_LENGTH, 5, true},
		{"HTTP/1.9 200 OK\r\nContent-Length: 5\r\n\r\n", 200, HTTP_LENGTH, 5, true},
		{"HTTP/1.1 204 No Content\r\n\r\n", 204, HTTP_EMPTY, 0, true},
		{"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, HTTP_EMPTY, 0, true},
		{"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", 204, HTTP_EMPTY, 7, false},
		{"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, HTTP_EMPTY, 0, false},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, HTTP_EMPTY, 7, true},
		{"HTTP/1.1 100 Continue\r\n\r\n", 100, HTTP_EMPTY, 0, true},
		{"HTTP/1.1 503\r\nContent-Length: 1\r\n\r\n", 503, HTTP_LENGTH, 1, true},
		{"HTTP/1.1 503 \r\nContent-Length: 1\r\n\r\n", 503, HTTP_LENGTH, 1, true},
		{"HTTP/1.1 999 Nothing \xe2\x82\xac\r\nX:\r\nContent-Length: 1\r\n\r\n", 999, HTTP_LENGTH, 1, true},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const struct good *want = &table[i];
		bool taken = parse(want->words);
		bool same = taken && head.status == want->status && head.framing == want->framing && head.length == want->length &&
		            head.keep_alive == want->keep_alive;
		if (!same)
			fprintf(stderr, "case %zu: %s status %d framing %d length %" PRIu64 " keep %d\n%s", i, fault.text, head.status,
			        (int)head.framing, head.length, head.keep_alive, want->words);
		CHECK(same);
	}
}

#define BYTES(words) {(const unsigned char *)words, sizeof words - 1}

static void
refuses(void)
{
	static const struct span table[] = {
		/* the status line */
		BYTES("\r\n\r\n"),
		BYTES("\r\nHTTP/1.1 200 OK\r\n\r\n"),
		BYTES("HTTP/0.9 200 OK\r\n\r\n"),
		BYTES("HTTP/1.10 200 OK\r\n\r\n"),
		BYTES("HTTP/1. 200 OK\r\n\r\n"),
		BYTES("HTTP/1.x 200 OK\r\n\r\n"),
		BYTES("HTTP/2 200\r\n\r\n"),
		BYTES("HTTP/2.0 200 OK\r\n\r\n"),
		BYTES("PRI * HTTP/2.0\r\n\r\n"),
		BYTES("http/1.1 200 OK\r\n\r\n"),
		BYTES("HTTP/1.1200 OK\r\n\r\n"),
		BYTES("HTTP/1.1  200 OK\r\n\r\n"),
		BYTES("HTTP/1.1\t200 OK\r\n\r\n"),
		BYTES("HTTP/1.1 \r\n\r\n"),
		BYTES("HTTP/1.1\r\n\r\n"),
		BYTES("HTTP/1.1 20\r\n\r\n"),
		BYTES("HTTP/1.1 099 OK\r\n\r\n"),
		BYTES("HTTP/1.1 000 OK\r\n\r\n"),
		BYTES("HTTP/1.1 1000 OK\r\n\r\n"),
		BYTES("HTTP/1.1 2000\r\n\r\n"),
		BYTES("HTTP/1.1 abc OK\r\n\r\n"),
		BYTES("HTTP/1.1 +20 OK\r\n\r\n"),
		BYTES("HTTP/1.1 -20 OK\r\n\r\n"),
		BYTES("HTTP/1.1 2 0 OK\r\n\r\n"),
		BYTES("HTTP/1.1 200OK\r\n\r\n"),
		BYTES("HTTP/1.1 200\tOK\r\n\r\n"),
		BYTES("HTTP/1.1 200 O\0K\r\n\r\n"),
		BYTES("HTTP/1.1 200 O\rK\r\n\r\n"),
		BYTES("HTTP/1.1 200 O\x1b[2JK\r\n\r\n"),
		BYTES("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
		BYTES(" HTTP/1.1 200 OK\r\n\r\n"),
		/* line ends */
		BYTES("HTTP/1.1 200 OK\n\n"),
		BYTES("HTTP/1.1 200 OK\n\r\n"),
		BYTES(OK "\n"),
		BYTES(OK "A: b\n\r\n"),
		BYTES(OK "A: b\r\n\n"),
		BYTES(OK "A: b\nContent-Length: 5\r\n\r\n"),
		BYTES(OK "A: b\rContent-Length: 5\r\n\r\n"),
		BYTES(OK "A: b\r\r\n\r\n"),
		BYTES(OK "\rA: b\r\n\r\n"),
		BYTES("HTTP/1.1 200 OK\r\r\n\r\n"),
		/* names and values */
		BYTES(OK "A: b\0c\r\n\r\n"),
		BYTES(OK "A\0: b\r\n\r\n"),
		BYTES(OK "A: \x01\r\n\r\n"),
		BYTES(OK "A: \x7f\r\n\r\n"),
		BYTES(OK "A: b\x0b\r\n\r\n"),
		BYTES(OK "A: b\r\n c\r\n\r\n"),
		BYTES(OK "A: b\r\n\tc\r\n\r\n"),
		BYTES(OK " A: b\r\n\r\n"),
		BYTES(OK "A : b\r\n\r\n"),
		BYTES(OK "A\t: b\r\n\r\n"),
		BYTES(OK "Content-Length : 5\r\n\r\n"),
		BYTES(OK "A B: c\r\n\r\n"),
		BYTES(OK "A\xc3\xa4: c\r\n\r\n"),
		BYTES(OK "A(: c\r\n\r\n"),
		BYTES(OK "A{}: c\r\n\r\n"),
		BYTES(OK "A\"b\": c\r\n\r\n"),
		BYTES(OK ": b\r\n\r\n"),
		BYTES(OK "no colon\r\n\r\n"),
		BYTES(OK "nocolon\r\n\r\n"),
		/* lengths */
		BYTES(OK "Content-Length:\r\n\r\n"),
		BYTES(OK "Content-Length: \r\n\r\n"),
		BYTES(OK "Content-Length: -5\r\n\r\n"),
		BYTES(OK "Content-Length: +5\r\n\r\n"),
		BYTES(OK "Content-Length: 0x5\r\n\r\n"),
		BYTES(OK "Content-Length: 5 5\r\n\r\n"),
		BYTES(OK "Content-Length: 5,5\r\n\r\n"),
		BYTES(OK "Content-Length: 5,6\r\n\r\n"),
		BYTES(OK "Content-Length: 5.0\r\n\r\n"),
		BYTES(OK "Content-Length: 5e3\r\n\r\n"),
		BYTES(OK "Content-Length: 5;\r\n\r\n"),
		BYTES(OK "Content-Length: five\r\n\r\n"),
		BYTES(OK "Content-Length: \"5\"\r\n\r\n"),
		BYTES(OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
		BYTES(OK "Content-Length: 5\r\nContent-Length: \r\n\r\n"),
		BYTES(OK "Content-Length: 5\r\nContent-Length: x\r\n\r\n"),
		BYTES(OK "Content-Length: 9223372036854775808\r\n\r\n"),
		BYTES(OK "Content-Length: 18446744073709551616\r\n\r\n"),
		BYTES(OK "Content-Length: 18446744073709551621\r\n\r\n"),
		BYTES(OK "Content-Length: 99999999999999999999999999999999999\r\n\r\n"),
		/* codings */
		BYTES(OK "Transfer-Encoding:\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: identity\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: gzip\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked, gzip\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked, identity\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: identity, chunked\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked, chunked\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked,\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: ,chunked\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked;q=1\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: \"chunked\"\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: xchunked\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked\x0b\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"),
		BYTES(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BYTES(OK "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
		BYTES("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BYTES("HTTP/1.1 204 No\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		bool taken;
		fault_clear(&fault);
		taken = http_head_parse(&head, table[i], false, &fault);
		if (taken || fault.kind != FAULT_NETWORK)
			fprintf(stderr, "case %zu: %s\n%.*s", i, fault.text, (int)table[i].count, (const char *)table[i].at);
		CHECK(!taken && fault.kind == FAULT_NETWORK && fault.detail == 0);
		CHECK(http_head_end(table[i]) > 0); /* and nobody waits for more before it is refused */
	}
}

static void
answers_to_head(void)
{
	CHECK(parse_span(span_of(OK "Content-Length: 77\r\n\r\n"), true));
	CHECK(head.framing == HTTP_EMPTY && head.length == 77 && head.keep_alive);
	CHECK(parse_span(span_of(OK "Transfer-Encoding: chunked\r\n\r\n"), true));
	CHECK(head.framing == HTTP_EMPTY && head.keep_alive);
	CHECK(parse_span(span_of(OK "\r\n"), true));
	CHECK(head.framing == HTTP_EMPTY && head.keep_alive);
}

static void
finds_the_end(void)
{
	static const char *const words = OK "A: b\r\n\r\nbody\r\n\r\n";
	size_t end = strlen(words) - 8;
	for (size_t i = 0; i < end; i++)
		CHECK(http_head_end(span_first(span_of(words), i)) == 0);
	for (size_t i = end; i <= strlen(words); i++)
		CHECK(http_head_end(span_first(span_of(words), i)) == end);
	CHECK(http_head_end(span_of("\n\n")) == 2);
	CHECK(http_head_end(span_of("\n\r")) == 0);
	CHECK(http_head_end((struct span){NULL, 0}) == 0);
}

static void
knows_beginnings(void)
{
	struct span words = span_of("HTTP/1.");
	for (size_t i = 0; i <= words.count; i++)
		CHECK(http_head_begins(span_first(words, i)));
	CHECK(http_head_begins((struct span){NULL, 0}));
	CHECK(http_head_begins(span_of("HTTP/1.1 200")));
	CHECK(!http_head_begins(span_of("HTTP/2")));
	CHECK(!http_head_begins(span_of("\x15\x03")));
	CHECK(!http_head_begins(span_of("h")));
	CHECK(!http_head_begins(span_of("<html>")));
}

static void
finds_values(void)
{
	struct span value;
	CHECK(parse(OK "Set-Cookie: a=b; Path=/\r\nX-Empty:\r\nset-cookie:\tc=d:e \r\nSet-Cookie2: no\r\n\r\n"));
	CHECK(span_is(head.reason, "OK"));
	CHECK(http_head_find(&head, "SET-COOKIE", 0, &value) && span_is(value, "a=b; Path=/"));
	CHECK(http_head_find(&head, "Set-Cookie", 1, &value) && span_is(value, "c=d:e"));
	CHECK(!http_head_find(&head, "Set-Cookie", 2, &value));
	CHECK(http_head_find(&head, "X-Empty", 0, &value) && value.count == 0);
	CHECK(!http_head_find(&head, "Set-Cooki", 0, &value));
	CHECK(!http_head_find(&head, "", 0, &value));
	CHECK(!http_head_has_word(&head, "X-Empty", "close"));
}

static bool
parse_lines(size_t count)
{
	static char room[16384];
	struct text text = text_in(room, sizeof room);
	text_put(&text, OK);
	for (size_t i = 0; i < count; i++)
		text_printf(&text, "X-%zu: y\r\n", i);
	text_put(&text, END);
	return !text.cut && parse(room);
}

static void
counts_lines(void)
{
	CHECK(parse_lines(0));
	CHECK(parse_lines(HEAD_LINES_MAX - 1));
	CHECK(parse_lines(HEAD_LINES_MAX));
	CHECK(!parse_lines(HEAD_LINES_MAX + 1) && fault.kind == FAULT_BOUND);
}

static void
quotes_no_values(void)
{
	CHECK(!parse(OK "Set-Cookie: secret\r\n folded-secret\r\n\r\n"));
	CHECK(strstr(fault.text, "secret") == NULL);
	CHECK(!parse(OK "Content-Length: secret\r\n\r\n"));
	CHECK(strstr(fault.text, "secret") == NULL);
}

/* Any prefix and any single changed byte is either taken or refused, never read past its end: the sanitizers watch. */
static void
survives_damage(void)
{
	static const char *const words = OK "Content-Length: 12\r\nConnection: close\r\nSet-Cookie: a=b\r\n\r\n";
	static const unsigned char damage[] = {0, '\r', '\n', ':', ' ', ',', '9', 0xff};
	size_t count = strlen(words);
	for (size_t i = 0; i < count; i++) {
		char *exact = malloc(count);
		bool taken;
		CHECK(exact != NULL);
		if (exact == NULL)
			return;
		memcpy(exact, words, i);
		fault_clear(&fault);
		taken = http_head_parse(&head, (struct span){(unsigned char *)exact, i}, false, &fault);
		/* the status line and an empty one is all it takes, but no prefix of this has it */
		CHECK(!taken);
		for (size_t k = 0; k < sizeof damage; k++) {
			memcpy(exact, words, count);
			exact[i] = (char)damage[k];
			fault_clear(&fault);
			taken = http_head_parse(&head, (struct span){(unsigned char *)exact, count}, false, &fault);
			CHECK(taken == (fault.kind == FAULT_NONE));
		}
		free(exact);
	}
}

static bool
tells(const char *words, const char *credentials)
{
	return http_head_tells(span_of(words), span_of(credentials));
}

static void
knows_secrets_again(void)
{
	CHECK(tells("Authorization: Bearer eyJhbGciOiJub25lIn0.x.y", "eyJhbGciOiJub25lIn0.x.y"));
	CHECK(tells("you sent eyJhbGciOiJu", "eyJhbGciOiJub25lIn0.x.y") && !tells("you sent eyJhbGciOiJ", "eyJhbGciOiJub25lIn0.x.y"));
	CHECK(tells("short", "short") && !tells("shor", "short") && !tells("", "short") && !tells("short", ""));
	CHECK(tells("dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"));
	CHECK(tells("wrong password hunter2!", "dXNlcjpodW50ZXIy") && !tells("wrong password of user", "dXNlcjpodW50ZXIy"));
	CHECK(!tells("words", "dXNlcjo=")); /* an empty password */
}

int
main(void)
{
	UNIT_RUN(frames);
	UNIT_RUN(refuses);
	UNIT_RUN(answers_to_head);
	UNIT_RUN(finds_the_end);
	UNIT_RUN(knows_beginnings);
	UNIT_RUN(finds_values);
	UNIT_RUN(counts_lines);
	UNIT_RUN(quotes_no_values);
	UNIT_RUN(survives_damage);
	UNIT_RUN(knows_secrets_again);
	return unit_end();
}
