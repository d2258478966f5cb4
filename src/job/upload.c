/* SPDX-License-Identifier: MIT */
#include "job/upload.h"

#include "azure/blob_probe.h"
#include "base/encode.h"
#include "base/file_place.h"
#include "base/log.h"
#include "base/stop.h"
#include "job/manifest.h"
#include "job/metadata.h"
#include "job/plan.h"
#include "net/wait.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- the file */

/* The manifest's facts go along, but for size and hash, which it only promises. */
static bool
open_file(struct upload *upload, const char *path, struct fault *fault)
{
	struct facts *facts = &upload->facts;
	uint64_t bytes, promised;
	bool found;
	if (!original_open(&upload->file, path, fault))
		return false;
	found = manifest_read(facts, path, &upload->desk);
	promised = facts->bytes;
	facts->bytes = bytes = upload->file.bytes;
	memcpy(upload->stated, facts->sha256, sizeof upload->stated);
	facts->sha256[0] = 0;
	if (!found || promised == bytes)
		return true;
	return fault_raise(fault, FAULT_CORRUPT, "it has %" PRIu64 " bytes, but %s.json says %" PRIu64, bytes, original_name(path),
	                   promised);
}

static void
close_hash(struct upload *upload)
{
	unsigned char result[SHA256_BYTES];
	struct text hex = text_in(upload->facts.sha256, sizeof upload->facts.sha256);
	if (!upload->means->digest)
		return;
	sha256_close(&upload->hash, result);
	encode_hex(&hex, (struct span){result, sizeof result});
}

static bool
check_hash(const struct upload *upload, struct fault *fault)
{
	if (upload->stated[0] == 0 || upload->facts.sha256[0] == 0 || strcmp(upload->stated, upload->facts.sha256) == 0)
		return true;
	fault_raise(fault, FAULT_CORRUPT, "its SHA-256 is %s, but %s.json says %s: not committed", upload->facts.sha256,
	            original_name(upload->file.path), upload->stated);
	return fault_hint(fault, "the file is damaged or was replaced; without its .json it is uploaded as it is");
}

/* From here on the bytes that are read can be watched, until unwatch. */
static bool
watch(struct upload *upload, struct fault *fault)
{
	if (!meter_open(&upload->meter, NULL, fault))
		return false;
	progress_meter(&upload->progress, &upload->meter, upload->facts.bytes);
	progress_phase(&upload->progress, PHASE_STREAMING);
	return true;
}

static void
unwatch(struct upload *upload)
{
	progress_meter(&upload->progress, NULL, 0);
	progress_phase(&upload->progress, PHASE_CHECKING);
	meter_close(&upload->meter);
}

/* --- a blob that is there */

static bool
read_through(struct upload *upload, struct slot *slot, struct fault *fault)
{
	const size_t piece = slot->size < FLOW_BYTES ? slot->size : FLOW_BYTES;
	uint64_t place = 0;
	size_t got = 1;
	sha256_open(&upload->hash);
	while (got > 0 && place < upload->facts.bytes) {
		if (!stop_check(fault) || !original_read(&upload->file, slot->at, piece, place, &got, fault))
			return false;
		sha256_add(&upload->hash, slot->at, got);
		meter_add(&upload->meter, got);
		place += got;
	}
	close_hash(upload);
	return original_check(&upload->file, fault) && check_hash(upload, fault);
}

/* A slot is room enough. */
static bool
hash_file(struct upload *upload, struct fault *fault)
{
	struct slot *slot = pool_take(upload->means->pool, NULL, deadline_never(), fault);
	bool good = false;
	if (slot == NULL)
		return false;
	if (watch(upload, fault)) {
		good = read_through(upload, slot, fault);
		unwatch(upload);
	}
	pool_give(upload->means->pool, slot);
	return good;
}

static bool
is_known(const struct upload *upload, const struct blob_look *there)
{
	return there->length == upload->facts.bytes && strcmp(there->upload_id, upload->file.identity) == 0 &&
	       (upload->stated[0] == 0 || there->sha256[0] == 0 || strcmp(upload->stated, there->sha256) == 0);
}

/* True with already: the blob is this file. Its identity says so without a look at the bytes; who wants it overwritten
 * does not trust that. */
