/* SPDX-License-Identifier: MIT */
#include "dump/walk.h"

#include "dump/unwind_arm64.h"
#include "dump/unwind_elf.h"
#include "dump/unwind_guess.h"
#include "dump/unwind_x64.h"

#include <string.h>

#define STEPS_MOST 1000000u  /* an 8 MiB stack of smallest frames has 500,000 */
#define LOOKS_MOST 16384u    /* words of a stack that are tried as pointers to a signal's record */
#define SWITCHES_MOST 8      /* from a signal's own stack to that it interrupted */
#define PE_HEADERS 4096      /* code of an image begins behind them; at least a page, as it is mapped */
#define ELF_HEADERS 512

static bool
code_knows(struct walker *walker, uint64_t address)
{
	uint64_t base;
	uint32_t entry[3];
	return walker->code != NULL && walker->code->unwind_at != NULL &&
	       walker->code->unwind_at(walker->code, walker->space, address, &base, entry);
}

/* Whether a call may lie right before a return address. */
static bool
is_code(void *who, uint64_t address)
{
	struct walker *walker = who;
	uint64_t before = address - 1;
	const struct module *module = space_module_at(walker->space, before);
	const struct image *image;
	if (module == NULL)
		return code_knows(walker, before);
	image = walk_image(walker, module);
	if (image->kind == IMAGE_PE)
		return pe_executable(&image->pe, walker->space, (uint32_t)(before - module->base));
	if (image->kind == IMAGE_ELF)
		return elf_executable(&image->elf, before) || code_knows(walker, before);
	return before - module->base >= (walker->space->os == OS_WINDOWS ? PE_HEADERS : ELF_HEADERS);
}

static void
keep_frame(struct walker *walker)
{
	struct frame *frame = frames_add(walker->frames);
	memset(frame, 0, sizeof *frame);
	frame->pc = walker->registers.pc;
	frame->sp = walker->registers.sp;
	frame->trust = walker->trust;
	frame->exact = walker->exact;
	frame->module = space_module_at(walker->space, frame->pc - (frame->exact || frame->pc == 0 ? 0 : 1));
	frame->repeated_group = 1;
}

enum stepped { STEP_NO, STEP_YES, STEP_OUTERMOST };

static enum stepped
by_entry(struct walker *walker, const struct pe_entry *entry)
{
	struct registers kept = walker->registers;
	struct pe_step step = {walker->exact, false};
	bool arm64 = walker->space->arch == ARCH_ARM64;
	if (!(arm64 ? arm64_unwind : x64_unwind)(walker->space, entry, &walker->registers, &step)) {
		walker->registers = kept;
		return STEP_NO;
	}
	walker->exact = step.trapped;
	walker->trust = TRUST_PDATA;
	return STEP_YES;
}

static enum stepped
by_code(struct walker *walker, uint64_t pc)
{
	struct pe_entry entry;
	uint32_t words[3];
	if (walker->code == NULL || walker->code->unwind_at == NULL || walker->space->arch != ARCH_X64 ||
	    !walker->code->unwind_at(walker->code, walker->space, pc, &entry.base, words))
		return STEP_NO;
	entry.begin = words[0];
	entry.end = words[1];
	entry.unwind = words[2];
	return by_entry(walker, &entry);
}

static bool
by_leaf(struct walker *walker)
{
	if (walker->space->arch != ARCH_ARM64)
		return x64_unwind_leaf(walker->space, &walker->registers);
	arm64_unwind_leaf(&walker->registers);
	return true;
}

static enum stepped
by_pdata(struct walker *walker, const struct pe *pe, uint64_t pc)
{
	struct pe_entry entry;
	struct registers kept = walker->registers;
	uint32_t gap;
	enum pe_found found = walk_find(pe, walker->space, (uint32_t)(pc - pe->base), &entry, &gap);
	if (found == PE_FOUND)
		return by_entry(walker, &entry);
	if (found == PE_LEAF && walker->exact && by_leaf(walker) && is_code(walker, walker->registers.pc)) {
		walker->exact = false;
		walker->trust = TRUST_PDATA;
		return STEP_YES;
	}
	walker->registers = kept;
	return STEP_NO;
}

