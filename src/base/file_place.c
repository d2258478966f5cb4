/* SPDX-License-Identifier: MIT */
#include "base/file_place.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES_MAX 255  /* of Linux, whatever the file system */
#define NAME_SHOWN 100      /* of the name in the temporary one: enough to know it again, and short for any file system */
#define EXTENSION_MAX 16    /* with its dot; what is longer is no extension */
#define TRIES 16
#define PATH_SHOWN 300      /* of a long path a message has the end */

static const char *
advice(int error)
{
	switch (error) {
	case ENOSPC:
		return "make room there or choose another folder";
	case EDQUOT:
		return "the quota on that disk is used up: make room or choose another folder";
	case EFBIG:
		return "the limit on file sizes (ulimit -f), or the file system's own, is too low for this dump";
	case EROFS:
		return "that file system is mounted read-only: choose another folder";
	case EACCES:
	case EPERM:
		return "this user may not write there: choose another folder or have the right granted";
	case ENOTDIR:
		return "a part of the path is a file and not a folder";
	case EISDIR:
		return "the path must end with the name of a file";
	case ENAMETOOLONG:
		return "choose a shorter name";
	case EMFILE:
	case ENFILE:
		return "raise the limit of open files (ulimit -n)";
	case EIO:
		return "the disk reports errors: look at the kernel's messages (dmesg)";
	default:
		return NULL;
	}
}

const char *
file_shown(const char *path)
{
	size_t count = strlen(path);
	return count > PATH_SHOWN ? path + count - PATH_SHOWN : path;
}

bool
file_refuse(struct fault *fault, int error, const char *doing, const char *path)
{
	const char *words = advice(error);
	if (fault->kind != FAULT_NONE)
		return false;
	fault_errno(fault, FAULT_SYSTEM, error, "%s %s", doing, file_shown(path));
	return words == NULL ? false : fault_hint(fault, "%s", words);
}

static const char *
name_of(const struct file_sink *file)
{
	return file->path + file->name;
}

/* How much of path is the folder; 0: the root, or where we are. */
static size_t
folder_end(const struct file_sink *file)
{
	return file->name == 0 ? 0 : file->name - 1;
}

static size_t
parent_end(const char *path, size_t end)
{
	while (end > 0 && path[end - 1] != '/')
		end--;
	while (end > 0 && path[end - 1] == '/')
		end--;
	return end;
}

static int
open_folder(char *path, size_t end)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	char kept = path[end];
	int fd;
	if (end == 0)
		return open(path[0] == '/' ? "/" : ".", flags);
	path[end] = 0;
	fd = open(path, flags);
	path[end] = kept;
	return fd;
}

/* True also where the file system knows no fsync of folders. */
static bool
sync_folder(int fd)
{
	while (fsync(fd) != 0)
		if (errno != EINTR)
			return errno == EINVAL || errno == ENOTSUP;
	return true;
}

static bool
sync_parent(struct file_sink *file, size_t end, struct fault *fault)
{
	int error = 0, fd = open_folder(file->path, parent_end(file->path, end));
	/* one may be allowed to make folders in a folder and not to read it */
	if (fd < 0)
		return errno == EACCES || file_refuse(fault, errno, "opening the folder above", file->path);
	if (!sync_folder(fd))
		error = errno;
	close(fd);
	return error == 0 || file_refuse(fault, error, "making the folder durable for", file->path);
}

/* Some file systems find another reason than EEXIST for what is there. */
static int
make_or_find(const char *path)
{
	struct stat there;
	int error;
	if (mkdir(path, 0700) == 0)
		return 0;
	error = errno;
	return stat(path, &there) == 0 && S_ISDIR(there.st_mode) ? EEXIST : error;
}

static bool
make_folder(struct file_sink *file, size_t end, struct fault *fault)
{
	char kept = file->path[end];
	int error;
	file->path[end] = 0;
	error = make_or_find(file->path);
	if (error != 0 && error != EEXIST)
		file_refuse(fault, error, "making the folder", file->path);
	file->path[end] = kept;
	if (error != 0)
		return error == EEXIST;
	if (file->made == 0 || end < file->made)
		file->made = end;
	return sync_parent(file, end, fault);
}

static bool
enter_folder(struct file_sink *file, struct fault *fault)
{
	file->folder = open_folder(file->path, folder_end(file));
	if (file->folder < 0 && errno == ENOENT) {
		for (size_t end = 1; end < file->name; end++)
			if (file->path[end] == '/' && file->path[end - 1] != '/' && !make_folder(file, end, fault))
				return false;
		file->folder = open_folder(file->path, folder_end(file));
	}
	return file->folder >= 0 || file_refuse(fault, errno, "opening the folder of", file->path);
}

