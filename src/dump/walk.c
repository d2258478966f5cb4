/* SPDX-License-Identifier: MIT */
#include "dump/frames.h"

#include "dump/pe.h"
#include "dump/symbols.h"
#include "dump/unwind_elf.h"
#include "dump/unwind_guess.h"
#include "dump/unwind_x64.h"

#include <string.h>

#define IMAGES_KEPT 8
#define STEPS_MOST 1000000u  /* an 8 MiB stack of smallest frames has 500,000 */
#define SWITCHES_MOST 8      /* from a signal's own stack to that it interrupted */
#define GROUP_MOST 16        /* frames of a repeating group */
#define REPEATS_LEAST 6      /* of a group before it is folded */
#define LEAF_REACH 64        /* an export may be so far before pc in a function without frame, such as a system call's */
#define WANTS_MOST 128
#define PE_HEADERS 4096      /* code of an image begins behind them; at least a page, as it is mapped */
#define ELF_HEADERS 512

struct image {
	const struct module *module;
	enum { IMAGE_NOT_READ, IMAGE_PE, IMAGE_ELF } kind;
	struct pe pe;
	struct elf elf;
};

struct walker {
	struct space *space;
	struct code_source *code;
	struct frames *frames;
	struct registers registers;
	bool exact;              /* registers.pc is the instruction itself */
	enum frame_trust trust;  /* how registers came about */
	uint64_t stack_end;
	unsigned switches;
	unsigned next_image;
	struct image images[IMAGES_KEPT];
};

const char *
frame_trust_name(enum frame_trust trust)
{
	static const char *const names[] = {"context", "pdata", "cfi", "fp", "scan"};
	return names[trust];
}

/* --- modules and code */

static const struct image *
image_of(struct walker *walker, const struct module *module)
{
	struct image *image;
	for (unsigned i = 0; i < IMAGES_KEPT; i++)
		if (walker->images[i].module == module)
			return &walker->images[i];
	image = &walker->images[walker->next_image++ % IMAGES_KEPT];
	image->module = module;
	image->kind = IMAGE_NOT_READ;
	if (pe_open(&image->pe, walker->space, module->base))
		image->kind = IMAGE_PE;
	else if (elf_open(&image->elf, walker->space, module->base))
		image->kind = IMAGE_ELF;
	return image;
}

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
	image = image_of(walker, module);
	if (image->kind == IMAGE_PE)
		return pe_executable(&image->pe, walker->space, (uint32_t)(before - module->base));
	if (image->kind == IMAGE_ELF)
		return elf_executable(&image->elf, before) || code_knows(walker, before);
	return before - module->base >= (walker->space->os == OS_WINDOWS ? PE_HEADERS : ELF_HEADERS);
}

/* Case of file names differs between dumps. */
static bool
module_is(struct walker *walker, const struct module *module, const char *name)
{
	char full[SPACE_NAME_MAX];
	if (module == NULL)
		return false;
	space_module_name(walker->space, module, full);
	return span_is_nocase(span_of(space_short_name(full)), name);
}

/* --- names */

/* What an export or symbol of a frame must not begin below, by unwind data; 0: nothing is known, so no name. */
static uint64_t
lowest_name(struct walker *walker, struct frame *frame)
{
	const struct image *image = image_of(walker, frame->module);
	uint64_t pc = frame->pc - (frame->exact ? 0 : 1), rva = pc - frame->module->base;
	struct x64_entry entry;
	uint32_t gap;
	if (image->kind != IMAGE_PE)
		return frame->function;
	switch (x64_find(&image->pe, walker->space, (uint32_t)rva, &entry, &gap)) {
	case X64_FOUND:
		frame->function = entry.base + x64_function_begin(walker->space, &entry);
		return frame->function;
	case X64_LEAF:
		return frame->module->base + (rva > gap + LEAF_REACH ? rva - LEAF_REACH : gap);
	default:
		return 0;
	}
}

