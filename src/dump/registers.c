/* SPDX-License-Identifier: MIT */
/* Registers out of Windows' CONTEXT records (winnt.h) and Linux' prstatus (sys/procfs.h, sys/user.h). Contexts with XSTATE
 * or CET behind them are larger than the base record; smaller ones are none. */
#include "dump/space.h"

#include <string.h>

#define CONTEXT_BYTES 1232 /* the largest base record */

struct layout {
	enum space_arch arch;
	size_t size;               /* of the base record */
	size_t pc, sp, fp, flags;  /* places; flags has 4 bytes */
	size_t width;              /* bytes of a register */
	size_t count;
	const unsigned char *order; /* place of r[i] in registers from `first` on; NULL: in order */
	size_t first;
};

/* rax rcx rdx rbx rsp rbp rsi rdi r8… as x86-64's user_regs_struct has them: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx
 * rdx rsi rdi orig_rax rip cs eflags rsp ss */
static const unsigned char linux_x64[] = {10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0};
/* eax ecx edx ebx esp ebp esi edi as CONTEXT has them from edi on: edi esi ebx edx ecx eax ebp eip cs eflags esp */
static const unsigned char windows_x86[] = {5, 4, 3, 2, 10, 6, 1, 0};

static const struct layout windows[] = {
	{ARCH_X64, 1232, 0xf8, 0x98, 0xa0, 0x44, 8, 16, NULL, 0x78},
	{ARCH_X86, 716, 0xb8, 0xc4, 0xb4, 0xc0, 4, 8, windows_x86, 0x9c},
	{ARCH_ARM64, 796, 0x108, 0x100, 0xf0, 4, 8, 32, NULL, 8}, /* Breakpad's old one is shorter and else the same */
	{ARCH_ARM, 336, 0x40, 0x38, 0x30, 0x44, 4, 16, NULL, 4},
};
static const struct layout linux_core[] = {
	{ARCH_X64, 336, 112 + 16 * 8, 112 + 19 * 8, 112 + 4 * 8, 112 + 18 * 8, 8, 16, linux_x64, 112},
	{ARCH_ARM64, 392, 112 + 32 * 8, 112 + 31 * 8, 112 + 29 * 8, 112 + 33 * 8, 8, 32, NULL, 112},
};

static const struct layout *
layout_of(const struct space *space)
{
	const struct layout *list = space->is_core ? linux_core : windows;
	size_t count = space->is_core ? sizeof linux_core / sizeof linux_core[0] : sizeof windows / sizeof windows[0];
	for (size_t i = 0; i < count; i++)
		if (list[i].arch == space->arch)
			return &list[i];
	return NULL;
}

static uint64_t
word(struct span context, size_t place, size_t width)
{
	return width == 8 ? span_get_u64(context, place) : span_get_u32(context, place);
}

static void
narrow_down(struct registers *registers)
{
	for (size_t i = 0; i < sizeof registers->r / sizeof registers->r[0]; i++)
		registers->r[i] = i < 8 ? registers->r[i] & UINT32_MAX : 0;
	registers->pc &= UINT32_MAX;
	registers->sp &= UINT32_MAX;
	registers->fp &= UINT32_MAX;
	registers->valid &= 0xff;
}

static bool
read_context(struct space *space, const struct layout *layout, uint64_t at, uint32_t size, struct registers *registers)
{
	unsigned char room[CONTEXT_BYTES];
	struct span context = {room, 0};
	bool narrow = space->is_wow64 && size >= CONTEXT_BYTES;
	if (narrow)
		layout = &windows[0]; /* 32-bit code in a 64-bit context: the same order, upper halves without meaning */
	context.count = layout->size;
	if (at == 0 || size < layout->size || !view_read(&space->view, at, room, layout->size))
		return false;
	memset(registers, 0, sizeof *registers);
	for (size_t i = 0; i < layout->count; i++) {
		size_t index = layout->order == NULL ? i : layout->order[i];
		registers->r[i] = word(context, layout->first + index * layout->width, layout->width);
		registers->valid |= 1ull << i;
	}
	registers->pc = word(context, layout->pc, layout->width);
	registers->sp = word(context, layout->sp, layout->width);
	registers->fp = word(context, layout->fp, layout->width);
	registers->flags = (uint32_t)word(context, layout->flags, 4);
	if (narrow)
		narrow_down(registers);
	return true;
}

bool
space_registers(struct space *space, const struct thread *thread, struct registers *registers)
{
	const struct layout *layout = layout_of(space);
	const struct crash *crash = &space->crash;
	if (layout == NULL)
		return false;
	/* The thread's own context in the list may be that of the handler that wrote the dump. */
	if (thread->id == crash->thread && crash->context_at != 0
	    && read_context(space, layout, crash->context_at, crash->context_size, registers))
		return true;
	return read_context(space, layout, thread->context_at, thread->context_size, registers);
}
