/* SPDX-License-Identifier: MIT */
#include "net/conn.h"

#include "net/tcp.h"

#include <string.h>

/* How much is sent between two looks at what the peer says: a refusal after the head of an upload must stop it. A piece
 * is what counts as progress; over TLS it is one record. */
enum { LOOK_BYTES = 64 * 1024, PLAIN_PIECE = LOOK_BYTES, SECURE_PIECE = 16 * 1024 };

static bool
join(struct conn *conn, const struct network *network, const char *host, uint16_t port, bool secure,
     struct tls_session *session, struct deadline deadline, struct fault *fault)
{
	struct addresses addresses;
	if (!name_resolve(host, port, network->overrides, network->override_count, network->files, deadline, &addresses,
	                  fault))
		return false;
	if (!tcp_connect(&addresses, deadline, &conn->fd, fault))
		return false;
	return !secure || conn_secure(conn, network, host, session, deadline, fault);
}

bool
conn_open(struct conn *conn, const struct network *network, const char *host, uint16_t port, bool secure,
          struct tls_session *session, struct deadline deadline, struct fault *fault)
{
	const bool colons = host[0] != '[' && strchr(host, ':') != NULL;
	conn->fd = -1;
	conn->secure = false;
	if (join(conn, network, host, port, secure, session, deadline, fault))
		return true;
	return fault_while(fault, colons ? "connecting to [%s]:%u" : "connecting to %s:%u", host, (unsigned)port);
}

bool
conn_secure(struct conn *conn, const struct network *network, const char *host, struct tls_session *session,
            struct deadline deadline, struct fault *fault)
{
	conn->secure = tls_open(&conn->tls, conn->fd, host, network->trust, session, deadline, fault);
	if (conn->secure)
		return true;
	tcp_close(conn->fd);
	conn->fd = -1;
	return false;
}

bool
conn_read(struct conn *conn, void *room, size_t size, size_t *got, struct deadline deadline, struct fault *fault)
{
	if (conn->secure)
		return tls_read(&conn->tls, room, size, got, deadline, fault);
	return tcp_read(conn->fd, room, size, got, deadline, fault);
}

/* Whether the peer has said something, or ended, while we are sending. Over TLS too nothing else can come then but an
 * answer or an alert. */
static bool
listen_in(const struct conn *conn, bool *spoken, struct fault *fault)
{
	int error;
	enum tcp_pending pending = tcp_peek(conn->fd, &error);
	*spoken = pending == TCP_BYTES || pending == TCP_END;
	/* asked once, the socket forgets the error and would tell of an orderly end */
	return pending != TCP_ERROR || fault_errno(fault, FAULT_NETWORK, error, "writing to the network");
}

/* Some of a piece, or none of it when the peer has something to say. */
static bool
write_piece(struct conn *conn, const unsigned char *from, size_t count, size_t *sent, bool *spoken,
            struct deadline deadline, struct fault *fault)
{
	if (!conn->secure)
		return tcp_write(conn->fd, from, count, sent, spoken, deadline, fault);
	if (!tls_write(&conn->tls, from, count, sent, deadline, fault))
		return false;
	*spoken = *sent < count;
	return true;
}

bool
conn_write(struct conn *conn, const void *from, size_t count, size_t *sent, int64_t stall_ms, struct deadline deadline,
           struct fault *fault)
{
	const size_t most = conn->secure ? SECURE_PIECE : PLAIN_PIECE;
	const unsigned char *bytes = from;
	size_t look = 0;
	bool spoken = false;
	*sent = 0;
	while (*sent < count && !spoken) {
		struct deadline turn = deadline_sooner(deadline, deadline_in(stall_ms));
		size_t done, left = count - *sent;
		if (*sent >= look) {
			if (!listen_in(conn, &spoken, fault) || spoken)
				return spoken;
			look = *sent + LOOK_BYTES;
		}
		/* where there is always room to write, no wait would see it pass */
		if (deadline_passed(deadline))
			return fault_raise(fault, FAULT_TIMEOUT, "sending took too long");
		if (!write_piece(conn, bytes + *sent, left < most ? left : most, &done, &spoken, turn, fault))
			return false;
		*sent += done;
	}
	return true;
}

bool
conn_is_stale(struct conn *conn)
{
	int ignored;
	/* nothing may come while nothing is asked: it is the end, an alert, or bytes that would pass for the next answer */
	return conn->fd < 0 || (conn->secure && tls_has_data(&conn->tls)) || tcp_peek(conn->fd, &ignored) != TCP_QUIET;
}

void
conn_close(struct conn *conn)
{
	if (conn->fd >= 0 && conn->secure)
		tls_close(&conn->tls);
	tcp_close(conn->fd);
	conn->fd = -1;
}
