/* SPDX-License-Identifier: MIT */
#include "job/diagnose.h"

#include "dump/elf.h"
#include "dump/open.h"
#include "dump/reason.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_NEAR 0x10000u /* a frame is hardly larger */
#define RANGES_MOST 256     /* that follow each other without a gap */

size_t
diagnose_need(bool images)
{
	return dump_need() + managed_need() + (images ? images_need() + symbols_need() : 0) +
	       memory_need(SPACE_THREADS_MAX * sizeof(struct stack_group), 16) +
	       memory_need(SPACE_THREADS_MAX * sizeof(uint32_t), 16);
}

static void note(struct diagnosis *, const char *format, ...) PRINTF_LIKE(2, 3);

static void
note(struct diagnosis *diagnosis, const char *format, ...)
{
	va_list words;
	if (diagnosis->note_count == NOTES_MAX)
		return;
	va_start(words, format);
	vsnprintf(diagnosis->notes[diagnosis->note_count++], sizeof diagnosis->notes[0], format, words);
	va_end(words);
}

static void
name_program(struct diagnosis *diagnosis)
{
	struct space *space = &diagnosis->space;
	char name[SPACE_NAME_MAX];
	const struct module *module = space->main_base != 0 ? space_module_at(space, space->main_base) : NULL;
	if (module == NULL)
		return;
	space_module_name(space, module, name);
	snprintf(diagnosis->program, sizeof diagnosis->program, "%s", space_short_name(name));
}

const struct managed_exception *
diagnose_exception(const struct diagnosis *diagnosis)
{
	const struct managed_findings *findings = &diagnosis->findings;
	const struct managed_exception *exception = &findings->exceptions[0];
	return findings->exception_count > 0 && (exception->type[0] != 0 || exception->has_message) ? exception : NULL;
}

const char *
diagnose_exception_name(const struct diagnosis *diagnosis, const struct managed_exception *exception)
{
	if (exception->type[0] != 0)
		return exception->type;
	return diagnosis->findings.fail_fast && exception == diagnosis->findings.exceptions ? "Environment.FailFast" : NULL;
}

/* The thread to tell of: the one that crashed; else the one with an exception in flight. */
static void
choose_thread(struct diagnosis *diagnosis)
{
	struct space *space = &diagnosis->space;
	bool flying = diagnosis->findings.exception_count > 0;
	if (space->crash.recorded)
		diagnosis->thread = space_thread(space, space->crash.thread);
	if (diagnosis->thread == NULL && flying)
		diagnosis->thread = space_thread(space, diagnosis->findings.thread);
	diagnosis->crashed = space->crash.recorded || flying;
}

struct signed_frame
diagnose_frame(struct diagnosis *diagnosis, const struct frame *frame, char room[SPACE_NAME_MAX])
{
	struct signed_frame signed_frame = {NULL, frame->name, 0, frame->managed, false};
	const struct managed_findings *findings = &diagnosis->findings;
	char name[SPACE_NAME_MAX];
	room[0] = 0;
	if (frame->module == NULL)
		return signed_frame;
	space_module_name(&diagnosis->space, frame->module, name);
	snprintf(room, SPACE_NAME_MAX, "%s", space_short_name(name));
	signed_frame.module = room;
	signed_frame.offset = (frame->function > frame->module->base ? frame->function : frame->pc) - frame->module->base;
	for (size_t i = 0; i < findings->runtime_count; i++)
		if (findings->runtimes[i].base == frame->module->base && !frame->managed)
			signed_frame.runtime = true;
	return signed_frame;
}

/* A scan may hit on an earlier call's return address, but not where the first frame is no code at all: then its own lies at
 * the stack pointer, for the call has just been made. */
static bool
is_sure(const struct diagnosis *diagnosis, const struct frames *frames, size_t i)
{
	const struct frame *list = frames->list;
	return list[i].trust != TRUST_SCAN ||
	       (i == 1 && list[0].module == NULL && !list[0].managed && list[1].sp - list[0].sp == diagnosis->space.pointer_size);
}

