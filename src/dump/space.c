/* SPDX-License-Identifier: MIT */
#include "dump/space.h"

#include "dump/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OVERLAP_MOST 16 /* modules looked at backwards for one that reaches over its neighbour */

void
space_note(struct space *space, const char *format, ...)
{
	char *note;
	va_list words;
	if (space->soft_count >= sizeof space->soft / sizeof space->soft[0])
		return;
	note = space->soft[space->soft_count];
	va_start(words, format);
	vsnprintf(note, sizeof space->soft[0], format, words);
	va_end(words);
	for (size_t i = 0; i < space->soft_count; i++)
		if (strcmp(space->soft[i], note) == 0)
			return;
	space->soft_count++;
}

/* The range of the best list that holds an address. */
static bool
find(struct space *space, uint64_t address, struct range *range)
{
	for (size_t i = 0; i < space->list_count; i++)
		if (ranges_find(&space->lists[i], &space->view, address, range) && range->start <= address)
			return true;
	return false;
}

bool
space_range_at(struct space *space, uint64_t address, uint64_t *start, uint64_t *size)
{
	struct range range;
	bool any = false;
	for (size_t i = 0; i < space->list_count; i++) {
		if (!ranges_find(&space->lists[i], &space->view, address, &range))
			continue;
		if (!any || range.start < *start) {
			*start = range.start;
			*size = range.size;
		}
		any = true;
		if (range.start <= address)
			break;
	}
	return any;
}

/* From a module's file, up to its end and to the next bytes that the dump has; 0: not there. */
static size_t
read_image(struct space *space, uint64_t address, unsigned char *room, size_t size)
{
	const struct module *module = space->images == NULL ? NULL : space_module_at(space, address);
	uint64_t start, there, left;
	if (module == NULL)
		return 0;
	left = module->size - (address - module->base);
	if (space_range_at(space, address, &start, &there) && start - address < left)
		left = start - address;
	if (size > left)
		size = (size_t)left;
	return space->images->read(space->images, space, module, address - module->base, room, size) ? size : 0;
}

size_t
space_read_some(struct space *space, uint64_t address, void *room, size_t size)
{
	unsigned char *to = room;
	size_t done = 0;
	if (size > 0 && size - 1 > UINT64_MAX - address)
		size = (size_t)(UINT64_MAX - address) + 1;
	while (done < size) {
		struct range range;
		uint64_t at = address + done;
		size_t take = size - done;
		if (!find(space, at, &range)) {
			take = read_image(space, at, to + done, take);
			if (take == 0)
				return done;
			done += take;
			continue;
		}
		if (take > range.size - (at - range.start))
			take = (size_t)(range.size - (at - range.start));
		if (!view_read(&space->view, range.offset + (at - range.start), to + done, take))
			return done;
		done += take;
	}
	return done;
}

bool
space_read(struct space *space, uint64_t address, void *room, size_t size)
{
	return space_read_some(space, address, room, size) == size;
}

bool
space_u8(struct space *space, uint64_t address, uint8_t *value)
{
	return space_read(space, address, value, 1);
}

bool
space_u16(struct space *space, uint64_t address, uint16_t *value)
{
	unsigned char bytes[2];
	return space_read(space, address, bytes, sizeof bytes) && span_u16((struct span){bytes, sizeof bytes}, 0, value);
}

bool
space_u32(struct space *space, uint64_t address, uint32_t *value)
{
	unsigned char bytes[4];
	return space_read(space, address, bytes, sizeof bytes) && span_u32((struct span){bytes, sizeof bytes}, 0, value);
}

bool
space_u64(struct space *space, uint64_t address, uint64_t *value)
{
	unsigned char bytes[8];
	return space_read(space, address, bytes, sizeof bytes) && span_u64((struct span){bytes, sizeof bytes}, 0, value);
}

bool
space_pointer(struct space *space, uint64_t address, uint64_t *value)
{
	uint32_t narrow;
	if (space->pointer_size == 8)
		return space_u64(space, address, value);
	if (!space_u32(space, address, &narrow))
		return false;
	*value = narrow;
	return true;
}

const struct module *
space_module_at(const struct space *space, uint64_t address)
{
	size_t low = 0, high = space->module_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (space->modules[middle].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t back = 0; back < OVERLAP_MOST && back < low; back++) {
		const struct module *module = &space->modules[low - 1 - back];
		if (address - module->base < module->size)
			return module;
	}
	return NULL;
}

static void
put_name(struct space *space, uint64_t at, char room[SPACE_NAME_MAX])
{
	struct text text = text_in(room, SPACE_NAME_MAX);
	if (at == 0)
		return;
	if (space->is_core)
		words_put_utf8_at(&text, &space->view, at, SPACE_NAME_MAX);
	else
		words_put_string_at(&text, &space->view, at);
}

void
space_module_name(struct space *space, const struct module *module, char room[SPACE_NAME_MAX])
{
	put_name(space, module->name_at, room);
}

const char *
space_short_name(const char *name)
{
	const char *start = name;
	for (; *name != 0; name++)
		if ((*name == '/' || *name == '\\') && name[1] != 0)
			start = name + 1;
	return start;
}

const struct thread *
space_thread(const struct space *space, uint32_t id)
{
	for (size_t i = 0; i < space->thread_count; i++)
		if (space->threads[i].id == id)
			return &space->threads[i];
	return NULL;
}

void
space_thread_name(struct space *space, const struct thread *thread, char room[SPACE_NAME_MAX])
{
	put_name(space, thread->name_at, room);
}

const struct stream *
space_stream(const struct space *space, uint32_t type)
{
	for (size_t i = 0; i < space->stream_count; i++)
		if (space->streams[i].type == type)
			return &space->streams[i];
	return NULL;
}

bool
space_last_error(struct space *space, const struct thread *thread, uint32_t *value)
{
	return space->os == OS_WINDOWS && thread->teb != 0 && thread->teb <= UINT64_MAX - 0x1000
	       && space_u32(space, thread->teb + 13u * space->pointer_size, value);
}
