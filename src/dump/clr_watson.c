/* SPDX-License-Identifier: MIT */
#include "dump/clr_watson.h"

#include "base/encode.h"
#include "dump/words.h"

#include <string.h>

#define UNITS 255
#define STRING_BYTES (2 * UNITS)
#define RECORD_BYTES (4 + 10 * STRING_BYTES) /* up to the type; another string may follow */
#define EVENT 0x004c0043u                    /* the beginning of "CLR20r3" */
#define STACK_MOST (1u << 20)
#define SEARCH_MOST (96ull << 20)
#define SEARCH_RANGES 4096
#define PIECE 4096

enum part { PART_EVENT, PART_APP, PART_APP_VERSION, PART_APP_STAMP, PART_MODULE, PART_MODULE_VERSION, PART_MODULE_STAMP,
            PART_METHOD, PART_OFFSET, PART_TYPE };

/* A string of the record: it ends within its units and holds neither control characters nor ill-formed UTF-16. */
static bool
read_part(struct space *space, uint64_t record, enum part part, char *room, size_t size)
{
	unsigned char bytes[STRING_BYTES];
	struct text text = text_in(room, size);
	struct utf16 state = {0};
	if (!space_read(space, record + 4 + (uint64_t)part * STRING_BYTES, bytes, sizeof bytes) ||
	    words_put_utf16(&text, &state, (struct span){bytes, sizeof bytes}))
		return false;
	for (const char *c = room; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f || strncmp(c, "\xef\xbf\xbd", 3) == 0)
			return false;
	return room[0] != '\0';
}

static bool
read_hex(struct space *space, uint64_t record, enum part part, uint32_t *value)
{
	char digits[16];
	size_t i;
	if (!read_part(space, record, part, digits, sizeof digits))
		return false;
	*value = 0;
	for (i = 0; digits[i] != '\0'; i++) {
		int digit = hex_value((unsigned char)digits[i]);
		if (digit < 0 || i == 8)
			return false;
		*value = *value << 4 | (unsigned)digit;
	}
	return true;
}

static bool
is_version(const char *text)
{
	return text[0] >= '0' && text[0] <= '9' && text[strspn(text, "0123456789.")] == '\0';
}

/* Names of types hold letters, digits and _.+`<>[],@$ beside what is not ASCII, and begin with none of the digits. */
static bool
is_type(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x80 && strchr("_.+`<>[],@$-=| ", *c) == NULL && !(*c >= '0' && *c <= '9') &&
		    !((*c | 32) >= 'a' && (*c | 32) <= 'z'))
			return false;
	return !(text[0] >= '0' && text[0] <= '9');
}

/* Every string that is kept must be what it should be: other memory holds the event's name too. */
static bool
read_record(struct space *space, uint64_t at, struct managed_watson *into)
{
	char event[16];
	uint32_t stamp;
	memset(into, 0, sizeof *into);
	into->found = read_part(space, at, PART_EVENT, event, sizeof event) && strcmp(event, "CLR20r3") == 0 &&
	              read_part(space, at, PART_APP, into->app, sizeof into->app) &&
	              read_part(space, at, PART_APP_VERSION, into->app_version, sizeof into->app_version) && is_version(into->app_version) &&
	              read_hex(space, at, PART_APP_STAMP, &stamp) &&
	              read_part(space, at, PART_MODULE, into->module, sizeof into->module) &&
	              read_part(space, at, PART_MODULE_VERSION, into->module_version, sizeof into->module_version) &&
	              is_version(into->module_version) && read_hex(space, at, PART_MODULE_STAMP, &stamp) &&
	              read_hex(space, at, PART_METHOD, &into->method) && read_hex(space, at, PART_OFFSET, &into->il_offset) &&
	              read_part(space, at, PART_TYPE, into->type, sizeof into->type) && is_type(into->type);
	return into->found;
}

bool
clr_watson_read(struct clr *clr, uint64_t exception, struct managed_watson *into)
{
	uint64_t array, wide = clr->space->pointer_size;
	uint32_t count;
	memset(into, 0, sizeof *into);
	return clr_field_pointer(&clr->d, clr->space, exception, EXCEPTION_WATSON, &array) && array != 0 &&
	       clr_field_u32(&clr->d, clr->space, array, ARRAY_COUNT, &count) && count >= RECORD_BYTES &&
	       read_record(clr->space, array + (clr->d.has_field[ARRAY_SIZE] ? clr->d.offsets[ARRAY_SIZE] : 2 * wide), into);
}

/* The strings begin at a multiple of 4, as the BOOL in front of them does. */
static bool
search_range(struct space *space, uint64_t at, uint64_t end, struct managed_watson *into)
{
	uint32_t words[PIECE / 4];
	for (at &= ~3ull; at < end; at += sizeof words) {
		size_t got = space_read_some(space, at, words, end - at < sizeof words ? (size_t)(end - at) : sizeof words) / 4;
		for (size_t i = 0; i < got; i++)
			if (words[i] == EVENT && read_record(space, at + 4 * i - 4, into))
				return true;
		if (4 * got < sizeof words)
			return false;
	}
	return false;
}

static bool
search_stack(struct space *space, const struct thread *thread, struct managed_watson *into)
{
	struct registers registers;
	return thread != NULL && space_registers(space, thread, &registers) &&
	       search_range(space, registers.sp, registers.sp + STACK_MOST, into);
}

bool
clr_watson_search(struct space *space, const struct thread *thread, struct managed_watson *into)
{
	uint64_t at = 0x10000, start, size, left = SEARCH_MOST;
	memset(into, 0, sizeof *into);
	if (search_stack(space, thread, into))
		return true;
	for (unsigned i = 0; i < SEARCH_RANGES && left > 0 && space_range_at(space, at, &start, &size); i++) {
		const struct module *module;
		if (start > at)
			at = start;
		size -= at - start;
		module = space_module_at(space, at);
		if (module != NULL) {
			at = module->base + module->size;
			continue;
		}
		if (size > left)
			size = left;
		if (size > UINT64_MAX - at)
			return false;
		if (search_range(space, at, at + size, into))
			return true;
		left -= size;
		at += size;
	}
	return false;
}
