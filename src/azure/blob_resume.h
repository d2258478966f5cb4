/* SPDX-License-Identifier: MIT */
/* What an earlier try left of an upload, so that it is not sent again. A block counts when its id says the identity of what
 * is sent, the size of its blocks, its place and a mark of the very bytes that belong there, and when it has their length:
 * blocks of another file, of what the file held before, or of another block size are never taken. */
#ifndef AZURE_BLOB_RESUME_H
#define AZURE_BLOB_RESUME_H

#include "azure/blob_list.h"
#include "azure/blob_ops.h"

struct blob_resume {
	const char *identity; /* set by the owner: UPLOAD_ID_DIGITS hex digits, which become the upload id */
	/* public */
	bool readable;        /* the login may see what is there */
	uint64_t found;       /* bytes of blocks that may do, before their marks are compared */
	uint64_t bytes;       /* of blocks that did, so far */
	uint32_t strangers;   /* unfinished blocks that are not of this */
	/* the room's own */
	const struct blob_ids *ids;
	uint64_t expected, block;
	uint32_t marks[BLOCKS_MAX];
	unsigned char there[(BLOCKS_MAX + 7) / 8]; /* a bit each */
};

/* Makes the ids of an upload of `expected` bytes in blocks of `block`: the same for the same, whoever sends it and when. */
void blob_resume_open(struct blob_resume *, struct blob_ids *, uint64_t expected, size_t block);

/* Asks what lies under that name. A login that may not read is no fault. */
bool blob_resume_gather(struct blob_resume *, struct crew_lane *, const struct blob_target *, const char *name,
                        struct fault *) MUST_CHECK;

/* Marks block `number`, whose bytes these are, before its id is used; true when the service has it. */
bool blob_resume_has(struct blob_resume *, uint32_t number, struct span bytes);

#endif
