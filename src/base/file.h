/* SPDX-License-Identifier: MIT */
/* Files that appear whole or not at all: a temporary name in the same folder, large writes, fsync, rename, fsync of the
 * folder. Large files bypass the page cache where the file system allows it (docs/disk.md has the figures). */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/flow.h"
#include "base/text.h"

#include <stdint.h>

/* A file being written. The buffer is the caller's: a multiple of 4096 bytes, page aligned. */
struct file_sink {
	struct sink sink;
	char path[PATH_BYTES_MAX];      /* the final path, once finish has returned true: with -2, -3… when it was taken */
	/* the room's own from here */
	char wanted[PATH_BYTES_MAX];
	char temporary[PATH_BYTES_MAX];
	unsigned char *room;
	size_t size, used;
	uint64_t written;
	int fd, folder;
	bool direct, overwrite, exclusive_name;
};

/* Opens a sink for `path`; makes the folders above it that are missing. `expected` is the size if known, else 0: it is
 * reserved up front where that helps, so that a full disk is said before the dump and not after it. Without `overwrite`
 * an existing file is never touched: NAME.dmp becomes NAME-2.dmp and so on; the name is claimed at finish, atomically.
 * Faults are FAULT_SYSTEM with errno in detail. */
bool file_sink_open(struct file_sink *, const char *path, uint64_t expected, bool overwrite, void *room, size_t size,
                    struct fault *) MUST_CHECK;

/* The same in two steps, for a file that must exist together with another: after prepare the bytes are durable under
 * the temporary name, commit gives the final name. finish is both. */
bool file_sink_prepare(struct file_sink *, struct fault *) MUST_CHECK;
bool file_sink_commit(struct file_sink *, struct fault *) MUST_CHECK;

/* Writes a small file the same way (replacing an existing one). */
bool file_write_whole(const char *path, struct span content, struct fault *) MUST_CHECK;

/* Reads a whole small file into `room`; FAULT_BOUND when it is larger. */
bool file_read_whole(const char *path, void *room, size_t size, size_t *count, struct fault *) MUST_CHECK;

/* A file that is pulled through a buffer of the caller's, for bundles and the like. */
struct file_source {
	struct source source;
	int fd;
	char path[PATH_BYTES_MAX];
};

bool file_source_open(struct file_source *, const char *path, struct fault *) MUST_CHECK;
void file_source_close(struct file_source *);

#endif
