/* SPDX-License-Identifier: MIT */
/* The ids of an upload's blocks and the list that commits them, neither of which is ever stored: both follow from a
 * prefix, a count and, for an upload that can be resumed, a mark of each block's content. 21 characters of 0-9a-f are 28 in
 * Base64 and never give '+', '/' or '=', so an id needs no encoding in a URL or in XML. All ids are of one length, as the
 * service wants it of the blocks of one blob. (REST: "Put Block", "Put Block List".) */
#ifndef AZURE_BLOB_LIST_H
#define AZURE_BLOB_LIST_H

#include "base/flow.h"
#include "base/text.h"

#define BLOCK_PREFIX_DIGITS 16
#define BLOCK_ID_CHARACTERS 28

struct blob_ids {
	char prefix[BLOCK_PREFIX_DIGITS + 1]; /* hex digits, as text; with marks the second half does not count */
	const uint32_t *marks;                /* one a block, the owner's; NULL: none */
};

/* The id of block `number` (below 16^5). */
void blob_ids_put(struct text *, const struct blob_ids *, uint32_t number);

/* Whether an id in Base64 is one of these, which must have marks; then of which block, and with what mark. */
bool blob_ids_read(const struct blob_ids *, struct span id, uint32_t *number, uint32_t *mark);

/* The XML as a source of exactly blob_list_length bytes. */
struct blob_list {
	struct source source;
	const struct blob_ids *ids; /* the owner's */
	uint32_t count, next;   /* blocks in all; the next to be written */
	bool committed;
	enum { LIST_HEAD, LIST_IDS, LIST_TAIL, LIST_END } state;
	char piece[96];         /* what is being handed out */
	size_t piece_used, piece_at;
};

/* `committed`: only blocks that the blob has already count, so committing succeeds only if the blob is this very upload;
 * else the latest ones, so that the same commit can be repeated. */
void blob_list_open(struct blob_list *, const struct blob_ids *, uint32_t count, bool committed);
uint64_t blob_list_length(const struct blob_list *);
void blob_list_rewind(struct source *);

#endif
