/* SPDX-License-Identifier: MIT */
/* One dump from Kudu to its destinations: the only place that joins source, checks, digest and sinks. */
#ifndef JOB_CAPTURE_H
#define JOB_CAPTURE_H

#include "azure/procdump.h"
#include "dump/gate.h"
#include "job/digest_sink.h"
#include "job/landing.h"
#include "job/progress.h"

struct capture_order {
	unsigned type;
	const char *name_template;
	bool digest;
	int64_t first_byte_ms;
	bool by_procdump; /* else by Kudu's dump route */
};

/* For one thread, again and again. */
struct capture {
	struct site site; /* opened by the owner */
	struct progress progress;
	struct landing *landings; /* lent for a dump: one a destination, */
	struct tee_leg *legs;
	size_t count;
	unsigned char *room;      /* and FLOW_BYTES */
	/* of the last dump: */
	struct facts facts;
	size_t landed;            /* destinations that have it whole */
	bool source_failed;       /* the fault is Kudu's or the dump's, not the destinations' */
	/* the room's own */
	struct procdump procdump;
	struct dump_gate gate;
	struct digest_sink digest;
	struct meter meter;
	struct tee tee;
};

/* Takes one dump. True when at least one destination has it; legs[i].fault says which have not. The dump is asked for
 * once and only after the destinations were found willing. */
bool capture_run(struct capture *, const struct kudu_process *, const struct capture_order *, struct fault *) MUST_CHECK;

#endif
