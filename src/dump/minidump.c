/* SPDX-License-Identifier: MIT */
#include "dump/minidump.h"

#include "dump/words.h"

#include <inttypes.h>
#include <string.h>

#define HEADER_BYTES 32
#define VERSION 0xa793
#define ENTRY_BYTES 12
#define STREAMS_MOST 4096 /* entries looked at; Windows writes 10 to 20 */
#define THREAD_BYTES 48
#define MODULE_BYTES 108
#define EXCEPTION_BYTES 168
#define PARAMETERS_MOST 15
#define FIXED_FILE_INFO 0xfeef04bdu
#define TEXT_PIECE 512
#define X64_CONTEXT 1232
#define X86_CONTEXT 716
#define WOW64_SEGMENT 0x23

/* MINIDUMP_SYSTEM_INFO's processor and platform; those from 0x8000 on are Breakpad's. */
enum { CPU_X86 = 0, CPU_ARM = 5, CPU_X64 = 9, CPU_ARM64 = 12, CPU_ARM64_OLD = 0x8003 };
enum { PLATFORM_NT = 2, PLATFORM_MAC = 0x8101, PLATFORM_IOS = 0x8102, PLATFORM_LINUX = 0x8201, PLATFORM_ANDROID = 0x8203 };

/* Codes of an exception stream that nobody raised: Crashpad's and Breakpad's dumps on demand. */
#define CODE_SIMULATED 0x0517a7edu
#define CODE_REQUESTED 0xffffffffu
#define CODE_SIMULATED_MAC 0x43507378u

/* A table in the file: `count` entries of `stride` bytes. */
struct table {
	uint64_t at, count;
	uint32_t stride;
};

static uint32_t
u32_at(struct span span, size_t place)
{
	uint32_t value = 0;
	return span_u32(span, place, &value) ? value : 0;
}

static uint64_t
u64_at(struct span span, size_t place)
{
	uint64_t value = 0;
	return span_u64(span, place, &value) ? value : 0;
}

/* The first `most` bytes of a stream, zeroes behind its end. */
static struct span
head_of(struct space *space, const struct stream *stream, unsigned char *room, size_t most)
{
	size_t size = stream->size < most ? stream->size : most;
	memset(room, 0, most);
	if (!view_read(&space->view, stream->at, room, size))
		size = 0;
	return (struct span){room, size};
}

static const char *
stream_name(uint32_t type)
{
	switch (type) {
	case STREAM_THREADS:
		return "thread list";
	case STREAM_MODULES:
		return "module list";
	case STREAM_MEMORY:
		return "memory list";
	case STREAM_MEMORY64:
		return "list of full memory";
	case STREAM_THREAD_NAMES:
		return "thread names";
	case STREAM_THREAD_INFO:
		return "thread information";
	case STREAM_UNLOADED:
		return "list of unloaded modules";
	default:
		return "stream";
	}
}

static void
clamp(struct space *space, const struct stream *stream, struct table *table)
{
	uint64_t left = stream->size - (table->at - stream->at), fit = left / table->stride;
	if (table->count <= fit)
		return;
	space_note(space, "the %s claims %" PRIu64 " entries and has room for %" PRIu64, stream_name(stream->type),
	           table->count, fit);
	table->count = fit;
}

/* A list with a 32-bit count, then entries; four bytes between them are legal when they make the size come out. */
static bool
plain_table(struct space *space, uint32_t type, uint32_t stride, struct table *table)
{
	const struct stream *stream = space_stream(space, type);
	uint32_t count;
	if (stream == NULL || stream->size < 4 || !view_u32(&space->view, stream->at, &count))
		return false;
	*table = (struct table){stream->at + 4, count, stride};
	if ((uint64_t)count * stride + 8 == stream->size)
		table->at += 4;
	clamp(space, stream, table);
	return true;
}

/* A list that says the size of its header and entries, which may be larger than those we know. */
static bool
stated_table(struct space *space, uint32_t type, uint32_t least, struct table *table)
{
	unsigned char room[12];
	const struct stream *stream = space_stream(space, type);
	struct span head;
	uint32_t header;
	if (stream == NULL)
		return false;
	head = head_of(space, stream, room, sizeof room);
	header = u32_at(head, 0);
	if (head.count < sizeof room || header < sizeof room || header > stream->size || u32_at(head, 4) < least) {
		space_note(space, "the %s has a broken header", stream_name(type));
		return false;
	}
	*table = (struct table){stream->at + header, u32_at(head, 8), u32_at(head, 4)};
	clamp(space, stream, table);
	return true;
}

