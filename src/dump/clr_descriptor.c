/* SPDX-License-Identifier: MIT */
#include "dump/clr_descriptor.h"

#include "base/encode.h"
#include "base/json_scan.h"
#include "base/text.h"
#include "dump/clr_symbol.h"

#include <string.h>

#define MAGIC 0x0043414443434e44ull /* "DNCCDAC\0" */
#define LEVELS 6                    /* what we look at is at most four deep */
#define SCAN_BYTES (96ull << 20)    /* of one module's memory, for the magic */
#define SCAN_PIECE 4096

static const struct {
	const char *type, *field;
} field_names[CLR_FIELDS] = {
	[THREAD_OSID] = {"Thread", "OSId"},
	[THREAD_TRACKER] = {"Thread", "ExceptionTracker"},
	[THREAD_LAST_THROWN] = {"Thread", "LastThrownObject"},
	[THREAD_LINK] = {"Thread", "LinkNext"},
	[STORE_FIRST] = {"ThreadStore", "FirstThreadLink"},
	[STORE_COUNT] = {"ThreadStore", "ThreadCount"},
	[TRACKER_THROWN] = {"ExceptionInfo", "ThrownObject"},
	[TRACKER_PREVIOUS] = {"ExceptionInfo", "PreviousNestedInfo"},
	[EXCEPTION_MESSAGE] = {"Exception", "_message"},
	[EXCEPTION_INNER] = {"Exception", "_innerException"},
	[EXCEPTION_TRACE] = {"Exception", "_stackTrace"},
	[EXCEPTION_WATSON] = {"Exception", "_watsonBuckets"},
	[EXCEPTION_HRESULT] = {"Exception", "_HResult"},
	[EXCEPTION_CODE] = {"Exception", "_xcode"},
	[STRING_FIRST] = {"String", "m_FirstChar"},
	[STRING_LENGTH] = {"String", "m_StringLength"},
	[ARRAY_SIZE] = {"Array", "!"},
	[ARRAY_COUNT] = {"Array", "m_NumComponents"},
	[MODULE_BASE] = {"Module", "Base"},
	[MODULE_DYNAMIC] = {"Module", "DynamicMetadata"},
	[MODULE_R2R] = {"Module", "ReadyToRunInfo"},
	[DYNAMIC_SIZE] = {"DynamicMetadata", "Size"},
	[DYNAMIC_DATA] = {"DynamicMetadata", "Data"},
	[TABLE_FLAGS2] = {"MethodTable", "MTFlags2"},
	[TABLE_MODULE] = {"MethodTable", "Module"},
	[TABLE_PARENT] = {"MethodTable", "ParentMethodTable"},
	[METHOD_CHUNK_INDEX] = {"MethodDesc", "ChunkIndex"},
	[METHOD_FLAGS] = {"MethodDesc", "Flags"},
	[METHOD_REMAINDER] = {"MethodDesc", "Flags3AndTokenRemainder"},
	[CHUNK_SIZE] = {"MethodDescChunk", "!"},
	[CHUNK_TABLE] = {"MethodDescChunk", "MethodTable"},
	[CHUNK_RANGE] = {"MethodDescChunk", "FlagsAndTokenRange"},
	[DYNAMIC_METHOD_NAME] = {"DynamicMethodDesc", "MethodName"},
	[MAP_TOP] = {"RangeSectionMap", "TopLevelData"},
	[FRAGMENT_BEGIN] = {"RangeSectionFragment", "RangeBegin"},
	[FRAGMENT_END] = {"RangeSectionFragment", "RangeEndOpen"},
	[FRAGMENT_SECTION] = {"RangeSectionFragment", "RangeSection"},
	[FRAGMENT_NEXT] = {"RangeSectionFragment", "Next"},
	[SECTION_BEGIN] = {"RangeSection", "RangeBegin"},
	[SECTION_HEAPS] = {"RangeSection", "HeapList"},
	[SECTION_R2R] = {"RangeSection", "R2RModule"},
	[HEAP_MAP_BASE] = {"CodeHeapListNode", "MapBase"},
	[HEAP_HEADER_MAP] = {"CodeHeapListNode", "HeaderMap"},
	[CODE_METHOD] = {"RealCodeHeader", "MethodDesc"},
	[CODE_UNWIND_COUNT] = {"RealCodeHeader", "NumUnwindInfos"},
	[CODE_UNWINDS] = {"RealCodeHeader", "UnwindInfos"},
	[R2R_FUNCTION_COUNT] = {"ReadyToRunInfo", "NumRuntimeFunctions"},
	[R2R_FUNCTIONS] = {"ReadyToRunInfo", "RuntimeFunctions"},
	[R2R_HOT_COLD_COUNT] = {"ReadyToRunInfo", "NumHotColdMap"},
	[R2R_HOT_COLD] = {"ReadyToRunInfo", "HotColdMap"},
	[R2R_ENTRY_MAP] = {"ReadyToRunInfo", "EntryPointToMethodDescMap"},
	[R2R_COMPOSITE] = {"ReadyToRunInfo", "CompositeInfo"},
	[HASH_BUCKETS] = {"HashMap", "Buckets"},
	[BUCKET_SIZE] = {"Bucket", "!"},
	[BUCKET_KEYS] = {"Bucket", "Keys"},
	[BUCKET_VALUES] = {"Bucket", "Values"},
};