static void
take_name(struct walker *walker, struct frame *frame, const struct pe *pe, const struct pe_want *want)
{
	uint64_t start = pe->base + want->start;
	if (want->name == 0 || start < frame->name_start || !pe_name_text(walker->space, pe->base + want->name, frame->name))
		frame->name_start = 0;
	else
		frame->name_start = start;
}

/* Puts a frame's address among the sorted wants, each once. */
static size_t
add_want(struct pe_want *want, size_t count, uint32_t rva)
{
	size_t place = count;
	while (place > 0 && want[place - 1].rva > rva)
		place--;
	if (place > 0 && want[place - 1].rva == rva)
		return count;
	memmove(want + place + 1, want + place, (count - place) * sizeof *want);
	want[place].rva = rva;
	return count + 1;
}

static uint32_t
rva_of(const struct frame *frame)
{
	return (uint32_t)(frame->pc - (frame->exact ? 0 : 1) - frame->module->base);
}

/* Names of all frames from `first` on that lie in its module, so many at once. name_start holds the lowest start until
 * the name is found. */
static void
name_by_exports(struct walker *walker, struct frame *list, size_t count, const struct pe *pe)
{
	struct pe_want want[WANTS_MOST];
	const struct module *module = list[0].module;
	size_t wanted = 0, seen;
	for (seen = 0; seen < count && wanted < WANTS_MOST; seen++)
		if (list[seen].module == module && list[seen].name[0] == 0 && list[seen].name_start != 0)
			wanted = add_want(want, wanted, rva_of(&list[seen]));
	pe_nearest_exports(pe, walker->space, want, wanted);
	for (size_t i = 0; i < seen; i++) {
		size_t k = 0;
		if (list[i].module != module || list[i].name[0] != 0 || list[i].name_start == 0)
			continue;
		while (want[k].rva != rva_of(&list[i]))
			k++;
		take_name(walker, &list[i], pe, &want[k]);
	}
}

static void
name_by_symbols(struct walker *walker, struct frame *frame, const struct elf *elf)
{
	uint64_t start, pc = frame->pc - (frame->exact ? 0 : 1);
	if (frame->name[0] == 0 && elf_symbol(elf, walker->space, pc, frame->function, frame->name, &start))
		frame->name_start = start;
	else
		frame->name_start = 0;
}

static void
name_by_code(struct walker *walker, struct frame *frame)
{
	struct code_source *code = walker->code;
	uint64_t start = 0;
	if (code == NULL || code->name_at == NULL ||
	    !code->name_at(code, walker->space, frame->pc - (frame->exact ? 0 : 1), frame->name, &start)) {
		frame->name[0] = 0;
		return;
	}
	frame->managed = true;
	frame->name_start = frame->function = start;
}

/* A name without an end must not begin before the frame's function. */
static void
name_by_symfile(struct walker *walker, struct frame *frame)
{
	const struct symbol *symbol;
	uint64_t start;
	if (walker->space->symbols == NULL || frame->name[0] != 0 || frame->module == NULL)
		return;
	symbol = symbols_at(walker->space->symbols, walker->space, frame->module, rva_of(frame));
	start = frame->module->base + symbol->start;
	if (symbol->name[0] == 0 || (symbol->nearest && start < frame->function))
		return;
	memcpy(frame->name, symbol->name, sizeof frame->name);
	memcpy(frame->file, symbol->file, sizeof frame->file);
	frame->line = symbol->line;
	frame->name_start = start;
	if (frame->function == 0 && !symbol->nearest)
		frame->function = start;
}

/* Names frames [from, to). */
static void
name_frames(struct walker *walker, size_t from, size_t to)
{
	struct frame *list = walker->frames->list;
	for (size_t i = from; i < to; i++) {
		name_by_code(walker, &list[i]);
		if (list[i].name[0] == 0)
			list[i].name_start = list[i].module != NULL ? lowest_name(walker, &list[i]) : 0;
		name_by_symfile(walker, &list[i]);
	}
	for (size_t i = from; i < to; i++) {
		const struct image *image;
		if (list[i].name[0] != 0 || list[i].module == NULL)
			continue;
		image = image_of(walker, list[i].module);
		if (image->kind == IMAGE_ELF)
			name_by_symbols(walker, &list[i], &image->elf);
		else if (image->kind == IMAGE_PE && list[i].name_start != 0)
			name_by_exports(walker, list + i, to - i, &image->pe);
		else
			list[i].name_start = 0;
	}
}

