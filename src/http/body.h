/* SPDX-License-Identifier: MIT */
/* The body of an answer as a source whose end is only what its framing says (RFC 9112 sections 6.3 and 7.1). */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "base/deadline.h"
#include "base/flow.h"
#include "http/head.h"

#define HTTP_WINDOW 4096 /* chunks smaller than this are read several at a time */

/* The bytes under a body: a connection, or a string in tests. Same promise as source.read, with a deadline. */
struct http_wire {
	bool (*read)(struct http_wire *, void *room, size_t size, size_t *got, struct deadline, struct fault *);
};

struct http_body {
	struct source source;
	/* public, to look at */
	enum http_framing framing;
	uint64_t given;      /* bytes handed out so far */
	uint64_t length;     /* of the whole body with HTTP_LENGTH */
	bool ended;          /* the end was reached properly */
	bool failed;         /* a read has failed; the next ones do too */
	/* the room's own */
	struct http_wire *wire;
	int64_t stall_ms;
	int state;
	uint64_t left, chunk; /* of the body or of the chunk; size of the chunk */
	size_t used;          /* bytes of the chunk line, or of the trailers */
	unsigned digits;
	struct span pending;  /* read from the wire already: behind the head, then in the window */
	unsigned char window[HTTP_WINDOW];
};

/* `ahead` are bytes already read behind the head; they must stay valid while the body is read. Each read of the wire may
 * take stall_ms.
 *
 * Faults of source.read: FAULT_CORRUPT when the body is shorter than its framing says, with both figures, whether the
 * connection was closed or broke (then detail is ECONNRESET, and what may be repeated may be tried again), or when
 * chunks are malformed (detail 0); with HTTP_UNTIL_CLOSE only a proper end counts, which over TLS is close_notify.
 * FAULT_BOUND for chunk lines and trailers that are too long, FAULT_TIMEOUT when nothing comes for stall_ms. */
void http_body_open(struct http_body *, struct http_wire *, const struct http_head *, struct span ahead, int64_t stall_ms);

/* Ended, and nothing came behind it: the connection can carry another answer. */
bool http_body_is_clean(const struct http_body *);

/* A duration in words: "15 min", "60 s", "250 ms". */
void http_put_ms(struct text *, int64_t ms);

#endif
