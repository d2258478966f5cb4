/* SPDX-License-Identifier: MIT */
/* Signals change the whole process, so each test runs in a child. */
#include "unit.h"

#include "base/deadline.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct fault fault;

/* The wait status of a child that runs `body`, whose result is its exit status. */
static int
status_of(int (*body)(void))
{
	int status = -1;
	pid_t child = fork();
	if (child == 0)
		_exit(body());
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	return status;
}

static bool
is_well(int (*body)(void))
{
	int status = status_of(body);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	fprintf(stderr, "child: %s %d\n", WIFEXITED(status) ? "exit" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return false;
}

static bool
is_readable(void)
{
	struct pollfd on = {stop_fd(), POLLIN, 0};
	return poll(&on, 1, 0) == 1 && (on.revents & POLLIN) != 0;
}

static int
before(void)
{
	return stop_fd() == -1 && stop_signal() == 0 && stop_check(&fault) ? 0 : 1;
}

static int
one_signal(int number, const char *words)
{
	if (!stop_install(&fault) || stop_fd() < 0 || is_readable() || stop_signal() != 0 || !stop_check(&fault))
		return 1;
	if (kill(getpid(), number) != 0)
		return 2;
	for (int i = 0; i < 3; i++) {
		fault_clear(&fault);
		if (!is_readable() || stop_signal() != number || stop_check(&fault))
			return 3;
		if (fault.kind != FAULT_STOPPED || fault.detail != number || strcmp(fault.text, words) != 0)
			return 4;
	}
	return 0;
}

static int
interrupt(void)
{
	return one_signal(SIGINT, "stopped by SIGINT");
}

static int
terminate(void)
{
	return one_signal(SIGTERM, "stopped by SIGTERM");
}

static int
hang_up(void)
{
	return one_signal(SIGHUP, "stopped by SIGHUP");
}

static int
first_cause(void)
{
	if (!stop_install(&fault) || kill(getpid(), SIGINT) != 0)
		return 1;
	fault_raise(&fault, FAULT_NETWORK, "reset");
	fault.detail = ECONNRESET;
	return !stop_check(&fault) && fault.kind == FAULT_NETWORK && fault.detail == ECONNRESET ? 0 : 2;
}

static int
twice(void)
{
	if (!stop_install(&fault))
		return 1;
	kill(getpid(), SIGINT);
	kill(getpid(), SIGINT);
	return 2;
}

static int
two_kinds(void)
{
	if (!stop_install(&fault))
		return 1;
	kill(getpid(), SIGINT);
	kill(getpid(), SIGTERM);
	return 2;
}

static int
no_hang_up(void)
{
	signal(SIGHUP, SIG_IGN);
	if (!stop_install(&fault))
		return 1;
	kill(getpid(), SIGHUP);
	return stop_signal() == 0 && !is_readable() ? 0 : 2;
}

static int
broken_pipe(void)
{
	int ends[2];
	if (!stop_install(&fault) || pipe(ends) != 0)
		return 1;
	close(ends[0]);
	return write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
}

static int
file_limit(void)
{
	struct rlimit limit = {1, 1};
	FILE *file = tmpfile();
	if (file == NULL || !stop_install(&fault) || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	return write(fileno(file), "xy", 2) == 1 && write(fileno(file), "z", 1) == -1 && errno == EFBIG ? 0 : 2;
}

static int
closed_on_exec(void)
{
	if (!stop_install(&fault))
		return 1;
	return (fcntl(stop_fd(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 2;
}

/* A wait that is under way is interrupted. */
static int
interrupts_wait(void)
{
	char byte;
	int ends[2];
	pid_t parent = getpid();
	int64_t from = clock_ms();
	if (!stop_install(&fault) || pipe(ends) != 0)
		return 1;
	if (fork() == 0) {
		struct timespec pause = {0, 50000000};
		nanosleep(&pause, NULL);
		kill(parent, SIGTERM);
		_exit(0);
	}
	if (read(ends[0], &byte, 1) != -1 || errno != EINTR)
		return 2;
	wait(NULL);
	return clock_ms() - from < 10000 ? 0 : 3;
}

static void *
look(void *result)
{
	struct deadline deadline = deadline_in(20000);
	struct fault own;
	fault_clear(&own);
	while (stop_check(&own))
		if (deadline_passed(deadline))
			return NULL;
	return own.detail == SIGTERM ? result : NULL;
}

/* Threads see it, whichever of them the signal reaches. */
static int
seen_by_threads(void)
{
	pthread_t threads[3];
	int bad = 0;
	if (!stop_install(&fault))
		return 1;
	for (int i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, look, &fault) != 0)
			return 2;
	kill(getpid(), SIGTERM);
	for (int i = 0; i < 3; i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		bad += result != &fault;
	}
	return bad == 0 ? 0 : 3;
}

static void
test_one_signal(void)
{
	CHECK(is_well(before));
	CHECK(is_well(interrupt));
	CHECK(is_well(terminate));
	CHECK(is_well(hang_up));
	CHECK(is_well(first_cause));
}

static void
test_two_signals(void)
{
	int status = status_of(twice);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	status = status_of(two_kinds);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void
test_ignored(void)
{
	CHECK(is_well(no_hang_up));
	CHECK(is_well(broken_pipe));
	CHECK(is_well(file_limit));
}

static void
test_waits_and_threads(void)
{
	CHECK(is_well(closed_on_exec));
	CHECK(is_well(interrupts_wait));
	CHECK(is_well(seen_by_threads));
}

int
main(void)
{
	UNIT_RUN(test_one_signal);
	UNIT_RUN(test_two_signals);
	UNIT_RUN(test_ignored);
	UNIT_RUN(test_waits_and_threads);
	return unit_end();
}
