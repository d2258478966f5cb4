/* SPDX-License-Identifier: MIT */
#include "base/json_scan.h"

#include <string.h>

/* What may come next. The names of numbers say what was read last. */
enum state {
	START, BOM_2, BOM_3, VALUE, FIRST_VALUE, FIRST_KEY, KEY, COLON, COMMA, DONE,
	STRING, ESCAPE, HEX, UTF8,
	MINUS, ZERO, WHOLE, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGIT,
	LITERAL,
	REFUSED
};

void
json_scan_open(struct json_scan *scan)
{
	memset(scan, 0, sizeof *scan);
	scan->state = START;
}

static enum json_event
refuse(struct json_scan *scan, enum fault_kind kind, const char *why)
{
	scan->state = REFUSED;
	scan->kind = kind;
	scan->refusal = why;
	return SCAN_REFUSED;
}

static enum json_event
corrupt(struct json_scan *scan, const char *why)
{
	return refuse(scan, FAULT_CORRUPT, why);
}

bool
json_scan_refuse(const struct json_scan *scan, struct fault *fault)
{
	return fault_raise(fault, scan->kind, "not JSON that can be read, at byte %llu: %s",
	                   (unsigned long long)(scan->place - 1), scan->refusal);
}

bool
json_scan_in_object(const struct json_scan *scan)
{
	unsigned level = scan->depth - 1;
	return scan->depth > 0 && (scan->objects[level / 8] >> level % 8 & 1) != 0;
}

static unsigned char
take(struct span *rest)
{
	rest->count--;
	return *rest->at++;
}

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static void
expect_after_value(struct json_scan *scan)
{
	scan->state = scan->depth == 0 ? DONE : COMMA;
}

static enum json_event
open_nest(struct json_scan *scan, unsigned char c)
{
	unsigned level = scan->depth;
	unsigned char bit = (unsigned char)(1u << level % 8);
	if (level == JSON_DEPTH_MAX)
		return refuse(scan, FAULT_BOUND, "nested too deeply");
	scan->depth++;
	if (c == '{')
		scan->objects[level / 8] |= bit;
	else
		scan->objects[level / 8] &= (unsigned char)~bit;
	scan->state = c == '{' ? FIRST_KEY : FIRST_VALUE;
	return SCAN_OPENED;
}

static enum json_event
close_nest(struct json_scan *scan, unsigned char c)
{
	if (c != (json_scan_in_object(scan) ? '}' : ']'))
		return corrupt(scan, "a comma or the closing bracket is missing");
	scan->depth--;
	expect_after_value(scan);
	return SCAN_CLOSED;
}

static enum json_event
begin_literal(struct json_scan *scan, const char *rest_of_it)
{
	scan->literal = rest_of_it;
	scan->state = LITERAL;
	return SCAN_VALUE_BEGAN;
}

static enum json_event
begin_value(struct json_scan *scan, unsigned char c)
{
	switch (c) {
	case '{':
	case '[':
		return open_nest(scan, c);
	case '"':
		scan->in_key = false;
		scan->state = STRING;
		return SCAN_VALUE_BEGAN;
	case 't':
		return begin_literal(scan, "rue");
	case 'f':
		return begin_literal(scan, "alse");
	case 'n':
		return begin_literal(scan, "ull");
	default:
		if (c != '-' && !is_digit(c))
			return corrupt(scan, "a value should begin here");
		scan->state = c == '-' ? MINUS : c == '0' ? ZERO : WHOLE;
		return SCAN_VALUE_BEGAN;
	}
}

static enum json_event
begin_key(struct json_scan *scan, unsigned char c)
{
	if (c != '"')
		return corrupt(scan, "the name of a member should begin here");
	scan->in_key = true;
	scan->state = STRING;
	return SCAN_KEY_BEGAN;
}

static enum json_event
take_bom(struct json_scan *scan, unsigned char c)
{
	if (c != (scan->state == BOM_2 ? 0xbb : 0xbf))
		return corrupt(scan, "neither JSON nor a byte order mark");
	scan->state = scan->state == BOM_2 ? BOM_3 : VALUE;
	return SCAN_MORE;
}

