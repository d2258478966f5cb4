/* SPDX-License-Identifier: MIT */
#include "dump/unwind_elf.h"

#include "dump/pe.h"
#include "dump/unwind_x64.h"

#include <string.h>

#define MACHINE_X64 62
#define MACHINE_ARM64 183
#define HEADERS_MOST 64      /* program headers looked at; ld writes about 13 */
#define DYNAMIC_MOST 128     /* entries of the dynamic section */
#define SYMBOLS_MOST (1u << 20)
#define STEPS_MOST 4096      /* instructions of one CIE, FDE or expression */
#define STATES_MOST 4        /* depth of remember_state */
#define STACK_MOST 16        /* of an expression */
#define REGISTERS 33
#define RETURN_X64 16        /* DWARF's number of the return address */

/* --- bytes of the dumped memory, read in pieces */

struct cursor {
	struct space *space;
	uint64_t at, end;
	uint64_t piece_at;
	size_t piece_count;
	bool bad;
	unsigned char piece[256];
};

static void
cursor_open(struct cursor *cursor, struct space *space, uint64_t at, uint64_t end)
{
	cursor->space = space;
	cursor->at = at;
	cursor->end = end;
	cursor->piece_at = 0;
	cursor->piece_count = 0;
	cursor->bad = end < at;
}

static uint8_t
take_u8(struct cursor *cursor)
{
	uint64_t place = cursor->at - cursor->piece_at;
	if (cursor->bad || cursor->at >= cursor->end) {
		cursor->bad = true;
		return 0;
	}
	if (place >= cursor->piece_count) {
		uint64_t left = cursor->end - cursor->at;
		size_t want = left < sizeof cursor->piece ? (size_t)left : sizeof cursor->piece;
		cursor->piece_at = cursor->at;
		cursor->piece_count = space_read_some(cursor->space, cursor->at, cursor->piece, want);
		place = 0;
		if (cursor->piece_count == 0) {
			cursor->bad = true;
			return 0;
		}
	}
	cursor->at++;
	return cursor->piece[place];
}

static uint64_t
take_number(struct cursor *cursor, unsigned size)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)take_u8(cursor) << (8 * i);
	return value;
}

static uint64_t
take_uleb(struct cursor *cursor)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 70 && !cursor->bad; shift += 7) {
		uint8_t byte = take_u8(cursor);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	cursor->bad = true;
	return 0;
}

static int64_t
take_sleb(struct cursor *cursor)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 70 && !cursor->bad; shift += 7) {
		uint8_t byte = take_u8(cursor);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) != 0)
			continue;
		if (shift + 7 < 64 && (byte & 0x40) != 0)
			value |= UINT64_MAX << (shift + 7);
		return (int64_t)value;
	}
	cursor->bad = true;
	return 0;
}

static uint64_t
sign_extend(uint64_t value, unsigned bits)
{
	uint64_t sign = 1ull << (bits - 1);
	return (value ^ sign) - sign;
}

/* A pointer in one of the encodings of .eh_frame; base: what datarel counts from. */
static uint64_t
take_pointer(struct cursor *cursor, uint8_t encoding, uint64_t base)
{
	uint64_t here = cursor->at, value;
	switch (encoding & 0x0f) {
	case 0x00: case 0x04: case 0x0c: value = take_number(cursor, 8); break;
	case 0x01: value = take_uleb(cursor); break;
	case 0x02: value = take_number(cursor, 2); break;
	case 0x03: value = take_number(cursor, 4); break;
	case 0x09: value = (uint64_t)take_sleb(cursor); break;
	case 0x0a: value = sign_extend(take_number(cursor, 2), 16); break;
	case 0x0b: value = sign_extend(take_number(cursor, 4), 32); break;
	default: cursor->bad = true; return 0;
	}
	switch (encoding & 0x70) {
	case 0x00: break;
	case 0x10: value += here; break;
	case 0x30: value += base; break;
	default: cursor->bad = true; return 0;
	}
	if ((encoding & 0x80) != 0 && !space_u64(cursor->space, value, &value))
		cursor->bad = true;
	return value;
}

/* --- headers */

