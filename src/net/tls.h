/* SPDX-License-Identifier: MIT */
/* TLS 1.2 as a client, by BearSSL's engine. Certificate checks cannot be switched off. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/deadline.h"
#include "net/checker.h"

#include <bearssl_ssl.h>

#define TLS_AHEAD 5 /* the head of the next record, read together with the body of this one */

/* What resumption needs; copied between the connections of one host. */
struct tls_session {
	br_ssl_session_parameters parameters;
	char host[HOST_MAX + 1]; /* it is offered to no other */
	bool valid;
	bool resumed; /* the last tls_open with it went without certificates */
};

/* Answers a server's wish for a client certificate with "none", and remembers that it was wished for. */
struct tls_chooser {
	const br_ssl_client_certificate_class *vtable;
	bool asked;
};

/* About 60 KiB: never on a stack. */
struct tls {
	br_ssl_client_context client;
	struct checker checker;
	struct tls_chooser chooser;
	unsigned char in[BR_SSL_BUFSIZE_INPUT], out[BR_SSL_BUFSIZE_OUTPUT];
	unsigned char ahead[TLS_AHEAD]; /* received, not yet given to the engine */
	size_t ahead_count;
	int fd;
	int send_error; /* errno of a send that failed; what came before it can still be read */
	bool open;      /* the handshake is done */
	bool closed;    /* close_notify came */
};

/* Handshake on a connected non-blocking descriptor, which stays the caller's to close. `host` is the name the
 * certificate must have; a trailing dot is no part of it, an IP address is refused. `session`, if not NULL and valid, is
 * offered for resumption, and holds the new parameters afterwards. FAULT_TLS says in plain words what is wrong with
 * certificate or server (detail: BearSSL's code), FAULT_TIMEOUT, FAULT_NETWORK. */
bool tls_open(struct tls *, int fd, const char *host, const struct trust *, struct tls_session *session, struct deadline,
              struct fault *) MUST_CHECK;

/* 1 to size bytes; *got 0 after close_notify. A connection that ends without it is FAULT_NETWORK with detail
 * BR_ERR_IO: what came may be cut (RFC 5246 section 7.2.1). */
bool tls_read(struct tls *, void *room, size_t size, size_t *got, struct deadline, struct fault *) MUST_CHECK;

/* Sends all of it (flushed to the socket), or stops early with *sent < count and no fault when the peer has sent
 * application data or closed: read next, then close, because a record may be half sent. */
bool tls_write(struct tls *, const void *from, size_t count, size_t *sent, struct deadline, struct fault *) MUST_CHECK;

/* Whether something came that no read has given yet: application data, or the beginning of a record. Beside it the
 * descriptor may be readable. */
bool tls_has_data(const struct tls *);

/* Sends close_notify if that is possible without waiting. */
void tls_close(struct tls *);

#endif
