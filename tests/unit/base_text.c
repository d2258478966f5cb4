/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/text.h"

static char room[64];

static void
test_append(void)
{
	struct text text = text_in(room, sizeof room);
	CHECK_TEXT(room, "");
	text_put(&text, "ab");
	text_put_byte(&text, 'c');
	text_put_span(&text, (struct span){NULL, 0});
	text_put_span(&text, span_of("de"));
	text_printf(&text, "%d-%s", 12, "x");
	CHECK_TEXT(room, "abcde12-x");
	CHECK(text.used == 9 && !text.cut && span_is(text_span(&text), "abcde12-x"));
	text_reset(&text);
	CHECK(text.used == 0 && room[0] == 0);
}

/* Each way of appending with a room of n - 1, n and n + 1 bytes; a guard behind it stays. */
static void
test_bounds(void)
{
	for (int way = 0; way < 3; way++)
		for (size_t size = 1; size <= 8; size++) {
			struct text text;
			memset(room, '#', sizeof room);
			text = text_in(room, size);
			if (way == 0)
				text_put(&text, "abcde");
			else if (way == 1)
				text_printf(&text, "%s%c", "abcd", 'e');
			else
				for (int i = 0; i < 5; i++)
					text_put_byte(&text, (char)('a' + i));
			CHECK(text.cut == (size < 6));
			CHECK(text.used == (size < 6 ? size - 1 : 5) && strlen(room) == text.used);
			CHECK(memcmp(room, "abcde", text.used) == 0);
			CHECK(room[size] == '#');
		}
}

static void
test_cut_stays(void)
{
	struct text text = text_in(room, 4);
	text_put(&text, "abcd");
	CHECK(text.cut);
	text_put(&text, "");
	text_printf(&text, "%s", "");
	text_put_byte(&text, 'x');
	CHECK(text.cut);
	CHECK_TEXT(room, "abc");
	text_reset(&text);
	CHECK(!text.cut);
	text_put(&text, "abc");
	CHECK(!text.cut);
	text_printf(&text, "d");
	CHECK(text.cut && text.used == 3);
}

static const char *
json_of(const char *from, size_t count)
{
	struct text text = text_in(room, sizeof room);
	text_put_json(&text, (struct span){(const unsigned char *)from, count});
	return room;
}

static void
test_json(void)
{
	CHECK_TEXT(json_of("", 0), "\"\"");
	CHECK_TEXT(json_of("a\"b\\c/", 6), "\"a\\\"b\\\\c/\"");
	CHECK_TEXT(json_of("\0\n\x1f\x7f ", 5), "\"\\u0000\\u000a\\u001f\\u007f \"");
	CHECK_TEXT(json_of("\xd0\xb6\xf0\x9f\x98\x80", 6), "\"\xd0\xb6\xf0\x9f\x98\x80\"");
	CHECK_TEXT(json_of("\xff\xc0\x80z\xed\xa0\x80", 7), "\"\\ufffd\\ufffd\\ufffdz\\ufffd\\ufffd\\ufffd\"");
	CHECK_TEXT(json_of("\xf0\x9f\x98", 3), "\"\\ufffd\\ufffd\\ufffd\"");
}

static const char *
tame_of(const char *from, size_t count)
{
	struct text text = text_in(room, sizeof room);
	text_put_tame(&text, (struct span){(const unsigned char *)from, count});
	return room;
}

static void
test_tame(void)
{
	CHECK_TEXT(tame_of("plain \xd0\xb6", 8), "plain \xd0\xb6");
	CHECK_TEXT(tame_of("\x1b[31m\r\n\t\0\x7f", 10), "?[31m?????");
	CHECK_TEXT(tame_of("\xc2\x9b" "31m", 5), "?31m");
	CHECK_TEXT(tame_of("\xc2\xa0\xc2\x80", 4), "\xc2\xa0?");
	CHECK_TEXT(tame_of("\xff\xd0", 2), "??");
}

static void
test_keep(void)
{
	char small[4];
	CHECK(text_keep(small, sizeof small, span_of("abc")));
	CHECK_TEXT(small, "abc");
	CHECK(!text_keep(small, sizeof small, span_of("abcd")) && small[0] == 0);
	CHECK(text_keep(small, sizeof small, (struct span){NULL, 0}) && small[0] == 0);
	CHECK(!text_keep(small, sizeof small, (struct span){(const unsigned char *)"a\0b", 3}) && small[0] == 0);
	CHECK(!text_keep(small, sizeof small, (struct span){(const unsigned char *)"ab\0", 3}) && small[0] == 0);
	CHECK(text_keep(small, 1, span_of("")) && !text_keep(small, 1, span_of("a")));
}

static void
test_sizes(void)
{
	static const struct {
		uint64_t bytes;
		const char *words;
	} rows[] = {{0, "0.0 KiB"}, {1023, "0.9 KiB"}, {307200, "300.0 KiB"}, {MIB - 1, "1023.9 KiB"}, {MIB, "1.0 MiB"},
	            {1024ull * MIB - 1, "1023.9 MiB"}, {1024ull * MIB, "1.0 GiB"}, {5500ull * MIB, "5.3 GiB"},
	            {UINT64_MAX, "17179869183.9 GiB"}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char place[32];
		struct text size = text_in(place, sizeof place);
		text_put_size(&size, rows[i].bytes);
		CHECK_TEXT(place, rows[i].words);
	}
}

int
main(void)
{
	UNIT_RUN(test_sizes);
	UNIT_RUN(test_append);
	UNIT_RUN(test_bounds);
	UNIT_RUN(test_cut_stays);
	UNIT_RUN(test_json);
	UNIT_RUN(test_tame);
	UNIT_RUN(test_keep);
	return unit_end();
}
