/* SPDX-License-Identifier: MIT */
/* Layouts: ELF-64 of the System V ABI; notes as Linux writes them (linux/elfcore.h, fs/binfmt_elf.c) and createdump does. */
#include "dump/core.h"

#include "dump/core_files.h"

#include <inttypes.h>
#include <string.h>

#define HEADER_BYTES 64
#define PHDR_BYTES 56
#define ET_CORE 4
#define MACHINE_X64 62
#define MACHINE_ARM64 183
#define PN_XNUM 0xffff /* the real count is in the first section header */
#define PT_NOTE 4
#define NOTES_MOST (8u * SPACE_THREADS_MAX) /* of all note segments */
#define VDSO_MOST 8192 /* bytes searched for its name */

enum note_kind { NOTE_PRSTATUS = 1, NOTE_PRPSINFO = 3, NOTE_AUXV = 6, NOTE_FILE = 0x46494c45, NOTE_SIGINFO = 0x53494749 };
enum { AT_PHDR = 3, AT_ENTRY = 9, AT_SYSINFO_EHDR = 33 };
enum { ORIG_RAX = 232, X8 = 176, WAIT4_X64 = 61, WAIT4_ARM64 = 260 }; /* in NT_PRSTATUS; numbers of system calls */
enum { SIGNAL_ILL = 4, SIGNAL_TRAP = 5, SIGNAL_ABORT = 6, SIGNAL_BUS = 7, SIGNAL_FPE = 8, SIGNAL_SEGV = 11, SIGNAL_STOP = 19 };

struct note {
	uint32_t type, size;
	uint64_t at;
};

struct reading {
	struct space *space;
	uint64_t phdrs, phdr_count;
	uint64_t entry, vdso;  /* from the auxiliary vector */
	unsigned notes;
	bool by_createdump;    /* .NET's, by what it leaves behind the notes' names */
	bool has_siginfo;
	size_t siginfo_thread; /* the number of the thread it belongs to */
};

static bool
check_kind(struct space *space, struct span head, struct fault *fault)
{
	if (head.at[4] != 2) {
		fault_raise(fault, FAULT_UNABLE, "the file is a 32-bit ELF file");
		return fault_hint(fault, "only cores of x86-64 and arm64 can be read");
	}
	if (head.at[5] != 1)
		return fault_raise(fault, FAULT_UNABLE, "the file is a big-endian ELF file");
	if (span_get_u16(head, 16) != ET_CORE) {
		fault_raise(fault, FAULT_CORRUPT, "the file is an ELF program or library, no core");
		return fault_hint(fault, "programs belong into the folder of --images");
	}
	if (span_get_u16(head, 18) != MACHINE_X64 && span_get_u16(head, 18) != MACHINE_ARM64)
		return fault_raise(fault, FAULT_UNABLE, "the core is of machine %u, only x86-64 and arm64 can be read", span_get_u16(head, 18));
	space->arch = span_get_u16(head, 18) == MACHINE_X64 ? ARCH_X64 : ARCH_ARM64;
	return true;
}

static bool
read_header(struct reading *reading, struct fault *fault)
{
	unsigned char room[HEADER_BYTES];
	struct space *space = reading->space;
	struct span head = {room, sizeof room};
	uint64_t fit;
	uint32_t real;
	if (!view_read(&space->view, 0, room, sizeof room))
		return fault_raise(fault, FAULT_CORRUPT, "the ELF file ends inside its header");
	if (!check_kind(space, head, fault))
		return false;
	reading->phdrs = span_get_u64(head, 32);
	reading->phdr_count = span_get_u16(head, 56);
	if (reading->phdr_count == PN_XNUM && span_get_u64(head, 40) != 0 && span_get_u64(head, 40) < space->view.size
	    && view_u32(&space->view, span_get_u64(head, 40) + 44, &real))
		reading->phdr_count = real;
	if (reading->phdr_count == 0 || reading->phdrs >= space->view.size || span_get_u16(head, 54) != PHDR_BYTES)
		return fault_raise(fault, FAULT_CORRUPT, "the core has no table of segments");
	fit = (space->view.size - reading->phdrs) / PHDR_BYTES;
	if (reading->phdr_count > fit) {
		space_note(space, "the file ends inside its table of %" PRIu64 " segments", reading->phdr_count);
		reading->phdr_count = fit;
	}
	return true;
}

static void
index_memory(struct reading *reading, struct memory *memory)
{
	struct space *space = reading->space;
	struct range_list *list = &space->lists[space->list_count++];
	list->kind = RANGES_PHDR;
	list->at = reading->phdrs;
	list->count = reading->phdr_count;
	ranges_index(list, &space->view, memory);
}