static bool
table_entry(struct space *space, const struct table *table, uint64_t index, unsigned char *room, size_t size)
{
	return view_read(&space->view, table->at + index * table->stride, room, size);
}

static void
keep_stream(struct space *space, struct span entry, unsigned *odd)
{
	struct stream stream = {u32_at(entry, 0), u32_at(entry, 4), u32_at(entry, 8)};
	if (stream.type == 0)
		return; /* UnusedStream */
	if (stream.at >= space->view.size) {
		++*odd;
		return;
	}
	if (stream.size > space->view.size - stream.at) {
		stream.size = (uint32_t)(space->view.size - stream.at);
		++*odd;
	}
	if (space_stream(space, stream.type) != NULL)
		space_note(space, "stream %" PRIu32 " is there twice, the first one counts", stream.type);
	else if (space->stream_count < SPACE_STREAMS_MAX)
		space->streams[space->stream_count++] = stream;
}

static bool
read_directory(struct space *space, struct fault *fault)
{
	unsigned char room[HEADER_BYTES];
	struct span head = {room, sizeof room};
	uint64_t count, at, end;
	unsigned odd = 0;
	if (!view_read(&space->view, 0, room, sizeof room))
		return fault_raise(fault, FAULT_CORRUPT, "the minidump ends inside its header");
	if ((u32_at(head, 4) & 0xffff) != VERSION)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump has version %04" PRIx32 ", not a793", u32_at(head, 4) & 0xffff);
	count = u32_at(head, 8);
	at = u32_at(head, 12);
	space->dump_time_s = u32_at(head, 20);
	space->minidump_flags = u64_at(head, 24);
	end = at + count * ENTRY_BYTES;
	if (at >= space->view.size)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump ends before its directory");
	if (end > space->view.size)
		space_note(space, "the file ends inside its directory of %" PRIu64 " streams", count);
	for (uint64_t i = 0; i < count && i < STREAMS_MOST; i++, at += ENTRY_BYTES) {
		if (!view_read(&space->view, at, room, ENTRY_BYTES))
			break;
		keep_stream(space, (struct span){room, ENTRY_BYTES}, &odd);
	}
	if (odd > 0)
		space->torn = true;
	if (odd > 0)
		space_note(space, "%u streams reach past the end of the file", odd);
	if (space->stream_count == 0)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump has no stream that could be read");
	return true;
}

static enum space_arch
arch_of(uint32_t cpu)
{
	switch (cpu) {
	case CPU_X86:
		return ARCH_X86;
	case CPU_X64:
		return ARCH_X64;
	case CPU_ARM:
		return ARCH_ARM;
	case CPU_ARM64:
	case CPU_ARM64_OLD:
		return ARCH_ARM64;
	default:
		return ARCH_UNKNOWN;
	}
}

static enum space_os
os_of(uint32_t platform)
{
	switch (platform) {
	case PLATFORM_NT:
		return OS_WINDOWS;
	case PLATFORM_LINUX:
	case PLATFORM_ANDROID:
		return OS_LINUX;
	case PLATFORM_MAC:
	case PLATFORM_IOS:
		return OS_MAC;
	default:
		return OS_UNKNOWN;
	}
}

static void
read_system(struct space *space)
{
	unsigned char room[56];
	const struct stream *stream = space_stream(space, STREAM_SYSTEM);
	struct span head;
	if (stream == NULL || stream->size < 24) {
		space_note(space, "no system information: what machine and system this is was guessed");
		return;
	}
	head = head_of(space, stream, room, sizeof room);
	space->arch = arch_of(u32_at(head, 0) & 0xffff);
	space->os_major = u32_at(head, 8);
	space->os_minor = u32_at(head, 12);
	space->os_build = u32_at(head, 16);
	space->os = os_of(u32_at(head, 20));
}

