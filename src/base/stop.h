/* SPDX-License-Identifier: MIT */
/* SIGINT, SIGTERM and SIGHUP turned into one readable descriptor and one flag, so that every wait of every thread ends
 * and each dump under way is abandoned cleanly. SIGPIPE and SIGXFSZ are ignored: a write says EPIPE or EFBIG instead. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include "base/fault.h"

/* Once, before threads are made. A second signal, of whichever of these kinds, ends the program at once. */
bool stop_install(struct fault *) MUST_CHECK;

int stop_fd(void);            /* readable from the first signal on, never drained; -1 before stop_install */
int stop_signal(void);        /* which signal came; 0: none */

/* False, with FAULT_STOPPED, once a signal has come. */
bool stop_check(struct fault *) MUST_CHECK;

#endif