static enum stepped
by_cfi(struct walker *walker, const struct elf *elf, struct frame *frame)
{
	struct elf_step step = {walker->exact, false, false, 0};
	if (!elf_unwind(elf, walker->space, &walker->registers, &step)) {
		if (walker->space->arch != ARCH_X64 || !elf_unwind_signal(walker->space, &walker->registers))
			return STEP_NO;
		step.trapped = true;
	}
	frame->function = step.function;
	walker->exact = step.trapped;
	walker->trust = TRUST_CFI;
	return step.outermost ? STEP_OUTERMOST : STEP_YES;
}

static enum stepped
by_data(struct walker *walker, struct frame *frame)
{
	uint64_t pc = walker->registers.pc - (walker->exact ? 0 : 1);
	const struct image *image = frame->module != NULL ? walk_image(walker, frame->module) : NULL;
	enum stepped stepped = STEP_NO;
	if (image != NULL && image->kind == IMAGE_PE)
		stepped = by_pdata(walker, &image->pe, pc);
	else if (image != NULL && image->kind == IMAGE_ELF)
		stepped = by_cfi(walker, &image->elf, frame);
	return stepped != STEP_NO ? stepped : by_code(walker, pc);
}

/* The zeroes at the end of a chain count only when there was a chain. */
static bool
follow_pointer(struct walker *walker, const struct guess *guess, enum frame_trust before)
{
	struct registers kept = walker->registers;
	if (!guess_by_pointer(guess, &walker->registers))
		return false;
	if (walker->registers.pc != 0 || before == TRUST_FP)
		return true;
	walker->registers = kept;
	return false;
}

/* By frame pointers or a look at the stack. When frame 0 is no code at all, as after a call through a null pointer, the
 * word at sp is where it was called from. */
static enum stepped
by_guess(struct walker *walker)
{
	struct guess guess = {walker->space, is_code, walker, walker->stack_end};
	bool first = walker->frames->count == 1;
	enum frame_trust before = walker->trust;
	bool lost = walker->exact && !is_code(walker, walker->registers.pc + 1);
	walker->trust = TRUST_SCAN;
	if (!(lost && guess_by_scan(&guess, &walker->registers, 1))) {
		if (follow_pointer(walker, &guess, before))
			walker->trust = TRUST_FP;
		else if (walker->frames->ended_well ||
		         !guess_by_scan(&guess, &walker->registers, first ? GUESS_WORDS_FIRST : GUESS_WORDS))
			return STEP_NO;
	}
	walker->exact = false;
	return STEP_YES;
}

/* Registers of what a signal interrupted, when its handler went over to a stack of its own: .NET does so after a stack
 * overflow, with a frame that returns to the interrupted pc but not to its stack. Somewhere it keeps a pointer to the
 * signal's record. */
static bool
by_signal_record(struct walker *walker, uint64_t pc)
{
	uint64_t from = walker->frames->list[0].sp, at, record;
	struct registers registers;
	if (!walker->crashed || walker->space->arch != ARCH_X64 || walker->space->os != OS_LINUX ||
	    walker->switches >= SWITCHES_MOST)
		return false;
	if (walker->registers.sp < from || walker->registers.sp - from > LOOKS_MOST * 8)
		from = walker->registers.sp;
	for (at = from; at < walker->stack_end && at - from < LOOKS_MOST * 8; at += 8) {
		if (!space_u64(walker->space, at, &record))
			return false;
		if (record % 8 != 0 || !elf_context_at(walker->space, record, &registers) || registers.pc <= UINT16_MAX ||
		    registers.sp - from < walker->stack_end - from || (registers.pc != pc && !is_code(walker, registers.pc + 1)))
			continue;
		walker->registers = registers;
		walker->exact = true;
		walker->trust = registers.pc == pc ? TRUST_CFI : TRUST_SCAN;
		walker->switches++;
		return true;
	}
	return false;
}

