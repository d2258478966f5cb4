/* SPDX-License-Identifier: MIT */
/* Read-only bytes somebody else owns, and checked reads from them. Nothing here is NUL-terminated. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const unsigned char *at;
	size_t count;
};

struct span span_of(const char *text);
bool span_is(struct span, const char *text);
bool span_is_nocase(struct span, const char *text); /* ASCII letters only */
bool span_begins(struct span, const char *text);
bool span_begins_nocase(struct span, const char *text);
bool span_find(struct span, const char *text, size_t *place);
bool span_find_byte(struct span, unsigned char byte, size_t *place);
struct span span_from(struct span, size_t place); /* the rest from place on; empty when place is past the end */
struct span span_first(struct span, size_t count);
struct span span_trim(struct span); /* without blanks and tabs at both ends */

/* The part before the first `byte` is put into *part and *rest moves behind that byte; without the byte, all that is
 * left. False when nothing is left. */
bool span_cut(struct span *rest, unsigned char byte, struct span *part);

/* A whole decimal number of 1 to 19 digits and nothing else, so that it always fits; false else. */
bool span_decimal(struct span, uint64_t *value);

/* 4M, 512K, 1G or plain bytes; false when it is something else or does not fit. */
bool span_bytes(struct span, uint64_t *bytes);

/* Little-endian reads; false when place + size is past the end. */
bool span_u16(struct span, uint64_t place, uint16_t *value);
bool span_u32(struct span, uint64_t place, uint32_t *value);
bool span_u64(struct span, uint64_t place, uint64_t *value);

/* The same for records that may be cut: 0 for what is past the end. */
uint16_t span_get_u16(struct span, uint64_t place);
uint32_t span_get_u32(struct span, uint64_t place);
uint64_t span_get_u64(struct span, uint64_t place);

#endif
