/* SPDX-License-Identifier: MIT */
/* A PE image in dumped memory: the input lies at its base, all rooms of a PE's headers, exports and function table read
 * it. The first four bytes are the address asked for. */
#include "dump/unwind_arm64.h"
#include "dump/unwind_x64.h"

#include "../unit/made_dump.h"
#include "whole_text.h"

#define BASE 0x140000000u
#define ROOM 0x8000u

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	struct pe_want want[3] = {{0, 0, 0, 0}, {0, 0, 0, 0}, {UINT32_MAX, 0, 0, 0}};
	struct pe_entry entry;
	struct space *space;
	struct pe pe;
	uint32_t gap, rva = 0;
	if (count < 4 || count > ROOM)
		return 0;
	made_begin(9, 2);
	made_module(BASE, ROOM, "x.dll");
	made_range(BASE, ROOM);
	made_bytes(BASE, data + 4, count - 4);
	space = made_open(0, 0);
	(void)span_u32((struct span){data, count}, 0, &rva);
	want[1].rva = rva;
	if (!pe_open(&pe, space, BASE))
		return 0;
	(void)pe_executable(&pe, space, rva);
	pe_nearest_exports(&pe, space, want, 3);
	for (unsigned i = 0; i < 3; i++) {
		char name[FRAME_NAME_MAX];
		if (want[i].start > want[i].rva)
			abort();
		if (want[i].name != 0 && pe_name_text(space, BASE + want[i].name, name))
			check_text(name, sizeof name);
	}
	if (x64_find(&pe, space, rva, &entry, &gap) == PE_FOUND) {
		if (entry.begin > rva || entry.end <= rva)
			abort();
		(void)x64_function_begin(space, &entry);
	}
	if (arm64_find(&pe, space, rva, &entry, &gap) == PE_FOUND && (entry.begin > rva || entry.end <= rva))
		abort();
	return 0;
}
