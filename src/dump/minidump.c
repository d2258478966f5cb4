/* SPDX-License-Identifier: MIT */
#include "dump/minidump.h"

#include "dump/minidump_table.h"
#include "dump/minidump_threads.h"

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

/* MINIDUMP_SYSTEM_INFO's processor and platform; those from 0x8000 on are Breakpad's. */
enum { CPU_X86 = 0, CPU_ARM = 5, CPU_X64 = 9, CPU_ARM64 = 12, CPU_ARM64_OLD = 0x8003 };
enum { PLATFORM_NT = 2, PLATFORM_MAC = 0x8101, PLATFORM_IOS = 0x8102, PLATFORM_LINUX = 0x8201, PLATFORM_ANDROID = 0x8203 };

/* Codes of an exception stream that nobody raised: Crashpad's and Breakpad's dumps on demand. */
#define CODE_SIMULATED 0x0517a7edu
#define CODE_REQUESTED 0xffffffffu
#define CODE_SIMULATED_MAC 0x43507378u

static void
keep_stream(struct space *space, struct span entry, unsigned *odd)
{
	struct stream stream = {span_get_u32(entry, 0), span_get_u32(entry, 4), span_get_u32(entry, 8)};
	if (stream.type == 0)
		return; /* UnusedStream */
	if (stream.at >= space->view.size || stream.size > space->view.size - stream.at) {
		++*odd;
		space->crash_torn = space->crash_torn || stream.type == STREAM_EXCEPTION;
		if (stream.at >= space->view.size)
			return;
		stream.size = (uint32_t)(space->view.size - stream.at);
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
	if ((span_get_u32(head, 4) & 0xffff) != VERSION)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump has version %04" PRIx32 ", not a793", span_get_u32(head, 4) & 0xffff);
	count = span_get_u32(head, 8);
	at = span_get_u32(head, 12);
	space->dump_time_s = span_get_u32(head, 20);
	space->minidump_flags = span_get_u64(head, 24);
	end = at + count * ENTRY_BYTES;
	if (at >= space->view.size)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump ends before its directory");
	if (end > space->view.size) {
		space->torn = space->crash_torn = true;
		space_note(space, "the file ends inside its directory of %" PRIu64 " streams", count);
	}
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
	head = minidump_head(space, stream, room, sizeof room);
	space->arch = arch_of(span_get_u32(head, 0) & 0xffff);
	space->os_major = span_get_u32(head, 8);
	space->os_minor = span_get_u32(head, 12);
	space->os_build = span_get_u32(head, 16);
	space->os = os_of(span_get_u32(head, 20));
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
	head = minidump_head(space, stream, room, sizeof room);
	if (span_get_u32(head, 0) < head.count)
		head = span_first(head, span_get_u32(head, 0));
	flags = span_get_u32(head, 4);
	if ((flags & 1) != 0 && head.count >= 12)
		space->pid = span_get_u32(head, 8);
	if ((flags & 2) == 0 || head.count < 24)
		return;
	space->process_start_s = span_get_u32(head, 12);
	space->process_user_s = span_get_u32(head, 16);
	space->process_kernel_s = span_get_u32(head, 20);
	space->has_process_times = true;
}

static void
add_list(struct space *space, struct memory *memory, enum range_kind kind, const struct minidump_table *table, uint64_t base)
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
	struct minidump_table table;
	if (full != NULL && full->size >= sizeof room) {
		struct span head = minidump_head(space, full, room, sizeof room);
		table = (struct minidump_table){full->at + sizeof room, span_get_u64(head, 0), 16};
		minidump_clamp(space, full, &table);
		add_list(space, memory, RANGES_MEMORY64, &table, span_get_u64(head, 8));
	}
	if (minidump_plain_table(space, STREAM_MEMORY, 16, &table))
		add_list(space, memory, RANGES_MEMORY32, &table, 0);
	if (minidump_plain_table(space, STREAM_THREADS, THREAD_BYTES, &table))
		add_list(space, memory, RANGES_STACKS, &table, 0);
}

