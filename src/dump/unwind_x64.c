/* SPDX-License-Identifier: MIT */
#include "dump/unwind_x64.h"

#include <string.h>

#define ENTRY_BYTES 12
#define FLAG_CHAIN 4
#define CODES_MAX 255
#define TAIL_BYTES 64 /* an epilogue: at most 7 + 16 * 2 + 7 bytes */

enum code {
	PUSH_NONVOL, ALLOC_LARGE, ALLOC_SMALL, SET_FPREG, SAVE_NONVOL, SAVE_NONVOL_FAR, EPILOG, SPARE, SAVE_XMM128,
	SAVE_XMM128_FAR, PUSH_MACHFRAME, SET_FPREG_LARGE /* .NET's JIT beside Windows */
};

struct info {
	unsigned version, flags, prolog, count, frame_register;
	uint32_t frame_offset;
	uint64_t at;                       /* address of the first code */
	unsigned char codes[CODES_MAX * 2];
};

void
x64_set(struct registers *registers, unsigned number, uint64_t value)
{
	registers->r[number] = value;
	registers->valid |= 1ull << number;
	if (number == X64_RSP)
		registers->sp = value;
	else if (number == X64_RBP)
		registers->fp = value;
}

static bool
read_entry(struct space *space, uint64_t base, uint64_t at, struct pe_entry *entry)
{
	unsigned char bytes[ENTRY_BYTES];
	struct span span = {bytes, sizeof bytes};
	entry->base = base;
	return space_read(space, at, bytes, sizeof bytes) && span_u32(span, 0, &entry->begin) &&
	       span_u32(span, 4, &entry->end) && span_u32(span, 8, &entry->unwind);
}

enum pe_found
x64_find(const struct pe *pe, struct space *space, uint32_t rva, struct pe_entry *entry, uint32_t *gap)
{
	uint32_t table, size, low = 0, high;
	*gap = 0;
	if (pe->machine != 0x8664 || !pe_directory(pe, space, PE_DIRECTORY_EXCEPTION, &table, &size))
		return PE_NOT_READ;
	for (high = size / ENTRY_BYTES; low < high;) {
		uint32_t middle = low + (high - low) / 2;
		if (!read_entry(space, pe->base, pe->base + table + (uint64_t)middle * ENTRY_BYTES, entry))
			return PE_NOT_READ;
		if (rva < entry->begin) {
			high = middle;
		} else if (rva >= entry->end) {
			low = middle + 1;
			*gap = entry->end;
		} else {
			return PE_FOUND;
		}
	}
	return PE_LEAF;
}

static uint16_t
code_word(const struct info *info, unsigned i)
{
	return (uint16_t)(info->codes[2 * i] | info->codes[2 * i + 1] << 8);
}

static bool
read_info(struct space *space, const struct pe_entry *entry, struct info *info)
{
	unsigned char head[4];
	uint64_t at = entry->base + entry->unwind;
	if (!space_read(space, at, head, sizeof head))
		return false;
	info->version = head[0] & 7;
	info->flags = head[0] >> 3;
	info->prolog = head[1];
	info->count = head[2];
	info->frame_register = head[3] & 15;
	info->frame_offset = (head[3] >> 4) * 16u;
	info->at = at + 4;
	if (info->version != 1 && info->version != 2)
		return false;
	return info->count == 0 || space_read(space, info->at, info->codes, 2 * (size_t)info->count);
}

/* Entries may point at another entry instead of at an info. */
static bool
resolve(struct space *space, struct pe_entry *entry)
{
	for (unsigned depth = 0; depth < X64_CHAIN_MAX; depth++) {
		if ((entry->unwind & 1) == 0)
			return true;
		if (!read_entry(space, entry->base, entry->base + (entry->unwind & ~1u), entry))
			return false;
	}
	return false;
}

