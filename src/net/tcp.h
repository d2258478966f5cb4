/* SPDX-License-Identifier: MIT */
/* Non-blocking TCP with deadlines: several addresses are tried, the next one after 250 ms without an answer, the first
 * that connects wins (RFC 8305 in small). TCP_NODELAY and keep-alive probes are on. */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "base/deadline.h"
#include "net/address.h"

/* A connected descriptor in *fd, else -1. FAULT_NETWORK with the most telling error and its address, FAULT_TIMEOUT. */
bool tcp_connect(const struct addresses *, struct deadline, int *fd, struct fault *) MUST_CHECK;

/* 1 to size bytes; *got 0: the peer closed. What has come already is given even when the deadline has passed. A reset is
 * FAULT_NETWORK. */
bool tcp_read(int fd, void *room, size_t size, size_t *got, struct deadline, struct fault *) MUST_CHECK;

/* Writes at least one byte unless the peer has something to say first: then *sent may be 0 and *readable is true.
 * With readable NULL only writing counts. */
bool tcp_write(int fd, const void *from, size_t count, size_t *sent, bool *readable, struct deadline,
               struct fault *) MUST_CHECK;

/* What the peer has said that is not read yet, without waiting and without reading it. */
enum tcp_pending { TCP_QUIET, TCP_BYTES, TCP_END, TCP_ERROR };
enum tcp_pending tcp_peek(int fd, int *error);

void tcp_close(int fd);

#endif