/* What would refuse the final name after the dump is said before it. */
static bool
check_name(const struct file_sink *file, struct fault *fault)
{
	struct stat there;
	if (fstatat(file->folder, name_of(file), &there, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || file_refuse(fault, errno, "looking for", file->path);
	return !file->overwrite || !S_ISDIR(there.st_mode) || file_refuse(fault, EISDIR, "overwriting", file->path);
}

/* At most `most` bytes of a name, and no torn UTF-8. */
static int
shortened(const char *name, size_t count, size_t most)
{
	if (count <= most)
		return (int)count;
	while (most > 0 && ((unsigned char)name[most] & 0xc0) == 0x80)
		most--;
	return (int)most;
}

static bool
make_temporary(struct file_sink *file, struct fault *fault)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	const char *name = name_of(file);
	int shown = shortened(name, strlen(name), NAME_SHOWN);
	uint32_t number;
	int error = EEXIST;
	for (int i = 0; i < TRIES && (error == EEXIST || error == EINTR); i++) {
		if (!random_bytes(&number, sizeof number, fault))
			return false;
		snprintf(file->temporary, sizeof file->temporary, ".%.*s.%08" PRIx32 ".part", shown, name, number);
		file->fd = openat(file->folder, file->temporary, flags, 0600);
		if (file->fd >= 0)
			return true;
		error = errno;
	}
	file->temporary[0] = 0;
	return file_refuse(fault, error, "making", file->path);
}

static bool
take_path(struct file_sink *file, const char *path, struct fault *fault)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	file->path[0] = file->temporary[0] = 0;
	file->name = (size_t)(name - path);
	file->made = 0;
	file->fd = file->folder = -1;
	if (!text_keep(file->path, sizeof file->path, span_of(path)))
		return file_refuse(fault, ENAMETOOLONG, "making", path);
	if (name[0] == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return file_refuse(fault, EISDIR, "making", path);
	return true;
}

bool
file_place_open(struct file_sink *file, const char *path, struct fault *fault)
{
	if (!take_path(file, path, fault))
		return false;
	for (int i = 0;; i++) {
		if (enter_folder(file, fault) && check_name(file, fault) && make_temporary(file, fault))
			return true;
		file_place_leave(file);
		/* another dump that was abandoned may have removed the folder it had made, between our steps */
		if (fault->detail != ENOENT || i == TRIES)
			return false;
		fault_clear(fault);
	}
}

static bool
is_unsupported(int error)
{
	return error == EINVAL || error == ENOSYS || error == EPERM || error == EOPNOTSUPP || error == EMLINK;
}

/* Last resort, where the file system has neither: look, then rename. A hidden file keeps other runs of this program away
 * between the two, and not an empty file under the name itself, which a kill would leave there. */
static int
claim_by_turns(const struct file_sink *file, const char *name)
{
	char held[NAME_SHOWN + 16];
	struct stat there;
	int error = 0, fd;
	snprintf(held, sizeof held, ".%.*s.claim.part", shortened(name, strlen(name), NAME_SHOWN), name);
	fd = openat(file->folder, held, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	if (fstatat(file->folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0)
		error = EEXIST;
	else if (errno != ENOENT || renameat(file->folder, file->temporary, file->folder, name) != 0)
		error = errno;
	unlinkat(file->folder, held, 0);
	return error;
}

/* 0 or an errno; EEXIST: the name is taken. */
static int
claim(const struct file_sink *file, const char *name)
{
	if (file->overwrite)
		return renameat(file->folder, file->temporary, file->folder, name) == 0 ? 0 : errno;
	if (rename_new(file->folder, file->temporary, name))
		return 0;
	if (!is_unsupported(errno))
		return errno;
	if (linkat(file->folder, file->temporary, file->folder, name, 0) == 0) {
		unlinkat(file->folder, file->temporary, 0);
		return 0;
	}
	return is_unsupported(errno) ? claim_by_turns(file, name) : errno;
}

/* NAME.dmp, NAME-2.dmp, NAME-3.dmp, …; a name that becomes too long loses the end of its stem. */
static void
put_candidate(char room[NAME_BYTES_MAX + 1], const char *name, int number)
{
	const char *dot = strrchr(name, '.');
	size_t count = strlen(name), extension = dot == NULL || dot == name ? 0 : count - (size_t)(dot - name);
	char tail[EXTENSION_MAX + 16];
	if (extension > EXTENSION_MAX)
		extension = 0;
	count -= extension;
	snprintf(tail, sizeof tail, "-%d%s", number, name + count);
	snprintf(room, NAME_BYTES_MAX + 1, "%.*s%s", shortened(name, count, NAME_BYTES_MAX - strlen(tail)), name, tail);
}

bool
file_sink_path(const struct file_sink *file, int number, char room[PATH_BYTES_MAX])
{
	char candidate[NAME_BYTES_MAX + 1];
	const char *name = name_of(file);
	if (number > 1) {
		put_candidate(candidate, name, number);
		name = candidate;
	}
	if (file->name + strlen(name) >= PATH_BYTES_MAX)
		return false;
	memmove(room, file->path, file->name);
	memmove(room + file->name, name, strlen(name) + 1);
	return true;
}

bool
file_sink_claim(struct file_sink *file, int number, bool *taken, struct fault *fault)
{
	char path[PATH_BYTES_MAX];
	int error = ENAMETOOLONG;
	assert(file->fd < 0 && file->folder >= 0 && file->temporary[0] != 0);
	*taken = false;
	if (file_sink_path(file, number, path))
		error = claim(file, path + file->name);
	*taken = error == EEXIST && !file->overwrite;
	if (error != 0)
		return *taken ? false : file_refuse(fault, error, "naming", file->path);
	memcpy(file->path, path, strlen(path) + 1);
	file->temporary[0] = 0;
	if (!sync_folder(file->folder)) {
		error = errno;
		/* it is ours and whole, but may be gone after a power loss: then rather gone now */
		if (!file->overwrite)
			unlinkat(file->folder, name_of(file), 0);
		return file_refuse(fault, error, "making the name durable of", file->path);
	}
	close(file->folder);
	file->folder = -1;
	file->made = 0;
	return true;
}

static bool
remove_folder(char *path, size_t end)
{
	char kept = path[end];
	bool gone;
	path[end] = 0;
	gone = rmdir(path) == 0;
	path[end] = kept;
	return gone;
}

void
file_place_leave(struct file_sink *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->temporary[0] != 0)
		unlinkat(file->folder, file->temporary, 0);
	if (file->folder >= 0)
		close(file->folder);
	for (size_t end = folder_end(file); file->made > 0 && end >= file->made; end = parent_end(file->path, end))
		if (!remove_folder(file->path, end))
			break;
	file->fd = file->folder = -1;
	file->temporary[0] = 0;
	file->made = 0;
}
