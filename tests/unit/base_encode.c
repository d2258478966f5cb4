/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/encode.h"

static char room[256];

static struct text
fresh(void)
{
	return text_in(room, sizeof room);
}

/* RFC 4648 section 10. */
static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
                                         {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

static void
test_base64_vectors(void)
{
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		struct text text = fresh();
		unsigned char back[8];
		size_t count = 99;
		struct span coded = span_of(vectors[i][1]);
		encode_base64(&text, span_of(vectors[i][0]));
		CHECK_TEXT(room, vectors[i][1]);
		CHECK(decode_base64(coded, back, sizeof back, &count));
		CHECK(count == strlen(vectors[i][0]) && memcmp(back, vectors[i][0], count) == 0);
		while (coded.count > 0 && coded.at[coded.count - 1] == '=')
			coded.count--;
		CHECK(decode_base64(coded, back, sizeof back, &count) && count == strlen(vectors[i][0]));
	}
}

static void
test_base64_all_bytes(void)
{
	unsigned char bytes[96], back[96];
	size_t got;
	for (size_t count = 0; count <= sizeof bytes; count++)
		for (unsigned seed = 0; seed < 3; seed++) {
			struct text text = fresh();
			for (size_t i = 0; i < count; i++)
				bytes[i] = (unsigned char)(i * 89 + seed * 101 + count);
			encode_base64(&text, (struct span){bytes, count});
			CHECK(!text.cut && text.used == (count + 2) / 3 * 4);
			CHECK(decode_base64(text_span(&text), back, count, &got) && got == count && memcmp(bytes, back, count) == 0);
			CHECK(count == 0 || !decode_base64(text_span(&text), back, count - 1, &got));
		}
}

static void
test_base64_refused(void)
{
	static const char *const bad[] = {"Z", "Zg=", "Zg===", "=", "====", "Zg==Zg==", "Z===", "Zm9v=", "Zm 9v", "Zm9v\n", "Zm-_", "Zg=a",
	                                  "Zm9v\xc3", "Zm9vY", "Zm=v"};
	unsigned char back[16];
	size_t count;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!decode_base64(span_of(bad[i]), back, sizeof back, &count));
	CHECK(!decode_base64((struct span){(const unsigned char *)"Zm9\0", 4}, back, sizeof back, &count));
}

static void
test_hex(void)
{
	struct text text = fresh();
	encode_hex(&text, (struct span){(const unsigned char *)"\x00\x0f\xa5\xff", 4});
	CHECK_TEXT(room, "000fa5ff");
	for (int c = 0; c < 256; c++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF", *found = c == 0 ? NULL : strchr(digits, c);
		int wanted = found != NULL ? (int)(found - digits) % 16 : -1;
		if (c >= 'A' && c <= 'F')
			wanted = c - 'A' + 10;
		CHECK(hex_value((unsigned char)c) == wanted);
	}
}

static void
test_percent(void)
{
	static const char unreserved[] = "ABCXYZabcxyz0189-._~";
	struct text text = fresh();
	encode_percent(&text, span_of(unreserved), "");
	CHECK_TEXT(room, unreserved);
	text = fresh();
	encode_percent(&text, (struct span){(const unsigned char *)"a b/c%+\xd0\0&", 10}, "/");
	CHECK_TEXT(room, "a%20b/c%25%2B%D0%00%26");
	text = fresh();
	CHECK(decode_percent(&text, span_of("a%20b/c%25%2b%D0+")));
	CHECK_TEXT(room, "a b/c%+\xd0+");
	text = fresh();
	CHECK(!decode_percent(&text, span_of("%")) && !decode_percent(&text, span_of("%4")) && !decode_percent(&text, span_of("%4g")));
	CHECK(!decode_percent(&text, span_of("%g4")) && !decode_percent(&text, span_of("a%00b")) && !decode_percent(&text, span_of("%%41")));
	CHECK(!decode_percent(&text, (struct span){(const unsigned char *)"a\0", 2}));
	CHECK(!decode_percent(&text, span_first(span_of("%41"), 2)));
}

/* Every code point there and back, and what is none. */
static void
test_utf8(void)
{
	for (uint32_t point = 0; point <= 0x10ffff; point++) {
		struct text text = text_in(room, 8);
		size_t wanted = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
		bool surrogate = point >= 0xd800 && point < 0xe000;
		encode_utf8(&text, point);
		if (text.used != wanted || utf8_length(text_span(&text)) != (surrogate ? 0 : wanted)) {
			CHECK(text.used == wanted && utf8_length(text_span(&text)) == (surrogate ? 0 : wanted));
			return;
		}
		for (size_t cut = 0; cut < wanted; cut++)
			if (utf8_length(span_first(text_span(&text), cut)) != 0)
				CHECK(utf8_length(span_first(text_span(&text), cut)) == 0);
	}
}

static void
test_utf8_ill_formed(void)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
	                                  "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff", "\xed\xa0\x80", "\xed\xbf\xbf",
	                                  "\xc3(", "\xe2\x28\xa1", "\xe2\x82(", "\xf0\x28\x8c\xbc", "\xf0\x9f\x98("};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(utf8_length(span_of(bad[i])) == 0);
	CHECK(utf8_length((struct span){NULL, 0}) == 0);
	CHECK(utf8_length((struct span){(const unsigned char *)"\0", 1}) == 1);
	CHECK(utf8_length(span_of("\xed\x9f\xbf")) == 3 && utf8_length(span_of("\xee\x80\x80")) == 3 && utf8_length(span_of("\xf4\x8f\xbf\xbf")) == 4);
}

static void
test_utf8_text(void)
{
	struct text text = fresh();
	encode_utf8(&text, 0x41);
	encode_utf8(&text, 0xe9);
	encode_utf8(&text, 0x20ac);
	encode_utf8(&text, 0x1f600);
	CHECK_TEXT(room, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

int
main(void)
{
	UNIT_RUN(test_base64_vectors);
	UNIT_RUN(test_base64_all_bytes);
	UNIT_RUN(test_base64_refused);
	UNIT_RUN(test_hex);
	UNIT_RUN(test_percent);
	UNIT_RUN(test_utf8);
	UNIT_RUN(test_utf8_ill_formed);
	UNIT_RUN(test_utf8_text);
	return unit_end();
}
