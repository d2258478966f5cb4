/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/span.h"

static const struct span none = {NULL, 0};

static void
test_compare(void)
{
	struct span name = span_of("Content-Length");
	CHECK(span_is(name, "Content-Length") && !span_is(name, "content-length") && !span_is(name, "Content-Lengt"));
	CHECK(!span_is(name, "Content-Length ") && span_is(none, "") && !span_is(none, "a"));
	CHECK(span_is_nocase(name, "cONTENT-lENGTH") && !span_is_nocase(name, "content_length") && span_is_nocase(none, ""));
	CHECK(!span_is_nocase(span_of("["), "{") && !span_is_nocase(span_of("@"), "`") && !span_is_nocase(span_of("\xc4"), "\xe4"));
	CHECK(span_begins(name, "") && span_begins(name, "Content") && span_begins(name, "Content-Length"));
	CHECK(!span_begins(name, "Content-Length:") && !span_begins(none, "C") && span_begins(none, ""));
	CHECK(span_begins_nocase(name, "CONTENT-") && !span_begins_nocase(name, "ontent") && !span_begins_nocase(none, "c"));
	CHECK(!span_is((struct span){(const unsigned char *)"a\0", 2}, "a"));
}

static void
test_find(void)
{
	size_t place = 99;
	struct span text = span_of("abcabd");
	CHECK(span_find(text, "abd", &place) && place == 3);
	CHECK(span_find(text, "", &place) && place == 0);
	CHECK(!span_find(text, "abe", &place) && !span_find(text, "abcabda", &place) && !span_find(none, "a", &place));
	CHECK(span_find(none, "", &place) && place == 0);
	CHECK(span_find_byte(text, 'd', &place) && place == 5);
	CHECK(!span_find_byte(text, 'x', &place) && !span_find_byte(none, 0, &place));
	CHECK(!span_find_byte(text, 0, &place));
}

static void
test_parts(void)
{
	struct span text = span_of("abc");
	CHECK(span_is(span_from(text, 0), "abc") && span_is(span_from(text, 2), "c"));
	CHECK(span_from(text, 3).count == 0 && span_from(text, 4).count == 0 && span_from(text, (size_t)-1).count == 0);
	CHECK(span_from(none, 1).count == 0 && span_from(none, 0).at == NULL);
	CHECK(span_is(span_first(text, 2), "ab") && span_is(span_first(text, 3), "abc") && span_is(span_first(text, 4), "abc"));
	CHECK(span_first(text, 0).count == 0);
	CHECK(span_is(span_trim(span_of(" \t a b\t ")), "a b") && span_is(span_trim(span_of("a")), "a"));
	CHECK(span_trim(span_of(" \t ")).count == 0 && span_trim(none).count == 0 && span_is(span_trim(span_of("\r\n")), "\r\n"));
}

static void
test_cut(void)
{
	struct span rest = span_of("a,,b"), part;
	CHECK(span_cut(&rest, ',', &part) && span_is(part, "a"));
	CHECK(span_cut(&rest, ',', &part) && span_is(part, ""));
	CHECK(span_cut(&rest, ',', &part) && span_is(part, "b"));
	CHECK(!span_cut(&rest, ',', &part) && rest.count == 0);
	rest = span_of(",");
	CHECK(span_cut(&rest, ',', &part) && span_is(part, "") && !span_cut(&rest, ',', &part));
	rest = none;
	CHECK(!span_cut(&rest, ',', &part));
}

static void
test_decimal(void)
{
	uint64_t value = 5;
	CHECK(span_decimal(span_of("0"), &value) && value == 0);
	CHECK(span_decimal(span_of("007"), &value) && value == 7);
	CHECK(span_decimal(span_of("9223372036854775807"), &value) && value == INT64_MAX);
	CHECK(span_decimal(span_of("9999999999999999999"), &value) && value == 9999999999999999999u);
	CHECK(!span_decimal(span_of("00000000000000000000"), &value) && !span_decimal(span_of("18446744073709551616"), &value));
	CHECK(!span_decimal(none, &value) && !span_decimal(span_of("-1"), &value) && !span_decimal(span_of("+1"), &value));
	CHECK(!span_decimal(span_of(" 1"), &value) && !span_decimal(span_of("1 "), &value) && !span_decimal(span_of("0x1"), &value));
	CHECK(!span_decimal(span_of("1/"), &value) && !span_decimal(span_of("1:"), &value));
}

static void
test_little_endian(void)
{
	static const unsigned char bytes[] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x09};
	struct span span = {bytes, sizeof bytes};
	uint16_t two = 0;
	uint32_t four = 0;
	uint64_t eight = 0;
	CHECK(span_u16(span, 0, &two) && two == 0x8201 && span_u16(span, 7, &two) && two == 0x0988 && !span_u16(span, 8, &two));
	CHECK(span_u32(span, 1, &four) && four == 0x05840382 && span_u32(span, 5, &four) && !span_u32(span, 6, &four));
	CHECK(span_u64(span, 0, &eight) && eight == 0x8807860584038201u && span_u64(span, 1, &eight) && eight == 0x0988078605840382u);
	CHECK(!span_u64(span, 2, &eight) && !span_u64(span, UINT64_MAX, &eight) && !span_u64(span, UINT64_MAX - 7, &eight));
	CHECK(!span_u16(span, UINT64_MAX - 1, &two) && !span_u16(none, 0, &two) && !span_u32(span_first(span, 3), 0, &four));
	CHECK(!span_u16(span, (uint64_t)1 << 32, &two));
	CHECK(span_get_u16(span, 7) == 0x0988 && span_get_u16(span, 8) == 0 && span_get_u16(none, 0) == 0);
	CHECK(span_get_u32(span, 5) != 0 && span_get_u32(span, 6) == 0 && span_get_u32(span, UINT64_MAX) == 0);
	CHECK(span_get_u64(span, 1) == 0x0988078605840382u && span_get_u64(span, 2) == 0);
}

int
main(void)
{
	UNIT_RUN(test_compare);
	UNIT_RUN(test_find);
	UNIT_RUN(test_parts);
	UNIT_RUN(test_cut);
	UNIT_RUN(test_decimal);
	UNIT_RUN(test_little_endian);
	return unit_end();
}