static void
take_thread(struct reading *reading, const struct note *note)
{
	unsigned char room[36];
	struct space *space = reading->space;
	struct span head = {room, sizeof room};
	if (note->size < sizeof room || !view_read(&space->view, note->at, room, sizeof room))
		return;
	if (space->thread_count >= SPACE_THREADS_MAX) {
		space->threads_left_out++;
		return;
	}
	space->threads[space->thread_count++] = (struct thread){
		.id = span_get_u32(head, 32), .signal = span_get_u16(head, 12), .context_at = note->at, .context_size = note->size};
}

/* siginfo_t: signo, errno, code, then by signal the address of the fault. */
static void
take_siginfo(struct reading *reading, const struct note *note)
{
	unsigned char room[24];
	struct crash *crash = &reading->space->crash;
	struct span head = {room, sizeof room};
	uint32_t signal;
	if (reading->has_siginfo || note->size < sizeof room || !view_read(&reading->space->view, note->at, room, sizeof room))
		return;
	signal = span_get_u32(head, 0);
	if (signal == 0)
		return;
	reading->has_siginfo = true;
	reading->siginfo_thread = reading->space->thread_count == 0 ? 0 : reading->space->thread_count - 1;
	crash->code = signal;
	crash->flags = span_get_u32(head, 8);
	crash->has_fault_address = (int32_t)crash->flags > 0 && crash->flags != 0x80 /* SI_KERNEL */
	                           && (signal == SIGNAL_ILL || signal == SIGNAL_TRAP || signal == SIGNAL_BUS
	                               || signal == SIGNAL_FPE || signal == SIGNAL_SEGV);
	if (crash->has_fault_address)
		crash->fault_address = span_get_u64(head, 16);
}

static void
take_auxv(struct reading *reading, const struct note *note)
{
	for (uint32_t at = 0; at + 16 <= note->size; at += 16) {
		unsigned char room[16];
		struct span pair = {room, sizeof room};
		if (!view_read(&reading->space->view, note->at + at, room, sizeof room) || span_get_u64(pair, 0) == 0)
			return;
		if (span_get_u64(pair, 0) == AT_ENTRY || (span_get_u64(pair, 0) == AT_PHDR && reading->entry == 0))
			reading->entry = span_get_u64(pair, 8);
		else if (span_get_u64(pair, 0) == AT_SYSINFO_EHDR)
			reading->vdso = span_get_u64(pair, 8);
	}
}

static void
take_note(struct reading *reading, const struct note *note)
{
	struct space *space = reading->space;
	switch (note->type) {
	case NOTE_PRSTATUS:
		take_thread(reading, note);
		return;
	case NOTE_SIGINFO:
		take_siginfo(reading, note);
		return;
	case NOTE_AUXV:
		take_auxv(reading, note);
		break;
	case NOTE_FILE:
		core_read_files(space, note->at, note->size);
		break;
	case NOTE_PRPSINFO:
		if (note->size >= 28 && !view_u32(&space->view, note->at + 24, &space->pid))
			space->pid = 0;
		break;
	default:
		return;
	}
	if (space_stream(space, note->type) == NULL && space->stream_count < SPACE_STREAMS_MAX)
		space->streams[space->stream_count++] = (struct stream){note->type, note->size, note->at};
}

/* The notes of one segment. Only "CORE" is compared: createdump leaves other bytes behind its end. */
static void
read_notes(struct reading *reading, uint64_t at, uint64_t end)
{
	while (end - at >= 12 && reading->notes++ < NOTES_MOST) {
		unsigned char room[20];
		struct span head = {room, sizeof room};
		struct note note;
		uint64_t name, next;
		memset(room, 0, sizeof room);
		if (!view_read(&reading->space->view, at, room, end - at < sizeof room ? 12 : sizeof room))
			return;
		name = ((uint64_t)span_get_u32(head, 0) + 3) & ~3ull;
		note = (struct note){span_get_u32(head, 8), span_get_u32(head, 4), at + 12 + name};
		next = note.at + (((uint64_t)note.size + 3) & ~3ull);
		if (name > end - at - 12 || note.size > end - note.at)
			return;
		if (span_get_u32(head, 0) >= 4 && memcmp(room + 12, "CORE", 4) == 0) {
			reading->by_createdump |= note.type == NOTE_PRSTATUS && memcmp(room + 16, "\0THR", 4) == 0;
			take_note(reading, &note);
		}
		if (next >= end)
			return;
		at = next;
	}
}

static void
read_note_segments(struct reading *reading)
{
	struct view *view = &reading->space->view;
	bool cut = false;
	for (uint64_t i = 0; i < reading->phdr_count; i++) {
		unsigned char room[PHDR_BYTES];
		struct span phdr = {room, sizeof room};
		uint64_t at, size;
		if (!view_read(view, reading->phdrs + i * PHDR_BYTES, room, sizeof room))
			return;
		at = span_get_u64(phdr, 8);
		size = span_get_u64(phdr, 32);
		if (span_get_u32(phdr, 0) != PT_NOTE || size == 0)
			continue;
		cut |= at >= view->size || size > view->size - at;
		if (at < view->size)
			read_notes(reading, at, size > view->size - at ? view->size : at + size);
	}
	if (cut)
		space_note(reading->space, "the file ends inside its notes");
}

