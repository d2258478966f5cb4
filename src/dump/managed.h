/* SPDX-License-Identifier: MIT */
/* .NET in a dump: runtimes, the exception of the crashing thread with its inner ones, and the code manager for the walk. */
#ifndef DUMP_MANAGED_H
#define DUMP_MANAGED_H

#include "dump/frames.h"

#define MANAGED_RUNTIMES_MAX 4
#define MANAGED_INNER_MAX 16
#define MANAGED_FRAMES_MAX 128   /* of one exception */
#define MANAGED_MESSAGE_MAX 2048 /* UTF-8 */

enum managed_source { MANAGED_NONE, MANAGED_DESCRIPTOR, MANAGED_HEURISTIC, MANAGED_CRASHREPORT };

struct managed_frame {
	char method[FRAME_NAME_MAX];
	uint64_t pc;
};

struct managed_exception {
	char type[FRAME_NAME_MAX];   /* empty: unknown */
	char message[MANAGED_MESSAGE_MAX];
	bool has_message, message_cut;
	uint32_t hresult;
	bool has_hresult;
	uint64_t address;            /* of the object */
	struct managed_frame *frames;/* MANAGED_FRAMES_MAX */
	size_t frame_count, frames_left_out;
};

struct managed_runtime {
	uint64_t base;               /* of the module that is or holds the runtime */
	char name[64];               /* coreclr.dll, libcoreclr.so, clr.dll, or the single-file program */
	char version[64];            /* empty: unknown */
	enum managed_source source;  /* how it can be read */
};

struct managed;

/* What was found. The exceptions: [0] that of the crashing thread, [1…] its inner ones. */
struct managed_findings {
	struct managed_runtime runtimes[MANAGED_RUNTIMES_MAX];
	size_t runtime_count;
	enum managed_source source;  /* of the exceptions */
	struct managed_exception exceptions[MANAGED_INNER_MAX];
	size_t exception_count;
	uint32_t thread;             /* the OS thread id it belongs to */
	bool thread_is_other;        /* not the one the dump calls crashing (dumps on demand) */
	char missing[200];           /* what could not be read and what would supply it; empty: nothing */
};

size_t managed_need(void); /* bytes that managed_open takes of a memory */

/* Looks for runtimes and reads the exception. Never fails: what is not there is not found. `path` is the dump's, for a
 * .crashreport.json beside it. */
struct managed *managed_open(struct space *, struct memory *, const char *path, struct managed_findings *);

/* For walk_thread; NULL when no runtime can tell. */
struct code_source *managed_code(struct managed *);

#endif
