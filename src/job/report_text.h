/* SPDX-License-Identifier: MIT */
/* The report for people: ten lines that say what, where and why, then the details. */
#ifndef JOB_REPORT_TEXT_H
#define JOB_REPORT_TEXT_H

#include "job/diagnose.h"
#include "job/pen.h"

/* Takes what the diagnosis does not hold, other threads' stacks and names of modules, out of the dump as it goes. */
void report_text(struct diagnosis *, struct pen *);

#endif
