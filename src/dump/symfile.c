/* SPDX-License-Identifier: MIT */
#include "dump/symfile.h"

#include "base/encode.h"
#include "dump/words.h"

#include <string.h>
#include <unistd.h>

#define NUMBER_NONE UINT32_MAX

/* --- lines */

static size_t
read_more(const struct symfile *file, uint64_t at, unsigned char *room, size_t size)
{
	ssize_t got;
	if (file->fd < 0) {
		memcpy(room, file->bytes.at + at, size);
		return size;
	}
	got = pread(file->fd, room, size, (off_t)at);
	return got > 0 ? (size_t)got : 0;
}

static bool
fill(const struct symfile *file, struct symfile_window *window)
{
	size_t rest = window->used - window->place, want = SYMFILE_WINDOW - rest, got;
	uint64_t next = window->at + window->used;
	memmove(window->room, window->room + window->place, rest);
	window->at += window->place;
	window->used = rest;
	window->place = 0;
	if (next >= file->size)
		return false;
	if (want > file->size - next)
		want = (size_t)(file->size - next);
	if (want > window->budget) {
		window->exhausted = true;
		return false;
	}
	got = read_more(file, next, window->room + rest, want);
	window->budget -= got;
	window->used += got;
	return got > 0;
}

/* The next line without its end, and its place in the file. */
static bool
next_line(const struct symfile *file, struct symfile_window *window, struct span *line, uint64_t *at)
{
	bool too_long = false;
	for (;;) {
		unsigned char *begin = window->room + window->place;
		size_t rest = window->used - window->place;
		const unsigned char *end = memchr(begin, '\n', rest);
		if (end == NULL && rest == SYMFILE_WINDOW) {
			too_long = true;
			window->place = window->used;
		}
		if (end == NULL && fill(file, window))
			continue;
		begin = window->room + window->place;
		if (end == NULL && (window->used == window->place || too_long))
			return false;
		*line = (struct span){begin, end != NULL ? (size_t)(end - begin) : window->used - window->place};
		*at = window->at + window->place;
		window->place += line->count + (end != NULL);
		if (line->count > 0 && line->at[line->count - 1] == '\r')
			line->count--;
		if (!too_long)
			return true;
		too_long = false;
	}
}

/* To the first line that begins at a place or behind it. */
static void
seek_line(const struct symfile *file, struct symfile_window *window, uint64_t at)
{
	struct span line;
	window->at = at > 0 ? at - 1 : 0;
	window->used = window->place = 0;
	if (at > 0)
		(void)next_line(file, window, &line, &at);
}

/* --- records */

static bool
cut_hex(struct span *rest, uint32_t *value)
{
	struct span word;
	uint64_t number = 0;
	if (!span_cut(rest, ' ', &word) || word.count == 0 || word.count > 16)
		return false;
	for (size_t i = 0; i < word.count; i++) {
		int digit = hex_value(word.at[i]);
		if (digit < 0)
			return false;
		number = number << 4 | (unsigned)digit;
	}
	*value = (uint32_t)number;
	return number <= UINT32_MAX;
}

static bool
cut_decimal(struct span *rest, uint32_t *value)
{
	struct span word;
	uint64_t number;
	if (!span_cut(rest, ' ', &word) || !span_decimal(word, &number) || number >= NUMBER_NONE)
		return false;
	*value = (uint32_t)number;
	return true;
}

struct function {
	uint32_t start, size; /* size 0: of a PUBLIC record */
	struct span name;
};

enum record { RECORD_OTHER, RECORD_LINE, RECORD_INLINE, RECORD_FUNC, RECORD_PUBLIC, RECORD_FILE };

static enum record
kind_of(struct span line)
{
	if (line.count > 0 && hex_value(line.at[0]) >= 0 && line.at[0] != 'F')
		return RECORD_LINE;
	if (span_begins(line, "FUNC "))
		return RECORD_FUNC;
	if (span_begins(line, "FILE "))
		return RECORD_FILE;
	if (span_begins(line, "PUBLIC "))
		return RECORD_PUBLIC;
	if (span_begins(line, "INLINE "))
		return RECORD_INLINE;
	return line.count > 0 && line.at[0] == 'F' ? RECORD_LINE : RECORD_OTHER;
}

/* FUNC [m] address size parameters name, PUBLIC [m] address parameters name. */
static bool
read_function(struct span line, enum record kind, struct function *function)
{
	struct span rest = span_from(line, kind == RECORD_FUNC ? 5 : 7), parameters;
	if (span_begins(rest, "m "))
		rest = span_from(rest, 2);
	function->size = 0;
	if (!cut_hex(&rest, &function->start) || (kind == RECORD_FUNC && !cut_hex(&rest, &function->size)) ||
	    !span_cut(&rest, ' ', &parameters) || rest.count == 0)
		return false;
	function->name = rest;
	if (function->size > UINT32_MAX - function->start)
		function->size = UINT32_MAX - function->start;
	return kind == RECORD_PUBLIC || function->size > 0;
}

