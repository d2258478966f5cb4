/* SPDX-License-Identifier: MIT */
/* Names out of the metadata of a .NET module in dump memory: rows of TypeDef, MethodDef and NestedClass in a #~ or #- stream.
 * Layout: ECMA-335 partition II, chapters 22, 24 and 25.3.3. Images may lie mapped by section or flat as the file. */
#ifndef DUMP_CLR_METADATA_H
#define DUMP_CLR_METADATA_H

#include "dump/space.h"

#define CLR_TABLES 64
#define CLR_ROWS_MAX 0x1000000u /* a token has 24 bits for the row */

struct clr_metadata {
	uint64_t key;              /* image base or blob address; 0: empty */
	uint64_t strings, strings_size;
	uint64_t table_end;        /* behind the stream with the tables */
	uint64_t at[CLR_TABLES];   /* first row of each table */
	uint32_t rows[CLR_TABLES];
	uint32_t row_size[CLR_TABLES];
	unsigned string_index;     /* bytes of an index into #Strings */
	unsigned type_index;       /* bytes of an index into TypeDef */
	bool nested_sorted;
};

/* Of the PE image at a base, in either layout, or of a blob of `size` bytes that begins with the metadata root. */
bool clr_metadata_open_image(struct clr_metadata *, struct space *, uint64_t base) MUST_CHECK;
bool clr_metadata_open_blob(struct clr_metadata *, struct space *, uint64_t at, uint32_t size) MUST_CHECK;

/* Appends Namespace.Type, of nested ones Namespace.Outer+Type, as UTF-8 (ill-formed bytes as U+FFFD). Row numbers count
 * from 1. False when there is no such row or name. */
bool clr_metadata_put_type(const struct clr_metadata *, struct space *, uint32_t row, struct text *) MUST_CHECK;
bool clr_metadata_put_method(const struct clr_metadata *, struct space *, uint32_t row, struct text *) MUST_CHECK;

/* The same with the name of the type that the method's row belongs to in front, and a dot. */
bool clr_metadata_put_owned_method(const struct clr_metadata *, struct space *, uint32_t row, struct text *) MUST_CHECK;

/* Appends the assembly's version, as in 8.0; false: it has none. */
bool clr_metadata_put_version(const struct clr_metadata *, struct space *, struct text *) MUST_CHECK;

#endif
