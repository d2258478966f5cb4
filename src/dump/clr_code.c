/* SPDX-License-Identifier: MIT */
#include "dump/clr_code.h"

#define BACK_MOST 32768u     /* from an address to the start of its method, without a map */
#define CODE_ALIGN 16        /* of methods, x64 */
#define PIECE 2048
#define FRAGMENTS_MOST 1024
#define NIBBLE_BYTES 32      /* of code that one nibble stands for */
#define UNWINDS_MOST 4096    /* funclets of one method */
#define FUNCTIONS_MOST 0x1000000u
#define FUNCTION_BYTES 12    /* of x64; of others without the end */
#define FUNCTION_BYTES_SHORT 8
#define BUCKET_PROBES 4096
#define FUNCLETS_MOST 256    /* functions in front of a pc that may belong to the same method */

/* The fragments of the range map for pc: levels of 256 pointers by the address's bits, their lowest bit being a lock. */
static bool
find_fragments(struct clr *clr, uint64_t pc, uint64_t *fragment)
{
	bool wide = clr->space->pointer_size == 8;
	uint64_t at = clr->d.globals[GLOBAL_RANGE_MAP] + clr->d.offsets[MAP_TOP];
	if (!clr->d.has_global[GLOBAL_RANGE_MAP] || !clr->d.has_field[MAP_TOP] || (wide && pc >> 57 != 0))
		return false;
	for (int shift = wide ? 49 : 24; shift >= (wide ? 17 : 16); shift -= 8) {
		if (!space_pointer(clr->space, at + (pc >> shift & 255) * clr->space->pointer_size, &at))
			return false;
		at &= ~1ull;
		if (at == 0)
			return false;
	}
	*fragment = at;
	return true;
}

static bool
find_section(struct clr *clr, uint64_t pc, uint64_t *section)
{
	uint64_t fragment, begin, end;
	if (!find_fragments(clr, pc, &fragment))
		return false;
	for (unsigned i = 0; i < FRAGMENTS_MOST && fragment != 0; i++) {
		if (!clr_field_pointer(&clr->d, clr->space, fragment, FRAGMENT_BEGIN, &begin) ||
		    !clr_field_pointer(&clr->d, clr->space, fragment, FRAGMENT_END, &end))
			return false;
		if (pc >= begin && pc < end)
			return clr_field_pointer(&clr->d, clr->space, fragment, FRAGMENT_SECTION, section);
		if (!clr_field_pointer(&clr->d, clr->space, fragment, FRAGMENT_NEXT, &fragment))
			return false;
		fragment &= ~1ull;
	}
	return false;
}

/* A word of the nibble map with its low nibble above 8 is no nibbles but the method's start, relative to the map. */
static bool
is_start_word(uint32_t word)
{
	return (word & 15) > 8;
}

static uint64_t
start_of_word(uint32_t word)
{
	return (word & ~15u) + (uint64_t)((word & 15) - 9) * 4;
}

/* The last nibble that is set in a word whose lowest nibble stands for the 32 bytes numbered `last`. */
static bool
last_start(uint32_t word, uint64_t last, uint64_t *start)
{
	for (; word != 0; word >>= 4, last--) {
		if ((word & 15) == 0)
			continue;
		*start = last * NIBBLE_BYTES + (uint64_t)((word & 15) - 1) * 4;
		return true;
	}
	return false;
}

/* The start of the method that holds `offset`, relative to the map: eight nibbles a word, the first on top, each telling
 * in units of 4 bytes (+ 1) where a method begins in its 32 bytes. */
static bool
nibble_start(struct clr *clr, uint64_t map, uint64_t offset, uint64_t *start)
{
	uint64_t nibble = offset / NIBBLE_BYTES, word_at = nibble / 8;
	uint32_t word, here, within = (uint32_t)(offset % NIBBLE_BYTES / 4) + 1;
	if (!space_u32(clr->space, map + 4 * word_at, &word))
		return false;
	if (is_start_word(word)) {
		*start = start_of_word(word);
		return true;
	}
	word >>= 28 - 4 * (nibble & 7);
	here = word & 15;
	if (here > within)
		word &= ~15u; /* begins behind us */
	if (last_start(word, nibble, start))
		return true;
	if (word_at == 0 || !space_u32(clr->space, map + 4 * (word_at - 1), &word))
		return false;
	if (is_start_word(word)) {
		*start = start_of_word(word);
		return true;
	}
	return last_start(word, word_at * 8 - 1, start);
}

