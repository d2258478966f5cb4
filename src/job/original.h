/* SPDX-License-Identifier: MIT */
/* A file of this machine that is to be copied as it is: what makes it the same one as before, and whether somebody changed
 * it meanwhile. Faults say "it", as the caller says which file. */
#ifndef JOB_ORIGINAL_H
#define JOB_ORIGINAL_H

#include "base/fault.h"

#include <stdint.h>
#include <time.h>

#define IDENTITY_DIGITS 32

struct original {
	/* public */
	const char *path; /* the caller's */
	uint64_t bytes;
	int64_t changed_s; /* UTC */
	char identity[IDENTITY_DIGITS + 1]; /* hex; follows from name, size and time of change to the nanosecond */
	/* the room's own */
	int fd;
	struct timespec changed;
};

/* The last part of a path. */
const char *original_name(const char *path);

/* FAULT_MISSING: there is none; FAULT_USAGE: no plain file, or one that hides its size as those of /proc do; FAULT_DENIED: not readable; else FAULT_SYSTEM. Close it in any case. */
bool original_open(struct original *, const char *path, struct fault *) MUST_CHECK;
void original_close(struct original *);

/* Up to `size` bytes from `place` on; *got 0: there are no more. Whole reads, no buffering. */
bool original_read(const struct original *, void *room, size_t size, uint64_t place, size_t *got, struct fault *) MUST_CHECK;

/* FAULT_CORRUPT when size or time are not what they were. */
bool original_check(const struct original *, struct fault *) MUST_CHECK;

#endif
