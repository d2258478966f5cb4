/* SPDX-License-Identifier: MIT */
#include "base/json_value.h"

#include "base/encode.h"

#include <assert.h>
#define JSMN_STATIC
#include <jsmn.h>
#include <string.h>

/* Each kept member is one name and one value, and the object around them is one token more. */
#if JSON_TOKENS < 1 + 2 * JSON_WANTED_MAX
#error "bounds.h: too few tokens for JSON_WANTED_MAX"
#endif

static uint32_t
hex4(const unsigned char *at)
{
	uint32_t value = 0;
	for (int i = 0; i < 4; i++)
		value = value << 4 | (uint32_t)hex_value(at[i]);
	return value;
}

/* Undoes the \u escape at the start, a pair of surrogates as one, and returns how many bytes it took. */
static size_t
unescape_point(struct text *text, struct span raw)
{
	uint32_t point = hex4(raw.at + 2), low = 0;
	if (point < 0xd800 || point > 0xdfff) {
		encode_utf8(text, point);
		return 6;
	}
	if (point < 0xdc00 && raw.count >= 12 && raw.at[6] == '\\' && raw.at[7] == 'u')
		low = hex4(raw.at + 8);
	if (low >= 0xdc00 && low <= 0xdfff) {
		encode_utf8(text, 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00));
		return 12;
	}
	encode_utf8(text, 0xfffd);
	return 6;
}

void
json_unescape(struct text *text, struct span raw)
{
	static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	size_t place;
	while (span_find_byte(raw, '\\', &place)) {
		unsigned char c = raw.at[place + 1];
		const char *found = strchr(escapes, c);
		text_put_span(text, span_first(raw, place));
		raw = span_from(raw, place);
		if (c == 'u') {
			raw = span_from(raw, unescape_point(text, raw));
			continue;
		}
		text_put_byte(text, found != NULL ? meanings[found - escapes] : (char)c);
		raw = span_from(raw, 2);
	}
	text_put_span(text, raw);
}

static struct json_value
value_of(const char *window, const jsmntok_t *token)
{
	const unsigned char *at = (const unsigned char *)window + token->start;
	struct json_value value = {JSON_NUMBER, {at, (size_t)(token->end - token->start)}};
	if (token->type == JSMN_ARRAY)
		return (struct json_value){JSON_ABSENT, {NULL, 0}};
	if (token->type == JSMN_STRING)
		value.kind = JSON_STRING;
	else if (*at == 'n' || *at == 't' || *at == 'f')
		value.kind = *at == 'n' ? JSON_NULL : *at == 't' ? JSON_TRUE : JSON_FALSE;
	return value;
}

bool
json_values_read(const char *window, size_t size, struct json_value *values, size_t count, struct fault *fault)
{
	jsmntok_t tokens[JSON_TOKENS];
	jsmn_parser parser;
	int made;
	jsmn_init(&parser);
	made = jsmn_parse(&parser, window, size, tokens, JSON_TOKENS);
	if (made == JSMN_ERROR_NOMEM)
		return fault_raise(fault, FAULT_BOUND, "JSON repeats its members too often");
	assert(made > 0 && made % 2 == 1);
	for (int i = 1; i < made; i += 2) {
		uint64_t place;
		bool known = span_decimal(value_of(window, &tokens[i]).text, &place) && place < count;
		assert(known);
		values[place] = value_of(window, &tokens[i + 1]);
	}
	return true;
}

bool
json_value_text(struct json_value value, char *room, size_t size)
{
	struct text text = text_in(room, size);
	if (value.kind == JSON_STRING)
		json_unescape(&text, value.text);
	if (value.kind == JSON_STRING && !text.cut && memchr(room, 0, text.used) == NULL)
		return true;
	room[0] = 0;
	return false;
}

bool
json_value_int(struct json_value value, int64_t *number)
{
	bool negative = value.kind == JSON_NUMBER && value.text.at[0] == '-';
	uint64_t size, most = (uint64_t)INT64_MAX + negative;
	if (value.kind != JSON_NUMBER || !span_decimal(span_from(value.text, negative), &size) || size > most)
		return false;
	*number = !negative ? (int64_t)size : size == most ? INT64_MIN : -(int64_t)size;
	return true;
}
