/* SPDX-License-Identifier: MIT */
#include "job/pen.h"

#include "base/encode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
pen_open(struct pen *pen, struct sink *to, struct fault *fault)
{
	pen->to = to;
	pen->fault = fault;
	pen->colours = pen->comma = false;
	pen->digits = 16;
	pen->used = 0;
}

static void
flush(struct pen *pen)
{
	if (pen->used > 0 && pen->fault->kind == FAULT_NONE)
		(void)!pen->to->write(pen->to, pen->room, pen->used, pen->fault);
	pen->used = 0;
}

bool
pen_close(struct pen *pen)
{
	flush(pen);
	return pen->fault->kind == FAULT_NONE;
}

static void
put_span(struct pen *pen, struct span span)
{
	while (span.count > 0) {
		size_t take = sizeof pen->room - pen->used;
		if (take > span.count)
			take = span.count;
		memcpy(pen->room + pen->used, span.at, take);
		pen->used += take;
		span = span_from(span, take);
		if (pen->used == sizeof pen->room)
			flush(pen);
	}
}

void
pen_put(struct pen *pen, const char *words)
{
	put_span(pen, span_of(words));
}

void
pen_printf(struct pen *pen, const char *format, ...)
{
	char room[1024];
	va_list words;
	va_start(words, format);
	vsnprintf(room, sizeof room, format, words);
	va_end(words);
	pen_put(pen, room);
}

static uint32_t
point_of(struct span span, size_t size)
{
	uint32_t point = size == 1 ? span.at[0] : span.at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++)
		point = point << 6 | (span.at[i] & 0x3f);
	return point;
}

/* Characters that a terminal obeys, that reorder their neighbours, or that nobody sees: Cc, the bidi controls of
 * Unicode UAX 9, zero width ones, U+2028 and U+2029, interlinear annotations, tags and other formats that are abused. */
static bool
is_wild(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} wild[] = {{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200f},
	            {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
	for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++)
		if (point >= wild[i].first && point <= wild[i].last)
			return true;
	return false;
}

static void
put_wild(struct pen *pen, uint32_t point)
{
	if (point == '\n')
		pen_put(pen, "\\n");
	else if (point == '\t')
		pen_put(pen, "\\t");
	else if (point == '\r')
		pen_put(pen, "\\r");
	else
		pen_printf(pen, "\\u{%" PRIx32 "}", point);
}

void
pen_tame(struct pen *pen, const char *words, size_t most)
{
	struct span span = span_of(words);
	while (span.count > 0) {
		size_t size = utf8_length(span);
		if (most < (size == 0 ? 1 : size)) {
			pen_put(pen, "…");
			return;
		}
		if (size == 0)
			pen_printf(pen, "\\x%02x", span.at[0]);
		else if (is_wild(point_of(span, size)))
			put_wild(pen, point_of(span, size));
		else
			put_span(pen, span_first(span, size));
		size += size == 0;
		most -= size;
		span = span_from(span, size);
	}
}

void
pen_colour(struct pen *pen, enum pen_colour colour)
{
	static const char *const codes[] = {[PEN_PLAIN] = "0", [PEN_BOLD] = "1", [PEN_RED] = "1;31", [PEN_GREEN] = "32",
	                                    [PEN_YELLOW] = "33", [PEN_DIM] = "2"};
	if (pen->colours)
		pen_printf(pen, "\033[%sm", codes[colour]);
}

static void
begin(struct pen *pen, const char *name)
{
	if (pen->comma)
		pen_put(pen, ",");
	if (name != NULL)
		pen_printf(pen, "\"%s\":", name);
	pen->comma = true;
}

void
pen_object(struct pen *pen, const char *name)
{
	begin(pen, name);
	pen_put(pen, "{");
	pen->comma = false;
}

void
pen_array(struct pen *pen, const char *name)
{
	begin(pen, name);
	pen_put(pen, "[");
	pen->comma = false;
}

void
pen_end(struct pen *pen, char bracket)
{
	put_span(pen, (struct span){(const unsigned char *)&bracket, 1});
	pen->comma = true;
}

static void
put_unit(struct pen *pen, uint32_t point)
{
	if (point < 0x10000)
		pen_printf(pen, "\\u%04" PRIx32, point);
	else
		pen_printf(pen, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff));
}

void
pen_string(struct pen *pen, const char *name, const char *value)
{
	struct span span = span_of(value);
	begin(pen, name);
	pen_put(pen, "\"");
	while (span.count > 0) {
		size_t size = utf8_length(span);
		uint32_t point = size == 0 ? 0xfffd : point_of(span, size);
		if (point == '"' || point == '\\')
			pen_printf(pen, "\\%c", (char)point);
		else if (size == 0 || is_wild(point))
			put_unit(pen, point);
		else
			put_span(pen, span_first(span, size));
		span = span_from(span, size + (size == 0));
	}
	pen_put(pen, "\"");
}

void
pen_number(struct pen *pen, const char *name, uint64_t value)
{
	begin(pen, name);
	pen_printf(pen, "%" PRIu64, value);
}

void
pen_signed(struct pen *pen, const char *name, int64_t value)
{
	begin(pen, name);
	pen_printf(pen, "%" PRId64, value);
}

void
pen_bool(struct pen *pen, const char *name, bool value)
{
	begin(pen, name);
	pen_put(pen, value ? "true" : "false");
}

void
pen_hex(struct pen *pen, const char *name, uint64_t value)
{
	begin(pen, name);
	pen_printf(pen, "\"0x%0*" PRIx64 "\"", pen->digits, value);
}

void
pen_address(struct pen *pen, uint64_t value)
{
	pen_printf(pen, "0x%0*" PRIx64, pen->digits, value);
}
