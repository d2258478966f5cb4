/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* unshare: what the test mounts is gone with it */
#include "base/file.h"

#include "base/memory.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM (64u * KIB)
#define LONG_ROOM (512u * KIB)
#define THREADS 4

static char disk[] = "/tmp/kudump-unit-XXXXXX", fast[] = "/dev/shm/kudump-unit-XXXXXX";
static const char *base = disk; /* where the tests write; names are as good in memory, and their fsync costs nothing */
static struct memory memory;
static unsigned char *rooms[THREADS];
static struct file_sink sinks[THREADS];
static bool may_mount;

static unsigned char
byte_at(uint64_t place)
{
	return (unsigned char)(place * 31 + (place >> 12) * 7 + (place >> 20));
}

static const char *
in(const char *folder, const char *name)
{
	static char paths[4][PATH_BYTES_MAX];
	static int turn;
	struct text text;
	turn = (turn + 1) % 4;
	text = text_in(paths[turn], sizeof paths[turn]);
	text_printf(&text, "%s/%s", folder, name);
	return paths[turn];
}

/* Writes `size` bytes in pieces that fit no boundary. */
static bool
pour(struct file_sink *file, uint64_t size, struct fault *fault)
{
	static unsigned char piece[40000];
	size_t most = 1;
	for (uint64_t at = 0; at < size;) {
		size_t count = size - at < most ? (size_t)(size - at) : most;
		for (size_t i = 0; i < count; i++)
			piece[i] = byte_at(at + i);
		if (!file->sink.write(&file->sink, piece, count, fault))
			return false;
		at += count;
		most = most * 3 + 1 < sizeof piece ? most * 3 + 1 : 16384;
	}
	return true;
}

static bool
holds(const char *path, uint64_t size)
{
	static unsigned char piece[65536];
	int fd = open(path, O_RDONLY);
	uint64_t at = 0;
	ssize_t got;
	bool good = fd >= 0;
	while (good && (got = read(fd, piece, sizeof piece)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			good = good && piece[i] == byte_at(at + (uint64_t)i);
		at += (uint64_t)got;
	}
	close(fd);
	return good && at == size;
}

static int
entries(const char *folder)
{
	DIR *list = opendir(folder);
	int count = -2;
	while (list != NULL && readdir(list) != NULL)
		count++;
	if (list != NULL)
		closedir(list);
	return count;
}

static void
clean(const char *folder)
{
	DIR *list = opendir(folder);
	struct dirent *one;
	while (list != NULL && (one = readdir(list)) != NULL)
		if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0 &&
		    unlinkat(dirfd(list), one->d_name, 0) != 0)
			unlinkat(dirfd(list), one->d_name, AT_REMOVEDIR);
	if (list != NULL)
		closedir(list);
}

static void
touch(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT, 0600));
}

static bool
store(struct file_sink *file, const char *path, uint64_t expected, uint64_t size, bool overwrite, size_t room,
      struct fault *fault)
{
	fault_clear(fault);
	if (!file_sink_open(file, path, expected, overwrite, rooms[0], room, fault))
		return false;
	if (pour(file, size, fault) && file->sink.finish(&file->sink, fault))
		return true;
	file->sink.abandon(&file->sink);
	return false;
}