static const char *const global_names[CLR_GLOBALS] = {
	[GLOBAL_THREAD_STORE] = "ThreadStore",
	[GLOBAL_EXCEPTION_TABLE] = "ExceptionMethodTable",
	[GLOBAL_OBJECT_ARRAY_TABLE] = "ObjectArrayMethodTable",
	[GLOBAL_STRING_TABLE] = "StringMethodTable",
	[GLOBAL_UNMASK] = "ObjectToMethodTableUnmask",
	[GLOBAL_REMAINDER_BITS] = "MethodDescTokenRemainderBitCount",
	[GLOBAL_METHOD_ALIGNMENT] = "MethodDescAlignment",
	[GLOBAL_RANGE_MAP] = "ExecutionManagerCodeRangeMapAddress",
	[GLOBAL_LAST_STUB] = "StubCodeBlockLast",
	[GLOBAL_PTR_ARRAY_DATA] = "PtrArrayOffsetToDataArray",
	[GLOBAL_HASH_MASK] = "HashMapValueMask",
	[GLOBAL_HASH_SLOTS] = "HashMapSlotsPerBucket",
};

/* The path to where the scan stands. */
struct walk {
	struct clr_descriptor *into;
	struct json_scan scan;
	struct span keys[LEVELS + 1]; /* by depth; empty in an array */
	unsigned elements[LEVELS + 1]; /* values seen so far of the container at that depth */
	bool types, globals;
};

/* 12, "12" or "0x1f". */
static bool
read_number(struct span raw, uint64_t *number)
{
	uint64_t value = 0;
	if (raw.count >= 2 && raw.at[0] == '"')
		raw = (struct span){raw.at + 1, raw.count - 2};
	if (!span_begins_nocase(raw, "0x"))
		return span_decimal(raw, number);
	if (raw.count < 3 || raw.count > 18)
		return false;
	for (size_t i = 2; i < raw.count; i++) {
		int digit = hex_value(raw.at[i]);
		if (digit < 0)
			return false;
		value = value << 4 | (unsigned)digit;
	}
	*number = value;
	return true;
}

static void
take_field(struct walk *walk, struct span raw)
{
	struct clr_descriptor *into = walk->into;
	uint64_t value;
	for (size_t i = 0; i < CLR_FIELDS; i++) {
		if (!span_is(walk->keys[2], field_names[i].type) || !span_is(walk->keys[3], field_names[i].field))
			continue;
		into->has_field[i] = read_number(raw, &value) && value <= 0x100000; /* no structure is a MiB */
		into->offsets[i] = into->has_field[i] ? (uint32_t)value : 0;
		return;
	}
}

static void
take_global(struct walk *walk, struct span raw, bool indirect)
{
	struct clr_descriptor *into = walk->into;
	for (size_t i = 0; i < CLR_GLOBALS; i++) {
		if (!span_is(walk->keys[2], global_names[i]))
			continue;
		into->has_global[i] = read_number(raw, &into->globals[i]);
		into->indirect[i] = indirect;
		return;
	}
}

