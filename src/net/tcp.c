/* SPDX-License-Identifier: MIT */
#include "net/tcp.h"

#include "base/stop.h"
#include "net/wait.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define NEXT_ADDRESS_MS 250 /* RFC 8305 section 5 */

enum { PROBE_AFTER_S = 60, PROBE_EVERY_S = 15, PROBES = 6 };

/* "connection refused (10.0.0.4:443)", with errno in detail. */
static bool
raise_error(struct fault *fault, int error, const struct address *address)
{
	char reason[128], place[ADDRESS_LITERAL_MAX];
	struct text words = text_in(reason, sizeof reason), where = text_in(place, sizeof place);
	bool first = fault->kind == FAULT_NONE;
	text_put(&words, strerror(error));
	if (words.used > 1 && reason[0] >= 'A' && reason[0] <= 'Z' && reason[1] >= 'a')
		reason[0] = (char)(reason[0] + 32);
	address_put_port(&where, address);
	fault_raise(fault, error == ETIMEDOUT ? FAULT_TIMEOUT : FAULT_NETWORK, "%s (%s)", reason, place);
	if (first)
		fault->detail = error;
	return false;
}

static void
set_int(int fd, int level, int option, int value)
{
	/* all of these make it better, none is needed */
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

/* Load balancers forget an idle connection after 4 minutes, and Kudu may be silent for longer before a dump. */
static void
tune(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
#endif
}

/* The attempts of one tcp_connect. */
struct race {
	const struct addresses *addresses;
	int fds[ADDRESSES_MAX]; /* -1: not begun, or lost */
	size_t begun, running;
	size_t telling;         /* whose error is told in the end */
	int error;              /* 0: none yet */
};

/* "Unreachable" often only means that this machine has no IPv6; another error says more. */
static bool
is_local(int error)
{
	return error == ENETUNREACH || error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EACCES || error == EPERM;
}

static void
lose(struct race *race, size_t i, int error)
{
	if (race->error == 0 || is_local(race->error) || !is_local(error)) {
		race->error = error;
		race->telling = i;
	}
	if (race->fds[i] >= 0) {
		close(race->fds[i]);
		race->fds[i] = -1;
		race->running--;
	}
}

/* Begins one more attempt; one that fails at once counts as begun. */
static void
begin(struct race *race)
{
	const size_t i = race->begun++;
	const struct address *address = &race->addresses->list[i];
	int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		lose(race, i, errno);
		return;
	}
	race->fds[i] = fd;
	race->running++;
	tune(fd);
	/* interrupted, it goes on in the background just as one in progress (POSIX, connect) */
	if (connect(fd, (const struct sockaddr *)&address->at, address->size) != 0 && errno != EINPROGRESS && errno != EINTR)
		lose(race, i, errno);
}

static int
outcome(int fd)
{
	int error = 0;
	socklen_t size = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ? errno : error;
}

static bool
raise_late(const struct race *race, struct fault *fault)
{
	char place[ADDRESS_LITERAL_MAX];
	struct text where = text_in(place, sizeof place);
	size_t first = 0;
	while (first + 1 < race->begun && race->fds[first] < 0)
		first++;
	address_put_port(&where, &race->addresses->list[first]);
	fault_raise(fault, FAULT_TIMEOUT, "no answer in time (%s%s)", place,
	            race->running > 1 ? " and other addresses" : "");
	return fault_hint(fault, "a firewall on the way may be dropping the packets, or only a proxy may reach it");
}

/* Runs until one attempt has won: its place is *winner. */
static bool
run(struct race *race, struct deadline deadline, size_t *winner, struct fault *fault)
{
	struct deadline next = deadline_in(0);
	for (;;) {
		bool more = race->begun < race->addresses->count;
		int which, error = 0;
		if (more && (race->running == 0 || deadline_passed(next))) {
			begin(race);
			next = deadline_in(NEXT_ADDRESS_MS);
			continue;
		}
		if (race->running == 0)
			return raise_error(fault, race->error, &race->addresses->list[race->telling]);
		if (!wait_first_writable(race->fds, race->begun, &which, more ? deadline_sooner(next, deadline) : deadline, fault))
			return false;
		if (which >= 0 && (error = outcome(race->fds[which])) == 0) {
			*winner = (size_t)which;
			return true;
		}
		if (which >= 0)
			lose(race, (size_t)which, error);
		else if (deadline_passed(deadline))
			return raise_late(race, fault);
	}
}

bool
tcp_connect(const struct addresses *addresses, struct deadline deadline, int *fd, struct fault *fault)
{
	struct race race = {.addresses = addresses};
	size_t winner = ADDRESSES_MAX;
	bool won;
	assert(addresses->count > 0 && addresses->count <= ADDRESSES_MAX);
	for (size_t i = 0; i < ADDRESSES_MAX; i++)
		race.fds[i] = -1;
	won = run(&race, deadline, &winner, fault);
	*fd = won ? race.fds[winner] : -1;
	for (size_t i = 0; i < ADDRESSES_MAX; i++)
		if (i != winner && race.fds[i] >= 0)
			close(race.fds[i]);
	return won;
}

static bool
is_again(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

bool
tcp_read(int fd, void *room, size_t size, size_t *got, struct deadline deadline, struct fault *fault)
{
	assert(size > 0);
	*got = 0;
	for (;;) {
		ssize_t count;
		/* a fast peer never lets us wait, and only waits see a signal */
		if (!stop_check(fault))
			return false;
		count = recv(fd, room, size, 0);
		if (count >= 0) {
			*got = (size_t)count;
			return true;
		}
		if (!is_again(errno))
			return fault_errno(fault, FAULT_NETWORK, errno, "reading from the network");
		if (!wait_readable(fd, deadline, fault))
			return false;
	}
}

/* A peer that answers early and closes makes our writes fail before its answer is read. */
static bool
write_failed(int fd, int error, bool *readable, struct fault *fault)
{
	int ignored;
	if (readable != NULL && tcp_peek(fd, &ignored) == TCP_BYTES) {
		*readable = true;
		return true;
	}
	return fault_errno(fault, FAULT_NETWORK, error, "writing to the network");
}

bool
tcp_write(int fd, const void *from, size_t count, size_t *sent, bool *readable, struct deadline deadline,
          struct fault *fault)
{
	bool spoken = false, writable;
	*sent = 0;
	if (readable != NULL)
		*readable = false;
	while (!spoken) {
		ssize_t done;
		if (!stop_check(fault))
			return false;
		done = send(fd, from, count, MSG_NOSIGNAL);
		if (done >= 0) {
			*sent = (size_t)done;
			return true;
		}
		if (!is_again(errno))
			return write_failed(fd, errno, readable, fault);
		if (readable == NULL ? !wait_writable(fd, deadline, fault) : !wait_either(fd, &spoken, &writable, deadline, fault))
			return false;
	}
	*readable = true;
	return true;
}

enum tcp_pending
tcp_peek(int fd, int *error)
{
	unsigned char byte;
	ssize_t count;
	do
		count = recv(fd, &byte, 1, MSG_PEEK);
	while (count < 0 && errno == EINTR);
	*error = count < 0 ? errno : 0;
	if (count < 0)
		return is_again(*error) ? TCP_QUIET : TCP_ERROR;
	return count > 0 ? TCP_BYTES : TCP_END;
}

void
tcp_close(int fd)
{
	if (fd >= 0)
		close(fd);
}
