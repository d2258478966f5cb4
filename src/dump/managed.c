/* SPDX-License-Identifier: MIT */
#include "dump/managed.h"

#include "dump/clr_code.h"
#include "dump/clr_heuristic.h"
#include "dump/clr_object.h"
#include "dump/clr_symbol.h"
#include "dump/crashreport.h"
#include "dump/words.h"

#include <string.h>

#define CODE_MANAGED 0xe0434352u
#define VERSION_SCAN (64u << 20)
#define VERSION_MARK "@(#)Version " /* what every part of .NET on Linux carries */
#define PIECE 4096

struct managed {
	struct code_source source; /* first: the walk hands it back to us */
	struct clr clr;
	struct managed_findings *findings;
	char text[CLR_DESCRIPTOR_BYTES];
	struct managed_frame frames[MANAGED_INNER_MAX][MANAGED_FRAMES_MAX];
};

size_t
managed_need(void)
{
	return memory_need(sizeof(struct managed), 64);
}

/* By its file's name, or by what a single-file program exports. */
static bool
is_runtime(struct space *space, const struct module *module, const char *name)
{
	static const char *const names[] = {"coreclr.dll", "libcoreclr.so", "clr.dll", "mscorwks.dll", "libcoreclr.dylib"};
	static const char *const exports[] = {"DotNetRuntimeContractDescriptor", "DotNetRuntimeInfo", "g_dacTable"};
	uint64_t address;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_is_nocase(span_of(name), names[i]))
			return true;
	for (size_t i = 0; i < sizeof exports / sizeof exports[0]; i++)
		if (clr_symbol_find(space, module, exports[i], &address))
			return true;
	return false;
}

static void
put_pe_version(uint64_t version, struct text *text)
{
	text_printf(text, "%u.%u.%u.%u", (unsigned)(version >> 48 & 0xffff), (unsigned)(version >> 32 & 0xffff),
	            (unsigned)(version >> 16 & 0xffff), (unsigned)(version & 0xffff));
}

/* The version behind the mark, if it looks like one. */
static bool
take_version(struct span bytes, char *room, size_t size)
{
	size_t length = 0;
	while (length < bytes.count && ((bytes.at[length] >= '0' && bytes.at[length] <= '9') || bytes.at[length] == '.'))
		length++;
	return length > 2 && text_keep(room, size, span_first(bytes, length));
}

/* Pieces overlap by what the mark and a version take. */
static void
scan_version(struct space *space, const struct module *module, char *room, size_t size)
{
	unsigned char piece[PIECE];
	uint64_t at = module->base, end = at + module->size, start, length, scanned = 0;
	size_t found;
	for (; at < end && scanned < VERSION_SCAN && space_range_at(space, at, &start, &length); scanned += PIECE) {
		size_t got;
		if (start > at)
			at = start;
		if (at >= end)
			return;
		got = space_read_some(space, at, piece, sizeof piece);
		if (span_find((struct span){piece, got}, VERSION_MARK, &found) &&
		    take_version(span_from((struct span){piece, got}, found + strlen(VERSION_MARK)), room, size))
			return;
		at += got > 64 ? got - 64 : PIECE;
	}
}

static void
add_runtime(struct space *space, const struct module *module, const char *name, struct managed_findings *findings)
{
	struct managed_runtime *runtime = &findings->runtimes[findings->runtime_count++];
	struct text version = text_in(runtime->version, sizeof runtime->version);
	struct text short_name = text_in(runtime->name, sizeof runtime->name);
	words_put_utf8(&short_name, span_of(name));
	runtime->base = module->base;
	if (module->version != 0 && space->os == OS_WINDOWS && (span_is_nocase(span_of(name), "coreclr.dll") ||
	    span_is_nocase(span_of(name), "clr.dll") || span_is_nocase(span_of(name), "mscorwks.dll")))
		put_pe_version(module->version, &version);
	else
		scan_version(space, module, runtime->version, sizeof runtime->version);
}

static void
find_runtimes(struct space *space, struct managed_findings *findings)
{
	char name[SPACE_NAME_MAX];
	for (size_t i = 0; i < space->module_count && findings->runtime_count < MANAGED_RUNTIMES_MAX; i++) {
		space_module_name(space, &space->modules[i], name);
		if (is_runtime(space, &space->modules[i], space_short_name(name)))
			add_runtime(space, &space->modules[i], space_short_name(name), findings);
	}
}

/* The runtime that raised the exception says so in its last parameter; it goes first. */
static void
put_raiser_first(const struct space *space, struct managed_findings *findings)
{
	const struct crash *crash = &space->crash;
	if (!crash->recorded || crash->code != CODE_MANAGED || crash->parameter_count < 5)
		return;
	for (size_t i = 1; i < findings->runtime_count; i++) {
		struct managed_runtime first = findings->runtimes[0];
		if (findings->runtimes[i].base != crash->parameters[4])
			continue;
		findings->runtimes[0] = findings->runtimes[i];
		findings->runtimes[i] = first;
	}
}

/* What a thread threw last may have been caught long ago; it counts only for ends that managed code brings about. */
static bool
ended_by_exception(const struct space *space)
{
	const struct crash *crash = &space->crash;
	if (!crash->recorded)
		return false;
	if (space->os == OS_WINDOWS)
		return crash->code == CODE_MANAGED || crash->code == 0xc00000fd || crash->code == 0xc0000409 || crash->code == 0x80131623;
	return crash->code == 6;
}

