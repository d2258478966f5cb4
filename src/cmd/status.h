/* SPDX-License-Identifier: MIT */
/* Exit statuses, the same for every command: see the table in the README. */
#ifndef CMD_STATUS_H
#define CMD_STATUS_H

#include "base/fault.h"

#include <stddef.h>

enum status {
	STATUS_DONE = 0,
	STATUS_SOME = 1,        /* some done, some failed */
	STATUS_USAGE = 2,
	STATUS_DENIED = 3,
	STATUS_NETWORK = 4,
	STATUS_NOTHING = 5,     /* nothing matches */
	STATUS_DESTINATION = 6,
	STATUS_CORRUPT = 7,
	STATUS_BUSY = 8,
	STATUS_UNABLE = 9
};

/* The status for a fault; 128 + the signal's number after a signal. */
int status_of(const struct fault *);

/* The same for a signal that came where nothing waited, so that no fault tells of it; says so on stderr. */
int status_of_stop(void);

/* Of a run of many things, once it has ended: `first` is the status of the first failure, `whole` false when a signal kept
 * some from being tried. */
int status_of_run(int first, size_t done, size_t failed, bool whole);

#endif
