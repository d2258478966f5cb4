/* SPDX-License-Identifier: MIT */
#include "base/encode.h"

#include <string.h>

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
encode_base64(struct text *text, struct span from)
{
	while (from.count > 0) {
		size_t count = from.count < 3 ? from.count : 3;
		uint32_t group = (uint32_t)from.at[0] << 16;
		char digits[5] = "====";
		if (count > 1)
			group |= (uint32_t)from.at[1] << 8;
		if (count > 2)
			group |= from.at[2];
		for (size_t i = 0; i <= count; i++)
			digits[i] = base64_digits[group >> (18 - 6 * i) & 63];
		text_put(text, digits);
		from = span_from(from, count);
	}
}

static int
base64_value(unsigned char digit)
{
	const char *found = digit == 0 ? NULL : strchr(base64_digits, digit);
	return found == NULL ? -1 : (int)(found - base64_digits);
}

bool
decode_base64(struct span from, unsigned char *room, size_t size, size_t *count)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t used = 0;
	if (from.count % 4 == 0)
		for (int pad = 0; pad < 2 && from.count > 0 && from.at[from.count - 1] == '='; pad++)
			from.count--;
	if (from.count % 4 == 1)
		return false;
	for (size_t i = 0; i < from.count; i++) {
		int value = base64_value(from.at[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			if (used == size)
				return false;
			room[used++] = (unsigned char)(bits >> held);
		}
	}
	*count = used;
	return true;
}

void
encode_hex(struct text *text, struct span from)
{
	for (size_t i = 0; i < from.count; i++)
		text_printf(text, "%02x", from.at[i]);
}

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

void
encode_percent(struct text *text, struct span from, const char *keep)
{
	for (size_t i = 0; i < from.count; i++) {
		unsigned char c = from.at[i];
		if (is_unreserved(c) || (c != 0 && strchr(keep, c) != NULL))
			text_put_byte(text, (char)c);
		else
			text_printf(text, "%%%02X", c);
	}
}

int
hex_value(unsigned char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static int
hex_at(struct span span, size_t place)
{
	return place < span.count ? hex_value(span.at[place]) : -1;
}

bool
decode_percent(struct text *text, struct span from)
{
	for (size_t i = 0; i < from.count; i++) {
		unsigned char c = from.at[i];
		if (c == '%') {
			int high = hex_at(from, i + 1), low = hex_at(from, i + 2);
			if (high < 0 || low < 0)
				return false;
			c = (unsigned char)(high * 16 + low);
			i += 2;
		}
		if (c == 0)
			return false;
		text_put_byte(text, (char)c);
	}
	return true;
}

void
encode_utf8(struct text *text, uint32_t point)
{
	unsigned char bytes[4];
	size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	if (size == 1) {
		bytes[0] = (unsigned char)point;
	} else {
		for (size_t i = size; i-- > 1; point >>= 6)
			bytes[i] = (unsigned char)(0x80 | (point & 0x3f));
		bytes[0] = (unsigned char)((0xf00u >> size & 0xf0) | point);
	}
	text_put_span(text, (struct span){bytes, size});
}
