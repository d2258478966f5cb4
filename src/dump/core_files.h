/* SPDX-License-Identifier: MIT */
/* The modules of a core, from the note of its mapped files: NT_FILE holds count, page size, {start, end, page of the
 * file}…, then as many names. Neighbours of one name are a module,
 * of a PE those that lie where its headers put its sections. */
#ifndef DUMP_CORE_FILES_H
#define DUMP_CORE_FILES_H

#include "dump/space.h"

void core_read_files(struct space *, uint64_t at, uint32_t size);

#endif