size_t
diagnose_top(struct diagnosis *diagnosis, const struct frames *frames)
{
	char room[SPACE_NAME_MAX];
	for (size_t i = 0; i < frames->count; i++) {
		struct signed_frame frame = diagnose_frame(diagnosis, &frames->list[i], room);
		if (is_sure(diagnosis, frames, i) && signature_is_own(&frame))
			return i;
	}
	return NO_FRAME;
}

size_t
diagnose_managed_top(const struct managed_exception *exception)
{
	for (size_t i = 0; i < exception->frame_count; i++)
		if (exception->frames[i].method[0] != 0 && !signature_is_framework(exception->frames[i].method))
			return i;
	return NO_FRAME;
}

/* Of a managed exception its own trace counts: the stack may stand deep in the runtime's handling by then. */
static void
sign(struct diagnosis *diagnosis)
{
	struct signature *signature = &diagnosis->signature;
	const struct managed_exception *exception = diagnose_exception(diagnosis);
	const struct frames *frames = &diagnosis->frames;
	const char *name = exception != NULL ? diagnose_exception_name(diagnosis, exception) : NULL;
	char room[SPACE_NAME_MAX];
	if (!diagnosis->crashed)
		return;
	signature_begin(signature, name != NULL ? name : diagnosis->type);
	if (exception != NULL && diagnose_managed_top(exception) != NO_FRAME) {
		for (size_t i = 0; i < exception->frame_count; i++)
			(void)signature_add(signature, &(struct signed_frame){NULL, exception->frames[i].method, 0, true, false});
	} else {
		for (size_t i = 0; i < frames->count; i++) {
			struct signed_frame frame = diagnose_frame(diagnosis, &frames->list[i], room);
			if (is_sure(diagnosis, frames, i))
				(void)signature_add(signature, &frame);
		}
	}
	signature_end(signature);
}

const struct frames *
diagnose_walk(struct diagnosis *diagnosis, const struct thread *thread)
{
	if (thread == diagnosis->thread)
		return &diagnosis->frames;
	walk_thread(&diagnosis->space, thread, diagnosis->code, &diagnosis->other);
	return &diagnosis->other;
}

static uint64_t
hash_frames(const struct frames *frames)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	for (size_t i = 0; i < frames->count; i++)
		hash = ((hash ^ frames->list[i].pc) * 0x100000001b3ull) ^ (hash >> 29);
	return hash ^ frames->count;
}

