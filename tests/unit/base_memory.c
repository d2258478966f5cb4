/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/memory.h"

#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

static struct memory memory;
static struct fault fault;

static void
test_take(void)
{
	static const size_t aligns[] = {1, 2, 8, 16, 64, 4096};
	unsigned char *before = NULL;
	size_t need = 0;
	for (size_t i = 0; i < 6; i++)
		need += memory_need(100 + i, aligns[i]);
	CHECK(memory_open(&memory, need, &fault));
	for (size_t i = 0; i < 6; i++) {
		unsigned char *piece = memory_take(&memory, 100 + i, aligns[i]);
		CHECK((uintptr_t)piece % aligns[i] == 0 && piece >= before && piece + 100 + i <= memory.at + memory.size);
		for (size_t k = 0; k < 100 + i; k++)
			CHECK(piece[k] == 0);
		memset(piece, 0xff, 100 + i);
		before = piece + 100 + i;
	}
	memory_close(&memory);
	CHECK(memory.at == NULL);
	memory_close(&memory);
}

static void
test_exactly(void)
{
	CHECK(memory_open(&memory, 8192, &fault));
	CHECK(memory_take(&memory, 4096, 4096) == memory.at);
	CHECK(memory_take(&memory, 4095, 1) == memory.at + 4096);
	CHECK(memory_take(&memory, 0, 1) == memory.at + 8191);
	CHECK(memory_take(&memory, 1, 1) == memory.at + 8191);
	memory_close(&memory);
}

/* Whether taking so much from what is left of 8192 bytes aborts. */
static bool
aborts(size_t first, size_t size, size_t align)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) == NULL || !memory_open(&memory, 8192, &fault))
			_exit(2);
		memory_take(&memory, first, 1);
		memory_take(&memory, size, align);
		_exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
test_running_out(void)
{
	CHECK(!aborts(8191, 1, 1));
	CHECK(aborts(8192, 1, 1) && aborts(8191, 2, 1) && aborts(1, SIZE_MAX, 1) && aborts(4097, 1, 4096));
	CHECK(!aborts(4096, 4096, 4096) && aborts(4096, 4097, 4096));
	CHECK(aborts(1, 1, 3) && aborts(1, 1, 0) && aborts(1, 1, 8192));
}

static void
test_refused(void)
{
	fault_clear(&fault);
	CHECK(!memory_open(&memory, SIZE_MAX / 2, &fault));
	CHECK(fault.kind == FAULT_SYSTEM && fault.detail != 0 && strstr(fault.text, "taking ") != NULL);
}

int
main(void)
{
	UNIT_RUN(test_take);
	UNIT_RUN(test_exactly);
	UNIT_RUN(test_running_out);
	UNIT_RUN(test_refused);
	return unit_end();
}
