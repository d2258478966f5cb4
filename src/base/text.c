/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text
text_in(char *at, size_t room)
{
	struct text text = {at, 0, room, false};
	assert(room > 0);
	at[0] = 0;
	return text;
}

void
text_reset(struct text *text)
{
	text->used = 0;
	text->cut = false;
	text->at[0] = 0;
}

void
text_put_span(struct text *text, struct span span)
{
	size_t left = text->room - 1 - text->used;
	if (span.count > left) {
		text->cut = true;
		span.count = left;
	}
	if (span.count > 0)
		memcpy(text->at + text->used, span.at, span.count);
	text->used += span.count;
	text->at[text->used] = 0;
}

void
text_put(struct text *text, const char *words)
{
	text_put_span(text, span_of(words));
}

void
text_put_byte(struct text *text, char byte)
{
	text_put_span(text, (struct span){(const unsigned char *)&byte, 1});
}

void
text_printf(struct text *text, const char *format, ...)
{
	size_t left = text->room - text->used;
	va_list words;
	int wanted;
	va_start(words, format);
	wanted = vsnprintf(text->at + text->used, left, format, words);
	va_end(words);
	if (wanted < 0 || (size_t)wanted >= left) {
		text->cut = true;
		text->used = wanted < 0 ? text->used : text->room - 1;
		text->at[text->used] = 0;
		return;
	}
	text->used += (size_t)wanted;
}

void
text_put_json(struct text *text, struct span span)
{
	text_put_byte(text, '"');
	while (span.count > 0) {
		unsigned char c = span.at[0];
		size_t size = utf8_length(span);
		if (size == 0) {
			text_put(text, "\\ufffd");
			size = 1;
		} else if (c == '"' || c == '\\') {
			text_printf(text, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			text_printf(text, "\\u%04x", c);
		} else {
			text_put_span(text, span_first(span, size));
		}
		span = span_from(span, size);
	}
	text_put_byte(text, '"');
}

void
text_put_tame(struct text *text, struct span span)
{
	while (span.count > 0) {
		unsigned char c = span.at[0];
		size_t size = utf8_length(span);
		bool plain = size > 1 ? !(c == 0xc2 && span.at[1] < 0xa0) : size == 1 && c >= 0x20 && c != 0x7f;
		if (plain)
			text_put_span(text, span_first(span, size));
		else
			text_put_byte(text, '?');
		span = span_from(span, size == 0 ? 1 : size);
	}
}

void
text_put_size(struct text *text, uint64_t bytes)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} units[] = {{1024ull * MIB, "GiB"}, {MIB, "MiB"}, {KIB, "KiB"}};
	size_t i = bytes >= units[0].bytes ? 0 : bytes >= units[1].bytes ? 1 : 2;
	uint64_t tenths = bytes / units[i].bytes * 10 + bytes % units[i].bytes * 10 / units[i].bytes;
	text_printf(text, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[i].name);
}

struct span
text_span(const struct text *text)
{
	return (struct span){(const unsigned char *)text->at, text->used};
}

bool
text_keep(char *room, size_t size, struct span span)
{
	assert(size > 0);
	room[0] = 0;
	if (span.count >= size || (span.count > 0 && memchr(span.at, 0, span.count) != NULL))
		return false;
	if (span.count > 0)
		memcpy(room, span.at, span.count);
	room[span.count] = 0;
	return true;
}

const char *
text_environment(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && value[0] != 0 ? value : NULL;
}
