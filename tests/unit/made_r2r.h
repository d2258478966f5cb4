/* SPDX-License-Identifier: MIT */
/* A ReadyToRun image of a made minidump: types N.A and N.B, methods One, 16 of Two, Last. */
#ifndef MADE_R2R_H
#define MADE_R2R_H

#include "made_dump.h"

#define R2R_BASE 0x180000000ull
#define R2R_CLI 0x4000
#define R2R_HEADER 0x4100
#define R2R_FUNCTIONS 0x4200
#define R2R_ENTRIES 0x4300
#define R2R_HANDLERS 0x4500
#define R2R_CLAUSES 0x4600
#define R2R_METADATA 0x5000
#define R2R_END 0x5400
#define R2R_ROWS 18

/* Types <Module>, N.A with One, N.B with the rest. */
static inline void
made_r2r_metadata(uint64_t at)
{
	static const char strings[] = "\0<Module>\0N\0A\0B\0One\0Two\0Last";
	uint64_t tables = at + 0x70, rows = tables + 24 + 12 + 10, text = at + 0x300;
	made_u32(at, 0x424a5342);
	made_u32(at + 12, 12);
	made_u16(at + 30, 2);
	made_u32(at + 32, 0x70);
	made_u32(at + 36, 0x290);
	made_bytes(at + 40, "#~\0", 4);
	made_u32(at + 44, 0x300);
	made_u32(at + 48, sizeof strings);
	made_bytes(at + 52, "#Strings\0\0\0", 12);
	made_u64(tables + 8, 1 | 1 << 2 | 1 << 6);
	made_u32(tables + 24, 1);
	made_u32(tables + 28, 3);
	made_u32(tables + 32, R2R_ROWS);
	for (unsigned i = 0; i < 3; i++, rows += 14) {
		made_u16(rows + 4, (const unsigned[]){1, 12, 14}[i]);
		made_u16(rows + 6, i > 0 ? 10 : 0);
		made_u16(rows + 12, i < 2 ? 1 : 2);
	}
	for (unsigned i = 0; i < R2R_ROWS; i++, rows += 14)
		made_u16(rows + 8, i == 0 ? 16 : i == R2R_ROWS - 1 ? 24 : 20);
	made_bytes(text, strings, sizeof strings);
}

/* The sparse array: number and width of offsets, two offsets from behind that, and two trees. Of block 0 the elements 0 (function
 * 0), 4 (function 5) and 5 (function 6, its fixups elsewhere), of block 1 element 1 alone (function 1 with fixups, in two bytes). */
static inline void
made_r2r_entries(uint64_t at)
{
	static const unsigned char bytes[] = {
		R2R_ROWS << 3, 2, 11,
		2, 30, 0, 0, 2, 22, 20, 54, 18,
		8, 21, 0,
	};
	made_bytes(at, bytes, sizeof bytes);
}

static inline struct space *
made_r2r(void)
{
	static const uint32_t functions[][2] = {{0x1000, 0x1100}, {0x1200, 0x1300}, {0x1300, 0x1320}, {0x1320, 0x1330},
	                                        {0x1330, 0x1340}, {0x1400, 0x1500}, {0x1500, 0x1600}};
	static const uint32_t sections[][3] = {{102, R2R_FUNCTIONS, sizeof functions / 8 * 12}, {103, R2R_ENTRIES, 0x100},
	                                       {104, R2R_HANDLERS, 16}};
	static const uint32_t handlers[] = {0x1200, R2R_CLAUSES, UINT32_MAX, R2R_CLAUSES + 48};
	static const uint32_t clauses[2][6] = {{0, 0x10, 0x20, 0x100, 0x120, 0x02000001}, {1, 0x30, 0x40, 0x140, 0x150, 0x130}};
	made_begin(9, 2);
	made_module(R2R_BASE, 0x8000, "lib.dll");
	made_range(R2R_BASE, 0x8000);
	made_pe(R2R_BASE);
	made_directory(R2R_BASE, 14, R2R_CLI, 72);
	made_u32(R2R_BASE + R2R_CLI + 8, R2R_METADATA);
	made_u32(R2R_BASE + R2R_CLI + 12, 0x400);
	made_u32(R2R_BASE + R2R_CLI + 64, R2R_HEADER);
	made_u32(R2R_BASE + R2R_HEADER, 0x00525452);
	made_u32(R2R_BASE + R2R_HEADER + 12, 3);
	made_bytes(R2R_BASE + R2R_HEADER + 16, sections, sizeof sections);
	for (unsigned i = 0; i < sizeof functions / sizeof functions[0]; i++)
		made_bytes(R2R_BASE + R2R_FUNCTIONS + 12 * i, functions[i], 8);
	made_r2r_entries(R2R_BASE + R2R_ENTRIES);
	made_bytes(R2R_BASE + R2R_HANDLERS, handlers, sizeof handlers);
	made_bytes(R2R_BASE + R2R_CLAUSES, clauses, sizeof clauses);
	made_r2r_metadata(R2R_BASE + R2R_METADATA);
	return made_open(0, 0);
}

#endif
