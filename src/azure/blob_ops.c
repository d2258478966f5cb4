/* SPDX-License-Identifier: MIT */
#include "azure/blob_ops.h"

#include "base/encode.h"
#include "base/log.h"

#include <inttypes.h>
#include <string.h>

#define QUICK_MS 10000
#define FILE_NAME_MAX 255
#define LINES_MAX 3584 /* of a commit: metadata, file name and half a KiB */

static const struct http_times quick_times = {QUICK_MS, QUICK_MS, QUICK_MS};

/* Ours are hex digits and fit. */
static void
keep_hex(const struct http_head *head, const char *name, char *room, size_t size)
{
	struct span value;
	bool good = http_head_find(head, name, 0, &value) && text_keep(room, size, value);
	for (size_t i = 0; good && i < value.count; i++)
		good = hex_value(value.at[i]) >= 0;
	if (!good)
		room[0] = 0;
}

static bool
read_look(const struct http_head *head, struct blob_look *look, struct fault *fault)
{
	struct span value;
	look->state = BLOB_THERE;
	if (!http_head_find(head, "Content-Length", 0, &value) || !span_decimal(value, &look->length))
		return fault_raise(fault, FAULT_NETWORK, "the blob service did not say how long the blob is");
	keep_hex(head, "x-ms-meta-uploadid", look->upload_id, sizeof look->upload_id);
	keep_hex(head, "x-ms-meta-sha256", look->sha256, sizeof look->sha256);
	return true;
}

/* A refusal that answers the question after all. */
static bool
is_answer(const struct blob_call *call, const struct blob_refusal *refusal, struct blob_look *look)
{
	if (refusal->status == 404 && (refusal->code[0] == 0 || blob_refusal_is(refusal, "BlobNotFound"))) {
		look->state = BLOB_FREE;
		return true;
	}
	look->state = BLOB_UNKNOWN;
	return call->target->login.kind == BLOB_SAS && blob_refusal_is(refusal, "AuthorizationPermissionMismatch");
}

bool
blob_look(struct crew_lane *lane, const struct blob_target *target, const char *name, bool quick, struct blob_look *look,
          struct fault *fault)
{
	struct blob_call call = {.target = target, .method = "HEAD", .name = name, .once = quick};
	struct blob_refusal refusal;
	memset(look, 0, sizeof *look);
	if (quick)
		call.times = quick_times;
	if (blob_call(lane, &call, &refusal, fault))
		return read_look(&lane->client.head, look, fault);
	if (!is_answer(&call, &refusal, look))
		return false;
	fault_clear(fault);
	return true;
}

bool
blob_put_block(struct crew_lane *lane, const struct blob_block *block, struct fault *fault)
{
	char query[64], id[64];
	struct text text = text_in(query, sizeof query), id_text = text_in(id, sizeof id);
	struct blob_refusal refusal;
	struct blob_call call = {.target = block->target, .method = "PUT", .name = block->name, .query = query, .id = id,
	                         .body = block->bytes, .has_body = true, .check_crc = true, .wanted = block->wanted,
	                         .state = block->state};
	call.times.stall = block->stall_ms;
	text_put(&text, "comp=block&blockid=");
	blob_ids_put(&text, block->ids, block->number);
	text_printf(&id_text, "%s-%" PRIu32, block->upload_id, block->number);
	if (blob_call(lane, &call, &refusal, fault)) {
		http_client_done(&lane->client);
		return true;
	}
	return fault_while(fault, "uploading block %" PRIu32 " of %s", block->number + 1, block->name);
}

/* What a browser names the file: the last part of the blob's name, without what a quoted string cannot hold. */
static void
put_disposition(struct text *lines, const char *name)
{
	const char *slash = strrchr(name, '/'), *at = slash == NULL ? name : slash + 1;
	if (strlen(at) > FILE_NAME_MAX)
		at += strlen(at) - FILE_NAME_MAX;
	text_put(lines, "x-ms-blob-content-disposition: attachment; filename=\"");
	for (; *at != 0; at++)
		text_put_byte(lines, *at > ' ' && *at < 0x7f && *at != '"' && *at != '\\' ? *at : '_');
	text_put(lines, "\"\r\n");
}

static void
put_commit_lines(struct text *lines, const struct blob_commit *commit, bool conditional)
{
	text_put(lines, "Content-Type: application/xml\r\nx-ms-blob-content-type: application/octet-stream\r\n");
	if (conditional)
		text_put(lines, "If-None-Match: *\r\n");
	put_disposition(lines, commit->name);
	if (commit->md5 != NULL) {
		text_put(lines, "x-ms-blob-content-md5: ");
		encode_base64(lines, (struct span){commit->md5, MD5_BYTES});
		text_put(lines, "\r\n");
	}
	text_put(lines, commit->metadata);
	text_printf(lines, "x-ms-meta-uploadid: %s\r\n", commit->upload_id);
}

