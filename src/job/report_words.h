/* SPDX-License-Identifier: MIT */
/* What the first lines and the details of a report for people say alike. */
#ifndef JOB_REPORT_WORDS_H
#define JOB_REPORT_WORDS_H

#include "job/diagnose.h"
#include "job/pen.h"

#define REPORT_NAME_MAX 200

/* Type and message, of which at most so many bytes are shown. */
void report_put_exception(const struct diagnosis *, struct pen *, const struct managed_exception *, size_t most);

/* module!function+0x12, module+0x1234, or what else is known; file and line behind it. */
void report_put_place(struct diagnosis *, struct pen *, const struct frame *);

/* Its id and, where it has one, its name. */
void report_put_thread_name(struct diagnosis *, struct pen *, const struct thread *);

/* Of seconds since 1970: 2026-11-21T14:05:33Z. */
void report_put_time(struct pen *, int64_t when);

#endif
