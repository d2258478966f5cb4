/* SPDX-License-Identifier: MIT */
/* Files that appear whole or not at all: a temporary name in the same folder, large writes, fsync, rename, fsync of the
 * folder. Large files bypass the page cache where the file system allows it, and are written while the caller fetches
 * the next bytes (docs/disk.md has the figures). Files are made with mode 0600 and folders with 0700: dumps hold
 * personal data. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/flow.h"
#include "base/linux.h"
#include "base/text.h"

#include <stdint.h>

#define FILE_TEMPORARY_MAX 128

#define FILE_NUMBERS 9999 /* of names, once NAME.dmp is taken */

/* A file being written. */
struct file_sink {
	struct sink sink;
	char path[PATH_BYTES_MAX]; /* the final path, once finish has returned true: with -2, -3… when it was taken */
	/* the room's own from here */
	char temporary[FILE_TEMPORARY_MAX]; /* .NAME.<8 hex digits>.part; empty when there is none to remove */
	struct disk_queue queue;
	unsigned char *room;
	size_t piece, used;                 /* the room is one piece, or two by turns when queued */
	uint64_t place, grown;              /* where the piece under hand goes; how large the file has been made */
	uint64_t expected, busy_place[2];
	size_t name, made;                  /* in path: where the name begins; the end of the first folder made, 0: none */
	unsigned turn;
	int fd, folder;
	bool direct, queued, tried, reserved, overwrite, busy[2];
};

/* Opens a sink for `path`; makes the folders above it that are missing. `expected` is the size if known, else 0: from
 * 1 MiB on it is reserved, so that a full disk is said before the dump and not after it.
 * `room` is the caller's: page aligned, a multiple of 8192 bytes (1 MiB is best), untouched by others until finish or
 * abandon. With size 0 each write goes to the kernel as it comes, good for small files.
 * Without `overwrite` an existing file is never touched: NAME.dmp becomes NAME-2.dmp and so on; the name is claimed at
 * finish, atomically. (Only where a file system has neither renameat2 nor hard links can another program that makes the
 * same name in that very moment lose it.) After false nothing is left and there is nothing to abandon; abandon after any end does no harm.
 * Faults are FAULT_SYSTEM with errno in detail. */
bool file_sink_open(struct file_sink *, const char *path, uint64_t expected, bool overwrite, void *room, size_t size,
                    struct fault *) MUST_CHECK;

/* The same in two steps, for a file that must not be there without another: after prepare the bytes are durable under
 * the temporary name, claim gives a final one. finish is both, with the first number that is free. */
bool file_sink_prepare(struct file_sink *, struct fault *) MUST_CHECK;

/* Bytes that this user may still write there, of a sink that is open; false when the file system does not say. */
bool file_sink_room(const struct file_sink *, uint64_t *bytes) MUST_CHECK;

/* The path that a number stands for: 1 as it was opened, 2 NAME-2.dmp, up to FILE_NUMBERS. False: it would be too long. */
bool file_sink_path(const struct file_sink *, int number, char room[PATH_BYTES_MAX]) MUST_CHECK;

/* Gives the file that name and makes it durable. *taken, and false without a fault: there is such a file, and to overwrite
 * was not asked for. */
bool file_sink_claim(struct file_sink *, int number, bool *taken, struct fault *) MUST_CHECK;

/* Writes a small file the same way, under this very name. *taken as above. Takes 9 KiB of stack. */
bool file_write_whole(const char *path, struct span content, bool overwrite, bool *taken, struct fault *) MUST_CHECK;

/* Reads a whole small file into `room`; FAULT_BOUND when it is larger, FAULT_MISSING when there is none, else
 * FAULT_SYSTEM with errno in detail. */
bool file_read_whole(const char *path, void *room, size_t size, size_t *count, struct fault *) MUST_CHECK;

/* A file that is pulled through a buffer of the caller's, for bundles and the like. Faults as of file_read_whole. Close
 * it only after an open that was true. */
struct file_source {
	struct source source;
	int fd;
	char path[PATH_BYTES_MAX];
};

bool file_source_open(struct file_source *, const char *path, struct fault *) MUST_CHECK;
void file_source_close(struct file_source *);

#endif
