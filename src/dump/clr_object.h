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

/* Of the thread with an OS id, *found tells whether the runtime knows that thread; false when the threads cannot be read. */
bool clr_thrown_by(struct clr *, uint32_t thread, struct clr_thrown *, bool *found) MUST_CHECK;

/* Of the first thread that has one in flight. */
bool clr_thrown_by_any(struct clr *, struct clr_thrown *) MUST_CHECK;

/* Whether an object is one of System.Exception or a type derived from it, as far as the dump can tell. */
bool clr_is_exception(struct clr *, uint64_t object);

/* Fills an exception of the findings (its frames are set already) and tells the inner one, 0: none. */
void clr_read_exception(struct clr *, uint64_t object, struct managed_exception *, uint64_t *inner);

/* The object and its inner ones; how many were read. */
size_t clr_read_chain(struct clr *, uint64_t object, struct managed_exception *list, size_t most);

/* A String object as UTF-8 of at most size - 1 bytes, lone surrogates as U+FFFD, up to U+0000; *cut: there was more. */
bool clr_read_string(struct clr *, uint64_t object, char *room, size_t size, bool *cut) MUST_CHECK;

#endif
