/* SPDX-License-Identifier: MIT */
/* The only place that waits for a descriptor. Every wait ends at its deadline or when a signal asks us to stop. */
#ifndef NET_WAIT_H
#define NET_WAIT_H

#include "base/deadline.h"

/* Waits until fd can be read or written without blocking (or has an error or its end to tell). FAULT_TIMEOUT at the
 * deadline, FAULT_STOPPED after a signal. A deadline that has passed still looks once: what is ready counts. */
bool wait_readable(int fd, struct deadline, struct fault *) MUST_CHECK;
bool wait_writable(int fd, struct deadline, struct fault *) MUST_CHECK;

/* Either; says which, both when there is an error to tell. */
bool wait_either(int fd, bool *readable, bool *writable, struct deadline, struct fault *) MUST_CHECK;

/* Waits until one of `count` (at most ADDRESSES_MAX) descriptors can be written; descriptors of -1 are passed over.
 * True with *which = -1 when the deadline passed: that is no fault here. */
bool wait_first_writable(const int *fds, size_t count, int *which, struct deadline, struct fault *) MUST_CHECK;

/* Sleeps. */
bool wait_until(struct deadline, struct fault *) MUST_CHECK;

#endif
