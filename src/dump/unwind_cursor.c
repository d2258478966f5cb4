/* SPDX-License-Identifier: MIT */
#include "dump/unwind_cursor.h"

void
cursor_open(struct cursor *cursor, struct space *space, uint64_t at, uint64_t end)
{
	cursor->space = space;
	cursor->at = at;
	cursor->end = end;
	cursor->piece_at = 0;
	cursor->piece_count = 0;
	cursor->bad = end < at;
}

uint8_t
cursor_u8(struct cursor *cursor)
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

uint64_t
cursor_number(struct cursor *cursor, unsigned size)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)cursor_u8(cursor) << (8 * i);
	return value;
}

uint64_t
cursor_uleb(struct cursor *cursor)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 70 && !cursor->bad; shift += 7) {
		uint8_t byte = cursor_u8(cursor);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	cursor->bad = true;
	return 0;
}

int64_t
cursor_sleb(struct cursor *cursor)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 70 && !cursor->bad; shift += 7) {
		uint8_t byte = cursor_u8(cursor);
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

uint64_t
cursor_extend(uint64_t value, unsigned bits)
{
	uint64_t sign = 1ull << (bits - 1);
	return (value ^ sign) - sign;
}

uint64_t
cursor_pointer(struct cursor *cursor, uint8_t encoding, uint64_t base)
{
	uint64_t here = cursor->at, value;
	switch (encoding & 0x0f) {
	case 0x00: case 0x04: case 0x0c: value = cursor_number(cursor, 8); break;
	case 0x01: value = cursor_uleb(cursor); break;
	case 0x02: value = cursor_number(cursor, 2); break;
	case 0x03: value = cursor_number(cursor, 4); break;
	case 0x09: value = (uint64_t)cursor_sleb(cursor); break;
	case 0x0a: value = cursor_extend(cursor_number(cursor, 2), 16); break;
	case 0x0b: value = cursor_extend(cursor_number(cursor, 4), 32); break;
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
