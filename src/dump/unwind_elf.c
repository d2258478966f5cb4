/* SPDX-License-Identifier: MIT */
#include "dump/unwind_elf.h"

#include "dump/unwind_cfi.h"
#include "dump/unwind_cursor.h"
#include "dump/unwind_x64.h"

#include <string.h>

#define STACK_MOST 16        /* of an expression */
#define RETURN_X64 16        /* DWARF's number of the return address */
#define USER_CODE 0x33       /* segments of a 64-bit program */
#define USER_DATA 0x2b
#define TRAPS 32

/* DWARF's numbers to ours; arm64's are the same. */
static unsigned
our_number(uint16_t machine, uint64_t number)
{
	static const unsigned char x64[] = {X64_RAX, X64_RDX, X64_RCX, X64_RBX, X64_RSI, X64_RDI, X64_RBP, X64_RSP};
	return machine == ELF_X64 && number < sizeof x64 ? x64[number] : (unsigned)number;
}

static bool
value_of(const struct elf *elf, const struct registers *registers, uint64_t number, uint64_t *value)
{
	unsigned ours;
	if (elf->machine == ELF_X64 && number == RETURN_X64) {
		*value = registers->pc;
		return true;
	}
	ours = our_number(elf->machine, number);
	if (ours >= (elf->machine == ELF_X64 ? 16u : CFI_REGISTERS - 1))
		return false;
	*value = registers->r[ours];
	return true;
}

struct stack {
	uint64_t at[STACK_MOST];
	unsigned count;
	bool bad;
};

static void
stack_push(struct stack *stack, uint64_t value)
{
	if (stack->count == STACK_MOST)
		stack->bad = true;
	else
		stack->at[stack->count++] = value;
}

static uint64_t
stack_pop(struct stack *stack)
{
	if (stack->count == 0) {
		stack->bad = true;
		return 0;
	}
	return stack->at[--stack->count];
}

static uint64_t
combine(uint8_t code, uint64_t a, uint64_t b)
{
	int64_t x = (int64_t)a, y = (int64_t)b;
	switch (code) {
	case 0x1a: return a & b;
	case 0x1c: return a - b;
	case 0x1e: return a * b;
	case 0x21: return a | b;
	case 0x22: return a + b;
	case 0x24: return b < 64 ? a << b : 0;
	case 0x25: return b < 64 ? a >> b : 0;
	case 0x26: return b < 64 ? (a >> b) | (x < 0 && b > 0 ? UINT64_MAX << (64 - b) : 0) : x < 0 ? UINT64_MAX : 0;
	case 0x27: return a ^ b;
	case 0x29: return x == y;
	case 0x2a: return x >= y;
	case 0x2b: return x > y;
	case 0x2c: return x <= y;
	case 0x2d: return x < y;
	default: return x != y; /* 0x2e */
	}
}

/* Constants and stack words. False: another kind of operation. */
static bool
run_constant(struct stack *stack, struct cursor *cursor, uint8_t code)
{
	uint64_t value;
	switch (code) {
	case 0x03: case 0x0e: case 0x0f: stack_push(stack, cursor_number(cursor, 8)); return true;
	case 0x08: stack_push(stack, cursor_u8(cursor)); return true;
	case 0x09: stack_push(stack, cursor_extend(cursor_u8(cursor), 8)); return true;
	case 0x0a: stack_push(stack, cursor_number(cursor, 2)); return true;
	case 0x0b: stack_push(stack, cursor_extend(cursor_number(cursor, 2), 16)); return true;
	case 0x0c: stack_push(stack, cursor_number(cursor, 4)); return true;
	case 0x0d: stack_push(stack, cursor_extend(cursor_number(cursor, 4), 32)); return true;
	case 0x10: stack_push(stack, cursor_uleb(cursor)); return true;
	case 0x11: stack_push(stack, (uint64_t)cursor_sleb(cursor)); return true;
	case 0x12: value = stack_pop(stack); stack_push(stack, value); stack_push(stack, value); return true;
	case 0x13: (void)stack_pop(stack); return true;
	case 0x96: return true;
	default:
		if (code < 0x30 || code > 0x4f)
			return false;
		stack_push(stack, code - 0x30u);
		return true;
	}
}

static bool
run_operation(const struct elf *elf, const struct registers *registers, struct stack *stack, struct cursor *cursor)
{
	uint8_t code = cursor_u8(cursor);
	uint64_t a, b;
	if (run_constant(stack, cursor, code))
		return true;
	if ((code >= 0x70 && code <= 0x8f) || code == 0x92) {
		uint64_t number = code == 0x92 ? cursor_uleb(cursor) : code - 0x70u;
		if (!value_of(elf, registers, number, &a))
			return false;
		stack_push(stack, a + (uint64_t)cursor_sleb(cursor));
		return true;
	}
	if (code == 0x06) {
		if (!space_u64(cursor->space, stack_pop(stack), &a))
			return false;
		stack_push(stack, a);
		return true;
	}
	if (code == 0x23) {
		a = stack_pop(stack);
		stack_push(stack, a + cursor_uleb(cursor));
		return true;
	}
	if (code != 0x1a && code != 0x1c && code != 0x1e && (code < 0x21 || code > 0x2e || code == 0x23 || code == 0x28))
		return false;
	b = stack_pop(stack);
	a = stack_pop(stack);
	stack_push(stack, combine(code, a, b));
	return true;
}

