/* SPDX-License-Identifier: MIT */
/* How much memory a run takes, settled before the first connection: K captures at once, U upload lanes, blocks of B. */
#ifndef JOB_PLAN_H
#define JOB_PLAN_H

#include "base/text.h"

#include <stdint.h>

#define FLOW_BYTES (64u * KIB)  /* what the copy loop moves at a time: fits the second-level cache */
#define DISK_BYTES (1024u * KIB) /* written at a time, per folder; see docs/disk.md */
#define PLAN_BASE (1280u * KIB)  /* the program, its stack, the trusted certificates */
#define PLAN_JOB (320u * KIB)     /* connection, stack, answers being read, list of processes */
#define PLAN_SITE (24u * KIB)     /* each beyond the first: addresses, login, instances, processes */
#define PLAN_LANE (152u * KIB)    /* connection, stack */

struct plan {
	unsigned jobs;         /* K: no more than there are sites */
	unsigned lanes;        /* U: 0 without a blob destination */
	unsigned folders;      /* folder destinations */
	size_t fixed;          /* bytes of more than that: --analyze, more connections, more sites */
	size_t block;          /* B, a multiple of 64 KiB */
	size_t room;           /* what a block may grow to when 50,000 of B would not hold a dump; address space until then */
	size_t slots;          /* (K + U) for one blob destination, K more for each further one */
	uint64_t peak;         /* bytes the formula states */
};

extern const char plan_formula[], plan_formula_put[]; /* for --help */

/* `block` and `lanes` 0: the defaults. `limit` 0: none; else lanes and blocks shrink until the formula fits, and what
 * was given explicitly shrinks last. FAULT_USAGE when even the least does not fit; it says how much that is. */
bool plan_make(struct plan *, unsigned jobs, unsigned folders, unsigned blobs, size_t fixed, uint64_t lanes,
               uint64_t block, uint64_t limit, struct fault *) MUST_CHECK;

/* Gives blocks the room that a file of this size needs to have at most 50,000 of them. */
void plan_grow(struct plan *, uint64_t bytes);

/* "memory: 22.4 MiB = …" for --verbose. */
void plan_put(struct text *, const struct plan *);

#endif