static bool
next_in_chain(struct space *space, const struct info *info, struct pe_entry *entry)
{
	return read_entry(space, entry->base, info->at + 2 * ((info->count + 1ull) & ~1ull), entry) && resolve(space, entry);
}

uint32_t
x64_function_begin(struct space *space, const struct pe_entry *from)
{
	struct pe_entry entry = *from;
	struct info info;
	if (!resolve(space, &entry))
		return from->begin;
	for (unsigned depth = 0; depth < X64_CHAIN_MAX; depth++) {
		uint32_t begin = entry.begin;
		if (!read_info(space, &entry, &info) || (info.flags & FLAG_CHAIN) == 0)
			return begin;
		if (!next_in_chain(space, &info, &entry))
			return begin;
	}
	return from->begin;
}

/* How many words a code takes; 0: none that exists. */
static unsigned
code_words(unsigned code, unsigned detail)
{
	static const unsigned char words[] = {1, 0, 1, 1, 2, 3, 2, 3, 2, 3, 1, 3};
	if (code == ALLOC_LARGE)
		return detail == 0 ? 2 : detail == 1 ? 3 : 0;
	return code < sizeof words ? words[code] : 0;
}

static bool
pop(struct space *space, struct registers *registers, uint64_t *value)
{
	if (!space_u64(space, registers->sp, value))
		return false;
	x64_set(registers, X64_RSP, registers->sp + 8);
	return true;
}

bool
x64_unwind_leaf(struct space *space, struct registers *registers)
{
	return pop(space, registers, &registers->pc);
}

static uint32_t
far_offset(const struct info *info, unsigned i)
{
	return code_word(info, i + 1) | (uint32_t)code_word(info, i + 2) << 16;
}

/* Whether the frame register was set up before `offset` bytes of the prolog had run. A larger offset of it than the info
 * has room for stands in a code. */
static bool
frame_register_set(struct info *info, uint32_t offset)
{
	unsigned words;
	for (unsigned i = 0; i < info->count; i += words) {
		uint16_t word = code_word(info, i);
		words = code_words(word >> 8 & 15, word >> 12);
		if (words == 0)
			return false;
		if ((word >> 8 & 15) == SET_FPREG_LARGE && words <= info->count - i)
			info->frame_offset = far_offset(info, i) * 16;
		if ((word >> 8 & 15) == SET_FPREG || (word >> 8 & 15) == SET_FPREG_LARGE)
			return offset >= (word & 0xffu);
	}
	return false;
}

struct undoing {
	struct space *space;
	struct registers *registers;
	struct info *info;
	uint64_t saved_from; /* what offsets of saved registers count from */
	bool trapped;
};

static bool
undo_trap(struct undoing *undoing, bool has_error)
{
	uint64_t at = undoing->registers->sp + (has_error ? 8 : 0), pc, sp;
	if (!space_u64(undoing->space, at, &pc) || !space_u64(undoing->space, at + 24, &sp))
		return false;
	undoing->registers->pc = pc;
	x64_set(undoing->registers, X64_RSP, sp);
	undoing->trapped = true;
	return true;
}

static bool
undo_code(struct undoing *undoing, unsigned i)
{
	uint16_t word = code_word(undoing->info, i);
	unsigned detail = word >> 12;
	struct registers *registers = undoing->registers;
	uint64_t value, offset;
	switch (word >> 8 & 15) {
	case PUSH_NONVOL:
		if (!pop(undoing->space, registers, &value))
			return false;
		if (detail != X64_RSP)
			x64_set(registers, detail, value);
		return true;
	case ALLOC_LARGE:
		offset = detail == 0 ? code_word(undoing->info, i + 1) * 8ull : far_offset(undoing->info, i);
		x64_set(registers, X64_RSP, registers->sp + offset);
		return true;
	case ALLOC_SMALL:
		x64_set(registers, X64_RSP, registers->sp + detail * 8u + 8);
		return true;
	case SET_FPREG:
	case SET_FPREG_LARGE:
		x64_set(registers, X64_RSP, registers->r[undoing->info->frame_register] - undoing->info->frame_offset);
		return true;
	case SAVE_NONVOL:
	case SAVE_NONVOL_FAR:
		offset = (word >> 8 & 15) == SAVE_NONVOL ? code_word(undoing->info, i + 1) * 8ull : far_offset(undoing->info, i);
		if (!space_u64(undoing->space, undoing->saved_from + offset, &value))
			return false;
		x64_set(registers, detail, value);
		return true;
	case PUSH_MACHFRAME:
		return undo_trap(undoing, detail == 1);
	default:
		return true; /* xmm registers and marks of epilogues */
	}
}

