/* SPDX-License-Identifier: MIT */
#include "dump/clr_metadata.h"

#include "dump/words.h"

#include <string.h>

#define ROOT_MAGIC 0x424a5342 /* "BSJB" */
#define STREAMS_MOST 32
#define SECTIONS_MOST 96
#define NESTING_MOST 16
#define NAME_MOST 512
#define LINEAR_MOST 65536 /* rows of an unsorted NestedClass table */

enum table {
	MODULE = 0, TYPE_REF = 1, TYPE_DEF = 2, FIELD = 4, METHOD_DEF = 6, PARAM = 8, INTERFACE_IMPL = 9, MEMBER_REF = 10,
	DECL_SECURITY = 14, STAND_ALONE_SIG = 17, EVENT = 20, PROPERTY = 23, MODULE_REF = 26, TYPE_SPEC = 27, ASSEMBLY = 32,
	ASSEMBLY_REF = 35, FILE_TABLE = 38, EXPORTED_TYPE = 39, MANIFEST_RESOURCE = 40, NESTED_CLASS = 41, GENERIC_PARAM = 42,
	METHOD_SPEC = 43, GENERIC_CONSTRAINT = 44
};

static unsigned
index_size(const struct clr_metadata *m, enum table table)
{
	return m->rows[table] > 0xffff ? 4 : 2;
}

/* Of a coded index: how wide it is depends on the largest of its tables (II.24.2.6). */
static unsigned
coded_size(const struct clr_metadata *m, unsigned tag_bits, const unsigned char *tables, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (m->rows[tables[i]] >= 1u << (16 - tag_bits))
			return 4;
	return 2;
}

struct index_sizes {
	unsigned strings, guids, blobs, type_def_or_ref, resolution_scope, member_ref_parent, has_constant, has_attribute,
	        attribute_type, has_marshal, has_security, has_semantics, method_def_or_ref, member_forwarded, implementation,
	        type_or_method;
};

#define CODED(m, bits, ...) \
	coded_size(m, bits, (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__}))

static struct index_sizes
measure_indexes(const struct clr_metadata *m, unsigned heaps)
{
	struct index_sizes s = {
		.strings = heaps & 1 ? 4 : 2,
		.guids = heaps & 2 ? 4 : 2,
		.blobs = heaps & 4 ? 4 : 2,
		.type_def_or_ref = CODED(m, 2, TYPE_DEF, TYPE_REF, TYPE_SPEC),
		.resolution_scope = CODED(m, 2, MODULE, MODULE_REF, ASSEMBLY_REF, TYPE_REF),
		.member_ref_parent = CODED(m, 3, TYPE_DEF, TYPE_REF, MODULE_REF, METHOD_DEF, TYPE_SPEC),
		.has_constant = CODED(m, 2, FIELD, PARAM, PROPERTY),
		.has_attribute = CODED(m, 5, METHOD_DEF, FIELD, TYPE_REF, TYPE_DEF, PARAM, INTERFACE_IMPL, MEMBER_REF, MODULE,
		                       DECL_SECURITY, PROPERTY, EVENT, STAND_ALONE_SIG, MODULE_REF, TYPE_SPEC, ASSEMBLY,
		                       ASSEMBLY_REF, FILE_TABLE, EXPORTED_TYPE, MANIFEST_RESOURCE, GENERIC_PARAM,
		                       GENERIC_CONSTRAINT, METHOD_SPEC),
		.attribute_type = CODED(m, 3, METHOD_DEF, MEMBER_REF),
		.has_marshal = CODED(m, 1, FIELD, PARAM),
		.has_security = CODED(m, 2, TYPE_DEF, METHOD_DEF, ASSEMBLY),
		.has_semantics = CODED(m, 1, EVENT, PROPERTY),
		.method_def_or_ref = CODED(m, 1, METHOD_DEF, MEMBER_REF),
		.member_forwarded = CODED(m, 1, FIELD, METHOD_DEF),
		.implementation = CODED(m, 2, FILE_TABLE, ASSEMBLY_REF, EXPORTED_TYPE),
		.type_or_method = CODED(m, 1, TYPE_DEF, METHOD_DEF),
	};
	return s;
}

