/* SPDX-License-Identifier: MIT */
/* What a dump says, put together: the crash, its thread and stack, the managed exception, what other threads did, and a
 * signature. Works in fixed memory whatever the dump's size; job/report_text and job/report_json write it down. */
#ifndef JOB_DIAGNOSE_H
#define JOB_DIAGNOSE_H

#include "dump/images.h"
#include "dump/managed.h"
#include "dump/symbols.h"
#include "job/signature.h"

#define WHAT_MAX 320
#define NOTES_MAX 12
#define REPORT_COMMENT_MAX 4000 /* bytes of a comment that a report shows */

struct diagnose_options {
	bool all;            /* look at every thread */
	bool redact_message; /* messages of exceptions may hold secrets: leave them out */
	const char *images;  /* folder of PE, ELF and .sym files; NULL: none */
};

/* Threads with the same stack. */
struct stack_group {
	uint64_t hash;
	uint32_t first, count; /* the first of them in space.threads */
};

struct diagnosis {
	struct diagnose_options options;
	const char *path;             /* the caller's */
	struct space space;
	struct images images;
	struct symbols symbols;
	struct managed_findings findings;
	struct code_source *code;
	char program[SPACE_NAME_MAX]; /* short name of the main module; empty: unknown */
	/* what happened: "EXCEPTION_ACCESS_VIOLATION_WRITE", the same in words, what the address tells; empty: nothing to say */
	char type[WHAT_MAX], detail[WHAT_MAX], hint[WHAT_MAX];
	bool crashed;                 /* a crash or a managed exception in flight was found */
	const char *crashing_in;      /* no crash is recorded, but `thread` stands in this function that ends a process; NULL: none does */
	const struct thread *thread;  /* that crashed, or else has the exception, or is about to crash; NULL: none */
	struct registers registers;
	bool has_registers;
	struct frames frames;         /* of thread */
	size_t top;                   /* first application frame among them, NO_FRAME: none */
	struct signature signature;
	/* of all threads, when asked for or when nothing crashed; largest group first */
	struct stack_group *groups;   /* SPACE_THREADS_MAX */
	size_t group_count;
	uint32_t *thread_group;       /* SPACE_THREADS_MAX: `first` of each thread's group */
	struct frames other;          /* of whichever thread diagnose_walk was asked for last */
	char notes[NOTES_MAX][240];   /* what was missing and what would supply it */
	size_t note_count;
};

/* Bytes that diagnose_open takes of a memory, beside the struct; more with a folder of images. */
size_t diagnose_need(bool images);

/* Opens and diagnoses a dump. The faults are those of dump_open, and of images_open. `path` must outlive it. The struct
 * must be zeroed memory: most of it is never touched. After false there is nothing to close. */
bool diagnose_open(struct diagnosis *, struct memory *, const char *path, const struct diagnose_options *,
                   struct fault *) MUST_CHECK;

/* The same over bytes in memory, which stay the caller's. */
bool diagnose_open_bytes(struct diagnosis *, struct memory *, struct span, const struct diagnose_options *,
                         struct fault *) MUST_CHECK;
void diagnose_close(struct diagnosis *);

/* The frames of any thread: those kept, or walked now into `other`. */
const struct frames *diagnose_walk(struct diagnosis *, const struct thread *);

/* A frame as signatures and reports see it; the names are kept in `room`. */
struct signed_frame diagnose_frame(struct diagnosis *, const struct frame *, char room[SPACE_NAME_MAX]);

/* The first application frame of frames, or of an exception's trace; NO_FRAME: none. */
size_t diagnose_top(struct diagnosis *, const struct frames *);
size_t diagnose_managed_top(const struct managed_exception *);

/* The exception to name, one with a type or at least a message: NULL when there is none. */
const struct managed_exception *diagnose_exception(const struct diagnosis *);

/* Its type, or what stands for it; NULL: unknown. */
const char *diagnose_exception_name(const struct diagnosis *, const struct managed_exception *);

#endif