/* By the flags of a thread's context, which name the processor (winnt.h). */
static enum space_arch
guess_arch(struct space *space)
{
	for (size_t i = 0; i < space->thread_count; i++) {
		uint32_t early = 0, late = 0;
		const struct thread *thread = &space->threads[i];
		if (thread->context_size < 0x34 || !view_u32(&space->view, thread->context_at, &early)
		    || !view_u32(&space->view, thread->context_at + 0x30, &late))
			continue;
		if (thread->context_size >= X64_CONTEXT && (late & 0x100000) != 0)
			return ARCH_X64;
		if ((early & 0x10000) != 0)
			return ARCH_X86;
		if ((early & 0x400000) != 0)
			return ARCH_ARM64;
	}
	return ARCH_UNKNOWN;
}

static void
read_misc(struct space *space)
{
	unsigned char room[24];
	const struct stream *stream = space_stream(space, STREAM_MISC);
	struct span head;
	uint32_t flags;
	if (stream == NULL)
		return;
	head = head_of(space, stream, room, sizeof room);
	if (u32_at(head, 0) < head.count)
		head = span_first(head, u32_at(head, 0));
	flags = u32_at(head, 4);
	if ((flags & 1) != 0 && head.count >= 12)
		space->pid = u32_at(head, 8);
	if ((flags & 2) == 0 || head.count < 24)
		return;
	space->process_start_s = u32_at(head, 12);
	space->process_user_s = u32_at(head, 16);
	space->process_kernel_s = u32_at(head, 20);
	space->has_process_times = true;
}

static void
add_list(struct space *space, struct memory *memory, enum range_kind kind, const struct table *table, uint64_t base)
{
	struct range_list *list = &space->lists[space->list_count++];
	list->kind = kind;
	list->at = table->at;
	list->count = table->count;
	list->base = base;
	ranges_index(list, &space->view, memory);
}

static void
read_memory_lists(struct space *space, struct memory *memory)
{
	unsigned char room[16];
	const struct stream *full = space_stream(space, STREAM_MEMORY64);
	struct table table;
	if (full != NULL && full->size >= sizeof room) {
		struct span head = head_of(space, full, room, sizeof room);
		table = (struct table){full->at + sizeof room, u64_at(head, 0), 16};
		clamp(space, full, &table);
		add_list(space, memory, RANGES_MEMORY64, &table, u64_at(head, 8));
	}
	if (plain_table(space, STREAM_MEMORY, 16, &table))
		add_list(space, memory, RANGES_MEMORY32, &table, 0);
	if (plain_table(space, STREAM_THREADS, THREAD_BYTES, &table))
		add_list(space, memory, RANGES_STACKS, &table, 0);
}

static void
keep_module(struct space *space, struct span entry, unsigned *odd)
{
	struct module module = {.base = u64_at(entry, 0), .size = u32_at(entry, 8), .checksum = u32_at(entry, 12),
	                        .timestamp = u32_at(entry, 16), .name_at = u32_at(entry, 20),
	                        .codeview_size = u32_at(entry, 76), .codeview_at = u32_at(entry, 80)};
	if (u32_at(entry, 24) == FIXED_FILE_INFO)
		module.version = (uint64_t)u32_at(entry, 32) << 32 | u32_at(entry, 36);
	if (module.codeview_at >= space->view.size || module.codeview_size > space->view.size - module.codeview_at)
		module.codeview_at = module.codeview_size = 0;
	if (module.size == 0 || module.size > UINT64_MAX - module.base)
		++*odd;
	else if (space->module_count >= SPACE_MODULES_MAX)
		space->modules_left_out++;
	else
		space->modules[space->module_count++] = module;
}

static void
read_modules(struct space *space)
{
	unsigned char room[MODULE_BYTES];
	struct table table;
	unsigned odd = 0;
	if (!plain_table(space, STREAM_MODULES, MODULE_BYTES, &table))
		return;
	for (uint64_t i = 0; i < table.count && table_entry(space, &table, i, room, sizeof room); i++)
		keep_module(space, (struct span){room, sizeof room}, &odd);
	if (odd > 0)
		space_note(space, "%u modules have no sensible size", odd);
	if (space->module_count > 0)
		space->main_base = space->modules[0].base; /* the loader's first, before they are sorted */
}

