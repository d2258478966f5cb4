/* SPDX-License-Identifier: MIT */
/* The edges of tls_open over a pair of sockets whose other end holds ready-made bytes. Everything that needs a real
 * server is in tests/story/tls_matrix. */
#include "net/tls.h"

#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct memory memory;
static struct trust trust;
static struct tls tls;

/* tls_open against a peer that says `words` and, if asked, closes. */
static struct fault
meet(const char *host, const void *words, size_t count, bool ends, int64_t limit_ms)
{
	struct fault fault = {0};
	int ends_of[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_of) == 0);
	CHECK(fcntl(ends_of[0], F_SETFL, O_NONBLOCK) == 0);
	CHECK(count == 0 || write(ends_of[1], words, count) == (ssize_t)count);
	if (ends)
		shutdown(ends_of[1], SHUT_WR);
	CHECK(!tls_open(&tls, ends_of[0], host, &trust, NULL, deadline_in(limit_ms), &fault));
	close(ends_of[0]);
	close(ends_of[1]);
	return fault;
}

static void
check_host(const char *host, const char *words)
{
	struct fault fault = meet(host, "", 0, true, 1000);
	CHECK(fault.kind == FAULT_TLS);
	CHECK_TEXT(fault.text, words);
}

static void
refuses_hosts(void)
{
	char long_name[HOST_MAX + 2];
	memset(long_name, 'a', sizeof long_name);
	long_name[HOST_MAX + 1] = 0;
	check_host("", "a host name of 0 bytes cannot be used for TLS");
	check_host(".", "a host name of 0 bytes cannot be used for TLS");
	check_host(long_name, "a host name of 254 bytes cannot be used for TLS");
	check_host("10.0.0.4", "10.0.0.4 is an address, and certificates are checked against names");
	check_host("fd00::1", "fd00::1 is an address, and certificates are checked against names");
	long_name[HOST_MAX] = 0;
	CHECK(meet(long_name, "", 0, true, 1000).kind == FAULT_NETWORK);
	long_name[HOST_MAX] = '.';
	CHECK(meet(long_name, "", 0, true, 1000).kind == FAULT_NETWORK);
}

static void
tells_strangers(void)
{
	struct fault fault = meet("x.test", "HTTP/1.0 400 Bad\r\n\r\n", 20, false, 5000);
	CHECK(fault.kind == FAULT_TLS && fault.detail == BR_ERR_UNSUPPORTED_VERSION);
	CHECK_TEXT(fault.text, "x.test answers in plain HTTP on this port, not in TLS");
	CHECK(fault.hint[0] != 0);
	fault = meet("x.test", "220 mail", 8, false, 5000);
	CHECK_TEXT(fault.text, "x.test does not speak TLS on this port");
	fault = meet("x.test", "\x15\x03\x01\x00\x02\x02\x46", 7, true, 5000);
	CHECK_TEXT(fault.text, "x.test does not accept TLS 1.2: it wants TLS 1.3, which kudump cannot speak");
	CHECK(fault.detail == BR_ERR_RECV_FATAL_ALERT + 70);
}

static void
tells_ends(void)
{
	struct fault fault = meet("x.test", "", 0, true, 5000);
	CHECK(fault.kind == FAULT_NETWORK && fault.detail == BR_ERR_IO);
	fault = meet("x.test", "\x16\x03\x03", 3, true, 5000);
	CHECK(fault.kind == FAULT_NETWORK && fault.detail == BR_ERR_IO);
	fault = meet("x.test", "\x16\x03\x03", 3, false, 30);
	CHECK(fault.kind == FAULT_TIMEOUT);
}

/* Any noise ends in a fault, soon. */
static void
bears_noise(void)
{
	unsigned char noise[300];
	unsigned state = 12345;
	for (int round = 0; round < 300; round++) {
		struct fault fault;
		for (size_t i = 0; i < sizeof noise; i++) {
			state = state * 1103515245u + 12345u;
			noise[i] = (unsigned char)(state >> 16);
		}
		if (round % 3 != 0)
			memcpy(noise, "\x16\x03\x03\x00\x80\x02\x00\x00\x7c\x03\x03", 11);
		fault = meet("x.test", noise, sizeof noise, true, 5000);
		CHECK(fault.kind == FAULT_TLS || fault.kind == FAULT_NETWORK);
		CHECK(fault.text[0] != 0);
	}
}

int
main(void)
{
	struct fault fault = {0};
	if (!memory_open(&memory, trust_need(), &fault))
		return 1;
	trust_open(&trust, &memory);
	UNIT_RUN(refuses_hosts);
	UNIT_RUN(tells_strangers);
	UNIT_RUN(tells_ends);
	UNIT_RUN(bears_noise);
	return unit_end();
}
