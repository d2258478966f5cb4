/* SPDX-License-Identifier: MIT */
/* A site for tests that says what it is told to: plain HTTP on a loopback port, one connection after the other. The n-th
 * request gets the n-th answer, those behind the last one get the last one again. */
#ifndef SITE_PEER_H
#define SITE_PEER_H

#include "turn_peer.h"

#include <stdio.h>

#define SITE_PEER_HEADS 8

struct site_answer {
	const char *words; /* head and body */
	size_t cut;        /* so many bytes of the body are sent, then the connection is reset; 0: all */
};

struct site_peer {
	struct turn_peer turns;
	/* under its lock */
	struct site_answer answers[4];
	size_t count;
	char heads[SITE_PEER_HEADS][1024]; /* of the first requests */
};

static inline bool
site_peer_read_head(struct site_peer *peer, int fd, struct site_answer *answer)
{
	char head[1024];
	if (!turn_peer_read_head(fd, head, sizeof head))
		return false;
	pthread_mutex_lock(&peer->turns.lock);
	if (peer->turns.asked < SITE_PEER_HEADS)
		memcpy(peer->heads[peer->turns.asked], head, sizeof head);
	*answer = peer->answers[peer->turns.asked < peer->count ? peer->turns.asked : peer->count - 1];
	peer->turns.asked++;
	pthread_mutex_unlock(&peer->turns.lock);
	return true;
}

static inline void
site_peer_serve(struct turn_peer *turns, int fd)
{
	struct site_peer *peer = (struct site_peer *)turns;
	struct site_answer answer;
	while (site_peer_read_head(peer, fd, &answer)) {
		size_t head = (size_t)(strstr(answer.words, "\r\n\r\n") - answer.words) + 4;
		(void)!send(fd, answer.words, answer.cut > 0 ? head + answer.cut : strlen(answer.words), MSG_NOSIGNAL);
		if (answer.cut > 0) {
			peer_sleep_ms(20); /* a reset may overtake what was sent */
			return;
		}
	}
}

static inline void
site_peer_open(struct site_peer *peer)
{
	memset(peer, 0, sizeof *peer);
	turn_peer_open(&peer->turns, site_peer_serve);
}

/* What is answered from now on; requests are counted anew. */
static inline void
site_peer_say(struct site_peer *peer, const struct site_answer *answers, size_t count)
{
	pthread_mutex_lock(&peer->turns.lock);
	memcpy(peer->answers, answers, count * sizeof *answers);
	peer->count = count;
	peer->turns.asked = 0;
	memset(peer->heads, 0, sizeof peer->heads);
	pthread_mutex_unlock(&peer->turns.lock);
}

#endif
