/* SPDX-License-Identifier: MIT */
#include "dump/unwind_guess.h"

#include "dump/unwind_x64.h"

#define CALL_BYTES 7

/* call through memory or a register: FF /2 with its operands in exactly `size` bytes. */
static bool
is_indirect_call(const unsigned char *at, unsigned size)
{
	unsigned mod = at[1] >> 6, rm = at[1] & 7, want = 2;
	if (at[0] != 0xff || (at[1] >> 3 & 7) != 2)
		return false;
	if (mod != 3 && rm == 4)
		want = size < 3 ? 0 : mod == 0 && (at[2] & 7) == 5 ? 7 : 3;
	else if (mod == 0 && rm == 5)
		want = 6;
	if (mod == 1)
		want += 1;
	else if (mod == 2)
		want += 4;
	return size == want;
}

static enum guess_call
call_before_arm64(struct space *space, uint64_t address)
{
	uint32_t word;
	if (!space_u32(space, address - 4, &word))
		return CALL_NOT_READ;
	return (word & 0xfc000000u) == 0x94000000u || (word & 0xfffff800u) == 0xd63f0800u ||
	       (word & 0xfffffc1fu) == 0xd63f0000u ? CALL_YES : CALL_NO;
}

enum guess_call
guess_call_before(struct space *space, uint64_t address)
{
	unsigned char bytes[CALL_BYTES];
	if (address < CALL_BYTES)
		return CALL_NO;
	if (space->arch == ARCH_ARM64)
		return call_before_arm64(space, address);
	if (!space_read(space, address - CALL_BYTES, bytes, CALL_BYTES))
		return CALL_NOT_READ;
	if (bytes[CALL_BYTES - 5] == 0xe8)
		return CALL_YES;
	for (unsigned size = 2; size <= CALL_BYTES; size++)
		if (is_indirect_call(bytes + CALL_BYTES - size, size))
			return CALL_YES;
	return CALL_NO;
}

static void
set_frame(const struct guess *guess, struct registers *registers, uint64_t pc, uint64_t sp, uint64_t fp)
{
	registers->pc = pc;
	if (guess->space->arch == ARCH_ARM64) {
		registers->r[31] = registers->sp = sp;
		registers->r[29] = registers->fp = fp;
		return;
	}
	x64_set(registers, X64_RSP, sp);
	x64_set(registers, X64_RBP, fp);
}

static bool
may_return_to(const struct guess *guess, uint64_t address)
{
	enum guess_call call = guess_call_before(guess->space, address);
	if (call == CALL_NO)
		return false;
	return guess->is_code(guess->who, address) || (call == CALL_YES && space_module_at(guess->space, address) == NULL);
}

bool
guess_by_pointer(const struct guess *guess, struct registers *registers)
{
	struct space *space = guess->space;
	uint64_t fp = registers->fp, next, pc, word = space->pointer_size;
	if (fp < registers->sp || fp - registers->sp > GUESS_GAP || fp % word != 0 || fp >= guess->stack_end ||
	    !space_pointer(space, fp, &next) || !space_pointer(space, fp + word, &pc))
		return false;
	if (space->arch == ARCH_ARM64)
		pc &= 0x0000ffffffffffffull;
	if (pc != 0 && !may_return_to(guess, pc))
		return false;
	if (pc == 0 && next != 0)
		return false;
	set_frame(guess, registers, pc, fp + 2 * word, next);
	return true;
}

/* What of the frame pointer is known below a found return address: that pushed right before it, or the old one when it
 * still points upwards. */
static uint64_t
pointer_below(const struct guess *guess, const struct registers *registers, uint64_t at, uint64_t word)
{
	uint64_t pushed;
	if (at - registers->sp >= word && space_pointer(guess->space, at - word, &pushed) && pushed > at &&
	    pushed - at <= GUESS_GAP && pushed % word == 0 && pushed < guess->stack_end)
		return pushed;
	return registers->fp > at ? registers->fp : 0;
}

/* An overflow may leave the stack pointer below the stack, by the frame that did not fit. */
static uint64_t
first_word(const struct guess *guess, uint64_t sp, uint64_t word)
{
	uint64_t start, size;
	if (!space_range_at(guess->space, sp, &start, &size) || start <= sp || start - sp > GUESS_GAP)
		return sp;
	return start + (word - start % word) % word;
}

bool
guess_by_scan(const struct guess *guess, struct registers *registers, unsigned words)
{
	uint64_t word = guess->space->pointer_size, at = first_word(guess, registers->sp, word), pc;
	for (unsigned i = 0; i < words && at < guess->stack_end; i++, at += word) {
		if (!space_pointer(guess->space, at, &pc))
			return false;
		if (pc < 4096 || !guess->is_code(guess->who, pc) || guess_call_before(guess->space, pc) == CALL_NO)
			continue;
		set_frame(guess, registers, pc, at + word, pointer_below(guess, registers, at, word));
		return true;
	}
	return false;
}
