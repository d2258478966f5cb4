/* SPDX-License-Identifier: MIT */
#include "net/tcp.h"

#include "peer.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>

static struct fault fault;
static struct addresses list;

static void
add(const char *literal, uint16_t port)
{
	struct address address;
	CHECK(address_read(span_of(literal), port, &address));
	addresses_add(&list, &address);
}

static void
begin(void)
{
	fault_clear(&fault);
	list.count = 0;
}

/* A port where nobody listens. */
static uint16_t
closed_port(void)
{
	uint16_t port = 0;
	close(peer_socket(SOCK_STREAM, "127.0.0.1", &port));
	return port;
}

/* A listener that answers no more connections: its queue is full. The kernel drops what comes then. */
struct hole {
	int listener, fds[8];
	uint16_t port;
};

static void
hole_open(struct hole *hole)
{
	hole->port = 0;
	hole->listener = peer_socket(SOCK_STREAM, "127.0.0.1", &hole->port);
	listen(hole->listener, 0);
	for (size_t i = 0; i < 8; i++) {
		struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(hole->port)};
		inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
		hole->fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		fcntl(hole->fds[i], F_SETFL, O_NONBLOCK);
		(void)connect(hole->fds[i], (struct sockaddr *)&at, sizeof at);
	}
	peer_sleep_ms(20);
}

static void
hole_close(struct hole *hole)
{
	for (size_t i = 0; i < 8; i++)
		close(hole->fds[i]);
	close(hole->listener);
}

static void
echo(int fd)
{
	char room[1000];
	ssize_t got;
	while ((got = recv(fd, room, sizeof room, 0)) > 0)
		if (send(fd, room, (size_t)got, MSG_NOSIGNAL) != got)
			return;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof value;
	getsockopt(fd, level, name, &value, &size);
	return value;
}

static void
a_conversation(void)
{
	struct peer peer;
	char room[16];
	size_t got, sent;
	int fd;
	begin();
	peer_open(&peer, echo);
	add("127.0.0.1", peer.port);
	CHECK(tcp_connect(&list, deadline_in(5000), &fd, &fault));
	CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1 && option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK(tcp_write(fd, "hello", 5, &sent, NULL, deadline_in(5000), &fault) && sent == 5);
	CHECK(tcp_read(fd, room, 3, &got, deadline_in(5000), &fault) && got == 3 && memcmp(room, "hel", 3) == 0);
	CHECK(tcp_read(fd, room, 16, &got, deadline_in(-1), &fault) && got == 2); /* it is there already */
	CHECK(!tcp_read(fd, room, 16, &got, deadline_in(30), &fault) && fault.kind == FAULT_TIMEOUT && got == 0);
	fault_clear(&fault);
	shutdown(fd, SHUT_WR);
	CHECK(tcp_read(fd, room, 16, &got, deadline_in(5000), &fault) && got == 0);
	tcp_close(fd);
	tcp_close(-1);
	peer_close(&peer);
	CHECK(fault.kind == FAULT_NONE);
}

static void
refused(void)
{
	char wanted[80];
	uint16_t port = closed_port();
	int fd = 7;
	begin();
	add("127.0.0.1", port);
	CHECK(!tcp_connect(&list, deadline_in(5000), &fd, &fault) && fd == -1);
	CHECK(fault.kind == FAULT_NETWORK && fault.detail == ECONNREFUSED);
	snprintf(wanted, sizeof wanted, "connection refused (127.0.0.1:%u)", (unsigned)port);
	CHECK_TEXT(fault.text, wanted);
	begin();
	add("::1", port);
	CHECK(!tcp_connect(&list, deadline_in(5000), &fd, &fault) && fault.kind == FAULT_NETWORK);
	CHECK(strstr(fault.text, "([::1]:") != NULL);
}

static void
next_address(void)
{
	struct peer peer;
	int64_t start = clock_ms();
	int fd;
	begin();
	peer_open(&peer, echo);
	for (unsigned i = 0; i < ADDRESSES_MAX - 1; i++)
		add(i % 2 == 0 ? "::1" : "127.0.0.1", closed_port());
	add("127.0.0.1", peer.port);
	CHECK(tcp_connect(&list, deadline_in(5000), &fd, &fault));
	CHECK(clock_ms() - start < 1000);
	tcp_close(fd);
	peer_close(&peer);
}

