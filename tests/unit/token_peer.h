/* SPDX-License-Identifier: MIT */
/* A machine's identity endpoint for tests: plain HTTP on a loopback port, one connection after the other. Its tokens are
 * t1, t2 and so on. */
#ifndef TOKEN_PEER_H
#define TOKEN_PEER_H

#include "peer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct token_peer {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	/* under the lock */
	unsigned asked, lifetime_s;
	int status, delay_ms;    /* 0: 200, at once */
	bool same;               /* always t1 */
	const char *body;        /* instead of a token */
	char last[2048];         /* head of the last request */
	bool over;
};

static inline void
token_peer_serve(struct token_peer *peer, int fd)
{
	char head[2048], body[256], answer[1024];
	size_t used = 0;
	int delay_ms, status;
	while (used + 1 < sizeof head && recv(fd, head + used, 1, 0) == 1) {
		head[++used] = 0;
		if (used >= 4 && memcmp(head + used - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	pthread_mutex_lock(&peer->lock);
	memcpy(peer->last, head, sizeof head);
	peer->asked++;
	delay_ms = peer->delay_ms;
	status = peer->status != 0 ? peer->status : 200;
	if (peer->body != NULL)
		snprintf(body, sizeof body, "%s", peer->body);
	else
		snprintf(body, sizeof body, "{\"access_token\":\"t%u\",\"expires_in\":\"%u\"}", peer->same ? 1 : peer->asked, peer->lifetime_s);
	pthread_mutex_unlock(&peer->lock);
	if (delay_ms > 0)
		peer_sleep_ms(delay_ms);
	snprintf(answer, sizeof answer, "HTTP/1.1 %d Words\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
	         strlen(body), body);
	(void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}

static inline void *
token_peer_run(void *state)
{
	struct token_peer *peer = state;
	for (;;) {
		int fd = accept(peer->listener, NULL, NULL);
		bool over;
		pthread_mutex_lock(&peer->lock);
		over = peer->over;
		pthread_mutex_unlock(&peer->lock);
		if (fd >= 0 && !over)
			token_peer_serve(peer, fd);
		if (fd >= 0)
			close(fd);
		if (over)
			return NULL;
	}
}

/* Starts it, and names it as this machine's endpoint. */
static inline void
token_peer_open(struct token_peer *peer)
{
	char url[64];
	memset(peer, 0, sizeof *peer);
	peer->lifetime_s = 3600;
	peer->listener = peer_socket(SOCK_STREAM, "127.0.0.1", &peer->port);
	listen(peer->listener, 64);
	pthread_mutex_init(&peer->lock, NULL);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", peer->port);
	setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", url, 1);
	pthread_create(&peer->thread, NULL, token_peer_run, peer);
}

static inline void
token_peer_close(struct token_peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	peer->over = true;
	pthread_mutex_unlock(&peer->lock);
	close(peer_connect("127.0.0.1", peer->port));
	pthread_join(peer->thread, NULL);
	close(peer->listener);
}

static inline unsigned
token_peer_asked(struct token_peer *peer)
{
	unsigned asked;
	pthread_mutex_lock(&peer->lock);
	asked = peer->asked;
	pthread_mutex_unlock(&peer->lock);
	return asked;
}

#endif