static void
check_sizes(const char *folder)
{
	static const uint64_t sizes[] = {0, 1, 4095, 4096, 4097, 8191, ROOM / 2 - 1, ROOM / 2, ROOM / 2 + 1, ROOM - 1, ROOM,
	                                 ROOM + 1, 3 * ROOM / 2, 5 * ROOM + 4095, MIB - 1, MIB, MIB + 1, 2 * MIB + 12345};
	static const size_t room_sizes[] = {0, 8192, ROOM};
	struct fault fault = {0};
	for (size_t r = 0; r < 3; r++)
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			uint64_t size = sizes[i], expected[] = {0, size, size + 3 * MIB, size / 2};
			for (size_t e = 0; e < 4; e++) {
				struct stat there;
				const char *path = in(folder, "a.dmp");
				/* every other one: each costs the disk two fsyncs */
				if ((r + i + e) % 2 == 1 || (r == 0 && e > 0) || (r < 2 && size > 6 * ROOM))
					continue;
				CHECK(store(&sinks[0], path, expected[e], size, true, room_sizes[r], &fault));
				CHECK_TEXT(fault.text, "");
				CHECK_TEXT(sinks[0].path, path);
				CHECK(holds(path, size) && entries(folder) == 1);
				CHECK(stat(path, &there) == 0 && (there.st_mode & 07777) == 0600);
				/* what was reserved and not used is given back */
				CHECK((uint64_t)there.st_blocks * 512 <= size + MIB / 4);
			}
		}
	clean(folder);
}

static void
sizes(void)
{
	check_sizes(base);
}

static void
check_long_that_is_short(uint64_t size)
{
	struct fault fault = {0};
	struct stat there;
	const char *path = in(base, "s.dmp");
	CHECK(store(&sinks[0], path, 140 * (uint64_t)MIB, size, true, LONG_ROOM, &fault) && holds(path, size));
	CHECK(stat(path, &there) == 0 && (uint64_t)there.st_blocks * 512 <= size + MIB / 4);
	CHECK(file_sink_open(&sinks[0], path, 140 * (uint64_t)MIB, true, rooms[0], LONG_ROOM, &fault));
	CHECK(pour(&sinks[0], size, &fault));
	sinks[0].sink.abandon(&sinks[0].sink);
	CHECK(holds(path, size) && unlink(path) == 0);
}

/* Long files are written beside the caller, in files made larger ahead of their bytes: known to be long, or found out. */
static void
long_files(void)
{
	struct fault fault = {0};
	CHECK(store(&sinks[0], in(base, "a.dmp"), 0, 200 * (uint64_t)MIB + 4099, false, LONG_ROOM, &fault));
	CHECK(holds(in(base, "a.dmp"), 200 * (uint64_t)MIB + 4099));
	CHECK(store(&sinks[0], in(base, "b.dmp"), 140 * (uint64_t)MIB, 65 * (uint64_t)MIB, false, LONG_ROOM, &fault));
	CHECK(holds(in(base, "b.dmp"), 65 * (uint64_t)MIB));
	/* and those expected to be long that are not, or are given up with a write under way */
	check_long_that_is_short(5);
	check_long_that_is_short(LONG_ROOM / 2);
	check_long_that_is_short(LONG_ROOM + 1);
	clean(base);
}

static void
abandon_leaves_nothing(void)
{
	static const uint64_t sizes[] = {0, 5, ROOM / 2 + 1, 3 * ROOM};
	struct fault fault = {0};
	for (size_t i = 0; i < 4; i++) {
		struct file_sink *file = &sinks[0];
		CHECK(file_sink_open(file, in(base, "x/y//z/a.dmp"), 2 * MIB * i, false, rooms[0], ROOM, &fault));
		CHECK(entries(in(base, "x/y/z")) == 1);
		CHECK(pour(file, sizes[i], &fault));
		if (i % 2 == 1)
			CHECK(file_sink_prepare(file, &fault));
		file->sink.abandon(&file->sink);
		file->sink.abandon(&file->sink);
		CHECK(entries(base) == 0);
	}
}

static void
abandon_keeps_what_others_use(void)
{
	struct fault fault = {0};
	CHECK(mkdir(in(base, "x"), 0755) == 0);
	CHECK(file_sink_open(&sinks[0], in(base, "x/y/a.dmp"), 0, false, rooms[0], ROOM, &fault));
	CHECK(file_sink_open(&sinks[1], in(base, "x/y/b.dmp"), 0, false, rooms[1], ROOM, &fault));
	sinks[0].sink.abandon(&sinks[0].sink);
	CHECK(pour(&sinks[1], 10, &fault) && sinks[1].sink.finish(&sinks[1].sink, &fault));
	sinks[1].sink.abandon(&sinks[1].sink);
	CHECK(holds(in(base, "x/y/b.dmp"), 10) && entries(in(base, "x/y")) == 1);
	clean(in(base, "x/y"));
	clean(in(base, "x"));
	clean(base);
}

