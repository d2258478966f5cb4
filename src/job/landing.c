/* SPDX-License-Identifier: MIT */
#include "job/landing.h"

#include "azure/blob_probe.h"
#include "job/metadata.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_MAX 2048
#define PROBE_NAME ".kudump-probe"

static bool
check_container(const struct blob_target *target, struct fault *fault)
{
	if (target->login.kind != BLOB_SAS || !sas_is_for_one_blob(&target->login.sas))
		return true;
	fault_raise(fault, FAULT_DENIED, "the SAS is for one blob only (sr=b)");
	return fault_hint(fault, "the blobs get names of their own: make a SAS for the container (sr=c), with create and write");
}

bool
destination_parse(struct destination *destination, const char *words, const struct destination_secrets *secrets,
                  bool allow_plain_http, struct fault *fault)
{
	struct span span = span_of(words);
	if (span_begins_nocase(span, "http://") || span_begins_nocase(span, "https://")) {
		struct text shown = text_in(destination->shown, sizeof destination->shown);
		destination->kind = DESTINATION_BLOB;
		if (!blob_target_parse(&destination->blob, words, secrets->blob_sas, secrets->storage_key, secrets->identity,
		                       allow_plain_http, fault) ||
		    (!secrets->one_blob && !check_container(&destination->blob, fault)))
			return false;
		blob_target_put(&shown, &destination->blob);
		return true;
	}
	destination->kind = DESTINATION_FOLDER;
	if (span.count == 0)
		return fault_raise(fault, FAULT_USAGE, "the destination is empty");
	if (span_find(span, "://", &(size_t){0}))
		return fault_raise(fault, FAULT_USAGE, "a destination is a folder or an http(s) address of a container");
	while (span.count > 1 && span.at[span.count - 1] == '/')
		span.count--;
	if (!text_keep(destination->folder, sizeof destination->folder, span) ||
	    !text_keep(destination->shown, sizeof destination->shown, span))
		return fault_raise(fault, FAULT_USAGE, "the folder's path is too long");
	return true;
}

void
destination_close(struct destination *destination)
{
	if (destination->kind == DESTINATION_BLOB)
		blob_target_close(&destination->blob);
}

void
landing_aim(struct landing *landing, const struct destination *destination, const struct landing_means *means, void *room,
            size_t size)
{
	landing->destination = destination;
	landing->means = means;
	landing->room = room;
	landing->room_size = size;
}

static bool
open_file(struct landing *landing, const char *name, uint64_t length, struct fault *fault)
{
	char path[PATH_BYTES_MAX];
	struct text text = text_in(path, sizeof path);
	text_printf(&text, "%s/%s", landing->destination->folder, name);
	if (text.cut)
		return fault_raise(fault, FAULT_USAGE, "the path of the dump is too long");
	return file_sink_open(&landing->file, path, length, landing->means->overwrite, landing->room, landing->room_size, fault);
}

bool
landing_check(struct landing *landing, struct fault *fault)
{
	if (landing->destination->kind == DESTINATION_BLOB)
		return blob_probe(landing->means->crew, &landing->destination->blob, fault);
	if (!open_file(landing, PROBE_NAME, 0, fault))
		return false;
	landing->file.sink.abandon(&landing->file.sink);
	return true;
}

/* A full disk and a quota take an empty file. */
static bool
try_folder(struct landing *landing, struct text *said, struct fault *fault)
{
	static const char bytes[4096];
	struct sink *sink = &landing->file.sink;
	uint64_t room;
	bool written;
	if (!open_file(landing, PROBE_NAME, MIB, fault))
		return false;
	written = sink->write(sink, bytes, sizeof bytes, fault) && file_sink_prepare(&landing->file, fault);
	text_put(said, "a file was written and deleted");
	if (file_sink_room(&landing->file, &room)) {
		text_put(said, "; room for ");
		text_put_size(said, room);
	}
	sink->abandon(sink);
	return written;
}

bool
landing_try(struct landing *landing, struct text *said, struct fault *fault)
{
	if (landing->destination->kind == DESTINATION_FOLDER)
		return try_folder(landing, said, fault);
	return landing_check(landing, fault) && blob_try(landing->means->crew, &landing->destination->blob, said, fault);
}

static const char *
last_of(const char *path)
{
	const char *name = strrchr(path, '/');
	return name == NULL ? path : name + 1;
}

static void
put_report(struct text *manifest, const struct aftermath_result *result)
{
	text_put(manifest, ",\"report\":");
	text_put_json(manifest, span_of(last_of(result->report)));
	if (result->signature[0] != 0)
		text_printf(manifest, ",\"signature_hash\":\"%s\"", result->signature);
}

static void
put_manifest_path(char path[PATH_BYTES_MAX + 8], const char *dump)
{
	snprintf(path, PATH_BYTES_MAX + 8, "%s.json", dump);
}

