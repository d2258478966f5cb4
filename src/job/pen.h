/* SPDX-License-Identifier: MIT */
/* Writes a report of any length to a sink through a small room. The first fault sticks and what comes after it is
 * dropped, so that a writer asks once, at the end. What comes from a dump goes through pen_tame or pen_json only. */
#ifndef JOB_PEN_H
#define JOB_PEN_H

#include "base/flow.h"
#include "base/span.h"

#define PEN_ROOM 4096

struct pen {
	struct sink *to;
	struct fault *fault; /* the caller's; kind FAULT_NONE: nothing went wrong */
	bool colours;
	bool comma;          /* of JSON: a member or element stands in front */
	int digits;          /* of an address: 16, or 8 for a process of 32 bits */
	size_t used;
	char room[PEN_ROOM];
};

void pen_open(struct pen *, struct sink *, struct fault *);

/* Hands what is still in the room to the sink, which it does not finish. False: the fault says why. */
bool pen_close(struct pen *) MUST_CHECK;

void pen_put(struct pen *, const char *words);
void pen_printf(struct pen *, const char *format, ...) PRINTF_LIKE(2, 3); /* at most 1 KiB at a time */

/* Text of a dump for people: control characters, characters that turn the direction of writing or have no width, and
 * line separators are shown as \n, \t, \u{202e}…; ill-formed UTF-8 as \xff. At most `most` bytes of it, then "…". */
void pen_tame(struct pen *, const char *words, size_t most);

/* Switches to a colour of the terminal and back; nothing without `colours`. */
enum pen_colour { PEN_PLAIN, PEN_BOLD, PEN_RED, PEN_GREEN, PEN_YELLOW, PEN_DIM };
void pen_colour(struct pen *, enum pen_colour);

/* JSON: commas put themselves. A member's `name` is the program's own and needs no escape; NULL: an element. What
 * pen_tame would escape, is escaped here as \u and four digits; ill-formed UTF-8 becomes U+FFFD. */
void pen_object(struct pen *, const char *name);
void pen_array(struct pen *, const char *name);
void pen_end(struct pen *, char bracket);
void pen_string(struct pen *, const char *name, const char *value);
void pen_number(struct pen *, const char *name, uint64_t value);
void pen_signed(struct pen *, const char *name, int64_t value);
void pen_bool(struct pen *, const char *name, bool value);
void pen_hex(struct pen *, const char *name, uint64_t value); /* "0x00007ff6…": addresses are strings */

/* 0x and the digits of an address, for people. */
void pen_address(struct pen *, uint64_t value);

#endif