/* Whether a thread is in the system call that waits for a child: the number it was called by is kept beside the registers. */
static bool
waits_for_child(struct space *space, const struct thread *thread)
{
	bool x64 = space->arch == ARCH_X64;
	uint32_t at = x64 ? ORIG_RAX : X8, call;
	return thread->context_size >= at + 8 && view_u32(&space->view, thread->context_at + at, &call) && call == (x64 ? WAIT4_X64 : WAIT4_ARM64);
}

/* The signal's note stands behind its thread; without one, the thread that has a signal; else the first one, where the
 * kernel puts the one that crashed. The createdump of .NET Core 3 writes no such note and SIGABRT for every thread, crash or
 * not: of a crash, the thread that started it waits for it. */
static size_t
choose_thread(struct reading *reading)
{
	struct space *space = reading->space;
	size_t signalled = 0, waiting = 0;
	if (reading->has_siginfo)
		return reading->siginfo_thread;
	while (signalled < space->thread_count - 1 && space->threads[signalled].signal == 0)
		signalled++;
	space->crash.code = (uint32_t)space->threads[signalled].signal;
	if (!reading->by_createdump || space->crash.code != SIGNAL_ABORT || space->threads[space->thread_count - 1].signal != SIGNAL_ABORT)
		return space->crash.code != 0 ? signalled : 0;
	while (waiting < space->thread_count && !waits_for_child(space, &space->threads[waiting]))
		waiting++;
	if (waiting < space->thread_count) {
		space->crash.doubtful = true;
		space_note(space, "createdump of .NET Core 3 marks a dump on demand as a crash by SIGABRT too");
		return waiting;
	}
	space->crash.code = 0;
	return 0;
}

static void
find_crash(struct reading *reading)
{
	struct space *space = reading->space;
	struct crash *crash = &space->crash;
	struct registers registers;
	size_t chosen;
	if (space->thread_count == 0)
		return;
	chosen = choose_thread(reading);
	/* gdb's gcore and the like stop a process; that is no crash */
	crash->recorded = crash->code != 0 && crash->code != SIGNAL_STOP;
	crash->thread = space->threads[chosen].id;
	if (space_registers(space, &space->threads[chosen], &registers))
		crash->address = registers.pc;
	if (!crash->recorded) {
		space->has_requesting_thread = true;
		space->requesting_thread = crash->thread;
	}
}

/* The memory that a thread's stack pointer lies in. */
static void
find_stacks(struct space *space)
{
	for (size_t i = 0; i < space->thread_count && space->lists[0].sorted; i++) {
		struct thread *thread = &space->threads[i];
		struct registers registers;
		uint64_t start, size;
		if (!space_registers(space, thread, &registers) || !space_range_at(space, registers.sp, &start, &size)
		    || start > registers.sp)
			continue;
		thread->stack_start = start;
		thread->stack_size = size;
	}
}

/* The kernel's own library, which no file backs; its name is in itself. */
static void
add_vdso(struct reading *reading)
{
	unsigned char piece[1024 + 16];
	struct space *space = reading->space;
	struct module module = {.base = reading->vdso};
	struct range range;
	if (reading->vdso == 0 || space->module_count >= SPACE_MODULES_MAX
	    || !ranges_find(&space->lists[0], &space->view, reading->vdso, &range) || range.start != reading->vdso)
		return;
	module.size = range.size;
	for (uint64_t at = 0; at < range.size && at < VDSO_MOST && module.name_at == 0; at += 1024) {
		size_t place, size = space_read_some(space, module.base + at, piece, sizeof piece);
		if (span_find((struct span){piece, size}, "linux-vdso.so.1", &place))
			module.name_at = range.offset + at + place;
	}
	space->modules[space->module_count++] = module;
}

bool
core_read(struct space *space, struct memory *memory, struct fault *fault)
{
	struct reading reading = {.space = space};
	space->is_core = true;
	space->os = OS_LINUX;
	space->pointer_size = 8;
	if (!read_header(&reading, fault))
		return false;
	index_memory(&reading, memory);
	read_note_segments(&reading);
	if (space->thread_count == 0)
		return fault_raise(fault, FAULT_CORRUPT, "the core has no thread: its notes are cut or missing");
	find_crash(&reading);
	find_stacks(space);
	for (size_t i = 0; i < space->module_count; i++)
		if (reading.entry - space->modules[i].base < space->modules[i].size)
			space->main_base = space->modules[i].base;
	add_vdso(&reading);
	return true;
}
