/* SPDX-License-Identifier: MIT */
/* Judges JSON as it goes by, in pieces of any size and with no memory but this struct: the whole grammar of RFC 8259,
 * UTF-8 (RFC 3629) and nesting. A byte order mark at the very start is passed over (section 8.1 allows that, and Azure
 * sends it); \u escapes of lone surrogates are let through (section 8.2). */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include "base/fault.h"
#include "base/span.h"

enum json_event {
	SCAN_MORE,        /* every byte was used; give more */
	SCAN_OPENED,      /* an object or array: depth is that of its inside */
	SCAN_CLOSED,      /* depth is that of its outside again */
	SCAN_KEY_BEGAN,   /* behind the opening quote of a member's name */
	SCAN_KEY_ENDED,   /* behind its closing quote */
	SCAN_VALUE_BEGAN, /* behind the first byte of a string, number or literal */
	SCAN_VALUE_ENDED, /* behind its last byte */
	SCAN_REFUSED      /* not JSON; stays so */
};

struct json_scan {
	unsigned depth; /* public: how many objects and arrays are open */
	/* the room's own from here */
	uint64_t place;
	const char *refusal, *literal;
	enum fault_kind kind;
	unsigned char state, hex_left, utf8_left, utf8_low, utf8_high;
	bool in_key;
	unsigned char objects[(JSON_DEPTH_MAX + 7) / 8]; /* one bit a level: an object, else an array */
};

void json_scan_open(struct json_scan *);

/* Takes bytes off the front of *rest up to and with the next event, or all of them. */
enum json_event json_scan_next(struct json_scan *, struct span *rest);

/* Whether the innermost open thing is an object. */
bool json_scan_in_object(const struct json_scan *);

/* There are no more bytes. SCAN_VALUE_ENDED when that ends a number at the top, SCAN_MORE when the text had ended well
 * before, else SCAN_REFUSED. */
enum json_event json_scan_end(struct json_scan *);

/* After SCAN_REFUSED: raises FAULT_CORRUPT or, for the nesting, FAULT_BOUND, with the byte's place. Always false. */
bool json_scan_refuse(const struct json_scan *, struct fault *);

#endif
