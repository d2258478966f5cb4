/* SPDX-License-Identifier: MIT */
/* A .sym file. The first four bytes are an address asked for, beside those around the file's own numbers. */
#include "dump/symfile.h"

#include "whole_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

static unsigned char room[SYMFILE_WINDOW];
static struct symfile_block blocks[SYMFILE_BLOCKS];

static void
ask(const struct symfile *file, struct symfile_window *window, uint32_t rva)
{
	struct symbol symbol;
	if (!symfile_find(file, window, rva, &symbol))
		return;
	if (symbol.name[0] == 0 || symbol.start > rva || (symbol.nearest && symbol.line != 0))
		abort();
	check_text(symbol.name, sizeof symbol.name);
	check_text(symbol.file, sizeof symbol.file);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	struct symfile_window window = {.room = room, .budget = 64 * count + (1u << 22)};
	struct symfile file = {.fd = -1, .blocks = blocks};
	uint32_t rva = 0;
	if (!span_u32((struct span){data, count}, 0, &rva))
		return 0;
	file.bytes = (struct span){data + 4, count - 4};
	file.size = count - 4;
	symfile_open(&file, &window);
	symfile_index(&file, &window);
	for (unsigned i = 0; i < 4; i++) {
		ask(&file, &window, rva + i);
		ask(&file, &window, blocks[i].function_low + i);
		ask(&file, &window, blocks[i].public_last + i);
		ask(&file, &window, blocks[i].function_end - i);
	}
	return 0;
}
