/* SPDX-License-Identifier: MIT */
#include "dump/clr_heuristic.h"

#include "dump/clr_object.h"

#include <string.h>

#define CODE_MANAGED 0xe0434352u
#define STACK_MOST (512u * 1024)
#define PIECE 2048

struct layout {
	unsigned wide;
	uint32_t message, inner, trace, hresult, code;
	bool narrow;             /* tokens of types */
	unsigned remainder_bits; /* of method tokens; 0: methods cannot be named */
	const char *version;     /* this one alone, by its beginning; NULL: any */
};

/* Framework's _xcode and the 32-bit ones by analogy only: an object is taken only when its HRESULT or its types agree. */
static const struct layout layouts[] = {
	{8, 0x10, 0x20, 0x30, 0x6c, 0x68, false, 12, NULL}, /* 9 and later */
	{8, 0x10, 0x20, 0x30, 0x74, 0x70, true, 12, "8."},
	{8, 0x10, 0x20, 0x30, 0x74, 0x70, true, 0, NULL},   /* Core 3.1 to 7 */
	{8, 0x20, 0x30, 0x40, 0x8c, 0x90, true, 0, NULL},   /* Framework 4.x */
	{4, 0x08, 0x10, 0x18, 0x3c, 0x38, true, 0, NULL},
	{4, 0x10, 0x18, 0x20, 0x40, 0x44, true, 0, NULL},
};

static void
set_field(struct clr_descriptor *d, enum clr_field field, uint32_t offset)
{
	d->offsets[field] = offset;
	d->has_field[field] = true;
}

static void
set_global(struct clr_descriptor *d, enum clr_global global, uint64_t value)
{
	d->globals[global] = value;
	d->has_global[global] = true;
}

/* Makes a descriptor of what we know. */
static void
use_layout(struct clr *clr, const struct layout *layout)
{
	struct clr_descriptor *d = &clr->d;
	uint32_t wide = layout->wide;
	memset(d, 0, sizeof *d);
	memset(clr->kept_for, 0, sizeof clr->kept_for);
	clr->guess_base = true;
	clr->narrow_tokens = layout->narrow;
	set_field(d, EXCEPTION_MESSAGE, layout->message);
	set_field(d, EXCEPTION_INNER, layout->inner);
	set_field(d, EXCEPTION_TRACE, layout->trace);
	set_field(d, EXCEPTION_WATSON, layout->trace + wide);
	set_field(d, EXCEPTION_HRESULT, layout->hresult);
	set_field(d, STRING_LENGTH, wide);
	set_field(d, STRING_FIRST, wide + 4);
	set_field(d, ARRAY_COUNT, wide);
	set_field(d, ARRAY_SIZE, 2 * wide);
	set_field(d, TABLE_FLAGS2, 8);
	set_field(d, TABLE_PARENT, 0x10);
	set_field(d, TABLE_MODULE, wide == 8 ? 0x18 : 0x14);
	set_global(d, GLOBAL_UNMASK, wide - 1);
	if (layout->remainder_bits == 0)
		return;
	set_field(d, METHOD_REMAINDER, 0);
	set_field(d, METHOD_CHUNK_INDEX, 2);
	set_field(d, CHUNK_SIZE, 24);
	set_field(d, CHUNK_TABLE, 0);
	set_field(d, CHUNK_RANGE, 18);
	set_global(d, GLOBAL_REMAINDER_BITS, layout->remainder_bits);
	set_global(d, GLOBAL_METHOD_ALIGNMENT, 8);
}

/* What RaiseException was given; 0: the dump does not say. */
static uint32_t
raised_hresult(const struct space *space)
{
	const struct crash *crash = &space->crash;
	return crash->recorded && crash->code == CODE_MANAGED && crash->parameter_count > 0 ? (uint32_t)crash->parameters[0] : 0;
}

/* Whether its message is a string as people write them. */
static bool
has_words(struct clr *clr, uint64_t object)
{
	char words[64];
	uint64_t message;
	bool cut;
	if (!clr_field_pointer(&clr->d, clr->space, object, EXCEPTION_MESSAGE, &message) ||
	    !clr_read_string(clr, message, words, sizeof words, &cut) || words[0] == '\0')
		return false;
	for (size_t i = 0; words[i] != '\0'; i++)
		if (((unsigned char)words[i] < ' ' && words[i] != '\n' && words[i] != '\r' && words[i] != '\t') ||
		    strncmp(words + i, "\xef\xbf\xbd", 3) == 0)
			return false;
	return true;
}

/* Whether a word of the stack points to such an object; *types as in clr_heuristic_find. */
static bool
try_object(struct clr *clr, uint64_t object, const struct layout *layout, bool *types)
{
	uint32_t code, hresult, raised = raised_hresult(clr->space);
	if (!space_u32(clr->space, object + layout->code, &code) || code != CODE_MANAGED)
		return false;
	if (!space_u32(clr->space, object + layout->hresult, &hresult) || hresult >> 31 == 0)
		return false;
	if (raised != 0 && hresult != raised)
		return false;
	use_layout(clr, layout);
	*types = clr_is_exception(clr, object);
	return *types || raised != 0 || has_words(clr, object);
}

static bool
try_layouts(struct clr *clr, uint64_t object, const char *version, bool *types)
{
	const char *only;
	if (object < 0x10000 || object % clr->space->pointer_size != 0)
		return false;
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
		only = layouts[i].version;
		if (layouts[i].wide == clr->space->pointer_size && (only == NULL || strncmp(version, only, strlen(only)) == 0) &&
		    try_object(clr, object, &layouts[i], types))
			return true;
	}
	return false;
}

/* Of two objects on the stack, the one that has the other as its inner exception is what ended the thread. */
static uint64_t
outer_of(struct clr *clr, uint64_t found, uint64_t other)
{
	uint64_t inner;
	return found == 0 || (clr_field_pointer(&clr->d, clr->space, other, EXCEPTION_INNER, &inner) && inner == found) ? other : found;
}

static uint64_t
look_through(struct clr *clr, struct span span, uint64_t found, const char *version, bool *types)
{
	for (size_t at = 0; at + clr->space->pointer_size <= span.count; at += clr->space->pointer_size) {
		uint64_t word = 0;
		uint32_t narrow = 0;
		bool named;
		if (clr->space->pointer_size == 8)
			(void)span_u64(span, at, &word);
		else if (span_u32(span, at, &narrow))
			word = narrow;
		if (word == found || !try_layouts(clr, word, version, &named))
			continue;
		found = outer_of(clr, found, word);
		*types = named;
	}
	return found;
}

uint64_t
clr_heuristic_find(struct clr *clr, const struct thread *thread, const char *version, bool *types)
{
	unsigned char piece[PIECE];
	struct registers registers;
	uint64_t at, end, found = 0;
	*types = false;
	if (clr->space->pointer_size == 0 || !space_registers(clr->space, thread, &registers))
		return 0;
	at = registers.sp & ~7ull;
	end = at + STACK_MOST;
	if (thread->stack_size != 0 && at >= thread->stack_start && at - thread->stack_start < thread->stack_size &&
	    thread->stack_start + thread->stack_size < end)
		end = thread->stack_start + thread->stack_size;
	while (at < end) {
		size_t got = space_read_some(clr->space, at, piece, end - at < sizeof piece ? (size_t)(end - at) : sizeof piece);
		found = look_through(clr, (struct span){piece, got}, found, version, types);
		if (got < sizeof piece)
			break;
		at += got;
	}
	return found;
}