static void
find_stack_end(struct walker *walker, const struct thread *thread)
{
	uint64_t sp = walker->registers.sp, start, size;
	walker->stack_end = UINT64_MAX;
	if (thread->stack_size > 0 && sp >= thread->stack_start && sp - thread->stack_start < thread->stack_size)
		walker->stack_end = thread->stack_start + thread->stack_size;
	else if (space_range_at(walker->space, sp, &start, &size) && (sp >= start || start - sp <= GUESS_GAP))
		walker->stack_end = start + size;
}

/* Whether the registers after a step can be a caller's of those before it. */
static bool
is_plausible(struct walker *walker, const struct thread *thread, const struct registers *before)
{
	const struct registers *after = &walker->registers;
	if (walker->exact) { /* a signal may have had a stack of its own */
		find_stack_end(walker, thread);
		return after->sp > before->sp || ++walker->switches <= SWITCHES_MOST;
	}
	if (after->sp < before->sp || (after->sp == before->sp && walker->space->arch != ARCH_ARM64))
		return false;
	if (after->sp == before->sp && after->pc == before->pc)
		return false;
	return after->sp <= walker->stack_end;
}

static bool
end_well(struct walker *walker)
{
	walker->frames->ended_well = true;
	return false;
}

/* The caller of the last frame. False: there is none. */
static bool
step_up(struct walker *walker, const struct thread *thread)
{
	struct frame *frame = &walker->frames->list[walker->frames->count - 1];
	struct registers before = walker->registers;
	bool exact = walker->exact;
	enum stepped stepped = by_data(walker, frame);
	uint64_t pc = walker->registers.pc;
	if (stepped == STEP_OUTERMOST || (stepped == STEP_YES && pc == 0))
		return end_well(walker);
	if (stepped == STEP_YES && pc > UINT16_MAX && is_plausible(walker, thread, &before))
		return true;
	walker->registers = before;
	walker->exact = exact;
	if (walk_at_start(walker))
		return false;
	if (stepped == STEP_YES && by_signal_record(walker, pc)) {
		find_stack_end(walker, thread);
		return true;
	}
	stepped = by_guess(walker);
	if (stepped == STEP_YES && walker->registers.pc == 0)
		return end_well(walker);
	if (stepped == STEP_YES && is_plausible(walker, thread, &before))
		return true;
	walker->registers = before;
	walker->exact = exact;
	if (!by_signal_record(walker, 0))
		return false;
	find_stack_end(walker, thread);
	return true;
}

/* What a scan invented beyond the thread's start goes. */
static void
cut_at_start(struct frames *frames)
{
	for (size_t i = 1; i < frames->count; i++) {
		if (walk_start_depth(&frames->list[i]) < 2)
			continue;
		frames->count = i + 1;
		frames->ended_well = true;
	}
}

void
walk_thread(struct space *space, const struct thread *thread, struct code_source *code, struct frames *frames)
{
	struct walker walker;
	memset(&walker, 0, sizeof walker);
	memset(frames, 0, sizeof *frames);
	walker.space = space;
	walker.code = code;
	walker.frames = frames;
	walker.exact = true;
	walker.crashed = thread->id == space->crash.thread;
	if (!space_registers(space, thread, &walker.registers))
		return;
	find_stack_end(&walker, thread);
	keep_frame(&walker);
	for (unsigned steps = 0; steps < STEPS_MOST && step_up(&walker, thread); steps++) {
		keep_frame(&walker);
		frames_fold(frames);
	}
	frames->end_sp = walker.registers.sp;
	walk_name_frames(&walker, 0, frames->count);
	cut_at_start(frames);
}
