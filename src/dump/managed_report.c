/* SPDX-License-Identifier: MIT */
#include "dump/managed_inside.h"

#include "dump/clr_object.h"
#include "dump/crashreport.h"

#include <string.h>

/* The object that the report names, instead of one that was found by looks. When the dump lacks it, nothing of another one
 * is told. */
static void
take_reported(struct managed *managed)
{
	struct managed_findings *findings = managed->findings;
	struct managed_exception *exception = &findings->exceptions[0];
	uint64_t object = managed->report.address;
	if (findings->source != MANAGED_HEURISTIC || object == 0 || object == exception->address)
		return;
	for (size_t i = 0; i < findings->exception_count; i++)
		findings->exceptions[i] = (struct managed_exception){.frames = managed->frames[i]};
	findings->exception_count = 0;
	if (clr_is_exception(&managed->clr, object) == CLR_NO)
		return;
	managed_read_chain(managed, object, managed->clr.space->crash.thread, MANAGED_HEURISTIC, false);
}

/* An exception that is made beforehand has no trace: where the thread stood tells. Any other may have come through handlers,
 * and then the thread's frames are not those of its throw. */
static void
use_stack(struct managed *managed)
{
	struct managed_exception *exception = &managed->findings->exceptions[0];
	if (exception->frame_count > 0 || (exception->hresult != CLR_FAIL_FAST && exception->hresult != CLR_STACK_OVERFLOW))
		return;
	memcpy(exception->frames, managed->report_frames, sizeof managed->report_frames);
	exception->frame_count = managed->report.frame_count;
	exception->frames_left_out = managed->report.frames_left_out;
	managed->findings->trace_source = MANAGED_CRASHREPORT;
}

/* Of a trace the report knows the methods by their addresses. */
static void
name_by_report(struct managed *managed)
{
	struct managed_exception *exception = &managed->findings->exceptions[0];
	for (size_t i = 0; i < exception->frame_count; i++) {
		const char *found = exception->frames[i].method[0] != '\0' ? NULL : managed_find_in_trace(&managed->report, exception->frames[i].pc);
		if (found == NULL)
			continue;
		memcpy(exception->frames[i].method, found, FRAME_NAME_MAX);
		managed->findings->trace_source = MANAGED_CRASHREPORT;
	}
}

/* What the dump itself does not name, createdump's report beside it may. Of another type it tells of another exception. */
void
managed_read_report(struct managed *managed, const char *path)
{
	struct managed_findings *findings = managed->findings;
	struct managed_exception *exception = &findings->exceptions[0], *report = &managed->report;
	if (path == NULL || (findings->source != MANAGED_HEURISTIC && exception->type[0] != '\0' && managed_has_names(exception)) ||
	    !crashreport_read(path, managed->clr.space->crash.thread, report))
		return;
	take_reported(managed);
	if (exception->type[0] != '\0' && strcmp(exception->type, report->type) != 0)
		return;
	if (exception->type[0] == '\0') {
		memcpy(exception->type, report->type, sizeof exception->type);
		findings->type_source = MANAGED_CRASHREPORT;
	}
	if (!exception->has_hresult) {
		exception->hresult = report->hresult;
		exception->has_hresult = report->has_hresult;
	}
	name_by_report(managed);
	use_stack(managed);
	findings->thread = managed->clr.space->crash.thread;
	findings->thread_is_other = false;
	if (findings->exception_count > 0)
		return;
	findings->source = MANAGED_CRASHREPORT;
	findings->exception_count = 1;
}