/* --- where a thread begins */

/* How deep a name is in a thread's start: 2: below it there is nothing, 1: nothing of interest, 0: it is none. */
static int
start_depth(const struct frame *frame)
{
	static const char *const deepest[] = {"RtlUserThreadStart", "_start", "clone", "__clone", "clone3", "__clone3"};
	static const char *const shallow[] = {"BaseThreadInitThunk", "__libc_start_main", "start_thread"};
	for (size_t i = 0; i < sizeof deepest / sizeof deepest[0]; i++)
		if (strcmp(frame->name, deepest[i]) == 0)
			return 2;
	for (size_t i = 0; i < sizeof shallow / sizeof shallow[0]; i++)
		if (strcmp(frame->name, shallow[i]) == 0)
			return 1;
	return 0;
}

/* Without names: kernel32 called from ntdll is BaseThreadInitThunk under RtlUserThreadStart. */
static bool
looks_like_start(struct walker *walker, const struct frame *last, size_t count)
{
	return count >= 2 && walker->space->os == OS_WINDOWS && module_is(walker, last->module, "ntdll.dll") &&
	       module_is(walker, last[-1].module, "kernel32.dll");
}

/* Whether guessing must not go beyond the last frame. On x86 two frames of ntdll begin a thread, and a chain of frame
 * pointers ends properly there: then it alone is followed. */
static bool
at_start(struct walker *walker)
{
	struct frames *frames = walker->frames;
	size_t count = frames->count;
	struct frame *last = &frames->list[count - 1];
	if (count < 2 || frames->ended_well || last->repeated > 0 || last[-1].pc == last->pc)
		return false;
	frames->ended_well = looks_like_start(walker, last, count);
	if (walker->space->arch == ARCH_X86)
		return false;
	name_frames(walker, count - 1, count);
	frames->ended_well = frames->ended_well || start_depth(last) > 0;
	return frames->ended_well;
}

/* --- keeping frames */

static bool
same_place(const struct frame *a, const struct frame *b)
{
	return a->pc == b->pc;
}

/* Whether the last `size` frames equal those before them, `times` times. */
static bool
repeats(const struct frames *frames, size_t from, size_t size, size_t times)
{
	const struct frame *last = frames->list + frames->count;
	if (frames->count < from + size * (times + 1))
		return false;
	for (size_t i = 1; i <= size * times; i++)
		if (!same_place(last - i, last - i - size))
			return false;
	return true;
}

/* Folds repeats at the end of the list. */
static void
fold(struct frames *frames)
{
	size_t from = frames->left_out > 0 ? FRAMES_TOP : 0;
	for (size_t size = 1; size <= GROUP_MOST; size++) {
		struct frame *group;
		size_t times = 1;
		if (frames->count < from + 2 * size)
			return;
		group = frames->list + frames->count - 2 * size;
		if (group->repeated == 0 || group->repeated_group != size)
			times = REPEATS_LEAST;
		if (!repeats(frames, from, size, times))
			continue;
		frames->count -= size * times;
		group = frames->list + frames->count - size;
		for (size_t i = 0; i < size; i++) {
			group[i].repeated += (uint32_t)times;
			group[i].repeated_group = (uint32_t)size;
		}
		return;
	}
}

/* The list keeps its first FRAMES_TOP frames and the last ones. */
static struct frame *
place_for_frame(struct frames *frames)
{
	if (frames->count == FRAMES_MAX) {
		memmove(frames->list + FRAMES_TOP, frames->list + FRAMES_TOP + 1,
		        (FRAMES_MAX - FRAMES_TOP - 1) * sizeof frames->list[0]);
		frames->count--;
		frames->left_out++;
	}
	return &frames->list[frames->count++];
}

