/* SPDX-License-Identifier: MIT */
/* When and how long to wait before something harmless is asked again: exponential back-off with jitter, Retry-After
 * honoured. Only for what may be repeated: never a dump. */
#ifndef HTTP_RETRY_H
#define HTTP_RETRY_H

#include "base/deadline.h"
#include "http/head.h"

struct retry {
	unsigned tries, most;   /* done so far, allowed; the owner may change `most` after retry_open */
	int64_t first_ms, most_ms;
	int64_t waited_ms;      /* all waits together */
};

void retry_open(struct retry *);

/* Whether a fault or status is a passing one. Faults: FAULT_TIMEOUT; FAULT_NETWORK with an errno (the connection broke or
 * was not made) or a passing status in detail, but not with 0 (not HTTP, no such name); FAULT_CORRUPT with ECONNRESET
 * (a body cut short). Statuses: 408, 429, 500, 502, 503, 504. Never for other 4xx, TLS, busy, or a stop. */
bool retry_is_transient(const struct fault *);
bool retry_status_is_transient(int status);

/* After a failed try: true when another one is due, after having waited for it; the fault is cleared then. False: the
 * fault is not a passing one and is kept as it is; or the tries are used up or the server wants more patience than
 * RETRY_AFTER_MOST_S, which is put in front of the fault; or a signal came while waiting (FAULT_STOPPED).
 * `retry_after_s` is the server's wish, 0: none. */
bool retry_again(struct retry *, unsigned retry_after_s, struct fault *) MUST_CHECK;

/* Retry-After of an answer in seconds (a number or a date, RFC 9110 section 10.2.3); 0 when absent, past or odd. */
unsigned retry_after_s(const struct http_head *);

#endif
