/* SPDX-License-Identifier: MIT */
/* An HTTP/1.1 client of one origin on one kept-alive connection, for one thread at a time. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "http/body.h"
#include "http/url.h"
#include "net/conn.h"

#define HTTP_STAGE (HEAD_MAX / 2)    /* a request's head, and what of its body goes out in one write with it; http.sys takes 16 KiB */

struct http_times { /* ms */
	int64_t connect, first_byte, stall;
};

struct http_request {
	const char *method;
	const char *target;      /* path and query as on the wire */
	const char *headers;     /* more header lines, each with CRLF; NULL: none. May hold secrets. */
	struct span body;        /* sent as it is, with Content-Length, when has_body */
	bool has_body;           /* also for an empty body: PUT and POST want their Content-Length: 0 */
	/* Instead of `body`: `length` bytes that this source gives, asked from the start again when the request is repeated
	 * (rewind is called first). NULL: use body. */
	struct source *from;
	void (*rewind)(struct source *);
	uint64_t length;
	bool repeatable;         /* may be sent again when a kept-alive connection turned out to be dead before any answer */
	struct http_times times; /* 0 in a field: its default of bounds.h */
};

struct http_client_wire { /* the connection as a body sees it */
	struct http_wire wire;
	struct conn *conn;
	struct deadline limit; /* of everything, while we only drain or peek */
};

struct http_client {
	const struct network *network;
	struct url origin;          /* path and query are not used */
	struct tls_session session; /* kept for reconnecting; may be set by the owner */
	struct conn conn;
	bool open, used;            /* connected; has carried an answer */
	struct http_client_wire wire;
	struct http_head head;      /* of the last answer, good until the next request */
	struct http_body body;
	/* The request on its way out, then the answer's head and what came behind it. Never both but while an interim answer
	 * comes in before all is sent: then the first `unsent` bytes are the request's. */
	unsigned char room[HEAD_MAX];
	size_t unsent, room_used;
	uint64_t connects;          /* how often a connection was made: for --verbose and tests */
};

void http_client_open(struct http_client *, const struct network *, const struct url *origin);

/* Sends a request and reads the head of the final answer (1xx are passed over). Before that, what is left of the last
 * answer is drained if it is short, else the connection is replaced; so is one that the server has closed meanwhile.
 * An answer that comes while the body is still being sent is taken, and the connection not used again. Any status is
 * success here. Method and target are our promise: a token, and a path without blanks or control characters.
 *
 * A kept-alive connection that dies before any byte of the answer is replaced once, silently, if the request is
 * repeatable. A request that is not is sent on a connection that was just looked at, and never twice.
 *
 * Waits at most times.connect to connect, times.stall without progress while sending, and times.first_byte for the whole
 * head once all is sent. Faults name the method and the URL without its query: FAULT_TIMEOUT with ETIMEDOUT in detail,
 * FAULT_NETWORK with errno in detail when the connection broke and 0 when the answer is no proper HTTP, FAULT_BOUND for
 * heads too long, FAULT_USAGE for malformed header lines, and those of conn_open and of `from`. */
bool http_client_ask(struct http_client *, const struct http_request *, struct fault *) MUST_CHECK;

/* The body of the last answer, good until the next request. */
struct source *http_client_body(struct http_client *);

/* Up to size - 1 bytes of the body as a C string for messages; errors of reading just end it. Waits at most
 * times.stall for all of it. Returns the count. */
size_t http_client_peek(struct http_client *, char *room, size_t size);

/* Reads the rest of a short body so that the connection can be used again, else closes it. Waits two seconds at most. */
void http_client_done(struct http_client *);

void http_client_close(struct http_client *);

#endif
