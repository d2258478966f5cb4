/* SPDX-License-Identifier: MIT */
#include "http/body.h"

#include "base/encode.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Where in a chunked body the next byte stands. */
enum place {
	SIZE,       /* the hex digits of a chunk size */
	BLANK,      /* blanks behind them: an extension must follow */
	EXTENSION,
	SIZE_END,   /* the line feed of that line */
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,    /* the start of a trailer line */
	NAME,
	VALUE,
	TRAILER_LF,
	LAST_LF     /* of the empty line */
};

#define DIGITS_MAX 16 /* hex digits of a chunk size, leading zeros and all */

void
http_put_ms(struct text *text, int64_t ms)
{
	if (ms >= 120000 && ms % 60000 == 0)
		text_printf(text, "%" PRId64 " min", ms / 60000);
	else if (ms >= 1000 && ms % 1000 == 0)
		text_printf(text, "%" PRId64 " s", ms / 1000);
	else
		text_printf(text, "%" PRId64 " ms", ms);
}

/* How far the body has come, in the words of a fault. */
static void
put_progress(struct text *text, const struct http_body *body)
{
	if (body->framing == HTTP_LENGTH)
		text_printf(text, "after %" PRIu64 " of %" PRIu64 " bytes", body->given, body->length);
	else if (body->framing == HTTP_UNTIL_CLOSE)
		text_printf(text, "after %" PRIu64 " bytes of a body of unknown length", body->given);
	else if (body->state == DATA)
		text_printf(text, "inside a chunk, after %" PRIu64 " of its %" PRIu64 " bytes and %" PRIu64 " bytes in all",
		            body->chunk - body->left, body->chunk, body->given);
	else if (body->state >= TRAILER)
		text_printf(text, "behind the last chunk, after %" PRIu64 " bytes", body->given);
	else
		text_printf(text, "before the last chunk, after %" PRIu64 " bytes", body->given);
}

static bool
too_short(const struct http_body *body, struct fault *fault)
{
	char words[160];
	struct text text = text_in(words, sizeof words);
	put_progress(&text, body);
	fault_raise(fault, FAULT_CORRUPT, "the body of the answer ended %s", words);
	fault->detail = ECONNRESET;
	return false;
}

/* A read of the wire has failed: a body that a broken connection cut is short, whatever broke it. */
static bool
broke(const struct http_body *body, struct fault *fault)
{
	char words[160], time[32];
	struct text text = text_in(words, sizeof words), clock = text_in(time, sizeof time);
	put_progress(&text, body);
	if (fault->kind == FAULT_TIMEOUT) {
		fault_clear(fault);
		http_put_ms(&clock, body->stall_ms);
		fault_raise(fault, FAULT_TIMEOUT, "nothing came for %s, %s", time, words);
		fault->detail = ETIMEDOUT;
		return false;
	}
	if (fault->kind == FAULT_STOPPED)
		return false;
	if (fault->kind == FAULT_NETWORK) {
		fault->kind = FAULT_CORRUPT;
		fault->detail = ECONNRESET;
	}
	return fault_while(fault, "the body of the answer broke off %s", words);
}

/* From what is pending, else from the wire; *got 0: the wire has ended. */
static bool
take(struct http_body *body, void *room, size_t size, size_t *got, struct fault *fault)
{
	if (body->pending.count > 0) {
		*got = size < body->pending.count ? size : body->pending.count;
		memcpy(room, body->pending.at, *got);
		body->pending = span_from(body->pending, *got);
		return true;
	}
	return body->wire->read(body->wire, room, size, got, deadline_in(body->stall_ms), fault) || broke(body, fault);
}

static bool
read_plain(struct http_body *body, void *room, size_t size, size_t *got, struct fault *fault)
{
	bool counted = body->framing == HTTP_LENGTH;
	if (counted && size > body->left)
		size = (size_t)body->left;
	if (!take(body, room, size, got, fault))
		return false;
	if (*got == 0 && counted)
		return too_short(body, fault);
	body->given += *got;
	body->left -= counted ? *got : 0;
	body->ended = counted ? body->left == 0 : *got == 0;
	return true;
}

static bool
malformed(const char *what, struct fault *fault)
{
	return fault_raise(fault, FAULT_CORRUPT, "the body of the answer has %s", what);
}

static bool
on_size(struct http_body *body, unsigned char c, struct fault *fault)
{
	int value = hex_value(c);
	if (value >= 0) {
		if (++body->digits > DIGITS_MAX || body->chunk > (uint64_t)INT64_MAX >> 4)
			return malformed("a chunk size beyond all measure", fault);
		body->chunk = body->chunk << 4 | (uint64_t)value;
		return true;
	}
	if (body->digits == 0 || (c != ';' && c != ' ' && c != '\t' && c != '\r'))
		return malformed("a chunk size that is no hex number", fault);
	body->state = c == ';' ? EXTENSION : c == '\r' ? SIZE_END : BLANK;
	return true;
}

static bool
on_extension(struct http_body *body, unsigned char c, struct fault *fault)
{
	if (c == '\r')
		body->state = SIZE_END;
	else if (!http_is_text_byte(c))
		return malformed("a control character in a chunk extension", fault);
	return true;
}

static bool
on_blank(struct http_body *body, unsigned char c, struct fault *fault)
{
	if (c == ';')
		body->state = EXTENSION;
	else if (c != ' ' && c != '\t')
		return malformed("blanks behind a chunk size", fault);
	return true;
}