static void
keep_module(struct space *space, struct span entry, unsigned *odd)
{
	struct module module = {.base = span_get_u64(entry, 0), .size = span_get_u32(entry, 8), .checksum = span_get_u32(entry, 12),
	                        .timestamp = span_get_u32(entry, 16), .name_at = span_get_u32(entry, 20),
	                        .codeview_size = span_get_u32(entry, 76), .codeview_at = span_get_u32(entry, 80)};
	if (span_get_u32(entry, 24) == FIXED_FILE_INFO)
		module.version = (uint64_t)span_get_u32(entry, 32) << 32 | span_get_u32(entry, 36);
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
	struct minidump_table table;
	unsigned odd = 0;
	if (!minidump_plain_table(space, STREAM_MODULES, MODULE_BYTES, &table))
		return;
	for (uint64_t i = 0; i < table.count && minidump_entry(space, &table, i, room, sizeof room); i++)
		keep_module(space, (struct span){room, sizeof room}, &odd);
	if (odd > 0)
		space_note(space, "%u modules have no sensible size", odd);
	if (space->module_count > 0)
		space->main_base = space->modules[0].base; /* the loader's first, before they are sorted */
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
	head = minidump_head(space, stream, room, sizeof room);
	if (head.count < sizeof room)
		return;
	crash->thread = span_get_u32(head, 0);
	crash->code = span_get_u32(head, 8);
	crash->flags = span_get_u32(head, 12);
	crash->address = span_get_u64(head, 24);
	crash->parameter_count = span_get_u32(head, 32);
	if (crash->parameter_count > PARAMETERS_MOST) {
		space_note(space, "the exception claims %" PRIu32 " parameters", crash->parameter_count);
		crash->parameter_count = PARAMETERS_MOST;
	}
	for (uint32_t i = 0; i < crash->parameter_count; i++)
		crash->parameters[i] = span_get_u64(head, 40 + 8 * i);
	crash->context_size = span_get_u32(head, 160);
	crash->context_at = span_get_u32(head, 164);
	crash->recorded = crash->code != 0 && crash->code != CODE_SIMULATED && crash->code != CODE_REQUESTED
	                  && crash->code != CODE_SIMULATED_MAC;
	space->crash_torn = false;
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
	head = minidump_head(space, stream, room, sizeof room);
	space->has_writer_thread = head.count == sizeof room && (span_get_u32(head, 0) & 1) != 0;
	space->writer_thread = span_get_u32(head, 4);
	if (head.count < sizeof room || (span_get_u32(head, 0) & 2) == 0)
		return;
	space->has_requesting_thread = true;
	space->requesting_thread = span_get_u32(head, 8);
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
	rest = minidump_head(space, stream, room, sizeof room);
	while (span_cut(&rest, '\n', &line)) {
		uint64_t pid;
		if (!span_begins(line, "Pid:"))
			continue;
		if (span_decimal(span_trim(span_from(line, 4)), &pid) && pid <= UINT32_MAX)
			space->pid = (uint32_t)pid;
		return;
	}
}

bool
minidump_read(struct space *space, struct memory *memory, struct fault *fault)
{
	if (!read_directory(space, fault))
		return false;
	space->os = OS_WINDOWS;
	read_system(space);
	read_misc(space);
	minidump_read_threads(space);
	if (space->arch == ARCH_UNKNOWN)
		space->arch = guess_arch(space);
	space->pointer_size = space->arch == ARCH_X86 || space->arch == ARCH_ARM ? 4 : 8;
	read_modules(space);
	read_memory_lists(space, memory);
	read_exception(space);
	minidump_enter_wow64(space);
	read_breakpad_info(space);
	read_linux_status(space);
	if (space->thread_count == 0 && space->module_count == 0 && !space->crash.recorded)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump has neither threads nor modules");
	return true;
}