struct dynamic {
	uint64_t symbols, strings, strings_size, hash, gnu_hash;
};

/* The loader of glibc has put run-time addresses into some of these, that of musl and the vdso have not. */
static uint64_t
relocated(const struct elf *elf, uint64_t value)
{
	return value < elf->bias ? value + elf->bias : value;
}

static void
read_dynamic(const struct elf *elf, struct space *space, uint64_t at, struct dynamic *dynamic)
{
	for (unsigned i = 0; i < DYNAMIC_MOST; i++) {
		uint64_t tag, value;
		if (!space_u64(space, at + 16u * i, &tag) || !space_u64(space, at + 16u * i + 8, &value) || tag == 0)
			return;
		if (tag == 4)
			dynamic->hash = relocated(elf, value);
		else if (tag == 5)
			dynamic->strings = relocated(elf, value);
		else if (tag == 6)
			dynamic->symbols = relocated(elf, value);
		else if (tag == 10)
			dynamic->strings_size = value;
		else if (tag == 0x6ffffef5)
			dynamic->gnu_hash = relocated(elf, value);
	}
}

/* The GNU hash table does not say how many symbols there are: the chain of the highest bucket ends at the last. */
static uint32_t
count_by_gnu_hash(struct space *space, uint64_t at)
{
	uint32_t buckets, first, bloom, highest = 0, word;
	uint64_t buckets_at, chains;
	if (!space_u32(space, at, &buckets) || !space_u32(space, at + 4, &first) || !space_u32(space, at + 8, &bloom) ||
	    buckets > SYMBOLS_MOST || bloom > SYMBOLS_MOST)
		return 0;
	buckets_at = at + 16 + 8ull * bloom;
	chains = buckets_at + 4ull * buckets;
	for (uint32_t i = 0; i < buckets; i++)
		if (!space_u32(space, buckets_at + 4ull * i, &word))
			return 0;
		else if (word > highest)
			highest = word;
	if (highest < first)
		return first;
	while (highest < SYMBOLS_MOST && space_u32(space, chains + 4ull * (highest - first), &word)) {
		highest++;
		if (word & 1)
			return highest;
	}
	return 0;
}

static void
open_symbols(struct elf *elf, struct space *space, uint64_t at)
{
	struct dynamic dynamic = {0, 0, 0, 0, 0};
	read_dynamic(elf, space, at, &dynamic);
	if (dynamic.symbols == 0 || dynamic.strings == 0)
		return;
	if (dynamic.gnu_hash != 0)
		elf->symbol_count = count_by_gnu_hash(space, dynamic.gnu_hash);
	else if (dynamic.hash == 0 || !space_u32(space, dynamic.hash + 4, &elf->symbol_count))
		elf->symbol_count = 0;
	if (elf->symbol_count > SYMBOLS_MOST)
		elf->symbol_count = SYMBOLS_MOST;
	elf->symbols = dynamic.symbols;
	elf->strings = dynamic.strings;
	elf->strings_size = dynamic.strings_size;
}

struct segment {
	uint32_t type, flags;
	uint64_t offset, address, size;
};

static bool
read_segment(struct space *space, uint64_t at, struct segment *segment)
{
	unsigned char bytes[56];
	struct span span = {bytes, sizeof bytes};
	return space_read(space, at, bytes, sizeof bytes) && span_u32(span, 0, &segment->type) &&
	       span_u32(span, 4, &segment->flags) && span_u64(span, 8, &segment->offset) &&
	       span_u64(span, 16, &segment->address) && span_u64(span, 40, &segment->size);
}

