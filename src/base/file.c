/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/file_place.h"
#include "base/stop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BLOCK 4096
#define LARGE MIB           /* from here on direct I/O and reservation pay */
#define LONG (128 * MIB)    /* from here on writing beside the caller pays for the 30 ms that its end costs */
#define GROW (64 * MIB)

static bool
say_too_large(const struct file_sink *file, uint64_t allowed, int error, struct fault *fault)
{
	bool full = error == ENOSPC;
	char room[80];
	struct text sizes = text_in(room, sizeof room);
	text_put(&sizes, full ? "not enough room: needs " : "too large: needs ");
	text_put_size(&sizes, file->expected);
	text_put(&sizes, full ? ", has " : ", the limit is ");
	text_put_size(&sizes, allowed);
	fault_raise(fault, FAULT_SYSTEM, "making %s: %s", file_shown(file->path), room);
	fault->detail = error;
	return fault_hint(fault, full ? "make room there or choose another folder" : "raise the limit on file sizes (ulimit -f)");
}

bool
file_sink_room(const struct file_sink *file, uint64_t *bytes)
{
	struct statvfs there;
	if (fstatvfs(file->folder, &there) != 0)
		return false;
	*bytes = (uint64_t)there.f_bavail * there.f_frsize;
	return true;
}

/* Only where it is sure: some file systems cannot reserve, and then the writes themselves will tell. */
static bool
reserve(struct file_sink *file, struct fault *fault)
{
	const uint64_t expected = file->expected;
	struct rlimit limit;
	uint64_t room;
	int error;
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < expected)
		return say_too_large(file, limit.rlim_cur, EFBIG, fault);
	if (expected < LARGE)
		return true;
	file->reserved = true;
	if (reserve_disk(file->fd, expected))
		return true;
	error = errno;
	if (error == ENOSPC && file_sink_room(file, &room))
		return say_too_large(file, room, error, fault);
	if (error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO)
		return file_refuse(fault, error, "reserving room for", file->path);
	return true;
}

static void
choose_way(struct file_sink *file)
{
	bool small = file->expected > 0 && file->expected < LARGE;
	file->direct = file->piece > 0 && !small && set_direct(file->fd, true);
}

/* From here on the room is two pieces by turns: one is filled while the other is written. */
static void
open_queue(struct file_sink *file)
{
	file->tried = true;
	file->grown = 1; /* at least: the size is set right at the end */
	if (!grows_as_hole(file->fd, file->place) || !disk_queue_open(&file->queue, 2))
		return;
	file->queued = true;
	file->piece /= 2;
}

static bool
write_at(struct file_sink *file, const unsigned char *from, size_t count, uint64_t place, struct fault *fault)
{
	while (count > 0) {
		ssize_t put = pwrite(file->fd, from, count, (off_t)place);
		if (put < 0 && errno == EINTR)
			continue;
		/* some file systems let direct I/O be switched on and refuse its first write, or want more than 4096 */
		if (put < 0 && errno == EINVAL && file->direct && set_direct(file->fd, false)) {
			file->direct = false;
			continue;
		}
		if (put <= 0)
			return file_refuse(fault, put < 0 ? errno : EIO, "writing", file->path);
		from += put;
		count -= (size_t)put;
		place += (uint64_t)put;
	}
	return true;
}

static unsigned char *
piece_of(const struct file_sink *file, unsigned turn)
{
	return file->room + turn * file->piece;
}

/* Waits until the piece `turn` may be filled again. What was not written, or not all of it, is tried once more in the
 * plain way, which also finds the cause. */
static bool
wait_for(struct file_sink *file, unsigned turn, struct fault *fault)
{
	while (file->busy[turn]) {
		unsigned tag;
		int64_t written;
		size_t done;
		if (!disk_queue_wait(&file->queue, &tag, &written))
			return file_refuse(fault, errno, "waiting for a write to", file->path);
		assert(tag < 2 && file->busy[tag] && written <= (int64_t)file->piece);
		file->busy[tag] = false;
		done = written > 0 ? (size_t)written : 0;
		if (!write_at(file, piece_of(file, tag) + done, file->piece - done, file->busy_place[tag] + done, fault))
			return false;
	}
	return true;
}