static enum json_event
take_comma(struct json_scan *scan, unsigned char c)
{
	if (c != ',')
		return close_nest(scan, c);
	scan->state = json_scan_in_object(scan) ? KEY : VALUE;
	return SCAN_MORE;
}

/* A byte between strings, numbers and literals that is no blank. */
static enum json_event
take_mark(struct json_scan *scan, unsigned char c)
{
	switch (scan->state) {
	case FIRST_VALUE:
		return c == ']' ? close_nest(scan, c) : begin_value(scan, c);
	case FIRST_KEY:
		return c == '}' ? close_nest(scan, c) : begin_key(scan, c);
	case KEY:
		return begin_key(scan, c);
	case COLON:
		if (c != ':')
			return corrupt(scan, "a colon is missing");
		scan->state = VALUE;
		return SCAN_MORE;
	case COMMA:
		return take_comma(scan, c);
	case DONE:
		return corrupt(scan, "something follows behind its end");
	default:
		return begin_value(scan, c);
	}
}

static enum json_event
take_between(struct json_scan *scan, struct span *rest)
{
	unsigned char c = take(rest);
	if (scan->state == BOM_2 || scan->state == BOM_3)
		return take_bom(scan, c);
	if (scan->state == START) {
		scan->state = c == 0xef ? BOM_2 : VALUE;
		if (c == 0xef)
			return SCAN_MORE;
	}
	while (is_blank(c)) {
		if (rest->count == 0)
			return SCAN_MORE;
		c = take(rest);
	}
	return take_mark(scan, c);
}

/* The length of the run at the start that means nothing inside a string. Eight bytes are looked at together: for each,
 * the top bit of one of the sums is set when the byte is below a blank, a quote, a backslash or not ASCII. A borrow can
 * only set a bit above one that is rightly set, which costs nothing but the slower loop. */
static size_t
plain_run(struct span span)
{
	const uint64_t each = 0x0101010101010101u;
	size_t i = 0;
	for (; span.count - i >= 8; i += 8) {
		uint64_t word, quote, slash;
		memcpy(&word, span.at + i, 8);
		quote = word ^ each * '"';
		slash = word ^ each * '\\';
		if (((word | (word - each * ' ') | (quote - each) | (slash - each)) & each << 7) != 0)
			break;
	}
	while (i < span.count && span.at[i] >= ' ' && span.at[i] < 0x80 && span.at[i] != '"' && span.at[i] != '\\')
		i++;
	return i;
}

/* RFC 3629 section 4: how many bytes follow, and what the next one may be. */
static enum json_event
begin_utf8(struct json_scan *scan, unsigned char c)
{
	if (c < 0xc2 || c > 0xf4)
		return corrupt(scan, c < ' ' ? "a control character in a string" : "a string is not UTF-8");
	scan->utf8_left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	scan->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	scan->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	scan->state = UTF8;
	return SCAN_MORE;
}

static enum json_event
take_utf8(struct json_scan *scan, unsigned char c)
{
	if (c < scan->utf8_low || c > scan->utf8_high)
		return corrupt(scan, "a string is not UTF-8");
	scan->utf8_low = 0x80;
	scan->utf8_high = 0xbf;
	if (--scan->utf8_left == 0)
		scan->state = STRING;
	return SCAN_MORE;
}

static enum json_event
take_escape(struct json_scan *scan, unsigned char c)
{
	if (c == 0 || strchr("\"\\/bfnrtu", c) == NULL)
		return corrupt(scan, "an escape that JSON does not have");
	scan->hex_left = 4;
	scan->state = c == 'u' ? HEX : STRING;
	return SCAN_MORE;
}

static enum json_event
take_hex(struct json_scan *scan, unsigned char c)
{
	if (!is_digit(c) && !((c | 32) >= 'a' && (c | 32) <= 'f'))
		return corrupt(scan, "four hex digits should stand here");
	if (--scan->hex_left == 0)
		scan->state = STRING;
	return SCAN_MORE;
}

