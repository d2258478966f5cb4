/* SPDX-License-Identifier: MIT */
#include "job/report_text.h"

#include "job/naming.h"
#include "job/report_head.h"
#include "job/report_words.h"

#include <inttypes.h>
#include <string.h>

#define GROUPS_SHOWN 12     /* without --all */
#define GROUP_FRAMES 6
#define IDS_SHOWN 12
#define UNLOADED_SHOWN 40
#define COMMENT_LINES 40

static void
heading(struct pen *pen, const char *words)
{
	pen_put(pen, "\n");
	pen_colour(pen, PEN_BOLD);
	pen_put(pen, words);
	pen_colour(pen, PEN_PLAIN);
	pen_put(pen, "\n");
}

static void
put_repeats(struct pen *pen, const struct frame *frame)
{
	if (frame->repeated == 0)
		return;
	if (frame->repeated_group > 1)
		pen_printf(pen, "       these %" PRIu32 " frames stand here %" PRIu32 " times more\n", frame->repeated_group, frame->repeated);
	else
		pen_printf(pen, "       stands here %" PRIu32 " times more\n", frame->repeated);
}

static void
put_frame(struct diagnosis *diagnosis, struct pen *pen, const struct frames *frames, size_t i, bool marked)
{
	const struct frame *frame = &frames->list[i];
	if (marked)
		pen_colour(pen, PEN_YELLOW);
	pen_printf(pen, "%s%3zu  ", marked ? "=>" : "  ", i);
	pen_address(pen, frame->pc);
	pen_printf(pen, "  %-7s  ", frame_trust_name(frame->trust));
	report_put_place(diagnosis, pen, frame);
	if (marked)
		pen_colour(pen, PEN_PLAIN);
	pen_put(pen, "\n");
	put_repeats(pen, frame);
}

static void
put_frames(struct diagnosis *diagnosis, struct pen *pen, const struct frames *frames, size_t top, size_t most)
{
	for (size_t i = 0; i < frames->count && i < most; i++)
		put_frame(diagnosis, pen, frames, i, i == top);
	if (frames->count > most)
		pen_printf(pen, "       and %zu more\n", frames->count - most);
	else if (frames->left_out > 0)
		pen_printf(pen, "       and %" PRIu64 " more that were not kept\n", frames->left_out);
}

static void
put_trace(const struct diagnosis *diagnosis, struct pen *pen, const struct managed_exception *exception)
{
	size_t top = diagnose_managed_top(exception);
	if (exception->has_hresult)
		pen_printf(pen, "     HRESULT 0x%08" PRIx32 "\n", exception->hresult);
	for (size_t i = 0; i < exception->frame_count; i++) {
		bool marked = i == top && exception == &diagnosis->findings.exceptions[0];
		if (marked)
			pen_colour(pen, PEN_YELLOW);
		pen_put(pen, marked ? "=>   at " : "     at ");
		pen_tame(pen, exception->frames[i].method[0] != 0 ? exception->frames[i].method : "an unknown method", FRAME_NAME_MAX);
		if (marked)
			pen_colour(pen, PEN_PLAIN);
		pen_put(pen, "\n");
	}
	if (exception->frames_left_out > 0)
		pen_printf(pen, "     and %zu more\n", exception->frames_left_out);
	if (exception->message_found)
		pen_put(pen, "     the message is a string found among the arguments of Environment.FailFast on the stack\n");
	if (exception->type_unsure)
		pen_put(pen, "     not held against System.Exception: pages of its type are not in this dump\n");
	if (exception->inner_lost)
		pen_put(pen, "     its inner exception cannot be read in this dump\n");
}

static void
put_watson(const struct managed_watson *watson, struct pen *pen)
{
	if (!watson->found)
		return;
	pen_put(pen, "  Watson bucket: ");
	pen_tame(pen, watson->type, REPORT_NAME_MAX);
	pen_printf(pen, " at IL offset 0x%" PRIx32 " of method %08" PRIx32 " in ", watson->il_offset, 0x06000000 | watson->method);
	pen_tame(pen, watson->module, REPORT_NAME_MAX);
	pen_put(pen, " ");
	pen_tame(pen, watson->module_version, REPORT_NAME_MAX);
	pen_put(pen, ", program ");
	pen_tame(pen, watson->app, REPORT_NAME_MAX);
	pen_put(pen, " ");
	pen_tame(pen, watson->app_version, REPORT_NAME_MAX);
	pen_put(pen, "\n");
}