/* FILE number path */
static bool
read_path(struct span line, uint32_t *number, struct span *path)
{
	*path = span_from(line, 5);
	return cut_decimal(path, number);
}

/* address size line file */
static bool
covers_line(struct span rest, uint32_t rva, uint32_t *line, uint32_t *file)
{
	uint32_t start, size;
	return cut_hex(&rest, &start) && cut_hex(&rest, &size) && rva >= start && rva - start < size &&
	       cut_decimal(&rest, line) && cut_decimal(&rest, file);
}

/* INLINE depth line file origin (address size)+; only what is inlined into the function itself. */
static bool
covers_inline(struct span record, uint32_t rva, uint32_t *line, uint32_t *file)
{
	struct span rest = span_from(record, 7);
	uint32_t depth, origin, start, size;
	if (!cut_decimal(&rest, &depth) || depth != 0 || !cut_decimal(&rest, line) || !cut_decimal(&rest, file) ||
	    !cut_decimal(&rest, &origin))
		return false;
	while (cut_hex(&rest, &start) && cut_hex(&rest, &size))
		if (rva >= start && rva - start < size)
			return true;
	return false;
}

/* --- the index */

static void
widen(uint32_t *low, uint32_t *last, uint32_t value)
{
	if (value < *low)
		*low = value;
	if (value > *last)
		*last = value;
}

static void
index_line(struct symfile_block *block, struct span line)
{
	enum record kind = kind_of(line);
	struct function function;
	struct span path;
	uint32_t number;
	if (kind == RECORD_FUNC && read_function(line, kind, &function)) {
		widen(&block->function_low, &block->function_last, function.start);
		if (function.start + function.size > block->function_end)
			block->function_end = function.start + function.size;
	} else if (kind == RECORD_PUBLIC && read_function(line, kind, &function)) {
		widen(&block->public_low, &block->public_last, function.start);
	} else if (kind == RECORD_FILE && read_path(line, &number, &path)) {
		widen(&block->file_low, &block->file_last, number);
	}
}

void
symfile_open(struct symfile *file, struct symfile_window *window)
{
	struct span line, word;
	uint64_t at;
	seek_line(file, window, 0);
	file->id[0] = 0;
	if (!next_line(file, window, &line, &at) || !span_begins(line, "MODULE "))
		return;
	for (unsigned i = 0; i < 4; i++) /* MODULE system machine id name */
		if (!span_cut(&line, ' ', &word))
			return;
	if (!text_keep(file->id, sizeof file->id, word))
		file->id[0] = 0;
}

void
symfile_index(struct symfile *file, struct symfile_window *window)
{
	struct span line;
	uint64_t at;
	file->block_bytes = file->size / SYMFILE_BLOCKS + 1;
	if (file->block_bytes < SYMFILE_BLOCK_LEAST)
		file->block_bytes = SYMFILE_BLOCK_LEAST;
	for (unsigned i = 0; i < SYMFILE_BLOCKS; i++)
		file->blocks[i] = (struct symfile_block){UINT32_MAX, 0, 0, UINT32_MAX, 0, UINT32_MAX, 0};
	seek_line(file, window, 0);
	while (next_line(file, window, &line, &at))
		index_line(&file->blocks[at / file->block_bytes], line);
}

/* --- the search */

struct hunt {
	uint32_t rva;
	struct symbol *symbol;
	bool inside, covered;        /* within a function that holds rva; after one */
	bool has_public;
	bool has_line, has_inline;
	uint32_t before;             /* start of the nearest function below rva that does not hold it */
	uint32_t file;               /* number */
	uint32_t line;
};

static void
keep_function(struct hunt *hunt, const struct function *function)
{
	struct text name = text_in(hunt->symbol->name, sizeof hunt->symbol->name);
	words_put_utf8(&name, function->name);
	hunt->symbol->start = function->start;
	hunt->symbol->nearest = !hunt->inside;
}

static void
see_function(struct hunt *hunt, const struct function *function)
{
	if (function->start > hunt->rva)
		return;
	if (hunt->rva - function->start < function->size) {
		hunt->inside = hunt->covered = true;
		keep_function(hunt, function);
	} else if (function->start > hunt->before) {
		hunt->before = function->start;
	}
}

static void
see_public(struct hunt *hunt, const struct function *function)
{
	if (function->start > hunt->rva || (hunt->has_public && function->start <= hunt->symbol->start))
		return;
	hunt->has_public = true;
	keep_function(hunt, function);
}

