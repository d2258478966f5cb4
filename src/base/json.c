/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <assert.h>
#include <string.h>

#if JSON_WANTED_MAX > 32
#error "bounds.h: JSON_WANTED_MAX paths do not fit the sets of struct json_reader"
#endif

/* A path from its name number `level` on; NULL when it has fewer. */
static const char *
path_from(const char *path, size_t level)
{
	for (; path != NULL && level > 0; level--) {
		path = strchr(path, '/');
		path = path == NULL ? NULL : path + 1;
	}
	return path;
}

static bool
path_begins(const char *path, struct span name)
{
	for (size_t i = 0; i < name.count; i++)
		if (path[i] == 0 || (unsigned char)path[i] != name.at[i])
			return false;
	return path[name.count] == 0 || path[name.count] == '/';
}

static bool
is_path(const char *path)
{
	for (const char *name = path; name != NULL; name = path_from(name, 1))
		if (strcspn(name, "/") > JSON_NAME_MAX)
			return false;
	return path_from(path, JSON_PATH_MAX) == NULL;
}

void
json_open(struct json_reader *reader, struct source *source, const char *array_member, const char *const *wanted,
          size_t count)
{
	assert(count <= JSON_WANTED_MAX);
	memset(reader, 0, offsetof(struct json_reader, key));
	reader->source = source;
	reader->array_member = array_member;
	reader->wanted = wanted;
	reader->count = count;
	for (size_t i = 0; i < count; i++) {
		assert(is_path(wanted[i]));
		if (wanted[i][0] != 0)
			reader->all |= (uint32_t)1 << i;
	}
	json_scan_open(&reader->scan);
}

/* Puts bytes into the window; one byte is always left for the bracket that closes the element. */
static bool
keep(struct json_reader *reader, struct span span, struct fault *fault)
{
	if (span.count > sizeof reader->window - 1 - reader->used)
		return fault_raise(fault, FAULT_BOUND, "JSON member \"%s\" and the others wanted beside it pass %u bytes",
		                   reader->wanted[reader->target], JSON_WINDOW);
	memcpy(reader->window + reader->used, span.at, span.count);
	reader->used += span.count;
	return true;
}

/* A name that does not fit here is longer than any that is wanted. */
static void
keep_key(struct json_reader *reader, struct span span)
{
	if (span.count > sizeof reader->key - reader->key_used) {
		reader->keep = JSON_PASS;
		return;
	}
	memcpy(reader->key + reader->key_used, span.at, span.count);
	reader->key_used += span.count;
}

static bool
keep_piece(struct json_reader *reader, struct span span, struct fault *fault)
{
	if (reader->keep == JSON_KEEP_VALUE)
		return keep(reader, span, fault);
	if (reader->keep == JSON_KEEP_KEY)
		keep_key(reader, span);
	return true;
}

static bool
refill(struct json_reader *reader, struct fault *fault)
{
	size_t got;
	if (!reader->source->read(reader->source, reader->buffer, sizeof reader->buffer, &got, fault))
		return false;
	reader->unread = (struct span){reader->buffer, got};
	reader->at_end = got == 0;
	return true;
}

/* The next event, what was kept on the way to it put away; SCAN_MORE means the end of a document that is valid. */
static bool
pull(struct json_reader *reader, enum json_event *event, struct fault *fault)
{
	do {
		const unsigned char *from;
		if (reader->unread.count == 0 && !reader->at_end && !refill(reader, fault))
			return false;
		from = reader->unread.at;
		*event = reader->at_end ? json_scan_end(&reader->scan) : json_scan_next(&reader->scan, &reader->unread);
		if (*event == SCAN_REFUSED)
			return json_scan_refuse(&reader->scan, fault);
		if (!reader->at_end && !keep_piece(reader, (struct span){from, (size_t)(reader->unread.at - from)}, fault))
			return false;
	} while (*event == SCAN_MORE && !reader->at_end);
	return true;
}

/* The wanted path that ends with its name number `level`, which the value about to come has; false: none. */
static bool
is_wanted(struct json_reader *reader, size_t level)
{
	for (size_t i = 0; i < reader->count; i++)
		if ((reader->named >> i & 1) != 0 && path_from(reader->wanted[i], level + 1) == NULL) {
			reader->target = i;
			return true;
		}
	return false;
}

/* How many objects of the element are open. */
static size_t
level_of(const struct json_reader *reader)
{
	return reader->scan.depth - reader->base;
}

static void
key_began(struct json_reader *reader)
{
	size_t level = level_of(reader) - 1;
	bool may_name_array = reader->array_member != NULL && reader->scan.depth == 1;
	reader->key_used = 0;
	reader->named = 0;
	reader->names_array = false;
	if ((level < JSON_PATH_MAX && reader->live[level] != 0) || may_name_array)
		reader->keep = JSON_KEEP_KEY;
}

static void
key_ended(struct json_reader *reader)
{
	char room[JSON_NAME_MAX + 1];
	struct text name = text_in(room, sizeof room);
	size_t level = level_of(reader) - 1;
	if (reader->keep != JSON_KEEP_KEY)
		return;
	reader->keep = JSON_PASS;
	json_unescape(&name, (struct span){(const unsigned char *)reader->key, reader->key_used - 1});
	if (name.cut)
		return;
	if (reader->array_member != NULL && reader->scan.depth == 1)
		reader->names_array = span_is(text_span(&name), reader->array_member);
	for (size_t i = 0; level < JSON_PATH_MAX && i < reader->count; i++)
		if ((reader->live[level] >> i & 1) != 0 && path_begins(path_from(reader->wanted[i], level), text_span(&name)))
			reader->named |= (uint32_t)1 << i;
}

