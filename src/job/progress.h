/* SPDX-License-Identifier: MIT */
/* How far each capture is, for whoever shows it: written by the capture's thread, read by another. */
#ifndef JOB_PROGRESS_H
#define JOB_PROGRESS_H

#include "base/flow.h"

enum phase {
	PHASE_IDLE,
	PHASE_LISTING,   /* finding the processes */
	PHASE_CHECKING,  /* the destinations */
	PHASE_WRITING,   /* Kudu writes the dump, no byte has come */
	PHASE_STREAMING
};

struct progress {
	pthread_mutex_t lock;
	/* under the lock */
	char label[96];
	enum phase phase;
	int64_t since_ms;      /* when the phase began */
	uint64_t length;       /* of the dump; 0: unknown */
	struct meter *meter;   /* NULL: none */
};

struct progress_view {
	char label[96];
	enum phase phase;
	int64_t for_ms;
	uint64_t length, bytes;
};

bool progress_open(struct progress *, struct fault *) MUST_CHECK;
void progress_label(struct progress *, const char *label);
void progress_phase(struct progress *, enum phase);

/* From here to the call with NULL the bytes of `meter` count. */
void progress_meter(struct progress *, struct meter *meter, uint64_t length);

struct progress_view progress_look(struct progress *);

#endif
