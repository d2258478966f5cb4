/* SPDX-License-Identifier: MIT */
/* A machine's identity endpoint for tests: plain HTTP on a loopback port, one connection after the other. Its tokens are
 * t1, t2 and so on. */
#ifndef TOKEN_PEER_H
#define TOKEN_PEER_H

#include "turn_peer.h"

#include <stdio.h>
#include <stdlib.h>

struct token_peer {
	struct turn_peer turns;
	/* under its lock */
	unsigned lifetime_s;
	int status, delay_ms;    /* 0: 200, at once */
	bool same;               /* always t1 */
	const char *body;        /* instead of a token */
	char last[2048];         /* head of the last request */
};

static inline void
token_peer_serve(struct turn_peer *turns, int fd)
{
	struct token_peer *peer = (struct token_peer *)turns;
	char head[2048], body[256], answer[1024];
	int delay_ms, status;
	(void)!turn_peer_read_head(fd, head, sizeof head);
	pthread_mutex_lock(&peer->turns.lock);
	memcpy(peer->last, head, sizeof head);
	peer->turns.asked++;
	delay_ms = peer->delay_ms;
	status = peer->status != 0 ? peer->status : 200;
	if (peer->body != NULL)
		snprintf(body, sizeof body, "%s", peer->body);
	else
		snprintf(body, sizeof body, "{\"access_token\":\"t%u\",\"expires_in\":\"%u\"}", peer->same ? 1 : peer->turns.asked, peer->lifetime_s);
	pthread_mutex_unlock(&peer->turns.lock);
	if (delay_ms > 0)
		peer_sleep_ms(delay_ms);
	snprintf(answer, sizeof answer, "HTTP/1.1 %d Words\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
	         strlen(body), body);
	(void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}

/* Starts it, and names it as this machine's endpoint. */
static inline void
token_peer_open(struct token_peer *peer)
{
	char url[64];
	memset(peer, 0, sizeof *peer);
	peer->lifetime_s = 3600;
	turn_peer_open(&peer->turns, token_peer_serve);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", peer->turns.port);
	setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", url, 1);
}

#endif
