/* SPDX-License-Identifier: MIT */
#include "dump/clr_heuristic.h"

#include "dump/clr_object.h"

#include <string.h>

#define STACK_MOST (512u * 1024)
#define THREAD_STACK_MOST (64u * 1024) /* looked through for pointers to the Thread structure */
#define THREAD_BYTES 1024              /* of that structure */
#define PIECE 2048

struct layout {
	unsigned wide;
	uint32_t message, inner, trace, hresult, code;
	bool narrow;             /* tokens of types */
	unsigned remainder_bits; /* of method tokens; 0: methods cannot be named */
	uint32_t dynamic_name;
	const char *version;     /* this one alone, by its beginning; NULL: any */
};

/* Framework's _xcode and the 32-bit ones by analogy only: an object is taken only when its HRESULT or its types agree. */
static const struct layout layouts[] = {
	{8, 0x10, 0x20, 0x30, 0x6c, 0x68, false, 12, 32, NULL}, /* 9 and later */
	{8, 0x10, 0x20, 0x30, 0x74, 0x70, true, 12, 24, "8."},
	{8, 0x10, 0x20, 0x30, 0x74, 0x70, true, 14, 24, "7."},
	{8, 0x10, 0x20, 0x30, 0x74, 0x70, true, 14, 24, "6."},
	{8, 0x10, 0x20, 0x30, 0x74, 0x70, true, 14, 24, "5."},
	{8, 0x10, 0x20, 0x30, 0x74, 0x70, true, 14, 24, "4.700."}, /* Core 3.1 */
	{8, 0x10, 0x20, 0x30, 0x74, 0x70, true, 0, 0, NULL},
	{8, 0x20, 0x30, 0x40, 0x8c, 0x90, true, 0, 0, NULL},   /* Framework 4.x */
	{4, 0x08, 0x10, 0x18, 0x3c, 0x38, true, 0, 0, NULL},
	{4, 0x10, 0x18, 0x20, 0x40, 0x44, true, 0, 0, NULL},
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
	set_field(d, EXCEPTION_CODE, layout->code);
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
	set_field(d, METHOD_FLAGS, 6);
	set_field(d, DYNAMIC_METHOD_NAME, layout->dynamic_name);
	set_field(d, CHUNK_SIZE, 24);
	set_field(d, CHUNK_TABLE, 0);
	set_field(d, CHUNK_RANGE, 18);
	set_global(d, GLOBAL_REMAINDER_BITS, layout->remainder_bits);
	set_global(d, GLOBAL_METHOD_ALIGNMENT, 8);
}

struct search {
	struct clr *clr;
	const char *version;
	uint64_t sp, end;  /* of the stack looked through */
	uint32_t thread;
	uint64_t found;
	const struct layout *layout; /* of it */
	bool types;        /* as in clr_heuristic_find; of the object tried last until the end */
};

/* What RaiseException was given; 0: the dump does not say. */
static uint32_t
raised_hresult(const struct space *space)
{
	const struct crash *crash = &space->crash;
	return crash->recorded && crash->code == CLR_CODE && crash->parameter_count > 0 ? (uint32_t)crash->parameters[0] : 0;
}

/* The fields that cost least are looked at first; sets up `clr` when they fit. */
static bool
has_fields(struct clr *clr, uint64_t object, const struct layout *layout, uint32_t *hresult)
{
	uint32_t code, raised = raised_hresult(clr->space);
	if (!space_u32(clr->space, object + layout->code, &code) || (code != CLR_CODE && code >> 28 != 0xc))
		return false;
	if (!space_u32(clr->space, object + layout->hresult, hresult) || *hresult >> 31 == 0)
		return false;
	if (raised != 0 && *hresult != raised)
		return false;
	use_layout(clr, layout);
	return true;
}

/* Whether the trace's last frame is still on the stack: the return address stands below it, or, where the processor
 * stopped at the instruction, the address itself among what was kept of that. */
static bool
is_live(const struct search *search, uint64_t object)
{
	struct space *space = search->clr->space;
	uint64_t pc, sp, word, at;
	if (!clr_last_frame(search->clr, object, &pc, &sp) || sp <= search->sp || sp > search->end)
		return false;
	for (at = sp - space->pointer_size; at >= search->sp && space_pointer(space, at, &word); at -= space->pointer_size)
		if (word == pc || word == pc + 1)
			return true;
	return false;
}

/* What a Thread holds as thrown last may have been caught long ago. */
static bool
is_held(struct search *search, uint64_t object, const struct layout *layout)
{
	uint32_t hresult;
	enum clr_answer answer;
	if (!has_fields(search->clr, object, layout, &hresult))
		return false;
	answer = clr_is_exception(search->clr, object);
	search->types = answer == CLR_YES || (answer == CLR_UNKNOWN && clr_has_type(search->clr, object));
	return answer != CLR_NO && (is_live(search, object) || (answer == CLR_YES && (hresult == CLR_FAIL_FAST || hresult == CLR_STACK_OVERFLOW)));
}