/* Of a function the innermost line is known, and where it called what was inlined there: the second belongs to its name. */
static void
see_inside(struct hunt *hunt, enum record kind, struct span record)
{
	uint32_t line, file;
	if (kind == RECORD_INLINE ? hunt->has_inline || !covers_inline(record, hunt->rva, &line, &file)
	                          : hunt->has_line || hunt->has_inline || !covers_line(record, hunt->rva, &line, &file))
		return;
	hunt->line = line;
	hunt->file = file;
	if (kind == RECORD_INLINE)
		hunt->has_inline = true;
	else
		hunt->has_line = true;
}

/* False: all that the file knows has been seen. */
static bool
see(struct hunt *hunt, struct span record)
{
	enum record kind = kind_of(record);
	struct function function;
	if (kind == RECORD_LINE || kind == RECORD_INLINE) {
		if (hunt->inside)
			see_inside(hunt, kind, record);
		return true;
	}
	hunt->inside = false;
	if (hunt->covered)
		return false;
	if ((kind == RECORD_FUNC || kind == RECORD_PUBLIC) && read_function(record, kind, &function)) {
		if (kind == RECORD_FUNC)
			see_function(hunt, &function);
		else
			see_public(hunt, &function);
	}
	return true;
}

static void
hunt_block(const struct symfile *file, struct symfile_window *window, uint64_t block, struct hunt *hunt)
{
	uint64_t end = (block + 1) * file->block_bytes, at;
	struct span line;
	seek_line(file, window, block * file->block_bytes);
	while (next_line(file, window, &line, &at) && (at < end || hunt->inside) && see(hunt, line))
		continue;
}

static uint32_t
nearer(uint32_t so_far, uint32_t last, uint32_t rva)
{
	return last <= rva && last > so_far ? last : so_far;
}

static void
hunt_function(const struct symfile *file, struct symfile_window *window, struct hunt *hunt)
{
	uint32_t rva = hunt->rva, function = 0, public = 0;
	for (unsigned i = 0; i < SYMFILE_BLOCKS; i++) {
		function = nearer(function, file->blocks[i].function_last, rva);
		public = nearer(public, file->blocks[i].public_last, rva);
	}
	for (unsigned i = 0; i < SYMFILE_BLOCKS && !hunt->covered; i++) {
		const struct symfile_block *block = &file->blocks[i];
		if ((block->function_low <= rva && (rva < block->function_end || block->function_last >= function)) ||
		    (block->public_low <= rva && block->public_last >= public))
			hunt_block(file, window, i, hunt);
	}
}

/* The end of a long path tells more than its begin. */
static void
keep_path(struct symbol *symbol, struct span path)
{
	struct text text = text_in(symbol->file, sizeof symbol->file);
	size_t most = sizeof symbol->file - 4;
	if (path.count > most) {
		text_put(&text, "...");
		path = span_from(path, path.count - most);
		while (path.count > 0 && (path.at[0] & 0xc0) == 0x80)
			path = span_from(path, 1);
	}
	words_put_utf8(&text, path);
}

static void
hunt_path(const struct symfile *file, struct symfile_window *window, uint32_t wanted, struct symbol *symbol)
{
	for (unsigned i = 0; i < SYMFILE_BLOCKS; i++) {
		const struct symfile_block *block = &file->blocks[i];
		struct span line, path;
		uint64_t at;
		uint32_t number;
		if (wanted < block->file_low || wanted > block->file_last)
			continue;
		seek_line(file, window, i * file->block_bytes);
		while (next_line(file, window, &line, &at) && at < (i + 1) * file->block_bytes) {
			if (kind_of(line) != RECORD_FILE || !read_path(line, &number, &path) || number != wanted)
				continue;
			keep_path(symbol, path);
			return;
		}
	}
}

bool
symfile_find(const struct symfile *file, struct symfile_window *window, uint32_t rva, struct symbol *symbol)
{
	struct hunt hunt = {.rva = rva, .symbol = symbol};
	memset(symbol, 0, sizeof *symbol);
	if (rva == UINT32_MAX) /* the low of a block without records */
		return false;
	hunt_function(file, window, &hunt);
	/* Behind the end of a function that begins no earlier than the public name, that name is not the right one. */
	if (!hunt.covered && (!hunt.has_public || hunt.before >= symbol->start))
		symbol->name[0] = 0;
	if (symbol->name[0] == 0)
		return false;
	if (hunt.has_line || hunt.has_inline) {
		hunt_path(file, window, hunt.file, symbol);
		symbol->line = hunt.line;
	}
	return true;
}
