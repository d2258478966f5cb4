/* SPDX-License-Identifier: MIT */
/* A site for tests that says what it is told to: plain HTTP on a loopback port, one connection after the other. The n-th
 * request gets the n-th answer, those behind the last one get the last one again. */
#ifndef SITE_PEER_H
#define SITE_PEER_H

#include "peer.h"

#include <stdbool.h>
#include <stdio.h>

#define SITE_PEER_HEADS 8

struct site_answer {
	const char *words; /* head and body */
	size_t cut;        /* so many bytes of the body are sent, then the connection is reset; 0: all */
};

struct site_peer {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	/* under the lock */
	struct site_answer answers[4];
	size_t count;
	unsigned asked;
	char heads[SITE_PEER_HEADS][1024]; /* of the first requests */
	bool over;
};

static inline bool
site_peer_read_head(struct site_peer *peer, int fd, struct site_answer *answer)
{
	char head[1024];
	size_t used = 0;
	while (used + 1 < sizeof head && recv(fd, head + used, 1, 0) == 1) {
		head[++used] = 0;
		if (used >= 4 && memcmp(head + used - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	if (used < 4 || memcmp(head + used - 4, "\r\n\r\n", 4) != 0)
		return false;
	pthread_mutex_lock(&peer->lock);
	if (peer->asked < SITE_PEER_HEADS)
		memcpy(peer->heads[peer->asked], head, sizeof head);
	*answer = peer->answers[peer->asked < peer->count ? peer->asked : peer->count - 1];
	peer->asked++;
	pthread_mutex_unlock(&peer->lock);
	return true;
}

static inline void
site_peer_serve(struct site_peer *peer, int fd)
{
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

static inline void *
site_peer_run(void *state)
{
	struct site_peer *peer = state;
	for (;;) {
		int fd = accept(peer->listener, NULL, NULL);
		bool over;
		pthread_mutex_lock(&peer->lock);
		over = peer->over;
		pthread_mutex_unlock(&peer->lock);
		if (fd >= 0 && !over)
			site_peer_serve(peer, fd);
		if (fd >= 0)
			close(fd);
		if (over)
			return NULL;
	}
}

static inline void
site_peer_open(struct site_peer *peer)
{
	memset(peer, 0, sizeof *peer);
	peer->listener = peer_socket(SOCK_STREAM, "127.0.0.1", &peer->port);
	listen(peer->listener, 64);
	pthread_mutex_init(&peer->lock, NULL);
	pthread_create(&peer->thread, NULL, site_peer_run, peer);
}

/* What is answered from now on; requests are counted anew. */
static inline void
site_peer_say(struct site_peer *peer, const struct site_answer *answers, size_t count)
{
	pthread_mutex_lock(&peer->lock);
	memcpy(peer->answers, answers, count * sizeof *answers);
	peer->count = count;
	peer->asked = 0;
	memset(peer->heads, 0, sizeof peer->heads);
	pthread_mutex_unlock(&peer->lock);
}

static inline unsigned
site_peer_asked(struct site_peer *peer)
{
	unsigned asked;
	pthread_mutex_lock(&peer->lock);
	asked = peer->asked;
	pthread_mutex_unlock(&peer->lock);
	return asked;
}

/* After the client has closed its connection. */
static inline void
site_peer_close(struct site_peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	peer->over = true;
	pthread_mutex_unlock(&peer->lock);
	close(peer_connect("127.0.0.1", peer->port));
	pthread_join(peer->thread, NULL);
	close(peer->listener);
}

#endif