/* An address of a kind this machine cannot reach does not hide why the other one failed. */
static void
telling_error(void)
{
	for (int order = 0; order < 2; order++) {
		int fd;
		begin();
		if (order == 0)
			add("255.255.255.255", 9);
		add("127.0.0.1", closed_port());
		if (order == 1)
			add("255.255.255.255", 9);
		CHECK(!tcp_connect(&list, deadline_in(5000), &fd, &fault));
		CHECK(fault.detail == ECONNREFUSED && strstr(fault.text, "(127.0.0.1:") != NULL);
	}
}

static void
silent_address(void)
{
	struct hole hole;
	struct peer peer;
	int64_t start, ms;
	int fd;
	char wanted[80];
	begin();
	hole_open(&hole);
	add("127.0.0.1", hole.port);
	start = clock_ms();
	CHECK(!tcp_connect(&list, deadline_in(300), &fd, &fault) && fault.kind == FAULT_TIMEOUT);
	ms = clock_ms() - start;
	CHECK(ms >= 300 && ms < 1500);
	snprintf(wanted, sizeof wanted, "no answer in time (127.0.0.1:%u)", (unsigned)hole.port);
	CHECK_TEXT(fault.text, wanted);
	/* with a second address: that one, after a quarter of a second */
	peer_open(&peer, echo);
	fault_clear(&fault);
	add("127.0.0.1", peer.port);
	start = clock_ms();
	CHECK(tcp_connect(&list, deadline_in(5000), &fd, &fault));
	ms = clock_ms() - start;
	CHECK(ms >= 240 && ms < 1500);
	tcp_close(fd);
	peer_close(&peer);
	/* and a refusal of the second leaves the first its time */
	list.count = 1;
	add("127.0.0.1", closed_port());
	CHECK(!tcp_connect(&list, deadline_in(600), &fd, &fault) && fault.kind == FAULT_TIMEOUT);
	hole_close(&hole);
}

static void
resetting(int fd)
{
	char byte;
	if (recv(fd, &byte, 1, 0) == 1)
		peer_reset(fd);
}

static void
a_reset(void)
{
	struct peer peer;
	char room[16];
	size_t got, sent;
	int fd;
	begin();
	peer_open(&peer, resetting);
	add("127.0.0.1", peer.port);
	CHECK(tcp_connect(&list, deadline_in(5000), &fd, &fault));
	CHECK(tcp_write(fd, "xx", 2, &sent, NULL, deadline_in(5000), &fault));
	CHECK(!tcp_read(fd, room, sizeof room, &got, deadline_in(5000), &fault));
	CHECK(fault.kind == FAULT_NETWORK && fault.detail == ECONNRESET);
	tcp_close(fd);
	peer_close(&peer);
}

static char zeros[1 << 20];

/* Says something after a while, and reads nothing. */
static void
speaking(int fd)
{
	char byte;
	peer_sleep_ms(50);
	send(fd, "no", 2, MSG_NOSIGNAL);
	peer_sleep_ms(50);
	(void)!recv(fd, &byte, 1, 0);
}

static void
writing_to_a_speaker(void)
{
	struct peer peer;
	size_t sent, all = 0;
	bool readable = false;
	int fd;
	begin();
	peer_open(&peer, speaking);
	add("127.0.0.1", peer.port);
	CHECK(tcp_connect(&list, deadline_in(5000), &fd, &fault));
	while (!readable && all < 64 * sizeof zeros) {
		CHECK(tcp_write(fd, zeros, sizeof zeros, &sent, &readable, deadline_in(5000), &fault));
		all += sent;
		if (fault.kind != FAULT_NONE)
			break;
	}
	CHECK(readable && sent == 0 && fault.kind == FAULT_NONE);
	tcp_close(fd);
	peer_close(&peer);
}

static void
dozing(int fd)
{
	(void)fd;
	peer_sleep_ms(400);
}

static void
writing_to_nobody(void)
{
	struct peer peer;
	size_t sent;
	int fd;
	begin();
	peer_open(&peer, dozing);
	add("127.0.0.1", peer.port);
	CHECK(tcp_connect(&list, deadline_in(5000), &fd, &fault));
	struct deadline deadline = deadline_in(150);
	while (tcp_write(fd, zeros, sizeof zeros, &sent, NULL, deadline, &fault))
		;
	CHECK(fault.kind == FAULT_TIMEOUT && sent == 0);
	peer_close(&peer);
	/* it went with our bytes unread: a reset, and then a broken pipe */
	fault_clear(&fault);
	CHECK(!tcp_write(fd, zeros, 1, &sent, NULL, deadline_in(1000), &fault) && fault.kind == FAULT_NETWORK);
	tcp_close(fd);
}

