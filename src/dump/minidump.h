/* SPDX-License-Identifier: MIT */
/* Fills a space from a minidump: Microsoft's minidumpapiset, and the streams that Breakpad and Crashpad add. */
#ifndef DUMP_MINIDUMP_H
#define DUMP_MINIDUMP_H

#include "dump/space.h"

enum minidump_stream {
	STREAM_THREADS = 3,
	STREAM_MODULES = 4,
	STREAM_MEMORY = 5,
	STREAM_EXCEPTION = 6,
	STREAM_SYSTEM = 7,
	STREAM_MEMORY64 = 9,
	STREAM_COMMENT_A = 10,
	STREAM_COMMENT_W = 11,
	STREAM_HANDLES = 12,
	STREAM_FUNCTIONS = 13,
	STREAM_UNLOADED = 14,
	STREAM_MISC = 15,
	STREAM_MEMORY_INFO = 16,
	STREAM_THREAD_INFO = 17,
	STREAM_THREAD_NAMES = 24,
	STREAM_BREAKPAD_INFO = 0x47670001,
	STREAM_ASSERTION = 0x47670002
};

/* The space has its view, modules and threads; the file begins with MDMP. Only a broken header or directory is a fault. */
bool minidump_read(struct space *, struct memory *, struct fault *) MUST_CHECK;

#endif
