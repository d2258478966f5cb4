/* SPDX-License-Identifier: MIT */
#include "dump/clr_r2r.h"

#include "dump/pe.h"

#include <string.h>

#define MAGIC 0x00525452u    /* "RTR" */
#define NATIVE_HEADER 64     /* of the CLI header: the directory that names the ReadyToRun header */
#define SECTIONS_MOST 64
#define FUNCTION_BYTES 12
#define HANDLER_BYTES 8
#define CLAUSE_BYTES 24
#define CLAUSES_MOST 4096    /* of one method */
#define BLOCK 16             /* elements of the sparse array that share a tree */
#define METHODS_MOST 0x40000u
#define LOOKS_MOST 0x1000000u
#define NONE UINT32_MAX

enum section { RUNTIME_FUNCTIONS = 102, METHOD_ENTRIES = 103, EXCEPTION_INFO = 104 };

/* A piece of the image, moved on as it is read. */
struct window {
	struct space *space;
	uint64_t at, limit;      /* the address of its first byte, and behind the section */
	size_t count;
	unsigned char bytes[1024];
};

static const unsigned char *
look(struct window *window, uint64_t at, size_t size)
{
	if (at < window->at || at - window->at > window->count || window->count - (at - window->at) < size) {
		if (at >= window->limit || size > window->limit - at)
			return NULL;
		window->at = at;
		window->count = window->limit - at < sizeof window->bytes ? (size_t)(window->limit - at) : sizeof window->bytes;
		window->count = space_read_some(window->space, at, window->bytes, window->count);
		if (window->count < size)
			return NULL;
	}
	return window->bytes + (at - window->at);
}

/* A number of 1 to 5 bytes: the low bits of the first that are set tell how many follow. */
static bool
decode(struct window *window, uint64_t *at, uint32_t *value)
{
	const unsigned char *bytes = look(window, *at, 1);
	unsigned more = 0;
	uint64_t whole = 0;
	while (bytes != NULL && more < 5 && (bytes[0] >> more & 1) != 0)
		more++;
	if (bytes == NULL || more == 5 || (bytes = look(window, *at, more + 1)) == NULL)
		return false;
	for (unsigned i = 0; i <= more; i++)
		whole |= (uint64_t)bytes[i] << 8 * i;
	*value = (uint32_t)(whole >> (more == 4 ? 8 : more + 1));
	*at += more + 1;
	return true;
}

struct entries {
	struct window trees, heads; /* of blocks: their trees, and where these begin */
	uint64_t base;
	uint32_t count;
	unsigned index_size;
};

static bool
open_entries(struct entries *entries, const struct clr_r2r *r2r, struct space *space)
{
	uint64_t at = r2r->entries;
	uint32_t head;
	entries->trees = (struct window){.space = space, .limit = r2r->entries + r2r->entries_size};
	entries->heads = entries->trees;
	if (!decode(&entries->trees, &at, &head))
		return false;
	entries->base = at;
	entries->count = head >> 2 < METHODS_MOST ? head >> 2 : METHODS_MOST;
	entries->index_size = (head & 3) == 0 ? 1 : (head & 3) == 1 ? 2 : 4;
	return true;
}

static bool
tree_of(struct entries *entries, uint32_t index, uint64_t *at)
{
	const unsigned char *bytes = look(&entries->heads, entries->base + (uint64_t)(index / BLOCK) * entries->index_size,
	                                  entries->index_size);
	uint64_t offset = 0;
	for (unsigned i = 0; bytes != NULL && i < entries->index_size; i++)
		offset |= (uint64_t)bytes[i] << 8 * i;
	*at = entries->base + offset;
	return bytes != NULL;
}

/* Down the tree by the bits of the index: bit 0 of a node says that there is a left half, which follows, bit 1 that there is
 * a right one, as far on as the rest tells. A node without either is the only element left, and the rest its index. */
static bool
entry_at(struct entries *entries, uint32_t index, uint64_t *at)
{
	uint32_t node;
	if (!tree_of(entries, index, at))
		return false;
	for (unsigned bit = BLOCK / 2; bit > 0; bit >>= 1) {
		uint64_t left = *at;
		if (!decode(&entries->trees, &left, &node))
			return false;
		if ((index & bit) != 0 && (node & 2) != 0) {
			*at += node >> 2;
		} else if ((index & bit) == 0 && (node & 1) != 0) {
			*at = left;
		} else {
			*at = left;
			return (node & 3) == 0 && node >> 2 == index % BLOCK;
		}
	}
	return true;
}

/* The row that begins with the first of two functions, else the one that begins with the second; 0: none. An element is the
 * function's number, with a bit for fixups that follow, and then one for where. */
static uint32_t
find_row(struct clr_r2r *r2r, struct space *space, const uint32_t functions[2])
{
	struct entries entries;
	uint32_t second = 0, word;
	uint64_t at;
	if (!open_entries(&entries, r2r, space))
		return 0;
	for (uint32_t i = 0; i < entries.count && r2r->looks < LOOKS_MOST; i++, r2r->looks++) {
		if (!entry_at(&entries, i, &at) || !decode(&entries.trees, &at, &word))
			continue;
		word >>= (word & 1) != 0 ? 2 : 1;
		if (word == functions[0])
			return i + 1;
		if (word == functions[1])
			second = i + 1;
	}
	return second;
}