static bool
prepare_piece(struct file_sink *file, struct fault *fault)
{
	if (file->direct && !file->tried && (file->place >= LONG || file->expected >= LONG))
		open_queue(file);
	return wait_for(file, file->turn, fault);
}

/* A direct write past the end of the file makes its caller wait, at least with ext4. */
static void
grow(struct file_sink *file)
{
	uint64_t end = file->place + file->piece;
	if (end <= file->grown)
		return;
	file->grown = ftruncate(file->fd, (off_t)(end + GROW)) == 0 ? end + GROW : UINT64_MAX;
}

static bool
send_piece(struct file_sink *file, struct fault *fault)
{
	const unsigned char *from = piece_of(file, file->turn);
	if (file->queued)
		grow(file);
	if (file->queued && file->direct &&
	    disk_queue_write(&file->queue, file->turn, file->fd, from, file->piece, file->place)) {
		file->busy[file->turn] = true;
		file->busy_place[file->turn] = file->place;
	} else if (!write_at(file, from, file->piece, file->place, fault)) {
		return false;
	}
	file->place += file->piece;
	file->used = 0;
	file->turn ^= file->queued;
	return true;
}

static bool
file_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct file_sink *file = (struct file_sink *)sink;
	const unsigned char *at = from;
	while (count > 0) {
		size_t part;
		if (!file->direct && file->used == 0 && count >= file->piece) {
			file->place += count;
			return write_at(file, at, count, file->place - count, fault);
		}
		if (file->used == 0 && !prepare_piece(file, fault))
			return false;
		part = file->piece - file->used;
		part = part < count ? part : count;
		memcpy(piece_of(file, file->turn) + file->used, at, part);
		file->used += part;
		at += part;
		count -= part;
		if (file->used == file->piece && !send_piece(file, fault))
			return false;
	}
	return true;
}

/* The last bytes: whole blocks as before, the rest through the page cache. */
static bool
flush(struct file_sink *file, struct fault *fault)
{
	const unsigned char *from;
	size_t whole;
	if (!wait_for(file, 0, fault) || !wait_for(file, 1, fault))
		return false;
	if (file->used == 0)
		return true;
	from = piece_of(file, file->turn);
	whole = file->direct ? file->used / BLOCK * BLOCK : 0;
	if (!write_at(file, from, whole, file->place, fault))
		return false;
	if (whole < file->used && file->direct) {
		if (!set_direct(file->fd, false))
			return file_refuse(fault, errno, "ending direct writes to", file->path);
		file->direct = false;
	}
	if (!write_at(file, from + whole, file->used - whole, file->place + whole, fault))
		return false;
	file->place += file->used;
	file->used = 0;
	return true;
}