static void
folders_are_private(void)
{
	struct fault fault = {0};
	struct stat there;
	CHECK(store(&sinks[0], in(base, "2026-11-21/a.dmp"), 0, 3, false, ROOM, &fault));
	CHECK(stat(in(base, "2026-11-21"), &there) == 0 && (there.st_mode & 07777) == 0700);
	clean(in(base, "2026-11-21"));
	clean(base);
}

static void
relative_paths(void)
{
	struct fault fault = {0};
	int back = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(chdir(base) == 0);
	CHECK(store(&sinks[0], "a", 0, 3, false, ROOM, &fault) && holds("a", 3));
	CHECK_TEXT(sinks[0].path, "a");
	CHECK(store(&sinks[0], "d/e/a", 0, 3, false, ROOM, &fault) && holds("d/e/a", 3));
	CHECK(store(&sinks[0], "./d/../a", 0, 4, false, ROOM, &fault) && holds("a-2", 4));
	CHECK_TEXT(sinks[0].path, "./d/../a-2");
	CHECK(fchdir(back) == 0);
	close(back);
	clean(in(base, "d/e"));
	clean(in(base, "d"));
	clean(base);
}

static void
name_becomes(const char *wanted, const char *got)
{
	struct fault fault = {0};
	CHECK(store(&sinks[0], in(base, wanted), 0, 7, false, ROOM, &fault));
	CHECK_TEXT(sinks[0].path, in(base, got));
	CHECK(holds(in(base, got), 7));
}

static void
taken_names_get_a_number(void)
{
	static const char *const names[][3] = {{"a.dmp", "a-2.dmp", "a-3.dmp"},
	                                       {"plain", "plain-2", "plain-3"},
	                                       {".hidden", ".hidden-2", ".hidden-3"},
	                                       {"a.tar.gz", "a.tar-2.gz", "a.tar-3.gz"},
	                                       {"a.", "a-2.", "a-3."},
	                                       {"v1.no extension at all", "v1.no extension at all-2", "v1.no extension at all-3"}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		touch(in(base, names[i][0]));
		name_becomes(names[i][0], names[i][1]);
		name_becomes(names[i][0], names[i][2]);
		CHECK(holds(in(base, names[i][0]), 0));
	}
	clean(base);
}

static void
the_longest_name_gets_a_number_too(void)
{
	char name[256], second[256];
	memset(name, 'n', 255);
	memcpy(name + 251, ".dmp", 5);
	strcpy(second, name);
	memcpy(second + 249, "-2.dmp", 7);
	name_becomes(name, name);
	name_becomes(name, second);
	/* and no torn character: 84 times e2 82 ac, .dm; then 83, -2.dm */
	for (int i = 0; i < 84; i++)
		memcpy(name + 3 * i, "\xe2\x82\xac", 3);
	strcpy(name + 252, ".dm");
	strcpy(second, name);
	strcpy(second + 249, "-2.dm");
	name_becomes(name, name);
	name_becomes(name, second);
	clean(base);
}

static void
links_and_folders_are_names_taken(void)
{
	touch(in(base, "target"));
	CHECK(symlink("nowhere", in(base, "a.dmp")) == 0 && symlink("target", in(base, "b.dmp")) == 0);
	CHECK(mkdir(in(base, "c.dmp"), 0700) == 0);
	name_becomes("a.dmp", "a-2.dmp");
	name_becomes("b.dmp", "b-2.dmp");
	name_becomes("c.dmp", "c-2.dmp");
	CHECK(holds(in(base, "target"), 0) && access(in(base, "nowhere"), F_OK) != 0);
	clean(base);
}

