/* SPDX-License-Identifier: MIT */
/* Chunked bodies, cut in pieces of several sizes, against a decoder that has all of the bytes before it and no state.
 * The first byte says how much was read ahead with the head, the second how large the pieces are. */
#include "http/body.h"

#include "base/encode.h"

#include <assert.h>
#include <string.h>

#define MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
	struct http_wire wire;
	struct span rest;
	size_t size;
};

static unsigned char expected[MOST], decoded[MOST];

static bool
pieces_read(struct http_wire *wire, void *room, size_t size, size_t *got, struct deadline deadline, struct fault *fault)
{
	struct pieces *pieces = (struct pieces *)wire;
	struct span part = span_first(pieces->rest, size < pieces->size ? size : pieces->size);
	(void)deadline, (void)fault;
	*got = part.count;
	if (part.count > 0)
		memcpy(room, part.at, part.count);
	pieces->rest = span_from(pieces->rest, part.count);
	return true;
}

static bool
take_line(struct span *rest, struct span *line)
{
	size_t place;
	if (!span_find(*rest, "\r\n", &place))
		return false;
	*line = span_first(*rest, place);
	*rest = span_from(*rest, place + 2);
	for (size_t i = 0; i < line->count; i++)
		if (!http_is_text_byte(line->at[i]))
			return false;
	return true;
}

static bool
read_size(struct span line, uint64_t *size)
{
	size_t digits = 0;
	struct span behind;
	*size = 0;
	while (digits < line.count && hex_value(line.at[digits]) >= 0) {
		if (*size >> 59 != 0)
			return false;
		*size = *size * 16 + (uint64_t)hex_value(line.at[digits++]);
	}
	behind = span_trim(span_from(line, digits));
	return digits > 0 && digits <= 16 && line.count + 2 <= CHUNK_LINE_MAX &&
	       (digits == line.count || (behind.count > 0 && behind.at[0] == ';'));
}

static bool
read_trailers(struct span *rest)
{
	struct span line, name, start = *rest;
	while (take_line(rest, &line)) {
		if (start.count - rest->count > TRAILER_MAX)
			return false;
		if (line.count == 0)
			return true;
		if (!memchr(line.at, ':', line.count) || !span_cut(&line, ':', &name) || name.count == 0)
			return false;
		for (size_t i = 0; i < name.count; i++)
			if (!http_is_token_byte(name.at[i]))
				return false;
	}
	return false;
}

/* The plain way: true with the content and what stands behind it. */
static bool
decode(struct span *rest, size_t *count)
{
	struct span line;
	uint64_t size;
	*count = 0;
	while (take_line(rest, &line) && read_size(line, &size)) {
		if (size == 0)
			return read_trailers(rest);
		if (size > rest->count)
			return false;
		memcpy(expected + *count, rest->at, (size_t)size);
		*count += (size_t)size;
		*rest = span_from(*rest, (size_t)size);
		if (!span_begins(*rest, "\r\n"))
			return false;
		*rest = span_from(*rest, 2);
	}
	return false;
}

static bool
read_all(struct http_body *body, size_t step, size_t *count)
{
	struct fault fault;
	size_t got;
	fault_clear(&fault);
	*count = 0;
	do {
		if (!body->source.read(&body->source, decoded + *count, step < MOST - *count ? step : MOST - *count, &got, &fault)) {
			assert(fault.kind == FAULT_CORRUPT || fault.kind == FAULT_BOUND);
			return false;
		}
		*count += got;
	} while (got > 0);
	assert(body->ended && body->given == *count);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_body body;
	static const size_t steps[] = {1, 13, 4096, 65536};
	struct http_head head;
	struct span all, rest;
	size_t count, want;
	bool good;
	if (size < 2 || size > MOST / 2)
		return 0;
	memset(&head, 0, sizeof head);
	head.framing = HTTP_CHUNKED;
	all = rest = (struct span){data + 2, size - 2};
	good = decode(&rest, &want);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct pieces pieces = {{pieces_read}, span_from(all, data[0]), data[1] == 0 ? MOST : data[1]};
		http_body_open(&body, &pieces.wire, &head, span_first(all, data[0]), 1000);
		assert(read_all(&body, steps[i], &count) == good);
		assert(!good || (count == want && memcmp(decoded, expected, count) == 0));
		assert(!good || body.pending.count + pieces.rest.count == rest.count);
	}
	return 0;
}