/* Sizes of all rows (II.22.2 to II.22.39; the pointer tables 3, 5, 7, 19 and 22 occur in #- streams only). */
static void
measure_rows(struct clr_metadata *m, unsigned heaps)
{
	struct index_sizes s = measure_indexes(m, heaps);
	unsigned type = index_size(m, TYPE_DEF), field = index_size(m, FIELD), method = index_size(m, METHOD_DEF),
	         param = index_size(m, PARAM), event = index_size(m, EVENT), property = index_size(m, PROPERTY);
	const uint32_t size[] = {
		2 + s.strings + 3 * s.guids, s.resolution_scope + 2 * s.strings,
		4 + 2 * s.strings + s.type_def_or_ref + field + method, field, 2 + s.strings + s.blobs, method,
		8 + s.strings + s.blobs + param, param, 4 + s.strings, type + s.type_def_or_ref,
		s.member_ref_parent + s.strings + s.blobs, 2 + s.has_constant + s.blobs,
		s.has_attribute + s.attribute_type + s.blobs, s.has_marshal + s.blobs, 2 + s.has_security + s.blobs, 6 + type,
		4 + field, s.blobs, type + event, event, 2 + s.strings + s.type_def_or_ref, type + property, property,
		2 + s.strings + s.blobs, 2 + method + s.has_semantics, type + 2 * s.method_def_or_ref, s.strings, s.blobs,
		2 + s.member_forwarded + s.strings + index_size(m, MODULE_REF), 4 + field, 8, 4, 16 + s.blobs + 2 * s.strings, 4, 12,
		12 + 2 * s.blobs + 2 * s.strings, 4 + index_size(m, ASSEMBLY_REF), 12 + index_size(m, ASSEMBLY_REF),
		4 + s.strings + s.blobs, 8 + 2 * s.strings + s.implementation, 8 + s.strings + s.implementation, 2 * type,
		4 + s.type_or_method + s.strings, s.method_def_or_ref + s.blobs, index_size(m, GENERIC_PARAM) + s.type_def_or_ref,
	};
	memcpy(m->row_size, size, sizeof size);
	m->string_index = s.strings;
	m->type_index = type;
}

/* The head of the stream with the tables (II.24.2.6): heap sizes, which tables, their row counts, then their rows. */
static bool
read_tables(struct clr_metadata *m, struct space *space, uint64_t at, uint32_t size)
{
	uint8_t heaps;
	uint64_t valid, sorted, place = at + 24;
	m->table_end = at + size;
	if (!space_u8(space, at + 6, &heaps) || !space_u64(space, at + 8, &valid) || !space_u64(space, at + 16, &sorted))
		return false;
	for (unsigned i = 0; i < CLR_TABLES; i++) {
		if ((valid >> i & 1) == 0)
			continue;
		if (!space_u32(space, place, &m->rows[i]) || m->rows[i] > CLR_ROWS_MAX)
			return false;
		place += 4;
	}
	if ((heaps & 0x40) != 0)
		place += 4; /* extra data of #- streams */
	measure_rows(m, heaps);
	m->nested_sorted = (sorted >> NESTED_CLASS & 1) != 0;
	for (unsigned i = 0; i < CLR_TABLES; i++) {
		m->at[i] = place;
		place += (uint64_t)m->rows[i] * m->row_size[i];
		if (place > m->table_end)
			return i > NESTED_CLASS; /* tables we do not know may follow */
	}
	return true;
}

struct stream_header {
	uint32_t offset, size;
	char name[33];
};

/* The name is padded to a multiple of four with its NUL. */
static bool
read_stream_header(struct space *space, uint64_t *at, struct stream_header *header)
{
	uint32_t pair[2];
	size_t got, length;
	if (!space_read(space, *at, pair, sizeof pair))
		return false;
	memset(header, 0, sizeof *header);
	got = space_read_some(space, *at + 8, header->name, sizeof header->name - 1);
	length = strlen(header->name);
	header->offset = pair[0];
	header->size = pair[1];
	*at += 8 + ((length + 4) & ~(size_t)3);
	return got > 0 && length < sizeof header->name - 1;
}

