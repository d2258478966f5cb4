/* SPDX-License-Identifier: MIT */
#include "job/progress.h"

#include "base/deadline.h"

#include <stdio.h>
#include <string.h>

bool
progress_open(struct progress *progress, struct fault *fault)
{
	memset(progress, 0, sizeof *progress);
	return pthread_mutex_init(&progress->lock, NULL) == 0 || fault_raise(fault, FAULT_SYSTEM, "making a lock");
}

void
progress_label(struct progress *progress, const char *label)
{
	pthread_mutex_lock(&progress->lock);
	snprintf(progress->label, sizeof progress->label, "%s", label);
	pthread_mutex_unlock(&progress->lock);
}

void
progress_phase(struct progress *progress, enum phase phase)
{
	pthread_mutex_lock(&progress->lock);
	progress->phase = phase;
	progress->since_ms = clock_ms();
	pthread_mutex_unlock(&progress->lock);
}

void
progress_meter(struct progress *progress, struct meter *meter, uint64_t length)
{
	pthread_mutex_lock(&progress->lock);
	progress->meter = meter;
	progress->length = length;
	pthread_mutex_unlock(&progress->lock);
}

struct progress_view
progress_look(struct progress *progress)
{
	struct progress_view view;
	pthread_mutex_lock(&progress->lock);
	memcpy(view.label, progress->label, sizeof view.label);
	view.phase = progress->phase;
	view.for_ms = clock_ms() - progress->since_ms;
	view.length = progress->length;
	view.bytes = progress->meter == NULL ? 0 : meter_bytes(progress->meter);
	pthread_mutex_unlock(&progress->lock);
	return view;
}
