/* SPDX-License-Identifier: MIT */
/* A minidump of one thread and one block of memory, to try out readers of the dumped process's structures. */
#ifndef DUMP_BLOCK_H
#define DUMP_BLOCK_H

#include "dump/open.h"
#include "dump_maker.h"

#define BLOCK 0x7f0000100000ull /* where the block lies */

/* Opens `space` over a dump whose memory at BLOCK is `bytes`. cpu: 9 x64, 0 x86. */
static inline bool
block_open(struct space *space, struct memory *memory, struct maker *maker, unsigned cpu, const void *bytes, size_t size,
           struct fault *fault)
{
	size_t context, list;
	minidump_begin(maker);
	minidump_system(maker, cpu, 2);
	context = put_context(maker, BLOCK, BLOCK, 1232);
	list = put(maker, 1, 4);
	put_thread(maker, 7, 0, BLOCK, (uint32_t)size, 0, context, 1232);
	minidump_stream(maker, STREAM_THREADS, list, 4 + 48);
	list = put(maker, 1, 8);
	put(maker, 0, 8);
	put(maker, BLOCK, 8);
	put(maker, size, 8);
	minidump_stream(maker, STREAM_MEMORY64, list, 32);
	put_at(maker, list + 8, maker->used, 8);
	put_bytes(maker, bytes, size);
	memset(memory->at, 0, memory->used);
	memory->used = 0;
	fault_clear(fault);
	return dump_open_bytes(space, memory, maker_span(maker), fault);
}

#endif
