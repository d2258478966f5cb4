/* SPDX-License-Identifier: MIT */
#include "dump/managed.h"

#include "dump/clr_aot.h"
#include "dump/clr_heuristic.h"
#include "dump/clr_object.h"
#include "dump/clr_watson.h"
#include "dump/managed_inside.h"
#include "dump/runtimes.h"

#include <string.h>

#define FAIL_FAST "System.Environment.FailFast"
#define OTHERS_MOST 128 /* threads that are looked through when nothing crashed */

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

void
managed_read_chain(struct managed *managed, uint64_t object, uint32_t thread, enum managed_source source, bool typed)
{
	struct managed_findings *findings = managed->findings;
	findings->exception_count = clr_read_chain(&managed->clr, object, typed, findings->exceptions, MANAGED_INNER_MAX);
	findings->source = findings->type_source = findings->trace_source = findings->exception_count > 0 ? source : MANAGED_NONE;
	findings->thread = thread;
	findings->thread_is_other = thread != managed->clr.space->crash.thread;
}

static void
forget_runtime(struct managed *managed)
{
	struct space *space = managed->clr.space;
	memset(&managed->clr, 0, sizeof managed->clr);
	managed->clr.space = space;
}

/* Sets up clr for a runtime by its descriptor; *there: it has one, though the dump may lack its text. */
static bool
use_runtime(struct managed *managed, struct managed_runtime *runtime, bool *there)
{
	struct space *space = managed->clr.space;
	const struct module *module = space_module_at(space, runtime->base);
	uint64_t address = 0;
	bool good;
	forget_runtime(managed);
	good = module != NULL && clr_descriptor_find(&managed->clr.d, space, module, managed->text, &address) &&
	       clr_knows_threads(&managed->clr);
	*there = *there || address != 0;
	if (good)
		runtime->source = MANAGED_DESCRIPTOR;
	return good;
}

static void
read_by_heuristic(struct managed *managed, struct managed_runtime *runtime, const struct thread *thread, bool held)
{
	uint64_t object;
	bool types;
	forget_runtime(managed);
	object = thread == NULL ? 0 : clr_heuristic_find(&managed->clr, thread, runtime->version, held, &types);
	if (object == 0)
		return;
	runtime->source = MANAGED_HEURISTIC;
	managed_read_chain(managed, object, thread->id, MANAGED_HEURISTIC, types);
}

/* Of a dump on demand: what is in flight on any thread. */
static void
read_others_by_heuristic(struct managed *managed, struct managed_runtime *runtime)
{
	struct space *space = managed->clr.space;
	for (size_t i = 0; i < space->thread_count && i < OTHERS_MOST && managed->findings->exception_count == 0; i++)
		if (space->threads[i].id != space->crash.thread)
			read_by_heuristic(managed, runtime, &space->threads[i], true);
}

/* Framework and Core may share a process. Of the runtime that raised the exception, else of each: what the crashing thread
 * has thrown, by a descriptor or by the looks of it, then what another thread has. */
static void
read_runtimes(struct managed *managed, bool raiser_known)
{
	struct managed_findings *findings = managed->findings;
	size_t count = raiser_known ? 1 : findings->runtime_count;
	struct managed_runtime *described = NULL;
	const struct crash *crash = &managed->clr.space->crash;
	const struct thread *crashed = space_thread(managed->clr.space, crash->thread);
	struct clr_thrown thrown;
	for (unsigned pass = 0; pass < 3 && findings->exception_count == 0; pass++)
		for (size_t i = 0; i < count && findings->exception_count == 0; i++) {
			struct managed_runtime *runtime = &findings->runtimes[i];
			if (pass == 1 && runtime->source == MANAGED_NONE)
				read_by_heuristic(managed, runtime, crashed, crash->doubtful);
			if (pass == 2 && runtime->source == MANAGED_NONE && (!crash->recorded || crash->doubtful))
				read_others_by_heuristic(managed, runtime);
			if (pass == 1 || (pass == 2 && runtime->source != MANAGED_DESCRIPTOR) ||
			    !use_runtime(managed, runtime, &managed->descriptor_there))
				continue;
			described = runtime;
			if (choose_exception(managed, pass == 2, &thrown))
				managed_read_chain(managed, thrown.object, thrown.thread, MANAGED_DESCRIPTOR, true);
		}
	if (findings->exception_count == 0 && described != NULL) {
		(void)use_runtime(managed, described, &managed->descriptor_there);
	} else if (findings->exception_count == 0) {
		forget_runtime(managed);
		(void)clr_heuristic_assume(&managed->clr, findings->runtimes[0].version);
	}
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
lacks_names(const struct managed_findings *findings)
{
	for (size_t i = 0; i < findings->exception_count; i++) {
		const struct managed_exception *exception = &findings->exceptions[i];
		if (exception->type[0] == '\0' || exception->type_unsure || exception->inner_lost ||
		    (exception->frame_count > 0 && !managed_has_names(exception)))
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

static void
say_no_runtime(struct managed *managed)
{
	const struct crash *crash = &managed->clr.space->crash;
	struct text text = text_in(managed->findings->missing, sizeof managed->findings->missing);
	if (crash->recorded && crash->code == CLR_CODE && managed->clr.space->os == OS_WINDOWS)
		text_put(&text, "no .NET runtime is among the modules of this dump: the exception's type and message cannot be read");
}

struct managed *
managed_open(struct space *space, struct memory *memory, const char *path, struct managed_findings *findings)
{
	struct managed *managed = memory_take(memory, sizeof *managed, 64);
	bool raiser_known;
	memset(findings, 0, sizeof *findings);
	managed->clr.space = space;
	managed->source = managed_code_source;
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
	if (findings->runtime_count == 0) {
		say_no_runtime(managed);
		return managed;
	}
	read_runtimes(managed, raiser_known);
	read_watson(managed);
	use_watson(managed);
	managed_name_traces(managed);
	managed_read_report(managed, path);
	managed_drop_nameless(managed);
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