static void
start_data(struct http_body *body)
{
	body->state = body->chunk == 0 ? TRAILER : DATA;
	body->left = body->chunk;
	body->used = 0;
}

static void
start_size(struct http_body *body)
{
	body->state = SIZE;
	body->chunk = 0;
	body->digits = 0;
	body->used = 0;
}

/* Trailers are checked and dropped. */
static bool
on_trailer(struct http_body *body, unsigned char c, struct fault *fault)
{
	if (body->state == VALUE) {
		body->state = c == '\r' ? TRAILER_LF : VALUE;
		return c == '\r' || http_is_text_byte(c) || malformed("a control character in a trailer", fault);
	}
	if (body->state == TRAILER && c == '\r') {
		body->state = LAST_LF;
		return true;
	}
	if (body->state == NAME && c == ':') {
		body->state = VALUE;
		return true;
	}
	body->state = NAME;
	return http_is_token_byte(c) || malformed("a trailer that is no header line", fault);
}

/* One byte outside chunk data. */
static bool
on_byte(struct http_body *body, unsigned char c, struct fault *fault)
{
	switch ((enum place)body->state) {
	case SIZE:
		return on_size(body, c, fault);
	case BLANK:
		return on_blank(body, c, fault);
	case EXTENSION:
		return on_extension(body, c, fault);
	case TRAILER:
	case NAME:
	case VALUE:
		return on_trailer(body, c, fault);
	case DATA_CR:
		body->state = DATA_LF;
		return c == '\r' || malformed("a chunk that is longer than its size", fault);
	default:
		break;
	}
	if (c != '\n')
		return malformed("a carriage return without its line feed between chunks", fault);
	if (body->state == SIZE_END)
		start_data(body);
	else if (body->state == DATA_LF)
		start_size(body);
	else if (body->state == TRAILER_LF)
		body->state = TRAILER;
	else
		body->ended = true;
	return true;
}

static bool
count_byte(struct http_body *body, struct fault *fault)
{
	bool trailers = body->state >= TRAILER;
	size_t most = trailers ? TRAILER_MAX : CHUNK_LINE_MAX;
	if (++body->used <= most)
		return true;
	return fault_raise(fault, FAULT_BOUND, "the body of the answer has %s longer than %zu bytes",
	                   trailers ? "trailers" : "a chunk line", most);
}

/* All that is pending up to chunk data or the end of the body. */
static bool
read_lines(struct http_body *body, struct fault *fault)
{
	while (body->pending.count > 0 && body->state != DATA && !body->ended) {
		unsigned char c = body->pending.at[0];
		body->pending = span_from(body->pending, 1);
		if (!count_byte(body, fault) || !on_byte(body, c, fault))
			return false;
	}
	return true;
}

/* Fills the window; there is more to come, so that an end here is too soon. */
static bool
refill(struct http_body *body, struct fault *fault)
{
	size_t got;
	if (!take(body, body->window, sizeof body->window, &got, fault))
		return false;
	body->pending = (struct span){body->window, got};
	return got > 0 || too_short(body, fault);
}

static bool
read_data(struct http_body *body, void *room, size_t size, size_t *got, struct fault *fault)
{
	if (size > body->left)
		size = (size_t)body->left;
	if (body->pending.count == 0 && size < sizeof body->window && !refill(body, fault))
		return false;
	if (!take(body, room, size, got, fault))
		return false;
	if (*got == 0)
		return too_short(body, fault);
	body->given += *got;
	body->left -= *got;
	if (body->left == 0)
		body->state = DATA_CR;
	return true;
}

/* Goes on through small chunks as long as that needs no waiting. */
static bool
read_chunked(struct http_body *body, unsigned char *room, size_t size, size_t *got, struct fault *fault)
{
	while (!body->ended && *got < size && (*got == 0 || body->pending.count > 0)) {
		size_t more = 0;
		if (body->state == DATA) {
			if (!read_data(body, room + *got, size - *got, &more, fault))
				return false;
			*got += more;
		} else if ((body->pending.count == 0 && !refill(body, fault)) || !read_lines(body, fault)) {
			return false;
		}
	}
	return true;
}

static bool
body_read(struct source *source, void *room, size_t size, size_t *got, struct fault *fault)
{
	struct http_body *body = (struct http_body *)source;
	bool fine;
	assert(size > 0);
	*got = 0;
	if (body->failed)
		return fault_raise(fault, FAULT_CORRUPT, "the body of the answer broke off before");
	if (body->ended)
		return true;
	fine = body->framing == HTTP_CHUNKED ? read_chunked(body, room, size, got, fault)
	                                     : read_plain(body, room, size, got, fault);
	body->failed = !fine;
	return fine;
}

void
http_body_open(struct http_body *body, struct http_wire *wire, const struct http_head *head, struct span ahead,
               int64_t stall_ms)
{
	body->source.read = body_read;
	body->wire = wire;
	body->framing = head->framing;
	body->length = body->left = head->framing == HTTP_LENGTH ? head->length : 0;
	body->given = 0;
	body->pending = ahead;
	body->stall_ms = stall_ms;
	body->failed = false;
	body->ended = head->framing == HTTP_EMPTY || (head->framing == HTTP_LENGTH && head->length == 0);
	start_size(body);
}

bool
http_body_is_clean(const struct http_body *body)
{
	return body->ended && body->pending.count == 0;
}