/* `again`: of blocks that the blob must already have. */
static bool
send_list(struct crew_lane *lane, const struct blob_commit *commit, bool again, struct blob_refusal *refusal,
          struct fault *fault)
{
	char lines[LINES_MAX], id[64];
	struct text text = text_in(lines, sizeof lines), id_text = text_in(id, sizeof id);
	struct blob_list list;
	struct blob_call call = {.target = commit->target, .method = "PUT", .name = commit->name, .query = "comp=blocklist",
	                         .headers = lines, .id = id, .from = &list.source, .rewind = blob_list_rewind};
	put_commit_lines(&text, commit, !again && !commit->overwrite);
	text_printf(&id_text, "%s-commit", commit->upload_id);
	if (text.cut)
		return fault_raise(fault, FAULT_BOUND, "the metadata is too long");
	blob_list_open(&list, commit->ids, commit->blocks, again);
	call.length = blob_list_length(&list);
	call.times.stall = commit->stall_ms;
	return blob_call(lane, &call, refusal, fault);
}

/* Whether a commit that seems to have failed may have happened: its answer was lost, or a repeat met its own work. */
static bool
is_doubtful(const struct blob_refusal *refusal, const struct fault *fault)
{
	if (fault->kind == FAULT_STOPPED || fault->kind == FAULT_BOUND)
		return false;
	return refusal->status == 0 || refusal->status >= 500 || blob_refusal_is(refusal, "BlobAlreadyExists") ||
	       blob_refusal_is(refusal, "UnauthorizedBlobOverwrite") || blob_refusal_is(refusal, "ConditionNotMet");
}

/* True: the blob is there and is ours. */
static bool
is_ours(struct crew_lane *lane, const struct blob_commit *commit)
{
	struct blob_refusal refusal;
	struct blob_look look;
	struct fault fault;
	fault_clear(&fault);
	if (!blob_look(lane, commit->target, commit->name, false, &look, &fault)) {
		log_verbose("whether the commit happened is not known: %s", fault.text);
		return false;
	}
	if (look.state == BLOB_UNKNOWN)
		return send_list(lane, commit, true, &refusal, &fault);
	return look.state == BLOB_THERE && look.length == commit->bytes && strcmp(look.upload_id, commit->upload_id) == 0;
}

bool
blob_put_list(struct crew_lane *lane, const struct blob_commit *commit, struct fault *fault)
{
	struct blob_refusal refusal;
	memset(&refusal, 0, sizeof refusal);
	if (send_list(lane, commit, false, &refusal, fault))
		return true;
	if (is_doubtful(&refusal, fault) && is_ours(lane, commit)) {
		log_verbose("the answer to the commit of %s was lost, but the blob is there: %s", commit->name, fault->text);
		fault_clear(fault);
		return true;
	}
	return fault_while(fault, "committing %s", commit->name);
}

bool
blob_put_empty(struct crew_lane *lane, const struct blob_target *target, const char *name, struct fault *fault)
{
	const struct blob_call call = {.target = target, .method = "PUT", .name = name, .has_body = true,
	                               .headers = "x-ms-blob-type: BlockBlob\r\nIf-None-Match: *\r\n"};
	struct blob_refusal refusal;
	if (!blob_call(lane, &call, &refusal, fault))
		return fault_while(fault, "writing %s", name);
	http_client_done(&lane->client);
	return true;
}

bool
blob_delete(struct crew_lane *lane, const struct blob_target *target, const char *name, struct fault *fault)
{
	const struct blob_call call = {.target = target, .method = "DELETE", .name = name};
	struct blob_refusal refusal;
	return blob_call(lane, &call, &refusal, fault) || fault_while(fault, "deleting %s", name);
}

/* A blob that appears between the look and the deletion is younger than the answer to the look, so the condition saves
 * it. */
bool
blob_drop_blocks(struct crew_lane *lane, const struct blob_target *target, const char *name, struct fault *fault)
{
	char lines[80];
	struct text text = text_in(lines, sizeof lines);
	struct blob_call call = {.target = target, .method = "DELETE", .name = name, .headers = lines, .once = true,
	                         .times = quick_times};
	struct blob_refusal refusal;
	struct blob_look look;
	struct span date;
	if (!blob_look(lane, target, name, true, &look, fault))
		return false;
	if (look.state != BLOB_FREE || !http_head_find(&lane->client.head, "Date", 0, &date))
		return true;
	text_put(&text, "If-Unmodified-Since: ");
	text_put_span(&text, date);
	text_put(&text, "\r\n");
	if (text.cut)
		return true;
	return blob_call(lane, &call, &refusal, fault) || fault_while(fault, "removing unfinished blocks of %s", name);
}
