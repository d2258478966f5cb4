/* SPDX-License-Identifier: MIT */
/* createdump's report beside a core, for thread 0x7f: what is taken of it is whole text within its limits, and no report is
 * still one without its last byte. */
#include "dump/crashreport.h"

#include "whole_text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char core[64], path[96];
static struct managed_exception exception;
static struct managed_frame frames[MANAGED_FRAMES_MAX];

static void
clean_up(void)
{
	unlink(path);
}

static int
open_file(void)
{
	if (path[0] == '\0') {
		snprintf(core, sizeof core, "/tmp/fuzz-crashreport-%ld", (long)getpid());
		snprintf(path, sizeof path, "%s.crashreport.json", core);
		atexit(clean_up);
	}
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
}

static bool
read_report(const unsigned char *data, size_t count)
{
	int fd = open_file();
	if (fd < 0 || write(fd, data, count) != (ssize_t)count || close(fd) != 0)
		abort();
	memset(&exception, 0, sizeof exception);
	exception.frames = frames;
	return crashreport_read(core, 0x7f, &exception);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	if (count > 65536)
		return 0;
	if (!read_report(data, count)) {
		if (exception.frame_count != 0 || exception.type[0] != '\0')
			abort();
		return 0;
	}
	if (exception.type[0] == '\0' || exception.frame_count > MANAGED_FRAMES_MAX)
		abort();
	check_text(exception.type, sizeof exception.type);
	for (size_t i = 0; i < exception.frame_count; i++)
		check_text(frames[i].method, sizeof frames[i].method);
	if (data[count - 1] > ' ' && read_report(data, count - 1))
		abort();
	return 0;
}
