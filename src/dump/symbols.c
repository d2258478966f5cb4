/* SPDX-License-Identifier: MIT */
#include "dump/symbols.h"

#include "dump/images.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUDGET (16ull << 30) /* bytes read in all: the pass over the .sym files of a browser is some GiB */
#define BLOCKS_BYTES (SYMFILE_BLOCKS * sizeof(struct symfile_block))

size_t
symbols_need(void)
{
	return memory_need(SYMBOLS_FILES * BLOCKS_BYTES, 16) + memory_need(SYMBOLS_RECENT * sizeof(struct symbols_answer), 16) +
	       memory_need(SYMFILE_WINDOW, 16);
}

void
symbols_open(struct symbols *symbols, struct memory *memory, const char *folder)
{
	unsigned char *blocks = memory_take(memory, SYMBOLS_FILES * BLOCKS_BYTES, 16);
	memset(symbols, 0, sizeof *symbols);
	symbols->folder = folder;
	symbols->recent = memory_take(memory, SYMBOLS_RECENT * sizeof(struct symbols_answer), 16);
	symbols->window.room = memory_take(memory, SYMFILE_WINDOW, 16);
	symbols->window.budget = BUDGET;
	for (unsigned i = 0; i < SYMBOLS_FILES; i++)
		symbols->slots[i].file.blocks = (struct symfile_block *)(void *)(blocks + i * BLOCKS_BYTES);
}

void
symbols_close(struct symbols *symbols)
{
	for (unsigned i = 0; i < SYMBOLS_FILES; i++)
		if (symbols->slots[i].found)
			close(symbols->slots[i].file.fd);
	memset(symbols, 0, sizeof *symbols);
}

bool
symbols_exhausted(const struct symbols *symbols)
{
	return symbols->window.exhausted;
}

/* False, with nothing open: no such file, or of another module. */
static bool
try_path(struct symbols *symbols, struct symfile *file, const char *path, const char *id, bool *other)
{
	struct stat about;
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return false;
	if (fstat(file->fd, &about) == 0 && S_ISREG(about.st_mode)) {
		file->size = (uint64_t)about.st_size;
		symfile_open(file, &symbols->window);
		if (id[0] != 0 && span_is_nocase(span_of(file->id), id))
			return true;
		*other = *other || file->id[0] != 0;
	}
	close(file->fd);
	return false;
}

static void
put_name(struct text *text, const char *name, bool lower)
{
	if (lower)
		images_put_lower(text, name);
	else
		text_put(text, name);
}

/* Breakpad writes the age in lower case, some stores have all in upper case. */
static void
put_id(struct text *text, const char *id, bool upper)
{
	for (; *id != 0; id++)
		text_put_byte(text, upper && *id >= 'a' && *id <= 'z' ? (char)(*id - 32) : *id);
}

/* x.pdb has x.sym, x.so has x.so.sym. */
static void
put_file_name(struct text *text, const char *name, bool lower)
{
	size_t begin = text->used;
	put_name(text, name, lower);
	if (text->used - begin > 4 && span_is_nocase(span_from(text_span(text), text->used - 4), ".pdb"))
		text->used -= 4;
	text_put(text, ".sym");
}

/* The folder of a store may hold the symbols of other builds alone. */
static bool
is_folder(const char *path)
{
	struct stat about;
	return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool
find_file(struct symbols *symbols, struct symfile *file, struct space *space, const struct module *module)
{
	char full[SPACE_NAME_MAX], id[48], path[PATH_BYTES_MAX];
	const char *name;
	bool other = false, has_pdb;
	space_debug_name(space, module, full);
	has_pdb = full[0] != 0;
	if (!has_pdb)
		space_module_name(space, module, full);
	name = space_short_name(full);
	space_debug_id(space, module, id);
	if (!images_is_inside(name))
		return false;
	for (unsigned way = 0; way < 6; way++) {
		struct text text = text_in(path, sizeof path);
		text_printf(&text, "%s/", symbols->folder);
		if (way < 4) {
			put_name(&text, name, way % 2 != 0);
			other = other || (has_pdb && !text.cut && is_folder(path));
			text_put(&text, "/");
			put_id(&text, id, way >= 2);
			text_put(&text, "/");
		}
		put_file_name(&text, name, way % 2 != 0);
		if (!text.cut && try_path(symbols, file, path, id, &other))
			return true;
	}
	if (other && symbols->other_id++ == 0)
		snprintf(symbols->other_name, sizeof symbols->other_name, "%.63s", name);
	return false;
}

static struct symbols_slot *
slot_of(struct symbols *symbols, struct space *space, const struct module *module)
{
	struct symbols_slot *oldest = &symbols->slots[0];
	for (unsigned i = 0; i < SYMBOLS_FILES; i++) {
		struct symbols_slot *slot = &symbols->slots[i];
		if (slot->known && slot->base == module->base) {
			slot->age = ++symbols->clock;
			return slot;
		}
		if (slot->age < oldest->age)
			oldest = slot;
	}
	if (oldest->found)
		close(oldest->file.fd);
	oldest->base = module->base;
	oldest->age = ++symbols->clock;
	oldest->known = true;
	oldest->found = find_file(symbols, &oldest->file, space, module);
	if (oldest->found) {
		symbols->found++;
		symfile_index(&oldest->file, &symbols->window);
	}
	return oldest;
}

const struct symbol *
symbols_at(struct symbols *symbols, struct space *space, const struct module *module, uint32_t rva)
{
	uint64_t address = module->base + rva;
	struct symbols_answer *answer = &symbols->recent[(address * 0x9e3779b97f4a7c15ull) >> 56];
	const struct symbols_slot *slot;
	if (answer->known && answer->address == address)
		return &answer->symbol;
	answer->known = true;
	answer->address = address;
	answer->symbol.name[0] = 0;
	slot = slot_of(symbols, space, module);
	if (slot->found && !symfile_find(&slot->file, &symbols->window, rva, &answer->symbol))
		answer->symbol.name[0] = 0;
	return &answer->symbol;
}
