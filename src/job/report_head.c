/* SPDX-License-Identifier: MIT */
#include "job/report_head.h"

#include "job/naming.h"
#include "job/report_words.h"

#include <inttypes.h>

#define MESSAGE_SHOWN 400 /* whole in the details */
#define HEAD_FRAMES 4

static void
label(struct pen *pen, const char *words)
{
	pen_colour(pen, PEN_BOLD);
	pen_printf(pen, "%-10s", words);
	pen_colour(pen, PEN_PLAIN);
}

static void
put_what_else(const struct diagnosis *diagnosis, struct pen *pen)
{
	if (diagnosis->crashed)
		pen_put(pen, "an exception that could not be read");
	else if (diagnosis->crashing_in != NULL)
		pen_printf(pen, "no crash is recorded in this dump, but thread %" PRIu32 " was about to end the process: it stands in %s",
		           diagnosis->thread->id, diagnosis->crashing_in);
	else if (diagnosis->space.crash_torn)
		pen_put(pen, "unknown: the file ends before the record of a crash");
	else
		pen_put(pen, "no crash is recorded in this dump");
}

static void
put_what(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct managed_exception *exception = diagnose_exception(diagnosis);
	label(pen, "What");
	pen_colour(pen, diagnosis->crashed || diagnosis->crashing_in != NULL || diagnosis->space.crash_torn ? PEN_RED : PEN_GREEN);
	if (exception != NULL)
		report_put_exception(diagnosis, pen, exception, MESSAGE_SHOWN);
	else if (diagnosis->detail[0] != 0)
		pen_tame(pen, diagnosis->detail, WHAT_MAX);
	else
		put_what_else(diagnosis, pen);
	pen_colour(pen, PEN_PLAIN);
	pen_put(pen, "\n");
}

static void
put_why(struct diagnosis *diagnosis, struct pen *pen)
{
	bool managed = diagnose_exception(diagnosis) != NULL && diagnosis->detail[0] != 0;
	if (!managed && diagnosis->hint[0] == 0)
		return;
	label(pen, "Why");
	if (managed)
		pen_tame(pen, diagnosis->detail, WHAT_MAX);
	if (managed && diagnosis->hint[0] != 0)
		pen_put(pen, ": ");
	pen_tame(pen, diagnosis->hint, WHAT_MAX);
	pen_put(pen, "\n");
}

static void
put_cause(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct managed_findings *findings = &diagnosis->findings;
	const struct managed_exception *last;
	size_t top;
	if (findings->exception_count < 2)
		return;
	last = &findings->exceptions[findings->exception_count - 1];
	label(pen, "Cause");
	report_put_exception(diagnosis, pen, last, MESSAGE_SHOWN);
	top = diagnose_managed_top(last);
	if (top != NO_FRAME) {
		pen_put(pen, ", thrown in ");
		pen_tame(pen, last->frames[top].method, REPORT_NAME_MAX);
	}
	pen_put(pen, "\n");
}

static void
put_where(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct managed_exception *exception = diagnose_exception(diagnosis);
	size_t top = exception != NULL ? diagnose_managed_top(exception) : NO_FRAME;
	if (diagnosis->thread == NULL)
		return;
	label(pen, "Where");
	if (top != NO_FRAME)
		pen_tame(pen, exception->frames[top].method, REPORT_NAME_MAX);
	else if (diagnosis->top != NO_FRAME)
		report_put_place(diagnosis, pen, &diagnosis->frames.list[diagnosis->top]);
	else if (diagnosis->frames.count > 0)
		report_put_place(diagnosis, pen, &diagnosis->frames.list[0]);
	else
		pen_put(pen, "unknown");
	pen_put(pen, ", thread ");
	report_put_thread_name(diagnosis, pen, diagnosis->thread);
	pen_put(pen, "\n");
}

static void
put_system(const struct space *space, struct pen *pen)
{
	pen_printf(pen, "%s", naming_os(space->os));
	if (space->os_major != 0 || space->os_build != 0)
		pen_printf(pen, " %" PRIu32 ".%" PRIu32 ".%" PRIu32, space->os_major, space->os_minor, space->os_build);
	pen_printf(pen, " %s", naming_arch(space->arch));
}

