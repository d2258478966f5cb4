/* SPDX-License-Identifier: MIT */
/* The report for programs: one JSON object in rust-minidump's field names where they overlap. Addresses are strings of
 * hex digits; what is unknown is absent. */
#ifndef JOB_REPORT_JSON_H
#define JOB_REPORT_JSON_H

#include "job/diagnose.h"
#include "job/pen.h"

/* One line with its end. Takes other threads' stacks and names of modules out of the dump as it goes. */
void report_json(struct diagnosis *, struct pen *);

#endif