static void
overwrite_replaces_files_and_links_only(void)
{
	struct fault fault = {0};
	touch(in(base, "target"));
	touch(in(base, "a.dmp"));
	CHECK(symlink("target", in(base, "b.dmp")) == 0 && mkdir(in(base, "c.dmp"), 0700) == 0);
	CHECK(store(&sinks[0], in(base, "a.dmp"), 0, 9, true, ROOM, &fault) && holds(in(base, "a.dmp"), 9));
	CHECK(store(&sinks[0], in(base, "b.dmp"), 0, 9, true, ROOM, &fault) && holds(in(base, "b.dmp"), 9));
	CHECK(holds(in(base, "target"), 0));
	CHECK(!store(&sinks[0], in(base, "c.dmp"), 0, 9, true, ROOM, &fault) && fault.detail == EISDIR);
	CHECK(entries(base) == 4);
	clean(base);
}

static void
refused(const char *path, int error)
{
	struct fault fault = {0};
	CHECK(!file_sink_open(&sinks[0], path, 0, false, rooms[0], ROOM, &fault));
	CHECK(fault.kind == FAULT_SYSTEM && fault.detail == error);
	if (fault.detail != error)
		fprintf(stderr, "%s: %s\n", path, fault.text);
	CHECK(entries(base) == 1);
}

static void
bad_paths_are_refused_before_a_byte(void)
{
	static char path[PATH_BYTES_MAX + 10];
	touch(in(base, "file"));
	refused("", EISDIR);
	refused(in(base, ""), EISDIR);
	refused(in(base, "x/."), EISDIR);
	refused(in(base, "x/.."), EISDIR);
	refused(in(base, "file/a.dmp"), ENOTDIR);
	refused(in(base, "file/x/a.dmp"), ENOTDIR);
	refused("/proc/kudump/a.dmp", ENOENT);
	memset(path, 'n', sizeof path);
	path[sizeof path - 1] = 0;
	refused(path, ENAMETOOLONG);
	path[PATH_BYTES_MAX] = 0;
	refused(path, ENAMETOOLONG);
	path[PATH_BYTES_MAX - 1] = 0;
	refused(path, ENAMETOOLONG);
	path[256] = 0;
	refused(in(base, path), ENAMETOOLONG);
	refused(in(base, in("x", path)), ENAMETOOLONG);
	refused(in(base, in(path, "x")), ENAMETOOLONG);
	clean(base);
}

static void
a_folder_that_vanishes_is_a_fault(void)
{
	struct fault fault = {0};
	CHECK(file_sink_open(&sinks[0], in(base, "v/a.dmp"), 0, false, rooms[0], ROOM, &fault));
	CHECK(pour(&sinks[0], 100, &fault));
	clean(in(base, "v"));
	CHECK(rmdir(in(base, "v")) == 0);
	CHECK(!sinks[0].sink.finish(&sinks[0].sink, &fault) && fault.detail == ENOENT);
	sinks[0].sink.abandon(&sinks[0].sink);
	CHECK(entries(base) == 0);
}

static void
two_steps(void)
{
	struct fault fault = {0};
	char path[PATH_BYTES_MAX];
	bool taken = false;
	CHECK(file_sink_open(&sinks[0], in(base, "a.dmp"), 0, false, rooms[0], ROOM, &fault));
	CHECK(pour(&sinks[0], ROOM + 1, &fault) && file_sink_prepare(&sinks[0], &fault));
	CHECK(access(in(base, "a.dmp"), F_OK) != 0 && entries(base) == 1);
	touch(in(base, "a.dmp"));
	CHECK(!file_sink_claim(&sinks[0], 1, &taken, &fault) && taken && fault.kind == FAULT_NONE);
	CHECK(file_sink_path(&sinks[0], 2, path));
	CHECK_TEXT(path, in(base, "a-2.dmp"));
	CHECK(file_sink_path(&sinks[0], 1, path));
	CHECK_TEXT(path, in(base, "a.dmp"));
	CHECK(file_sink_claim(&sinks[0], 2, &taken, &fault) && !taken);
	CHECK_TEXT(sinks[0].path, in(base, "a-2.dmp"));
	CHECK(holds(in(base, "a-2.dmp"), ROOM + 1) && holds(in(base, "a.dmp"), 0) && entries(base) == 2);
	clean(base);
}