/* In front of a method's first instruction stands a pointer to its header; small numbers there mean helper code. */
static bool
jit_code(struct clr *clr, uint64_t section, uint64_t heap, uint64_t pc, struct clr_code *code)
{
	uint64_t map_base, map, header, start, last_block = clr->d.has_global[GLOBAL_LAST_STUB] ? clr->d.globals[GLOBAL_LAST_STUB] : 15;
	if (!clr_field_pointer(&clr->d, clr->space, heap, HEAP_MAP_BASE, &map_base) || pc < map_base ||
	    !clr_field_pointer(&clr->d, clr->space, heap, HEAP_HEADER_MAP, &map))
		return false;
	if (!nibble_start(clr, map, pc - map_base, &start) || start > pc - map_base)
		return false;
	code->start = map_base + start;
	if (!space_pointer(clr->space, code->start - clr->space->pointer_size, &header) || header <= last_block)
		return false;
	if (!clr_field_pointer(&clr->d, clr->space, section, SECTION_BEGIN, &code->base) || code->base > code->start ||
	    !clr_field_pointer(&clr->d, clr->space, header, CODE_METHOD, &code->method))
		return false;
	if (!clr->d.has_field[CODE_UNWINDS] || !clr_field_u32(&clr->d, clr->space, header, CODE_UNWIND_COUNT, &code->count) ||
	    code->count > UNWINDS_MOST)
		code->count = 0;
	code->unwinds = header + clr->d.offsets[CODE_UNWINDS];
	return true;
}

/* The runtime's hash map from entry points to MethodDescs: buckets of four keys and values, the first of them holding only
 * their number; values are stored halved, and the top bit of a bucket's first value means that the search goes on. */
static bool
look_up_method(struct clr *clr, uint64_t map, uint64_t key, uint64_t *method)
{
	uint64_t buckets, value, first, mask = clr->d.globals[GLOBAL_HASH_MASK], wide = clr->space->pointer_size;
	uint32_t count, seed, step;
	const uint32_t *offsets = clr->d.offsets;
	if (!clr->d.has_field[BUCKET_SIZE] || !clr->d.has_field[BUCKET_VALUES] || !clr->d.has_field[BUCKET_KEYS] ||
	    !clr->d.has_global[GLOBAL_HASH_MASK] || !clr_field_pointer(&clr->d, clr->space, map, HASH_BUCKETS, &buckets))
		return false;
	if (!space_u32(clr->space, buckets, &count) || count < 2)
		return false;
	seed = (uint32_t)(key >> 2);
	step = 1 + ((uint32_t)(key >> 5) + 1) % (count - 1);
	for (unsigned i = 0; i < BUCKET_PROBES && i < count; i++, seed += step) {
		uint64_t bucket = buckets + offsets[BUCKET_SIZE] + (uint64_t)offsets[BUCKET_SIZE] * (seed % count), found;
		for (unsigned slot = 0; slot < 4; slot++) {
			if (!space_pointer(clr->space, bucket + offsets[BUCKET_KEYS] + slot * wide, &found))
				return false;
			if (found != key)
				continue;
			if (!space_pointer(clr->space, bucket + offsets[BUCKET_VALUES] + slot * wide, &value))
				return false;
			*method = (value & mask) << 1;
			return true;
		}
		if (!space_pointer(clr->space, bucket + offsets[BUCKET_VALUES], &first) || (first & ~mask) == 0)
			return false;
	}
	return false;
}

static unsigned
function_bytes(const struct clr *clr)
{
	return clr->space->arch == ARCH_X64 ? FUNCTION_BYTES : FUNCTION_BYTES_SHORT;
}

