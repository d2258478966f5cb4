/* SPDX-License-Identifier: MIT */
/* Scalar values of JSON that has been found valid: as text, as numbers. jsmn is called here and nowhere else. */
#ifndef BASE_JSON_VALUE_H
#define BASE_JSON_VALUE_H

#include "base/text.h"

struct json_value {
	enum json_kind { JSON_ABSENT, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING } kind;
	struct span text; /* as it stood in the document, a string still escaped and without its quotes */
};

/* The inside of a valid string as UTF-8. Half a surrogate pair becomes U+FFFD; \u0000 a NUL. */
void json_unescape(struct text *, struct span raw);

/* As text. False, and an empty text, when it is no string, does not fit `size` bytes with its NUL, or holds U+0000. */
bool json_value_text(struct json_value, char *room, size_t size) MUST_CHECK;

/* As a whole number, which must be written without point and exponent; false when it is none or does not fit. */
bool json_value_int(struct json_value, int64_t *number) MUST_CHECK;

/* Puts the values of an object into an array of `count`; the names in the window, which is valid JSON, are places in
 * that array, and of equal names the last one counts. An array in it is an absent value. The values point into the window.
 * FAULT_BOUND when it has more than (JSON_TOKENS - 1) / 2 members. */
bool json_values_read(const char *window, size_t size, struct json_value *values, size_t count, struct fault *) MUST_CHECK;

#endif
