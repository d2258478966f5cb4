/* SPDX-License-Identifier: MIT */
/* What went wrong, in one place: the kind decides retry and exit status, the text is the one line a user reads.
 * A function that can fail returns bool and takes a struct fault last; the first cause stays. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/bounds.h"

#include <stdbool.h>

#if defined(__GNUC__)
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(words, first) __attribute__((format(printf, words, first)))
#else
#define MUST_CHECK
#define PRINTF_LIKE(words, first)
#endif

enum fault_kind {
	FAULT_NONE,
	FAULT_USAGE,   /* the command line or a file of settings is wrong */
	FAULT_SYSTEM,  /* this machine refused: disk full, no such folder; detail is errno */
	FAULT_NETWORK, /* name, connection, or an answer that is not HTTP, or HTTP 5xx; detail is errno or the HTTP status */
	FAULT_TLS,     /* detail is BearSSL's code */
	FAULT_TIMEOUT,
	FAULT_DENIED,  /* login, role, IP rule; detail is the HTTP status */
	FAULT_MISSING, /* no such process, container, file */
	FAULT_BUSY,    /* a dump of this site is already running */
	FAULT_CORRUPT, /* the bytes are not what they should be, or end too early */
	FAULT_BOUND,   /* larger than a limit of bounds.h */
	FAULT_UNABLE,  /* this kind of app, plan or dump cannot do that */
	FAULT_STOPPED  /* a signal asked us to stop; detail is its number */
};

struct fault {
	enum fault_kind kind;
	int detail;                /* errno, HTTP status, BearSSL code or signal number: see the kind */
	unsigned retry_after_s;    /* what the server asked for; 0: nothing */
	char text[FAULT_TEXT_MAX]; /* "doing what: cause"; no control characters, no secrets */
	char hint[FAULT_HINT_MAX]; /* what to try; may be empty */
};

/* Records the first cause; a fault that already has a kind keeps it. Always false, so that a function can end with it.
 * Control characters in what a server said become '?'. */
bool fault_raise(struct fault *, enum fault_kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Like fault_raise, with ": " and the words for errno behind; detail is that errno. */
bool fault_errno(struct fault *, enum fault_kind, int error, const char *format, ...) PRINTF_LIKE(4, 5);

/* Puts "doing what: " in front of the text. Always false. */
bool fault_while(struct fault *, const char *format, ...) PRINTF_LIKE(2, 3);

/* Says what to try, unless a deeper floor already did. Always false. */
bool fault_hint(struct fault *, const char *format, ...) PRINTF_LIKE(2, 3);

/* Back to no fault. */
void fault_clear(struct fault *);

/* The kind as scripts see it: "usage", "denied", … */
const char *fault_kind_name(enum fault_kind);

#endif
