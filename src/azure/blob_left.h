/* SPDX-License-Identifier: MIT */
/* Unfinished blocks that lie under a blob's name, as the service lists them. (REST: "Get Block List".) */
#ifndef AZURE_BLOB_LEFT_H
#define AZURE_BLOB_LEFT_H

#include "azure/blob_call.h"

#define LEFT_TEXT_MAX 96 /* an id is at most 64 bytes, which are 88 in Base64 */

/* The XML of the answer, read as it comes, in pieces of any size: the Name and Size of each Block in UncommittedBlocks.
 * Blocks whose name or size is nothing that could be ours are passed over. */
struct blob_left {
	void (*block)(void *state, struct span id, uint64_t size); /* set by the owner */
	void *state;
	/* the room's own; begins as zeroes */
	char tag[24], text[LEFT_TEXT_MAX], id[LEFT_TEXT_MAX];
	size_t tag_used, text_used;
	uint64_t size;
	bool in_tag, tag_cut, text_cut, uncommitted, has_id, has_size, ended;
};

void blob_left_add(struct blob_left *, struct span);

/* On a lane: asks for the list and hands it to `left`, whose owner's `begin` is called before each try. True without a
 * block when there are none; true with *readable false when the SAS may not read, which is no fault. */
bool blob_left_read(struct crew_lane *, const struct blob_target *, const char *name, struct blob_left *left,
                    void (*begin)(void *state), bool *readable, struct fault *) MUST_CHECK;

#endif