struct racer {
	int number;
	int rounds, faults;
	const char *name;
	bool often_abandon;
};

static void *
race(void *with)
{
	struct racer *racer = with;
	struct file_sink *file = &sinks[racer->number];
	char path[PATH_BYTES_MAX], word[16];
	snprintf(path, sizeof path, "%s/%s", base, racer->name);
	for (int i = 0; i < racer->rounds; i++) {
		struct fault fault = {0};
		bool open = file_sink_open(file, path, 0, false, rooms[racer->number], ROOM, &fault);
		snprintf(word, sizeof word, "%d", i);
		if (open && racer->often_abandon && i % 8 != 0) {
			file->sink.abandon(&file->sink);
		} else if (!open || !file->sink.write(&file->sink, word, strlen(word), &fault) ||
		           !file->sink.finish(&file->sink, &fault)) {
			fprintf(stderr, "%s\n", fault.text);
			racer->faults++;
		}
	}
	return NULL;
}

static int
race_all(const char *name, int rounds, bool often_abandon)
{
	pthread_t threads[THREADS];
	struct racer racers[THREADS];
	int faults = 0;
	for (int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){i, rounds, 0, name, often_abandon};
		CHECK(pthread_create(&threads[i], NULL, race, &racers[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		faults += racers[i].faults;
	}
	return faults;
}

static void
a_name_is_claimed_once(void)
{
	pid_t child = fork();
	int status;
	if (child == 0)
		_exit(race_all("same.dmp", 4, false));
	CHECK(race_all("same.dmp", 4, false) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	/* 32 files, and the numbers leave no gap */
	CHECK(entries(base) == 2 * THREADS * 4);
	CHECK(access(in(base, "same.dmp"), F_OK) == 0 && access(in(base, "same-32.dmp"), F_OK) == 0);
	clean(base);
}

static void
folders_made_and_removed_by_others_meanwhile(void)
{
	CHECK(race_all("new/folder/a.dmp", 16, true) == 0);
	CHECK(entries(in(base, "new/folder")) == THREADS * 2);
	clean(in(base, "new/folder"));
	clean(in(base, "new"));
	clean(base);
}

/* In a child with a limit on file sizes: the faults' errno of a known, an unknown length; then one that fits exactly. */
static int
under_a_limit(void)
{
	struct rlimit limit = {MIB + 100, MIB + 100};
	struct fault fault = {0};
	int bad = 0;
	setrlimit(RLIMIT_FSIZE, &limit);
	bad += store(&sinks[0], in(base, "a"), MIB + 101, MIB + 101, false, ROOM, &fault) || fault.detail != EFBIG;
	bad += strstr(fault.text, "too large: needs 1.0 MiB, the limit is 1.0 MiB") == NULL || fault.hint[0] == 0;
	bad += store(&sinks[0], in(base, "a"), 0, MIB + 101, false, ROOM, &fault) || fault.detail != EFBIG;
	bad += entries(base) != 0;
	bad += !store(&sinks[0], in(base, "a"), MIB + 100, MIB + 100, false, ROOM, &fault);
	bad += !store(&sinks[0], in(base, "a"), 0, MIB + 100, false, ROOM, &fault);
	limit = (struct rlimit){1000, 1000};
	setrlimit(RLIMIT_FSIZE, &limit);
	bad += store(&sinks[0], in(base, "c"), 0, 1001, false, ROOM, &fault) || fault.detail != EFBIG;
	bad += !store(&sinks[0], in(base, "c"), 0, 1000, false, ROOM, &fault);
	return bad;
}

static void
a_limit_on_file_sizes(void)
{
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(under_a_limit());
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(holds(in(base, "a"), MIB + 100) && holds(in(base, "a-2"), MIB + 100) && holds(in(base, "c"), 1000));
	CHECK(entries(base) == 3);
	clean(base);
}

static void
a_full_disk(void)
{
	struct fault fault = {0};
	const char *path;
	char at[100];
	if (!may_mount) {
		SKIP("only root can mount a small disk");
		return;
	}
	snprintf(at, sizeof at, "%s/small", base);
	CHECK(mkdir(at, 0700) == 0 && mount("none", at, "tmpfs", 0, "size=4m") == 0);
	path = in(at, "new/a.dmp");
	CHECK(!store(&sinks[0], path, 5 * MIB, 5 * MIB, false, ROOM, &fault));
	CHECK(fault.kind == FAULT_SYSTEM && fault.detail == ENOSPC && fault.hint[0] != 0);
	CHECK(strstr(fault.text, "not enough room: needs 5.0 MiB, has 4.0 MiB") != NULL);
	CHECK(entries(at) == 0);
	CHECK(!store(&sinks[0], path, 0, 5 * MIB, false, ROOM, &fault) && fault.detail == ENOSPC && fault.hint[0] != 0);
	CHECK(entries(at) == 0);
	CHECK(store(&sinks[0], path, 0, 3 * MIB, false, ROOM, &fault) && holds(path, 3 * MIB));
	CHECK(!store(&sinks[0], path, 0, 2 * MIB, true, ROOM, &fault) && fault.detail == ENOSPC);
	CHECK(holds(path, 3 * MIB) && entries(in(at, "new")) == 1);
	CHECK(umount(at) == 0);
	clean(base);
}

static void
a_folder_that_cannot_be_written(void)
{
	struct fault fault = {0};
	char at[100];
	if (!may_mount) {
		SKIP("only root can mount a folder read-only");
		return;
	}
	snprintf(at, sizeof at, "%s/locked", base);
	CHECK(mkdir(at, 0700) == 0 && mount("none", at, "tmpfs", MS_RDONLY, "size=4m") == 0);
	CHECK(!store(&sinks[0], in(at, "a.dmp"), 0, 5, false, ROOM, &fault) && fault.detail == EROFS && fault.hint[0] != 0);
	CHECK(!store(&sinks[0], in(at, "x/a.dmp"), 0, 5, false, ROOM, &fault) && fault.detail == EROFS);
	CHECK(umount(at) == 0);
	clean(base);
}

static void
a_folder_of_somebody_else(void)
{
	struct fault fault = {0};
	int status;
	pid_t child;
	if (geteuid() != 0) {
		SKIP("only root can become somebody else");
		return;
	}
	CHECK(mkdir(in(base, "mine"), 0755) == 0 && chmod(base, 0755) == 0);
	child = fork();
	if (child == 0) {
		bool refused_it = setuid(65534) == 0 && !store(&sinks[0], in(base, "mine/a.dmp"), 0, 5, false, ROOM, &fault) &&
		                  fault.detail == EACCES && fault.hint[0] != 0;
		_exit(refused_it && !store(&sinks[0], in(base, "mine/x/a.dmp"), 0, 5, false, ROOM, &fault) ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	clean(base);
}

static void
whole_files(void)
{
	struct fault fault = {0};
	char room[8];
	size_t count = 99;
	bool taken = true;
	const char *path = in(base, "m.json");
	CHECK(file_write_whole(path, span_of("first"), true, &taken, &fault) && file_write_whole(path, span_of("seconds"), true, &taken, &fault));
	CHECK(entries(base) == 1);
	CHECK(file_read_whole(path, room, 8, &count, &fault) && count == 7 && memcmp(room, "seconds", 7) == 0);
	CHECK(file_read_whole(path, room, 7, &count, &fault) && count == 7);
	CHECK(!taken && !file_write_whole(path, span_of("third"), false, &taken, &fault) && taken && fault.kind == FAULT_NONE);
	CHECK(entries(base) == 1 && file_read_whole(path, room, 7, &count, &fault) && count == 7);
	CHECK(file_write_whole(in(base, "n"), span_of(""), false, &taken, &fault) && !taken && unlink(in(base, "n")) == 0);
	CHECK(!file_read_whole(path, room, 6, &count, &fault) && fault.kind == FAULT_BOUND);
	fault_clear(&fault);
	CHECK(file_write_whole(path, span_of(""), true, &taken, &fault) && file_read_whole(path, room, 0, &count, &fault) && count == 0);
	CHECK(!file_read_whole(in(base, "none"), room, 8, &count, &fault) && fault.kind == FAULT_MISSING);
	CHECK(fault.detail == ENOENT && strstr(fault.text, "/none: no such file") != NULL);
	fault_clear(&fault);
	CHECK(!file_read_whole(base, room, 8, &count, &fault) && fault.kind == FAULT_SYSTEM && fault.detail == EISDIR);
	fault_clear(&fault);
	CHECK(!file_write_whole(in(base, "m.json/x"), span_of("x"), true, &taken, &fault) && fault.detail == ENOTDIR);
	clean(base);
}

static void
a_file_as_a_source(void)
{
	static struct file_source file;
	struct fault fault = {0};
	unsigned char room[3];
	size_t got;
	bool taken;
	CHECK(file_write_whole(in(base, "s"), span_of("hello"), true, &taken, &fault));
	CHECK(file_source_open(&file, in(base, "s"), &fault));
	CHECK(file.source.read(&file.source, room, 3, &got, &fault) && got == 3 && memcmp(room, "hel", 3) == 0);
	CHECK(file.source.read(&file.source, room, 3, &got, &fault) && got == 2 && memcmp(room, "lo", 2) == 0);
	CHECK(file.source.read(&file.source, room, 3, &got, &fault) && got == 0);
	file_source_close(&file);
	file_source_close(&file);
	CHECK(!file_source_open(&file, in(base, "t"), &fault) && fault.kind == FAULT_MISSING);
	clean(base);
}

static bool
prepare_all(void)
{
	struct fault fault = {0};
	if (mkdtemp(disk) == NULL || !memory_open(&memory, LONG_ROOM + THREADS * ROOM, &fault))
		return false;
	for (int i = 0; i < THREADS; i++)
		rooms[i] = memory_take(&memory, i == 0 ? LONG_ROOM : ROOM, 4096);
	may_mount = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	signal(SIGXFSZ, SIG_IGN);
	return true;
}

int
main(void)
{
	if (!prepare_all())
		return 1;
	UNIT_RUN(sizes);
	UNIT_RUN(long_files);
	UNIT_RUN(abandon_leaves_nothing);
	UNIT_RUN(a_limit_on_file_sizes);
	UNIT_RUN(two_steps);
	if (mkdtemp(fast) != NULL)
		base = fast;
	UNIT_RUN(sizes);
	UNIT_RUN(abandon_keeps_what_others_use);
	UNIT_RUN(folders_are_private);
	UNIT_RUN(relative_paths);
	UNIT_RUN(taken_names_get_a_number);
	UNIT_RUN(the_longest_name_gets_a_number_too);
	UNIT_RUN(links_and_folders_are_names_taken);
	UNIT_RUN(overwrite_replaces_files_and_links_only);
	UNIT_RUN(bad_paths_are_refused_before_a_byte);
	UNIT_RUN(a_folder_that_vanishes_is_a_fault);
	UNIT_RUN(a_name_is_claimed_once);
	UNIT_RUN(folders_made_and_removed_by_others_meanwhile);
	UNIT_RUN(a_full_disk);
	UNIT_RUN(a_folder_that_cannot_be_written);
	UNIT_RUN(a_folder_of_somebody_else);
	UNIT_RUN(whole_files);
	UNIT_RUN(a_file_as_a_source);
	CHECK(rmdir(disk) == 0 && (base == disk || rmdir(fast) == 0));
	return unit_end() | unit_bad;
}
