/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648 section 4), hex and percent-encoding (RFC 3986). */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/span.h"
#include "base/text.h"
#include "base/utf8.h"

void encode_base64(struct text *, struct span);
void encode_hex(struct text *, struct span); /* lower case */

/* Percent-encodes all but the unreserved characters and those in `keep`. */
void encode_percent(struct text *, struct span, const char *keep);

/* Standard alphabet with or without padding, nothing else between; false when it is not Base64 or does not fit. */
bool decode_base64(struct span, unsigned char *room, size_t size, size_t *count) MUST_CHECK;

/* Undoes percent-encoding; false at a broken triple or a NUL. A '+' stays a '+'. */
bool decode_percent(struct text *, struct span) MUST_CHECK;

/* The value of a hex digit, or -1. */
int hex_value(unsigned char digit);

/* Writes a code point up to 0x10ffff as UTF-8. */
void encode_utf8(struct text *, uint32_t point);

#endif
