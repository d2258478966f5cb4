/* SPDX-License-Identifier: MIT */
/* The requests an upload is made of, each on a lane and each with its retries. (REST: "Put Block", "Put Block List", "Get
 * Blob Properties", "Delete Blob".) */
#ifndef AZURE_BLOB_OPS_H
#define AZURE_BLOB_OPS_H

#include "azure/blob_call.h"
#include "azure/blob_list.h"
#include "base/digest.h"

#define UPLOAD_ID_DIGITS 32

enum blob_state {
	BLOB_FREE,   /* no such blob, or only unfinished blocks of one */
	BLOB_THERE,
	BLOB_UNKNOWN /* the SAS may not read, which is no fault */
};

struct blob_look {
	enum blob_state state;
	uint64_t length;                      /* of one that is there */
	char upload_id[UPLOAD_ID_DIGITS + 1]; /* its x-ms-meta-uploadid; empty: none */
	char sha256[2 * SHA256_BYTES + 1];    /* its x-ms-meta-sha256; empty: none */
};

/* Looks whether a blob of this name exists. A missing container, a refused login or firewall are faults. `quick`: one
 * try, ten seconds. */
bool blob_look(struct crew_lane *, const struct blob_target *, const char *name, bool quick, struct blob_look *,
               struct fault *) MUST_CHECK;

struct blob_block {
	const struct blob_target *target;
	const char *name, *upload_id;
	const struct blob_ids *ids;
	uint32_t number;
	struct span bytes;      /* at least one */
	int64_t stall_ms;       /* 0: the default */
	bool (*wanted)(void *); /* asked before another try */
	void *state;
};

/* Sends one block; it is with the service, undamaged as far as that tells, when this returns true. */
bool blob_put_block(struct crew_lane *, const struct blob_block *, struct fault *) MUST_CHECK;

struct blob_commit {
	const struct blob_target *target;
	const char *name, *upload_id;
	const struct blob_ids *ids;
	uint32_t blocks;
	uint64_t bytes;
	bool overwrite;
	const unsigned char *md5; /* of all bytes; NULL: not stored */
	const char *metadata;     /* header lines */
	int64_t stall_ms;
};

/* Makes the blob exist, whole. When the answer was lost, or the name turns out to be taken, the blob's upload id (or,
 * without the right to read, its blocks) tells whether it is ours. */
bool blob_put_list(struct crew_lane *, const struct blob_commit *, struct fault *) MUST_CHECK;

/* Makes a blob without bytes, not over one that is there; and deletes one. (REST: "Put Blob", "Delete Blob".) */
bool blob_put_empty(struct crew_lane *, const struct blob_target *, const char *name, struct fault *) MUST_CHECK;
bool blob_delete(struct crew_lane *, const struct blob_target *, const char *name, struct fault *) MUST_CHECK;

/* Removes unfinished blocks under a name that has no blob; if one exists, or appears meanwhile, it stays. One quick try;
 * the service drops them by itself after a week. */
bool blob_drop_blocks(struct crew_lane *, const struct blob_target *, const char *name, struct fault *) MUST_CHECK;

#endif
