/* SPDX-License-Identifier: MIT */
/* Layouts: ELF-64 of the System V ABI; notes as Linux writes them (linux/elfcore.h, fs/binfmt_elf.c) and createdump does. */
#include "dump/core.h"

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
#define PIECE 256
#define VDSO_MOST 8192 /* bytes searched for its name */
#define GAP_MOST (64u << 20) /* between the segments of one library: they are aligned to 2 MiB at most */

enum note_kind { NOTE_PRSTATUS = 1, NOTE_PRPSINFO = 3, NOTE_AUXV = 6, NOTE_FILE = 0x46494c45, NOTE_SIGINFO = 0x53494749 };
enum { AT_PHDR = 3, AT_ENTRY = 9, AT_SYSINFO_EHDR = 33 };
enum { SIGNAL_ILL = 4, SIGNAL_TRAP = 5, SIGNAL_BUS = 7, SIGNAL_FPE = 8, SIGNAL_SEGV = 11, SIGNAL_STOP = 19 };

struct note {
	uint32_t type, size;
	uint64_t at;
};

struct reading {
	struct space *space;
	uint64_t phdrs, phdr_count;
	uint64_t entry, vdso;  /* from the auxiliary vector */
	unsigned notes;
	bool has_siginfo;
	size_t siginfo_thread; /* the number of the thread it belongs to */
};

/* One mapped file of NT_FILE. */
struct mapping {
	uint64_t start, end, page;
	uint64_t name_at, name_hash;
};

static uint16_t
u16_at(struct span span, size_t place)
{
	uint16_t value = 0;
	return span_u16(span, place, &value) ? value : 0;
}

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

static bool
check_kind(struct space *space, struct span head, struct fault *fault)
{
	if (head.at[4] != 2) {
		fault_raise(fault, FAULT_UNABLE, "the file is a 32-bit ELF file");
		return fault_hint(fault, "only cores of x86-64 and arm64 can be read");
	}
	if (head.at[5] != 1)
		return fault_raise(fault, FAULT_UNABLE, "the file is a big-endian ELF file");
	if (u16_at(head, 16) != ET_CORE) {
		fault_raise(fault, FAULT_CORRUPT, "the file is an ELF program or library, no core");
		return fault_hint(fault, "programs belong into the folder of --images");
	}
	if (u16_at(head, 18) != MACHINE_X64 && u16_at(head, 18) != MACHINE_ARM64)
		return fault_raise(fault, FAULT_UNABLE, "the core is of machine %u, only x86-64 and arm64 can be read", u16_at(head, 18));
	space->arch = u16_at(head, 18) == MACHINE_X64 ? ARCH_X64 : ARCH_ARM64;
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
	reading->phdrs = u64_at(head, 32);
	reading->phdr_count = u16_at(head, 56);
	if (reading->phdr_count == PN_XNUM && u64_at(head, 40) != 0 && u64_at(head, 40) < space->view.size
	    && view_u32(&space->view, u64_at(head, 40) + 44, &real))
		reading->phdr_count = real;
	if (reading->phdr_count == 0 || reading->phdrs >= space->view.size || u16_at(head, 54) != PHDR_BYTES)
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
		.id = u32_at(head, 32), .signal = u16_at(head, 12), .context_at = note->at, .context_size = note->size};
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
	signal = u32_at(head, 0);
	if (signal == 0)
		return;
	reading->has_siginfo = true;
	reading->siginfo_thread = reading->space->thread_count == 0 ? 0 : reading->space->thread_count - 1;
	crash->code = signal;
	crash->flags = u32_at(head, 8);
	crash->has_fault_address = (int32_t)crash->flags > 0 && crash->flags != 0x80 /* SI_KERNEL */
	                           && (signal == SIGNAL_ILL || signal == SIGNAL_TRAP || signal == SIGNAL_BUS
	                               || signal == SIGNAL_FPE || signal == SIGNAL_SEGV);
	if (crash->has_fault_address)
		crash->fault_address = u64_at(head, 16);
}

static void
take_auxv(struct reading *reading, const struct note *note)
{
	for (uint32_t at = 0; at + 16 <= note->size; at += 16) {
		unsigned char room[16];
		struct span pair = {room, sizeof room};
		if (!view_read(&reading->space->view, note->at + at, room, sizeof room) || u64_at(pair, 0) == 0)
			return;
		if (u64_at(pair, 0) == AT_ENTRY || (u64_at(pair, 0) == AT_PHDR && reading->entry == 0))
			reading->entry = u64_at(pair, 8);
		else if (u64_at(pair, 0) == AT_SYSINFO_EHDR)
			reading->vdso = u64_at(pair, 8);
	}
}

/* Moves *at behind the NUL of the name that begins there; its hash (FNV-1a). False: no NUL before end. */
static bool
skip_name(struct view *view, uint64_t *at, uint64_t end, uint64_t *hash)
{
	*hash = 0xcbf29ce484222325ull;
	while (*at < end) {
		unsigned char piece[PIECE];
		size_t take = end - *at < PIECE ? (size_t)(end - *at) : PIECE;
		if (!view_read(view, *at, piece, take))
			return false;
		for (size_t i = 0; i < take; i++) {
			++*at;
			if (piece[i] == 0)
				return true;
			*hash = (*hash ^ piece[i]) * 0x100000001b3ull;
		}
	}
	return false;
}

