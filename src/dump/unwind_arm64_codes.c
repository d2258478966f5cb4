/* SPDX-License-Identifier: MIT */
#include "dump/unwind_arm64_codes.h"

/* Keeps the copies sp and fp in step. */
static void
set(struct registers *registers, unsigned number, uint64_t value)
{
	registers->r[number] = value;
	registers->valid |= 1ull << number;
	if (number == ARM64_SP)
		registers->sp = value;
	else if (number == ARM64_FP)
		registers->fp = value;
}

static size_t
code_bytes(unsigned char first)
{
	if (first < 0xc0)
		return 1;
	if (first < ARM64_ALLOC_L || first == ARM64_ADD_FP || first == 0xf8)
		return 2;
	if (first == ARM64_SAVE_ANY || first == 0xf9)
		return 3;
	return first == ARM64_ALLOC_L || first == 0xfa ? 4 : first == 0xfb ? 5 : 1;
}

/* What the kernel put on the stack was no instruction of the function's. */
static bool
is_instruction(unsigned char code)
{
	return (code & 0xf8) != ARM64_TRAP_FRAME;
}

bool
arm64_count(const struct arm64_codes *codes, size_t from, uint32_t *count)
{
	*count = 0;
	for (size_t i = from; i < codes->count; i += code_bytes(codes->at[i])) {
		if (codes->at[i] == ARM64_END || codes->at[i] == ARM64_END_C)
			return true;
		*count += is_instruction(codes->at[i]);
	}
	return false;
}

static void
release(struct registers *registers, uint64_t bytes)
{
	set(registers, ARM64_SP, registers->sp + bytes);
}

static bool
load(struct arm64_undoing *undoing, unsigned number, uint64_t offset)
{
	uint64_t value;
	if (number > ARM64_LR || !space_u64(undoing->space, undoing->registers->sp + offset, &value))
		return false;
	set(undoing->registers, number, value);
	return true;
}

/* `count` registers from sp + offset on, and the pairs that codes before have announced. */
static bool
load_some(struct arm64_undoing *undoing, unsigned number, unsigned count, uint64_t offset)
{
	unsigned more = 2 * undoing->next;
	undoing->next = 0;
	for (unsigned i = 0; i < count; i++)
		if (!load(undoing, number + i, offset + 8u * i))
			return false;
	for (unsigned i = count; i < count + more && number + i <= ARM64_LAST_SAVED; i++)
		if (!load(undoing, number + i, offset + 8u * i))
			return false;
	return true;
}

static bool
load_and_release(struct arm64_undoing *undoing, unsigned number, unsigned count, uint64_t bytes)
{
	if (!load_some(undoing, number, count, 0))
		return false;
	release(undoing->registers, bytes);
	return true;
}

/* Codes of two bytes, C0 to DF. */
static bool
undo_pair(struct arm64_undoing *undoing, unsigned word)
{
	unsigned number = ARM64_FIRST_SAVED + (word >> 6 & 15), small = ARM64_FIRST_SAVED + (word >> 5 & 15);
	uint64_t offset = (word & 63) * 8u, wide = offset + 8, narrow = (word & 31) * 8u + 8;
	switch (word >> 8) {
	case 0xc0: case 0xc1: case 0xc2: case 0xc3: case 0xc4: case 0xc5: case 0xc6: case 0xc7:
		release(undoing->registers, (word & 0x7ff) * 16u);
		return true;
	case 0xc8: case 0xc9: case 0xca: case 0xcb:
		return load_some(undoing, number, 2, offset);
	case 0xcc: case 0xcd: case 0xce: case 0xcf:
		return load_and_release(undoing, number, 2, wide);
	case 0xd0: case 0xd1: case 0xd2: case 0xd3:
		return load(undoing, number, offset);
	case 0xd4: case 0xd5:
		return load_and_release(undoing, small, 1, narrow);
	case 0xd6: case 0xd7:
		return load(undoing, ARM64_FIRST_SAVED + 2 * (word >> 6 & 7), offset) && load(undoing, ARM64_LR, offset + 8);
	case 0xd8: case 0xd9: case 0xdc: case 0xdd:
		undoing->next = 0; /* registers of floating point are not followed */
		return true;
	case 0xda: case 0xdb:
		undoing->next = 0;
		release(undoing->registers, wide);
		return true;
	case 0xde:
		release(undoing->registers, narrow);
		return true;
	default:
		return false;
	}
}

