/* SPDX-License-Identifier: MIT */
#include "dump/unwind_cfi.h"

#include "dump/unwind_cursor.h"

#include <string.h>

#define STEPS_MOST 4096      /* instructions of one CIE or FDE */
#define STATES_MOST 4        /* depth of remember_state */

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
	version = cursor_u8(&cursor);
	frame_encoding = cursor_u8(&cursor);
	count_encoding = cursor_u8(&cursor);
	table_encoding = cursor_u8(&cursor);
	(void)cursor_pointer(&cursor, frame_encoding, elf->index);
	high = cursor_pointer(&cursor, count_encoding, elf->index);
	table = cursor.at;
	if (cursor.bad || version != 1 || table_encoding != 0x3b || high > (1u << 28))
		return false;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2, from;
		if (!space_u32(space, table + 8 * middle, &word))
			return false;
		from = elf->index + cursor_extend(word, 32);
		if (address >= from)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !space_u32(space, table + 8 * (low - 1) + 4, &word))
		return false;
	*fde = elf->index + cursor_extend(word, 32);
	return true;
}

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
	size = cursor_number(cursor, 4);
	if (size == 0xffffffff)
		size = cursor_number(cursor, 8);
	if (cursor->bad || size == 0 || size > (1u << 24) || cursor->at > UINT64_MAX - size)
		return false;
	cursor_open(cursor, space, cursor->at, cursor->at + size);
	return true;
}