/* The same facts the events have, as one JSON object a person can read too. */
static bool
write_manifest(const struct landing *landing, const char *dump, bool overwrite, bool *taken, struct fault *fault)
{
	char path[PATH_BYTES_MAX + 8], room[MANIFEST_MAX];
	struct text manifest = text_in(room, sizeof room);
	*taken = false;
	put_manifest_path(path, dump);
	text_put(&manifest, "{\"file\":");
	text_put_json(&manifest, span_of(last_of(dump)));
	text_put(&manifest, ",");
	facts_put_json(&manifest, landing->facts);
	if (landing->report.report[0] != 0)
		put_report(&manifest, &landing->report);
	text_put(&manifest, "}\n");
	if (manifest.cut)
		return fault_raise(fault, FAULT_BOUND, "the manifest is longer than %d bytes", MANIFEST_MAX);
	return file_write_whole(path, text_span(&manifest), overwrite, taken, fault);
}

static void
remove_manifest(const char *dump)
{
	char path[PATH_BYTES_MAX + 8];
	put_manifest_path(path, dump);
	(void)unlink(path);
}

static bool
is_there(const char *path)
{
	struct stat about;
	return lstat(path, &about) == 0;
}

/* Manifest and dump under a number that neither has yet, the manifest first: its name keeps others away, and no dump is
 * ever there without one. */
static bool
claim_pair(struct landing *landing, int number, bool *taken, struct fault *fault)
{
	char path[PATH_BYTES_MAX];
	if (!file_sink_path(&landing->file, number, path))
		return fault_raise(fault, FAULT_SYSTEM, "the path of the dump is too long");
	*taken = is_there(path);
	if (*taken || !write_manifest(landing, path, false, taken, fault))
		return false;
	if (file_sink_claim(&landing->file, number, taken, fault))
		return true;
	remove_manifest(path);
	return false;
}

/* To overwrite, the old manifest goes first: a dump may stand there without one for a moment, but never with another's. */
static bool
overwrite_pair(struct landing *landing, struct fault *fault)
{
	bool taken;
	remove_manifest(landing->file.path);
	if (!file_sink_claim(&landing->file, 1, &taken, fault))
		return false;
	return write_manifest(landing, landing->file.path, true, &taken, fault) ||
	       fault_while(fault, "the dump is whole in %s, but its manifest is missing", landing->file.path);
}

static bool
folder_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct landing *landing = (struct landing *)sink;
	return landing->file.sink.write(&landing->file.sink, from, count, fault);
}

static bool
folder_finish(struct sink *sink, struct fault *fault)
{
	struct landing *landing = (struct landing *)sink;
	bool taken = true, done = false;
	if (!file_sink_prepare(&landing->file, fault))
		return false;
	if (landing->means->overwrite)
		done = overwrite_pair(landing, fault);
	else
		for (int number = 1; number <= FILE_NUMBERS && taken && !done; number++)
			done = claim_pair(landing, number, &taken, fault);
	if (!done && fault->kind == FAULT_NONE)
		return fault_raise(fault, FAULT_SYSTEM, "naming %s: all of %d numbers are taken", landing->file.path, FILE_NUMBERS);
	snprintf(landing->where, sizeof landing->where, "%s", landing->file.path);
	return done;
}

static void
folder_abandon(struct sink *sink)
{
	struct landing *landing = (struct landing *)sink;
	landing->file.sink.abandon(&landing->file.sink);
}

static bool
blob_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct landing *landing = (struct landing *)sink;
	return landing->upload.sink.write(&landing->upload.sink, from, count, fault);
}

static bool
blob_finish(struct sink *sink, struct fault *fault)
{
	struct landing *landing = (struct landing *)sink;
	struct text where = text_in(landing->where, sizeof landing->where);
	metadata_state(&landing->upload, landing->facts);
	if (!landing->upload.sink.finish(&landing->upload.sink, fault))
		return false;
	blob_upload_put(&where, &landing->upload);
	return true;
}

static void
blob_abandon(struct sink *sink)
{
	struct landing *landing = (struct landing *)sink;
	landing->upload.sink.abandon(&landing->upload.sink);
}

bool
landing_open(struct landing *landing, const char *name, uint64_t length, struct facts *facts, struct fault *fault)
{
	landing->facts = facts;
	landing->where[0] = landing->report.report[0] = 0;
	fault_clear(&landing->report.fault);
	if (landing->destination->kind == DESTINATION_FOLDER) {
		landing->sink = (struct sink){folder_write, folder_finish, folder_abandon};
		return open_file(landing, name, length, fault);
	}
	landing->sink = (struct sink){blob_write, blob_finish, blob_abandon};
	return blob_upload_open(&landing->upload, landing->means->crew, landing->means->pool, &landing->destination->blob, name,
	                        &(struct blob_options){.overwrite = landing->means->overwrite,
	                                               .content_md5 = landing->means->content_md5,
	                                               .expected = length,
	                                               .block = landing->means->block,
	                                               .stall_ms = landing->means->stall_ms},
	                        fault);
}

void
landing_report(struct landing *landing)
{
	bool taken;
	if (landing->means->aftermath == NULL || landing->destination->kind != DESTINATION_FOLDER)
		return;
	aftermath_write(landing->means->aftermath, landing->file.path, &landing->report);
	if (landing->report.report[0] != 0)
		(void)!write_manifest(landing, landing->file.path, true, &taken, &landing->report.fault);
}
