/* SPDX-License-Identifier: MIT */
/* The TLS client of the program by itself, for tests/story/tls_matrix and for measuring:
 *   tlsclient --ca FILE HOST PORT [get PATH | put BYTES | twice | wait MS]
 * connects to 127.0.0.1:PORT as HOST. Prints "ok …" and ends with 0, or "KIND DETAIL: TEXT" and "hint: …" and ends with 1. */
#include "base/deadline.h"
#include "base/log.h"
#include "net/address.h"
#include "net/tcp.h"
#include "net/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE (256u * KIB)

static struct tls tls;
static struct trust trust;
static unsigned char piece[PIECE];

/* As OpenSSL names it. */
static const char *
suite_name(void)
{
	switch (tls.client.eng.session.cipher_suite) {
	case BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: return "ECDHE-ECDSA-AES128-GCM-SHA256";
	case BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: return "ECDHE-RSA-AES128-GCM-SHA256";
	case BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: return "ECDHE-ECDSA-AES256-GCM-SHA384";
	case BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: return "ECDHE-RSA-AES256-GCM-SHA384";
	case BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: return "ECDHE-ECDSA-CHACHA20-POLY1305";
	case BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: return "ECDHE-RSA-CHACHA20-POLY1305";
	default: return "no suite";
	}
}

static int
tell(const struct fault *fault)
{
	printf("%s %d: %s\n", fault_kind_name(fault->kind), fault->detail, fault->text);
	if (fault->hint[0] != 0)
		printf("hint: %s\n", fault->hint);
	return 1;
}

static bool
join(const char *host, uint16_t port, struct tls_session *session, int64_t limit_ms, int *fd, struct fault *fault)
{
	struct deadline deadline = deadline_in(limit_ms);
	struct addresses addresses = {.count = 1};
	if (!address_read(span_of("127.0.0.1"), port, &addresses.list[0]))
		return false;
	return tcp_connect(&addresses, deadline, fd, fault) && tls_open(&tls, *fd, host, &trust, session, deadline, fault);
}

static bool
send_all(const void *from, size_t count, size_t *sent, struct fault *fault)
{
	return tls_write(&tls, from, count, sent, deadline_in(20000), fault);
}

/* Reads to the end; *total counts. */
static bool
drain(uint64_t *total, struct fault *fault)
{
	size_t got;
	*total = 0;
	do {
		if (!tls_read(&tls, piece, sizeof piece, &got, deadline_in(20000), fault))
			return false;
		if (*total == 0 && got > 0 && memcmp(piece, "HTTP/", got < 5 ? got : 5) == 0)
			printf("%.*s\n", (int)strcspn((const char *)piece, "\r"), (const char *)piece);
		*total += got;
	} while (got > 0);
	return true;
}

static bool
get(const char *host, const char *path, struct fault *fault)
{
	char head[1024];
	struct text text = text_in(head, sizeof head);
	uint64_t total;
	size_t sent;
	bool good;
	text_printf(&text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
	if (!send_all(head, text.used, &sent, fault))
		return false;
	good = drain(&total, fault);
	printf("received %llu bytes\n", (unsigned long long)total);
	return good;
}

static bool
put(const char *host, uint64_t bytes, struct fault *fault)
{
	char head[512];
	struct text text = text_in(head, sizeof head);
	uint64_t total = 0, answer;
	size_t sent;
	text_printf(&text, "PUT /up HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %llu\r\n\r\n", host,
	            (unsigned long long)bytes);
	if (!send_all(head, text.used, &sent, fault))
		return false;
	while (total < bytes) {
		size_t part = bytes - total < sizeof piece ? (size_t)(bytes - total) : sizeof piece;
		if (!send_all(piece, part, &sent, fault))
			return false;
		total += sent;
		if (sent < part)
			break;
	}
	printf("sent %s\n", total == bytes ? "all" : "a part");
	return drain(&answer, fault);
}

static bool
twice(const char *host, uint16_t port, int fd, struct tls_session *session, struct fault *fault)
{
	tls_close(&tls);
	tcp_close(fd);
	if (!join(host, port, session, 5000, &fd, fault))
		return false;
	printf("%s\n", session->resumed ? "resumed" : "not resumed");
	return true;
}

int
main(int count, char **words)
{
	static struct tls_session session;
	struct memory memory;
	struct fault fault = {0};
	const char *what = count > 5 ? words[5] : "";
	int64_t limit_ms = strcmp(what, "wait") == 0 && count > 6 ? strtoll(words[6], NULL, 10) : 5000, begun;
	uint16_t port;
	int fd = -1;
	bool good = true;
	if (count < 5 || strcmp(words[1], "--ca") != 0)
		return 2;
	port = (uint16_t)strtoul(words[4], NULL, 10);
	log_open(LOG_NORMAL);
	if (!memory_open(&memory, trust_need(), &fault))
		return tell(&fault);
	trust_open(&trust, &memory);
	if (!trust_load(&trust, words[2][0] != 0 ? words[2] : NULL, &fault))
		return tell(&fault);
	begun = clock_ms();
	if (!join(words[3], port, &session, limit_ms, &fd, &fault))
		return tell(&fault);
	printf("ok %s in %lld ms\n", suite_name(), (long long)(clock_ms() - begun));
	if (strcmp(what, "get") == 0)
		good = get(words[3], words[6], &fault);
	else if (strcmp(what, "put") == 0)
		good = put(words[3], strtoull(words[6], NULL, 10), &fault);
	else if (strcmp(what, "twice") == 0)
		good = twice(words[3], port, fd, &session, &fault);
	if (!good)
		return tell(&fault);
	tls_close(&tls);
	tcp_close(fd);
	return 0;
}
