/* SPDX-License-Identifier: MIT */
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Read by all threads: through the compiler's atomics, which C99 lacks. */
static int caught;
static int ends[2] = {-1, -1};

static void
on_signal(int number)
{
	int saved = errno;
	ssize_t told;
	if (stop_signal() != 0) {
		signal(number, SIG_DFL);
		raise(number);
	}
	__atomic_store_n(&caught, number, __ATOMIC_SEQ_CST);
	told = write(ends[1], "", 1);
	(void)told;
	errno = saved;
}

bool
stop_install(struct fault *fault)
{
	static const int asked[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action;
	if (pipe(ends) != 0)
		return fault_errno(fault, FAULT_SYSTEM, errno, "making a pipe for signals");
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[i], F_SETFL, O_NONBLOCK) != 0)
			return fault_errno(fault, FAULT_SYSTEM, errno, "setting up a pipe for signals");
	memset(&action, 0, sizeof action);
	sigemptyset(&action.sa_mask);
	action.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &action, NULL) != 0 || sigaction(SIGXFSZ, &action, NULL) != 0)
		return fault_errno(fault, FAULT_SYSTEM, errno, "ignoring a signal");
	action.sa_handler = on_signal;
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		struct sigaction before;
		/* nohup and background shells ignore some on purpose */
		if (sigaction(asked[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN)
			continue;
		if (sigaction(asked[i], &action, NULL) != 0)
			return fault_errno(fault, FAULT_SYSTEM, errno, "catching a signal");
	}
	return true;
}

int
stop_fd(void)
{
	return ends[0];
}

int
stop_signal(void)
{
	return __atomic_load_n(&caught, __ATOMIC_SEQ_CST);
}

bool
stop_check(struct fault *fault)
{
	int number = stop_signal();
	if (number == 0)
		return true;
	fault_raise(fault, FAULT_STOPPED, "stopped by %s",
	            number == SIGINT ? "SIGINT" : number == SIGTERM ? "SIGTERM" : "SIGHUP");
	if (fault->kind == FAULT_STOPPED)
		fault->detail = number;
	return false;
}
