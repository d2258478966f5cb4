/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, which POSIX has only since 2024 */
#include "base/memory.h"

#include "base/linux.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

bool
memory_open(struct memory *memory, size_t size, struct fault *fault)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return fault_errno(fault, FAULT_SYSTEM, errno, "taking %zu KiB of memory", size / 1024);
	*memory = (struct memory){at, size, 0};
	return true;
}

bool
memory_open_secret(struct memory *memory, size_t size, struct fault *fault)
{
	size_t locked = size;
	if (!memory_open(memory, size, fault))
		return false;
	while (locked > 0 && !keep_in_core(memory->at, locked))
		locked /= 2;
	return true;
}

void *
memory_take(struct memory *memory, size_t size, size_t align)
{
	size_t place = (memory->used + align - 1) & ~(align - 1);
	assert(align > 0 && (align & (align - 1)) == 0 && align <= 4096);
	assert(place <= memory->size && size <= memory->size - place);
	memory->used = place + size;
	return memory->at + place;
}

size_t
memory_need(size_t size, size_t align)
{
	return size + align - 1;
}

void
memory_close(struct memory *memory)
{
	if (memory->at != NULL)
		munmap(memory->at, memory->size);
	*memory = (struct memory){NULL, 0, 0};
}

void
memory_wipe(void *at, size_t size)
{
	volatile unsigned char *byte = at;
	while (size-- > 0)
		*byte++ = 0;
}