/* Undoes what of a prolog had run after `offset` bytes of it. */
static bool
undo_prolog(struct undoing *undoing, uint32_t offset)
{
	struct info *info = undoing->info;
	unsigned words;
	undoing->saved_from = undoing->registers->sp;
	if (info->frame_register != 0 && frame_register_set(info, offset))
		undoing->saved_from = undoing->registers->r[info->frame_register] - info->frame_offset;
	for (unsigned i = 0; i < info->count; i += words) {
		uint16_t word = code_word(info, i);
		bool mark = (word >> 8 & 15) == EPILOG && info->version == 2;
		words = code_words(word >> 8 & 15, word >> 12);
		if (mark && words > info->count - i)
			return true; /* they come in pairs, filled up with an empty one, but nothing hangs on it */
		if (words == 0 || words > info->count - i)
			return false;
		if (!mark && offset >= (word & 0xffu) && !undo_code(undoing, i))
			return false;
	}
	return true;
}

/* The code of a function from pc on, decoded only as far as an epilogue goes. */
struct tail {
	unsigned char bytes[TAIL_BYTES];
	size_t count, at;
};

static unsigned
tail_byte(const struct tail *tail, size_t ahead)
{
	return tail->at + ahead < tail->count ? tail->bytes[tail->at + ahead] : 0x100; /* no byte */
}

static int32_t
tail_s32(const struct tail *tail, size_t ahead)
{
	uint32_t value = 0;
	(void)span_u32((struct span){tail->bytes, tail->count}, tail->at + ahead, &value);
	return (int32_t)value;
}

/* add rsp, n, or lea rsp, [frame register + n]: takes the frame down. */
static void
tail_release(struct tail *tail, const struct info *info, struct registers *registers)
{
	unsigned rex = tail_byte(tail, 0), op = tail_byte(tail, 1), mod = tail_byte(tail, 2);
	if (rex == 0x48 && op == 0x83 && mod == 0xc4) {
		x64_set(registers, X64_RSP, registers->sp + (uint64_t)(int64_t)(int8_t)tail_byte(tail, 3));
		tail->at += 4;
	} else if (rex == 0x48 && op == 0x81 && mod == 0xc4) {
		x64_set(registers, X64_RSP, registers->sp + (uint64_t)(int64_t)tail_s32(tail, 3));
		tail->at += 7;
	} else if ((rex & ~1u) == 0x48 && op == 0x8d && (mod & 0x38) == 0x20 && info->frame_register != 0 &&
	           ((mod & 7) | (rex & 1) << 3) == info->frame_register && (mod & 7) != 4) {
		unsigned form = mod >> 6;
		int64_t offset = form == 1 ? (int8_t)tail_byte(tail, 3) : form == 2 ? tail_s32(tail, 3) : 0;
		if (form == 3 || (form == 0 && (mod & 7) == 5))
			return;
		x64_set(registers, X64_RSP, registers->r[info->frame_register] + (uint64_t)offset);
		tail->at += form == 0 ? 3 : form == 1 ? 4 : 7;
	}
}