bool
clr_metadata_open_blob(struct clr_metadata *m, struct space *space, uint64_t at, uint32_t size)
{
	uint32_t magic, version;
	uint16_t streams;
	uint64_t place;
	struct stream_header header, tables = {.size = 0};
	memset(m, 0, sizeof *m);
	if (!space_u32(space, at, &magic) || magic != ROOT_MAGIC || !space_u32(space, at + 12, &version) || version > 256)
		return false;
	place = at + 16 + version;
	if (!space_u16(space, place + 2, &streams) || streams > STREAMS_MOST)
		return false;
	place += 4;
	for (unsigned i = 0; i < streams; i++) {
		if (!read_stream_header(space, &place, &header) || header.offset > size || header.size > size - header.offset)
			return false;
		if (strcmp(header.name, "#~") == 0 || strcmp(header.name, "#-") == 0)
			tables = header;
		if (strcmp(header.name, "#Strings") == 0) {
			m->strings = at + header.offset;
			m->strings_size = header.size;
		}
	}
	if (tables.size < 24 || m->strings == 0 || !read_tables(m, space, at + tables.offset, tables.size))
		return false;
	m->key = at;
	return true;
}

/* Where a virtual address of a flat image lies; section table: Microsoft PE format. */
static bool
flat_place(struct space *space, uint64_t base, uint64_t sections, unsigned count, uint32_t rva, uint64_t *place)
{
	uint32_t s[4]; /* virtual size, address, raw size, raw pointer */
	for (unsigned i = 0; i < count && i < SECTIONS_MOST; i++) {
		if (!space_read(space, sections + 40ull * i + 8, s, sizeof s))
			return false;
		if (rva >= s[1] && rva - s[1] < (s[0] > s[2] ? s[0] : s[2])) {
			*place = base + s[3] + (rva - s[1]);
			return true;
		}
	}
	return false;
}

struct image {
	uint64_t base, sections;
	uint16_t section_count;
	uint32_t cli;
};

static bool
read_image(struct space *space, uint64_t base, struct image *image)
{
	uint16_t mz, magic, optional;
	uint32_t header;
	uint64_t at;
	if (!space_u16(space, base, &mz) || mz != 0x5a4d || !space_u32(space, base + 0x3c, &header) || header > 0x10000)
		return false;
	at = base + header + 24;
	if (!space_u16(space, at, &magic) || (magic != 0x20b && magic != 0x10b) || !space_u16(space, base + header + 20, &optional))
		return false;
	if (!space_u32(space, at + (magic == 0x20b ? 112 : 96) + 14 * 8, &image->cli) || image->cli == 0)
		return false;
	image->base = base;
	image->sections = at + optional;
	return space_u16(space, base + header + 6, &image->section_count);
}

static bool
open_layout(struct clr_metadata *m, struct space *space, const struct image *image, bool flat)
{
	uint32_t root[2];
	uint64_t at = image->base + image->cli;
	if (flat && !flat_place(space, image->base, image->sections, image->section_count, image->cli, &at))
		return false;
	if (!space_read(space, at + 8, root, sizeof root))
		return false;
	at = image->base + root[0];
	if (flat && !flat_place(space, image->base, image->sections, image->section_count, root[0], &at))
		return false;
	return clr_metadata_open_blob(m, space, at, root[1]);
}

bool
clr_metadata_open_image(struct clr_metadata *m, struct space *space, uint64_t base)
{
	struct image image;
	memset(m, 0, sizeof *m);
	if (!read_image(space, base, &image))
		return false;
	if (!open_layout(m, space, &image, false) && !open_layout(m, space, &image, true))
		return false;
	m->key = base;
	return true;
}

static bool
read_index(struct space *space, uint64_t at, unsigned size, uint32_t *value)
{
	uint16_t narrow;
	if (size == 4)
		return space_u32(space, at, value);
	if (!space_u16(space, at, &narrow))
		return false;
	*value = narrow;
	return true;
}

static bool
find_row(const struct clr_metadata *m, enum table table, uint32_t row, uint64_t *at)
{
	if (row == 0 || row > m->rows[table])
		return false;
	*at = m->at[table] + (uint64_t)(row - 1) * m->row_size[table];
	return *at + m->row_size[table] <= m->table_end;
}