static void
take_contract(struct walk *walk, struct span raw)
{
	struct clr_descriptor *into = walk->into;
	struct span name = walk->keys[2];
	char *room = span_is(name, "Thread") ? into->thread_contract : span_is(name, "Exception") ? into->exception_contract :
	             span_is(name, "ExecutionManager") ? into->execution_contract : NULL;
	if (raw.count >= 2 && raw.at[0] == '"')
		raw = (struct span){raw.at + 1, raw.count - 2};
	if (room != NULL)
		(void)!text_keep(room, sizeof into->thread_contract, raw);
}

/* A scalar at the scan's depth: [offset, type] and [value, type] count by their first element, and [[index], type] and
 * [index] are indexes into the pointers. */
static void
take_value(struct walk *walk, struct span raw)
{
	unsigned depth = walk->scan.depth;
	bool in_object = json_scan_in_object(&walk->scan), first = walk->elements[depth] == 0;
	if (depth == 1 && span_is(walk->keys[1], "version"))
		(void)(read_number(raw, &walk->into->version));
	else if (span_is(walk->keys[1], "types") && ((depth == 3 && in_object) || (depth == 4 && !in_object && first)))
		take_field(walk, raw);
	else if (span_is(walk->keys[1], "globals") && ((depth == 2 && in_object) || (!in_object && first && (depth == 3 || depth == 4))))
		take_global(walk, raw, depth == 4);
	else if (span_is(walk->keys[1], "contracts") && depth == 2 && in_object)
		take_contract(walk, raw);
}

/* Behind a value or a container: `depth` is that of what holds it. */
static void
count_element(struct walk *walk, unsigned depth)
{
	if (depth <= LEVELS)
		walk->elements[depth]++;
}

/* [index] alone, without a type. */
static void
close_container(struct walk *walk)
{
	unsigned inner = walk->scan.depth + 1;
	if (inner == 3 && span_is(walk->keys[1], "globals") && walk->elements[3] == 1 && walk->keys[3].count == 0)
		for (size_t i = 0; i < CLR_GLOBALS; i++)
			if (span_is(walk->keys[2], global_names[i]))
				walk->into->indirect[i] = true;
	count_element(walk, walk->scan.depth);
}

static void
open_container(struct walk *walk)
{
	unsigned depth = walk->scan.depth;
	if (depth <= LEVELS) {
		walk->elements[depth] = 0;
		walk->keys[depth] = (struct span){NULL, 0};
	}
	if (depth == 2 && span_is(walk->keys[1], "types"))
		walk->types = true;
	if (depth == 2 && span_is(walk->keys[1], "globals"))
		walk->globals = true;
}

static void
take_event(struct walk *walk, enum json_event event, const unsigned char *began, const unsigned char *now)
{
	unsigned depth = walk->scan.depth;
	struct span raw = {began, began == NULL ? 0 : (size_t)(now - began)};
	if (event == SCAN_OPENED)
		open_container(walk);
	else if (event == SCAN_CLOSED)
		close_container(walk);
	else if (event == SCAN_KEY_ENDED && depth <= LEVELS)
		walk->keys[depth] = (struct span){raw.at, raw.count - 1};
	else if (event == SCAN_VALUE_ENDED && depth <= LEVELS) {
		take_value(walk, raw);
		count_element(walk, depth);
	}
}

bool
clr_descriptor_parse(struct clr_descriptor *into, struct span json)
{
	struct walk walk = {.into = into};
	struct span rest = json;
	const unsigned char *began = NULL;
	enum json_event event;
	memset(into, 0, sizeof *into);
	json_scan_open(&walk.scan);
	while ((event = json_scan_next(&walk.scan, &rest)) != SCAN_MORE) {
		if (event == SCAN_REFUSED)
			return false;
		if (event == SCAN_KEY_BEGAN)
			began = rest.at; /* behind the quote */
		else if (event == SCAN_VALUE_BEGAN)
			began = rest.at - 1;
		else
			take_event(&walk, event, began, rest.at);
	}
	return json_scan_end(&walk.scan) == SCAN_MORE && walk.types && walk.globals;
}

/* A pointer of the descriptor itself. Out of the file (--images) comes what no loader has relocated. */
static bool
read_own_pointer(struct space *space, uint64_t at, uint64_t *value)
{
	const struct module *module = space_module_at(space, at);
	if (!space_pointer(space, at, value))
		return false;
	return module == NULL || *value >= module->base || clr_symbol_relocated(space, module, at, value) || *value != 0;
}

