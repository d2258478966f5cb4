/* SPDX-License-Identifier: MIT */
/* A name for a kind of crash, the same for each dump of it: what happened and the first application frames, without
 * addresses that another run would change. Frames of the system, of the runtime and of a framework are passed over. */
#ifndef JOB_SIGNATURE_H
#define JOB_SIGNATURE_H

#include "dump/managed.h"

#define SIGNATURE_FRAMES 3
#define SIGNATURE_MAX 1024
#define NO_FRAME ((size_t)-1)

struct signature {
	char text[SIGNATURE_MAX]; /* Shop.OrderException | Shop.Orders.Process | … ; UTF-8 of the dump: escape it */
	char hash[17];            /* FNV-1a of the text, 16 hex digits */
	/* the room's own */
	size_t count, last;       /* frames in the text, where the last one begins */
};

/* One frame as a signature sees it. `module` is a short name, NULL: none. */
struct signed_frame {
	const char *module, *function;  /* function: NULL or empty, unknown */
	uint64_t offset;                /* in the module, of an unnamed function's start or else of the frame */
	bool managed, runtime;          /* runtime: the module is or holds a .NET runtime and the frame is native */
};

/* Whether a managed method belongs to a framework: System., Microsoft., Interop and the like. */
bool signature_is_framework(const char *method);

/* Whether the frame is the application's own code. */
bool signature_is_own(const struct signed_frame *);

/* Begin with what happened; add frames from the top: the first SIGNATURE_FRAMES own ones count, each once where it stands in
 * a row. signature_end makes the hash. */
void signature_begin(struct signature *, const char *what);
bool signature_add(struct signature *, const struct signed_frame *); /* false: it was not an own one */
void signature_end(struct signature *);

#endif
