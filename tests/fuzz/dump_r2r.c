/* SPDX-License-Identifier: MIT */
/* The tables of a hostile ReadyToRun image behind sound PE headers: CLI and ReadyToRun headers, functions, entry points,
 * handlers, metadata, from 0x4000 on. tests/unit/made_r2r.h lays them out by hand. */
#include "dump/clr_r2r.h"

#include "dump/frames.h"

#include "../unit/made_r2r.h"

#define DATA_MOST (0x8000 - R2R_CLI)

static struct clr_r2r r2r;

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	struct space *space;
	if (count == 0 || count > DATA_MOST)
		return 0;
	space = made_r2r();
	made_bytes(R2R_BASE + R2R_CLI, data, count);
	memset(&r2r, 0, sizeof r2r);
	for (uint64_t pc = R2R_BASE + 0xff0; pc < R2R_BASE + 0x1620; pc += 0x10) {
		char name[FRAME_NAME_MAX];
		struct text text = text_in(name, sizeof name);
		uint64_t start;
		if (clr_r2r_put_method(&r2r, space, pc, &text, &start) && (start > pc || strnlen(name, sizeof name) == sizeof name || text.used == 0))
			abort();
	}
	return 0;
}