static void
put_process(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct space *space = &diagnosis->space;
	label(pen, "Process");
	pen_tame(pen, diagnosis->program[0] != 0 ? diagnosis->program : "unknown", REPORT_NAME_MAX);
	if (space->pid != 0)
		pen_printf(pen, ", pid %" PRIu32, space->pid);
	pen_put(pen, ", ");
	put_system(space, pen);
	for (size_t i = 0; i < diagnosis->findings.runtime_count; i++) {
		const struct managed_runtime *runtime = &diagnosis->findings.runtimes[i];
		pen_put(pen, ", .NET ");
		pen_tame(pen, runtime->version, sizeof runtime->version);
		pen_put(pen, runtime->version[0] != 0 ? " (" : "(");
		pen_tame(pen, runtime->name, sizeof runtime->name);
		pen_put(pen, ")");
	}
	pen_put(pen, "\n");
}

static void
put_dump(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct space *space = &diagnosis->space;
	label(pen, "Dump");
	pen_tame(pen, space_short_name(diagnosis->path), REPORT_NAME_MAX);
	pen_printf(pen, ", %s, %" PRIu64 " bytes", space->is_core ? "ELF core" : "minidump", space->view.size);
	if (space->dump_time_s != 0) {
		pen_put(pen, ", taken ");
		report_put_time(pen, space->dump_time_s);
	}
	if (space->dump_time_s != 0 && space->process_start_s != 0 && space->dump_time_s >= space->process_start_s)
		pen_printf(pen, ", %" PRId64 " s after the process began", space->dump_time_s - space->process_start_s);
	pen_put(pen, "\n");
}

/* Of a managed exception the beginning of its trace. */
static void
put_head_trace(const struct managed_exception *exception, struct pen *pen)
{
	size_t top = diagnose_managed_top(exception), first = top < HEAD_FRAMES ? 0 : top - 1;
	for (size_t i = first; i < exception->frame_count && i < first + HEAD_FRAMES; i++) {
		label(pen, i == first ? "Trace" : "");
		pen_put(pen, i == top ? "=> " : "   ");
		pen_tame(pen, exception->frames[i].method[0] != 0 ? exception->frames[i].method : "an unknown method", REPORT_NAME_MAX);
		pen_put(pen, "\n");
	}
}

/* The frames around the one that is marked. */
static void
put_head_frames(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct managed_exception *exception = diagnose_exception(diagnosis);
	const struct frames *frames = &diagnosis->frames;
	size_t first = diagnosis->top == NO_FRAME || diagnosis->top < HEAD_FRAMES ? 0 : diagnosis->top - 1;
	if (exception != NULL && diagnose_managed_top(exception) != NO_FRAME) {
		put_head_trace(exception, pen);
		return;
	}
	for (size_t i = first; i < frames->count && i < first + HEAD_FRAMES; i++) {
		label(pen, i == first ? "Stack" : "");
		pen_printf(pen, "%s%zu ", i == diagnosis->top ? "=> " : "   ", i);
		report_put_place(diagnosis, pen, &frames->list[i]);
		pen_put(pen, "\n");
	}
}

static void
put_signature(struct diagnosis *diagnosis, struct pen *pen)
{
	if (diagnosis->signature.hash[0] == 0)
		return;
	label(pen, "Signature");
	pen_printf(pen, "%s  ", diagnosis->signature.hash);
	pen_tame(pen, diagnosis->signature.text, SIGNATURE_MAX);
	pen_put(pen, "\n");
}

void
report_head(struct diagnosis *diagnosis, struct pen *pen)
{
	put_what(diagnosis, pen);
	put_why(diagnosis, pen);
	put_cause(diagnosis, pen);
	put_where(diagnosis, pen);
	put_head_frames(diagnosis, pen);
	put_signature(diagnosis, pen);
	put_process(diagnosis, pen);
	put_dump(diagnosis, pen);
}
