/* SPDX-License-Identifier: MIT */
#include "azure/blob.h"

#include "azure/blob_name.h"
#include "base/encode.h"
#include "base/linux.h"
#include "base/log.h"
#include "base/stop.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define VALUE_MAX 256

/* --- blocks */

static bool
is_wanted(void *state)
{
	struct blob_upload *upload = state;
	bool wanted;
	crew_lock(upload->crew);
	wanted = !upload->failed;
	crew_unlock(upload->crew);
	return wanted;
}

/* The first fault stays, and wakes a writer that waits for a slot. */
static void
fail(struct blob_upload *upload, const struct fault *fault)
{
	bool first;
	crew_lock(upload->crew);
	first = !upload->failed;
	if (first) {
		upload->failed = true;
		upload->fault = *fault;
	}
	crew_unlock(upload->crew);
	if (first)
		pool_wake(upload->pool, &upload->unwanted);
}

static bool
check_failed(struct blob_upload *upload, struct fault *fault)
{
	bool failed;
	crew_lock(upload->crew);
	failed = upload->failed;
	if (failed && fault->kind == FAULT_NONE)
		*fault = upload->fault;
	crew_unlock(upload->crew);
	return !failed;
}

static bool
send_block(struct crew_lane *lane, struct blob_upload *upload, const struct crew_job *job, struct fault *fault)
{
	return blob_put_block(lane, &(struct blob_block){.target = upload->target, .name = upload->name, .upload_id = upload->id,
	                                                 .ids = &upload->ids, .number = job->number,
	                                                 .bytes = {job->slot->at, job->slot->used},
	                                                 .stall_ms = upload->options.stall_ms, .wanted = is_wanted,
	                                                 .state = upload}, fault);
}

/* On a lane. Once pending is 0 the upload may be gone: nothing touches it behind that. */
static void
run_block(struct crew_lane *lane, struct crew_job *job)
{
	struct blob_upload *upload = job->owner;
	struct crew *crew = lane->crew;
	struct fault fault;
	bool stored;
	fault_clear(&fault);
	stored = is_wanted(upload) && send_block(lane, upload, job, &fault);
	if (fault.kind != FAULT_NONE)
		fail(upload, &fault);
	pool_give(upload->pool, job->slot);
	crew_lock(crew);
	upload->stored += stored;
	upload->pending--;
	crew_tell(crew);
	crew_unlock(crew);
}

static void
hand_over(struct blob_upload *upload)
{
	struct blob_resume *resume = upload->options.resume;
	if (resume != NULL && blob_resume_has(resume, upload->blocks, (struct span){upload->slot->at, upload->slot->used})) {
		pool_give(upload->pool, upload->slot);
	} else {
		crew_lock(upload->crew);
		upload->pending++;
		crew_unlock(upload->crew);
		crew_push(upload->crew, (struct crew_job){run_block, upload, upload->slot, upload->blocks});
	}
	upload->slot = NULL;
	upload->blocks++;
}

static bool
too_many(uint64_t block, struct fault *fault)
{
	fault_raise(fault, FAULT_BOUND, "a blob has at most %u blocks: with blocks of %" PRIu64 " KiB that is %" PRIu64 " MiB",
	            BLOCKS_MAX, block / KIB, block * BLOCKS_MAX / MIB);
	return fault_hint(fault, "give a larger --block-size, or --memory room for one");
}

static bool
take_slot(struct blob_upload *upload, struct fault *fault)
{
	struct fault own;
	if (upload->blocks == BLOCKS_MAX)
		return too_many(upload->bytes / BLOCKS_MAX, fault);
	if (upload->options.expected == 0 && upload->blocks == BLOCKS_MAX / 2)
		upload->block = upload->pool->slots[0].size;
	fault_clear(&own);
	upload->slot = pool_take(upload->pool, &upload->unwanted, deadline_never(), &own);
	if (upload->slot != NULL)
		return true;
	if (check_failed(upload, fault) && fault->kind == FAULT_NONE)
		*fault = own;
	return false;
}