static void
read_threads(struct space *space)
{
	unsigned char room[THREAD_BYTES];
	struct span entry = {room, sizeof room};
	struct table table;
	if (!plain_table(space, STREAM_THREADS, THREAD_BYTES, &table))
		return;
	for (uint64_t i = 0; i < table.count && table_entry(space, &table, i, room, sizeof room); i++) {
		if (space->thread_count >= SPACE_THREADS_MAX) {
			space->threads_left_out = (size_t)(table.count - i);
			return;
		}
		space->threads[space->thread_count++] = (struct thread){
			.id = u32_at(entry, 0), .teb = u64_at(entry, 16), .stack_start = u64_at(entry, 24),
			.stack_size = u32_at(entry, 32), .context_size = u32_at(entry, 40), .context_at = u32_at(entry, 44)};
	}
}

/* The thread of an id, first at the place where the last one stood: both lists mostly have the same order. */
static struct thread *
thread_near(struct space *space, uint32_t id, size_t *hint)
{
	for (size_t i = 0; i < space->thread_count; i++) {
		size_t at = (*hint + i) % space->thread_count;
		if (space->threads[at].id == id) {
			*hint = at + 1;
			return &space->threads[at];
		}
	}
	return NULL;
}

static void
read_thread_names(struct space *space)
{
	unsigned char room[12];
	struct span entry = {room, sizeof room};
	struct table table;
	size_t hint = 0;
	if (!plain_table(space, STREAM_THREAD_NAMES, sizeof room, &table))
		return;
	for (uint64_t i = 0; i < table.count && i < SPACE_THREADS_MAX; i++) {
		struct thread *thread;
		if (!table_entry(space, &table, i, room, sizeof room))
			return;
		thread = thread_near(space, u32_at(entry, 0), &hint);
		if (thread != NULL && thread->name_at == 0)
			thread->name_at = u64_at(entry, 4);
	}
}

static void
read_thread_info(struct space *space)
{
	unsigned char room[64];
	struct span entry = {room, sizeof room};
	struct table table;
	size_t hint = 0;
	if (!stated_table(space, STREAM_THREAD_INFO, sizeof room, &table))
		return;
	for (uint64_t i = 0; i < table.count && i < SPACE_THREADS_MAX; i++) {
		struct thread *thread;
		if (!table_entry(space, &table, i, room, sizeof room))
			return;
		thread = thread_near(space, u32_at(entry, 0), &hint);
		if (thread != NULL && thread->start_address == 0)
			thread->start_address = u64_at(entry, 48);
	}
}

/* What was accessed: by system, as each of them says it. */
static void
find_fault_address(struct space *space)
{
	struct crash *crash = &space->crash;
	if (space->os == OS_WINDOWS) {
		bool access = crash->code == 0xc0000005 || crash->code == 0xc0000006;
		crash->has_fault_address = access && crash->parameter_count >= 2;
		crash->fault_address = crash->parameters[1];
	} else if (space->os == OS_LINUX) {
		bool has = crash->code == 4 || crash->code == 5 || crash->code == 7 || crash->code == 8 || crash->code == 11;
		/* old writers give no si_code; SI_KERNEL comes without an address */
		crash->has_fault_address = has && (int32_t)crash->flags >= 0 && crash->flags != 0x80;
		crash->fault_address = crash->address;
	} else {
		crash->has_fault_address = space->os == OS_MAC && crash->code == 1; /* EXC_BAD_ACCESS */
		crash->fault_address = crash->address;
	}
	if (!crash->has_fault_address)
		crash->fault_address = 0;
	if (space->pointer_size == 4) {
		crash->fault_address &= UINT32_MAX; /* some writers extend the sign */
		crash->address &= UINT32_MAX;
	}
}

