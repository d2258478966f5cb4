/* SPDX-License-Identifier: MIT */
#include "dump/clr_object.h"

#include "dump/words.h"

#include <string.h>

#define THREADS_MOST 65536
#define TRACKERS_MOST 64
#define STRING_MOST 0x3fffffdfu /* characters: the runtime's own limit */
#define STACK_MOST 65536        /* of frames looked through for a string */
#define FRAME_WORDS 4           /* of a stack trace element: ip, sp, method, flags */

/* The method table an object's first word names; its low bits are the collector's. */
static bool
object_table(struct clr *clr, uint64_t object, uint64_t *table)
{
	uint64_t unmask = clr->d.has_global[GLOBAL_UNMASK] ? clr->d.globals[GLOBAL_UNMASK] : 7;
	if (object == 0 || !space_pointer(clr->space, object, table))
		return false;
	*table &= ~unmask;
	return *table != 0;
}

/* Whether it is System.Exception's own; *unknown: its name cannot be read. */
static bool
is_exception_table(struct clr *clr, uint64_t table, uint64_t root, bool *unknown)
{
	char name[32];
	struct text text = text_in(name, sizeof name);
	if (clr->d.has_global[GLOBAL_EXCEPTION_TABLE])
		return table == root;
	*unknown = *unknown || !clr_put_type(clr, table, &text);
	return !*unknown && strcmp(name, "System.Exception") == 0;
}

bool
clr_has_type(struct clr *clr, uint64_t object)
{
	char name[16];
	struct text text = text_in(name, sizeof name);
	uint64_t table;
	return object_table(clr, object, &table) && clr_put_type(clr, table, &text);
}

bool
clr_has_words(struct clr *clr, uint64_t string)
{
	char words[64];
	bool cut;
	if (!clr_read_string(clr, string, words, sizeof words, &cut) || words[0] == '\0')
		return false;
	for (size_t i = 0; words[i] != '\0'; i++)
		if (((unsigned char)words[i] < ' ' && words[i] != '\n' && words[i] != '\r' && words[i] != '\t') ||
		    strncmp(words + i, "\xef\xbf\xbd", 3) == 0)
			return false;
	return true;
}

/* A failing HRESULT, the code of managed exceptions or of a hardware one, and no message or one in words. */
static enum clr_answer
judge_fields(struct clr *clr, uint64_t object)
{
	uint64_t message;
	uint32_t code, hresult;
	if (!clr_field_u32(&clr->d, clr->space, object, EXCEPTION_HRESULT, &hresult) || hresult >> 31 == 0 ||
	    !clr_field_u32(&clr->d, clr->space, object, EXCEPTION_CODE, &code) || (code != CLR_CODE && code >> 28 != 0xc) ||
	    !clr_field_pointer(&clr->d, clr->space, object, EXCEPTION_MESSAGE, &message))
		return CLR_NO;
	return message == 0 || clr_has_words(clr, message) ? CLR_UNKNOWN : CLR_NO;
}

enum clr_answer
clr_is_exception(struct clr *clr, uint64_t object)
{
	uint64_t table, root = 0;
	bool unknown = false;
	if (!object_table(clr, object, &table))
		return CLR_NO;
	if (clr->d.has_global[GLOBAL_EXCEPTION_TABLE] && !clr_global_pointer(&clr->d, clr->space, GLOBAL_EXCEPTION_TABLE, &root))
		return judge_fields(clr, object);
	for (unsigned i = 0; i < CLR_PARENTS_MOST && table != 0; i++) {
		if (is_exception_table(clr, table, root, &unknown))
			return CLR_YES;
		if (!clr_field_pointer(&clr->d, clr->space, table, TABLE_PARENT, &table))
			unknown = true;
		if (unknown)
			return judge_fields(clr, object);
	}
	return CLR_NO;
}

/* By its type, or by its fields and a type that at least has a name. */
static bool
is_thrown(struct clr *clr, uint64_t object)
{
	enum clr_answer answer = clr_is_exception(clr, object);
	return answer == CLR_YES || (answer == CLR_UNKNOWN && clr_has_type(clr, object));
}

/* What a place holds: an object, or a handle, which is the address of an object's address. Which of the two a field has
 * changes between versions, so the object itself decides. */
static uint64_t
exception_at(struct clr *clr, uint64_t value)
{
	uint64_t object;
	if (value != 0 && space_pointer(clr->space, value, &object) && is_thrown(clr, object))
		return object;
	return is_thrown(clr, value) ? value : 0;
}

static void
read_thrown(struct clr *clr, uint64_t thread, struct clr_thrown *thrown)
{
	uint64_t tracker, value;
	unsigned i;
	if (!clr_field_pointer(&clr->d, clr->space, thread, THREAD_TRACKER, &tracker))
		tracker = 0;
	for (i = 0; i < TRACKERS_MOST && tracker != 0; i++) {
		if (clr_field_pointer(&clr->d, clr->space, tracker, TRACKER_THROWN, &value))
			thrown->object = exception_at(clr, value);
		thrown->in_flight = thrown->object != 0;
		if (thrown->in_flight || !clr_field_pointer(&clr->d, clr->space, tracker, TRACKER_PREVIOUS, &tracker))
			break;
	}
	if (thrown->object == 0 && clr_field_pointer(&clr->d, clr->space, thread, THREAD_LAST_THROWN, &value))
		thrown->object = exception_at(clr, value);
}