bool
elf_open(struct elf *elf, struct space *space, uint64_t base)
{
	unsigned char bytes[64];
	struct span head = {bytes, sizeof bytes};
	uint64_t table = 0, dynamic = 0;
	uint16_t count = 0, stride = 0;
	struct segment segment;
	bool biased = false;
	memset(elf, 0, sizeof *elf);
	if (!space_read(space, base, bytes, sizeof bytes) || memcmp(bytes, "\x7f" "ELF\x02\x01", 6) != 0 ||
	    !span_u16(head, 18, &elf->machine) || !span_u64(head, 32, &table) || !span_u16(head, 54, &stride) ||
	    !span_u16(head, 56, &count) || stride < 56 || table > (1u << 28))
		return false;
	for (unsigned i = 0; i < count && i < HEADERS_MOST; i++) {
		if (!read_segment(space, base + table + (uint64_t)i * stride, &segment))
			return false;
		if (segment.type == 1 && !biased) {
			elf->bias = base - (segment.address - segment.offset);
			biased = true;
		}
		if (segment.type == 1 && (segment.flags & 1) != 0 && elf->text_count < 4) {
			elf->text[elf->text_count][0] = segment.address;
			elf->text[elf->text_count++][1] = segment.address + segment.size;
		}
		if (segment.type == 2)
			dynamic = segment.address;
		if (segment.type == 0x6474e550)
			elf->index = segment.address;
	}
	for (unsigned i = 0; i < elf->text_count; i++) {
		elf->text[i][0] += elf->bias;
		elf->text[i][1] += elf->bias;
	}
	if (elf->index != 0)
		elf->index += elf->bias;
	if (dynamic != 0)
		open_symbols(elf, space, dynamic + elf->bias);
	return biased;
}

bool
elf_executable(const struct elf *elf, uint64_t address)
{
	for (unsigned i = 0; i < elf->text_count; i++)
		if (address >= elf->text[i][0] && address < elf->text[i][1])
			return true;
	return false;
}

/* --- which FDE */

static bool
find_fde(const struct elf *elf, struct space *space, uint64_t address, uint64_t *fde)
{
	struct cursor cursor;
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	uint64_t low = 0, high, table;
	uint32_t word;
	if (elf->index == 0)
		return false;
	cursor_open(&cursor, space, elf->index, elf->index + 64);
	version = take_u8(&cursor);
	frame_encoding = take_u8(&cursor);
	count_encoding = take_u8(&cursor);
	table_encoding = take_u8(&cursor);
	(void)take_pointer(&cursor, frame_encoding, elf->index);
	high = take_pointer(&cursor, count_encoding, elf->index);
	table = cursor.at;
	if (cursor.bad || version != 1 || table_encoding != 0x3b || high > (1u << 28))
		return false;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2, from;
		if (!space_u32(space, table + 8 * middle, &word))
			return false;
		from = elf->index + sign_extend(word, 32);
		if (address >= from)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !space_u32(space, table + 8 * (low - 1) + 4, &word))
		return false;
	*fde = elf->index + sign_extend(word, 32);
	return true;
}

/* --- what it says */

enum rule_kind { RULE_UNSET, RULE_SAME, RULE_UNDEFINED, RULE_AT_CFA, RULE_CFA_PLUS, RULE_REGISTER, RULE_AT_EXPRESSION, RULE_EXPRESSION };

struct rule {
	uint8_t kind;
	uint8_t size;      /* of the expression is at most 255 bytes here */
	int64_t value;     /* offset, register, or address of the expression */
};

struct rules {
	struct rule of[REGISTERS];
	bool cfa_is_expression;
	uint8_t cfa_size;
	unsigned cfa_register;
	int64_t cfa_offset; /* or the address of the expression */
};

struct frame_info {
	uint64_t code_align;
	int64_t data_align;
	unsigned return_register;
	uint8_t pointer_encoding;
	bool augmented, signal;
	uint64_t begin, end;            /* of the function */
	uint64_t cie_at, cie_end;       /* instructions */
	uint64_t fde_at, fde_end;
};

/* Length word and its extension; the cursor then ends with the entry. */
static bool
open_entry(struct cursor *cursor, struct space *space, uint64_t at)
{
	uint64_t size;
	if (at > UINT64_MAX - 16)
		return false;
	cursor_open(cursor, space, at, at + 12);
	size = take_number(cursor, 4);
	if (size == 0xffffffff)
		size = take_number(cursor, 8);
	if (cursor->bad || size == 0 || size > (1u << 24) || cursor->at > UINT64_MAX - size)
		return false;
	cursor_open(cursor, space, cursor->at, cursor->at + size);
	return true;
}