static void
read_exception(struct space *space)
{
	unsigned char room[EXCEPTION_BYTES];
	const struct stream *stream = space_stream(space, STREAM_EXCEPTION);
	struct crash *crash = &space->crash;
	struct span head;
	if (stream == NULL)
		return;
	if (stream->size < sizeof room) {
		space_note(space, "the exception stream has %" PRIu32 " bytes instead of %d", stream->size, EXCEPTION_BYTES);
		return;
	}
	head = head_of(space, stream, room, sizeof room);
	if (head.count < sizeof room)
		return;
	crash->thread = u32_at(head, 0);
	crash->code = u32_at(head, 8);
	crash->flags = u32_at(head, 12);
	crash->address = u64_at(head, 24);
	crash->parameter_count = u32_at(head, 32);
	if (crash->parameter_count > PARAMETERS_MOST) {
		space_note(space, "the exception claims %" PRIu32 " parameters", crash->parameter_count);
		crash->parameter_count = PARAMETERS_MOST;
	}
	for (uint32_t i = 0; i < crash->parameter_count; i++)
		crash->parameters[i] = u64_at(head, 40 + 8 * i);
	crash->context_size = u32_at(head, 160);
	crash->context_at = u32_at(head, 164);
	crash->recorded = crash->code != 0 && crash->code != CODE_SIMULATED && crash->code != CODE_REQUESTED
	                  && crash->code != CODE_SIMULATED_MAC;
	find_fault_address(space);
	/* a dump on demand may still name the thread that asked for it */
	space->has_requesting_thread = !crash->recorded && crash->thread != 0;
	space->requesting_thread = crash->thread;
}

static void
read_breakpad_info(struct space *space)
{
	unsigned char room[12];
	const struct stream *stream = space_stream(space, STREAM_BREAKPAD_INFO);
	struct span head;
	if (stream == NULL)
		return;
	head = head_of(space, stream, room, sizeof room);
	space->has_writer_thread = head.count == sizeof room && (u32_at(head, 0) & 1) != 0;
	space->writer_thread = u32_at(head, 4);
	if (head.count < sizeof room || (u32_at(head, 0) & 2) == 0)
		return;
	space->has_requesting_thread = true;
	space->requesting_thread = u32_at(head, 8);
}

/* Breakpad for Linux puts /proc/PID/status there instead of the process id. */
static void
read_linux_status(struct space *space)
{
	unsigned char room[TEXT_PIECE];
	const struct stream *stream = space_stream(space, 0x47670004);
	struct span rest, line;
	if (stream == NULL || space->pid != 0)
		return;
	rest = head_of(space, stream, room, sizeof room);
	while (span_cut(&rest, '\n', &line)) {
		uint64_t pid;
		if (!span_begins(line, "Pid:"))
			continue;
		if (span_decimal(span_trim(span_from(line, 4)), &pid) && pid <= UINT32_MAX)
			space->pid = (uint32_t)pid;
		return;
	}
}

static bool
has_module(struct space *space, const char *wanted)
{
	char name[SPACE_NAME_MAX];
	for (size_t i = 0; i < space->module_count; i++) {
		space_module_name(space, &space->modules[i], name);
		if (span_is_nocase(span_of(space_short_name(name)), wanted))
			return true;
	}
	return false;
}

/* The code segment of an x64 context says whether 32-bit code ran. */
static bool
runs_narrow(struct space *space, uint64_t context_at, uint32_t context_size)
{
	uint16_t segment;
	return context_at != 0 && context_size >= X64_CONTEXT && view_u16(&space->view, context_at + 0x38, &segment)
	       && segment == WOW64_SEGMENT;
}

/* The 32-bit context that wow64cpu keeps while a thread is in 64-bit code: slot 1 of the TEB's thread-local storage
 * points at flags and machine, two bytes each, then the CONTEXT. */
static bool
find_kept_context(struct space *space, struct thread *thread)
{
	uint64_t kept;
	uint32_t flags;
	struct range range;
	if (thread->teb == 0 || thread->teb > UINT32_MAX || !space_u64(space, thread->teb + 0x1488, &kept)
	    || kept > UINT64_MAX / 2 || !space_u32(space, kept + 4, &flags) || (flags & 0x10000) == 0)
		return false;
	for (size_t i = 0; i < space->list_count; i++) {
		if (!ranges_find(&space->lists[i], &space->view, kept + 4, &range) || range.start > kept + 4
		    || range.size - (kept + 4 - range.start) < X86_CONTEXT)
			continue;
		thread->context_at = range.offset + (kept + 4 - range.start);
		thread->context_size = X86_CONTEXT;
		return true;
	}
	return false;
}

/* The 32-bit TEB, which the 64-bit one points at, and the stack that it names. */
static void
use_narrow_teb(struct space *space, struct thread *thread)
{
	uint64_t teb;
	uint32_t base, limit;
	if (!space_u64(space, thread->teb, &teb) || teb == 0 || teb > UINT32_MAX)
		return;
	thread->teb = teb;
	if (!space_u32(space, teb + 4, &base) || !space_u32(space, teb + 8, &limit) || limit >= base)
		return;
	thread->stack_start = limit;
	thread->stack_size = base - limit;
}