static bool
look(struct upload *upload, struct fault *fault)
{
	const struct upload_means *means = upload->means;
	struct blob_look there;
	if (!blob_find(means->crew, means->target, upload->name, &there, fault))
		return false;
	if (there.state != BLOB_THERE)
		return true;
	if (is_known(upload, &there) && !means->overwrite) {
		upload->already = true;
		memcpy(upload->facts.sha256, there.sha256, sizeof there.sha256);
		return true;
	}
	if (there.length == upload->facts.bytes && there.sha256[0] != 0 && means->digest) {
		upload->source_failed = true;
		if (!hash_file(upload, fault))
			return false;
		upload->source_failed = false;
		upload->already = strcmp(there.sha256, upload->facts.sha256) == 0;
	}
	if (upload->already || means->overwrite)
		return true;
	fault_raise(fault, FAULT_DENIED, "a blob named %s exists already, and is not known to be this file", upload->name);
	return fault_hint(fault, "give another --name, or --overwrite");
}

/* --- sending */

static void
state(struct upload *upload)
{
	char number[32], changed[32];
	struct text bytes = text_in(number, sizeof number), when = text_in(changed, sizeof changed);
	text_printf(&bytes, "%" PRIu64, upload->facts.bytes);
	blob_upload_state(&upload->blob, "bytes", number);
	if (upload->file.path != NULL) {
		clock_put_iso(&when, upload->file.changed_s);
		blob_upload_state(&upload->blob, "file", original_name(upload->file.path));
		blob_upload_state(&upload->blob, "mtime", changed);
	}
	metadata_state(&upload->blob, &upload->facts);
}

/* Where the next bytes go, at most as many as stay in the cache until they are hashed. */
static bool
next_room(struct upload *upload, unsigned char **at, size_t *size, struct fault *fault)
{
	if (!stop_check(fault) || !blob_upload_room(&upload->blob, at, size, fault))
		return false;
	if (*size > FLOW_BYTES)
		*size = FLOW_BYTES;
	return true;
}

static void
take(struct upload *upload, const unsigned char *at, size_t got)
{
	if (upload->means->digest)
		sha256_add(&upload->hash, at, got);
	meter_add(&upload->meter, got);
	blob_upload_filled(&upload->blob, got);
}

static bool
send_file(struct upload *upload, struct fault *fault)
{
	uint64_t place = 0;
	while (place < upload->facts.bytes) {
		unsigned char *at;
		size_t size, got;
		upload->source_failed = false;
		if (!next_room(upload, &at, &size, fault))
			return false;
		upload->source_failed = true;
		if (size > upload->facts.bytes - place)
			size = (size_t)(upload->facts.bytes - place);
		if (!original_read(&upload->file, at, size, place, &got, fault) || (got == 0 && !original_check(&upload->file, fault)))
			return false;
		if (got == 0)
			return fault_raise(fault, FAULT_CORRUPT, "it ends before its size says so");
		take(upload, at, got);
		place += got;
	}
	close_hash(upload);
	upload->source_failed = true;
	if (!original_check(&upload->file, fault) || !check_hash(upload, fault))
		return false;
	upload->source_failed = false;
	return true;
}

static bool
send_stream(struct upload *upload, struct fault *fault)
{
	for (;;) {
		unsigned char *at;
		size_t size;
		ssize_t got;
		upload->source_failed = false;
		if (!next_room(upload, &at, &size, fault))
			return false;
		upload->source_failed = true;
		if (!wait_readable(upload->file.fd, deadline_never(), fault))
			return false;
		got = read(upload->file.fd, at, size);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return fault_errno(fault, FAULT_SYSTEM, errno, "reading stdin");
		if (got == 0)
			break;
		take(upload, at, (size_t)got);
		upload->facts.bytes += (uint64_t)got;
	}
	upload->source_failed = false;
	close_hash(upload);
	return true;
}

/* Sends all of it and commits, or gives it up. */
static bool
run(struct upload *upload, bool (*send)(struct upload *, struct fault *), struct fault *fault)
{
	struct sink *sink = &upload->blob.sink;
	bool watched = watch(upload, fault), done = false;
	sha256_open(&upload->hash);
	if (watched && send(upload, fault)) {
		state(upload);
		done = sink->finish(sink, fault);
	}
	if (!done)
		sink->abandon(sink);
	if (watched)
		unwatch(upload);
	return done;
}

