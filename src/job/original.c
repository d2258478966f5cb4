/* SPDX-License-Identifier: MIT */
#include "job/original.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
original_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

static void
identify(struct original *original)
{
	const char *name = original_name(original->path);
	unsigned char result[SHA256_BYTES];
	char words[100];
	struct text text = text_in(words, sizeof words), hex = text_in(original->identity, sizeof original->identity);
	struct sha256 hash;
	text_printf(&text, "/%" PRIu64 "/%" PRId64 "/%ld", original->bytes, original->changed_s, original->changed.tv_nsec);
	sha256_open(&hash);
	sha256_add(&hash, name, strlen(name));
	sha256_add(&hash, words, text.used);
	sha256_close(&hash, result);
	encode_hex(&hex, (struct span){result, IDENTITY_DIGITS / 2});
}

static bool
refuse_kind(mode_t mode, struct fault *fault)
{
	bool folder = S_ISDIR(mode);
	fault_raise(fault, FAULT_USAGE, "it is %s", folder ? "a folder" : "no plain file");
	return fault_hint(fault, folder ? "name the files in it" : "for a pipe give - and let it come in on stdin");
}

static enum fault_kind
kind_of(int error)
{
	switch (error) {
	case ENOENT: case ENOTDIR: return FAULT_MISSING;
	case EACCES: case EPERM: return FAULT_DENIED;
	default: return FAULT_SYSTEM;
	}
}

/* Files of /proc and the like say that they have no bytes. */
static bool
check_empty(const struct original *original, struct fault *fault)
{
	char byte;
	if (pread(original->fd, &byte, 1, 0) <= 0)
		return true;
	fault_raise(fault, FAULT_USAGE, "it says that it is empty and is not");
	return fault_hint(fault, "give - and let it come in on stdin");
}

/* O_NONBLOCK: a FIFO must not hold us before it is refused. */
bool
original_open(struct original *original, const char *path, struct fault *fault)
{
	struct stat found;
	memset(original, 0, sizeof *original);
	original->path = path;
	original->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (original->fd < 0 || fstat(original->fd, &found) != 0)
		return fault_errno(fault, kind_of(errno), errno, "opening it");
	if (!S_ISREG(found.st_mode))
		return refuse_kind(found.st_mode, fault);
	original->changed = found.st_mtim;
	original->changed_s = (int64_t)found.st_mtim.tv_sec;
	original->bytes = (uint64_t)found.st_size;
	identify(original);
	return original->bytes > 0 || check_empty(original, fault);
}

void
original_close(struct original *original)
{
	if (original->fd >= 0)
		close(original->fd);
	original->fd = -1;
}

bool
original_read(const struct original *original, void *room, size_t size, uint64_t place, size_t *got, struct fault *fault)
{
	ssize_t taken;
	while ((taken = pread(original->fd, room, size, (off_t)place)) < 0)
		if (errno != EINTR)
			return fault_errno(fault, FAULT_SYSTEM, errno, "reading it");
		else if (!stop_check(fault))
			return false;
	*got = (size_t)taken;
	return true;
}

bool
original_check(const struct original *original, struct fault *fault)
{
	struct stat now;
	if (fstat(original->fd, &now) != 0)
		return fault_errno(fault, FAULT_SYSTEM, errno, "looking at it again");
	if ((uint64_t)now.st_size == original->bytes && now.st_mtim.tv_sec == original->changed.tv_sec &&
	    now.st_mtim.tv_nsec == original->changed.tv_nsec)
		return true;
	fault_raise(fault, FAULT_CORRUPT, "it changed while it was read: not committed");
	return fault_hint(fault, "wait until whoever writes it is done, then the same command begins anew");
}
