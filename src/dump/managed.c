/* SPDX-License-Identifier: MIT */
#include "dump/managed.h"

#include "dump/clr_aot.h"
#include "dump/clr_code.h"
#include "dump/clr_heuristic.h"
#include "dump/clr_object.h"
#include "dump/clr_r2r.h"
#include "dump/clr_watson.h"
#include "dump/crashreport.h"
#include "dump/runtimes.h"

#include <string.h>

#define FAIL_FAST "System.Environment.FailFast"

struct managed {
	struct code_source source; /* first: the walk hands it back to us */
	struct clr clr;
	struct clr_r2r r2r;
	struct managed_findings *findings;
	bool descriptor_there; /* one of the runtimes has one, though the dump may lack its text */
	char text[CLR_DESCRIPTOR_BYTES];
	struct managed_frame frames[MANAGED_INNER_MAX][MANAGED_FRAMES_MAX];
	struct managed_exception report; /* what createdump's report says */
	struct managed_frame report_frames[MANAGED_FRAMES_MAX];
};

size_t
managed_need(void)
{
	return memory_need(sizeof(struct managed), 64);
}

/* What a thread threw last may have been caught long ago; it counts only for ends that managed code brings about. */
static bool
ended_by_exception(const struct space *space)
{
	const struct crash *crash = &space->crash;
	if (!crash->recorded)
		return false;
	if (space->os == OS_WINDOWS)
		return crash->code == CLR_CODE || crash->code == 0xc00000fd || crash->code == 0xc0000409 || crash->code == 0x80131623;
	return crash->code == 6;
}

static bool
choose_exception(struct managed *managed, bool any_thread, struct clr_thrown *thrown)
{
	struct space *space = managed->clr.space;
	bool known;
	if (any_thread)
		return clr_thrown_by_any(&managed->clr, thrown);
	return clr_thrown_by(&managed->clr, space->crash.thread, thrown, &known) && thrown->object != 0 &&
	       (thrown->in_flight || ended_by_exception(space));
}

static void
read_chain(struct managed *managed, uint64_t object, uint32_t thread, enum managed_source source)
{
	struct managed_findings *findings = managed->findings;
	findings->exception_count = clr_read_chain(&managed->clr, object, findings->exceptions, MANAGED_INNER_MAX);
	findings->source = findings->type_source = findings->trace_source = findings->exception_count > 0 ? source : MANAGED_NONE;
	findings->thread = thread;
	findings->thread_is_other = thread != managed->clr.space->crash.thread;
}

/* Sets up clr for a runtime by its descriptor; *there: it has one, though the dump may lack its text. */
static bool
use_runtime(struct managed *managed, struct managed_runtime *runtime, bool *there)
{
	struct space *space = managed->clr.space;
	const struct module *module = space_module_at(space, runtime->base);
	uint64_t address = 0;
	bool good;
	memset(&managed->clr, 0, sizeof managed->clr);
	managed->clr.space = space;
	good = module != NULL && clr_descriptor_find(&managed->clr.d, space, module, managed->text, &address) &&
	       clr_knows_threads(&managed->clr);
	*there = *there || address != 0;
	if (good)
		runtime->source = MANAGED_DESCRIPTOR;
	return good;
}

/* An object whose type has no name: what its fields say. */
static void
read_untyped(struct managed *managed, uint64_t object)
{
	struct managed_findings *findings = managed->findings;
	struct managed_exception *exception = &findings->exceptions[0];
	uint64_t inner;
	clr_read_exception(&managed->clr, object, exception, &inner);
	exception->type[0] = '\0';
	exception->type_unsure = true;
	exception->inner_lost = inner != 0;
	findings->exception_count = 1;
	findings->source = findings->type_source = findings->trace_source = MANAGED_HEURISTIC;
	findings->thread = managed->clr.space->crash.thread;
}

static void
read_by_heuristic(struct managed *managed, struct managed_runtime *runtime)
{
	struct space *space = managed->clr.space;
	const struct thread *thread = space_thread(space, space->crash.thread);
	uint64_t object;
	bool types;
	memset(&managed->clr, 0, sizeof managed->clr);
	managed->clr.space = space;
	object = thread == NULL ? 0 : clr_heuristic_find(&managed->clr, thread, runtime->version, &types);
	if (object == 0)
		return;
	runtime->source = MANAGED_HEURISTIC;
	if (types)
		read_chain(managed, object, thread->id, MANAGED_HEURISTIC);
	else
		read_untyped(managed, object);
}

/* Framework and Core may share a process. Of the runtime that raised the exception, else of each: what the crashing thread
 * has thrown, by a descriptor or by the looks of it, then what another thread has. */