/* The exception of the crashing thread, or of another that has one in flight. */
static bool
choose_exception(struct managed *managed, struct clr_thrown *thrown)
{
	struct space *space = managed->clr.space;
	bool known;
	if (clr_thrown_by(&managed->clr, space->crash.thread, thrown, &known) && thrown->object != 0 &&
	    (thrown->in_flight || ended_by_exception(space)))
		return true;
	return clr_thrown_by_any(&managed->clr, thrown);
}

static void
read_chain(struct managed *managed, uint64_t object, uint32_t thread, enum managed_source source)
{
	struct managed_findings *findings = managed->findings;
	findings->exception_count = clr_read_chain(&managed->clr, object, findings->exceptions, MANAGED_INNER_MAX);
	findings->source = findings->exception_count > 0 ? source : MANAGED_NONE;
	findings->thread = thread;
	findings->thread_is_other = thread != managed->clr.space->crash.thread;
}

/* By its descriptor; *there: it has one, though the dump may lack its text. */
static bool
read_runtime(struct managed *managed, struct managed_runtime *runtime, bool *there)
{
	struct space *space = managed->clr.space;
	const struct module *module = space_module_at(space, runtime->base);
	struct clr_thrown thrown;
	uint64_t address = 0;
	bool good = module != NULL && clr_descriptor_find(&managed->clr.d, space, module, managed->text, &address);
	*there = *there || address != 0;
	if (!good)
		return false;
	runtime->source = MANAGED_DESCRIPTOR;
	if (choose_exception(managed, &thrown))
		read_chain(managed, thrown.object, thrown.thread, MANAGED_DESCRIPTOR);
	return true;
}

static void
read_by_heuristic(struct managed *managed)
{
	struct space *space = managed->clr.space;
	const struct thread *thread = space_thread(space, space->crash.thread);
	struct managed_findings *findings = managed->findings;
	bool types;
	uint64_t object = thread == NULL ? 0 : clr_heuristic_find(&managed->clr, thread, findings->runtimes[0].version, &types), inner;
	if (object == 0)
		return;
	findings->runtimes[0].source = MANAGED_HEURISTIC;
	if (types) {
		read_chain(managed, object, thread->id, MANAGED_HEURISTIC);
		return;
	}
	clr_read_exception(&managed->clr, object, &findings->exceptions[0], &inner);
	findings->exceptions[0].frame_count = 0;
	findings->exceptions[0].type[0] = '\0';
	findings->exception_count = 1;
	findings->source = MANAGED_HEURISTIC;
	findings->thread = thread->id;
}

/* When the dump itself does not name the exception's type, createdump's report beside it may. */
static void
read_report(struct managed *managed, const char *path)
{
	struct managed_findings *findings = managed->findings;
	if (findings->exceptions[0].type[0] != '\0' || path == NULL ||
	    !crashreport_read(path, managed->clr.space->crash.thread, &findings->exceptions[0]))
		return;
	findings->source = MANAGED_CRASHREPORT;
	findings->thread = managed->clr.space->crash.thread;
	findings->thread_is_other = false;
	if (findings->exception_count == 0)
		findings->exception_count = 1;
}

static void
say_missing(struct managed_findings *findings, bool descriptor_there)
{
	struct text text = text_in(findings->missing, sizeof findings->missing);
	if (descriptor_there)
		text_put(&text, "the runtime's description of itself is not in this dump: a full dump, or --images with the runtime's folder, has it");
	else if (findings->exception_count == 0)
		text_put(&text, "this .NET runtime does not describe itself (it does from .NET 9 on, in full dumps)");
}

/* A trace holds the address before the return address, or of a fault the instruction itself; the walk asks for the one
 * before either. */
static const struct managed_frame *
find_in_traces(const struct managed_findings *findings, uint64_t pc)
{
	for (size_t i = 0; i < findings->exception_count; i++)
		for (size_t k = 0; k < findings->exceptions[i].frame_count; k++) {
			const struct managed_frame *frame = &findings->exceptions[i].frames[k];
			if ((frame->pc == pc || frame->pc == pc + 1) && frame->method[0] != '\0')
				return frame;
		}
	return NULL;
}

/* .NET 9 has no code map to read; there the exception's own trace names at least its frames (but not where their methods
 * start). */
static bool
name_at(struct code_source *source, struct space *space, uint64_t pc, char name[FRAME_NAME_MAX], uint64_t *start)
{
	struct managed *managed = (struct managed *)source;
	struct text text = text_in(name, FRAME_NAME_MAX);
	const struct managed_frame *frame;
	struct clr_code code;
	(void)space;
	if (clr_code_at(&managed->clr, pc, &code) && code.method != 0 && clr_put_method(&managed->clr, code.method, &text)) {
		*start = code.start;
		return true;
	}
	frame = find_in_traces(managed->findings, pc);
	if (frame == NULL)
		return false;
	memcpy(name, frame->method, FRAME_NAME_MAX);
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
	bool descriptor_there = false, read = false;
	memset(findings, 0, sizeof *findings);
	managed->source = (struct code_source){unwind_at, name_at};
	managed->clr.space = space;
	managed->findings = findings;
	for (size_t i = 0; i < MANAGED_INNER_MAX; i++)
		findings->exceptions[i].frames = managed->frames[i];
	find_runtimes(space, findings);
	put_raiser_first(space, findings);
	for (size_t i = 0; i < findings->runtime_count && !read; i++)
		read = read_runtime(managed, &findings->runtimes[i], &descriptor_there);
	if (findings->runtime_count > 0 && !read)
		read_by_heuristic(managed);
	if (findings->runtime_count > 0)
		read_report(managed, path);
	if (findings->runtime_count > 0 && !read)
		say_missing(findings, descriptor_there);
	return managed;
}

struct code_source *
managed_code(struct managed *managed)
{
	return managed->findings->runtime_count > 0 ? &managed->source : NULL;
}
