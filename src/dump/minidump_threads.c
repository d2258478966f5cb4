/* SPDX-License-Identifier: MIT */
#include "dump/minidump_threads.h"

#include "dump/minidump_table.h"

#define THREAD_BYTES 48
#define X64_CONTEXT 1232
#define X86_CONTEXT 716
#define WOW64_SEGMENT 0x23

static void
read_list(struct space *space)
{
	unsigned char room[THREAD_BYTES];
	struct span entry = {room, sizeof room};
	struct minidump_table table;
	if (!minidump_plain_table(space, STREAM_THREADS, THREAD_BYTES, &table))
		return;
	for (uint64_t i = 0; i < table.count && minidump_entry(space, &table, i, room, sizeof room); i++) {
		if (space->thread_count >= SPACE_THREADS_MAX) {
			space->threads_left_out = (size_t)(table.count - i);
			return;
		}
		space->threads[space->thread_count++] = (struct thread){
			.id = span_get_u32(entry, 0), .teb = span_get_u64(entry, 16), .stack_start = span_get_u64(entry, 24),
			.stack_size = span_get_u32(entry, 32), .context_size = span_get_u32(entry, 40), .context_at = span_get_u32(entry, 44)};
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

/* Of a list by thread ids: what stands at `place` of its entries is the name or the start of a thread. */
static void
add_to_threads(struct space *space, const struct minidump_table *table, size_t place, bool name)
{
	unsigned char room[64];
	struct span entry = {room, place + 8};
	size_t hint = 0;
	for (uint64_t i = 0; i < table->count && i < SPACE_THREADS_MAX; i++) {
		struct thread *thread;
		uint64_t *member;
		if (!minidump_entry(space, table, i, room, entry.count))
			return;
		thread = thread_near(space, span_get_u32(entry, 0), &hint);
		if (thread == NULL)
			continue;
		member = name ? &thread->name_at : &thread->start_address;
		if (*member == 0)
			*member = span_get_u64(entry, place);
	}
}

void
minidump_read_threads(struct space *space)
{
	struct minidump_table table;
	read_list(space);
	if (minidump_plain_table(space, STREAM_THREAD_NAMES, 12, &table))
		add_to_threads(space, &table, 4, true);
	if (minidump_stated_table(space, STREAM_THREAD_INFO, 64, &table))
		add_to_threads(space, &table, 48, false);
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
	uint32_t segments; /* cs and ds */
	return context_at != 0 && context_size >= X64_CONTEXT && view_u32(&space->view, context_at + 0x38, &segments)
	       && (segments & 0xffff) == WOW64_SEGMENT;
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
void
minidump_enter_wow64(struct space *space)
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