static bool
tail_pops(struct tail *tail, struct space *space, struct registers *registers)
{
	for (;;) {
		unsigned first = tail_byte(tail, 0), number;
		size_t size = 1;
		uint64_t value;
		if (first == 0x41 && (tail_byte(tail, 1) & 0xf8) == 0x58 && tail_byte(tail, 1) < 0x100) {
			number = 8 + (tail_byte(tail, 1) & 7);
			size = 2;
		} else if (first < 0x100 && (first & 0xf8) == 0x58 && first != 0x5c) {
			number = first & 7;
		} else {
			return true;
		}
		if (!pop(space, registers, &value))
			return false;
		x64_set(registers, number, value);
		tail->at += size;
	}
}

/* Whether a jump by `distance` behind `size` bytes leaves the function. */
static bool
leaves(const struct tail *tail, const struct pe_entry *entry, uint64_t pc, size_t size, int64_t distance)
{
	uint64_t target = pc + tail->at + size + (uint64_t)distance;
	return target < entry->base + entry->begin || target >= entry->base + entry->end;
}

static bool
tail_ends(const struct tail *tail, const struct pe_entry *entry, uint64_t pc)
{
	unsigned first = tail_byte(tail, 0), second = tail_byte(tail, 1), third = tail_byte(tail, 2);
	if (first == 0xc3 || first == 0xc2 || (first == 0xf3 && second == 0xc3))
		return true;
	if (first == 0xeb && second < 0x100)
		return leaves(tail, entry, pc, 2, (int8_t)second);
	if (first == 0xe9 && tail->at + 5 <= tail->count)
		return leaves(tail, entry, pc, 5, tail_s32(tail, 1));
	return (first == 0xff && second == 0x25) || ((first & 0xf8) == 0x48 && second == 0xff && (third & 0x38) == 0x20);
}

/* Frame 0 may be caught in an epilogue, which the codes do not describe: then what is left of it is run. A jump counts
 * only behind a part of an epilogue or in a function without chain, as a function's parts jump to each other. */
static bool
undo_epilogue(struct space *space, const struct pe_entry *entry, const struct info *info, struct registers *registers)
{
	struct registers trial = *registers;
	struct tail tail = {.at = 0};
	uint64_t left = entry->base + entry->end - registers->pc;
	size_t want = left < TAIL_BYTES ? (size_t)left : TAIL_BYTES;
	tail.count = space_read_some(space, registers->pc, tail.bytes, want);
	tail_release(&tail, info, &trial);
	if (!tail_pops(&tail, space, &trial) || !tail_ends(&tail, entry, registers->pc))
		return false;
	if (tail.at == 0 && (tail.bytes[0] == 0xeb || tail.bytes[0] == 0xe9) && (info->flags & FLAG_CHAIN) != 0)
		return false;
	if (!x64_unwind_leaf(space, &trial))
		return false;
	*registers = trial;
	return true;
}

bool
x64_unwind(struct space *space, const struct pe_entry *from, struct registers *registers, struct pe_step *step)
{
	struct pe_entry entry = *from;
	struct info info;
	struct undoing undoing = {space, registers, &info, 0, false};
	uint64_t behind = registers->pc - (entry.base + entry.begin);
	uint32_t offset = step->exact && behind < UINT32_MAX ? (uint32_t)behind : UINT32_MAX;
	step->trapped = false;
	if (!resolve(space, &entry) || !read_info(space, &entry, &info))
		return false;
	if (offset >= info.prolog && step->exact && undo_epilogue(space, from, &info, registers))
		return true;
	for (unsigned depth = 0; undo_prolog(&undoing, offset); depth++) {
		if ((info.flags & FLAG_CHAIN) == 0) {
			step->trapped = undoing.trapped;
			return undoing.trapped || x64_unwind_leaf(space, registers);
		}
		if (depth == X64_CHAIN_MAX || !next_in_chain(space, &info, &entry) || !read_info(space, &entry, &info))
			return false;
		offset = UINT32_MAX;
	}
	return false;
}