/* A 64-bit tool has dumped a 32-bit process: the 32-bit side is what matters. */
static void
enter_wow64(struct space *space)
{
	bool any = false;
	if (space->arch != ARCH_X64 || space->os != OS_WINDOWS || !has_module(space, "wow64cpu.dll"))
		return;
	for (size_t i = 0; i < space->thread_count; i++) {
		struct thread *thread = &space->threads[i];
		if (!runs_narrow(space, thread->context_at, thread->context_size) && !find_kept_context(space, thread))
			continue;
		use_narrow_teb(space, thread);
		any = true;
	}
	if (!any && !runs_narrow(space, space->crash.context_at, space->crash.context_size)) {
		space_note(space, "a 32-bit process dumped by a 64-bit tool, and its 32-bit contexts are not there");
		return;
	}
	if (!runs_narrow(space, space->crash.context_at, space->crash.context_size))
		space->crash.context_at = 0; /* the thread's own, which may be the kept one, is nearer to the point */
	space->is_wow64 = true;
	space->arch = ARCH_X86;
	space->pointer_size = 4;
	space_note(space, "a 32-bit process dumped by a 64-bit tool: its 32-bit side is shown");
}

bool
space_unloaded(struct space *space, uint64_t index, struct module *module)
{
	unsigned char room[24];
	struct span entry = {room, sizeof room};
	struct table table;
	size_t notes = space->soft_count;
	bool good = !space->is_core && stated_table(space, STREAM_UNLOADED, sizeof room, &table);
	if (index > 0)
		space->soft_count = notes; /* once is enough */
	if (!good || index >= table.count || !table_entry(space, &table, index, room, sizeof room))
		return false;
	*module = (struct module){.base = u64_at(entry, 0), .size = u32_at(entry, 8), .checksum = u32_at(entry, 12),
	                          .timestamp = u32_at(entry, 16), .name_at = u32_at(entry, 20)};
	return true;
}

/* Breakpad's MDRawAssertionInfo: expression, function and file of 128 units each, then line and kind. */
bool
space_assertion(struct space *space, struct text *text)
{
	const struct stream *stream = space_stream(space, STREAM_ASSERTION);
	size_t before = text->used;
	uint32_t line = 0;
	if (space->is_core || stream == NULL || stream->size < 776)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		size_t gap = text->used;
		text_put(text, gap > before ? ", " : "");
		words_put_utf16_at(text, &space->view, stream->at + 256 * i, 256);
		if (text->used == gap + 2 && gap > before) {
			text->used = gap;
			text->at[gap] = 0;
		}
	}
	if (text->used > before && view_u32(&space->view, stream->at + 768, &line) && line != 0)
		text_printf(text, ":%" PRIu32, line);
	return text->used > before;
}

bool
space_comment(struct space *space, struct text *text)
{
	const struct stream *wide = space_stream(space, STREAM_COMMENT_W), *narrow = space_stream(space, STREAM_COMMENT_A);
	if (space->is_core)
		return false;
	text_reset(text);
	if (wide != NULL)
		words_put_utf16_at(text, &space->view, wide->at, wide->size);
	else if (narrow != NULL)
		words_put_utf8_at(text, &space->view, narrow->at, narrow->size);
	return text->used > 0;
}

bool
minidump_read(struct space *space, struct memory *memory, struct fault *fault)
{
	if (!read_directory(space, fault))
		return false;
	space->os = OS_WINDOWS;
	read_system(space);
	read_misc(space);
	read_threads(space);
	if (space->arch == ARCH_UNKNOWN)
		space->arch = guess_arch(space);
	space->pointer_size = space->arch == ARCH_X86 || space->arch == ARCH_ARM ? 4 : 8;
	read_modules(space);
	read_thread_names(space);
	read_thread_info(space);
	read_memory_lists(space, memory);
	read_exception(space);
	enter_wow64(space);
	read_breakpad_info(space);
	read_linux_status(space);
	if (space->thread_count == 0 && space->module_count == 0 && !space->crash.recorded)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump has neither threads nor modules");
	return true;
}
