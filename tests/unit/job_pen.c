/* SPDX-License-Identifier: MIT */
#include "job/pen.h"

#include "unit.h"

static char got[3 * PEN_ROOM];
static size_t got_count;
static bool refuses;

static bool
keep(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	(void)sink;
	if (refuses)
		return fault_raise(fault, FAULT_SYSTEM, "full");
	if (count < sizeof got - got_count) {
		memcpy(got + got_count, from, count);
		got_count += count;
		got[got_count] = 0;
	}
	return true;
}

static struct sink sink = {keep, NULL, NULL};
static struct pen pen;
static struct fault fault;

static void
start(void)
{
	fault_clear(&fault);
	got_count = 0;
	got[0] = 0;
	refuses = false;
	pen_open(&pen, &sink, &fault);
}

static void
tamed(const char *words, size_t most, const char *wanted)
{
	start();
	pen_tame(&pen, words, most);
	CHECK(pen_close(&pen));
	CHECK_TEXT(got, wanted);
}

static void
taming(void)
{
	tamed("caf\xc3\xa9 \xe4\xb8\xad C:\\x", 100, "caf\xc3\xa9 \xe4\xb8\xad C:\\x");
	tamed("a\n\t\r\x1b[31m\x7f", 100, "a\\n\\t\\r\\u{1b}[31m\\u{7f}");
	tamed("\xc2\x9b" "1m", 100, "\\u{9b}1m");
	tamed("x\xe2\x80\xaey\xe2\x81\xa6z", 100, "x\\u{202e}y\\u{2066}z");
	tamed("\xef\xbb\xbf\xe2\x80\x8b", 100, "\\u{feff}\\u{200b}");
	tamed("\xff\xc3", 100, "\\xff\\xc3");
	tamed("\xed\xa0\x80", 100, "\\xed\\xa0\\x80");
	tamed("", 0, "");
	tamed("abc", 3, "abc");
	tamed("abcd", 3, "abc…");
	tamed("ab\xc3\xa9", 3, "ab…");
}

static void
json_members(void)
{
	start();
	pen_object(&pen, NULL);
	pen_string(&pen, "a", "q\"\\\n\xe2\x80\xae\xff\xf3\xa0\x80\x81");
	pen_array(&pen, "b");
	pen_end(&pen, ']');
	pen_array(&pen, "c");
	pen_number(&pen, NULL, UINT64_MAX);
	pen_signed(&pen, NULL, -1);
	pen_object(&pen, NULL);
	pen_end(&pen, '}');
	pen_end(&pen, ']');
	pen_bool(&pen, "d", true);
	pen_hex(&pen, "e", 0xabc);
	pen.digits = 8;
	pen_hex(&pen, "f", 0xabc);
	pen_end(&pen, '}');
	CHECK(pen_close(&pen));
	CHECK_TEXT(got, "{\"a\":\"q\\\"\\\\\\u000a\\u202e\\ufffd\\udb40\\udc01\",\"b\":[],\"c\":[18446744073709551615,-1,{}],"
	                "\"d\":true,\"e\":\"0x0000000000000abc\",\"f\":\"0x00000abc\"}");
}

static void
rooms_join(void)
{
	size_t sizes[] = {PEN_ROOM - 1, PEN_ROOM, PEN_ROOM + 1};
	for (size_t i = 0; i < 3; i++) {
		start();
		for (size_t k = 0; k < sizes[i]; k++)
			pen_put(&pen, "x");
		CHECK(pen_close(&pen));
		CHECK(got_count == sizes[i]);
	}
}

static void
first_fault_sticks(void)
{
	start();
	refuses = true;
	for (size_t i = 0; i < 3 * PEN_ROOM; i++)
		pen_put(&pen, "x");
	CHECK(!pen_close(&pen));
	CHECK_TEXT(fault.text, "full");
	CHECK(got_count == 0);
}

static void
colours_are_asked_for(void)
{
	start();
	pen_colour(&pen, PEN_RED);
	pen.colours = true;
	pen_colour(&pen, PEN_PLAIN);
	CHECK(pen_close(&pen));
	CHECK_TEXT(got, "\033[0m");
}

int
main(void)
{
	UNIT_RUN(taming);
	UNIT_RUN(json_members);
	UNIT_RUN(rooms_join);
	UNIT_RUN(first_fault_sticks);
	UNIT_RUN(colours_are_asked_for);
	return unit_end();
}
