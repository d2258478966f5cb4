/* SPDX-License-Identifier: MIT */
#include "dump/clr_symbol.h"

#include <string.h>

#define NAME_MOST 64
#define CHAIN_MOST 4096 /* symbols of one hash bucket; they hold a few */
#define PROGRAM_HEADERS_MOST 128
#define DYNAMIC_MOST 512
#define RELATIVE_MOST (1u << 24)

/* Orders the name at an address against ours like strcmp; false when it cannot be read. */
static bool
compare_name(struct space *space, uint64_t at, const char *name, int *order)
{
	char read[NAME_MOST + 1];
	size_t size = strlen(name) + 1;
	size_t got = space_read_some(space, at, read, size < sizeof read ? size : sizeof read);
	if (got == 0)
		return false;
	*order = strncmp(read, name, got);
	return *order != 0 || got == size;
}

struct exports {
	uint64_t base;
	uint32_t function_count, name_count, functions, names, ordinals, start, size;
};

static bool
read_exports(struct space *space, uint64_t base, struct exports *exports)
{
	uint32_t header, entry[2], words[5];
	uint16_t magic;
	uint64_t at;
	if (!space_u32(space, base + 0x3c, &header) || header > 0x10000 || !space_u16(space, base + header + 24, &magic))
		return false;
	at = base + header + 24 + (magic == 0x20b ? 112 : 96);
	if ((magic != 0x20b && magic != 0x10b) || !space_read(space, at, entry, sizeof entry) || entry[0] == 0)
		return false;
	if (!space_read(space, base + entry[0] + 20, words, sizeof words))
		return false;
	*exports = (struct exports){base, words[0], words[1], words[2], words[3], words[4], entry[0], entry[1]};
	return true;
}

static bool
pe_function(struct space *space, const struct exports *exports, uint32_t index, uint64_t *address)
{
	uint16_t ordinal;
	uint32_t rva;
	if (!space_u16(space, exports->base + exports->ordinals + 2ull * index, &ordinal) || ordinal >= exports->function_count)
		return false;
	if (!space_u32(space, exports->base + exports->functions + 4ull * ordinal, &rva) || rva == 0)
		return false;
	if (rva >= exports->start && rva - exports->start < exports->size)
		return false; /* a forwarder */
	*address = exports->base + rva;
	return true;
}

/* The names are sorted by their bytes. */
static bool
find_in_pe(struct space *space, uint64_t base, const char *name, uint64_t *address)
{
	struct exports exports;
	uint32_t low = 0, high, middle, rva;
	int order;
	if (!read_exports(space, base, &exports))
		return false;
	for (high = exports.name_count; low < high;) {
		middle = low + (high - low) / 2;
		if (!space_u32(space, base + exports.names + 4ull * middle, &rva) || !compare_name(space, base + rva, name, &order))
			return false;
		if (order == 0)
			return pe_function(space, &exports, middle, address);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

struct dynamic {
	uint64_t base, symbols, strings, hash;
	uint64_t relocations, relative_count; /* those that only add the base come first, by their addresses */
};

/* Loaders write addresses into the dynamic section, others leave offsets. */
static uint64_t
dynamic_place(uint64_t base, uint64_t value)
{
	return value >= base ? value : base + value;
}

static bool
read_dynamic(struct space *space, uint64_t base, uint64_t at, struct dynamic *dynamic)
{
	uint64_t entry[2];
	*dynamic = (struct dynamic){.base = base};
	for (unsigned i = 0; i < DYNAMIC_MOST && space_read(space, at + 16ull * i, entry, sizeof entry); i++) {
		if (entry[0] == 0)
			break;
		if (entry[0] == 5)
			dynamic->strings = dynamic_place(base, entry[1]);
		else if (entry[0] == 6)
			dynamic->symbols = dynamic_place(base, entry[1]);
		else if (entry[0] == 7)
			dynamic->relocations = dynamic_place(base, entry[1]);
		else if (entry[0] == 0x6ffffff9)
			dynamic->relative_count = entry[1];
		else if (entry[0] == 0x6ffffef5)
			dynamic->hash = dynamic_place(base, entry[1]);
	}
	return dynamic->strings != 0 && dynamic->symbols != 0 && dynamic->hash != 0;
}

static bool
find_dynamic(struct space *space, uint64_t base, struct dynamic *dynamic)
{
	uint64_t headers, header[7];
	uint16_t count;
	if (!space_u64(space, base + 32, &headers) || !space_u16(space, base + 56, &count) || count > PROGRAM_HEADERS_MOST)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!space_read(space, base + headers + 56ull * i, header, sizeof header))
			return false;
		if ((uint32_t)header[0] == 2)
			return read_dynamic(space, base, base + header[2], dynamic);
	}
	return false;
}

