/* SPDX-License-Identifier: MIT */
#include "cmd/prompt.h"

#include "base/deadline.h"
#include "net/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void
say(int fd, const char *words)
{
	ssize_t told = write(fd, words, strlen(words));
	(void)told;
}

/* A line, which the terminal gives as a whole. */
static bool
read_line(int fd, char *room, size_t size, struct fault *fault)
{
	ssize_t got;
	if (!wait_readable(fd, deadline_never(), fault))
		return false;
	got = read(fd, room, size - 1);
	if (got < 0)
		return fault_errno(fault, FAULT_SYSTEM, errno, "reading from the terminal");
	room[got] = 0;
	if ((size_t)got == size - 1 && room[got - 1] != '\n')
		return fault_raise(fault, FAULT_USAGE, "the password is too long");
	room[strcspn(room, "\r\n")] = 0;
	return room[0] != 0 || fault_raise(fault, FAULT_USAGE, "the password is empty");
}

/* Keys that would stop the program on the spot are off meanwhile: they would leave a terminal that shows nothing. */
static bool
ask(int fd, const char *question, char *room, size_t size, struct fault *fault)
{
	struct termios before, silent;
	bool done;
	if (tcgetattr(fd, &before) != 0)
		return fault_raise(fault, FAULT_USAGE, "there is no terminal to ask for the password");
	silent = before;
	silent.c_lflag = (silent.c_lflag | ICANON | ISIG) & ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	silent.c_cc[VQUIT] = silent.c_cc[VSUSP] = _POSIX_VDISABLE;
	if (tcsetattr(fd, TCSAFLUSH, &silent) != 0)
		return fault_errno(fault, FAULT_SYSTEM, errno, "setting the terminal");
	say(fd, question);
	done = read_line(fd, room, size, fault);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	say(fd, "\n");
	return done;
}

bool
prompt_secret(const char *question, char *room, size_t size, struct fault *fault)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool done;
	if (fd < 0)
		return fault_raise(fault, FAULT_USAGE, "there is no terminal to ask for the password");
	done = ask(fd, question, room, size, fault);
	close(fd);
	return done;
}
