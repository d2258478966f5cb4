/* SPDX-License-Identifier: MIT */
/* The other side of network tests: a listener on a free port of a loopback address, served by a thread with plain
 * blocking calls, one connection after the other. */
#ifndef PEER_H
#define PEER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct peer {
	int listener;
	uint16_t port;
	void (*serve)(int fd); /* the peer closes fd afterwards */
	pthread_t thread;
};

/* A bound socket of `type` at `address`, port 0: any free one, which is put into *port. -1: no luck. */
static inline int
peer_socket(int type, const char *address, uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port)};
	struct timeval ten_s = {10, 0};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, type, 0), one = 1;
	inet_pton(AF_INET, address, &at.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten_s, sizeof ten_s);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

static inline int
peer_connect(const char *address, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	inet_pton(AF_INET, address, &at.sin_addr);
	if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline void *
peer_run(void *argument)
{
	struct peer *peer = argument;
	int fd = accept(peer->listener, NULL, NULL);
	if (fd >= 0) {
		struct timeval ten_s = {10, 0};
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten_s, sizeof ten_s);
		peer->serve(fd);
		close(fd);
	}
	return NULL;
}

/* Serves one connection. */
static inline void
peer_open(struct peer *peer, void (*serve)(int fd))
{
	peer->port = 0;
	peer->serve = serve;
	peer->listener = peer_socket(SOCK_STREAM, "127.0.0.1", &peer->port);
	listen(peer->listener, 8);
	pthread_create(&peer->thread, NULL, peer_run, peer);
}

static inline void
peer_close(struct peer *peer)
{
	pthread_join(peer->thread, NULL);
	close(peer->listener);
}

/* The next close sends a reset. */
static inline void
peer_reset(int fd)
{
	struct linger now = {1, 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static inline void
peer_sleep_ms(int ms)
{
	struct timeval span = {ms / 1000, ms % 1000 * 1000};
	select(0, NULL, NULL, NULL, &span);
}

#endif
