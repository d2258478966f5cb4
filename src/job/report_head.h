/* SPDX-License-Identifier: MIT */
/* The first lines of a report for people: what happened, why and where, in some ten lines. */
#ifndef JOB_REPORT_HEAD_H
#define JOB_REPORT_HEAD_H

#include "job/diagnose.h"
#include "job/pen.h"

void report_head(struct diagnosis *, struct pen *);

#endif