static bool
read_augmentation(struct cursor *cursor, const char *letters, struct frame_info *info)
{
	uint64_t size = take_uleb(cursor), end = cursor->at + size;
	info->augmented = true;
	for (const char *letter = letters + 1; *letter != 0; letter++) {
		if (*letter == 'R') {
			info->pointer_encoding = take_u8(cursor);
		} else if (*letter == 'P') {
			uint8_t encoding = take_u8(cursor);
			(void)take_pointer(cursor, encoding & 0x7f, 0);
		} else if (*letter == 'L') {
			(void)take_u8(cursor);
		} else if (*letter == 'S') {
			info->signal = true;
		} else if (*letter != 'B') {
			break;
		}
	}
	if (cursor->bad || end > cursor->end || end < cursor->at)
		return false;
	cursor->at = end;
	return true;
}

static bool
read_cie(struct space *space, uint64_t at, struct frame_info *info)
{
	struct cursor cursor;
	char letters[8];
	size_t count = 0;
	uint8_t version;
	if (!open_entry(&cursor, space, at) || take_number(&cursor, 4) != 0)
		return false;
	version = take_u8(&cursor);
	do
		letters[count] = (char)take_u8(&cursor);
	while (letters[count] != 0 && ++count < sizeof letters);
	if (cursor.bad || count == sizeof letters || (version != 1 && version != 3))
		return false;
	info->code_align = take_uleb(&cursor);
	info->data_align = take_sleb(&cursor);
	info->return_register = (unsigned)(version == 1 ? take_u8(&cursor) : take_uleb(&cursor));
	if (letters[0] == 'z' ? !read_augmentation(&cursor, letters, info) : letters[0] != 0)
		return false;
	info->cie_at = cursor.at;
	info->cie_end = cursor.end;
	return !cursor.bad && info->return_register < REGISTERS;
}

static bool
read_fde(struct space *space, uint64_t at, struct frame_info *info)
{
	struct cursor cursor;
	uint64_t cie, here;
	memset(info, 0, sizeof *info);
	if (!open_entry(&cursor, space, at))
		return false;
	here = cursor.at;
	cie = take_number(&cursor, 4);
	if (cursor.bad || cie == 0 || !read_cie(space, here - cie, info))
		return false;
	info->begin = take_pointer(&cursor, info->pointer_encoding, 0);
	info->end = info->begin + take_pointer(&cursor, info->pointer_encoding & 0x0f, 0);
	if (info->augmented) {
		uint64_t size = take_uleb(&cursor);
		if (size > cursor.end - cursor.at)
			return false;
		cursor.at += size;
	}
	info->fde_at = cursor.at;
	info->fde_end = cursor.end;
	return !cursor.bad;
}

static void
set_rule(struct rules *rules, uint64_t number, enum rule_kind kind, int64_t value, uint8_t size)
{
	if (number < REGISTERS)
		rules->of[number] = (struct rule){(uint8_t)kind, size, value};
}

/* Skips the block of an expression and says where it is. */
static int64_t
take_block(struct cursor *cursor, uint8_t *size)
{
	uint64_t count = take_uleb(cursor), at = cursor->at;
	if (count > 255 || count > cursor->end - cursor->at)
		cursor->bad = true;
	else
		cursor->at += count;
	*size = (uint8_t)count;
	return (int64_t)at;
}

