/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_DIRECT, fallocate, SEEK_HOLE, syscall: nowhere else */
#include "base/linux.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* musl 1.2.3 knows neither renameat2 nor its flags; the figure is the kernel's */
#define FLAG_NO_REPLACE 1u

#define PROBE_BYTES 65536

/* The kernel's AIO as its ABI has it (linux/aio_abi.h, which musl does not bring): one request, one answer. */
#define OPERATION_PWRITE 1

struct request {
	uint64_t tag;
	uint32_t key_and_flags[2];
	uint16_t operation;
	int16_t priority;
	uint32_t fd;
	uint64_t from, count;
	int64_t place;
	uint64_t unused;
	uint32_t flags, event_fd;
};

struct answer {
	uint64_t tag, request;
	int64_t written, unused;
};

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

bool
grows_as_hole(int fd, uint64_t size)
{
	off_t end = (off_t)size;
	return ftruncate(fd, end + PROBE_BYTES) == 0 && lseek(fd, end, SEEK_HOLE) == end;
}

bool
disk_queue_open(struct disk_queue *queue, unsigned depth)
{
	queue->ring = 0;
	return syscall(SYS_io_setup, depth, &queue->ring) == 0;
}

bool
disk_queue_write(struct disk_queue *queue, unsigned tag, int fd, const void *from, size_t count, uint64_t place)
{
	struct request request, *list = &request;
	memset(&request, 0, sizeof request);
	request.tag = tag;
	request.operation = OPERATION_PWRITE;
	request.fd = (uint32_t)fd;
	request.from = (uintptr_t)from;
	request.count = count;
	request.place = (int64_t)place;
	return syscall(SYS_io_submit, queue->ring, 1L, &list) == 1;
}

bool
disk_queue_wait(struct disk_queue *queue, unsigned *tag, int64_t *written)
{
	struct answer answer;
	long got;
	do
		got = syscall(SYS_io_getevents, queue->ring, 1L, 1L, &answer, NULL);
	while (got == 0 || (got < 0 && errno == EINTR));
	if (got < 0)
		return false;
	*tag = (unsigned)answer.tag;
	*written = answer.written;
	return true;
}

void
disk_queue_close(struct disk_queue *queue)
{
	syscall(SYS_io_destroy, queue->ring);
}

unsigned
terminal_columns(int fd)
{
	struct winsize size;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

void
refuse_core_dumps(void)
{
	const struct rlimit none = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

bool
keep_in_core(void *at, size_t size)
{
	return mlock2(at, size, MLOCK_ONFAULT) == 0 || (errno == ENOSYS && mlock(at, size) == 0);
}
