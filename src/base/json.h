/* SPDX-License-Identifier: MIT */
/* JSON of any size through fixed buffers. A validating scanner (RFC 8259, UTF-8 and nesting checked) reads the stream
 * and keeps, of each element, only the wanted scalar members as a small object in a window; jsmn makes the tokens of
 * that window. Strings come out unescaped as UTF-8. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/flow.h"
#include "base/json_scan.h"
#include "base/json_value.h"

/* About 22 KiB, the room's own. It points into itself: not to be copied or moved while open. */
struct json_reader {
	struct source *source;
	const char *array_member;
	const char *const *wanted;
	size_t count;
	struct json_scan scan;
	struct span unread;               /* of buffer */
	bool at_end;                      /* the source has no more */
	bool in_array, had_array;         /* of elements */
	unsigned base;                    /* depth around an element */
	uint32_t all, live[JSON_PATH_MAX]; /* sets of wanted paths: all; those that may go on inside the i-th open object */
	uint32_t named;                   /* those that the name just read may stand for */
	bool names_array;
	enum { JSON_PASS, JSON_KEEP_KEY, JSON_KEEP_VALUE } keep;
	size_t target;                    /* which wanted value is being kept */
	size_t key_used, begin, used, outer; /* of the window: this element, its end, the end of the members around the array */
	struct json_value values[JSON_WANTED_MAX];
	char key[6 * JSON_NAME_MAX + 1];  /* still escaped, with its closing quote */
	char window[JSON_WINDOW];
	unsigned char buffer[JSON_READ];
};

/* Opens a reader of `source`. The elements are those of the top-level array, or, with `array_member` not NULL, those of
 * that member's array in a top-level object ("value" for ARM). A top-level object without such a member is one
 * element by itself, and so is a top-level string, number or literal. `wanted` names members, no two the same; "a/b" is
 * member b of the object in member a, at most JSON_PATH_MAX names of JSON_NAME_MAX bytes; "" is the element itself
 * where that is a scalar. A wanted member whose value is an array or object counts as absent (but its wanted children
 * count). `source`, `array_member` and `wanted` stay the caller's and must outlive the reader. */
void json_open(struct json_reader *, struct source *, const char *array_member, const char *const *wanted, size_t count);

/* Waits for the next element. True with *more: there is one; true without: the document ended as it should, and the
 * wanted members that stand beside the array of `array_member` can be had (ARM's "nextLink"). Elements come before the
 * rest of the document is known to be valid. False: FAULT_CORRUPT with the byte's place, FAULT_BOUND when what is
 * wanted of one element exceeds JSON_WINDOW or JSON_TOKENS or it is nested deeper than JSON_DEPTH_MAX, or the source's own. */
bool json_next(struct json_reader *, bool *more, struct fault *) MUST_CHECK;

/* Member i of `wanted` in the current element, valid until the next. A repeated member counts by its last value. */
struct json_value json_get(const struct json_reader *, size_t i);

/* json_value_text and json_value_int of it, and whether it is the literal true. */
bool json_get_text(const struct json_reader *, size_t i, char *room, size_t size) MUST_CHECK;
bool json_get_int(const struct json_reader *, size_t i, int64_t *value) MUST_CHECK;
bool json_is_true(const struct json_reader *, size_t i);

/* Whether all of `source` is one valid JSON text; for tests and for answers whose content does not matter. */
bool json_check(struct source *, struct fault *) MUST_CHECK;

#endif
