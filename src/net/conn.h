/* SPDX-License-Identifier: MIT */
/* TCP or TLS under one face. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "net/name.h"
#include "net/tls.h"

struct proxies;

/* What every connection of a run shares; read-only once threads run. */
struct network {
	const struct trust *trust;
	const struct name_override *overrides;
	size_t override_count;
	struct name_files files; /* all zero but in tests */
	const struct proxies *proxies; /* NULL: none; floor http alone looks inside (http/proxy.h) */
};

struct conn {
	int fd; /* -1: closed */
	bool secure;
	struct tls tls;
};

/* Resolves, connects and, when `secure`, shakes hands. `session` as in tls_open, may be NULL. Faults name host and port. */
bool conn_open(struct conn *, const struct network *, const char *host, uint16_t port, bool secure,
               struct tls_session *session, struct deadline, struct fault *) MUST_CHECK;

/* The handshake with `host` on an open plain connection that leads to it, as through a proxy's tunnel. On a fault the
 * connection is closed. */
bool conn_secure(struct conn *, const struct network *, const char *host, struct tls_session *, struct deadline,
                 struct fault *) MUST_CHECK;

/* 1 to size bytes; *got 0: the peer ended properly (over TLS: with close_notify). */
bool conn_read(struct conn *, void *room, size_t size, size_t *got, struct deadline, struct fault *) MUST_CHECK;

/* Sends all, or *sent < count without a fault when the peer speaks first or closes: read next, then close. `stall_ms`
 * begins anew with each progress; `deadline` does not. */
bool conn_write(struct conn *, const void *from, size_t count, size_t *sent, int64_t stall_ms, struct deadline,
                struct fault *) MUST_CHECK;

/* Whether an idle connection has something to read: on a kept-alive one that is its end. Does not wait. */
bool conn_is_stale(struct conn *);

void conn_close(struct conn *);

#endif