static void
say_what_is_there(const struct upload *upload)
{
	const struct blob_resume *resume = &upload->resume;
	char words[64];
	struct text text = text_in(words, sizeof words);
	text_put_size(&text, resume->found);
	if (!resume->readable)
		log_verbose("this login may not read: what an earlier try left of %s cannot be seen, all of it is sent", upload->name);
	else if (resume->found > 0)
		log_note("going on with %s: %s of it lie there already", upload->name, words);
	else if (resume->strangers > 0)
		log_note("beginning %s anew: the %" PRIu32 " unfinished blocks there are of another file, an older state of this one or "
		         "another block size", upload->name, resume->strangers);
}

/* Behind what is to be mended first, if there is anything and both fit. */
static void
add_hint(struct fault *fault, const char *words)
{
	size_t used = strlen(fault->hint);
	if (used == 0)
		fault_hint(fault, "%s", words);
	else if (used + strlen(words) + sizeof "; then " <= sizeof fault->hint)
		snprintf(fault->hint + used, sizeof fault->hint - used, "; then %s", words);
}

static void
say_what_is_left(const struct upload *upload, struct fault *fault)
{
	bool any = upload->blob.stored > 0 || upload->resume.found > 0;
	if (!any || (upload->source_failed && fault->kind != FAULT_STOPPED))
		return;
	if (!upload->resume.readable)
		add_hint(fault, "with a SAS that may also read (sp=rcw) the same command would go on where this one stopped");
	else
		add_hint(fault, "the same command goes on where this one stopped");
}

static bool
send_or_resume(struct upload *upload, struct fault *fault)
{
	const struct upload_means *means = upload->means;
	bool done;
	upload->resume.identity = upload->file.identity;
	if (!blob_upload_open(&upload->blob, means->crew, means->pool, means->target, upload->name,
	                      &(struct blob_options){.overwrite = means->overwrite, .content_md5 = means->content_md5,
	                                             .expected = upload->facts.bytes, .block = means->block,
	                                             .stall_ms = means->stall_ms, .resume = &upload->resume},
	                      fault))
		return false;
	say_what_is_there(upload);
	done = run(upload, send_file, fault);
	upload->resumed = upload->resume.bytes;
	if (!done)
		say_what_is_left(upload, fault);
	return done;
}

static void
begin(struct upload *upload, const char *name)
{
	struct text where = text_in(upload->where, sizeof upload->where);
	upload->name = name;
	upload->resumed = 0;
	upload->already = false;
	upload->source_failed = true;
	memset(&upload->facts, 0, sizeof upload->facts);
	upload->stated[0] = 0;
	blob_target_put_blob(&where, upload->means->target, name);
	progress_label(&upload->progress, name);
	progress_phase(&upload->progress, PHASE_CHECKING);
}

static void
end(struct upload *upload, int64_t began_ms)
{
	upload->facts.began_ms = began_ms;
	upload->facts.ended_ms = clock_ms();
	progress_phase(&upload->progress, PHASE_IDLE);
}

static bool
check_name(const char *name, struct fault *fault)
{
	return blob_name_check(name, fault) || fault_hint(fault, "give another name with --name");
}

bool
upload_file(struct upload *upload, const char *path, const char *name, struct fault *fault)
{
	int64_t began_ms = clock_ms();
	bool done;
	begin(upload, name);
	done = check_name(upload->name, fault) && open_file(upload, path, fault);
	if (done) {
		upload->source_failed = false;
		done = look(upload, fault) && (upload->already || send_or_resume(upload, fault));
	}
	original_close(&upload->file);
	end(upload, began_ms);
	return done || fault_while(fault, "uploading %s", file_shown(path));
}

bool
upload_stream(struct upload *upload, int fd, const char *name, struct fault *fault)
{
	const struct upload_means *means = upload->means;
	int64_t began_ms = clock_ms();
	bool done;
	begin(upload, name);
	upload->file = (struct original){.fd = fd};
	upload->source_failed = false;
	done = blob_upload_open(&upload->blob, means->crew, means->pool, means->target, name,
	                        &(struct blob_options){.overwrite = means->overwrite, .content_md5 = means->content_md5,
	                                               .block = means->block, .stall_ms = means->stall_ms, .exact = true},
	                        fault) &&
	       run(upload, send_stream, fault);
	end(upload, began_ms);
	return done || fault_while(fault, "uploading stdin");
}
