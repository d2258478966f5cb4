/* SPDX-License-Identifier: MIT */
/* Over plain TCP; what TLS adds is in net_tls and in the stories. */
#include "net/conn.h"

#include "peer.h"
#include "unit.h"

#include <errno.h>

enum { UPLOAD = 32 * 1024 * 1024 };

static const struct network network; /* no trust, no overrides, the files of this machine */
static struct conn conn;             /* too large for a stack */
static struct fault fault;
static unsigned char body[UPLOAD];

static bool
connect_to(const struct peer *peer)
{
	fault_clear(&fault);
	return conn_open(&conn, &network, "localhost", peer->port, false, NULL, deadline_in(5000), &fault);
}

static bool
write_all(int64_t stall_ms, struct deadline deadline, size_t *sent)
{
	return conn_write(&conn, body, sizeof body, sent, stall_ms, deadline, &fault);
}

static size_t swallowed;

static void
swallowing(int fd)
{
	static char room[65536];
	ssize_t got;
	swallowed = 0;
	while ((got = recv(fd, room, sizeof room, 0)) > 0)
		swallowed += (size_t)got;
	send(fd, "200", 3, MSG_NOSIGNAL);
}

static void
all_of_it(void)
{
	struct peer peer;
	char room[16];
	size_t sent, got;
	peer_open(&peer, swallowing);
	CHECK(connect_to(&peer));
	CHECK(conn_write(&conn, body, 0, &sent, 1000, deadline_in(5000), &fault) && sent == 0);
	CHECK(conn_write(&conn, body, 1, &sent, 1000, deadline_in(5000), &fault) && sent == 1);
	CHECK(write_all(5000, deadline_in(20000), &sent) && sent == sizeof body);
	shutdown(conn.fd, SHUT_WR);
	CHECK(conn_read(&conn, room, sizeof room, &got, deadline_in(5000), &fault) && got == 3);
	CHECK(conn_read(&conn, room, sizeof room, &got, deadline_in(5000), &fault) && got == 0);
	conn_close(&conn);
	conn_close(&conn);
	CHECK(conn.fd == -1);
	peer_close(&peer);
	CHECK(swallowed == 1 + sizeof body);
}

/* Refuses after the first bytes and goes on swallowing: writing alone would never notice. */
static void
refusing_politely(int fd)
{
	char byte;
	if (recv(fd, &byte, 1, 0) == 1)
		send(fd, "403", 3, MSG_NOSIGNAL);
	swallowing(fd);
}

/* Refuses and reads no more. */
static void
refusing(int fd)
{
	char byte;
	if (recv(fd, &byte, 1, 0) == 1)
		send(fd, "403", 3, MSG_NOSIGNAL);
	peer_sleep_ms(300);
}

/* Refuses and is gone. */
static void
refusing_for_good(int fd)
{
	char byte;
	if (recv(fd, &byte, 1, 0) == 1)
		send(fd, "403", 3, MSG_NOSIGNAL);
}

/* Just goes. */
static void
leaving(int fd)
{
	char room[4096];
	(void)!recv(fd, room, sizeof room, 0);
	shutdown(fd, SHUT_WR);
	peer_sleep_ms(100);
}

static void
early_answers(void)
{
	void (*const kinds[])(int) = {refusing_politely, refusing, refusing_for_good};
	for (size_t i = 0; i < 3; i++) {
		struct peer peer;
		char room[16] = "";
		size_t sent, got;
		peer_open(&peer, kinds[i]);
		CHECK(connect_to(&peer));
		CHECK(write_all(5000, deadline_in(5000), &sent));
		CHECK(sent < sizeof body && fault.kind == FAULT_NONE);
		CHECK(conn_read(&conn, room, sizeof room, &got, deadline_in(5000), &fault) && got == 3);
		CHECK(memcmp(room, "403", 3) == 0);
		conn_close(&conn);
		peer_close(&peer);
	}
}

static void
an_end_while_writing(void)
{
	struct peer peer;
	char room[16];
	size_t sent, got;
	peer_open(&peer, leaving);
	CHECK(connect_to(&peer));
	CHECK(write_all(5000, deadline_in(5000), &sent) && sent < sizeof body);
	CHECK(conn_read(&conn, room, sizeof room, &got, deadline_in(5000), &fault) && got == 0);
	conn_close(&conn);
	peer_close(&peer);
}

static void
resetting(int fd)
{
	char room[4096];
	(void)!recv(fd, room, sizeof room, 0);
	peer_reset(fd);
}

static void
a_reset_while_writing(void)
{
	struct peer peer;
	size_t sent, got;
	peer_open(&peer, resetting);
	CHECK(connect_to(&peer));
	/* told at once, or by the next read when it came while we waited for room */
	if (write_all(5000, deadline_in(5000), &sent))
		CHECK(sent < sizeof body && !conn_read(&conn, body, 1, &got, deadline_in(1000), &fault));
	CHECK(fault.kind == FAULT_NETWORK);
	CHECK(fault.detail == ECONNRESET || fault.detail == EPIPE);
	conn_close(&conn);
	peer_close(&peer);
}

/* A reset between two writes must not pass for an orderly end. */
static void
a_reset_before_writing(void)
{
	struct peer peer;
	size_t sent;
	peer_open(&peer, resetting);
	CHECK(connect_to(&peer));
	CHECK(conn_write(&conn, "x", 1, &sent, 1000, deadline_in(5000), &fault) && sent == 1);
	peer_close(&peer);
	CHECK(!conn_write(&conn, "x", 1, &sent, 1000, deadline_in(5000), &fault) && sent == 0);
	CHECK(fault.kind == FAULT_NETWORK && fault.detail == ECONNRESET);
	conn_close(&conn);
}

