/* SPDX-License-Identifier: MIT */
/* What the HTTP peers of tests share: a plain loopback port that serves one connection after the other on a thread of its
 * own. A peer has it as its first member. */
#ifndef TURN_PEER_H
#define TURN_PEER_H

#include "peer.h"

#include <stdbool.h>

struct turn_peer {
	int listener;
	uint16_t port;
	pthread_t thread;
	void (*serve)(struct turn_peer *, int fd);
	pthread_mutex_t lock;
	/* under the lock */
	unsigned asked; /* requests so far; whoever serves counts */
	bool over;
};

/* The head of a request as a string; false when the connection ended before its empty line. */
static inline bool
turn_peer_read_head(int fd, char *head, size_t size)
{
	size_t used = 0;
	head[0] = 0;
	while (used + 1 < size && recv(fd, head + used, 1, 0) == 1) {
		head[++used] = 0;
		if (used >= 4 && memcmp(head + used - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static inline void *
turn_peer_run(void *state)
{
	struct turn_peer *peer = state;
	for (;;) {
		int fd = accept(peer->listener, NULL, NULL);
		bool over;
		pthread_mutex_lock(&peer->lock);
		over = peer->over;
		pthread_mutex_unlock(&peer->lock);
		if (fd >= 0 && !over)
			peer->serve(peer, fd);
		if (fd >= 0)
			close(fd);
		if (over)
			return NULL;
	}
}

static inline void
turn_peer_open(struct turn_peer *peer, void (*serve)(struct turn_peer *, int fd))
{
	peer->serve = serve;
	peer->listener = peer_socket(SOCK_STREAM, "127.0.0.1", &peer->port);
	listen(peer->listener, 64);
	pthread_mutex_init(&peer->lock, NULL);
	pthread_create(&peer->thread, NULL, turn_peer_run, peer);
}

static inline unsigned
turn_peer_asked(struct turn_peer *peer)
{
	unsigned asked;
	pthread_mutex_lock(&peer->lock);
	asked = peer->asked;
	pthread_mutex_unlock(&peer->lock);
	return asked;
}

/* After the client has closed its connection. */
static inline void
turn_peer_close(struct turn_peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	peer->over = true;
	pthread_mutex_unlock(&peer->lock);
	close(peer_connect("127.0.0.1", peer->port));
	pthread_join(peer->thread, NULL);
	close(peer->listener);
}

#endif
