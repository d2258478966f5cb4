/* SPDX-License-Identifier: MIT */
/* What must be true of a minidump before it gets its final name, found out while it streams by: a header, and at the end
 * that every stream and, of a full dump, all memory the directory promises is there. Layout: Microsoft's minidumpapiset,
 * MINIDUMP_HEADER, MINIDUMP_DIRECTORY, MINIDUMP_MEMORY64_LIST. */
#ifndef DUMP_GATE_H
#define DUMP_GATE_H

#include "base/flow.h"

#define GATE_HEAD_BYTES 4096 /* header and directory; Windows writes the directory right behind the header */

struct dump_gate {
	struct sink sink;
	struct sink *under;
	unsigned char head[GATE_HEAD_BYTES];
	size_t head_used;
	bool core;                /* an ELF core is due, no minidump: the owner's to set after opening */
	bool opened;              /* the header was looked at and is good */
	uint64_t total;           /* bytes so far */
	uint64_t promised;        /* where the furthest promised byte ends */
	/* MINIDUMP_MEMORY64_LIST: its place (0: none), the next 16 bytes of it to see, and what was gathered of them */
	uint64_t list_at, next_at;
	bool list_opened;         /* its head was seen: the next two hold */
	uint64_t descriptors;     /* ranges still to be seen */
	uint64_t memory_end;      /* where the memory of those seen so far ends in the file */
	unsigned char piece[16];
	size_t piece_used;
};

/* Wraps `under`. Faults are FAULT_CORRUPT and come before `under` has seen a byte (no dump at all) or at finish (a dump
 * that is cut or a useless few KiB). */
void dump_gate_open(struct dump_gate *, struct sink *under);

#endif