/* The first thread of the runtime's list, and how many to expect at most. */
static bool
first_thread(struct clr *clr, uint64_t *link, uint32_t *count)
{
	uint64_t store;
	if (!clr->d.has_field[THREAD_LINK] || !clr->d.has_field[THREAD_OSID])
		return false;
	if (!clr_global_pointer(&clr->d, clr->space, GLOBAL_THREAD_STORE, &store) || store == 0)
		return false;
	if (!clr_field_u32(&clr->d, clr->space, store, STORE_COUNT, count) || *count > THREADS_MOST)
		*count = THREADS_MOST;
	return clr_field_pointer(&clr->d, clr->space, store, STORE_FIRST, link);
}

bool
clr_knows_threads(struct clr *clr)
{
	uint64_t link;
	uint32_t count, id;
	return first_thread(clr, &link, &count) && link != 0 &&
	       clr_field_u32(&clr->d, clr->space, link - clr->d.offsets[THREAD_LINK], THREAD_OSID, &id);
}

/* Goes through the list until a thread fits: the one asked for, or (thread 0) one with an exception in flight. */
static bool
search_threads(struct clr *clr, uint32_t wanted, struct clr_thrown *thrown, bool *found)
{
	uint64_t link;
	uint32_t count, id;
	*found = false;
	memset(thrown, 0, sizeof *thrown);
	if (!first_thread(clr, &link, &count))
		return false;
	for (uint32_t i = 0; i <= count && link != 0 && !*found; i++) {
		uint64_t thread = link - clr->d.offsets[THREAD_LINK];
		if (!clr_field_u32(&clr->d, clr->space, thread, THREAD_OSID, &id))
			return false;
		*thrown = (struct clr_thrown){.thread = id};
		if (wanted == 0 || id == wanted)
			read_thrown(clr, thread, thrown);
		*found = wanted == 0 ? thrown->in_flight : id == wanted;
		if (!*found && !space_pointer(clr->space, link, &link))
			return false;
	}
	return true;
}

bool
clr_thrown_by(struct clr *clr, uint32_t thread, struct clr_thrown *thrown, bool *found)
{
	*found = false;
	memset(thrown, 0, sizeof *thrown);
	return thread != 0 && search_threads(clr, thread, thrown, found);
}

bool
clr_thrown_by_any(struct clr *clr, struct clr_thrown *thrown)
{
	bool found;
	return search_threads(clr, 0, thrown, &found) && found;
}

bool
clr_read_string(struct clr *clr, uint64_t object, char *room, size_t size, bool *cut)
{
	unsigned char piece[512];
	struct text text = text_in(room, size);
	struct utf16 state = {0};
	uint32_t length, done = 0;
	*cut = false;
	if (object == 0 || !clr->d.has_field[STRING_FIRST] ||
	    !clr_field_u32(&clr->d, clr->space, object, STRING_LENGTH, &length) || length > STRING_MOST)
		return false;
	while (done < length && !*cut) {
		uint32_t units = length - done < sizeof piece / 2 ? length - done : (uint32_t)sizeof piece / 2;
		size_t got = space_read_some(clr->space, object + clr->d.offsets[STRING_FIRST] + 2ull * done, piece, 2 * units) / 2;
		*cut = !words_put_utf16(&text, &state, (struct span){piece, 2 * got}) || text.cut || got < units;
		done += units;
	}
	return true;
}

static bool
is_string(struct clr *clr, uint64_t object, uint64_t wanted)
{
	uint64_t table;
	return object % clr->space->pointer_size == 0 && object_table(clr, object, &table) && table == wanted &&
	       clr_has_words(clr, object);
}

bool
clr_find_string(struct clr *clr, uint64_t from, uint64_t to, uint64_t *string)
{
	uint64_t wanted, word, wide = clr->space->pointer_size;
	*string = 0;
	if (!clr->d.has_field[STRING_FIRST] || !clr_global_pointer(&clr->d, clr->space, GLOBAL_STRING_TABLE, &wanted) || wanted == 0)
		return false;
	for (uint64_t at = from & ~(wide - 1); at < to && at - from < STACK_MOST && space_pointer(clr->space, at, &word); at += wide)
		for (unsigned k = 0; k < 2; k++) {
			uint64_t object = word - (k == 0 ? 0 : clr->d.offsets[STRING_FIRST]);
			if (object == *string || !is_string(clr, object, wanted))
				continue;
			if (*string != 0)
				return false;
			*string = object;
		}
	return *string != 0;
}

static void
read_type(struct clr *clr, uint64_t object, struct managed_exception *exception)
{
	struct text text = text_in(exception->type, sizeof exception->type);
	uint64_t table;
	if (!object_table(clr, object, &table) || !clr_put_type(clr, table, &text))
		text_reset(&text);
}

