/* SPDX-License-Identifier: MIT */
#include "dump/elf.h"

#include "dump/pe.h"

#include <string.h>

#define HEADERS_MOST 64      /* program headers looked at; ld writes about 13 */
#define DYNAMIC_MOST 128     /* entries of the dynamic section */
#define SYMBOLS_MOST (1u << 20)
#define SYMBOL_BYTES 24
#define BATCH 64u

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
