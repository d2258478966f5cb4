/* SPDX-License-Identifier: MIT */
/* Microsoft's throw information (ehdata.h) and the Itanium C++ ABI's exception header as GCC lays it out with SEH. */
#include "dump/reason_cpp.h"

#include "dump/words.h"

#include <string.h>

#define NAME_MOST 256
#define WHAT_MOST 200
#define PARTS_MOST 16
#define CODE_MSVC 0xe06d7363u
#define CODE_GCC 0x20474343u
#define GCC_HEADER 80         /* of __cxa_exception before the part that is raised */
#define GCC_RAISED 64         /* _Unwind_Exception with SEH's six private words */

/* A C string; 0: none. */
static size_t
read_words(struct space *space, uint64_t at, char *room, size_t size)
{
	size_t got = space_read_some(space, at, room, size - 1), used = 0;
	while (used < got && room[used] != 0)
		used++;
	room[used] = 0;
	return used < got || used == size - 1 ? used : 0;
}

static bool
is_plain(const char *words)
{
	for (; *words != 0; words++)
		if ((unsigned char)*words < 0x20 || (unsigned char)*words >= 0x7f)
			return false;
	return true;
}

/* .?AVinner@outer@@ becomes outer::inner; templates and the like stay as they are. */
static void
put_msvc_name(struct text *text, const char *name)
{
	struct span rest = span_of(name), parts[PARTS_MOST];
	size_t count = 0, place;
	if (!(span_begins(rest, ".?AV") || span_begins(rest, ".?AU")) || !span_find(rest, "@@", &place)
	    || place + 2 != rest.count) {
		text_put(text, name);
		return;
	}
	rest = span_first(span_from(rest, 4), place - 4);
	while (count < PARTS_MOST && span_cut(&rest, '@', &parts[count]) && parts[count].count > 0
	       && parts[count].at[0] != '?')
		count++;
	if (rest.count > 0 || count == 0) {
		text_put(text, name);
		return;
	}
	while (count-- > 0) {
		text_put_span(text, parts[count]);
		text_put(text, count > 0 ? "::" : "");
	}
}

/* A <length><letters> of a mangled name. */
static bool
cut_part(struct span *rest, struct span *part)
{
	size_t digits = 0, size = 0;
	while (digits < rest->count && digits < 4 && rest->at[digits] >= '0' && rest->at[digits] <= '9')
		size = size * 10 + (size_t)(rest->at[digits++] - '0');
	if (digits == 0 || size == 0 || size > rest->count - digits)
		return false;
	*part = span_first(span_from(*rest, digits), size);
	*rest = span_from(*rest, digits + size);
	return true;
}

/* St13runtime_error, 3Foo, N5outer5innerE; others stay as they are. */
static void
put_gcc_name(struct text *text, const char *name)
{
	struct span rest = span_of(name), part;
	struct text start = *text;
	bool nested = span_begins(rest, "N"), any = false;
	if (nested)
		rest = span_from(rest, 1);
	if (span_begins(rest, "St")) {
		rest = span_from(rest, 2);
		text_put(text, "std");
		any = true;
	}
	while (cut_part(&rest, &part)) {
		text_put(text, any ? "::" : "");
		text_put_span(text, part);
		any = true;
	}
	if (any && span_is(rest, nested ? "E" : ""))
		return;
	*text = start;
	text->at[text->used] = 0;
	text_put(text, name);
}

/* std::exception's text, if it is one: a pointer behind the virtual table. */
static void
put_what(struct text *text, struct space *space, uint64_t object)
{
	char what[WHAT_MOST];
	uint64_t at;
	if (!space_pointer(space, object + space->pointer_size, &at) || at < 0x10000)
		return;
	if (read_words(space, at, what, sizeof what) < 2 || !is_plain(what))
		return;
	text_put(text, ": ");
	text_put(text, what);
}

/* ThrowInfo -> its array of catchable types -> the first one's type descriptor, by offsets from the image on x64. */
static bool
find_msvc_name(struct space *space, char name[NAME_MOST])
{
	const struct crash *crash = &space->crash;
	uint32_t array, first, type;
	uint64_t base = space->pointer_size == 8 ? crash->parameters[3] : 0;
	if (crash->parameter_count < (space->pointer_size == 8 ? 4u : 3u))
		return false;
	return space_u32(space, crash->parameters[2] + 12, &array) && space_u32(space, base + array + 4, &first)
	       && space_u32(space, base + first + 4, &type)
	       && read_words(space, base + type + 2 * space->pointer_size, name, NAME_MOST) > 0 && is_plain(name);
}

static bool
find_gcc_name(struct space *space, char name[NAME_MOST])
{
	const struct crash *crash = &space->crash;
	uint64_t type, at;
	return space->pointer_size == 8 && crash->parameter_count >= 1
	       && space_u64(space, crash->parameters[0] - GCC_HEADER, &type) && space_u64(space, type + 8, &at)
	       && read_words(space, at, name, NAME_MOST) > 0 && is_plain(name);
}

bool
reason_put_cpp(struct text *text, struct space *space)
{
	char name[NAME_MOST];
	const struct crash *crash = &space->crash;
	if (crash->code == CODE_MSVC && find_msvc_name(space, name)) {
		put_msvc_name(text, name);
		put_what(text, space, crash->parameters[1]);
		return true;
	}
	if (crash->code == CODE_GCC && find_gcc_name(space, name)) {
		put_gcc_name(text, name[0] == '*' ? name + 1 : name);
		put_what(text, space, crash->parameters[0] + GCC_RAISED);
		return true;
	}
	return false;
}