static void
put_exceptions(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct managed_findings *findings = &diagnosis->findings;
	if (findings->exception_count == 0)
		return;
	heading(pen, "Managed exception");
	pen_printf(pen, "  of thread %" PRIu32 "%s, from %s\n", findings->thread,
	           findings->thread_is_other ? ", not the one the dump calls crashing" : "", naming_source_words(findings->source));
	if (findings->type_source != findings->source)
		pen_printf(pen, "  its type from %s\n", naming_source_words(findings->type_source));
	if (findings->trace_source != findings->source)
		pen_printf(pen, "  its trace from %s: where the thread stood then\n", naming_source_words(findings->trace_source));
	for (size_t i = 0; i < findings->exception_count; i++) {
		pen_put(pen, i == 0 ? "  " : "  inner: ");
		report_put_exception(diagnosis, pen, &findings->exceptions[i], MANAGED_MESSAGE_MAX);
		pen_put(pen, "\n");
		put_trace(diagnosis, pen, &findings->exceptions[i]);
	}
	put_watson(&findings->watson, pen);
}

static void
put_last_error(struct pen *pen, uint32_t error)
{
	const char *words = naming_last_error(error);
	pen_printf(pen, ", last error %" PRIu32, error);
	if (words != NULL)
		pen_printf(pen, ": %s", words);
}

static void
put_stack(struct diagnosis *diagnosis, struct pen *pen)
{
	struct space *space = &diagnosis->space;
	uint32_t error;
	if (diagnosis->thread == NULL)
		return;
	heading(pen, "Stack");
	pen_put(pen, "  thread ");
	report_put_thread_name(diagnosis, pen, diagnosis->thread);
	if (space->os == OS_WINDOWS && space_last_error(space, diagnosis->thread, &error))
		put_last_error(pen, error);
	pen_put(pen, "\n");
	put_frames(diagnosis, pen, &diagnosis->frames, diagnosis->top, FRAMES_MAX);
	if (diagnosis->frames.count > 0 && !diagnosis->frames.ended_well)
		pen_put(pen, "       the stack could not be followed to the start of the thread\n");
}

static void
put_registers(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct registers *registers = &diagnosis->registers;
	unsigned shown = 0;
	if (!diagnosis->has_registers)
		return;
	heading(pen, "Registers");
	for (unsigned i = 0; i < 33; i++) {
		const char *name = naming_register(diagnosis->space.arch, i);
		if (name == NULL || (registers->valid >> i & 1) == 0)
			continue;
		pen_printf(pen, "%s%4s ", shown % 4 == 0 ? "  " : " ", name);
		pen_address(pen, registers->r[i]);
		pen_put(pen, ++shown % 4 == 0 ? "\n" : "");
	}
	pen_printf(pen, "%s%4s ", shown % 4 == 0 ? "  " : " ", naming_pc(diagnosis->space.arch));
	pen_address(pen, registers->pc);
	pen_printf(pen, " flags 0x%08" PRIx32 "\n", registers->flags);
}

static void
put_ids(struct diagnosis *diagnosis, struct pen *pen, const struct stack_group *group)
{
	const struct space *space = &diagnosis->space;
	uint32_t shown = 0;
	pen_printf(pen, "  %" PRIu32 " %s ", group->count, group->count == 1 ? "thread:" : "threads with this stack:");
	for (size_t i = group->first; i < space->thread_count && shown < group->count; i++) {
		if (diagnosis->thread_group[i] != group->first)
			continue;
		if (shown == IDS_SHOWN) {
			pen_put(pen, " …");
			break;
		}
		pen_put(pen, shown++ > 0 ? ", " : "");
		report_put_thread_name(diagnosis, pen, &space->threads[i]);
	}
	if (&space->threads[group->first] == diagnosis->thread)
		pen_put(pen, " (see above)");
	pen_put(pen, "\n");
}

static void
put_threads(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct space *space = &diagnosis->space;
	bool all = diagnosis->options.all;
	size_t most = all ? diagnosis->group_count : GROUPS_SHOWN;
	heading(pen, "Threads");
	if (diagnosis->group_count == 0) {
		pen_printf(pen, "  %zu (--all shows their stacks)\n", space->thread_count);
		return;
	}
	for (size_t i = 0; i < diagnosis->group_count && i < most; i++) {
		const struct thread *thread = &space->threads[diagnosis->groups[i].first];
		const struct frames *frames;
		put_ids(diagnosis, pen, &diagnosis->groups[i]);
		if (thread == diagnosis->thread)
			continue;
		frames = diagnose_walk(diagnosis, thread);
		put_frames(diagnosis, pen, frames, diagnose_top(diagnosis, frames), all ? FRAMES_MAX : GROUP_FRAMES);
	}
	if (diagnosis->group_count > most)
		pen_printf(pen, "  and %zu more (--all shows them)\n", diagnosis->group_count - most);
}