/* save_any_reg: pair and pre-indexed bits with the register's number, then its kind and the offset. */
static bool
undo_any(struct arm64_undoing *undoing, unsigned first, unsigned second)
{
	unsigned count = (first & 0x40) != 0 ? 2 : 1, kind = second >> 6;
	bool indexed = (first & 0x20) != 0;
	uint64_t offset = (second & 63) * (count == 2 || indexed || kind == 2 ? 16u : 8u);
	if ((first & 0x80) != 0 || kind == 3)
		return false;
	if (indexed)
		offset += 16;
	if (kind == 0 && !load_some(undoing, first & 31, count, indexed ? 0 : offset))
		return false;
	undoing->next = 0;
	if (indexed)
		release(undoing->registers, offset);
	return true;
}

/* What the kernel put on the stack: sp and pc, or a whole ARM64_CONTEXT, whose registers begin 8 bytes in. */
static bool
undo_trap(struct arm64_undoing *undoing, unsigned char code)
{
	uint64_t at = undoing->registers->sp, value, sp, pc;
	if (code == ARM64_CONTEXT) {
		for (unsigned i = 0; i <= ARM64_LR; i++) {
			if (!space_u64(undoing->space, at + 8 + 8u * i, &value))
				return false;
			set(undoing->registers, i, value);
		}
		at += 8 + 8 * ARM64_SP;
	}
	if (!space_u64(undoing->space, at, &sp) || !space_u64(undoing->space, at + 8, &pc))
		return false;
	set(undoing->registers, ARM64_SP, sp);
	undoing->registers->pc = pc;
	undoing->trapped = true;
	return true;
}

static bool
undo_code(struct arm64_undoing *undoing, const unsigned char *code)
{
	struct registers *registers = undoing->registers;
	unsigned first = code[0];
	if (first < 0x20) {
		release(registers, first * 16u);
		return true;
	}
	if (first < 0x40)
		return load_and_release(undoing, ARM64_FIRST_SAVED, 2, (first & 31) * 8u);
	if (first < 0x80)
		return load_some(undoing, ARM64_FP, 2, (first & 63) * 8u);
	if (first < 0xc0)
		return load_and_release(undoing, ARM64_FP, 2, (first & 63) * 8u + 8);
	if (first < ARM64_ALLOC_L)
		return undo_pair(undoing, first << 8 | code[1]);
	switch (first) {
	case ARM64_ALLOC_L:
		release(registers, ((uint32_t)code[1] << 16 | (uint32_t)code[2] << 8 | code[3]) * 16u);
		return true;
	case ARM64_SET_FP:
		set(registers, ARM64_SP, registers->fp);
		return true;
	case ARM64_ADD_FP:
		set(registers, ARM64_SP, registers->fp - code[1] * 8u);
		return true;
	case ARM64_SAVE_NEXT:
		undoing->next++;
		return true;
	case ARM64_SAVE_ANY:
		return undo_any(undoing, code[1], code[2]);
	case ARM64_MACHINE_FRAME:
	case ARM64_CONTEXT:
		return undo_trap(undoing, code[0]);
	case ARM64_PAC_SIGN_LR:
		set(registers, ARM64_LR, registers->r[ARM64_LR] & ARM64_ADDRESS);
		return true;
	default:
		return first == ARM64_NOP || first == ARM64_END_C || first == ARM64_CLEAR_UNWOUND;
	}
}

bool
arm64_undo(struct arm64_undoing *undoing, const struct arm64_codes *codes, size_t from, uint32_t skip)
{
	for (size_t i = from, size; i < codes->count; i += size) {
		size = code_bytes(codes->at[i]);
		if (size > codes->count - i)
			return false;
		if (codes->at[i] == ARM64_END)
			return true;
		if (skip > 0 && is_instruction(codes->at[i]))
			skip--;
		else if (!undo_code(undoing, codes->at + i))
			return false;
	}
	return false;
}