static bool
evaluate(const struct elf *elf, struct space *space, const struct registers *registers, uint64_t at, unsigned size,
         const uint64_t *cfa, uint64_t *value)
{
	struct stack stack = {{0}, 0, false};
	struct cursor cursor;
	cursor_open(&cursor, space, at, at + size);
	if (cfa != NULL)
		stack_push(&stack, *cfa);
	while (cursor.at < cursor.end)
		if (!run_operation(elf, registers, &stack, &cursor) || cursor.bad || stack.bad)
			return false;
	*value = stack_pop(&stack);
	return !stack.bad && !cursor.bad;
}

static bool
apply_rule(const struct elf *elf, struct space *space, const struct registers *old, const struct cfi_rule *rule, uint64_t cfa,
           uint64_t *value)
{
	switch (rule->kind) {
	case RULE_AT_CFA: return space_u64(space, cfa + (uint64_t)rule->value, value);
	case RULE_CFA_PLUS: *value = cfa + (uint64_t)rule->value; return true;
	case RULE_REGISTER: return value_of(elf, old, (uint64_t)rule->value, value);
	case RULE_EXPRESSION: return evaluate(elf, space, old, (uint64_t)rule->value, rule->size, &cfa, value);
	case RULE_AT_EXPRESSION:
		return evaluate(elf, space, old, (uint64_t)rule->value, rule->size, &cfa, value) && space_u64(space, *value, value);
	default: return false;
	}
}

static bool
apply_rules(const struct elf *elf, struct space *space, const struct cfi_frame *frame, struct registers *registers,
            struct elf_step *step)
{
	const struct cfi_rules *rules = &frame->rules;
	struct registers old = *registers;
	bool x64 = elf->machine == ELF_X64;
	unsigned sp = x64 ? X64_RSP : 31, fp = x64 ? X64_RBP : 29, back = frame->return_register;
	uint64_t cfa, value;
	if (rules->cfa_is_expression) {
		if (!evaluate(elf, space, &old, (uint64_t)rules->cfa_offset, rules->cfa_size, NULL, &cfa))
			return false;
	} else {
		if (!value_of(elf, &old, rules->cfa_register, &cfa))
			return false;
		cfa += (uint64_t)rules->cfa_offset;
	}
	registers->r[sp] = cfa;
	for (unsigned i = 0; i < CFI_REGISTERS; i++) {
		const struct cfi_rule *rule = &rules->of[i];
		if (rule->kind == RULE_UNSET || rule->kind == RULE_SAME || rule->kind == RULE_UNDEFINED)
			continue;
		if (!apply_rule(elf, space, &old, rule, cfa, &value))
			return false;
		if (x64 && i == RETURN_X64)
			registers->pc = value;
		else if (i < (x64 ? 16u : CFI_REGISTERS - 1))
			registers->r[our_number(elf->machine, i)] = value;
	}
	step->outermost = rules->of[back].kind == RULE_UNDEFINED;
	if (!x64)
		registers->pc = registers->r[back < CFI_REGISTERS ? back : 30] & 0x0000ffffffffffffull; /* without its signature */
	registers->sp = registers->r[sp];
	registers->fp = registers->r[fp];
	registers->valid |= 1ull << sp;
	return !x64 || rules->of[RETURN_X64].kind > RULE_SAME;
}

bool
elf_unwind(const struct elf *elf, struct space *space, struct registers *registers, struct elf_step *step)
{
	struct registers old = *registers;
	struct cfi_frame frame;
	step->trapped = step->outermost = false;
	step->function = 0;
	if ((elf->machine != ELF_X64 && elf->machine != ELF_ARM64) || !cfi_find(elf, space, registers->pc, step->exact, &frame))
		return false;
	if (!apply_rules(elf, space, &frame, registers, step)) {
		*registers = old;
		return false;
	}
	step->trapped = frame.signal;
	step->function = frame.begin;
	return true;
}

/* The kernel's struct ucontext: flags, link and the signal's own stack in 40 bytes, then struct sigcontext with sixteen
 * registers in this order, rip, flags, segments, error, trap. Unless it is proven to be one, the last ones must fit. */
static bool
read_context(struct space *space, uint64_t at, bool proven, struct registers *registers)
{
	static const unsigned char order[] = {8, 9, 10, 11, 12, 13, 14, 15, X64_RDI, X64_RSI, X64_RBP, X64_RBX, X64_RDX, X64_RAX,
	                                      X64_RCX, X64_RSP};
	unsigned char saved[21 * 8];
	struct span span = {saved, sizeof saved};
	uint64_t segments;
	if (at > UINT64_MAX - 40 - sizeof saved || !space_read(space, at + 40, saved, sizeof saved))
		return false;
	segments = span_get_u64(span, 18u * 8);
	if (!proven && ((segments & 0xffff) != USER_CODE || (segments >> 48 != USER_DATA && segments >> 48 != 0) ||
	                span_get_u64(span, 20u * 8) >= TRAPS))
		return false;
	for (unsigned i = 0; i < sizeof order; i++)
		x64_set(registers, order[i], span_get_u64(span, 8u * i));
	registers->pc = span_get_u64(span, 16u * 8);
	return true;
}

bool
elf_context_at(struct space *space, uint64_t at, struct registers *registers)
{
	return read_context(space, at, false, registers);
}

bool
elf_unwind_signal(struct space *space, struct registers *registers)
{
	/* mov eax or rax, 15 (rt_sigreturn); syscall */
	static const unsigned char wide[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, narrow[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
	unsigned char code[9];
	size_t count = space_read_some(space, registers->pc, code, sizeof code);
	if (!(count >= sizeof narrow && memcmp(code, narrow, sizeof narrow) == 0) &&
	    !(count == sizeof wide && memcmp(code, wide, sizeof wide) == 0))
		return false;
	return read_context(space, registers->sp, true, registers);
}
