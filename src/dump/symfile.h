/* SPDX-License-Identifier: MIT */
/* One Breakpad .sym file: function, source file and line of an address, whatever the file's size. A pass over the file
 * keeps of each block which addresses its records are about; a question then reads the blocks that may hold the answer:
 * one or two of a file sorted by address, as dump_syms writes them, more of another. Nothing in it is trusted.
 * Format: Breakpad's docs/symbol_files.md. */
#ifndef DUMP_SYMFILE_H
#define DUMP_SYMFILE_H

#include "base/span.h"
#include "dump/frames.h"

#define SYMFILE_BLOCKS 1024
#define SYMFILE_BLOCK_LEAST 16384u   /* bytes */
#define SYMFILE_WINDOW (64u * 1024)  /* a longer line counts as none */
#define SYMFILE_ID_MAX 48

/* Of the records that begin in a block; a low above its last: none. Addresses count from the module's base. */
struct symfile_block {
	uint32_t function_low, function_last, function_end;
	uint32_t public_low, public_last;
	uint32_t file_low, file_last;   /* numbers */
};

/* The file as lines. One window serves all files, as one is read at a time. */
struct symfile_window {
	unsigned char *room;  /* SYMFILE_WINDOW bytes */
	uint64_t budget;      /* bytes that may still be read; what is beyond it counts as the file's end */
	bool exhausted;
	uint64_t at;          /* place of room[0] in the file */
	size_t used, place;
};

struct symfile {
	int fd;               /* -1: bytes in memory */
	struct span bytes;
	uint64_t size, block_bytes;
	char id[SYMFILE_ID_MAX]; /* of its MODULE record; empty: there is none */
	struct symfile_block *blocks; /* the caller's, SYMFILE_BLOCKS */
};

/* What is known of an address. */
struct symbol {
	char name[FRAME_NAME_MAX];      /* UTF-8; empty: nothing is known */
	char file[FRAME_FILE_MAX];      /* of a long path its end; empty: unknown */
	uint32_t line;
	uint32_t start;                 /* of the function */
	bool nearest;                   /* a PUBLIC record, which has no end: the nearest at or below the address */
};

/* Sets id. fd, bytes, size and blocks are set already. */
void symfile_open(struct symfile *, struct symfile_window *);

/* The pass over the whole file, once, before the first symfile_find. */
void symfile_index(struct symfile *, struct symfile_window *);

/* Where code was inlined, file and line are those of the call in the function that is named. */
bool symfile_find(const struct symfile *, struct symfile_window *, uint32_t rva, struct symbol *) MUST_CHECK;

#endif
