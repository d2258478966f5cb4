/* SPDX-License-Identifier: MIT */
/* The progress display: one line a running dump or upload at the bottom of the terminal on stderr, drawn again and again. */
#ifndef CMD_PROGRESS_LINE_H
#define CMD_PROGRESS_LINE_H

#include "job/progress.h"

struct progress_subject {
	struct progress_view (*look)(void *state, unsigned i); /* how the i-th thing under way is getting on */
	bool (*wait)(void *state, int64_t ms);                 /* waits at most so long; whether all have ended */
	void *state;
	unsigned count; /* at most JOBS_MAX are shown */
};

/* Waits for the end. Meanwhile draws, if it is wanted and stderr is a terminal that can do it; lines of the log appear above. */
void progress_line_follow(const struct progress_subject *, bool wanted);

/* From any thread before something else is written to the terminal: the next drawing shows it again. */
void progress_line_hide(void);

#endif
