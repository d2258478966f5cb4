/* SPDX-License-Identifier: MIT */
/* The check of a minidump as it streams by: the first byte says how it is cut, the next how much is added behind, the rest
 * is the dump. What passes must have arrived whole and unchanged. */
#include "dump/gate.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (256u * 1024)

struct keeper {
	struct sink sink;
	unsigned char bytes[ROOM];
	size_t used;
	bool finished;
};

static bool
keep(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct keeper *keeper = (struct keeper *)sink;
	(void)fault;
	if (keeper->used + count > sizeof keeper->bytes)
		abort();
	memcpy(keeper->bytes + keeper->used, from, count);
	keeper->used += count;
	return true;
}

static bool
keep_finish(struct sink *sink, struct fault *fault)
{
	(void)fault;
	((struct keeper *)sink)->finished = true;
	return true;
}

static void
keep_abandon(struct sink *sink)
{
	(void)sink;
}

static struct keeper keeper;
static struct dump_gate gate;
static unsigned char dump[ROOM];

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	struct fault fault;
	size_t step, size, at = 0;
	bool good = true;
	if (count < 2 || count > ROOM / 2)
		return 0;
	step = data[0] == 0 ? ROOM : data[0];
	size = count - 2 + data[1] * 400u;
	memset(dump, 0, size);
	memcpy(dump, data + 2, count - 2);
	keeper.sink = (struct sink){keep, keep_finish, keep_abandon};
	keeper.used = 0;
	keeper.finished = false;
	fault_clear(&fault);
	dump_gate_open(&gate, &keeper.sink);
	for (; good && at < size; at += step)
		good = gate.sink.write(&gate.sink, dump + at, size - at < step ? size - at : step, &fault);
	if (good && gate.sink.finish(&gate.sink, &fault)) {
		if (!keeper.finished || keeper.used != size || memcmp(keeper.bytes, dump, size) != 0 || size < DUMP_BYTES_LEAST)
			abort();
	} else if (fault.kind != FAULT_CORRUPT || keeper.finished) {
		abort();
	}
	return 0;
}
