/* SPDX-License-Identifier: MIT */
/* What is read of a minidump only when a report asks for it. */
#include "dump/minidump_table.h"
#include "dump/words.h"

#include <inttypes.h>

bool
space_unloaded(struct space *space, uint64_t index, struct module *module)
{
	unsigned char room[24];
	struct span entry = {room, sizeof room};
	struct minidump_table table;
	size_t notes = space->soft_count;
	bool good = !space->is_core && minidump_stated_table(space, STREAM_UNLOADED, sizeof room, &table);
	if (index > 0)
		space->soft_count = notes; /* once is enough */
	if (!good || index >= table.count || !minidump_entry(space, &table, index, room, sizeof room))
		return false;
	*module = (struct module){.base = span_get_u64(entry, 0), .size = span_get_u32(entry, 8), .checksum = span_get_u32(entry, 12),
	                          .timestamp = span_get_u32(entry, 16), .name_at = span_get_u32(entry, 20)};
	return true;
}

/* Breakpad's MDRawAssertionInfo: expression, function and file of 128 units each, then line and kind. */
bool
space_assertion(struct space *space, struct text *text)
{
	const struct stream *stream = space_stream(space, STREAM_ASSERTION);
	size_t before = text->used;
	uint32_t line = 0;
	if (space->is_core || stream == NULL || stream->size < 776)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		size_t gap = text->used;
		text_put(text, gap > before ? ", " : "");
		words_put_utf16_at(text, &space->view, stream->at + 256 * i, 256);
		if (text->used == gap + 2 && gap > before) {
			text->used = gap;
			text->at[gap] = 0;
		}
	}
	if (text->used > before && view_u32(&space->view, stream->at + 768, &line) && line != 0)
		text_printf(text, ":%" PRIu32, line);
	return text->used > before;
}

bool
space_comment(struct space *space, struct text *text)
{
	const struct stream *wide = space_stream(space, STREAM_COMMENT_W), *narrow = space_stream(space, STREAM_COMMENT_A);
	if (space->is_core)
		return false;
	text_reset(text);
	if (wide != NULL)
		words_put_utf16_at(text, &space->view, wide->at, wide->size);
	else if (narrow != NULL)
		words_put_utf8_at(text, &space->view, narrow->at, narrow->size);
	return text->used > 0;
}
