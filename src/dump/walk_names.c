/* SPDX-License-Identifier: MIT */
#include "dump/walk.h"

#include "dump/symbols.h"
#include "dump/unwind_arm64.h"
#include "dump/unwind_x64.h"

#include <string.h>

#define LEAF_REACH 64        /* an export may be so far before pc in a function without frame, such as a system call's */
#define WANTS_MOST 128
#define X86_REACH 2048       /* bytes of a function before pc that are looked at */

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

/* Whether x86 code at `at` begins a function, by what lies before it: filling, or a return and then a usual prolog. */
static bool
begins_function(const unsigned char *code, size_t at, size_t count)
{
	bool ret = code[at - 1] == 0xc3 || (code[at - 3] == 0xc2 && code[at - 1] == 0);
	bool filled = code[at - 2] == code[at - 1] || code[at - 2] == 0xc3 || (code[at - 4] == 0xc2 && code[at - 2] == 0);
	if (code[at - 1] == 0xcc || code[at - 1] == 0x90)
		return filled;
	return ret && count - at >= 3 && (memcmp(code + at, "\x8b\xff\x55", 3) == 0 || memcmp(code + at, "\x55\x8b\xec", 3) == 0);
}

/* x86 has no table of functions: an export names the code behind it up to the next function's begin. */
static uint64_t
lowest_x86(struct space *space, uint64_t base, uint64_t rva)
{
	unsigned char code[X86_REACH];
	size_t count = rva < sizeof code ? (size_t)rva : sizeof code;
	if (!space_read(space, base + rva - count, code, count))
		return 0;
	for (size_t i = count; i > 4; i--)
		if (begins_function(code, i, count))
			return base + rva - count + i;
	return base + rva - count + 4;
}

/* What an export or symbol of a frame must not begin below, by unwind data; 0: nothing is known, so no name. */
static uint64_t
lowest_name(struct walker *walker, struct frame *frame)
{
	const struct image *image = walk_image(walker, frame->module);
	uint64_t pc = frame->pc - (frame->exact ? 0 : 1), rva = pc - frame->module->base;
	struct pe_entry entry;
	uint32_t gap;
	if (image->kind != IMAGE_PE)
		return frame->function;
	if (walker->space->arch == ARCH_X86)
		return lowest_x86(walker->space, frame->module->base, rva);
	switch (walk_find(&image->pe, walker->space, (uint32_t)rva, &entry, &gap)) {
	case PE_FOUND:
		frame->function = entry.base + (walker->space->arch == ARCH_X64 ? x64_function_begin(walker->space, &entry) : entry.begin);
		return frame->function;
	case PE_LEAF:
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
	frame->name_start = start;
	if (start != 0)
		frame->function = start;
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

void
walk_name_frames(struct walker *walker, size_t from, size_t to)
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
		image = walk_image(walker, list[i].module);
		if (image->kind == IMAGE_ELF)
			name_by_symbols(walker, &list[i], &image->elf);
		else if (image->kind == IMAGE_PE && list[i].name_start != 0)
			name_by_exports(walker, list + i, to - i, &image->pe);
		else
			list[i].name_start = 0;
	}
}

int
walk_start_depth(const struct frame *frame)
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

bool
walk_at_start(struct walker *walker)
{
	struct frames *frames = walker->frames;
	size_t count = frames->count;
	struct frame *last = &frames->list[count - 1];
	if (count < 2 || frames->ended_well || last->repeated > 0 || last[-1].pc == last->pc)
		return false;
	frames->ended_well = looks_like_start(walker, last, count);
	if (walker->space->arch == ARCH_X86)
		return false;
	walk_name_frames(walker, count - 1, count);
	frames->ended_well = frames->ended_well || walk_start_depth(last) > 0;
	return frames->ended_well;
}