static uint32_t
gnu_hash(const char *name)
{
	uint32_t hash = 5381;
	for (; *name != '\0'; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

static bool
elf_symbol(struct space *space, const struct dynamic *dynamic, uint64_t index, const char *name, uint64_t *address)
{
	unsigned char symbol[24];
	struct span bytes = {symbol, sizeof symbol};
	uint32_t word;
	uint16_t section;
	uint64_t value;
	int order;
	if (!space_read(space, dynamic->symbols + 24 * index, symbol, sizeof symbol))
		return false;
	if (!span_u32(bytes, 0, &word) || !span_u16(bytes, 6, &section) || !span_u64(bytes, 8, &value) || section == 0)
		return false;
	if (!compare_name(space, dynamic->strings + word, name, &order) || order != 0)
		return false;
	*address = dynamic->base + value;
	return true;
}

static bool
find_in_elf(struct space *space, uint64_t base, const char *name, uint64_t *address)
{
	struct dynamic dynamic;
	uint32_t head[4], index, link, hash = gnu_hash(name);
	uint64_t buckets, chains;
	if (!find_dynamic(space, base, &dynamic) || !space_read(space, dynamic.hash, head, sizeof head) || head[0] == 0)
		return false;
	buckets = dynamic.hash + 16 + 8ull * head[2];
	chains = buckets + 4ull * head[0];
	if (!space_u32(space, buckets + 4ull * (hash % head[0]), &index) || index < head[1])
		return false;
	for (unsigned i = 0; i < CHAIN_MOST && space_u32(space, chains + 4ull * (index - head[1]), &link); i++, index++) {
		if (((link ^ hash) >> 1) == 0 && elf_symbol(space, &dynamic, index, name, address))
			return true;
		if ((link & 1) != 0)
			return false;
	}
	return false;
}

bool
clr_symbol_find(struct space *space, const struct module *module, const char *name, uint64_t *address)
{
	unsigned char magic[5];
	if (!space_read(space, module->base, magic, sizeof magic))
		return false;
	if (magic[0] == 'M' && magic[1] == 'Z')
		return find_in_pe(space, module->base, name, address);
	if (memcmp(magic, "\x7f" "ELF\x02", 5) == 0)
		return find_in_elf(space, module->base, name, address);
	return false;
}

bool
clr_symbol_relocated(struct space *space, const struct module *module, uint64_t address, uint64_t *value)
{
	struct dynamic dynamic;
	uint64_t low = 0, high, entry[3]; /* r_offset, r_info, r_addend */
	if (!find_dynamic(space, module->base, &dynamic) || dynamic.relocations == 0)
		return false;
	for (high = dynamic.relative_count < RELATIVE_MOST ? dynamic.relative_count : RELATIVE_MOST; low < high;) {
		uint64_t middle = low + (high - low) / 2;
		if (!space_read(space, dynamic.relocations + 24 * middle, entry, sizeof entry))
			return false;
		if (entry[0] == address - module->base) {
			*value = module->base + entry[2];
			return true;
		}
		if (entry[0] < address - module->base)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