static void
put_version(struct pen *pen, uint64_t version)
{
	if (version != 0)
		pen_printf(pen, "  %u.%u.%u.%u", (unsigned)(version >> 48 & 0xffff), (unsigned)(version >> 32 & 0xffff),
		           (unsigned)(version >> 16 & 0xffff), (unsigned)(version & 0xffff));
}

static void
put_module(struct diagnosis *diagnosis, struct pen *pen, const struct module *module)
{
	char name[SPACE_NAME_MAX];
	space_module_name(&diagnosis->space, module, name);
	pen_put(pen, "  ");
	pen_address(pen, module->base);
	pen_printf(pen, " %8" PRIx64 "  ", module->size);
	pen_tame(pen, space_short_name(name), REPORT_NAME_MAX);
	put_version(pen, module->version);
	pen_put(pen, "\n");
}

/* Without --all those of the stack, which are the ones a reader asks for. */
static void
put_modules(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct space *space = &diagnosis->space;
	size_t left = 0;
	if (space->module_count == 0)
		return;
	heading(pen, "Modules");
	for (size_t i = 0; i < space->module_count; i++) {
		bool wanted = diagnosis->options.all || space->modules[i].base == space->main_base;
		for (size_t k = 0; k < diagnosis->frames.count && !wanted; k++)
			wanted = diagnosis->frames.list[k].module == &space->modules[i];
		if (wanted)
			put_module(diagnosis, pen, &space->modules[i]);
		else
			left++;
	}
	if (left > 0)
		pen_printf(pen, "  and %zu that are not on this stack (--all shows them)\n", left);
}

static void
put_unloaded(struct diagnosis *diagnosis, struct pen *pen)
{
	struct space *space = &diagnosis->space;
	struct module module;
	char name[SPACE_NAME_MAX];
	for (uint64_t i = 0; i < UNLOADED_SHOWN && space_unloaded(space, i, &module); i++) {
		if (i == 0)
			heading(pen, "Unloaded modules");
		space_module_name(space, &module, name);
		pen_put(pen, "  ");
		pen_address(pen, module.base);
		pen_printf(pen, " %8" PRIx64 "  ", module.size);
		pen_tame(pen, space_short_name(name), REPORT_NAME_MAX);
		pen_put(pen, "\n");
	}
	if (space_unloaded(space, UNLOADED_SHOWN, &module))
		pen_put(pen, "  and more\n");
}

/* ProcDump's has several lines. */
static void
put_comment(struct space *space, struct pen *pen)
{
	char room[REPORT_COMMENT_MAX], *line = room, *end;
	struct text comment = text_in(room, sizeof room);
	if (!space_comment(space, &comment) || room[strspn(room, "\r\n")] == 0)
		return;
	heading(pen, "Comment");
	for (unsigned i = 0; i < COMMENT_LINES && line != NULL; i++, line = end) {
		line += strspn(line, "\r\n");
		end = line + strcspn(line, "\r\n");
		if (end == line)
			return;
		end = *end == 0 ? NULL : end + 1;
		if (end != NULL)
			end[-1] = 0;
		pen_put(pen, "  ");
		pen_tame(pen, line, REPORT_COMMENT_MAX);
		pen_put(pen, "\n");
	}
	if (line != NULL && line[strspn(line, "\r\n")] != 0)
		pen_put(pen, "  and more\n");
}

static void
put_rest(struct diagnosis *diagnosis, struct pen *pen)
{
	struct space *space = &diagnosis->space;
	if (space->has_process_times || space->process_start_s != 0) {
		heading(pen, "Times");
		if (space->process_start_s != 0) {
			pen_put(pen, "  began ");
			report_put_time(pen, space->process_start_s);
			pen_put(pen, "\n");
		}
		if (space->has_process_times)
			pen_printf(pen, "  CPU: user %" PRIu32 " s, kernel %" PRIu32 " s\n", space->process_user_s, space->process_kernel_s);
	}
	put_comment(space, pen);
	if (diagnosis->note_count == 0)
		return;
	heading(pen, "Notes");
	for (size_t i = 0; i < diagnosis->note_count; i++) {
		pen_put(pen, "  - ");
		pen_tame(pen, diagnosis->notes[i], sizeof diagnosis->notes[i]);
		pen_put(pen, "\n");
	}
}

void
report_text(struct diagnosis *diagnosis, struct pen *pen)
{
	pen->digits = diagnosis->space.pointer_size == 4 ? 8 : 16;
	report_head(diagnosis, pen);
	put_exceptions(diagnosis, pen);
	put_stack(diagnosis, pen);
	put_registers(diagnosis, pen);
	put_threads(diagnosis, pen);
	put_modules(diagnosis, pen);
	put_unloaded(diagnosis, pen);
	put_rest(diagnosis, pen);
}
