/* SPDX-License-Identifier: MIT */
/* A string built in an array of the caller: always NUL-terminated, never longer than its room. What does not fit sets
 * `cut`, which stays set, so a long run of appends needs one check at its end. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/fault.h"
#include "base/span.h"

struct text {
	char *at;
	size_t used, room; /* room counts the NUL */
	bool cut;
};

/* An empty text in `room` bytes at `at`; room must be at least 1. */
struct text text_in(char *at, size_t room);
void text_reset(struct text *);
void text_put(struct text *, const char *words);
void text_put_span(struct text *, struct span);
void text_put_byte(struct text *, char);
void text_printf(struct text *, const char *format, ...) PRINTF_LIKE(2, 3);

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD, control characters \u00XX (RFC 8259 section 7). */
void text_put_json(struct text *, struct span);

/* For a terminal: control characters and ill-formed UTF-8 become '?'. */
void text_put_tame(struct text *, struct span);

/* 1.2 GiB, 64.0 MiB, 300.0 KiB; never rounded up. */
void text_put_size(struct text *, uint64_t bytes);

struct span text_span(const struct text *);

/* Copies a span into a fixed array as a C string; false (and an empty string) when it does not fit or holds a NUL. */
bool text_keep(char *room, size_t size, struct span) MUST_CHECK;

/* A variable of the environment; NULL when it is not set, or to nothing. */
const char *text_environment(const char *name);

#endif
