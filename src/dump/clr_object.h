/* SPDX-License-Identifier: MIT */
/* Managed threads and exception objects: which object a thread has thrown, and what is in it. */
#ifndef DUMP_CLR_OBJECT_H
#define DUMP_CLR_OBJECT_H

#include "dump/clr.h"

/* The exception that a thread has in flight (`in_flight`), or else the one it threw last. */
struct clr_thrown {
	uint64_t object;   /* 0: none */
	uint32_t thread;   /* OS id */
	bool in_flight;
};

/* Whether the runtime's list of threads can be read: without it a descriptor says nothing of exceptions. */
bool clr_knows_threads(struct clr *);

/* Of the thread with an OS id, *found tells whether the runtime knows that thread; false when the threads cannot be read. */
bool clr_thrown_by(struct clr *, uint32_t thread, struct clr_thrown *, bool *found) MUST_CHECK;

/* Of the first thread that has one in flight. */
bool clr_thrown_by_any(struct clr *, struct clr_thrown *) MUST_CHECK;

/* Whether an object is one of System.Exception or a type derived from it. Unknown: pages of its type, or of one above it,
 * are not in the dump, but its fields hold what an exception's do. */
enum clr_answer { CLR_NO, CLR_UNKNOWN, CLR_YES } clr_is_exception(struct clr *, uint64_t object);

/* Whether an object's type has a name at all; nothing but an object leads to one. */
bool clr_has_type(struct clr *, uint64_t object);

/* Whether it is a String of at least one character, and all of them are such as people write. */
bool clr_has_words(struct clr *, uint64_t string);

/* The frame of an exception's trace that was reached last: its pc and stack pointer. */
bool clr_last_frame(struct clr *, uint64_t object, uint64_t *pc, uint64_t *sp) MUST_CHECK;

/* Fills an exception of the findings (its frames are set already) and tells the inner one, 0: none. */
void clr_read_exception(struct clr *, uint64_t object, struct managed_exception *, uint64_t *inner);

/* The object and its inner ones; how many were read. `typed`: the first must have a type with a name. One whose type cannot be held against System.Exception is marked
 * `type_unsure`; of an inner one that has not even a name for its type the rest is read all the same. */
size_t clr_read_chain(struct clr *, uint64_t object, bool typed, struct managed_exception *list, size_t most);

/* The one String of words that a piece of the stack holds the address of, or of its first character; false: there is none, or
 * more than one. */
bool clr_find_string(struct clr *, uint64_t from, uint64_t to, uint64_t *string) MUST_CHECK;

/* A String object as UTF-8 of at most size - 1 bytes, lone surrogates as U+FFFD, up to U+0000; *cut: there was more. */
bool clr_read_string(struct clr *, uint64_t object, char *room, size_t size, bool *cut) MUST_CHECK;

#endif