/* The last RUNTIME_FUNCTION that begins at or before rva. */
static bool
find_function(struct clr *clr, uint64_t functions, uint32_t count, uint64_t rva, uint32_t *index)
{
	unsigned size = function_bytes(clr);
	uint32_t low = 0, high = count, begin;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!space_u32(clr->space, functions + (uint64_t)middle * size, &begin))
			return false;
		if (begin <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low - 1;
	return low > 0;
}

/* The hot function a cold part belongs to: pairs {cold, hot} sorted by the first. Indexes below the first cold one are hot. */
static uint32_t
hot_index(struct clr *clr, uint64_t info, uint32_t index)
{
	uint64_t map;
	uint32_t count, pair[2], low = 0, high;
	if (!clr_field_u32(&clr->d, clr->space, info, R2R_HOT_COLD_COUNT, &count) || count < 2 || count > FUNCTIONS_MOST ||
	    !clr_field_pointer(&clr->d, clr->space, info, R2R_HOT_COLD, &map) || !space_read(clr->space, map, pair, sizeof pair))
		return index;
	if (index < pair[0])
		return index;
	for (high = count / 2; high - low > 1;) {
		uint32_t middle = low + (high - low) / 2;
		if (!space_read(clr->space, map + 8ull * middle, pair, sizeof pair))
			return index;
		if (pair[0] <= index)
			low = middle;
		else
			high = middle;
	}
	return space_read(clr->space, map + 8ull * low, pair, sizeof pair) && pair[1] < pair[0] ? pair[1] : index;
}

/* Funclets follow their method's function, and only that one is an entry point. */
static void
name_function(struct clr *clr, uint64_t info, uint32_t index, struct clr_code *code)
{
	uint64_t map_owner;
	uint32_t begin;
	if (!clr->d.has_field[R2R_ENTRY_MAP])
		return;
	if (!clr_field_pointer(&clr->d, clr->space, info, R2R_COMPOSITE, &map_owner) || map_owner == 0)
		map_owner = info;
	for (unsigned i = 0; i < FUNCLETS_MOST; i++, index--) {
		if (!space_u32(clr->space, code->unwinds + (uint64_t)index * function_bytes(clr), &begin))
			return;
		if (look_up_method(clr, map_owner + clr->d.offsets[R2R_ENTRY_MAP], code->base + begin, &code->method)) {
			if (code->base + begin < code->start)
				code->start = code->base + begin;
			return;
		}
		if (index == 0)
			return;
	}
}

static bool
r2r_code(struct clr *clr, uint64_t section, uint64_t module, uint64_t pc, struct clr_code *code)
{
	uint64_t info;
	uint32_t index, begin;
	if (!clr_field_pointer(&clr->d, clr->space, module, MODULE_R2R, &info) || info == 0 ||
	    !clr_field_pointer(&clr->d, clr->space, section, SECTION_BEGIN, &code->base) || pc < code->base)
		return false;
	if (!clr_field_u32(&clr->d, clr->space, info, R2R_FUNCTION_COUNT, &code->count) || code->count > FUNCTIONS_MOST ||
	    !clr_field_pointer(&clr->d, clr->space, info, R2R_FUNCTIONS, &code->unwinds))
		return false;
	if (!find_function(clr, code->unwinds, code->count, pc - code->base, &index) ||
	    !space_u32(clr->space, code->unwinds + (uint64_t)index * function_bytes(clr), &begin))
		return false;
	code->start = code->base + begin;
	name_function(clr, info, hot_index(clr, info, index), code);
	return true;
}

/* Three pointers, the MethodDesc, the number of RUNTIME_FUNCTIONs and they themselves: the same from .NET 8 to 10. */
struct code_header {
	uint64_t pointers[3], method;
	uint32_t count, first[3];
};