/* Wrapping product, as the offsets are a file's. */
static int64_t
times(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

struct running {
	struct cursor cursor;
	struct rules *rules;
	const struct rules *initial;   /* of the CIE; NULL while it runs itself */
	struct rules kept[STATES_MOST];
	unsigned kept_count;
	uint64_t place, wanted;        /* address the rules hold for; stop beyond wanted */
};

static void
run_cfa(struct running *running, const struct frame_info *info, uint8_t code)
{
	struct cursor *cursor = &running->cursor;
	struct rules *rules = running->rules;
	if (code == 0x0c || code == 0x12 || code == 0x0d) {
		rules->cfa_register = (unsigned)(take_uleb(cursor) & 0xff);
		rules->cfa_is_expression = false;
	}
	if (code == 0x0c || code == 0x0e)
		rules->cfa_offset = (int64_t)take_uleb(cursor);
	else if (code == 0x12 || code == 0x13)
		rules->cfa_offset = times(take_sleb(cursor), info->data_align);
	else if (code == 0x0f)
		rules->cfa_offset = take_block(cursor, &rules->cfa_size);
	if (code == 0x0f)
		rules->cfa_is_expression = true;
}

static void
run_rule(struct running *running, const struct frame_info *info, uint8_t code)
{
	struct cursor *cursor = &running->cursor;
	struct rules *rules = running->rules;
	uint64_t number = take_uleb(cursor);
	uint8_t size = 0;
	int64_t value;
	switch (code) {
	case 0x05: set_rule(rules, number, RULE_AT_CFA, times((int64_t)take_uleb(cursor), info->data_align), 0); break;
	case 0x06:
		set_rule(rules, number, RULE_UNSET, 0, 0);
		if (running->initial != NULL && number < REGISTERS)
			rules->of[number] = running->initial->of[number];
		break;
	case 0x07: set_rule(rules, number, RULE_UNDEFINED, 0, 0); break;
	case 0x08: set_rule(rules, number, RULE_SAME, 0, 0); break;
	case 0x09: set_rule(rules, number, RULE_REGISTER, (int64_t)(take_uleb(cursor) & 0xff), 0); break;
	case 0x10: value = take_block(cursor, &size); set_rule(rules, number, RULE_AT_EXPRESSION, value, size); break;
	case 0x11: set_rule(rules, number, RULE_AT_CFA, times(take_sleb(cursor), info->data_align), 0); break;
	case 0x14: set_rule(rules, number, RULE_CFA_PLUS, times((int64_t)take_uleb(cursor), info->data_align), 0); break;
	case 0x15: set_rule(rules, number, RULE_CFA_PLUS, times(take_sleb(cursor), info->data_align), 0); break;
	case 0x16: value = take_block(cursor, &size); set_rule(rules, number, RULE_EXPRESSION, value, size); break;
	case 0x2f: set_rule(rules, number, RULE_AT_CFA, times((int64_t)(0 - take_uleb(cursor)), info->data_align), 0); break;
	default: cursor->bad = true;
	}
}

static void
run_state(struct running *running, uint8_t code)
{
	if (code == 0x0a && running->kept_count < STATES_MOST)
		running->kept[running->kept_count++] = *running->rules;
	else if (code == 0x0b && running->kept_count > 0)
		*running->rules = running->kept[--running->kept_count];
	else
		running->cursor.bad = true;
}

static void
run_code(struct running *running, const struct frame_info *info)
{
	struct cursor *cursor = &running->cursor;
	uint8_t code = take_u8(cursor);
	uint64_t value;
	if (code >> 6 == 1) {
		running->place += (code & 0x3fu) * info->code_align;
	} else if (code >> 6 == 2) {
		value = take_uleb(cursor);
		set_rule(running->rules, code & 0x3f, RULE_AT_CFA, times((int64_t)value, info->data_align), 0);
	} else if (code >> 6 == 3) {
		set_rule(running->rules, code & 0x3f, RULE_UNSET, 0, 0);
		if (running->initial != NULL && (code & 0x3f) < REGISTERS)
			running->rules->of[code & 0x3f] = running->initial->of[code & 0x3f];
	} else {
		switch (code) {
		case 0x00: case 0x2d: break; /* nop; arm64: the return address is signed from here on */
		case 0x01: running->place = take_pointer(cursor, info->pointer_encoding, 0); break;
		case 0x02: running->place += take_u8(cursor) * info->code_align; break;
		case 0x03: running->place += take_number(cursor, 2) * info->code_align; break;
		case 0x04: running->place += take_number(cursor, 4) * info->code_align; break;
		case 0x0a: case 0x0b: run_state(running, code); break;
		case 0x0c: case 0x0d: case 0x0e: case 0x0f: case 0x12: case 0x13: run_cfa(running, info, code); break;
		case 0x2e: (void)take_uleb(cursor); break; /* GNU_args_size */
		default: run_rule(running, info, code);
		}
	}
}

static bool
run_codes(struct running *running, struct space *space, const struct frame_info *info, uint64_t at, uint64_t end)
{
	cursor_open(&running->cursor, space, at, end);
	for (unsigned i = 0; i < STEPS_MOST && running->cursor.at < end && !running->cursor.bad; i++) {
		run_code(running, info);
		if (running->place > running->wanted)
			return !running->cursor.bad;
	}
	return !running->cursor.bad;
}

/* The rules that hold at an address. */
static bool
rules_at(struct space *space, const struct frame_info *info, uint64_t address, struct rules *rules)
{
	struct running running;
	struct rules initial;
	memset(rules, 0, sizeof *rules);
	running.rules = rules;
	running.initial = NULL;
	running.kept_count = 0;
	running.place = info->begin;
	running.wanted = UINT64_MAX;
	if (!run_codes(&running, space, info, info->cie_at, info->cie_end))
		return false;
	initial = *rules;
	running.initial = &initial;
	running.place = info->begin;
	running.wanted = address;
	return run_codes(&running, space, info, info->fde_at, info->fde_end);
}

/* --- doing it */

/* DWARF's numbers to ours; arm64's are the same. */
static unsigned
our_number(uint16_t machine, uint64_t number)
{
	static const unsigned char x64[] = {X64_RAX, X64_RDX, X64_RCX, X64_RBX, X64_RSI, X64_RDI, X64_RBP, X64_RSP};
	return machine == MACHINE_X64 && number < sizeof x64 ? x64[number] : (unsigned)number;
}

static bool
value_of(const struct elf *elf, const struct registers *registers, uint64_t number, uint64_t *value)
{
	unsigned ours;
	if (elf->machine == MACHINE_X64 && number == RETURN_X64) {
		*value = registers->pc;
		return true;
	}
	ours = our_number(elf->machine, number);
	if (ours >= (elf->machine == MACHINE_X64 ? 16u : REGISTERS - 1))
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
	case 0x03: case 0x0e: case 0x0f: stack_push(stack, take_number(cursor, 8)); return true;
	case 0x08: stack_push(stack, take_u8(cursor)); return true;
	case 0x09: stack_push(stack, sign_extend(take_u8(cursor), 8)); return true;
	case 0x0a: stack_push(stack, take_number(cursor, 2)); return true;
	case 0x0b: stack_push(stack, sign_extend(take_number(cursor, 2), 16)); return true;
	case 0x0c: stack_push(stack, take_number(cursor, 4)); return true;
	case 0x0d: stack_push(stack, sign_extend(take_number(cursor, 4), 32)); return true;
	case 0x10: stack_push(stack, take_uleb(cursor)); return true;
	case 0x11: stack_push(stack, (uint64_t)take_sleb(cursor)); return true;
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
	uint8_t code = take_u8(cursor);
	uint64_t a, b;
	if (run_constant(stack, cursor, code))
		return true;
	if ((code >= 0x70 && code <= 0x8f) || code == 0x92) {
		uint64_t number = code == 0x92 ? take_uleb(cursor) : code - 0x70u;
		if (!value_of(elf, registers, number, &a))
			return false;
		stack_push(stack, a + (uint64_t)take_sleb(cursor));
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
		stack_push(stack, a + take_uleb(cursor));
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
apply_rule(const struct elf *elf, struct space *space, const struct registers *old, const struct rule *rule, uint64_t cfa,
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
apply_rules(const struct elf *elf, struct space *space, const struct frame_info *info, const struct rules *rules,
            struct registers *registers, struct elf_step *step)
{
	struct registers old = *registers;
	bool x64 = elf->machine == MACHINE_X64;
	unsigned sp = x64 ? X64_RSP : 31, fp = x64 ? X64_RBP : 29, back = info->return_register;
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
	for (unsigned i = 0; i < REGISTERS; i++) {
		const struct rule *rule = &rules->of[i];
		if (rule->kind == RULE_UNSET || rule->kind == RULE_SAME || rule->kind == RULE_UNDEFINED)
			continue;
		if (!apply_rule(elf, space, &old, rule, cfa, &value))
			return false;
		if (x64 && i == RETURN_X64)
			registers->pc = value;
		else if (i < (x64 ? 16u : REGISTERS - 1))
			registers->r[our_number(elf->machine, i)] = value;
	}
	step->outermost = rules->of[back].kind == RULE_UNDEFINED;
	if (!x64)
		registers->pc = registers->r[back < REGISTERS ? back : 30] & 0x0000ffffffffffffull; /* without its signature */
	registers->sp = registers->r[sp];
	registers->fp = registers->r[fp];
	registers->valid |= 1ull << sp;
	return !x64 || rules->of[RETURN_X64].kind > RULE_SAME;
}

bool
elf_unwind(const struct elf *elf, struct space *space, struct registers *registers, struct elf_step *step)
{
	struct registers old = *registers;
	struct frame_info info;
	struct rules rules;
	uint64_t fde, address = registers->pc - (step->exact ? 0 : 1);
	step->trapped = step->outermost = false;
	step->function = 0;
	if ((elf->machine != MACHINE_X64 && elf->machine != MACHINE_ARM64) || !find_fde(elf, space, address, &fde) ||
	    !read_fde(space, fde, &info) || address < info.begin || address >= info.end)
		return false;
	if (!rules_at(space, &info, info.signal ? registers->pc : address, &rules) ||
	    !apply_rules(elf, space, &info, &rules, registers, step)) {
		*registers = old;
		return false;
	}
	step->trapped = info.signal;
	step->function = info.begin;
	return true;
}

bool
elf_unwind_signal(struct space *space, struct registers *registers)
{
	/* mov eax or rax, 15 (rt_sigreturn); syscall */
	static const unsigned char wide[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, narrow[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
	/* the order of the kernel's struct sigcontext, which begins 40 bytes into the ucontext at rsp */
	static const unsigned char order[] = {8, 9, 10, 11, 12, 13, 14, 15, X64_RDI, X64_RSI, X64_RBP, X64_RBX, X64_RDX, X64_RAX,
	                                      X64_RCX, X64_RSP};
	unsigned char code[9], saved[17 * 8];
	struct span span = {saved, sizeof saved};
	uint64_t value = 0;
	size_t count = space_read_some(space, registers->pc, code, sizeof code);
	if (!(count >= sizeof narrow && memcmp(code, narrow, sizeof narrow) == 0) &&
	    !(count == sizeof wide && memcmp(code, wide, sizeof wide) == 0))
		return false;
	if (!space_read(space, registers->sp + 40, saved, sizeof saved))
		return false;
	for (unsigned i = 0; i < sizeof order; i++)
		if (span_u64(span, 8u * i, &value))
			x64_set(registers, order[i], value);
	return span_u64(span, 16u * 8, &registers->pc);
}

/* --- names */

#define SYMBOL_BYTES 24
#define BATCH 64u

bool
elf_symbol(const struct elf *elf, struct space *space, uint64_t address, uint64_t function, char name[FRAME_NAME_MAX],
           uint64_t *start)
{
	unsigned char bytes[BATCH * SYMBOL_BYTES];
	uint32_t best_name = 0;
	uint64_t best = 0;
	for (uint32_t from = 0; from < elf->symbol_count; from += BATCH) {
		uint32_t n = elf->symbol_count - from < BATCH ? elf->symbol_count - from : BATCH, text;
		struct span span = {bytes, space_read_some(space, elf->symbols + (uint64_t)from * SYMBOL_BYTES, bytes, n * SYMBOL_BYTES)};
		for (uint32_t i = 0; span_u32(span, (uint64_t)i * SYMBOL_BYTES, &text); i++) {
			uint64_t value = 0, size = 0, at = (uint64_t)i * SYMBOL_BYTES;
			uint16_t section = 0;
			if (!span_u16(span, at + 6, &section) || !span_u64(span, at + 8, &value) || !span_u64(span, at + 16, &size))
				break;
			value += elf->bias;
			if (section == 0 || ((bytes[at + 4] & 15) != 2 && (bytes[at + 4] & 15) != 10) || value > address || value <= best)
				continue;
			if (size != 0 ? address - value >= size : function == 0 || value < function)
				continue;
			best = value;
			best_name = text;
		}
	}
	*start = best;
	return best != 0 && (elf->strings_size == 0 || best_name < elf->strings_size) &&
	       pe_name_text(space, elf->strings + best_name, name);
}