static int
compare_groups(const void *left, const void *right)
{
	const struct stack_group *a = left, *b = right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

/* A dump on demand may come upon a thread whose exception nobody handled, and which Windows is about to report. */
static const char *
crashing_in(const struct frames *frames)
{
	static const char *const functions[] = {"UnhandledExceptionFilter", "RtlReportException", "WerpReportFault", "WerpReportFaultInternal"};
	for (size_t i = 0; i < frames->count; i++)
		for (size_t k = 0; k < sizeof functions / sizeof functions[0]; k++)
			if (frames->list[i].module != NULL && strcmp(frames->list[i].name, functions[k]) == 0)
				return functions[k];
	return NULL;
}

static void
join_group(struct diagnosis *diagnosis, uint32_t thread, uint64_t hash)
{
	size_t i;
	for (i = 0; i < diagnosis->group_count; i++)
		if (diagnosis->groups[i].hash == hash)
			break;
	if (i == diagnosis->group_count)
		diagnosis->groups[diagnosis->group_count++] = (struct stack_group){hash, thread, 0};
	diagnosis->groups[i].count++;
	diagnosis->thread_group[thread] = diagnosis->groups[i].first;
}

/* After sorting, a group's place is another: thread_group holds its first thread, which is as good a name. */
static void
group_threads(struct diagnosis *diagnosis)
{
	const struct space *space = &diagnosis->space;
	const struct thread *first = NULL;
	for (size_t i = 0; i < space->thread_count; i++) {
		const struct frames *frames = diagnose_walk(diagnosis, &space->threads[i]);
		join_group(diagnosis, (uint32_t)i, hash_frames(frames));
		if (first == NULL && !diagnosis->crashed && (diagnosis->crashing_in = crashing_in(frames)) != NULL)
			first = &space->threads[i];
	}
	if (first != NULL)
		diagnosis->thread = first;
	qsort(diagnosis->groups, diagnosis->group_count, sizeof diagnosis->groups[0], compare_groups);
}

/* The frame behind which the stack had to be guessed at, or ends: what its module lacks would mend that. x86 code has no
 * unwind data to begin with. */
static const struct frame *
weak_frame(const struct diagnosis *diagnosis)
{
	const struct frames *frames = &diagnosis->frames;
	if (diagnosis->space.arch == ARCH_X86)
		return NULL;
	for (size_t i = 1; i < frames->count; i++)
		if (frames->list[i].trust == TRUST_SCAN || frames->list[i].trust == TRUST_FP)
			return &frames->list[i - 1];
	return frames->ended_well ? NULL : &frames->list[frames->count - 1];
}

/* Where the memory of the stack ends in the dump, right above its last frame; 0: not before the stack itself does. */
static uint64_t
stack_missing_from(struct diagnosis *diagnosis)
{
	const struct thread *thread = diagnosis->thread;
	uint64_t sp = diagnosis->frames.end_sp, end = sp, start, size;
	if (sp < thread->stack_start || sp - thread->stack_start >= thread->stack_size)
		return 0;
	for (unsigned i = 0; i < RANGES_MOST && end - sp <= STACK_NEAR; i++) {
		if (!space_range_at(&diagnosis->space, end, &start, &size) || start > end)
			break;
		end = start + size;
	}
	return end - sp <= STACK_NEAR && end - thread->stack_start < thread->stack_size ? end : 0;
}

static void
note_stack(struct diagnosis *diagnosis)
{
	const struct frames *frames = &diagnosis->frames;
	const struct frame *weak;
	char room[SPACE_NAME_MAX];
	uint64_t missing;
	struct elf elf;
	if (diagnosis->thread == NULL)
		return;
	if (frames->count == 0) {
		note(diagnosis, "thread %" PRIu32 " has no stack: its registers are not in the dump, or point nowhere", diagnosis->thread->id);
		return;
	}
	missing = frames->ended_well ? 0 : stack_missing_from(diagnosis);
	if (missing != 0)
		note(diagnosis, "the stack cannot be followed behind frame %zu: its memory from 0x%" PRIx64 " on is not in this dump", frames->count - 1, missing);
	weak = weak_frame(diagnosis);
	if (missing != 0 && weak == &frames->list[frames->count - 1])
		return;
	if (weak == NULL || weak->module == NULL || weak->managed)
		return;
	(void)diagnose_frame(diagnosis, weak, room);
	if (elf_open(&elf, &diagnosis->space, weak->module->base) && elf.index == 0) {
		note(diagnosis, "behind frame %zu the stack is less certain: %.100s was linked without a table of its unwind data, as static programs are",
		     (size_t)(weak - frames->list), room);
		return;
	}
	note(diagnosis, "behind frame %zu the stack is less certain: unwind data of %.100s is not in this dump; --images with that file, or a full dump, may supply it",
	     (size_t)(weak - frames->list), room);
}

static void
note_images(struct diagnosis *diagnosis)
{
	const struct images *images = &diagnosis->images;
	const struct symbols *symbols = &diagnosis->symbols;
	if (diagnosis->options.images == NULL)
		return;
	if (images->found + images->other_id + images->unknown_id + symbols->found + symbols->other_id == 0)
		note(diagnosis, "--images: no file there has the name of a module that was needed");
	if (images->other_id > 0)
		note(diagnosis, "--images: %s there is another version than the dumped one", images->other_name);
	if (images->unknown_id > 0)
		note(diagnosis, "--images: %s there is not used: it, or the dump, does not tell which build it is", images->unknown_name);
	if (symbols->other_id > 0)
		note(diagnosis, "--images: the symbols of %s there are of another build than the dumped one", symbols->other_name);
	if (symbols_exhausted(symbols))
		note(diagnosis, "--images: the symbol files ask for more reading than sound ones do; names and lines may be missing");
}

static void
note_rest(struct diagnosis *diagnosis)
{
	const struct space *space = &diagnosis->space;
	if (diagnosis->findings.missing[0] != 0)
		note(diagnosis, "%s", diagnosis->findings.missing);
	note_images(diagnosis);
	for (size_t i = 0; i < space->soft_count && i < sizeof space->soft / sizeof space->soft[0]; i++)
		note(diagnosis, "%s", space->soft[i]);
	if (view_exhausted(&space->view))
		note(diagnosis, "the dump asks for more reading than any sound dump does; what came after that is left out");
}

static void
describe_crash(struct diagnosis *diagnosis)
{
	struct text type = text_in(diagnosis->type, sizeof diagnosis->type);
	struct text detail = text_in(diagnosis->detail, sizeof diagnosis->detail);
	struct text hint = text_in(diagnosis->hint, sizeof diagnosis->hint);
	if (!diagnosis->space.crash.recorded)
		return;
	reason_put_type(&type, &diagnosis->space);
	reason_put(&detail, &diagnosis->space);
	reason_put_hint(&hint, &diagnosis->space);
}

static void
look_at_thread(struct diagnosis *diagnosis, struct managed *managed)
{
	struct space *space = &diagnosis->space;
	if (diagnosis->thread == NULL)
		return;
	diagnosis->has_registers = space_registers(space, diagnosis->thread, &diagnosis->registers);
	walk_thread(space, diagnosis->thread, diagnosis->code, &diagnosis->frames);
	if (diagnosis->thread->id == space->crash.thread)
		managed_read_words(managed, &diagnosis->frames);
	diagnosis->top = diagnose_top(diagnosis, &diagnosis->frames);
}

static void
look(struct diagnosis *diagnosis, struct managed *managed)
{
	diagnosis->code = managed_code(managed);
	diagnosis->top = NO_FRAME;
	name_program(diagnosis);
	choose_thread(diagnosis);
	describe_crash(diagnosis);
	if (diagnosis->crashed)
		look_at_thread(diagnosis, managed);
	if (diagnosis->options.all || !diagnosis->crashed)
		group_threads(diagnosis);
	if (diagnosis->crashing_in != NULL)
		look_at_thread(diagnosis, managed);
	sign(diagnosis);
	note_stack(diagnosis);
	note_rest(diagnosis);
}

static bool
prepare(struct diagnosis *diagnosis, struct memory *memory, const struct diagnose_options *options, struct fault *fault)
{
	diagnosis->options = *options;
	diagnosis->groups = memory_take(memory, SPACE_THREADS_MAX * sizeof(struct stack_group), 16);
	diagnosis->thread_group = memory_take(memory, SPACE_THREADS_MAX * sizeof(uint32_t), 16);
	if (options->images == NULL)
		return true;
	symbols_open(&diagnosis->symbols, memory, options->images);
	return images_open(&diagnosis->images, memory, options->images, fault);
}

/* The space is open, or could not be. */
static bool
go_on(struct diagnosis *diagnosis, struct memory *memory, bool opened)
{
	if (!opened) {
		images_close(&diagnosis->images);
		return false;
	}
	if (diagnosis->options.images != NULL) {
		diagnosis->space.images = &diagnosis->images.as_images;
		diagnosis->space.symbols = &diagnosis->symbols;
	}
	look(diagnosis, managed_open(&diagnosis->space, memory, diagnosis->path[0] != 0 ? diagnosis->path : NULL, &diagnosis->findings));
	return true;
}

bool
diagnose_open(struct diagnosis *diagnosis, struct memory *memory, const char *path, const struct diagnose_options *options,
              struct fault *fault)
{
	diagnosis->path = path;
	return prepare(diagnosis, memory, options, fault) &&
	       go_on(diagnosis, memory, dump_open(&diagnosis->space, memory, path, fault));
}

bool
diagnose_open_bytes(struct diagnosis *diagnosis, struct memory *memory, struct span bytes, const struct diagnose_options *options,
                    struct fault *fault)
{
	diagnosis->path = "";
	return prepare(diagnosis, memory, options, fault) &&
	       go_on(diagnosis, memory, dump_open_bytes(&diagnosis->space, memory, bytes, fault));
}

void
diagnose_close(struct diagnosis *diagnosis)
{
	dump_close(&diagnosis->space);
	images_close(&diagnosis->images);
	symbols_close(&diagnosis->symbols);
}
