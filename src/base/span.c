/* SPDX-License-Identifier: MIT */
#include "base/span.h"

#include <string.h>

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

struct span
span_of(const char *text)
{
	return (struct span){(const unsigned char *)text, strlen(text)};
}

bool
span_begins(struct span span, const char *text)
{
	size_t count = strlen(text);
	return span.count >= count && (count == 0 || memcmp(span.at, text, count) == 0);
}

bool
span_begins_nocase(struct span span, const char *text)
{
	size_t count = strlen(text);
	if (span.count < count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (lower(span.at[i]) != lower((unsigned char)text[i]))
			return false;
	return true;
}

bool
span_is(struct span span, const char *text)
{
	return span.count == strlen(text) && span_begins(span, text);
}

bool
span_is_nocase(struct span span, const char *text)
{
	return span.count == strlen(text) && span_begins_nocase(span, text);
}

bool
span_find(struct span span, const char *text, size_t *place)
{
	for (size_t i = 0; i <= span.count; i++)
		if (span_begins(span_from(span, i), text)) {
			*place = i;
			return true;
		}
	return false;
}

bool
span_find_byte(struct span span, unsigned char byte, size_t *place)
{
	const unsigned char *found = span.count == 0 ? NULL : memchr(span.at, byte, span.count);
	if (found == NULL)
		return false;
	*place = (size_t)(found - span.at);
	return true;
}

struct span
span_from(struct span span, size_t place)
{
	if (place > span.count)
		place = span.count;
	return (struct span){span.at == NULL ? NULL : span.at + place, span.count - place};
}

struct span
span_first(struct span span, size_t count)
{
	return (struct span){span.at, count < span.count ? count : span.count};
}

struct span
span_trim(struct span span)
{
	while (span.count > 0 && (span.at[0] == ' ' || span.at[0] == '\t'))
		span = span_from(span, 1);
	while (span.count > 0 && (span.at[span.count - 1] == ' ' || span.at[span.count - 1] == '\t'))
		span.count--;
	return span;
}

bool
span_cut(struct span *rest, unsigned char byte, struct span *part)
{
	size_t place;
	if (rest->count == 0)
		return false;
	if (!span_find_byte(*rest, byte, &place)) {
		*part = *rest;
		*rest = span_from(*rest, rest->count);
		return true;
	}
	*part = span_first(*rest, place);
	*rest = span_from(*rest, place + 1);
	return true;
}

bool
span_decimal(struct span span, uint64_t *value)
{
	uint64_t sum = 0;
	if (span.count == 0 || span.count > 19)
		return false;
	for (size_t i = 0; i < span.count; i++) {
		if (span.at[i] < '0' || span.at[i] > '9')
			return false;
		sum = sum * 10 + (uint64_t)(span.at[i] - '0');
	}
	*value = sum;
	return true;
}

bool
span_bytes(struct span span, uint64_t *bytes)
{
	unsigned shift = 0;
	if (span.count > 1) {
		switch (span.at[span.count - 1]) {
		case 'k': case 'K': shift = 10; break;
		case 'm': case 'M': shift = 20; break;
		case 'g': case 'G': shift = 30; break;
		default: break;
		}
		if (shift != 0)
			span.count--;
	}
	if (!span_decimal(span, bytes) || *bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

static bool
little(struct span span, uint64_t place, size_t size, uint64_t *value)
{
	uint64_t sum = 0;
	if (span.count < size || place > span.count - size)
		return false;
	for (size_t i = size; i-- > 0;)
		sum = sum << 8 | span.at[place + i];
	*value = sum;
	return true;
}

bool
span_u16(struct span span, uint64_t place, uint16_t *value)
{
	uint64_t wide;
	if (!little(span, place, 2, &wide))
		return false;
	*value = (uint16_t)wide;
	return true;
}

bool
span_u32(struct span span, uint64_t place, uint32_t *value)
{
	uint64_t wide;
	if (!little(span, place, 4, &wide))
		return false;
	*value = (uint32_t)wide;
	return true;
}

bool
span_u64(struct span span, uint64_t place, uint64_t *value)
{
	return little(span, place, 8, value);
}

uint16_t
span_get_u16(struct span span, uint64_t place)
{
	uint64_t value;
	return little(span, place, 2, &value) ? (uint16_t)value : 0;
}

uint32_t
span_get_u32(struct span span, uint64_t place)
{
	uint64_t value;
	return little(span, place, 4, &value) ? (uint32_t)value : 0;
}

uint64_t
span_get_u64(struct span span, uint64_t place)
{
	uint64_t value;
	return little(span, place, 8, &value) ? value : 0;
}
