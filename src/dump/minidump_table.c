/* SPDX-License-Identifier: MIT */
#include "dump/minidump_table.h"

#include <inttypes.h>
#include <string.h>

struct span
minidump_head(struct space *space, const struct stream *stream, unsigned char *room, size_t most)
{
	size_t size = stream->size < most ? stream->size : most;
	memset(room, 0, most);
	if (!view_read(&space->view, stream->at, room, size))
		size = 0;
	return (struct span){room, size};
}

static const char *
stream_name(uint32_t type)
{
	switch (type) {
	case STREAM_THREADS:
		return "thread list";
	case STREAM_MODULES:
		return "module list";
	case STREAM_MEMORY:
		return "memory list";
	case STREAM_MEMORY64:
		return "list of full memory";
	case STREAM_THREAD_NAMES:
		return "thread names";
	case STREAM_THREAD_INFO:
		return "thread information";
	case STREAM_UNLOADED:
		return "list of unloaded modules";
	default:
		return "stream";
	}
}

void
minidump_clamp(struct space *space, const struct stream *stream, struct minidump_table *table)
{
	uint64_t left = stream->size - (table->at - stream->at), fit = left / table->stride;
	if (table->count <= fit)
		return;
	space_note(space, "the %s claims %" PRIu64 " entries and has room for %" PRIu64, stream_name(stream->type),
	           table->count, fit);
	table->count = fit;
}

bool
minidump_plain_table(struct space *space, uint32_t type, uint32_t stride, struct minidump_table *table)
{
	const struct stream *stream = space_stream(space, type);
	uint32_t count;
	if (stream == NULL || stream->size < 4 || !view_u32(&space->view, stream->at, &count))
		return false;
	*table = (struct minidump_table){stream->at + 4, count, stride};
	if ((uint64_t)count * stride + 8 == stream->size)
		table->at += 4;
	minidump_clamp(space, stream, table);
	return true;
}

bool
minidump_stated_table(struct space *space, uint32_t type, uint32_t least, struct minidump_table *table)
{
	unsigned char room[12];
	const struct stream *stream = space_stream(space, type);
	struct span head;
	uint32_t header;
	if (stream == NULL)
		return false;
	head = minidump_head(space, stream, room, sizeof room);
	header = span_get_u32(head, 0);
	if (head.count < sizeof room || header < sizeof room || header > stream->size || span_get_u32(head, 4) < least) {
		space_note(space, "the %s has a broken header", stream_name(type));
		return false;
	}
	*table = (struct minidump_table){stream->at + header, span_get_u32(head, 8), span_get_u32(head, 4)};
	minidump_clamp(space, stream, table);
	return true;
}

bool
minidump_entry(struct space *space, const struct minidump_table *table, uint64_t index, unsigned char *room, size_t size)
{
	return view_read(&space->view, table->at + index * table->stride, room, size);
}
