/* SPDX-License-Identifier: MIT */
/* What the targets dump_minidump and dump_core do with a dump that opened: everything that others ask of a space. */
#ifndef FUZZ_DUMP_ANY_H
#define FUZZ_DUMP_ANY_H

#include "dump/open.h"
#include "dump/reason.h"

#include "whole_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct space space;
static struct memory memory;
static struct fault fault;
static char words[4096];

static inline void
use_modules(void)
{
	char name[SPACE_NAME_MAX], id[2 * SPACE_BUILD_ID_MAX + 1];
	for (size_t i = 0; i < space.module_count && i < 32; i++) {
		const struct module *module = &space.modules[i];
		if (module->size == 0 || module->size > UINT64_MAX - module->base || space_module_at(&space, module->base) == NULL
		    || (i > 0 && module->base < module[-1].base))
			abort();
		space_module_name(&space, module, name);
		check_text(name, sizeof name);
		space_debug_id(&space, module, id);
		space_code_id(&space, module, id);
		space_debug_name(&space, module, name);
		check_text(name, sizeof name);
	}
}

static inline void
use_threads(void)
{
	char name[SPACE_NAME_MAX];
	unsigned char room[600];
	for (size_t i = 0; i < space.thread_count && i < 32; i++) {
		const struct thread *thread = &space.threads[i];
		struct registers registers;
		uint64_t start, size;
		uint32_t error;
		space_thread_name(&space, thread, name);
		check_text(name, sizeof name);
		(void)!space_last_error(&space, thread, &error);
		if (!space_registers(&space, thread, &registers))
			continue;
		if (space_read_some(&space, registers.sp, room, sizeof room) > sizeof room)
			abort();
		if (space_range_at(&space, registers.sp, &start, &size) && (size == 0 || start + (size - 1) < registers.sp))
			abort();
	}
}

static inline void
use_space(void)
{
	struct text text = text_in(words, sizeof words);
	struct module gone;
	uint8_t byte;
	use_modules();
	use_threads();
	for (size_t i = 0; i < space.list_count; i++)
		for (size_t k = 0; k < space.lists[i].checkpoint_count && k < 16; k++)
			if (!space_u8(&space, space.lists[i].checkpoints[k].start, &byte) && !view_exhausted(&space.view))
				abort();
	for (uint64_t i = 0; i < 16 && space_unloaded(&space, i, &gone); i++)
		space_module_name(&space, &gone, words);
	if (space_comment(&space, &text))
		check_text(words, sizeof words);
	text_reset(&text);
	reason_put(&text, &space);
	reason_put_type(&text, &space);
	reason_put_hint(&text, &space);
	check_text(words, sizeof words);
	for (size_t i = 0; i < space.soft_count; i++)
		check_text(space.soft[i], sizeof space.soft[i]);
}

/* By way of a file when the last byte is F1: then the reads are a file's. */
static inline bool
open_any(const unsigned char *data, size_t count)
{
	char path[] = "/tmp/fuzz-dump-XXXXXX";
	bool good;
	int fd;
	if (count == 0 || data[count - 1] != 0xf1)
		return dump_open_bytes(&space, &memory, (struct span){data, count}, &fault);
	fd = mkstemp(path);
	if (fd < 0 || write(fd, data, count) != (ssize_t)count)
		abort();
	good = dump_open(&space, &memory, path, &fault);
	close(fd);
	unlink(path);
	return good;
}

static inline int
use_bytes(const unsigned char *data, size_t count)
{
	if (memory.at == NULL && !memory_open(&memory, dump_need(), &fault))
		abort();
	memory.used = 0;
	fault_clear(&fault);
	if (!open_any(data, count)) {
		if ((fault.kind != FAULT_CORRUPT && fault.kind != FAULT_UNABLE) || fault.text[0] == 0)
			abort();
		return 0;
	}
	use_space();
	dump_close(&space);
	return 0;
}

#endif
