/* SPDX-License-Identifier: MIT */
/* Points in monotonic time, absolute, so that a deadline handed down is not begun anew at each call; and the wall clock
 * in the forms that HTTP, JSON and file names want. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include "base/text.h"

#include <stdint.h>

struct deadline {
	int64_t at_ms; /* of clock_ms() */
};

int64_t clock_ms(void); /* monotonic */
struct deadline deadline_in(int64_t ms);
struct deadline deadline_never(void);
struct deadline deadline_sooner(struct deadline, struct deadline);
int64_t deadline_left_ms(struct deadline); /* 0 when passed, never negative */
bool deadline_passed(struct deadline);

int64_t clock_utc_s(void);                       /* seconds since 1970 */
void clock_put_http(struct text *, int64_t);     /* Sat, 21 Nov 2026 14:05:33 GMT (RFC 9110 section 5.6.7) */
void clock_put_iso(struct text *, int64_t);      /* 2026-11-21T14:05:33Z */
void clock_put_date(struct text *, int64_t);     /* 2026-11-21 */
void clock_put_time(struct text *, int64_t);     /* 140533Z */

/* Reads the RFC 1123 form of an HTTP date; false when it is another form or no date. */
bool clock_read_http(struct span, int64_t *utc_s) MUST_CHECK;

/* Reads 2026-11-21T14:05:33[.fraction]Z, also without the time, as SAS tokens have it. */
bool clock_read_iso(struct span, int64_t *utc_s) MUST_CHECK;

#endif
