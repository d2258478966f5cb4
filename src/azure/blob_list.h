/* SPDX-License-Identifier: MIT */
/* The ids of an upload's blocks and the list that commits them, neither of which is ever stored: both follow from a
 * random prefix and a count. 15 characters of 0-9a-f are 20 in Base64 and never give '+', '/' or '=', so an id needs
 * no encoding in a URL or in XML. (REST: "Put Block", "Put Block List".) */
#ifndef AZURE_BLOB_LIST_H
#define AZURE_BLOB_LIST_H

#include "base/flow.h"
#include "base/text.h"

#define BLOCK_PREFIX_DIGITS 8
#define BLOCK_ID_CHARACTERS 20

/* The id of block `number` (below 16^7) of the upload with this prefix of 8 hex digits. */
void blob_list_put_id(struct text *, const char prefix[BLOCK_PREFIX_DIGITS + 1], uint32_t number);

/* The XML as a source of exactly blob_list_length bytes. */
struct blob_list {
	struct source source;
	const char *prefix;     /* the owner's */
	uint32_t count, next;   /* blocks in all; the next to be written */
	bool committed;
	enum { LIST_HEAD, LIST_IDS, LIST_TAIL, LIST_END } state;
	char piece[96];         /* what is being handed out */
	size_t piece_used, piece_at;
};

/* `committed`: only blocks that the blob has already count, so committing succeeds only if the blob is this very upload;
 * else the latest ones, so that the same commit can be repeated. */
void blob_list_open(struct blob_list *, const char *prefix, uint32_t count, bool committed);
uint64_t blob_list_length(const struct blob_list *);
void blob_list_rewind(struct source *);

#endif
