/* SPDX-License-Identifier: MIT */
#include "dump/unwind_arm64.h"

#include "dump/unwind_arm64_codes.h"

#define MACHINE 0xaa64
#define ENTRY_BYTES 8
#define EPILOGS_MOST 65535
#define INSTRUCTION 4
#define ALLOC_MOST 4080       /* by one instruction of a packed prolog */

enum { PACKED_NOT, PACKED, PACKED_FRAGMENT };

void
arm64_unwind_leaf(struct registers *registers)
{
	registers->pc = registers->r[ARM64_LR] & ARM64_ADDRESS;
}

/* Bytes of code that an entry is for; 0: its record cannot be read. */
static uint32_t
length_of(struct space *space, const struct pe_entry *entry)
{
	uint32_t word;
	if ((entry->unwind & 3) != PACKED_NOT)
		return (entry->unwind >> 2 & 0x7ff) * INSTRUCTION;
	return space_u32(space, entry->base + entry->unwind, &word) ? (word & 0x3ffff) * INSTRUCTION : 0;
}

enum pe_found
arm64_find(const struct pe *pe, struct space *space, uint32_t rva, struct pe_entry *entry, uint32_t *gap)
{
	uint32_t table, size, low = 0, high, begin;
	uint64_t at;
	*gap = 0;
	if (pe->machine != MACHINE || !pe_directory(pe, space, PE_DIRECTORY_EXCEPTION, &table, &size))
		return PE_NOT_READ;
	for (high = size / ENTRY_BYTES; low < high;) {
		uint32_t middle = low + (high - low) / 2;
		if (!space_u32(space, pe->base + table + (uint64_t)middle * ENTRY_BYTES, &begin))
			return PE_NOT_READ;
		if (begin <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return PE_LEAF;
	at = pe->base + table + (low - 1ull) * ENTRY_BYTES;
	entry->base = pe->base;
	if (!space_u32(space, at, &entry->begin) || !space_u32(space, at + 4, &entry->unwind))
		return PE_NOT_READ;
	size = length_of(space, entry);
	entry->end = size > UINT32_MAX - entry->begin ? UINT32_MAX : entry->begin + size;
	*gap = entry->end;
	return size == 0 ? PE_NOT_READ : rva < entry->end ? PE_FOUND : PE_LEAF;
}

/* A packed entry as the codes that its canonical prolog would have. */
struct packed {
	unsigned integers, chain;   /* RegI, CR */
	unsigned floats;            /* registers */
	bool homes;
	uint32_t saved, local;      /* bytes */
};

static void
put(struct arm64_codes *codes, unsigned value, size_t size)
{
	while (size-- > 0)
		codes->at[codes->count++] = (unsigned char)(value >> 8 * size);
}

static void
put_alloc(struct arm64_codes *codes, uint32_t bytes)
{
	put(codes, 0xc000 | bytes / 16, 2);
}

static void
put_locals(struct arm64_codes *codes, const struct packed *packed, bool epilog)
{
	if (packed->chain >= 2 && !epilog)
		put(codes, ARM64_SET_FP, 1);
	if (packed->chain >= 2 && packed->local > 0 && packed->local <= 512) {
		put(codes, 0x80 | (packed->local / 8 - 1), 1);
		return;
	}
	if (packed->chain >= 2)
		put(codes, 0x40, 1);
	if (packed->local > ALLOC_MOST)
		put_alloc(codes, packed->local - ALLOC_MOST);
	if (packed->local > 0)
		put_alloc(codes, packed->local > ALLOC_MOST ? ALLOC_MOST : packed->local);
}

/* The first store of an area of registers makes room for all of it. */
static void
put_homes_and_floats(struct arm64_codes *codes, const struct packed *packed, bool epilog)
{
	bool first = packed->integers == 0 && packed->chain != 1;
	unsigned stores = packed->floats / 2 + packed->floats % 2;
	if (packed->homes && !epilog)
		put(codes, ARM64_NOP << 16 | ARM64_NOP << 8 | ARM64_NOP, 3);
	if (packed->homes && first && stores == 0)
		put_alloc(codes, packed->saved);
	else if (packed->homes && !epilog)
		put(codes, ARM64_NOP, 1);
	for (; stores > 1; stores--)
		put(codes, ARM64_NOP, 1);
	if (stores == 1 && first)
		put_alloc(codes, packed->saved);
	else if (stores == 1)
		put(codes, ARM64_NOP, 1);
}

static void
put_integers(struct arm64_codes *codes, const struct packed *packed)
{
	unsigned last = packed->integers, link = ARM64_LR - ARM64_FIRST_SAVED, room = packed->saved / 8 - 1;
	bool lr = packed->chain == 1;
	if (lr && last == 0)
		put(codes, 0xd400 | link << 5 | room, 2);
	else if (lr && last % 2 == 0)
		put(codes, 0xd000 | link << 6 | last, 2);
	else if (lr)
		put(codes, 0xd600 | (last / 2) << 6 | (last - 1), 2);
	if (lr && last == 1)
		put_alloc(codes, packed->saved);
	else if (last % 2 != 0 && !lr)
		put(codes, last == 1 ? 0xd400 | room : 0xd000 | (last - 1) << 6 | (last - 1), 2);
	for (last -= last % 2; last > 2; last -= 2)
		put(codes, 0xc800 | (last - 2) << 6 | (last - 2), 2);
	if (last == 2)
		put(codes, 0xcc00 | room, 2);
}

static bool
unpack(uint32_t word, bool epilog, struct arm64_codes *codes)
{
	struct packed packed = {word >> 16 & 15, word >> 21 & 3, word >> 13 & 7, (word >> 20 & 1) != 0, 0, 0};
	uint32_t size = (word >> 23) * 16;
	if (packed.integers > ARM64_LAST_SAVED - ARM64_FIRST_SAVED + 1)
		return false;
	packed.floats += packed.floats > 0;
	packed.saved = (packed.integers + (packed.chain == 1) + packed.floats + (packed.homes ? 8 : 0)) * 8;
	packed.saved = (packed.saved + 15) & ~15u;
	if (packed.saved > size)
		return false;
	packed.local = size - packed.saved;
	codes->count = 0;
	put_locals(codes, &packed, epilog);
	put_homes_and_floats(codes, &packed, epilog);
	put_integers(codes, &packed);
	if (packed.chain == 2)
		put(codes, ARM64_PAC_SIGN_LR, 1);
	put(codes, ARM64_END, 1);
	return true;
}

/* Undoes a frame whose prolog is described from code 0 on; inside of it only as much as has run. */
static bool
undo_from_body(struct arm64_undoing *undoing, const struct arm64_codes *codes, uint32_t done)
{
	uint32_t prolog;
	if (!arm64_count(codes, 0, &prolog))
		return false;
	return arm64_undo(undoing, codes, 0, done < prolog ? prolog - done : 0);
}

/* done: instructions of the function before pc, UINT32_MAX behind a call. */
static bool
undo_packed(struct arm64_undoing *undoing, const struct pe_entry *entry, uint32_t done)
{
	struct arm64_codes codes;
	uint32_t epilog, all = (entry->end - entry->begin) / INSTRUCTION;
	bool fragment = (entry->unwind & 3) == PACKED_FRAGMENT;
	if ((entry->unwind & 3) > PACKED_FRAGMENT)
		return false;
	if (!fragment && done < all) {
		if (!unpack(entry->unwind, true, &codes) || !arm64_count(&codes, 0, &epilog))
			return false;
		if (epilog < all && done >= all - epilog - 1) /* the last one returns */
			return arm64_undo(undoing, &codes, 0, done - (all - epilog - 1));
	}
	return unpack(entry->unwind, false, &codes) && undo_from_body(undoing, &codes, fragment ? UINT32_MAX : done);
}

struct record {
	uint64_t scopes_at;
	uint32_t scopes;   /* 0: one epilog at the end, or none */
	bool single;
	uint32_t index;    /* of the codes of a single epilog */
};

static bool
read_record(struct space *space, uint64_t at, struct record *record, struct arm64_codes *codes)
{
	uint32_t head, more;
	if (!space_u32(space, at, &head) || (head >> 18 & 3) != 0)
		return false;
	at += 4;
	record->single = (head >> 21 & 1) != 0;
	record->scopes = head >> 22 & 31;
	codes->count = (head >> 27) * 4u;
	if (head >> 22 == 0) {
		if (!space_u32(space, at, &more))
			return false;
		at += 4;
		record->scopes = more & EPILOGS_MOST;
		codes->count = (more >> 16 & 255) * 4;
	}
	record->index = record->scopes;
	if (record->single)
		record->scopes = 0;
	record->scopes_at = at;
	return space_read(space, at + 4ull * record->scopes, codes->at, codes->count);
}

/* Whether an epilog that begins at instruction `start` is under way; `skip` instructions of it have run then. */
static bool
is_inside(const struct arm64_codes *codes, uint32_t index, uint32_t start, uint32_t done, uint32_t *skip)
{
	uint32_t count;
	*skip = done - start;
	return done >= start && arm64_count(codes, index, &count) && *skip <= count;
}

static bool
undo_record(struct arm64_undoing *undoing, const struct pe_entry *entry, uint32_t done)
{
	struct arm64_codes codes;
	struct record record;
	uint32_t scope, skip, count, all = (entry->end - entry->begin) / INSTRUCTION;
	if (!read_record(undoing->space, entry->base + entry->unwind, &record, &codes))
		return false;
	for (uint32_t i = 0; done < all && i < record.scopes; i++) {
		if (!space_u32(undoing->space, record.scopes_at + 4ull * i, &scope))
			return false;
		if (is_inside(&codes, scope >> 22, scope & 0x3ffff, done, &skip))
			return arm64_undo(undoing, &codes, scope >> 22, skip);
	}
	if (done < all && record.single && arm64_count(&codes, record.index, &count) && count < all &&
	    is_inside(&codes, record.index, all - count - 1, done, &skip))
		return arm64_undo(undoing, &codes, record.index, skip);
	return undo_from_body(undoing, &codes, done);
}

bool
arm64_unwind(struct space *space, const struct pe_entry *entry, struct registers *registers, struct pe_step *step)
{
	struct arm64_undoing undoing = {space, registers, 0, false};
	uint64_t behind = registers->pc - (entry->base + entry->begin);
	uint32_t done = step->exact && behind < UINT32_MAX ? (uint32_t)behind / INSTRUCTION : UINT32_MAX;
	bool packed = (entry->unwind & 3) != PACKED_NOT;
	step->trapped = false;
	if (!(packed ? undo_packed(&undoing, entry, done) : undo_record(&undoing, entry, done)))
		return false;
	step->trapped = undoing.trapped;
	if (!undoing.trapped)
		arm64_unwind_leaf(registers);
	return true;
}
