/* SPDX-License-Identifier: MIT */
/* Linux facilities beyond POSIX stand in linux.c, and only there: random bytes, preallocation, direct I/O,
 * renaming without replacing. (What the CPU can do, digest.c asks itself.) */
#ifndef BASE_LINUX_H
#define BASE_LINUX_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

/* `count` bytes (at most 256) from the kernel's generator (getrandom, flags 0: waits only in early boot). */
bool random_bytes(void *room, size_t count, struct fault *) MUST_CHECK;

/* Like open(2) with O_DIRECT added; -1 with errno EINVAL where the file system refuses direct I/O. */
int open_direct(int folder, const char *name, int flags, int mode);

/* Switches direct I/O of an open file on or off; false with errno. */
bool set_direct(int fd, bool on);

/* Reserves `bytes` of disk for a file without changing its size. False with errno; EOPNOTSUPP where it is not known. */
bool reserve_disk(int fd, uint64_t bytes);

/* Renames within an open folder, never over another file: false with errno EEXIST then, and with EINVAL or ENOSYS where
 * the file system or the kernel (before 3.15) cannot promise that. */
bool rename_new(int folder, const char *from, const char *to);

/* How wide the terminal at fd is, in characters; 80 when it does not say. */
unsigned terminal_columns(int fd);

#endif