/* One that the processor brought about must be in flight too: the raised HRESULT says nothing of it. */
static bool
is_on_stack(struct search *search, uint64_t object, const struct layout *layout)
{
	uint32_t hresult, code;
	enum clr_answer answer;
	if (!has_fields(search->clr, object, layout, &hresult) || !space_u32(search->clr->space, object + layout->code, &code))
		return false;
	answer = clr_is_exception(search->clr, object);
	search->types = answer == CLR_YES || (answer == CLR_UNKNOWN && clr_has_type(search->clr, object));
	if (answer != CLR_NO && is_live(search, object))
		return true;
	return code == CLR_CODE && (answer == CLR_YES || raised_hresult(search->clr->space) != 0);
}

static const struct layout *
try_layouts(struct search *search, uint64_t object, bool (*accept)(struct search *, uint64_t, const struct layout *))
{
	const char *only;
	unsigned wide = search->clr->space->pointer_size;
	if (object < 0x10000 || object % wide != 0)
		return NULL;
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
		only = layouts[i].version;
		if (layouts[i].wide == wide && (only == NULL || strncmp(search->version, only, strlen(only)) == 0) &&
		    accept(search, object, &layouts[i]))
			return &layouts[i];
	}
	return NULL;
}

static uint64_t
word_at(struct span span, size_t at, unsigned wide)
{
	uint64_t word = 0;
	uint32_t narrow = 0;
	if (wide == 8)
		return span_u64(span, at, &word) ? word : 0;
	return span_u32(span, at, &narrow) ? narrow : 0;
}

/* A structure that holds the thread's id is taken for its Thread; one of its words is the handle. */
static bool
try_thread(struct search *search, uint64_t at)
{
	unsigned char bytes[THREAD_BYTES];
	unsigned wide = search->clr->space->pointer_size;
	struct span span = {bytes, space_read_some(search->clr->space, at, bytes, sizeof bytes)};
	bool own = false;
	uint64_t object;
	for (size_t i = 0; i + wide <= span.count && !own; i += wide)
		own = word_at(span, i, wide) == search->thread;
	for (size_t i = 0; own && i + wide <= span.count; i += wide) {
		uint64_t handle = word_at(span, i, wide);
		if (handle < 0x10000 || handle % wide != 0 || !space_pointer(search->clr->space, handle, &object))
			continue;
		if ((search->layout = try_layouts(search, object, is_held)) != NULL) {
			search->found = object;
			return true;
		}
	}
	return false;
}

/* Of two objects on the stack, the one that has the other as its inner exception is what ended the thread. */
static void
try_object(struct search *search, uint64_t object)
{
	const struct layout *layout;
	bool types = search->types;
	uint64_t inner;
	if (object == search->found)
		return;
	layout = try_layouts(search, object, is_on_stack);
	if (layout != NULL && (search->found == 0 || (clr_field_pointer(&search->clr->d, search->clr->space, object, EXCEPTION_INNER, &inner) &&
	                                              inner == search->found))) {
		search->found = object;
		search->layout = layout;
	} else {
		search->types = types;
	}
}

/* Goes through the stack's words; `held`: for the Thread, else for objects. */
static void
look_through(struct search *search, uint64_t end, bool held)
{
	unsigned char piece[PIECE];
	unsigned wide = search->clr->space->pointer_size;
	uint64_t before = 0;
	for (uint64_t at = search->sp; at < end;) {
		size_t got = space_read_some(search->clr->space, at, piece, end - at < sizeof piece ? (size_t)(end - at) : sizeof piece);
		for (size_t i = 0; i + wide <= got; i += wide) {
			uint64_t word = word_at((struct span){piece, got}, i, wide);
			if (!held)
				try_object(search, word);
			else if (word >= 0x10000 && word % wide == 0 && word != before && try_thread(search, before = word))
				return;
		}
		if (got < sizeof piece)
			return;
		at += got;
	}
}

bool
clr_heuristic_assume(struct clr *clr, const char *version)
{
	unsigned major = 0;
	for (const char *at = version; *at >= '0' && *at <= '9' && major < 1000; at++)
		major = 10 * major + (unsigned)(*at - '0');
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0] && clr->space->pointer_size == 8; i++)
		if (layouts[i].version != NULL ? strncmp(version, layouts[i].version, strlen(layouts[i].version)) == 0 : major >= 9) {
			use_layout(clr, &layouts[i]);
			return true;
		}
	return false;
}

uint64_t
clr_heuristic_find(struct clr *clr, const struct thread *thread, const char *version, bool held, bool *types)
{
	struct registers registers;
	struct search search = {.clr = clr, .version = version, .thread = thread->id};
	*types = false;
	if (clr->space->pointer_size == 0 || !space_registers(clr->space, thread, &registers))
		return 0;
	search.sp = registers.sp & ~7ull;
	search.end = search.sp + STACK_MOST;
	if (thread->stack_size != 0 && search.sp >= thread->stack_start && search.sp - thread->stack_start < thread->stack_size &&
	    thread->stack_start + thread->stack_size < search.end)
		search.end = thread->stack_start + thread->stack_size;
	look_through(&search, search.end - search.sp > THREAD_STACK_MOST ? search.sp + THREAD_STACK_MOST : search.end, true);
	if (search.found == 0 && !held)
		look_through(&search, search.end, false);
	if (search.found != 0)
		use_layout(clr, search.layout); /* others were tried since */
	*types = search.types;
	return search.found;
}
