/* SPDX-License-Identifier: MIT */
/* What is known of one dump: said in its manifest, in its blob's metadata, in JSON events and in its name. */
#ifndef JOB_FACTS_H
#define JOB_FACTS_H

#include "base/digest.h"
#include "base/text.h"

#define FACTS_ID_DIGITS 16

struct facts {
	char site[64], instance[INSTANCE_MAX + 1], machine[MACHINE_MAX], process[PROCESS_NAME_MAX];
	int64_t pid;
	unsigned type;                /* MINIDUMP_TYPE sum */
	char id[FACTS_ID_DIGITS + 1]; /* random, hex */
	int64_t started_s, ended_s;   /* UTC; 0: not yet */
	int64_t began_ms, ended_ms;   /* monotonic, for the duration */
	uint64_t bytes;
	char sha256[2 * SHA256_BYTES + 1]; /* hex; empty: not taken or not yet */
};

/* The members, without braces: "site":…,"instance":…, … as CLI.md of the events and the manifest have them. */
void facts_put_json(struct text *, const struct facts *);

double facts_seconds(const struct facts *);

/* A name template: {date} {time} {process} {pid} {instance} {site} {machine} {type} {id}, literal text between them and '/'
 * for folders. What a server said is reduced to letters, digits, '.', '_' and '-'. FAULT_USAGE for an unknown field, an
 * absolute path, empty, "." or ".." components. */
bool facts_check_template(const char *words, struct fault *) MUST_CHECK;
bool facts_put_name(struct text *, const char *words, const struct facts *, struct fault *) MUST_CHECK;

/* mini, full, triage or a number of CLI.md as a MINIDUMP_TYPE sum. */
bool facts_read_type(const char *words, unsigned *type);

#endif