static void
read_runtimes(struct managed *managed, bool raiser_known)
{
	struct managed_findings *findings = managed->findings;
	size_t count = raiser_known ? 1 : findings->runtime_count;
	struct managed_runtime *described = NULL;
	struct clr_thrown thrown;
	for (unsigned pass = 0; pass < 3 && findings->exception_count == 0; pass++)
		for (size_t i = 0; i < count && findings->exception_count == 0; i++) {
			struct managed_runtime *runtime = &findings->runtimes[i];
			if (pass == 1 && runtime->source == MANAGED_NONE)
				read_by_heuristic(managed, runtime);
			if (pass == 1 || (pass == 2 && runtime->source != MANAGED_DESCRIPTOR) ||
			    !use_runtime(managed, runtime, &managed->descriptor_there))
				continue;
			described = runtime;
			if (choose_exception(managed, pass == 2, &thrown))
				read_chain(managed, thrown.object, thrown.thread, MANAGED_DESCRIPTOR);
		}
	if (findings->exception_count == 0 && described != NULL)
		(void)use_runtime(managed, described, &managed->descriptor_there);
}

/* When the dump's objects do not name the exception's type, the record made for Windows Error Reporting may; that is kept
 * in any case. */
static void
read_watson(struct managed *managed)
{
	struct space *space = managed->clr.space;
	struct managed_findings *findings = managed->findings;
	struct managed_exception *exception = &findings->exceptions[0];
	if (space->os != OS_WINDOWS || findings->source == MANAGED_NATIVEAOT ||
	    (findings->exception_count > 0 && clr_watson_read(&managed->clr, exception->address, &findings->watson)))
		return;
	if (exception->type[0] == '\0' && space->crash.recorded && (space->crash.code == CLR_CODE || findings->exception_count > 0))
		(void)!clr_watson_search(space, space_thread(space, space->crash.thread), &findings->watson);
}

static void
use_watson(struct managed *managed)
{
	struct managed_findings *findings = managed->findings;
	struct managed_exception *exception = &findings->exceptions[0];
	if (!findings->watson.found || exception->type[0] != '\0')
		return;
	memcpy(exception->type, findings->watson.type, sizeof exception->type);
	findings->type_source = MANAGED_WATSON;
	if (findings->exception_count > 0)
		return;
	findings->exception_count = 1;
	findings->source = MANAGED_WATSON;
	findings->thread = managed->clr.space->crash.thread;
	exception->hresult = (uint32_t)managed->clr.space->crash.parameters[0];
	exception->has_hresult = managed->clr.space->crash.code == CLR_CODE && managed->clr.space->crash.parameter_count > 0;
}

static bool
has_named_frames(const struct managed_exception *exception)
{
	for (size_t i = 0; i < exception->frame_count; i++)
		if (exception->frames[i].method[0] != '\0')
			return true;
	return false;
}

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
	read_chain(managed, object, managed->clr.space->crash.thread, MANAGED_HEURISTIC);
	if (findings->exception_count == 0)
		read_untyped(managed, object);
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

/* A trace holds the address before the return address, or of a fault the instruction itself; the walk asks for the one
 * before either. */
static const char *
find_in_trace(const struct managed_exception *exception, uint64_t pc)
{
	for (size_t i = 0; i < exception->frame_count; i++)
		if (exception->frames[i].pc - pc <= 1 && exception->frames[i].method[0] != '\0')
			return exception->frames[i].method;
	return NULL;
}

/* Of a trace the report knows the methods by their addresses. */
static void
name_by_report(struct managed *managed)
{
	struct managed_exception *exception = &managed->findings->exceptions[0];
	for (size_t i = 0; i < exception->frame_count; i++) {
		const char *found = exception->frames[i].method[0] != '\0' ? NULL : find_in_trace(&managed->report, exception->frames[i].pc);
		if (found == NULL)
			continue;
		memcpy(exception->frames[i].method, found, FRAME_NAME_MAX);
		managed->findings->trace_source = MANAGED_CRASHREPORT;
	}
}