static bool
open_sections(struct clr_r2r *r2r, struct space *space, uint64_t header)
{
	uint32_t magic, count, s[3]; /* kind, rva, size */
	if (!space_u32(space, header, &magic) || magic != MAGIC || !space_u32(space, header + 12, &count))
		return false;
	for (uint32_t i = 0; i < count && i < SECTIONS_MOST && space_read(space, header + 16 + 12ull * i, s, sizeof s); i++) {
		if (s[0] == RUNTIME_FUNCTIONS) {
			r2r->functions = r2r->base + s[1];
			r2r->function_count = s[2] / FUNCTION_BYTES;
		} else if (s[0] == METHOD_ENTRIES) {
			r2r->entries = r2r->base + s[1];
			r2r->entries_size = s[2];
		} else if (s[0] == EXCEPTION_INFO) {
			r2r->handlers = r2r->base + s[1];
			r2r->handler_count = s[2] / HANDLER_BYTES;
		}
	}
	return r2r->functions != 0 && r2r->entries != 0;
}

static bool
open_image(struct clr_r2r *r2r, struct space *space, uint64_t base)
{
	struct pe pe;
	uint32_t cli, size, native[2];
	if (r2r->base == base)
		return r2r->usable;
	r2r->base = base;
	r2r->functions = r2r->entries = r2r->handlers = 0;
	r2r->handler_count = 0;
	r2r->usable = pe_open(&pe, space, base) && pe.machine == 0x8664 && pe_directory(&pe, space, PE_DIRECTORY_CLI, &cli, &size) &&
	              space_read(space, base + cli + NATIVE_HEADER, native, sizeof native) && native[0] != 0 &&
	              open_sections(r2r, space, base + native[0]) && clr_metadata_open_image(&r2r->metadata, space, base);
	return r2r->usable;
}

/* The number of the last row of a sorted table whose first word is at most rva. */
static uint32_t
last_row(struct space *space, uint64_t table, uint32_t count, unsigned bytes, uint64_t rva)
{
	uint32_t low = 0, high = count, begin;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!space_u32(space, table + (uint64_t)middle * bytes, &begin))
			return NONE;
		if (begin <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NONE : low - 1;
}

/* Handlers are functions behind their method's own; the clauses of the method before tell whether one begins there. */
static uint32_t
method_around(const struct clr_r2r *r2r, struct space *space, uint32_t begin, uint32_t *method)
{
	uint32_t pair[4], clause[6], row = last_row(space, r2r->handlers, r2r->handler_count, HANDLER_BYTES, begin);
	if (row == NONE || row + 1 >= r2r->handler_count ||
	    !space_read(space, r2r->handlers + (uint64_t)row * HANDLER_BYTES, pair, sizeof pair))
		return NONE;
	for (uint32_t at = pair[1], i = 0; at < pair[3] && pair[3] - at >= CLAUSE_BYTES && i < CLAUSES_MOST; at += CLAUSE_BYTES, i++) {
		if (!space_read(space, r2r->base + at, clause, sizeof clause))
			return NONE;
		if (begin - pair[0] != clause[3] && ((clause[0] & 1) == 0 || begin - pair[0] != clause[5])) /* 1: the last is a filter's */
			continue;
		*method = pair[0];
		return last_row(space, r2r->functions, r2r->function_count, FUNCTION_BYTES, pair[0]);
	}
	return NONE;
}

static uint32_t
row_of(struct clr_r2r *r2r, struct space *space, uint64_t start, const uint32_t functions[2])
{
	size_t slot = (size_t)(start ^ start >> 6) % CLR_R2R_KEPT;
	if (r2r->kept_for[slot] != start) {
		r2r->kept[slot] = find_row(r2r, space, functions);
		r2r->kept_for[slot] = start;
	}
	return r2r->kept[slot];
}

bool
clr_r2r_put_method(struct clr_r2r *r2r, struct space *space, uint64_t pc, struct text *text, uint64_t *start)
{
	const struct module *module = space_module_at(space, pc);
	uint32_t functions[2], function[2], method = 0, row;
	if (module == NULL || !open_image(r2r, space, module->base))
		return false;
	functions[0] = last_row(space, r2r->functions, r2r->function_count, FUNCTION_BYTES, pc - module->base);
	if (functions[0] == NONE || !space_read(space, r2r->functions + (uint64_t)functions[0] * FUNCTION_BYTES, function, sizeof function) ||
	    pc - module->base >= function[1])
		return false;
	functions[1] = method_around(r2r, space, function[0], &method);
	row = row_of(r2r, space, module->base + function[0], functions);
	*start = module->base + (functions[1] == NONE ? function[0] : method);
	return row != 0 && clr_metadata_put_owned_method(&r2r->metadata, space, row, text);
}
