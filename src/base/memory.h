/* SPDX-License-Identifier: MIT */
/* The fixed memory of a run: one mapping, taken before the first connection and dealt out once. The only room that asks
 * the system for memory; nothing is ever given back before the end. Pages cost nothing until they are used. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/fault.h"

#include <stddef.h>

struct memory {
	unsigned char *at;
	size_t size, used;
};

/* `size` bytes, zeroed, page aligned. Fails with FAULT_SYSTEM when the system has them not. */
bool memory_open(struct memory *, size_t size, struct fault *) MUST_CHECK;

/* `size` zeroed bytes of it, aligned to `align` (a power of two up to 4096). The caller computed the size of the
 * mapping from the same formula, so running out is a broken promise and aborts. */
void *memory_take(struct memory *, size_t size, size_t align);

/* What memory_take will use of a mapping for such a piece, at most. */
size_t memory_need(size_t size, size_t align);

/* The same for secrets: kept out of the swap space as far as the system's limit allows, from the start on. Whoever puts a
 * secret there wipes it. */
bool memory_open_secret(struct memory *, size_t size, struct fault *) MUST_CHECK;

void memory_close(struct memory *);

/* Overwrites a secret with zeroes, which the compiler may not leave out. */
void memory_wipe(void *at, size_t size);

#endif
