/* SPDX-License-Identifier: MIT */
/* dump --analyze: once a dump has landed in a folder, its report is written beside it. One diagnosis at a time, in memory
 * taken before the first connection; captures that end together wait for each other here. */
#ifndef JOB_AFTERMATH_H
#define JOB_AFTERMATH_H

#include "base/file.h"
#include "job/diagnose.h"
#include "job/pen.h"

#include <pthread.h>

struct aftermath_work {
	struct diagnosis diagnosis;
	struct pen pen;
	struct file_sink file;
};

struct aftermath {
	pthread_mutex_t lock;
	struct memory memory; /* a piece of the run's own */
};

/* What became of one dump. */
struct aftermath_result {
	char report[PATH_BYTES_MAX]; /* path of the report; empty: there is none */
	char signature[17];          /* its hash; empty: no crash was found */
	struct fault fault;          /* why there is no report */
};

/* Bytes that aftermath_open takes of a memory, and as the help says it in MiB. */
#define AFTERMATH_MIB "5"
size_t aftermath_need(void);
bool aftermath_open(struct aftermath *, struct memory *, struct fault *) MUST_CHECK;
void aftermath_close(struct aftermath *);

/* Reads the dump at `path` and writes PATH.txt, replacing an old one. Waits for other diagnoses. */
void aftermath_write(struct aftermath *, const char *path, struct aftermath_result *);

#endif
