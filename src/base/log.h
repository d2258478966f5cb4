/* SPDX-License-Identifier: MIT */
/* Lines on stderr, whole lines at a time whichever thread writes. Off until log_open says otherwise. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/fault.h"

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

void log_open(enum log_level);
bool log_is_verbose(void);

/* "kudump: …": a warning or note, not at LOG_QUIET; and one that only --verbose shows. Control characters become '?'. */
void log_note(const char *format, ...) PRINTF_LIKE(1, 2);
void log_verbose(const char *format, ...) PRINTF_LIKE(1, 2);

/* "kudump: text" and, if there is one, "hint: …". Also at LOG_QUIET. */
void log_fault(const struct fault *);

/* The progress display erases itself before a line and draws itself again after it: both called with the lock of the
 * log held, so they may write to stderr but not log. NULL: none. */
void log_around(void (*before)(void), void (*after)(void));

/* Runs `draw` with the lock of the log held. */
void log_locked(void (*draw)(void));

#endif
