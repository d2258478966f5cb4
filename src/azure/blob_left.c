/* SPDX-License-Identifier: MIT */
#include "azure/blob_left.h"

#include "http/retry.h"

#include <string.h>

/* A byte into a text that is too long as soon as it does not fit with its NUL. */
static void
keep(char *room, size_t size, size_t *used, bool *cut, unsigned char byte)
{
	if (*used + 1 >= size) {
		*cut = true;
		return;
	}
	room[(*used)++] = (char)byte;
	room[*used] = 0;
}

static void
end_block(struct blob_left *left)
{
	if (left->uncommitted && left->has_id && left->has_size)
		left->block(left->state, span_of(left->id), left->size);
	left->has_id = left->has_size = false;
}

static void
end_tag(struct blob_left *left)
{
	struct span tag = {(const unsigned char *)left->tag, left->tag_cut ? 0 : left->tag_used};
	struct span text = {(const unsigned char *)left->text, left->text_cut ? 0 : left->text_used};
	if (span_is(tag, "UncommittedBlocks"))
		left->uncommitted = true;
	else if (span_is(tag, "/UncommittedBlocks"))
		left->uncommitted = false;
	else if (span_is(tag, "/Name"))
		left->has_id = text.count > 0 && text_keep(left->id, sizeof left->id, text);
	else if (span_is(tag, "/Size"))
		left->has_size = span_decimal(text, &left->size);
	else if (span_is(tag, "Block") || span_is(tag, "/Block"))
		end_block(left);
	else if (span_is(tag, "/BlockList") || span_is(tag, "BlockList/") || span_is(tag, "BlockList /"))
		left->ended = true;
}

void
blob_left_add(struct blob_left *left, struct span bytes)
{
	for (size_t i = 0; i < bytes.count; i++) {
		unsigned char byte = bytes.at[i];
		if (byte == '<') {
			left->in_tag = true;
			left->tag_used = 0;
			left->tag_cut = false;
		} else if (!left->in_tag) {
			keep(left->text, sizeof left->text, &left->text_used, &left->text_cut, byte);
		} else if (byte == '>') {
			end_tag(left);
			left->in_tag = left->text_cut = false;
			left->text_used = 0;
		} else {
			keep(left->tag, sizeof left->tag, &left->tag_used, &left->tag_cut, byte);
		}
	}
}

static bool
read_answer(struct crew_lane *lane, struct blob_left *left, struct fault *fault)
{
	struct source *body = http_client_body(&lane->client);
	unsigned char room[2048];
	size_t got;
	do {
		if (!body->read(body, room, sizeof room, &got, fault))
			return false;
		blob_left_add(left, (struct span){room, got});
	} while (got > 0);
	return left->ended || fault_raise(fault, FAULT_NETWORK, "the answer is no list of blocks");
}

static bool
is_answer(const struct blob_target *target, const struct blob_refusal *refusal, bool *readable)
{
	if (refusal->status == 404 && (refusal->code[0] == 0 || blob_refusal_is(refusal, "BlobNotFound")))
		return true;
	*readable = false;
	return target->login.kind == BLOB_SAS && blob_refusal_is(refusal, "AuthorizationPermissionMismatch");
}

bool
blob_left_read(struct crew_lane *lane, const struct blob_target *target, const char *name, struct blob_left *left,
               void (*begin)(void *state), bool *readable, struct fault *fault)
{
	const struct blob_call call = {.target = target, .method = "GET", .name = name,
	                               .query = "comp=blocklist&blocklisttype=uncommitted"};
	struct blob_left fresh = {.block = left->block, .state = left->state};
	struct blob_refusal refusal;
	struct retry retry;
	*readable = true;
	retry_open(&retry);
	for (;;) {
		*left = fresh;
		begin(left->state);
		if (!blob_call(lane, &call, &refusal, fault)) {
			if (!is_answer(target, &refusal, readable))
				break;
			fault_clear(fault);
			return true;
		}
		if (read_answer(lane, left, fault))
			return true;
		http_client_close(&lane->client);
		if (!retry_again(&retry, 0, fault))
			break;
	}
	return fault_while(fault, "asking which blocks of %s are there already", name);
}
