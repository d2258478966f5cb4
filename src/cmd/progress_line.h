/* SPDX-License-Identifier: MIT */
/* The progress display: one line a running dump or upload at the bottom of the terminal on stderr, drawn again and again. */
#ifndef CMD_PROGRESS_LINE_H
#define CMD_PROGRESS_LINE_H

#include "job/progress.h"

/* Whether stderr is a terminal that can do it. */
bool progress_line_possible(void);

/* Begins showing what `look` says of each of `count` (at most JOBS_MAX) things under way; lines of the log appear above. Call progress_line_draw some times a second, and
 * progress_line_hide before anything else is written to the terminal (the next draw shows it again). */
void progress_line_begin(struct progress_view (*look)(void *state, unsigned i), void *state, unsigned count);
void progress_line_draw(void);
void progress_line_hide(void);
void progress_line_end(void);

#endif