static void
keep_frame(struct walker *walker)
{
	struct frame *frame = place_for_frame(walker->frames);
	memset(frame, 0, sizeof *frame);
	frame->pc = walker->registers.pc;
	frame->sp = walker->registers.sp;
	frame->trust = walker->trust;
	frame->exact = walker->exact;
	frame->module = space_module_at(walker->space, frame->pc - (frame->exact || frame->pc == 0 ? 0 : 1));
	frame->repeated_group = 1;
}

/* --- one step */

enum stepped { STEP_NO, STEP_YES, STEP_OUTERMOST };

static enum stepped
by_entry(struct walker *walker, const struct x64_entry *entry)
{
	struct registers kept = walker->registers;
	struct x64_step step = {walker->exact, false};
	if (!x64_unwind(walker->space, entry, &walker->registers, &step)) {
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
	struct x64_entry entry;
	uint32_t words[3];
	if (walker->code == NULL || walker->code->unwind_at == NULL || walker->space->arch != ARCH_X64 ||
	    !walker->code->unwind_at(walker->code, walker->space, pc, &entry.base, words))
		return STEP_NO;
	entry.begin = words[0];
	entry.end = words[1];
	entry.unwind = words[2];
	return by_entry(walker, &entry);
}

static enum stepped
by_pdata(struct walker *walker, const struct pe *pe, uint64_t pc)
{
	struct x64_entry entry;
	struct registers kept = walker->registers;
	uint32_t gap;
	enum x64_found found = x64_find(pe, walker->space, (uint32_t)(pc - pe->base), &entry, &gap);
	if (found == X64_FOUND)
		return by_entry(walker, &entry);
	if (found == X64_LEAF && walker->exact && x64_unwind_leaf(walker->space, &walker->registers) &&
	    is_code(walker, walker->registers.pc)) {
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
	const struct image *image = frame->module != NULL ? image_of(walker, frame->module) : NULL;
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

static void
find_stack_end(struct walker *walker, const struct thread *thread)
{
	uint64_t sp = walker->registers.sp, start, size;
	walker->stack_end = UINT64_MAX;
	if (thread->stack_size > 0 && sp >= thread->stack_start && sp - thread->stack_start < thread->stack_size)
		walker->stack_end = thread->stack_start + thread->stack_size;
	else if (space_range_at(walker->space, sp, &start, &size) && sp >= start)
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

/* The caller of the last frame. False: there is none. */
static bool
step_up(struct walker *walker, const struct thread *thread)
{
	struct frame *frame = &walker->frames->list[walker->frames->count - 1];
	struct registers before = walker->registers;
	bool exact = walker->exact;
	enum stepped stepped = by_data(walker, frame);
	if (stepped == STEP_OUTERMOST || (stepped == STEP_YES && walker->registers.pc == 0)) {
		walker->frames->ended_well = true;
		return false;
	}
	if (stepped == STEP_YES && walker->registers.pc > UINT16_MAX && is_plausible(walker, thread, &before))
		return true;
	walker->registers = before;
	walker->exact = exact;
	if (at_start(walker) || by_guess(walker) == STEP_NO)
		return false;
	if (walker->registers.pc == 0) {
		walker->frames->ended_well = true;
		return false;
	}
	return is_plausible(walker, thread, &before);
}

/* What a scan invented beyond the thread's start goes. */
static void
cut_at_start(struct frames *frames)
{
	for (size_t i = 1; i < frames->count; i++) {
		if (start_depth(&frames->list[i]) < 2)
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
	if (!space_registers(space, thread, &walker.registers))
		return;
	find_stack_end(&walker, thread);
	keep_frame(&walker);
	for (unsigned steps = 0; steps < STEPS_MOST && step_up(&walker, thread); steps++) {
		keep_frame(&walker);
		fold(frames);
	}
	name_frames(&walker, 0, frames->count);
	cut_at_start(frames);
}
