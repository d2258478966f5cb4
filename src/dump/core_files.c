/* SPDX-License-Identifier: MIT */
#include "dump/core_files.h"

#include "dump/pe.h"

#include <inttypes.h>
#include <string.h>

#define PIECE 256
#define GAP_MOST (64u << 20) /* between the segments of one library: they are aligned to 2 MiB at most */

/* One mapped file of NT_FILE. */
struct mapping {
	uint64_t start, end, page;
	uint64_t name_at, name_hash;
};

/* Neighbours under way: those of one library so far. */
struct library {
	struct mapping first;
	uint64_t end, page; /* of the last one */
	struct pe pe;       /* when it is one, and its headers are there */
	bool is_pe, by_section;
};

/* Moves *at behind the NUL of the name that begins there; its hash (FNV-1a). False: no NUL before end. */
static bool
skip_name(struct view *view, uint64_t *at, uint64_t end, uint64_t *hash)
{
	*hash = 0xcbf29ce484222325ull;
	while (*at < end) {
		unsigned char piece[PIECE];
		size_t take = end - *at < PIECE ? (size_t)(end - *at) : PIECE;
		if (!view_read(view, *at, piece, take))
			return false;
		for (size_t i = 0; i < take; i++) {
			++*at;
			if (piece[i] == 0)
				return true;
			*hash = (*hash ^ piece[i]) * 0x100000001b3ull;
		}
	}
	return false;
}

/* Whether a mapped file is a program or library: data files, fonts and memory of no file (.NET's code) are mapped too.
 * What cannot be read may be a library whose pages were left out. */
static bool
is_image(struct space *space, const struct mapping *first)
{
	unsigned char magic[4], name[7];
	struct span start = {name, sizeof name};
	if (space_read(space, first->start, magic, sizeof magic))
		return memcmp(magic, "\x7f" "ELF", 4) == 0 || memcmp(magic, "MZ", 2) == 0;
	return first->page == 0 && view_read(&space->view, first->name_at, name, sizeof name)
	       && !span_begins(start, "/memfd:") && !span_begins(start, "/dev/") && !span_begins(start, "/SYSV");
}

/* A PE that is mapped by section is as large as it says, gaps included, unless something else begins there. */
static uint64_t
size_of(const struct library *library, uint64_t next)
{
	uint64_t size = library->end - library->first.start;
	if (!library->by_section || library->pe.image_size < size)
		return size;
	return next > library->end && next - library->first.start < library->pe.image_size ? next - library->first.start
	                                                                                 : library->pe.image_size;
}

static void
keep_module(struct space *space, const struct library *library, uint64_t next)
{
	const struct mapping *first = &library->first;
	if (first->end <= first->start || library->end <= first->start || !is_image(space, first))
		return;
	if (space->module_count >= SPACE_MODULES_MAX) {
		space->modules_left_out++;
		return;
	}
	space->modules[space->module_count++] = (struct module){
		.base = first->start, .size = size_of(library, next), .timestamp = library->is_pe ? library->pe.timestamp : 0,
		.is_flat = library->is_pe && !library->by_section, .name_at = first->name_at, .file_offset = first->page};
}

/* Whether a mapping is a part of one of the PE's sections, by its place in memory and in the file. .NET maps them 64 KiB
 * apart, and the first may begin in the same page of the file as the headers. */
static bool
is_in_section(const struct library *library, struct space *space, const struct mapping *next)
{
	uint64_t rva = next->start - library->first.start;
	uint32_t s[4]; /* virtual size, address, raw size, raw pointer */
	for (unsigned i = 0; i < library->pe.section_count; i++) {
		if (!space_read(space, library->pe.sections_at + 40ull * i + 8, s, sizeof s))
			return false;
		if (rva >= (s[1] & ~0xfffu) && rva < (uint64_t)s[1] + (s[0] > s[2] ? s[0] : s[2]))
			return next->page - library->first.page == (s[3] & ~0xfffu) + (rva - (s[1] & ~0xfffu));
	}
	return false;
}

static bool
belongs(struct library *library, struct space *space, const struct mapping *next)
{
	if (next->name_hash != library->first.name_hash || next->start < library->end)
		return false;
	if (library->is_pe && next->start - library->first.start < library->pe.image_size && is_in_section(library, space, next)) {
		library->by_section = true;
		return true;
	}
	return next->start - library->end <= GAP_MOST && next->page != 0 && next->page >= library->page;
}

static void
begin(struct library *library, struct space *space, const struct mapping *first)
{
	library->first = *first;
	library->by_section = false;
	library->is_pe = pe_open(&library->pe, space, first->start);
}

void
core_read_files(struct space *space, uint64_t at, uint32_t size)
{
	unsigned char room[24];
	struct span entry = {room, sizeof room};
	struct view *view = &space->view;
	struct library library = {0};
	uint64_t count, page, names, end = at + size;
	if (size < 16 || !view_read(view, at, room, 16))
		return;
	count = span_get_u64(entry, 0);
	page = span_get_u64(entry, 8);
	if (count > (size - 16) / sizeof room) {
		space_note(space, "the list of mapped files claims %" PRIu64 " entries", count);
		return;
	}
	names = at + 16 + count * sizeof room;
	for (uint64_t i = 0; i < count; i++) {
		struct mapping next = {.name_at = names};
		if (!view_read(view, at + 16 + i * sizeof room, room, sizeof room)
		    || !skip_name(view, &names, end, &next.name_hash))
			break;
		next.start = span_get_u64(entry, 0);
		next.end = span_get_u64(entry, 8);
		next.page = span_get_u64(entry, 16);
		if (page != 0 && next.page <= UINT64_MAX / page)
			next.page *= page;
		if (!belongs(&library, space, &next)) {
			keep_module(space, &library, next.start);
			begin(&library, space, &next);
		}
		library.end = next.end;
		library.page = next.page;
	}
	keep_module(space, &library, UINT64_MAX);
}
