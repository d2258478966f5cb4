/* SPDX-License-Identifier: MIT */
#include "net/wait.h"

#include "base/stop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>

#define LATE_WORDS_READ "timed out waiting for the other side to send"
#define LATE_WORDS_WRITE "timed out waiting for the other side to take what is sent"

enum { READ_EVENTS = POLLIN | POLLHUP | POLLERR | POLLNVAL, WRITE_EVENTS = POLLOUT | POLLERR | POLLNVAL };

static int
poll_ms(struct deadline deadline)
{
	int64_t left = deadline_left_ms(deadline);
	return left > INT_MAX ? INT_MAX : (int)left;
}

/* Waits for the first `count` of set; the entry behind them is ours, for the signal. Even a deadline that has passed
 * looks once, so that what is there already is not refused. *late: the deadline came first. */
static bool
wait_for(struct pollfd *set, size_t count, struct deadline deadline, bool *late, struct fault *fault)
{
	set[count] = (struct pollfd){stop_fd(), POLLIN, 0};
	for (;;) {
		int ready = poll(set, (nfds_t)(count + 1), poll_ms(deadline));
		int error = errno;
		if (!stop_check(fault))
			return false;
		if (ready < 0 && error != EINTR)
			return fault_errno(fault, FAULT_SYSTEM, error, "waiting for the network");
		*late = ready == 0 && deadline_passed(deadline);
		if (ready > 0 || *late)
			return true;
	}
}

static bool
wait_one(int fd, short events, short *seen, const char *late_words, struct deadline deadline, struct fault *fault)
{
	struct pollfd set[2] = {{fd, events, 0}};
	bool late;
	assert(fd >= 0);
	*seen = 0;
	if (!wait_for(set, 1, deadline, &late, fault))
		return false;
	if (late)
		return fault_raise(fault, FAULT_TIMEOUT, "%s", late_words);
	*seen = set[0].revents;
	return true;
}

bool
wait_readable(int fd, struct deadline deadline, struct fault *fault)
{
	short seen;
	return wait_one(fd, POLLIN, &seen, LATE_WORDS_READ, deadline, fault);
}

bool
wait_writable(int fd, struct deadline deadline, struct fault *fault)
{
	short seen;
	return wait_one(fd, POLLOUT, &seen, LATE_WORDS_WRITE, deadline, fault);
}

bool
wait_either(int fd, bool *readable, bool *writable, struct deadline deadline, struct fault *fault)
{
	short seen;
	*readable = *writable = false;
	if (!wait_one(fd, POLLIN | POLLOUT, &seen, LATE_WORDS_WRITE, deadline, fault))
		return false;
	*readable = (seen & READ_EVENTS) != 0;
	*writable = (seen & WRITE_EVENTS) != 0;
	return true;
}

bool
wait_first_writable(const int *fds, size_t count, int *which, struct deadline deadline, struct fault *fault)
{
	struct pollfd set[ADDRESSES_MAX + 1];
	bool late;
	assert(count <= ADDRESSES_MAX);
	*which = -1;
	for (size_t i = 0; i < count; i++)
		set[i] = (struct pollfd){fds[i], POLLOUT, 0};
	if (!wait_for(set, count, deadline, &late, fault))
		return false;
	for (size_t i = count; i-- > 0;)
		if (!late && set[i].revents != 0)
			*which = (int)i;
	return true;
}

bool
wait_until(struct deadline deadline, struct fault *fault)
{
	struct pollfd set[1];
	bool late = false;
	while (!late)
		if (!wait_for(set, 0, deadline, &late, fault))
			return false;
	return true;
}