bool
blob_upload_room(struct blob_upload *upload, unsigned char **at, size_t *size, struct fault *fault)
{
	if (!check_failed(upload, fault) || (upload->slot == NULL && !take_slot(upload, fault)))
		return false;
	*at = upload->slot->at + upload->slot->used;
	*size = upload->block - upload->slot->used;
	return true;
}

void
blob_upload_filled(struct blob_upload *upload, size_t count)
{
	struct slot *slot = upload->slot;
	assert(count <= upload->block - slot->used);
	if (upload->options.content_md5)
		md5_add(&upload->md5, slot->at + slot->used, count);
	slot->used += count;
	upload->bytes += count;
	if (slot->used == upload->block)
		hand_over(upload);
}

static bool
upload_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct blob_upload *upload = (struct blob_upload *)sink;
	struct span rest = {from, count};
	while (rest.count > 0) {
		unsigned char *at;
		size_t fits;
		if (!blob_upload_room(upload, &at, &fits, fault))
			return false;
		if (fits > rest.count)
			fits = rest.count;
		memcpy(at, rest.at, fits);
		blob_upload_filled(upload, fits);
		rest = span_from(rest, fits);
	}
	return true;
}

static void
await_blocks(struct blob_upload *upload)
{
	crew_lock(upload->crew);
	while (upload->pending > 0)
		crew_wait(upload->crew);
	crew_unlock(upload->crew);
}

/* --- the end */

static bool
commit_on_lane(struct crew_lane *lane, void *state, struct fault *fault)
{
	struct blob_upload *upload = state;
	unsigned char md5[MD5_BYTES];
	struct blob_commit commit = {.target = upload->target, .name = upload->name, .upload_id = upload->id,
	                             .ids = &upload->ids, .blocks = upload->blocks, .bytes = upload->bytes,
	                             .overwrite = upload->options.overwrite, .metadata = upload->metadata,
	                             .stall_ms = upload->options.stall_ms};
	if (upload->options.content_md5) {
		md5_close(&upload->md5, md5);
		commit.md5 = md5;
	}
	return blob_put_list(lane, &commit, fault);
}

static bool
upload_finish(struct sink *sink, struct fault *fault)
{
	struct blob_upload *upload = (struct blob_upload *)sink;
	uint64_t expected = upload->options.expected;
	if (upload->slot != NULL && upload->slot->used > 0)
		hand_over(upload);
	await_blocks(upload);
	if (!check_failed(upload, fault) || !stop_check(fault))
		return false;
	if (expected != 0 && upload->bytes != expected)
		return fault_raise(fault, FAULT_CORRUPT, "%" PRIu64 " bytes came of the %" PRIu64 " that were announced: not committed",
		                   upload->bytes, expected);
	upload->committing = true;
	if (!crew_call(upload->crew, commit_on_lane, upload, fault))
		return false;
	blob_name_strike_off(upload);
	return true;
}

static bool
drop_on_lane(struct crew_lane *lane, void *state, struct fault *fault)
{
	struct blob_upload *upload = state;
	return blob_drop_blocks(lane, upload->target, upload->name, fault);
}

/* Blocks of a name that had no blob. After a stop every second counts. */
static bool
may_drop(const struct blob_upload *upload)
{
	const struct blob_login *login = &upload->target->login;
	return upload->free_name && stop_signal() == 0 &&
	       (login->kind != BLOB_SAS || sas_allows(&login->sas, 'd'));
}

static void
drop(struct blob_upload *upload)
{
	struct fault fault;
	fault_clear(&fault);
	if (may_drop(upload) && crew_call(upload->crew, drop_on_lane, upload, &fault))
		log_verbose("nothing of %s is left", upload->name);
	else
		log_verbose("unfinished blocks of %s are left, invisible; the service drops them after a week%s%s", upload->name,
		            fault.kind != FAULT_NONE ? ": " : "", fault.text);
}

