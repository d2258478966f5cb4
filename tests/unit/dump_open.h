/* SPDX-License-Identifier: MIT */
/* The one dump that a test has made and opens. */
#ifndef DUMP_OPEN_H
#define DUMP_OPEN_H

#include "dump_maker.h"

static struct maker maker;
static struct space space;
static struct memory memory;
static struct fault fault;

static inline bool
open_span(struct span bytes)
{
	memory.used = 0;
	fault_clear(&fault);
	return space_open_bytes(&space, &memory, bytes, &fault);
}

static inline bool
open_made(void)
{
	return open_span(maker_span(&maker));
}

#endif