static bool
is_object_array(struct clr *clr, uint64_t array)
{
	uint64_t table, wanted;
	return clr_global_pointer(&clr->d, clr->space, GLOBAL_OBJECT_ARRAY_TABLE, &wanted) && object_table(clr, array, &table) &&
	       table == wanted;
}

/* The byte[] with the trace: _stackTrace itself, or (9 and later, with methods that need keeping alive) the first element
 * of an object[]. `bytes` is how many it has. */
static bool
find_trace(struct clr *clr, uint64_t exception, uint64_t *data, uint32_t *bytes)
{
	uint64_t array, wide = clr->space->pointer_size;
	if (!clr->d.has_field[ARRAY_COUNT] || !clr_field_pointer(&clr->d, clr->space, exception, EXCEPTION_TRACE, &array) || array == 0)
		return false;
	if (is_object_array(clr, array)) {
		uint64_t elements = clr->d.has_global[GLOBAL_PTR_ARRAY_DATA] ? clr->d.globals[GLOBAL_PTR_ARRAY_DATA] : 2 * wide;
		if (!space_pointer(clr->space, array + elements, &array) || array == 0)
			return false;
	}
	*data = array + (clr->d.has_field[ARRAY_SIZE] ? clr->d.offsets[ARRAY_SIZE] : 2 * wide);
	return clr_field_u32(&clr->d, clr->space, array, ARRAY_COUNT, bytes);
}

static bool
read_frame(struct clr *clr, uint64_t at, struct managed_frame *frame)
{
	struct text text = text_in(frame->method, sizeof frame->method);
	uint64_t method, wide = clr->space->pointer_size;
	if (!space_pointer(clr->space, at, &frame->pc) || !space_pointer(clr->space, at + 2 * wide, &method))
		return false;
	if (method == 0 || !clr_put_method(clr, method, &text))
		text_reset(&text);
	return true;
}

/* Header: how many elements there are, then the thread; each element FRAME_WORDS words. From .NET 9 on, which describes
 * itself, a number of 32 bits stands between the two. */
static bool
open_trace(struct clr *clr, uint64_t object, uint64_t *first, uint32_t *count)
{
	uint64_t wide = clr->space->pointer_size, most, header = wide == 8 || clr->guess_base ? 2 * wide : 12;
	uint32_t bytes;
	if (!find_trace(clr, object, first, &bytes) || bytes < header || !space_u32(clr->space, *first, count))
		return false;
	most = (bytes - header) / (FRAME_WORDS * wide);
	if (*count > most)
		*count = (uint32_t)most;
	*first += header;
	return true;
}

bool
clr_last_frame(struct clr *clr, uint64_t object, uint64_t *pc, uint64_t *sp)
{
	uint64_t first, wide = clr->space->pointer_size;
	uint32_t count;
	if (!open_trace(clr, object, &first, &count) || count == 0)
		return false;
	first += (count - 1) * FRAME_WORDS * wide;
	return space_pointer(clr->space, first, pc) && space_pointer(clr->space, first + wide, sp);
}

static void
read_trace(struct clr *clr, uint64_t object, struct managed_exception *exception)
{
	uint64_t first, wide = clr->space->pointer_size;
	uint32_t count;
	exception->frame_count = exception->frames_left_out = 0;
	if (exception->frames == NULL || !open_trace(clr, object, &first, &count))
		return;
	for (uint32_t i = 0; i < count && i < MANAGED_FRAMES_MAX; i++, exception->frame_count++)
		if (!read_frame(clr, first + i * FRAME_WORDS * wide, &exception->frames[i]))
			break;
	exception->frames_left_out = count - exception->frame_count;
}

void
clr_read_exception(struct clr *clr, uint64_t object, struct managed_exception *exception, uint64_t *inner)
{
	uint64_t message;
	exception->address = object;
	read_type(clr, object, exception);
	exception->has_hresult = clr_field_u32(&clr->d, clr->space, object, EXCEPTION_HRESULT, &exception->hresult);
	exception->has_message = clr_field_pointer(&clr->d, clr->space, object, EXCEPTION_MESSAGE, &message) &&
	                         clr_read_string(clr, message, exception->message, sizeof exception->message, &exception->message_cut);
	read_trace(clr, object, exception);
	if (!clr_field_pointer(&clr->d, clr->space, object, EXCEPTION_INNER, inner))
		*inner = 0;
}

static bool
was_read(const struct managed_exception *list, size_t count, uint64_t object)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].address == object)
			return true;
	return false;
}

size_t
clr_read_chain(struct clr *clr, uint64_t object, bool typed, struct managed_exception *list, size_t most)
{
	size_t count = 0;
	while (count < most && object != 0 && !was_read(list, count, object)) {
		enum clr_answer answer = clr_is_exception(clr, object);
		if (answer == CLR_NO || (count == 0 && typed && !is_thrown(clr, object)))
			break;
		clr_read_exception(clr, object, &list[count], &object);
		list[count].type_unsure = answer == CLR_UNKNOWN;
		count++;
	}
	if (count > 0 && count < most && object != 0 && !was_read(list, count, object))
		list[count - 1].inner_lost = true;
	return count;
}