/* The window is an object whose names are the places of the wanted paths, in two digits. */
static bool
begin_member(struct json_reader *reader, struct fault *fault)
{
	unsigned char tens = (unsigned char)('0' + reader->target / 10), ones = (unsigned char)('0' + reader->target % 10);
	unsigned char name[] = {reader->used == reader->begin ? '{' : ',', '"', tens, ones, '"', ':'};
	return keep(reader, (struct span){name, sizeof name}, fault);
}

/* A value begins `around` levels inside an element, 0 is the element itself: whether it is to be kept. */
static bool
is_kept(struct json_reader *reader, size_t around)
{
	if (around > 0)
		return reader->named != 0 && is_wanted(reader, around - 1);
	reader->begin = reader->used = reader->outer;
	for (reader->target = 0; reader->target < reader->count; reader->target++)
		if (reader->wanted[reader->target][0] == 0)
			return true;
	return false;
}

static bool
scalar_began(struct json_reader *reader, struct fault *fault)
{
	if (!is_kept(reader, level_of(reader)))
		return true;
	reader->keep = JSON_KEEP_VALUE;
	return begin_member(reader, fault) && keep(reader, (struct span){reader->unread.at - 1, 1}, fault);
}

/* Whether the array that has just been opened holds the elements. */
static bool
holds_elements(const struct json_reader *reader)
{
	if (reader->in_array || json_scan_in_object(&reader->scan))
		return false;
	return reader->scan.depth == 1 || reader->names_array;
}

static bool
nest_opened(struct json_reader *reader, struct fault *fault)
{
	size_t around = level_of(reader) - 1;
	uint32_t inside = around == 0 ? reader->all : reader->named;
	if (holds_elements(reader)) {
		reader->in_array = reader->had_array = true;
		reader->base = reader->scan.depth;
		reader->outer = reader->used;
		return true;
	}
	/* an empty array stands for it, so that it takes the place of an earlier value of that name */
	if (is_kept(reader, around)) {
		inside &= ~((uint32_t)1 << reader->target);
		if (!begin_member(reader, fault) || !keep(reader, span_of("[]"), fault))
			return false;
	}
	if (around < JSON_PATH_MAX)
		reader->live[around] = inside;
	reader->named = 0;
	return true;
}

/* The same three for what ends: true when an element did. */
static bool
element_ended(const struct json_reader *reader)
{
	return reader->scan.depth == reader->base && (reader->in_array || !reader->had_array);
}

static bool
nest_closed(struct json_reader *reader)
{
	if (!reader->in_array || reader->scan.depth >= reader->base)
		return element_ended(reader);
	reader->in_array = false;
	reader->base = 0;
	reader->begin = 0;
	reader->used = reader->outer;
	return false;
}

static bool
scalar_ended(struct json_reader *reader)
{
	reader->keep = JSON_PASS;
	return element_ended(reader);
}

/* Does what an event asks for; *whole: it was the last of an element. */
static bool
obey(struct json_reader *reader, enum json_event event, bool *whole, struct fault *fault)
{
	*whole = false;
	switch (event) {
	case SCAN_OPENED:
		return nest_opened(reader, fault);
	case SCAN_CLOSED:
		*whole = nest_closed(reader);
		return true;
	case SCAN_KEY_BEGAN:
		key_began(reader);
		return true;
	case SCAN_KEY_ENDED:
		key_ended(reader);
		return true;
	case SCAN_VALUE_BEGAN:
		return scalar_began(reader, fault);
	default:
		*whole = scalar_ended(reader);
		return true;
	}
}

static bool
read_window(struct json_reader *reader, struct fault *fault)
{
	if (reader->used == reader->begin)
		return true;
	reader->window[reader->used] = '}';
	return json_values_read(reader->window + reader->begin, reader->used - reader->begin + 1, reader->values,
	                        reader->count, fault);
}

bool
json_next(struct json_reader *reader, bool *more, struct fault *fault)
{
	memset(reader->values, 0, sizeof reader->values);
	*more = false;
	while (!*more) {
		enum json_event event;
		if (!pull(reader, &event, fault))
			return false;
		if (event == SCAN_MORE)
			return !reader->had_array || read_window(reader, fault);
		if (!obey(reader, event, more, fault))
			return false;
	}
	return read_window(reader, fault);
}

struct json_value
json_get(const struct json_reader *reader, size_t i)
{
	assert(i < reader->count);
	return reader->values[i];
}

bool
json_get_text(const struct json_reader *reader, size_t i, char *room, size_t size)
{
	return json_value_text(json_get(reader, i), room, size);
}

bool
json_get_int(const struct json_reader *reader, size_t i, int64_t *value)
{
	return json_value_int(json_get(reader, i), value);
}

bool
json_is_true(const struct json_reader *reader, size_t i)
{
	return json_get(reader, i).kind == JSON_TRUE;
}

bool
json_check(struct source *source, struct fault *fault)
{
	unsigned char room[JSON_READ / 2];
	struct json_scan scan;
	enum json_event event = SCAN_MORE;
	json_scan_open(&scan);
	while (event != SCAN_REFUSED) {
		struct span rest = {room, 0};
		if (!source->read(source, room, sizeof room, &rest.count, fault))
			return false;
		if (rest.count == 0)
			return json_scan_end(&scan) != SCAN_REFUSED || json_scan_refuse(&scan, fault);
		while (rest.count > 0 && event != SCAN_REFUSED)
			event = json_scan_next(&scan, &rest);
	}
	return json_scan_refuse(&scan, fault);
}
