/* SPDX-License-Identifier: MIT */
/* .NET in a dump: runtimes, the exception of the crashing thread with its inner ones, and the code manager for the walk. */
#ifndef DUMP_MANAGED_H
#define DUMP_MANAGED_H

#include "dump/frames.h"

#define MANAGED_RUNTIMES_MAX 4
#define MANAGED_INNER_MAX 16
#define MANAGED_FRAMES_MAX 128   /* of one exception */
#define MANAGED_MESSAGE_MAX 2048 /* UTF-8 */

enum managed_source {
	MANAGED_NONE, MANAGED_DESCRIPTOR, MANAGED_HEURISTIC, MANAGED_CRASHREPORT, MANAGED_WATSON, MANAGED_NATIVEAOT, MANAGED_SOURCES
};

struct managed_frame {
	char method[FRAME_NAME_MAX];
	uint64_t pc;
};

struct managed_exception {
	char type[FRAME_NAME_MAX];   /* empty: unknown */
	char message[MANAGED_MESSAGE_MAX];
	bool has_message, message_cut;
	bool message_found;          /* not in the exception but among the arguments of Environment.FailFast on the stack */
	bool type_unsure;            /* its base types are not in the dump, so it was not held against System.Exception */
	bool inner_lost;             /* it has an inner exception that cannot be read */
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

/* What Windows Error Reporting was told: a record of strings, of which these are kept. Long names are cut or hashed. */
struct managed_watson {
	bool found;
	char app[128], app_version[64], module[128], module_version[64];
	uint32_t method;             /* token of the MethodDef, without its table: 6000000 is to be added */
	uint32_t il_offset;
	char type[FRAME_NAME_MAX];
};

struct managed;

/* What was found. The exceptions: [0] that of the crashing thread, [1…] its inner ones. */
struct managed_findings {
	struct managed_runtime runtimes[MANAGED_RUNTIMES_MAX];
	size_t runtime_count;
	enum managed_source source;  /* of the exceptions */
	enum managed_source type_source, trace_source; /* of the first one's type and of its trace, often the same */
	bool fail_fast;              /* ended by Environment.FailFast; the first exception may then be but its message */
	struct managed_exception exceptions[MANAGED_INNER_MAX];
	size_t exception_count;
	uint32_t thread;             /* the OS thread id it belongs to */
	bool thread_is_other;        /* not the one the dump calls crashing (dumps on demand) */
	struct managed_watson watson;
	char missing[200];           /* what could not be read and what would supply it; empty: nothing */
};

size_t managed_need(void); /* bytes that managed_open takes of a memory */

/* Looks for runtimes and reads the exception. Never fails: what is not there is not found. `path` is the dump's, for a
 * .crashreport.json beside it. */
struct managed *managed_open(struct space *, struct memory *, const char *path, struct managed_findings *);

/* Once the crashing thread's stack is known: the words that Environment.FailFast was given, which no structure of the runtime
 * keeps. Marked `message_found`. */
void managed_read_words(struct managed *, const struct frames *);

/* For walk_thread; NULL when no runtime can tell. */
struct code_source *managed_code(struct managed *);

#endif