/* Whether a mapped file is a program or library: data files, fonts and memory of no file (.NET's code) are mapped too.
 * What cannot be read may be a library whose pages were left out. */
static bool
is_image(struct space *space, const struct mapping *first)
{
	unsigned char magic[4], name[7];
	struct span start = {name, sizeof name};
	if (space_read(space, first->start, magic, sizeof magic))
		return memcmp(magic, "\x7f" "ELF", 4) == 0 || memcmp(magic, "MZ", 2) == 0;
	return first->page == 0 && view_read(&space->view, first->name_at, name, sizeof name)
	       && !span_begins(start, "/memfd:") && !span_begins(start, "/dev/") && !span_begins(start, "/SYSV");
}

static void
keep_module(struct space *space, const struct mapping *first, uint64_t end)
{
	if (first->end <= first->start || end <= first->start || !is_image(space, first))
		return;
	if (space->module_count >= SPACE_MODULES_MAX) {
		space->modules_left_out++;
		return;
	}
	space->modules[space->module_count++] = (struct module){
		.base = first->start, .size = end - first->start, .name_at = first->name_at, .file_offset = first->page};
}

static bool
belongs(const struct mapping *first, const struct mapping *last, const struct mapping *next)
{
	return next->name_hash == first->name_hash && next->start >= last->end && next->start - last->end <= GAP_MOST
	       && next->page != 0 && next->page >= last->page;
}

/* NT_FILE: count, page size, {start, end, page of the file}…, then as many names. Neighbours of one name are a module. */
static void
take_files(struct reading *reading, const struct note *note)
{
	unsigned char room[24];
	struct view *view = &reading->space->view;
	struct mapping first = {0}, last = {0};
	uint64_t count, page, names, end = note->at + note->size;
	if (note->size < 16 || !view_u64(view, note->at, &count) || !view_u64(view, note->at + 8, &page))
		return;
	if (count > (note->size - 16) / sizeof room) {
		space_note(reading->space, "the list of mapped files claims %" PRIu64 " entries", count);
		return;
	}
	names = note->at + 16 + count * sizeof room;
	for (uint64_t i = 0; i < count; i++) {
		struct span entry = {room, sizeof room};
		struct mapping next = {.name_at = names};
		if (!view_read(view, note->at + 16 + i * sizeof room, room, sizeof room)
		    || !skip_name(view, &names, end, &next.name_hash))
			break;
		next.start = u64_at(entry, 0);
		next.end = u64_at(entry, 8);
		next.page = u64_at(entry, 16);
		if (page != 0 && next.page <= UINT64_MAX / page)
			next.page *= page;
		if (!belongs(&first, &last, &next)) {
			keep_module(reading->space, &first, last.end);
			first = next;
		}
		last = next;
	}
	keep_module(reading->space, &first, last.end);
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
		take_files(reading, note);
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

/* The notes of one segment. Only "CORE" is compared: createdump does not clear the bytes behind it. */
static void
read_notes(struct reading *reading, uint64_t at, uint64_t end)
{
	while (end - at >= 12 && reading->notes++ < NOTES_MOST) {
		unsigned char room[16];
		struct span head = {room, sizeof room};
		struct note note;
		uint64_t name, next;
		memset(room, 0, sizeof room);
		if (!view_read(&reading->space->view, at, room, end - at < sizeof room ? 12 : sizeof room))
			return;
		name = ((uint64_t)u32_at(head, 0) + 3) & ~3ull;
		note = (struct note){u32_at(head, 8), u32_at(head, 4), at + 12 + name};
		next = note.at + (((uint64_t)note.size + 3) & ~3ull);
		if (name > end - at - 12 || note.size > end - note.at)
			return;
		if (u32_at(head, 0) >= 4 && memcmp(room + 12, "CORE", 4) == 0)
			take_note(reading, &note);
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
		at = u64_at(phdr, 8);
		size = u64_at(phdr, 32);
		if (u32_at(phdr, 0) != PT_NOTE || size == 0)
			continue;
		cut |= at >= view->size || size > view->size - at;
		if (at < view->size)
			read_notes(reading, at, size > view->size - at ? view->size : at + size);
	}
	if (cut)
		space_note(reading->space, "the file ends inside its notes");
}

/* The signal's note stands behind its thread; without one, the thread that has a signal; else the first one, where the
 * kernel puts the one that crashed. createdump once gave all threads the same signal. */
static void
find_crash(struct reading *reading)
{
	struct space *space = reading->space;
	struct crash *crash = &space->crash;
	size_t chosen = reading->has_siginfo ? reading->siginfo_thread : 0;
	struct registers registers;
	if (space->thread_count == 0)
		return;
	for (size_t i = 0; !reading->has_siginfo && i < space->thread_count; i++) {
		if (space->threads[i].signal != 0) {
			chosen = i;
			break;
		}
	}
	if (!reading->has_siginfo)
		crash->code = (uint32_t)space->threads[chosen].signal;
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