/* Turns indexes into addresses; an index past the array is an unknown global. */
static void
resolve_pointers(struct clr_descriptor *into, struct space *space, uint64_t pointers, uint32_t count)
{
	for (size_t i = 0; i < CLR_GLOBALS; i++) {
		uint64_t place = into->globals[i];
		if (!into->has_global[i] || !into->indirect[i])
			continue;
		into->has_global[i] = place < count && read_own_pointer(space, pointers + place * space->pointer_size, &into->globals[i]) &&
		                      into->globals[i] != 0;
	}
}

bool
clr_descriptor_read(struct clr_descriptor *into, struct space *space, uint64_t address, char *room)
{
	uint64_t magic, text, pointers;
	uint32_t flags, size, count;
	unsigned wide = space->pointer_size == 8 ? 8 : 4;
	if (!space_u64(space, address, &magic) || magic != MAGIC || !space_u32(space, address + 8, &flags))
		return false;
	if ((flags & 1) == 0 || ((flags & 2) != 0) != (wide == 4) || !space_u32(space, address + 12, &size))
		return false;
	if (size == 0 || size > CLR_DESCRIPTOR_BYTES || !read_own_pointer(space, address + 16, &text))
		return false;
	if (!space_u32(space, address + 16 + wide, &count) || count > CLR_POINTERS_MAX)
		return false;
	if (!read_own_pointer(space, address + 24 + wide, &pointers) || !space_read(space, text, room, size))
		return false;
	if (!clr_descriptor_parse(into, (struct span){(const unsigned char *)room, size}))
		return false;
	into->address = address;
	resolve_pointers(into, space, pointers, count);
	return true;
}

/* The magic at multiples of 8 in a piece of memory; other memory holds it too. */
static bool
scan_piece(struct clr_descriptor *into, struct space *space, uint64_t at, struct span piece, char *room, uint64_t *address)
{
	for (size_t i = 0; i + 8 <= piece.count; i += 8) {
		if (piece.at[i] != 'D' || memcmp(piece.at + i, "DNCCDAC", 8) != 0)
			continue;
		*address = at + i;
		if (clr_descriptor_read(into, space, *address, room))
			return true;
	}
	return false;
}

static bool
scan_module(struct clr_descriptor *into, struct space *space, const struct module *module, char *room, uint64_t *address)
{
	unsigned char piece[SCAN_PIECE];
	uint64_t at = module->base, end = module->base + module->size, start, size, scanned = 0;
	while (at < end && scanned < SCAN_BYTES && space_range_at(space, at, &start, &size)) {
		if (start > at)
			at = (start + 7) & ~7ull;
		while (at < end && at - start < size && scanned < SCAN_BYTES) {
			size_t got = space_read_some(space, at, piece, sizeof piece);
			if (scan_piece(into, space, at, (struct span){piece, got}, room, address))
				return true;
			at += sizeof piece;
			scanned += sizeof piece;
		}
	}
	return false;
}

bool
clr_descriptor_find(struct clr_descriptor *into, struct space *space, const struct module *module, char *room, uint64_t *address)
{
	*address = 0;
	if (clr_symbol_find(space, module, "DotNetRuntimeContractDescriptor", address))
		return clr_descriptor_read(into, space, *address, room);
	return scan_module(into, space, module, room, address);
}

bool
clr_field_pointer(const struct clr_descriptor *d, struct space *space, uint64_t at, enum clr_field field, uint64_t *value)
{
	return d->has_field[field] && space_pointer(space, at + d->offsets[field], value);
}

bool
clr_field_u32(const struct clr_descriptor *d, struct space *space, uint64_t at, enum clr_field field, uint32_t *value)
{
	return d->has_field[field] && space_u32(space, at + d->offsets[field], value);
}

bool
clr_field_u16(const struct clr_descriptor *d, struct space *space, uint64_t at, enum clr_field field, uint16_t *value)
{
	return d->has_field[field] && space_u16(space, at + d->offsets[field], value);
}

bool
clr_field_u8(const struct clr_descriptor *d, struct space *space, uint64_t at, enum clr_field field, uint8_t *value)
{
	return d->has_field[field] && space_u8(space, at + d->offsets[field], value);
}

bool
clr_global_pointer(const struct clr_descriptor *d, struct space *space, enum clr_global global, uint64_t *value)
{
	return d->has_global[global] && space_pointer(space, d->globals[global], value);
}
