/* SPDX-License-Identifier: MIT */
/* How bytes go through the program: origins are pulled, destinations are pushed to, transforms wrap a sink. A type that
 * is one embeds the struct as its first member. */
#ifndef BASE_FLOW_H
#define BASE_FLOW_H

#include "base/fault.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct source {
	/* 1 to `size` bytes into room, *got says how many; 0: the end, and only if the framing says so. Waits. */
	bool (*read)(struct source *, void *room, size_t size, size_t *got, struct fault *);
};

struct sink {
	/* Takes all of it or fails. Waits. */
	bool (*write)(struct sink *, const void *from, size_t count, struct fault *);
	/* Commits what was written: after true it exists under its name, whole and durable. */
	bool (*finish)(struct sink *, struct fault *);
	/* Leaves no trace. Also after a write or finish that failed; cannot fail, says nothing. */
	void (*abandon)(struct sink *);
};

/* Copies all of source into sink through `room`. Ends in exactly one of finish and abandon; true: finished. */
bool flow(struct source *, struct sink *, void *room, size_t size, struct fault *) MUST_CHECK;

/* A tee writes to each leg that still stands. A leg that fails is abandoned, keeps its fault and the others go on;
 * write and finish fail only when no leg stands, with the fault of the first one that fell. When all of it is abandoned
 * because something else failed, the legs have no fault of their own. */
struct tee_leg {
	struct sink *sink;  /* set by the caller */
	struct fault fault; /* kind FAULT_NONE: stands */
	bool ended;         /* finish or abandon was called */
};

struct tee {
	struct sink sink;
	struct tee_leg *legs; /* the caller's */
	size_t count;
	struct tee_leg *first; /* that fell; NULL: none has */
};

void tee_open(struct tee *, struct tee_leg *legs, size_t count); /* count is at least 1 */

/* Counts what goes through, for a reader in another thread. */
struct meter {
	struct sink sink;
	struct sink *under;
	pthread_mutex_t lock;
	uint64_t bytes; /* under the lock: use meter_bytes */
};

bool meter_open(struct meter *, struct sink *under, struct fault *) MUST_CHECK;
void meter_add(struct meter *, uint64_t bytes); /* for bytes that go another way */
uint64_t meter_bytes(struct meter *);
void meter_close(struct meter *);

#endif
