/* SPDX-License-Identifier: MIT */
/* A process with a .NET runtime whose memory is hostile: a byte chooses the crash, the others are 4 KiB of stack and what
 * follows it; runtime modules lie there, one of them at the block itself. tests/unit/dump_managed.c lays out such blocks. */
#include "dump/managed.h"

#define MAKER_ROOM 131072 /* cleared each time */
#include "../unit/dump_block.h"

#include "base/encode.h"
#include "dump/open.h"

#include <stdlib.h>

#define BLOCK_MOST 32768
#define STACK 0x1000
#define RUNTIME 0x10000000ull

static struct maker maker;
static struct space space;
static struct memory memory;
static struct managed_findings findings;

static void
check_text(const char *text, size_t size)
{
	struct span rest = {(const unsigned char *)text, strnlen(text, size)};
	size_t length;
	if (rest.count == size)
		abort();
	for (; rest.count > 0; rest = span_from(rest, length))
		if ((length = utf8_length(rest)) == 0)
			abort();
}

/* Bits of the choice: the code, 32-bit, the runtime at the block, Linux. */
static void
make(unsigned choice, const unsigned char *data, size_t count)
{
	static const struct {
		uint32_t code, count;
		uint64_t parameters[5];
	} crashes[] = {{0xe0434352, 5, {0xffffffff80131999, 0, 0, 0, RUNTIME}}, {0xc0000409, 3, {0x48, BLOCK + 0x100, 0x2000}},
	               {0xc0000005, 2, {0, 8}}, {0x80131623, 0, {0}}, {6, 0, {0}}}, *crash;
	const bool narrow = (choice & 4) != 0, inside = (choice & 8) != 0, unix = (choice & 16) != 0;
	const uint64_t at = narrow ? 0x100000 : BLOCK;
	size_t context, list, name;
	crash = &crashes[unix ? 4 : choice & 3];
	minidump_begin(&maker);
	minidump_system(&maker, narrow ? 0 : 9, unix ? 0x8201 : 2);
	context = put_context(&maker, at, at, 1232);
	if (narrow)
		put_at(&maker, context + 0xc4, at, 4);
	put_exception(&maker, 7, crash->code, 0x1234, crash->count, crash->parameters, context, 1232);
	list = put(&maker, 1, 4);
	put_thread(&maker, 7, 0, at, STACK, 0, context, 1232);
	minidump_stream(&maker, STREAM_THREADS, list, 4 + 48);
	name = put_string(&maker, inside && !unix ? "shop.exe" : unix ? "libcoreclr.so" : "clr.dll");
	list = put(&maker, 1, 4);
	put_module(&maker, inside ? at : RUNTIME, BLOCK_MOST, name, 0, 0);
	minidump_stream(&maker, STREAM_MODULES, list, 4 + 108);
	list = put(&maker, 1, 8);
	put(&maker, 0, 8);
	put(&maker, at, 8);
	put(&maker, count, 8);
	minidump_stream(&maker, STREAM_MEMORY64, list, 32);
	put_at(&maker, list + 8, maker.used, 8);
	put_bytes(&maker, data, count);
}

static void
check_findings(void)
{
	if (findings.exception_count > MANAGED_INNER_MAX || findings.runtime_count > MANAGED_RUNTIMES_MAX ||
	    (findings.exception_count > 0 && findings.source == MANAGED_NONE))
		abort();
	for (size_t i = 0; i < findings.exception_count; i++) {
		const struct managed_exception *exception = &findings.exceptions[i];
		check_text(exception->type, sizeof exception->type);
		check_text(exception->message, sizeof exception->message);
		if (exception->frame_count > MANAGED_FRAMES_MAX)
			abort();
		for (size_t k = 0; k < exception->frame_count; k++)
			check_text(exception->frames[k].method, sizeof exception->frames[k].method);
	}
	check_text(findings.watson.type, sizeof findings.watson.type);
	check_text(findings.watson.app, sizeof findings.watson.app);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	static struct frames frames;
	struct fault fault;
	struct managed *managed;
	fault_clear(&fault);
	if (count < 2 || count > BLOCK_MOST || (memory.at == NULL && !memory_open(&memory, dump_need() + managed_need(), &fault)))
		return 0;
	make(data[0], data + 1, count - 1);
	memset(memory.at, 0, memory.used);
	memory.used = 0;
	if (!dump_open_bytes(&space, &memory, maker_span(&maker), &fault))
		return 0;
	managed = managed_open(&space, &memory, NULL, &findings);
	check_findings();
	walk_thread(&space, &space.threads[0], managed_code(managed), &frames);
	managed_read_words(managed, &frames);
	check_findings();
	return 0;
}
