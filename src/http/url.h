/* SPDX-License-Identifier: MIT */
/* http and https URLs (RFC 3986), split without decoding. */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/text.h"

struct url {
	bool secure;
	char host[HOST_MAX + 1];   /* lower case, no brackets, no trailing dot; an IPv6 literal in its shortest form */
	uint16_t port;             /* the scheme's own when none is written */
	char path[URL_MAX];        /* begins with '/', still percent-encoded */
	char query[URL_MAX];       /* without '?', may be empty; may hold a SAS: never print it */
};

/* FAULT_USAGE for another scheme, user:password@ (a secret does not belong into an argument), fragments, control
 * characters, blanks, bytes beyond ASCII, broken percent signs, bad ports, hosts that look like numbers but are no
 * address, and an IP literal over https (certificates for addresses cannot be checked). FAULT_BOUND when host, path or
 * query is too long. Never quotes path or query. */
bool url_parse(struct url *, struct span, struct fault *) MUST_CHECK;

/* scheme://host[:port]path, without the query. */
void url_put(struct text *, const struct url *);

/* host or host:port, as the Host header wants it (RFC 9112 section 3.2); IPv6 in brackets. */
void url_put_host(struct text *, const struct url *);

/* The same scheme, host and port. */
bool url_same_origin(const struct url *, const struct url *);

/* The first parameter of that name in a query, still encoded; false when absent. Names compare exactly. */
bool url_query_find(struct span query, const char *name, struct span *value);

#endif