static bool
put_string(const struct clr_metadata *m, struct space *space, uint32_t offset, struct text *text)
{
	char name[NAME_MOST];
	size_t room = sizeof name, got;
	if (offset >= m->strings_size)
		return false;
	if (m->strings_size - offset < room)
		room = (size_t)(m->strings_size - offset);
	got = space_read_some(space, m->strings + offset, name, room);
	words_put_utf8(text, (struct span){(const unsigned char *)name, got});
	return got > 0;
}

static bool
nested_pair(const struct clr_metadata *m, struct space *space, uint32_t row, uint32_t *inner, uint32_t *outer)
{
	uint64_t at;
	return find_row(m, NESTED_CLASS, row, &at) && read_index(space, at, m->type_index, inner) &&
	       read_index(space, at + m->type_index, m->type_index, outer);
}

/* The type around a nested one; false: it is not nested. */
static bool
find_outer(const struct clr_metadata *m, struct space *space, uint32_t type, uint32_t *outer)
{
	uint32_t low = 1, high = m->rows[NESTED_CLASS] + 1, inner;
	if (!m->nested_sorted) {
		for (; low < high && low < LINEAR_MOST && nested_pair(m, space, low, &inner, outer); low++)
			if (inner == type)
				return true;
		return false;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!nested_pair(m, space, middle, &inner, outer))
			return false;
		if (inner == type)
			return true;
		if (inner < type)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
put_own_name(const struct clr_metadata *m, struct space *space, uint32_t row, struct text *text)
{
	uint64_t at;
	uint32_t name, name_space;
	size_t before = text->used;
	if (!find_row(m, TYPE_DEF, row, &at) || !read_index(space, at + 4, m->string_index, &name) ||
	    !read_index(space, at + 4 + m->string_index, m->string_index, &name_space))
		return false;
	if (name_space != 0 && !put_string(m, space, name_space, text))
		return false;
	if (text->used > before)
		text_put_byte(text, '.');
	return put_string(m, space, name, text);
}

bool
clr_metadata_put_type(const struct clr_metadata *m, struct space *space, uint32_t row, struct text *text)
{
	uint32_t chain[NESTING_MOST] = {row};
	size_t depth = 1;
	while (depth < NESTING_MOST && find_outer(m, space, chain[depth - 1], &chain[depth]))
		depth++;
	while (depth-- > 0) {
		if (!put_own_name(m, space, chain[depth], text))
			return false;
		if (depth > 0)
			text_put_byte(text, '+');
	}
	return true;
}

bool
clr_metadata_put_method(const struct clr_metadata *m, struct space *space, uint32_t row, struct text *text)
{
	uint64_t at;
	uint32_t name;
	return find_row(m, METHOD_DEF, row, &at) && read_index(space, at + 8, m->string_index, &name) &&
	       put_string(m, space, name, text);
}

/* The last type whose methods begin at or before a row; the first of them is a type's last column. */
static bool
find_owner(const struct clr_metadata *m, struct space *space, uint32_t method, uint32_t *type)
{
	uint32_t low = 1, high = m->rows[TYPE_DEF] + 1, first;
	unsigned size = index_size(m, METHOD_DEF);
	uint64_t at;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!find_row(m, TYPE_DEF, middle, &at) || !read_index(space, at + m->row_size[TYPE_DEF] - size, size, &first))
			return false;
		if (first <= method)
			low = middle + 1;
		else
			high = middle;
	}
	*type = low - 1;
	return low > 1;
}

bool
clr_metadata_put_owned_method(const struct clr_metadata *m, struct space *space, uint32_t row, struct text *text)
{
	uint32_t type;
	if (!find_owner(m, space, row, &type) || !clr_metadata_put_type(m, space, type, text))
		return false;
	text_put_byte(text, '.');
	return clr_metadata_put_method(m, space, row, text);
}

bool
clr_metadata_put_version(const struct clr_metadata *m, struct space *space, struct text *text)
{
	uint64_t at;
	uint16_t major, minor;
	if (!find_row(m, ASSEMBLY, 1, &at) || !space_u16(space, at + 4, &major) || !space_u16(space, at + 6, &minor))
		return false;
	text_printf(text, "%u.%u", (unsigned)major, (unsigned)minor);
	return true;
}
