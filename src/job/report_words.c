/* SPDX-License-Identifier: MIT */
#include "job/report_words.h"

#include "base/deadline.h"

#include <inttypes.h>

static void
put_message(const struct diagnosis *diagnosis, struct pen *pen, const struct managed_exception *exception, size_t most)
{
	if (!exception->has_message)
		return;
	if (diagnosis->options.redact_message) {
		pen_put(pen, ": (message left out)");
		return;
	}
	pen_put(pen, ": ");
	pen_tame(pen, exception->message, most);
	if (exception->message_cut && most >= MANAGED_MESSAGE_MAX)
		pen_put(pen, "…");
}

void
report_put_exception(const struct diagnosis *diagnosis, struct pen *pen, const struct managed_exception *exception, size_t most)
{
	const char *name = diagnose_exception_name(diagnosis, exception);
	pen_tame(pen, name != NULL ? name : "an exception of unknown type", REPORT_NAME_MAX);
	put_message(diagnosis, pen, exception, most);
}

void
report_put_place(struct diagnosis *diagnosis, struct pen *pen, const struct frame *frame)
{
	char room[SPACE_NAME_MAX];
	struct signed_frame about = diagnose_frame(diagnosis, frame, room);
	if (about.module != NULL && !frame->managed) {
		pen_tame(pen, about.module, REPORT_NAME_MAX);
		if (frame->name[0] != 0)
			pen_put(pen, "!");
		else
			pen_printf(pen, "+0x%" PRIx64, frame->pc - frame->module->base);
	}
	if (frame->name[0] != 0) {
		pen_tame(pen, frame->name, FRAME_NAME_MAX);
		if (frame->name_start != 0 && frame->pc >= frame->name_start)
			pen_printf(pen, "+0x%" PRIx64, frame->pc - frame->name_start);
	} else if (about.module == NULL) {
		pen_put(pen, frame->managed ? "managed code" : "no module");
	}
	if (frame->file[0] != 0) {
		pen_put(pen, "  ");
		pen_tame(pen, frame->file, REPORT_NAME_MAX);
		pen_printf(pen, ":%" PRIu32, frame->line);
	}
}

void
report_put_thread_name(struct diagnosis *diagnosis, struct pen *pen, const struct thread *thread)
{
	char name[SPACE_NAME_MAX];
	pen_printf(pen, "%" PRIu32, thread->id);
	space_thread_name(&diagnosis->space, thread, name);
	if (name[0] == 0)
		return;
	pen_put(pen, " \"");
	pen_tame(pen, name, REPORT_NAME_MAX);
	pen_put(pen, "\"");
}

void
report_put_time(struct pen *pen, int64_t when)
{
	char room[32];
	struct text text = text_in(room, sizeof room);
	clock_put_iso(&text, when);
	pen_put(pen, room);
}