static void
dozing(int fd)
{
	(void)fd;
	peer_sleep_ms(500);
}

static void
a_stall(void)
{
	struct peer peer;
	size_t sent;
	int64_t start;
	peer_open(&peer, dozing);
	CHECK(connect_to(&peer));
	start = clock_ms();
	CHECK(!write_all(150, deadline_in(60000), &sent) && fault.kind == FAULT_TIMEOUT);
	CHECK(clock_ms() - start >= 150 && clock_ms() - start < 450);
	conn_close(&conn);
	peer_close(&peer);
}


/* Takes a little at a time: never a stall, never an end. */
static void
sipping(int fd)
{
	static char room[1 << 20];
	int small = 65536;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	while (recv(fd, room, sizeof room, 0) > 0)
		peer_sleep_ms(20);
}

static void
slow_but_steady(void)
{
	struct peer peer;
	size_t sent;
	int64_t start;
	peer_open(&peer, sipping);
	CHECK(connect_to(&peer));
	start = clock_ms();
	CHECK(!write_all(400, deadline_in(700), &sent) && fault.kind == FAULT_TIMEOUT && sent > 0);
	CHECK(clock_ms() - start >= 690 && clock_ms() - start < 1100);
	conn_close(&conn);
	peer_close(&peer);
}

/* A peer that is always ready does not outlive the deadline either. */
static void
a_deadline_that_has_passed(void)
{
	struct peer peer;
	size_t sent;
	peer_open(&peer, swallowing);
	CHECK(connect_to(&peer));
	CHECK(!conn_write(&conn, "x", 1, &sent, 1000, deadline_in(-1), &fault) && fault.kind == FAULT_TIMEOUT && sent == 0);
	conn_close(&conn);
	peer_close(&peer);
}

static void
talking(int fd)
{
	char byte;
	(void)!recv(fd, &byte, 1, 0);
	send(fd, "x", 1, MSG_NOSIGNAL);
	(void)!recv(fd, &byte, 1, 0);
}

static void
becomes_stale(int *tries)
{
	for (*tries = 0; *tries < 200 && !conn_is_stale(&conn); ++*tries)
		peer_sleep_ms(5);
}

static void
staleness(void)
{
	struct peer peer;
	char room[4];
	size_t sent, got;
	int tries;
	peer_open(&peer, talking);
	CHECK(connect_to(&peer));
	CHECK(!conn_is_stale(&conn));
	CHECK(conn_write(&conn, "?", 1, &sent, 1000, deadline_in(5000), &fault));
	becomes_stale(&tries);
	CHECK(conn_is_stale(&conn));
	CHECK(conn_read(&conn, room, 4, &got, deadline_in(5000), &fault) && got == 1);
	CHECK(!conn_is_stale(&conn));
	CHECK(conn_write(&conn, "?", 1, &sent, 1000, deadline_in(5000), &fault));
	peer_close(&peer);
	becomes_stale(&tries);
	CHECK(conn_is_stale(&conn));
	CHECK(conn_write(&conn, "?", 1, &sent, 1000, deadline_in(5000), &fault) && sent == 0);
	conn_close(&conn);
	CHECK(conn_is_stale(&conn));
}

static void
faults_name_the_host(void)
{
	char wanted[200];
	uint16_t port = 0;
	struct network odd = {.files = {"/nonexistent", "/nonexistent", 1}};
	close(peer_socket(SOCK_STREAM, "127.0.0.1", &port));
	fault_clear(&fault);
	CHECK(!conn_open(&conn, &network, "127.0.0.1", port, false, NULL, deadline_in(5000), &fault) && conn.fd == -1);
	snprintf(wanted, sizeof wanted, "connecting to 127.0.0.1:%u: connection refused (127.0.0.1:%u)", port, port);
	CHECK_TEXT(fault.text, wanted);
	CHECK(fault.kind == FAULT_NETWORK && fault.detail == ECONNREFUSED);
	fault_clear(&fault);
	CHECK(!conn_open(&conn, &network, "::1", port, false, NULL, deadline_in(5000), &fault));
	CHECK(strncmp(fault.text, "connecting to [::1]:", 20) == 0);
	fault_clear(&fault);
	CHECK(!conn_open(&conn, &odd, "kudu.example", port, false, NULL, deadline_in(5000), &fault));
	snprintf(wanted, sizeof wanted,
	         "connecting to kudu.example:%u: no DNS server at 127.0.0.1 (/nonexistent names none) answered for kudu.example",
	         port);
	CHECK_TEXT(fault.text, wanted);
	CHECK(fault.hint[0] != 0);
}

int
main(void)
{
	UNIT_RUN(all_of_it);
	UNIT_RUN(early_answers);
	UNIT_RUN(an_end_while_writing);
	UNIT_RUN(a_reset_while_writing);
	UNIT_RUN(a_reset_before_writing);
	UNIT_RUN(a_stall);
	UNIT_RUN(slow_but_steady);
	UNIT_RUN(a_deadline_that_has_passed);
	UNIT_RUN(staleness);
	UNIT_RUN(faults_name_the_host);
	return unit_end();
}
