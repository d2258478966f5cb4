/* SPDX-License-Identifier: MIT */
/* Counts and hashes what goes through and writes both into the facts before the sink under it finishes, so that a
 * manifest or a commit can state them. */
#ifndef JOB_DIGEST_SINK_H
#define JOB_DIGEST_SINK_H

#include "base/flow.h"
#include "job/facts.h"

struct digest_sink {
	struct sink sink;
	struct sink *under;
	struct facts *facts;
	struct sha256 sha256;
	bool hashes;
};

/* Without `hashes` only bytes and times are noted. */
void digest_sink_open(struct digest_sink *, struct sink *under, struct facts *, bool hashes);

#endif