/* The first function begins where the method does, the last ends behind pc, and there is unwind data of version 1. */
static bool
judge_header(struct clr *clr, uint64_t start, uint64_t at, uint64_t pc, struct clr_code *code)
{
	struct code_header header;
	char name[8];
	struct text text = text_in(name, sizeof name);
	uint32_t last[3];
	uint8_t version;
	if (!space_read(clr->space, at, &header, sizeof header) || header.method == 0 || header.method % 8 != 0 ||
	    header.count == 0 || header.count > UNWINDS_MOST || header.first[0] > start)
		return false;
	*code = (struct clr_code){start, header.method, start - header.first[0], at + 36, header.count};
	return code->base % CODE_ALIGN == 0 && header.first[0] < header.first[1] &&
	       space_read(clr->space, code->unwinds + (uint64_t)(header.count - 1) * FUNCTION_BYTES, last, sizeof last) &&
	       last[0] >= header.first[0] && last[0] < last[1] && pc - code->base < last[1] &&
	       space_u8(clr->space, code->base + header.first[2], &version) && (version & 7) == 1 &&
	       clr_put_method(clr, header.method, &text);
}

/* The last words in front of an address: a heap of code may begin in the same page. */
static size_t
words_before(struct space *space, uint64_t end, uint64_t words[PIECE / 8])
{
	uint64_t page = (end - 1) & ~0xfffull;
	size_t size = end - page < PIECE ? (size_t)(end - page) : PIECE;
	if (space_read(space, end - PIECE, words, PIECE))
		return PIECE / 8;
	return space_read(space, end - size, words, size) ? size / 8 : 0;
}

/* Backwards over words that could be pointers in front of a method. */
static bool
search_header(struct clr *clr, uint64_t pc, struct clr_code *code)
{
	uint64_t words[PIECE / 8], end = (pc & ~(uint64_t)(CODE_ALIGN - 1)) + CODE_ALIGN;
	size_t count = PIECE / 8;
	for (unsigned back = 0; back < BACK_MOST && end > PIECE && count == PIECE / 8; back += PIECE, end -= PIECE) {
		count = words_before(clr->space, end, words);
		for (size_t i = count, at = 0; i >= 2; i -= 2, at += CODE_ALIGN)
			if (words[i - 1] >= 0x10000 && words[i - 1] >> 48 == 0 && words[i - 1] % 8 == 0 && end - at <= pc &&
			    judge_header(clr, end - at, words[i - 1], pc, code))
				return true;
	}
	return false;
}

/* Threads stand in the same few places, so what was found is kept, and also that nothing was. */
static bool
code_without_map(struct clr *clr, uint64_t pc, struct clr_code *code)
{
	size_t slot = (size_t)(pc ^ pc >> 7) % CLR_CODES_KEPT;
	if (clr->space->arch != ARCH_X64 || !clr->d.has_global[GLOBAL_REMAINDER_BITS] || pc == 0 ||
	    space_module_at(clr->space, pc) != NULL)
		return false;
	if (clr->code_for[slot] != pc) {
		clr->code_for[slot] = pc;
		if (!search_header(clr, pc, &clr->codes[slot]))
			clr->codes[slot].count = 0;
	}
	*code = clr->codes[slot];
	return code->count > 0;
}

bool
clr_code_at(struct clr *clr, uint64_t pc, struct clr_code *code)
{
	uint64_t section, module, heap;
	*code = (struct clr_code){0};
	if (!clr->d.has_global[GLOBAL_RANGE_MAP])
		return code_without_map(clr, pc, code);
	if (!find_section(clr, pc, &section))
		return false;
	if (clr_field_pointer(&clr->d, clr->space, section, SECTION_R2R, &module) && module != 0)
		return r2r_code(clr, section, module, pc, code);
	return clr_field_pointer(&clr->d, clr->space, section, SECTION_HEAPS, &heap) && heap != 0 &&
	       jit_code(clr, section, heap, pc, code);
}

bool
clr_code_unwind(struct clr *clr, uint64_t pc, const struct clr_code *code, uint32_t entry[3])
{
	uint32_t index;
	return clr->space->arch == ARCH_X64 && pc >= code->base && find_function(clr, code->unwinds, code->count, pc - code->base, &index) &&
	       space_read(clr->space, code->unwinds + (uint64_t)index * FUNCTION_BYTES, entry, FUNCTION_BYTES) &&
	       (pc - code->base < entry[1] || entry[1] <= entry[0]);
}
