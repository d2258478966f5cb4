/* SPDX-License-Identifier: MIT */
#include "dump/words.h"

#include "base/encode.h"

#include <string.h>

#define REPLACEMENT 0xfffd
#define PIECE 512

/* Whole characters only. */
static void
put_point(struct text *text, uint32_t point)
{
	char room[8];
	struct text one = text_in(room, sizeof room);
	encode_utf8(&one, point);
	if (text->cut || one.used > text->room - 1 - text->used) {
		text->cut = true;
		return;
	}
	text_put_span(text, text_span(&one));
}

static void
put_unit(struct text *text, struct utf16 *state, uint16_t unit)
{
	bool low = (unit & 0xfc00) == 0xdc00, high = (unit & 0xfc00) == 0xd800;
	if (state->high != 0 && low) {
		put_point(text, 0x10000 + (((uint32_t)state->high & 0x3ff) << 10 | (unit & 0x3ffu)));
		state->high = 0;
		return;
	}
	if (state->high != 0)
		put_point(text, REPLACEMENT);
	state->high = high ? unit : 0;
	if (!high)
		put_point(text, low ? REPLACEMENT : unit);
}

bool
words_put_utf16(struct text *text, struct utf16 *state, struct span span)
{
	uint16_t unit;
	for (size_t at = 0; span_u16(span, at, &unit); at += 2) {
		if (unit == 0)
			return false;
		put_unit(text, state, unit);
	}
	return true;
}

void
words_put_utf8(struct text *text, struct span span)
{
	while (span.count > 0 && span.at[0] != 0) {
		size_t size = utf8_length(span);
		if (size == 0) {
			put_point(text, REPLACEMENT);
			size = 1;
		} else if (text->cut || size > text->room - 1 - text->used) {
			text->cut = true;
			return;
		} else {
			text_put_span(text, span_first(span, size));
		}
		span = span_from(span, size);
	}
}

void
words_put_utf16_at(struct text *text, struct view *view, uint64_t place, uint64_t bytes)
{
	unsigned char piece[PIECE];
	struct utf16 state = {0};
	bytes -= bytes % 2;
	while (bytes > 0 && !text->cut) {
		size_t take = bytes < PIECE ? (size_t)bytes : PIECE;
		if (!view_read(view, place, piece, take) || !words_put_utf16(text, &state, (struct span){piece, take}))
			break;
		place += take;
		bytes -= take;
	}
	if (state.high != 0)
		put_point(text, REPLACEMENT);
}

/* How much of a piece is whole characters, if more is to come. */
static size_t
whole_characters(const unsigned char *piece, size_t count)
{
	for (size_t back = 1; back <= 3 && back <= count; back++) {
		unsigned char byte = piece[count - back];
		if ((byte & 0xc0) == 0xc0)
			return (byte >= 0xf0 ? 4u : byte >= 0xe0 ? 3u : 2u) > back ? count - back : count;
		if ((byte & 0x80) == 0)
			break;
	}
	return count;
}

void
words_put_utf8_at(struct text *text, struct view *view, uint64_t place, uint64_t bytes)
{
	unsigned char piece[PIECE];
	if (place >= view->size)
		return;
	if (bytes > view->size - place)
		bytes = view->size - place;
	while (bytes > 0 && !text->cut) {
		size_t take = bytes < PIECE ? (size_t)bytes : PIECE;
		if (!view_read(view, place, piece, take))
			return;
		if (bytes > take)
			take = whole_characters(piece, take);
		words_put_utf8(text, (struct span){piece, take});
		if (memchr(piece, 0, take) != NULL)
			return;
		place += take;
		bytes -= take;
	}
}

void
words_put_string_at(struct text *text, struct view *view, uint64_t place)
{
	uint32_t bytes;
	if (place != 0 && view_u32(view, place, &bytes))
		words_put_utf16_at(text, view, place + 4, bytes);
}
