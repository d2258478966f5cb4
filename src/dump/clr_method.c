/* SPDX-License-Identifier: MIT */
#include "dump/clr.h"

#include "dump/words.h"

#define DYNAMIC_METHOD 7 /* the kind in the low bits of a MethodDesc's flags */
#define GUESS_WORDS 192  /* of a structure looked through for a pointer */

static bool
is_image(struct space *space, uint64_t base)
{
	uint16_t magic;
	return base >= 0x10000 && base % 4 == 0 && space_u16(space, base, &magic) && magic == 0x5a4d;
}

/* The image in a list of layouts: a PEImage holds pointers to them, and a layout has the base behind its first word. */
static bool
guess_layout(struct space *space, uint64_t pe_image, uint64_t *base)
{
	unsigned wide = space->pointer_size;
	uint64_t layout;
	for (unsigned i = 0; i < 64; i++)
		if (space_pointer(space, pe_image + i * wide, &layout) && layout >= 0x10000 && layout % wide == 0 &&
		    space_pointer(space, layout + wide, base) && is_image(space, *base))
			return true;
	return false;
}

/* Without a descriptor: a word of the Module that is the base of an image, or that leads there by way of the PEAssembly,
 * its PEImage and its layout. */
static bool
guess_image(struct clr *clr, uint64_t module, struct clr_metadata *metadata)
{
	struct space *space = clr->space;
	unsigned wide = space->pointer_size;
	uint64_t word, image, base;
	for (unsigned i = 0; i < GUESS_WORDS; i++) {
		if (!space_pointer(space, module + i * wide, &word))
			return false;
		if (is_image(space, word) && clr_metadata_open_image(metadata, space, word))
			return true;
		if (word < 0x10000 || word % wide != 0)
			continue;
		for (unsigned k = 1; k <= 2; k++)
			if (space_pointer(space, word + k * wide, &image) && image >= 0x10000 && image % wide == 0 &&
			    guess_layout(space, image, &base) && clr_metadata_open_image(metadata, space, base))
				return true;
	}
	return false;
}

static bool
open_module(struct clr *clr, uint64_t module, struct clr_metadata *metadata)
{
	uint64_t base, blob;
	uint32_t size;
	if (clr->guess_base)
		return guess_image(clr, module, metadata);
	if (clr_field_pointer(&clr->d, clr->space, module, MODULE_BASE, &base) && base != 0)
		return clr_metadata_open_image(metadata, clr->space, base);
	if (!clr->d.has_field[DYNAMIC_DATA] || !clr_field_pointer(&clr->d, clr->space, module, MODULE_DYNAMIC, &blob) || blob == 0)
		return false;
	if (!clr_field_u32(&clr->d, clr->space, blob, DYNAMIC_SIZE, &size))
		return false;
	return clr_metadata_open_blob(metadata, clr->space, blob + clr->d.offsets[DYNAMIC_DATA], size);
}

const struct clr_metadata *
clr_module_metadata(struct clr *clr, uint64_t module)
{
	struct clr_metadata *metadata;
	if (module == 0)
		return NULL;
	for (unsigned i = 0; i < CLR_METADATA_KEPT; i++)
		if (clr->kept_for[i] == module)
			return clr->kept[i].key != 0 ? &clr->kept[i] : NULL;
	metadata = &clr->kept[clr->next_kept];
	clr->kept_for[clr->next_kept] = module;
	clr->next_kept = (clr->next_kept + 1) % CLR_METADATA_KEPT;
	if (!open_module(clr, module, metadata))
		metadata->key = 0; /* remembered: it is not tried again */
	return metadata->key != 0 ? metadata : NULL;
}

static bool
table_row(struct clr *clr, uint64_t table, uint32_t *row)
{
	uint16_t narrow;
	if (!clr->narrow_tokens) {
		if (!clr_field_u32(&clr->d, clr->space, table, TABLE_FLAGS2, row))
			return false;
		*row >>= 8;
		return true;
	}
	if (!space_u16(clr->space, table + 10, &narrow))
		return false;
	*row = narrow;
	return true;
}

static const struct clr_metadata *
table_metadata(struct clr *clr, uint64_t table)
{
	uint64_t module;
	return clr_field_pointer(&clr->d, clr->space, table, TABLE_MODULE, &module) ? clr_module_metadata(clr, module) : NULL;
}

bool
clr_put_type(struct clr *clr, uint64_t table, struct text *text)
{
	const struct clr_metadata *metadata = table_metadata(clr, table);
	uint32_t row;
	return metadata != NULL && table_row(clr, table, &row) && clr_metadata_put_type(metadata, clr->space, row, text);
}

static bool
put_dynamic(struct clr *clr, uint64_t method, struct text *text)
{
	char name[200];
	uint64_t at;
	size_t got;
	if (!clr_field_pointer(&clr->d, clr->space, method, DYNAMIC_METHOD_NAME, &at) || at == 0)
		return false;
	got = space_read_some(clr->space, at, name, sizeof name);
	if (got == 0 || name[0] == '\0')
		return false;
	text_put(text, "[dynamic] ");
	words_put_utf8(text, (struct span){(const unsigned char *)name, got});
	return true;
}

/* The MethodDescs of a chunk stand behind its head; each tells its place, and the token is cut in two: the high bits are
 * the chunk's. */
static bool
method_row(struct clr *clr, uint64_t method, uint64_t chunk, uint32_t *row)
{
	uint64_t bits = clr->d.globals[GLOBAL_REMAINDER_BITS];
	uint16_t remainder, range;
	if (!clr->d.has_global[GLOBAL_REMAINDER_BITS] || bits == 0 || bits > 16)
		return false;
	if (!clr_field_u16(&clr->d, clr->space, method, METHOD_REMAINDER, &remainder) ||
	    !clr_field_u16(&clr->d, clr->space, chunk, CHUNK_RANGE, &range))
		return false;
	*row = (range & ((1u << (24 - bits)) - 1)) << bits | (remainder & ((1u << bits) - 1));
	return true;
}

bool
clr_put_method(struct clr *clr, uint64_t method, struct text *text)
{
	const struct clr_metadata *metadata;
	uint64_t chunk, table;
	uint32_t row;
	uint16_t flags;
	uint8_t index;
	if (clr_field_u16(&clr->d, clr->space, method, METHOD_FLAGS, &flags) && (flags & 7) == DYNAMIC_METHOD)
		return put_dynamic(clr, method, text);
	if (!clr_field_u8(&clr->d, clr->space, method, METHOD_CHUNK_INDEX, &index) || !clr->d.has_field[CHUNK_SIZE] ||
	    !clr->d.has_global[GLOBAL_METHOD_ALIGNMENT])
		return false;
	chunk = method - clr->d.offsets[CHUNK_SIZE] - index * clr->d.globals[GLOBAL_METHOD_ALIGNMENT];
	if (!clr_field_pointer(&clr->d, clr->space, chunk, CHUNK_TABLE, &table) || !clr_put_type(clr, table, text))
		return false;
	metadata = table_metadata(clr, table);
	if (metadata == NULL || !method_row(clr, method, chunk, &row))
		return false;
	text_put_byte(text, '.');
	return clr_metadata_put_method(metadata, clr->space, row, text);
}