static void
upload_abandon(struct sink *sink)
{
	struct blob_upload *upload = (struct blob_upload *)sink;
	struct fault fault;
	fault_clear(&fault);
	fault_raise(&fault, FAULT_STOPPED, "given up");
	fail(upload, &fault); /* blocks that wait are not sent, those under way not repeated */
	if (upload->slot != NULL)
		pool_give(upload->pool, upload->slot);
	upload->slot = NULL;
	await_blocks(upload);
	if (upload->stored > 0 && !upload->committing && upload->options.resume == NULL)
		drop(upload);
	blob_name_strike_off(upload);
}

/* --- the beginning */

static bool
make_ids(struct blob_upload *upload, struct fault *fault)
{
	unsigned char random[UPLOAD_ID_DIGITS / 2];
	struct text id = text_in(upload->id, sizeof upload->id),
	            prefix = text_in(upload->ids.prefix, sizeof upload->ids.prefix);
	if (!random_bytes(random, sizeof random, fault))
		return false;
	encode_hex(&id, (struct span){random, sizeof random});
	text_put_span(&prefix, span_first(text_span(&id), BLOCK_PREFIX_DIGITS));
	return true;
}

static bool
choose_block(struct blob_upload *upload, struct fault *fault)
{
	uint64_t most = upload->pool->slots[0].size, expected = upload->options.expected;
	uint64_t block = upload->options.block != 0 ? upload->options.block : most;
	uint64_t least = (expected + BLOCKS_MAX - 1) / BLOCKS_MAX;
	assert(block <= most);
	if (least > most) {
		(void)too_many(most, fault);
		return fault_while(fault, "%" PRIu64 " MiB are too much", expected / MIB);
	}
	upload->block = (size_t)(block > least ? block : least);
	return true;
}

static bool
gather_on_lane(struct crew_lane *lane, void *state, struct fault *fault)
{
	struct blob_upload *upload = state;
	return blob_resume_gather(upload->options.resume, lane, upload->target, upload->name, fault);
}

static bool
resume_upload(struct blob_upload *upload, const char *name, struct fault *fault)
{
	struct blob_resume *resume = upload->options.resume;
	blob_resume_open(resume, &upload->ids, upload->options.expected, upload->block);
	memcpy(upload->id, resume->identity, sizeof upload->id);
	return blob_name_take(upload, name, fault) && crew_call(upload->crew, gather_on_lane, upload, fault);
}

static bool
open_upload(struct blob_upload *upload, const char *name, struct fault *fault)
{
	bool good;
	blob_name_enrol(upload);
	good = choose_block(upload, fault);
	if (good && upload->options.resume != NULL)
		good = resume_upload(upload, name, fault);
	else if (good)
		good = make_ids(upload, fault) && blob_name_choose(upload, name, fault);
	if (!good)
		blob_name_strike_off(upload);
	return good;
}

bool
blob_upload_open(struct blob_upload *upload, struct crew *crew, struct pool *pool, const struct blob_target *target,
                 const char *name, const struct blob_options *options, struct fault *fault)
{
	memset(upload, 0, sizeof *upload);
	upload->sink = (struct sink){upload_write, upload_finish, upload_abandon};
	upload->crew = crew;
	upload->pool = pool;
	upload->target = target;
	upload->options = *options;
	md5_open(&upload->md5);
	assert(name[0] != 0 && name[0] != '/');
	return open_upload(upload, name, fault);
}

void
blob_upload_state(struct blob_upload *upload, const char *name, const char *value)
{
	struct text lines = {upload->metadata, strlen(upload->metadata), sizeof upload->metadata, false};
	struct span span = span_first(span_trim(span_of(value)), VALUE_MAX);
	size_t before = lines.used;
	if (span.count == 0)
		return;
	text_printf(&lines, "x-ms-meta-%s: ", name);
	for (size_t i = 0; i < span.count; i++)
		text_put_byte(&lines, span.at[i] >= ' ' && span.at[i] < 0x7f ? (char)span.at[i] : '?');
	text_put(&lines, "\r\n");
	if (lines.cut)
		upload->metadata[before] = 0;
}

void
blob_upload_put(struct text *text, const struct blob_upload *upload)
{
	blob_target_put_blob(text, upload->target, upload->name);
}
