/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_DIRECT, fallocate, syscall: nowhere else */
#include "base/linux.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* musl 1.2.3 knows neither renameat2 nor its flags; the figure is the kernel's */
#define FLAG_NO_REPLACE 1u

bool
random_bytes(void *room, size_t count, struct fault *fault)
{
	ssize_t got;
	/* up to this size the kernel gives all or nothing */
	assert(count <= 256);
	do
		got = getrandom(room, count, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fault_errno(fault, FAULT_SYSTEM, errno, "asking the kernel for random bytes");
	if ((size_t)got != count)
		return fault_raise(fault, FAULT_SYSTEM, "the kernel gave too few random bytes");
	return true;
}

int
open_direct(int folder, const char *name, int flags, int mode)
{
	return openat(folder, name, flags | O_DIRECT, mode);
}

bool
set_direct(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return false;
	flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
	return fcntl(fd, F_SETFL, flags) == 0;
}

bool
reserve_disk(int fd, uint64_t bytes)
{
	int answer;
	if (bytes > INT64_MAX) {
		errno = EFBIG;
		return false;
	}
	do
		answer = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
	while (answer != 0 && errno == EINTR);
	return answer == 0;
}

bool
rename_new(int folder, const char *from, const char *to)
{
#ifdef SYS_renameat2
	return syscall(SYS_renameat2, folder, from, folder, to, FLAG_NO_REPLACE) == 0;
#else
	(void)folder, (void)from, (void)to;
	errno = ENOSYS;
	return false;
#endif
}

unsigned
terminal_columns(int fd)
{
	struct winsize size;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}
