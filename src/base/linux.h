/* SPDX-License-Identifier: MIT */
/* Linux facilities beyond POSIX stand in linux.c, and only there: random bytes, preallocation, direct I/O, writes under
 * way beside the caller, renaming without replacing, the width of a terminal, no core dumps of ourselves, no swapping. (What the CPU can do, digest.c asks itself.) */
#ifndef BASE_LINUX_H
#define BASE_LINUX_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

/* `count` bytes (at most 256) from the kernel's generator (getrandom, flags 0: waits only in early boot). */
bool random_bytes(void *room, size_t count, struct fault *) MUST_CHECK;

/* Switches direct I/O of an open file on or off; false with errno, EINVAL where the file system refuses it. With it,
 * memory, place and count of each write are multiples of 4096 here. */
bool set_direct(int fd, bool on);

/* Reserves `bytes` of disk for a file without changing its size. False with errno; EOPNOTSUPP where it is not known. */
bool reserve_disk(int fd, uint64_t bytes);

/* Makes a file of `size` bytes a little larger and tells whether that cost nothing, as with ext4, XFS and Btrfs; FAT
 * would have written zeros. */
bool grows_as_hole(int fd, uint64_t size);

/* Renames within an open folder, never over another file: false with errno EEXIST then, and with EINVAL or ENOSYS where
 * the file system or the kernel (before 3.15) cannot promise that. */
bool rename_new(int folder, const char *from, const char *to);

/* How wide the terminal at fd is, in characters; 80 when it does not say. */
unsigned terminal_columns(int fd);

/* Keeps this process's memory out of core files, and its /proc entries from other users' eyes. What the system refuses is
 * left as it is. */
void refuse_core_dumps(void);

/* Keeps pages out of the swap space from the moment they are first used; false with errno where the limit is too low. */
bool keep_in_core(void *at, size_t size);

/* Writes that are under way while the caller goes on (the kernel's own AIO: no thread; truly beside the caller only with
 * direct I/O inside the file's size). */
struct disk_queue {
	unsigned long ring;
};

/* Room for `depth` writes. False with errno where the kernel or a container does not let us. */
bool disk_queue_open(struct disk_queue *, unsigned depth);

/* Begins a write; the bytes stay untouched until disk_queue_wait has named `tag`. False with errno: nothing has begun. */
bool disk_queue_write(struct disk_queue *, unsigned tag, int fd, const void *from, size_t count, uint64_t place);

/* Waits for the end of one write: which, and the bytes written or minus the errno. False with errno. */
bool disk_queue_wait(struct disk_queue *, unsigned *tag, int64_t *written);

/* Waits for what is still under way. Takes about 30 ms even if nothing is: the kernel waits for all CPUs. */
void disk_queue_close(struct disk_queue *);

#endif
