/* SPDX-License-Identifier: MIT */
/* A whole diagnosis of a small dump, both reports written: the first byte of the input chooses, the rest is the file. */
#include "job/report_json.h"
#include "job/report_text.h"

#include <stdlib.h>
#include <string.h>

static struct memory memory;
static struct diagnosis *diagnosis;
static struct pen pen;
static size_t written;

static bool
swallow(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	(void)sink;
	(void)from;
	(void)fault;
	written += count;
	return true;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct sink sink = {swallow, NULL, NULL};
	struct diagnose_options options = {false, false, NULL};
	struct fault fault;
	fault_clear(&fault);
	if (size == 0)
		return 0;
	if (memory.at == NULL && !memory_open(&memory, memory_need(sizeof *diagnosis, 64) + diagnose_need(false), &fault))
		abort();
	memset(memory.at, 0, memory.used);
	memory.used = 0;
	diagnosis = memory_take(&memory, sizeof *diagnosis, 64);
	options.all = (data[0] & 1) != 0;
	options.redact_message = (data[0] & 2) != 0;
	if (!diagnose_open_bytes(diagnosis, &memory, (struct span){data + 1, size - 1}, &options, &fault)) {
		if (fault.kind == FAULT_NONE)
			abort();
		return 0;
	}
	pen_open(&pen, &sink, &fault);
	if ((data[0] & 4) != 0)
		report_json(diagnosis, &pen);
	else
		report_text(diagnosis, &pen);
	if (!pen_close(&pen))
		abort();
	diagnose_close(diagnosis);
	return 0;
}
