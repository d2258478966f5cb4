/* SPDX-License-Identifier: MIT */
/* A connection to an origin through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), then TLS with the origin itself. The
 * proxy looks the name up; http origins go through a tunnel too. */
#ifndef HTTP_TUNNEL_H
#define HTTP_TUNNEL_H

#include "http/body.h"
#include "http/proxy.h"
#include "net/conn.h"

/* Lent by the client, which needs none of it before it is connected. */
struct tunnel_room {
	struct http_wire *wire; /* reads from the connection */
	struct http_body *body;
	unsigned char *head;    /* HEAD_MAX bytes */
};

/* Only to the proxy itself. What to try is said of the proxy, not of a host as conn_open would. */
bool tunnel_reach(struct conn *, const struct network *, const struct proxy *, const struct url *origin, struct deadline,
                  struct fault *) MUST_CHECK;

/* As conn_open, by way of the proxy; not one byte behind the proxy's answer is taken. The login goes along unasked, as
 * only Basic is spoken. A refusal is read whole, if it is short, and put in words: FAULT_DENIED for a login or rule of
 * the proxy (401, 403, 407), FAULT_TIMEOUT for 504, FAULT_NETWORK else, with an errno in detail when another try may
 * help. Faults name origin and proxy. */
bool tunnel_open(struct conn *, const struct network *, const struct proxy *, const struct url *origin,
                 struct tls_session *, struct tunnel_room, struct deadline, struct fault *) MUST_CHECK;

#endif