static enum json_event
end_string(struct json_scan *scan)
{
	if (scan->in_key) {
		scan->state = COLON;
		return SCAN_KEY_ENDED;
	}
	expect_after_value(scan);
	return SCAN_VALUE_ENDED;
}

static enum json_event
take_string(struct json_scan *scan, struct span *rest)
{
	unsigned char c;
	*rest = span_from(*rest, plain_run(*rest));
	if (rest->count == 0)
		return SCAN_MORE;
	c = take(rest);
	if (c == '"')
		return end_string(scan);
	if (c != '\\')
		return begin_utf8(scan, c);
	scan->state = ESCAPE;
	return SCAN_MORE;
}

/* The state after a number's next byte (RFC 8259 section 6); DONE: the number ended before it. */
static enum state
after_digit(enum state state, unsigned char c)
{
	bool digit = is_digit(c), exponent = (c | 32) == 'e';
	switch (state) {
	case MINUS:
		return c == '0' ? ZERO : digit ? WHOLE : REFUSED;
	case ZERO:
		return c == '.' ? POINT : exponent ? EXPONENT : DONE;
	case WHOLE:
		return digit ? WHOLE : c == '.' ? POINT : exponent ? EXPONENT : DONE;
	case POINT:
		return digit ? FRACTION : REFUSED;
	case FRACTION:
		return digit ? FRACTION : exponent ? EXPONENT : DONE;
	case EXPONENT:
		return c == '+' || c == '-' ? EXPONENT_SIGN : digit ? EXPONENT_DIGIT : REFUSED;
	case EXPONENT_SIGN:
		return digit ? EXPONENT_DIGIT : REFUSED;
	default:
		return digit ? EXPONENT_DIGIT : DONE;
	}
}

static enum json_event
take_number(struct json_scan *scan, struct span *rest)
{
	enum state state = scan->state;
	while (rest->count > 0) {
		state = after_digit(state, rest->at[0]);
		if (state == DONE) {
			expect_after_value(scan);
			return SCAN_VALUE_ENDED;
		}
		take(rest);
		if (state == REFUSED)
			return corrupt(scan, "a digit should stand here");
	}
	scan->state = (unsigned char)state;
	return SCAN_MORE;
}

static enum json_event
take_literal(struct json_scan *scan, unsigned char c)
{
	if (c != (unsigned char)*scan->literal)
		return corrupt(scan, "neither true, false nor null");
	if (*++scan->literal != 0)
		return SCAN_MORE;
	expect_after_value(scan);
	return SCAN_VALUE_ENDED;
}

static enum json_event
step(struct json_scan *scan, struct span *rest)
{
	switch (scan->state) {
	case STRING:
		return take_string(scan, rest);
	case ESCAPE:
		return take_escape(scan, take(rest));
	case HEX:
		return take_hex(scan, take(rest));
	case UTF8:
		return take_utf8(scan, take(rest));
	case LITERAL:
		return take_literal(scan, take(rest));
	case REFUSED:
		return SCAN_REFUSED;
	default:
		return scan->state >= MINUS ? take_number(scan, rest) : take_between(scan, rest);
	}
}

enum json_event
json_scan_next(struct json_scan *scan, struct span *rest)
{
	const unsigned char *from = rest->at;
	enum json_event event = SCAN_MORE;
	while (event == SCAN_MORE && rest->count > 0)
		event = step(scan, rest);
	scan->place += (uint64_t)(rest->at - from);
	return event;
}

static bool
ends_number(const struct json_scan *scan)
{
	return scan->depth == 0 && scan->state >= MINUS && scan->state <= EXPONENT_DIGIT &&
	       after_digit(scan->state, ' ') == DONE;
}

enum json_event
json_scan_end(struct json_scan *scan)
{
	if (ends_number(scan)) {
		scan->state = DONE;
		return SCAN_VALUE_ENDED;
	}
	if (scan->state == DONE)
		return SCAN_MORE;
	if (scan->state == REFUSED)
		return SCAN_REFUSED;
	scan->place++; /* the byte that is missing is the one that offends */
	return corrupt(scan, "it ends too early");
}
