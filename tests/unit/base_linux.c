/* SPDX-License-Identifier: MIT */
#include "base/linux.h"

#include "base/memory.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static unsigned char *pages;

static int
new_file(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path);
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static void
random_bytes_differ(void)
{
	unsigned char a[256] = {0}, b[256] = {0}, zero[256] = {0};
	struct fault fault = {0};
	CHECK(random_bytes(a, sizeof a, &fault) && random_bytes(b, sizeof b, &fault));
	CHECK(memcmp(a, b, sizeof a) != 0 && memcmp(a, zero, sizeof a) != 0);
	memset(a, 0, sizeof a);
	CHECK(random_bytes(a, 16, &fault) && memcmp(a + 16, zero, 240) == 0 && random_bytes(a, 0, &fault));
}

static void
renames_only_to_new_names(void)
{
	int at = open(folder, O_RDONLY | O_DIRECTORY), a = new_file("a"), b = new_file("b");
	CHECK(write(a, "a", 1) == 1);
	if (!rename_new(at, "a", "c")) {
		CHECK(errno == EINVAL || errno == ENOSYS || errno == EPERM);
		SKIP("no renameat2 here");
	} else {
		CHECK(!rename_new(at, "c", "b") && errno == EEXIST);
		CHECK(!rename_new(at, "a", "d") && errno == ENOENT);
		CHECK(faccessat(at, "b", F_OK, 0) == 0 && faccessat(at, "c", F_OK, 0) == 0);
	}
	close(a), close(b);
	unlinkat(at, "a", 0), unlinkat(at, "b", 0), unlinkat(at, "c", 0);
	close(at);
}

static void
reserves_without_changing_the_size(void)
{
	struct stat after;
	int fd = new_file("r");
	CHECK(!reserve_disk(fd, UINT64_MAX) && errno == EFBIG);
	if (!reserve_disk(fd, 1 << 20)) {
		CHECK(errno == EOPNOTSUPP || errno == ENOSYS);
		SKIP("this file system cannot reserve");
	} else {
		CHECK(fstat(fd, &after) == 0 && after.st_size == 0 && after.st_blocks >= 2048);
	}
	close(fd);
	CHECK(!reserve_disk(fd, 4096) && errno == EBADF);
}

static void
direct_goes_on_and_off(void)
{
	int fd = new_file("d");
	if (!set_direct(fd, true)) {
		CHECK(errno == EINVAL);
		SKIP("no direct I/O here");
		close(fd);
		return;
	}
	CHECK(pwrite(fd, pages, 8192, 0) == 8192);
	CHECK(set_direct(fd, false) && pwrite(fd, pages + 1, 5, 8192) == 5);
	close(fd);
	CHECK(!set_direct(fd, true) && errno == EBADF);
}

static void
queue_writes_and_names_what_is_done(void)
{
	struct disk_queue queue;
	unsigned tag, seen = 0;
	int64_t written;
	unsigned char back[8192];
	int fd = new_file("q");
	if (!disk_queue_open(&queue, 2)) {
		CHECK(errno == ENOSYS || errno == EPERM || errno == EAGAIN);
		SKIP("the kernel's AIO is not to be had here");
		close(fd);
		return;
	}
	memset(pages, 'a', 4096);
	memset(pages + 4096, 'b', 4096);
	grows_as_hole(fd, 0);
	set_direct(fd, true);
	CHECK(disk_queue_write(&queue, 1, fd, pages + 4096, 4096, 4096));
	CHECK(disk_queue_write(&queue, 0, fd, pages, 4096, 0));
	for (int i = 0; i < 2; i++) {
		CHECK(disk_queue_wait(&queue, &tag, &written) && written == 4096 && tag < 2);
		seen |= 1u << tag;
	}
	CHECK(seen == 3);
	set_direct(fd, false);
	CHECK(pread(fd, back, sizeof back, 0) == 8192 && memcmp(back, pages, sizeof back) == 0);
	CHECK(disk_queue_write(&queue, 0, fd, pages, 4096, 8192));
	disk_queue_close(&queue);
	CHECK(pread(fd, back, 4096, 8192) == 4096 && memcmp(back, pages, 4096) == 0);
	CHECK(!disk_queue_wait(&queue, &tag, &written));
	close(fd);
	CHECK(!disk_queue_write(&queue, 0, fd, pages, 4096, 0));
}

static void
width_of_no_terminal_is_80(void)
{
	CHECK(terminal_columns(-1) == 80);
}

int
main(void)
{
	static const char *const left[] = {"r", "d", "q"};
	struct fault fault = {0};
	struct memory memory;
	strcpy(folder, "/tmp/kudump-unit-XXXXXX");
	if (mkdtemp(folder) == NULL || !memory_open(&memory, 8192, &fault))
		return 1;
	pages = memory_take(&memory, 8192, 4096);
	UNIT_RUN(random_bytes_differ);
	UNIT_RUN(renames_only_to_new_names);
	UNIT_RUN(reserves_without_changing_the_size);
	UNIT_RUN(direct_goes_on_and_off);
	UNIT_RUN(queue_writes_and_names_what_is_done);
	UNIT_RUN(width_of_no_terminal_is_80);
	for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", folder, left[i]);
		unlink(path);
	}
	CHECK(rmdir(folder) == 0);
	return unit_end() | unit_bad;
}
