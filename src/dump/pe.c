/* SPDX-License-Identifier: MIT */
#include "dump/pe.h"

#include "base/encode.h"

#include <string.h>

#define SECTION_BYTES 40
#define SECTION_EXECUTE 0x20000000u
#define BATCH 256u /* table entries read at once */
#define MACHINE_X64 0x8664
#define MACHINE_ARM64 0xaa64
#define LINUX_MARK 0x7b79 /* what .NET's machine numbers for Linux are xored with */

static uint16_t
plain_machine(uint16_t machine)
{
	uint16_t plain = machine ^ LINUX_MARK;
	return plain == MACHINE_X64 || plain == MACHINE_ARM64 ? plain : machine;
}

bool
pe_open(struct pe *pe, struct space *space, uint64_t base)
{
	uint16_t mz, optional_size, magic, sections;
	uint32_t place, signature;
	uint64_t at, optional;
	memset(pe, 0, sizeof *pe);
	pe->base = base;
	if (base > UINT64_MAX - UINT32_MAX || !space_u16(space, base, &mz) || mz != 0x5a4d ||
	    !space_u32(space, base + 0x3c, &place) || place > (1u << 28) ||
	    !space_u32(space, base + place, &signature) || signature != 0x4550)
		return false;
	at = base + place + 4;
	optional = at + 20;
	if (!space_u16(space, at, &pe->machine) || !space_u16(space, at + 2, &sections) ||
	    !space_u32(space, at + 4, &pe->timestamp) || !space_u16(space, at + 16, &optional_size) ||
	    !space_u16(space, optional, &magic) || (magic != 0x20b && magic != 0x10b) ||
	    !space_u32(space, optional + 56, &pe->image_size))
		return false;
	pe->machine = plain_machine(pe->machine);
	pe->plus = magic == 0x20b;
	pe->directories_at = optional + (pe->plus ? 112 : 96);
	if (!space_u32(space, pe->directories_at - 4, &pe->directory_count))
		return false;
	if (pe->directory_count > 16)
		pe->directory_count = 16;
	pe->sections_at = optional + optional_size;
	pe->section_count = sections > PE_SECTIONS_MAX ? PE_SECTIONS_MAX : sections;
	return true;
}

bool
pe_directory(const struct pe *pe, struct space *space, unsigned number, uint32_t *rva, uint32_t *size)
{
	uint64_t at = pe->directories_at + 8u * number;
	return number < pe->directory_count && space_u32(space, at, rva) && space_u32(space, at + 4, size) && *rva != 0 &&
	       *size != 0;
}

bool
pe_executable(const struct pe *pe, struct space *space, uint32_t rva)
{
	for (unsigned i = 0; i < pe->section_count; i++) {
		unsigned char bytes[SECTION_BYTES];
		struct span section = {bytes, sizeof bytes};
		uint32_t size = 0, start = 0, flags = 0;
		if (!space_read(space, pe->sections_at + (uint64_t)i * SECTION_BYTES, bytes, sizeof bytes))
			return false;
		(void)(span_u32(section, 8, &size) && span_u32(section, 12, &start) && span_u32(section, 36, &flags));
		if (rva >= start && rva - start < size)
			return (flags & SECTION_EXECUTE) != 0;
	}
	return false;
}

/* The first want at or above rva: the only one a single export must be put to; the others follow at the end. */
static size_t
first_from(const struct pe_want *want, size_t count, uint32_t rva)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (want[middle].rva < rva)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct exports {
	uint32_t rva, size;      /* of the directory */
	uint32_t functions, function_count;
	uint32_t names, name_count;
	uint32_t ordinals;
};

static bool
open_exports(const struct pe *pe, struct space *space, struct exports *exports)
{
	unsigned char bytes[40];
	struct span span = {bytes, sizeof bytes};
	if (!pe_directory(pe, space, PE_DIRECTORY_EXPORT, &exports->rva, &exports->size) ||
	    !space_read(space, pe->base + exports->rva, bytes, sizeof bytes) ||
	    !span_u32(span, 20, &exports->function_count) || !span_u32(span, 24, &exports->name_count) ||
	    !span_u32(span, 28, &exports->functions) || !span_u32(span, 32, &exports->names) ||
	    !span_u32(span, 36, &exports->ordinals))
		return false;
	if (exports->function_count > PE_EXPORTS_MAX)
		exports->function_count = PE_EXPORTS_MAX;
	if (exports->name_count > PE_EXPORTS_MAX)
		exports->name_count = PE_EXPORTS_MAX;
	return true;
}

static void
pass_functions(const struct pe *pe, struct space *space, const struct exports *exports, struct pe_want *want, size_t count)
{
	unsigned char bytes[BATCH * 4];
	for (uint32_t from = 0; from < exports->function_count; from += BATCH) {
		uint32_t n = exports->function_count - from < BATCH ? exports->function_count - from : BATCH;
		struct span span = {bytes, space_read_some(space, pe->base + exports->functions + 4ull * from, bytes, 4u * n)};
		uint32_t rva;
		for (uint32_t i = 0; span_u32(span, 4ull * i, &rva); i++) {
			size_t place;
			if (rva == 0 || (rva >= exports->rva && rva - exports->rva < exports->size))
				continue;
			place = first_from(want, count, rva);
			if (place < count && rva > want[place].start) {
				want[place].start = rva;
				want[place].function = from + i;
			}
		}
	}
}

/* Each want knows its function by now: finds which name has its ordinal. */
static void
pass_names(const struct pe *pe, struct space *space, const struct exports *exports, struct pe_want *want, size_t count)
{
	unsigned char bytes[BATCH * 2];
	for (uint32_t from = 0; from < exports->name_count; from += BATCH) {
		uint32_t n = exports->name_count - from < BATCH ? exports->name_count - from : BATCH;
		struct span span = {bytes, space_read_some(space, pe->base + exports->ordinals + 2ull * from, bytes, 2u * n)};
		uint16_t ordinal;
		for (uint32_t i = 0; span_u16(span, 2ull * i, &ordinal); i++)
			for (size_t k = 0; k < count; k++)
				if (want[k].start != 0 && want[k].name == 0 && want[k].function == ordinal &&
				    !space_u32(space, pe->base + exports->names + 4ull * (from + i), &want[k].name))
					want[k].name = 0;
	}
}

void
pe_nearest_exports(const struct pe *pe, struct space *space, struct pe_want *want, size_t count)
{
	struct exports exports;
	for (size_t i = 0; i < count; i++)
		want[i].start = want[i].function = want[i].name = 0;
	if (!open_exports(pe, space, &exports))
		return;
	pass_functions(pe, space, &exports, want, count);
	for (size_t i = 1; i < count; i++) {
		if (want[i].start >= want[i - 1].start)
			continue;
		want[i].start = want[i - 1].start;
		want[i].function = want[i - 1].function;
	}
	pass_names(pe, space, &exports, want, count);
}

bool
pe_name_text(struct space *space, uint64_t address, char name[FRAME_NAME_MAX])
{
	unsigned char bytes[FRAME_NAME_MAX];
	size_t count = space_read_some(space, address, bytes, sizeof bytes - 1);
	const unsigned char *end = memchr(bytes, 0, count);
	struct span rest = {bytes, end != NULL ? (size_t)(end - bytes) : count};
	size_t used = 0;
	while (rest.count > 0) {
		size_t size = utf8_length(rest);
		if (size == 0)
			name[used++] = '?';
		for (size_t i = 0; i < size; i++)
			name[used++] = (char)rest.at[i];
		rest = span_from(rest, size == 0 ? 1 : size);
	}
	name[used] = 0;
	return used > 0;
}