/* What the dump itself does not name, createdump's report beside it may. Of another type it tells of another exception. */
static void
read_report(struct managed *managed, const char *path)
{
	struct managed_findings *findings = managed->findings;
	struct managed_exception *exception = &findings->exceptions[0], *report = &managed->report;
	if (path == NULL || (findings->source != MANAGED_HEURISTIC && exception->type[0] != '\0' && has_named_frames(exception)) ||
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

/* Of an object without a type a trace of mere addresses may be none. */
static void
drop_nameless(struct managed_exception *exception)
{
	if (exception->type_unsure && !has_named_frames(exception))
		exception->frame_count = exception->frames_left_out = 0;
}

static bool
lacks_names(const struct managed_findings *findings)
{
	for (size_t i = 0; i < findings->exception_count; i++) {
		const struct managed_exception *exception = &findings->exceptions[i];
		if (exception->type[0] == '\0' || exception->type_unsure || exception->inner_lost ||
		    (exception->frame_count > 0 && !has_named_frames(exception)))
			return true;
	}
	return false;
}

static void
say_missing(struct managed *managed)
{
	struct managed_findings *findings = managed->findings;
	struct text text = text_in(findings->missing, sizeof findings->missing);
	if (managed->descriptor_there && findings->source != MANAGED_DESCRIPTOR)
		text_put(&text, "the runtime's description of itself is not in this dump: a full dump, or --images with the runtime's folder, has it");
	else if (findings->exception_count == 0 && findings->runtimes[0].source == MANAGED_NONE)
		text_put(&text, "this .NET runtime does not describe itself (it does from .NET 9 on, in full dumps)");
	else if (lacks_names(findings))
		text_put(&text, "pages that name types or methods are not in this dump: a full dump (of a kernel's core, coredump_filter 0x3f) has them");
}

/* Where no map of code can be read, the exception's own trace and createdump's report name at least their frames (but not
 * where their methods start). */
static bool
name_at(struct code_source *source, struct space *space, uint64_t pc, char name[FRAME_NAME_MAX], uint64_t *start)
{
	struct managed *managed = (struct managed *)source;
	struct text text = text_in(name, FRAME_NAME_MAX);
	const char *found = NULL;
	struct clr_code code;
	if (clr_code_at(&managed->clr, pc, &code) && code.method != 0 && clr_put_method(&managed->clr, code.method, &text)) {
		*start = code.start;
		return true;
	}
	text_reset(&text);
	if (clr_r2r_put_method(&managed->r2r, space, pc, &text, start))
		return true;
	for (size_t i = 0; i < managed->findings->exception_count && found == NULL; i++)
		found = find_in_trace(&managed->findings->exceptions[i], pc);
	if (found == NULL && (found = find_in_trace(&managed->report, pc)) == NULL)
		return false;
	memcpy(name, found, FRAME_NAME_MAX);
	*start = pc;
	return true;
}

static bool
unwind_at(struct code_source *source, struct space *space, uint64_t pc, uint64_t *base, uint32_t entry[3])
{
	struct managed *managed = (struct managed *)source;
	struct clr_code code;
	(void)space;
	if (!clr_code_at(&managed->clr, pc, &code) || !clr_code_unwind(&managed->clr, pc, &code, entry))
		return false;
	*base = code.base;
	return true;
}

struct managed *
managed_open(struct space *space, struct memory *memory, const char *path, struct managed_findings *findings)
{
	struct managed *managed = memory_take(memory, sizeof *managed, 64);
	bool raiser_known;
	memset(findings, 0, sizeof *findings);
	managed->source = (struct code_source){unwind_at, name_at};
	managed->clr.space = space;
	managed->findings = findings;
	for (size_t i = 0; i < MANAGED_INNER_MAX; i++)
		findings->exceptions[i].frames = managed->frames[i];
	managed->report = (struct managed_exception){.frames = managed->report_frames};
	raiser_known = runtimes_find(space, findings);
	if (clr_aot_read(space, findings, managed->text)) {
		if (findings->thread == 0)
			findings->thread = space->crash.thread;
		findings->thread_is_other = findings->thread != space->crash.thread;
		return managed;
	}
	if (findings->runtime_count == 0)
		return managed;
	read_runtimes(managed, raiser_known);
	read_watson(managed);
	use_watson(managed);
	read_report(managed, path);
	drop_nameless(&findings->exceptions[0]);
	say_missing(managed);
	return managed;
}

struct code_source *
managed_code(struct managed *managed)
{
	return managed->findings->runtime_count > 0 ? &managed->source : NULL;
}

/* The argument is kept in FailFast's frames: the only string that they, or a pointer into it, lead to. */
void
managed_read_words(struct managed *managed, const struct frames *frames)
{
	struct managed_findings *findings = managed->findings;
	struct managed_exception *exception = &findings->exceptions[0];
	uint64_t string;
	size_t first = 0, last;
	if (exception->has_message || findings->exception_count > 1 || findings->thread_is_other)
		return;
	while (first < frames->count && strcmp(frames->list[first].name, FAIL_FAST) != 0)
		first++;
	for (last = first; last < frames->count && strcmp(frames->list[last].name, FAIL_FAST) == 0;)
		last++;
	if (last == first || last == frames->count)
		return;
	findings->fail_fast = true;
	if (!clr_find_string(&managed->clr, frames->list[first].sp, frames->list[last].sp, &string) ||
	    !clr_read_string(&managed->clr, string, exception->message, sizeof exception->message, &exception->message_cut))
		return;
	exception->has_message = exception->message_found = true;
	if (findings->exception_count == 0) {
		findings->exception_count = 1;
		findings->source = findings->type_source = findings->trace_source = MANAGED_HEURISTIC;
		findings->thread = managed->clr.space->crash.thread;
	}
}
