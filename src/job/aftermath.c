/* SPDX-License-Identifier: MIT */
#include "job/aftermath.h"

#include "job/report_text.h"

#include <stdio.h>
#include <string.h>

static size_t
memory_of_work(void)
{
	return memory_need(sizeof(struct aftermath_work), 64) + diagnose_need(false);
}

size_t
aftermath_need(void)
{
	return memory_need(memory_of_work(), 4096);
}

bool
aftermath_open(struct aftermath *aftermath, struct memory *memory, struct fault *fault)
{
	size_t size = memory_of_work();
	aftermath->memory = (struct memory){memory_take(memory, size, 4096), size, 0};
	if (pthread_mutex_init(&aftermath->lock, NULL) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	return true;
}

void
aftermath_close(struct aftermath *aftermath)
{
	pthread_mutex_destroy(&aftermath->lock);
}

static bool
write_report(struct aftermath_work *work, const char *path, struct aftermath_result *result, struct fault *fault)
{
	struct sink *sink = &work->file.sink;
	char report[PATH_BYTES_MAX];
	struct text text = text_in(report, sizeof report);
	text_printf(&text, "%s.txt", path);
	if (text.cut)
		return fault_raise(fault, FAULT_USAGE, "the path of the report is too long");
	if (!file_sink_open(&work->file, report, 0, true, NULL, 0, fault))
		return false;
	pen_open(&work->pen, sink, fault);
	report_text(&work->diagnosis, &work->pen);
	if (!pen_close(&work->pen) || !sink->finish(sink, fault)) {
		sink->abandon(sink);
		return false;
	}
	snprintf(result->report, sizeof result->report, "%s", work->file.path);
	snprintf(result->signature, sizeof result->signature, "%s", work->diagnosis.signature.hash);
	return true;
}

static bool
work_on(struct aftermath_work *work, struct memory *memory, const char *path, struct aftermath_result *result,
        struct fault *fault)
{
	static const struct diagnose_options options = {false, false, NULL};
	bool good;
	if (!diagnose_open(&work->diagnosis, memory, path, &options, fault))
		return fault_while(fault, "--analyze");
	good = write_report(work, path, result, fault);
	diagnose_close(&work->diagnosis);
	return good || fault_while(fault, "writing the report of %s", path);
}

/* A memory is dealt out zeroed, so what the last diagnosis left is wiped. */
void
aftermath_write(struct aftermath *aftermath, const char *path, struct aftermath_result *result)
{
	struct memory *memory = &aftermath->memory;
	result->report[0] = result->signature[0] = 0;
	fault_clear(&result->fault);
	pthread_mutex_lock(&aftermath->lock);
	memset(memory->at, 0, memory->used);
	memory->used = 0;
	(void)work_on(memory_take(memory, sizeof(struct aftermath_work), 64), memory, path, result, &result->fault);
	pthread_mutex_unlock(&aftermath->lock);
}
