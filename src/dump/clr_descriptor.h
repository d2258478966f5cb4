/* SPDX-License-Identifier: MIT */
/* The contract descriptor of a .NET runtime (9 and later): where the fields of its structures are, by its own word. Format:
 * dotnet/runtime, docs/design/datacontracts/contract-descriptor.md and data_descriptor.md. Only the names below are kept;
 * what a runtime does not have is simply not known, and whoever needs it fails softly. */
#ifndef DUMP_CLR_DESCRIPTOR_H
#define DUMP_CLR_DESCRIPTOR_H

#include "dump/space.h"

#define CLR_DESCRIPTOR_BYTES 65536 /* of JSON; .NET 9 has 3 KiB, 10 has 11 */
#define CLR_POINTERS_MAX 512       /* of 10: 25 */

enum clr_field {
	THREAD_OSID, THREAD_TRACKER, THREAD_LAST_THROWN, THREAD_LINK,
	STORE_FIRST, STORE_COUNT,
	TRACKER_THROWN, TRACKER_PREVIOUS,
	EXCEPTION_MESSAGE, EXCEPTION_INNER, EXCEPTION_TRACE, EXCEPTION_WATSON, EXCEPTION_HRESULT, EXCEPTION_CODE,
	STRING_FIRST, STRING_LENGTH, ARRAY_SIZE, ARRAY_COUNT,
	MODULE_BASE, MODULE_DYNAMIC, MODULE_R2R, DYNAMIC_SIZE, DYNAMIC_DATA,
	TABLE_FLAGS2, TABLE_MODULE, TABLE_PARENT,
	METHOD_CHUNK_INDEX, METHOD_FLAGS, METHOD_REMAINDER, CHUNK_SIZE, CHUNK_TABLE, CHUNK_RANGE, DYNAMIC_METHOD_NAME,
	MAP_TOP, FRAGMENT_BEGIN, FRAGMENT_END, FRAGMENT_SECTION, FRAGMENT_NEXT,
	SECTION_BEGIN, SECTION_HEAPS, SECTION_R2R,
	HEAP_MAP_BASE, HEAP_HEADER_MAP, CODE_METHOD, CODE_UNWIND_COUNT, CODE_UNWINDS,
	R2R_FUNCTION_COUNT, R2R_FUNCTIONS, R2R_HOT_COLD_COUNT, R2R_HOT_COLD, R2R_ENTRY_MAP, R2R_COMPOSITE,
	HASH_BUCKETS, BUCKET_SIZE, BUCKET_KEYS, BUCKET_VALUES,
	CLR_FIELDS
};

enum clr_global {
	GLOBAL_THREAD_STORE, GLOBAL_EXCEPTION_TABLE, GLOBAL_OBJECT_ARRAY_TABLE, GLOBAL_STRING_TABLE, GLOBAL_UNMASK,
	GLOBAL_REMAINDER_BITS, GLOBAL_METHOD_ALIGNMENT, GLOBAL_RANGE_MAP, GLOBAL_LAST_STUB, GLOBAL_PTR_ARRAY_DATA, GLOBAL_HASH_MASK, GLOBAL_HASH_SLOTS,
	CLR_GLOBALS
};

struct clr_descriptor {
	uint64_t address;            /* of the descriptor in the dump; 0: parsed from text alone */
	uint32_t offsets[CLR_FIELDS];
	bool has_field[CLR_FIELDS];
	uint64_t globals[CLR_GLOBALS]; /* a value; of `indirect` ones an index, and after clr_descriptor_read an address */
	bool has_global[CLR_GLOBALS], indirect[CLR_GLOBALS];
	uint64_t version;            /* of the JSON: 0 or 2 */
	char thread_contract[16], exception_contract[16], execution_contract[16]; /* "1", "c1"; empty: none */
};

/* Takes what we want out of the JSON. False when it is no valid JSON or lacks types and globals. */
bool clr_descriptor_parse(struct clr_descriptor *, struct span json) MUST_CHECK;

/* Reads the descriptor at an address; room is CLR_DESCRIPTOR_BYTES. False when it is not one, or not all in the dump. */
bool clr_descriptor_read(struct clr_descriptor *, struct space *, uint64_t address, char *room) MUST_CHECK;

/* Looks for the descriptor of a module: its export, else the magic in its memory. *address is set also when it is there but
 * its text is not in the dump, else 0. */
bool clr_descriptor_find(struct clr_descriptor *, struct space *, const struct module *, char *room, uint64_t *address)
        MUST_CHECK;

/* Shorthands for reads at a field; false also when the field is not known. */
bool clr_field_pointer(const struct clr_descriptor *, struct space *, uint64_t at, enum clr_field, uint64_t *) MUST_CHECK;
bool clr_field_u32(const struct clr_descriptor *, struct space *, uint64_t at, enum clr_field, uint32_t *) MUST_CHECK;
bool clr_field_u16(const struct clr_descriptor *, struct space *, uint64_t at, enum clr_field, uint16_t *) MUST_CHECK;
bool clr_field_u8(const struct clr_descriptor *, struct space *, uint64_t at, enum clr_field, uint8_t *) MUST_CHECK;

/* The pointer a pointer global holds. */
bool clr_global_pointer(const struct clr_descriptor *, struct space *, enum clr_global, uint64_t *) MUST_CHECK;

#endif