/* Answers early, then goes; the client's next writes fail, but the answer is there. */
static void
answering_early(int fd)
{
	char byte;
	if (recv(fd, &byte, 1, 0) == 1)
		send(fd, "403", 3, MSG_NOSIGNAL);
	shutdown(fd, SHUT_RDWR);
}

static void
an_early_answer_survives(void)
{
	struct peer peer;
	char room[16];
	size_t sent, got;
	bool readable = false;
	int fd;
	begin();
	peer_open(&peer, answering_early);
	add("127.0.0.1", peer.port);
	CHECK(tcp_connect(&list, deadline_in(5000), &fd, &fault));
	CHECK(tcp_write(fd, "x", 1, &sent, &readable, deadline_in(5000), &fault) && sent == 1 && !readable);
	peer_close(&peer);
	for (int i = 0; i < 100 && !readable && fault.kind == FAULT_NONE; i++)
		CHECK(tcp_write(fd, zeros, sizeof zeros, &sent, &readable, deadline_in(5000), &fault));
	CHECK(readable);
	CHECK(tcp_read(fd, room, sizeof room, &got, deadline_in(5000), &fault) && got == 3 && memcmp(room, "403", 3) == 0);
	tcp_close(fd);
}

static void
peeking(void)
{
	struct peer peer;
	int fd, error;
	size_t sent, got;
	char room[4];
	begin();
	peer_open(&peer, echo);
	add("127.0.0.1", peer.port);
	CHECK(tcp_connect(&list, deadline_in(5000), &fd, &fault));
	CHECK(tcp_peek(fd, &error) == TCP_QUIET);
	CHECK(tcp_write(fd, "ab", 2, &sent, NULL, deadline_in(5000), &fault));
	for (int i = 0; i < 100 && tcp_peek(fd, &error) == TCP_QUIET; i++)
		peer_sleep_ms(10);
	CHECK(tcp_peek(fd, &error) == TCP_BYTES && tcp_peek(fd, &error) == TCP_BYTES);
	CHECK(tcp_read(fd, room, 4, &got, deadline_in(5000), &fault) && got == 2);
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 100 && tcp_peek(fd, &error) == TCP_QUIET; i++)
		peer_sleep_ms(10);
	CHECK(tcp_peek(fd, &error) == TCP_END);
	tcp_close(fd);
	peer_close(&peer);
}

static bool
within(const char *one, const char *network, unsigned bits)
{
	struct address address, other;
	CHECK(address_read(span_of(one), 0, &address) && address_read(span_of(network), 0, &other));
	return address_is_within(&address, &other, bits);
}

static void
ranges(void)
{
	CHECK(within("10.1.2.3", "10.1.2.3", 32) && !within("10.1.2.3", "10.1.2.2", 32) && within("10.1.2.3", "10.1.2.2", 31));
	CHECK(!within("10.1.2.3", "10.1.2.3", 33) && within("10.1.2.3", "99.9.9.9", 0) && !within("10.1.2.3", "::", 0));
	CHECK(within("127.0.0.1", "0.0.0.0", 1) && !within("128.0.0.1", "0.0.0.0", 1) && within("172.31.0.1", "172.16.0.0", 12));
	CHECK(!within("172.32.0.1", "172.16.0.0", 12) && within("fe80::1", "fe80::", 10) && !within("fec0::1", "fe80::", 10));
	CHECK(within("fd00::1", "fd00::1", 128) && !within("fd00::1", "fd00::", 128) && within("fd00::1", "fd00::", 127));
	CHECK(!within("fd00::1", "fd00::1", 129) && within("::ffff:10.0.0.1", "10.0.0.0", 8) && !within("::fffe:10.0.0.1", "10.0.0.0", 8));
}

int
main(void)
{
	UNIT_RUN(ranges);
	UNIT_RUN(a_conversation);
	UNIT_RUN(refused);
	UNIT_RUN(next_address);
	UNIT_RUN(telling_error);
	UNIT_RUN(silent_address);
	UNIT_RUN(a_reset);
	UNIT_RUN(writing_to_a_speaker);
	UNIT_RUN(writing_to_nobody);
	UNIT_RUN(an_early_answer_survives);
	UNIT_RUN(peeking);
	return unit_end();
}