static bool
read_augmentation(struct cursor *cursor, const char *letters, struct frame_info *info)
{
	uint64_t size = cursor_uleb(cursor), end = cursor->at + size;
	info->augmented = true;
	for (const char *letter = letters + 1; *letter != 0; letter++) {
		if (*letter == 'R') {
			info->pointer_encoding = cursor_u8(cursor);
		} else if (*letter == 'P') {
			uint8_t encoding = cursor_u8(cursor);
			(void)cursor_pointer(cursor, encoding & 0x7f, 0);
		} else if (*letter == 'L') {
			(void)cursor_u8(cursor);
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
	if (!open_entry(&cursor, space, at) || cursor_number(&cursor, 4) != 0)
		return false;
	version = cursor_u8(&cursor);
	do
		letters[count] = (char)cursor_u8(&cursor);
	while (letters[count] != 0 && ++count < sizeof letters);
	if (cursor.bad || count == sizeof letters || (version != 1 && version != 3))
		return false;
	info->code_align = cursor_uleb(&cursor);
	info->data_align = cursor_sleb(&cursor);
	info->return_register = (unsigned)(version == 1 ? cursor_u8(&cursor) : cursor_uleb(&cursor));
	if (letters[0] == 'z' ? !read_augmentation(&cursor, letters, info) : letters[0] != 0)
		return false;
	info->cie_at = cursor.at;
	info->cie_end = cursor.end;
	return !cursor.bad && info->return_register < CFI_REGISTERS;
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
	cie = cursor_number(&cursor, 4);
	if (cursor.bad || cie == 0 || !read_cie(space, here - cie, info))
		return false;
	info->begin = cursor_pointer(&cursor, info->pointer_encoding, 0);
	info->end = info->begin + cursor_pointer(&cursor, info->pointer_encoding & 0x0f, 0);
	if (info->augmented) {
		uint64_t size = cursor_uleb(&cursor);
		if (size > cursor.end - cursor.at)
			return false;
		cursor.at += size;
	}
	info->fde_at = cursor.at;
	info->fde_end = cursor.end;
	return !cursor.bad;
}

static void
set_rule(struct cfi_rules *rules, uint64_t number, enum cfi_rule_kind kind, int64_t value, uint8_t size)
{
	if (number < CFI_REGISTERS)
		rules->of[number] = (struct cfi_rule){(uint8_t)kind, size, value};
}

/* Skips the block of an expression and says where it is. */
static int64_t
take_block(struct cursor *cursor, uint8_t *size)
{
	uint64_t count = cursor_uleb(cursor), at = cursor->at;
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
	struct cfi_rules *rules;
	const struct cfi_rules *initial;   /* of the CIE; NULL while it runs itself */
	struct cfi_rules kept[STATES_MOST];
	unsigned kept_count;
	uint64_t place, wanted;        /* address the rules hold for; stop beyond wanted */
};

static void
run_cfa(struct running *running, const struct frame_info *info, uint8_t code)
{
	struct cursor *cursor = &running->cursor;
	struct cfi_rules *rules = running->rules;
	if (code == 0x0c || code == 0x12 || code == 0x0d) {
		rules->cfa_register = (unsigned)(cursor_uleb(cursor) & 0xff);
		rules->cfa_is_expression = false;
	}
	if (code == 0x0c || code == 0x0e)
		rules->cfa_offset = (int64_t)cursor_uleb(cursor);
	else if (code == 0x12 || code == 0x13)
		rules->cfa_offset = times(cursor_sleb(cursor), info->data_align);
	else if (code == 0x0f)
		rules->cfa_offset = take_block(cursor, &rules->cfa_size);
	if (code == 0x0f)
		rules->cfa_is_expression = true;
}

static void
run_rule(struct running *running, const struct frame_info *info, uint8_t code)
{
	struct cursor *cursor = &running->cursor;
	struct cfi_rules *rules = running->rules;
	uint64_t number = cursor_uleb(cursor);
	uint8_t size = 0;
	int64_t value;
	switch (code) {
	case 0x05: set_rule(rules, number, RULE_AT_CFA, times((int64_t)cursor_uleb(cursor), info->data_align), 0); break;
	case 0x06:
		set_rule(rules, number, RULE_UNSET, 0, 0);
		if (running->initial != NULL && number < CFI_REGISTERS)
			rules->of[number] = running->initial->of[number];
		break;
	case 0x07: set_rule(rules, number, RULE_UNDEFINED, 0, 0); break;
	case 0x08: set_rule(rules, number, RULE_SAME, 0, 0); break;
	case 0x09: set_rule(rules, number, RULE_REGISTER, (int64_t)(cursor_uleb(cursor) & 0xff), 0); break;
	case 0x10: value = take_block(cursor, &size); set_rule(rules, number, RULE_AT_EXPRESSION, value, size); break;
	case 0x11: set_rule(rules, number, RULE_AT_CFA, times(cursor_sleb(cursor), info->data_align), 0); break;
	case 0x14: set_rule(rules, number, RULE_CFA_PLUS, times((int64_t)cursor_uleb(cursor), info->data_align), 0); break;
	case 0x15: set_rule(rules, number, RULE_CFA_PLUS, times(cursor_sleb(cursor), info->data_align), 0); break;
	case 0x16: value = take_block(cursor, &size); set_rule(rules, number, RULE_EXPRESSION, value, size); break;
	case 0x2f: set_rule(rules, number, RULE_AT_CFA, times((int64_t)(0 - cursor_uleb(cursor)), info->data_align), 0); break;
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
	uint8_t code = cursor_u8(cursor);
	uint64_t value;
	if (code >> 6 == 1) {
		running->place += (code & 0x3fu) * info->code_align;
	} else if (code >> 6 == 2) {
		value = cursor_uleb(cursor);
		set_rule(running->rules, code & 0x3f, RULE_AT_CFA, times((int64_t)value, info->data_align), 0);
	} else if (code >> 6 == 3) {
		set_rule(running->rules, code & 0x3f, RULE_UNSET, 0, 0);
		if (running->initial != NULL && (code & 0x3f) < CFI_REGISTERS)
			running->rules->of[code & 0x3f] = running->initial->of[code & 0x3f];
	} else {
		switch (code) {
		case 0x00: case 0x2d: break; /* nop; arm64: the return address is signed from here on */
		case 0x01: running->place = cursor_pointer(cursor, info->pointer_encoding, 0); break;
		case 0x02: running->place += cursor_u8(cursor) * info->code_align; break;
		case 0x03: running->place += cursor_number(cursor, 2) * info->code_align; break;
		case 0x04: running->place += cursor_number(cursor, 4) * info->code_align; break;
		case 0x0a: case 0x0b: run_state(running, code); break;
		case 0x0c: case 0x0d: case 0x0e: case 0x0f: case 0x12: case 0x13: run_cfa(running, info, code); break;
		case 0x2e: (void)cursor_uleb(cursor); break; /* GNU_args_size */
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
rules_at(struct space *space, const struct frame_info *info, uint64_t address, struct cfi_rules *rules)
{
	struct running running;
	struct cfi_rules initial;
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

bool
cfi_find(const struct elf *elf, struct space *space, uint64_t pc, bool exact, struct cfi_frame *frame)
{
	struct frame_info info;
	uint64_t fde, address = pc - (exact ? 0 : 1);
	if (!find_fde(elf, space, address, &fde) || !read_fde(space, fde, &info) || address < info.begin || address >= info.end
	    || !rules_at(space, &info, info.signal ? pc : address, &frame->rules))
		return false;
	frame->return_register = info.return_register;
	frame->signal = info.signal;
	frame->begin = info.begin;
	return true;
}
