/* SPDX-License-Identifier: MIT */
#include "net/wait.h"

#include "base/stop.h"

#include "peer.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static int ends[2];

static void
open_pair(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
}

static void
close_pair(void)
{
	close(ends[0]);
	close(ends[1]);
}

static void
fill(int fd)
{
	static const char zeros[4096];
	while (write(fd, zeros, sizeof zeros) > 0)
		;
}

static bool
took(int64_t since, int64_t least, int64_t most)
{
	int64_t ms = clock_ms() - since;
	return ms >= least && ms <= most;
}

static void
reading(void)
{
	struct fault fault = {.kind = FAULT_NONE};
	int64_t start = clock_ms();
	open_pair();
	CHECK(!wait_readable(ends[0], deadline_in(30), &fault));
	CHECK(fault.kind == FAULT_TIMEOUT && took(start, 30, 2000));
	fault_clear(&fault);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(wait_readable(ends[0], deadline_in(1000), &fault));
	CHECK(wait_readable(ends[0], deadline_in(0), &fault));
	CHECK(wait_readable(ends[0], deadline_in(-1000), &fault));
	CHECK(wait_readable(ends[0], deadline_never(), &fault));
	close(ends[1]);
	CHECK(wait_readable(ends[0], deadline_in(1000), &fault));
	close(ends[0]);
	CHECK(fault.kind == FAULT_NONE);
}

static void
writing(void)
{
	struct fault fault = {.kind = FAULT_NONE};
	open_pair();
	CHECK(wait_writable(ends[0], deadline_in(1000), &fault));
	fill(ends[0]);
	CHECK(!wait_writable(ends[0], deadline_in(30), &fault));
	CHECK(fault.kind == FAULT_TIMEOUT);
	close_pair();
}

static void
either(void)
{
	struct fault fault = {.kind = FAULT_NONE};
	bool readable, writable;
	open_pair();
	CHECK(wait_either(ends[0], &readable, &writable, deadline_in(1000), &fault) && !readable && writable);
	fill(ends[0]);
	CHECK(!wait_either(ends[0], &readable, &writable, deadline_in(20), &fault) && fault.kind == FAULT_TIMEOUT);
	fault_clear(&fault);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(wait_either(ends[0], &readable, &writable, deadline_in(1000), &fault) && readable && !writable);
	close_pair();
}

static void
first_writable(void)
{
	struct fault fault = {.kind = FAULT_NONE};
	int fds[ADDRESSES_MAX], which, start;
	open_pair();
	fill(ends[0]);
	for (int i = 0; i < ADDRESSES_MAX; i++)
		fds[i] = -1;
	CHECK(wait_first_writable(fds, ADDRESSES_MAX, &which, deadline_in(10), &fault) && which == -1);
	fds[3] = ends[0];
	CHECK(wait_first_writable(fds, ADDRESSES_MAX, &which, deadline_in(10), &fault) && which == -1);
	fds[ADDRESSES_MAX - 1] = start = ends[1];
	CHECK(wait_first_writable(fds, ADDRESSES_MAX, &which, deadline_in(1000), &fault) && which == ADDRESSES_MAX - 1);
	CHECK(wait_first_writable(&start, 1, &which, deadline_in(0), &fault) && which == 0);
	close_pair();
	CHECK(fault.kind == FAULT_NONE);
}

static void
sleeping(void)
{
	struct fault fault = {.kind = FAULT_NONE};
	int64_t start = clock_ms();
	CHECK(wait_until(deadline_in(40), &fault) && took(start, 40, 2000));
	start = clock_ms();
	CHECK(wait_until(deadline_in(-5), &fault) && took(start, 0, 1000));
}

static void
nothing(int number)
{
	(void)number;
}

static void *
kick(void *argument)
{
	pthread_t *main_thread = argument;
	for (int i = 0; i < 5; i++) {
		peer_sleep_ms(10);
		pthread_kill(*main_thread, SIGUSR1);
	}
	return NULL;
}

/* A signal that does not ask to stop neither ends nor prolongs a wait. */
static void
interruption(void)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct sigaction action;
	pthread_t self = pthread_self(), other;
	int64_t start = clock_ms();
	memset(&action, 0, sizeof action);
	action.sa_handler = nothing;
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&other, NULL, kick, &self);
	CHECK(wait_until(deadline_in(100), &fault) && took(start, 100, 2000));
	pthread_join(other, NULL);
}

static void *
terminate(void *argument)
{
	(void)argument;
	peer_sleep_ms(50);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* The flag of base/stop cannot be taken back, so this goes on in a child. */
static int
stopped_child(int kind)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct deadline late = deadline_in(10000);
	bool readable, writable, good = true;
	int which;
	pthread_t other;
	if (!stop_install(&fault))
		return 2;
	open_pair();
	fill(ends[0]);
	pthread_create(&other, NULL, terminate, NULL);
	good = kind == 0   ? wait_readable(ends[0], late, &fault)
	       : kind == 1 ? wait_writable(ends[0], late, &fault)
	       : kind == 2 ? wait_either(ends[0], &readable, &writable, late, &fault)
	       : kind == 3 ? wait_first_writable(ends, 1, &which, late, &fault)
	                   : wait_until(late, &fault);
	pthread_join(other, NULL);
	if (good || fault.kind != FAULT_STOPPED || fault.detail != SIGTERM || deadline_passed(late))
		return 3;
	/* and from now on at once, even for what is ready */
	fault_clear(&fault);
	return wait_readable(ends[1], late, &fault) || fault.kind != FAULT_STOPPED ? 4 : 0;
}

static void
a_signal_to_stop(void)
{
	for (int kind = 0; kind < 5; kind++) {
		int status = -1;
		pid_t child;
		fflush(NULL);
		child = fork();
		if (child == 0)
			_exit(stopped_child(kind));
		CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

int
main(void)
{
	UNIT_RUN(reading);
	UNIT_RUN(writing);
	UNIT_RUN(either);
	UNIT_RUN(first_writable);
	UNIT_RUN(sleeping);
	UNIT_RUN(interruption);
	UNIT_RUN(a_signal_to_stop);
	return unit_end();
}