/* Runs one of the calls below again when a signal cut it short; 0 or errno. */
static int
trim(const struct file_sink *file)
{
	while (ftruncate(file->fd, (off_t)file->place) != 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

static int
make_durable(const struct file_sink *file)
{
	while (fsync(file->fd) != 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

static void
end_queue(struct file_sink *file)
{
	if (file->queued)
		disk_queue_close(&file->queue);
	file->queued = file->busy[0] = file->busy[1] = false;
}

bool
file_sink_prepare(struct file_sink *file, struct fault *fault)
{
	int error;
	if (!flush(file, fault))
		return false;
	end_queue(file);
	error = file->reserved || file->grown > 0 ? trim(file) : 0;
	if (error != 0)
		return file_refuse(fault, error, "setting the size of", file->path);
	error = make_durable(file);
	if (error != 0)
		return file_refuse(fault, error, "making durable", file->path);
	/* before the name is given: some network file systems say only now what went wrong */
	error = close(file->fd) == 0 || errno == EINTR ? 0 : errno;
	file->fd = -1;
	return error == 0 || file_refuse(fault, error, "closing", file->path);
}

static bool
file_finish(struct sink *sink, struct fault *fault)
{
	struct file_sink *file = (struct file_sink *)sink;
	bool taken = true;
	if (!file_sink_prepare(file, fault))
		return false;
	for (int number = 1; number <= FILE_NUMBERS && taken; number++)
		if (file_sink_claim(file, number, &taken, fault))
			return true;
	return taken ? file_refuse(fault, EEXIST, "naming", file->path) : false;
}

static void
file_abandon(struct sink *sink)
{
	struct file_sink *file = (struct file_sink *)sink;
	end_queue(file);
	file_place_leave(file);
}

bool
file_sink_open(struct file_sink *file, const char *path, uint64_t expected, bool overwrite, void *room, size_t size,
               struct fault *fault)
{
	assert(size % (2 * BLOCK) == 0 && (uintptr_t)room % BLOCK == 0);
	memset(file, 0, sizeof *file);
	file->sink = (struct sink){file_write, file_finish, file_abandon};
	file->room = room;
	file->piece = size;
	file->expected = expected;
	file->overwrite = overwrite;
	if (!file_place_open(file, path, fault))
		return false;
	choose_way(file);
	if (reserve(file, fault))
		return true;
	file_abandon(&file->sink);
	return false;
}

bool
file_write_whole(const char *path, struct span content, bool overwrite, bool *taken, struct fault *fault)
{
	struct file_sink file;
	*taken = false;
	if (!file_sink_open(&file, path, content.count, overwrite, NULL, 0, fault))
		return false;
	if (file_write(&file.sink, content.at, content.count, fault) && file_sink_prepare(&file, fault) &&
	    file_sink_claim(&file, 1, taken, fault))
		return true;
	file_abandon(&file.sink);
	return false;
}

static bool
source_read(struct source *source, void *room, size_t size, size_t *got, struct fault *fault)
{
	struct file_source *file = (struct file_source *)source;
	ssize_t taken;
	while ((taken = read(file->fd, room, size)) < 0)
		if (errno != EINTR)
			return fault_errno(fault, FAULT_SYSTEM, errno, "reading %s", file->path);
		else if (!stop_check(fault))
			return false;
	*got = (size_t)taken;
	return true;
}

static int
open_to_read(const char *path, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fault_errno(fault, errno == ENOENT ? FAULT_MISSING : FAULT_SYSTEM, errno, "opening %s", path);
	return fd;
}

bool
file_source_open(struct file_source *file, const char *path, struct fault *fault)
{
	file->source.read = source_read;
	file->fd = -1;
	if (!text_keep(file->path, sizeof file->path, span_of(path)))
		return file_refuse(fault, ENAMETOOLONG, "opening", path);
	file->fd = open_to_read(path, fault);
	return file->fd >= 0;
}

void
file_source_close(struct file_source *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static bool
read_to_end(struct file_source *file, unsigned char *room, size_t size, size_t *count, struct fault *fault)
{
	size_t got;
	unsigned char beyond;
	for (*count = 0;; *count += got) {
		bool full = *count == size;
		if (!source_read(&file->source, full ? &beyond : room + *count, full ? 1 : size - *count, &got, fault))
			return false;
		if (got == 0)
			return true;
		if (full)
			return fault_raise(fault, FAULT_BOUND, "%s is longer than %zu bytes", file->path, size);
	}
}

bool
file_read_whole(const char *path, void *room, size_t size, size_t *count, struct fault *fault)
{
	struct file_source file;
	bool good;
	if (!file_source_open(&file, path, fault))
		return false;
	good = read_to_end(&file, room, size, count, fault);
	file_source_close(&file);
	return good;
}
