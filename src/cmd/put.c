/* SPDX-License-Identifier: MIT */
/* kudump put: uploads files that are already here, going on where an earlier try stopped. */
#include "base/file_place.h"
#include "base/log.h"
#include "base/stop.h"
#include "cmd/commands.h"
#include "cmd/event.h"
#include "cmd/progress_line.h"
#include "cmd/session.h"
#include "cmd/status.h"
#include "job/plan.h"
#include "job/uploads.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define EVENT_MAX (40u * KIB) /* a path, each byte of it escaped, an address and a fault */

struct put_run {
	struct session session;
	struct settings *settings;
	struct destination destination;
	struct plan plan;
	struct pool pool;
	struct crew crew;
	bool has_crew;
	struct upload_means means;
	struct uploads uploads;
	char event[EVENT_MAX];
	/* what the reports add up to */
	size_t done, failed;
	int first_status; /* of the first failure; 0: none */
};

static bool
read_destination(struct put_run *run, struct fault *fault)
{
	struct settings *settings = run->settings;
	if (settings->to.count != 1) {
		fault_raise(fault, FAULT_USAGE, "%s destination is named", settings->to.count == 0 ? "no" : "more than one");
		return fault_hint(fault, "give one --to https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX]");
	}
	settings->one_blob = settings->files.count == 1;
	if (!session_destination(&run->session, &run->destination, settings->to.at[0], settings, fault))
		return false;
	if (run->destination.kind == DESTINATION_BLOB)
		return true;
	fault_raise(fault, FAULT_USAGE, "--to: %s is no address of a container", run->destination.shown);
	return fault_hint(fault, "the files are on this machine already; give --to https://…");
}

/* Two files of one name: the second would replace the first, or be refused after it was read for hours. */
static bool
check_doubles(const struct arguments *files, struct fault *fault)
{
	for (size_t i = 1; i < files->count; i++)
		for (size_t n = 0; n < i; n++) {
			if (strcmp(original_name(files->at[n]), original_name(files->at[i])) != 0 || strcmp(files->at[n], files->at[i]) == 0)
				continue;
			fault_raise(fault, FAULT_USAGE, "%s and %s would both become %s", file_shown(files->at[n]), file_shown(files->at[i]),
			            original_name(files->at[i]));
			return fault_hint(fault, "upload them one by one with --name, or to different prefixes");
		}
	return true;
}

static bool
read_files(const struct put_run *run, struct fault *fault)
{
	const struct settings *settings = run->settings;
	const char *name = settings->names.count > 0 ? settings->names.at[0] : NULL;
	if (settings->files.count == 0) {
		fault_raise(fault, FAULT_USAGE, "no file is named");
		return fault_hint(fault, "kudump put FILE… --to URL");
	}
	if (settings->names.count > 1 || (name != NULL && settings->files.count > 1))
		return fault_raise(fault, FAULT_USAGE, "--name is for one file");
	for (size_t i = 0; name == NULL && i < settings->files.count; i++)
		if (strcmp(settings->files.at[i], "-") == 0)
			return fault_raise(fault, FAULT_USAGE, "what comes in on stdin has no name: give it alone, with --name NAME");
	if (name != NULL && !blob_name_check(name, fault))
		return fault_while(fault, "--name");
	return check_doubles(&settings->files, fault);
}

static bool
read_order(struct put_run *run, struct fault *fault)
{
	const struct settings *settings = run->settings;
	struct upload_means *means = &run->means;
	means->crew = &run->crew;
	means->pool = &run->pool;
	means->target = &run->destination.blob;
	means->overwrite = settings->overwrite;
	means->content_md5 = settings->content_md5;
	means->stall_ms = settings->stall_s != 0 ? (int64_t)settings->stall_s * 1000 : STALL_MS;
	return options_digest(settings, &means->digest, fault);
}

/* A file's blocks hang on its size and the options, never on what else is uploaded: else another try would not find them. */
static bool
make_plan(struct put_run *run, struct fault *fault)
{
	const struct settings *settings = run->settings;
	struct plan *plan = &run->plan;
	char room[200];
	struct text text = text_in(room, sizeof room);
	if (!plan_make(plan, 1, 0, 1, 0, settings->lanes, settings->block_bytes, settings->memory_bytes, fault))
		return false;
	run->means.block = plan->block;
	for (size_t i = 0; settings->memory_bytes == 0 && i < settings->files.count; i++) {
		struct stat found;
		if (stat(settings->files.at[i], &found) == 0 && S_ISREG(found.st_mode))
			plan_grow(plan, (uint64_t)found.st_size);
	}
	plan_put(&text, plan);
	log_verbose("%s", room);
	return true;
}

static bool
take_memory(struct put_run *run, struct memory *memory, struct fault *fault)
{
	const struct plan *plan = &run->plan;
	if (!memory_open(memory, pool_need(plan->slots, plan->room) + crew_need(plan->lanes, plan->slots), fault) ||
	    !pool_open(&run->pool, memory, plan->slots, plan->room, fault) ||
	    !crew_open(&run->crew, memory, &run->session.network, plan->lanes, plan->slots, &run->pool, fault))
		return false;
	run->has_crew = true;
	return true;
}

static void
print_event(struct put_run *run, const struct upload *upload, const char *file, const struct fault *fault)
{
	struct text event = text_in(run->event, sizeof run->event);
	bool done = fault->kind == FAULT_NONE;
	text_printf(&event, "{\"event\":\"put.%s\",\"file\":", done ? "done" : "failed");
	text_put_json(&event, span_of(file));
	if (done) {
		text_printf(&event, ",\"bytes\":%" PRIu64, upload->facts.bytes);
		if (upload->facts.sha256[0] != 0)
			text_printf(&event, ",\"sha256\":\"%s\"", upload->facts.sha256);
		text_printf(&event, ",\"seconds\":%.3f,\"resumed_bytes\":%" PRIu64 ",\"already_there\":%s",
		            facts_seconds(&upload->facts), upload->resumed, upload->already ? "true" : "false");
	}
	text_put(&event, ",\"to\":");
	text_put_json(&event, span_of(upload->where));
	if (!done) {
		text_put(&event, ",");
		event_put_fault(&event, fault);
	}
	printf("%s}\n", run->event);
}

static void
print_line(struct put_run *run, const struct upload *upload)
{
	struct text line = text_in(run->event, sizeof run->event);
	text_put_tame(&line, span_of(upload->where));
	text_put(&line, "  ");
	text_put_size(&line, upload->facts.bytes);
	if (upload->already) {
		text_put(&line, "  already there");
	} else {
		text_printf(&line, "  %.1f s", facts_seconds(&upload->facts));
		if (upload->resumed > 0) {
			text_put(&line, ", ");
			text_put_size(&line, upload->resumed);
			text_put(&line, " of it were there");
		}
	}
	if (upload->facts.sha256[0] != 0)
		text_printf(&line, "  sha256 %s", upload->facts.sha256);
	printf("%s\n", run->event);
}

/* What the destination refuses is 6 whatever its reason, as with dump; that it cannot be reached is 4. A file that cannot be
 * read to its end is none that can be believed. */
static int
status_of_upload(const struct upload *upload, const struct fault *fault)
{
	int status = status_of(fault);
	if (upload->source_failed && fault->kind == FAULT_SYSTEM)
		return STATUS_CORRUPT;
	if (upload->source_failed || fault->kind == FAULT_STOPPED || status == STATUS_DONE || status == STATUS_NETWORK)
		return status;
	return STATUS_DESTINATION;
}

static void
take_report(void *state, const struct upload *upload, const char *file, const struct fault *fault)
{
	struct put_run *run = state;
	int status = status_of_upload(upload, fault);
	bool done = fault->kind == FAULT_NONE;
	progress_line_hide();
	if (run->settings->json)
		print_event(run, upload, file, fault);
	else if (done)
		print_line(run, upload);
	fflush(stdout);
	if (!done)
		log_fault(fault);
	run->done += done;
	run->failed += !done;
	if (run->first_status == STATUS_DONE)
		run->first_status = status;
}

static struct progress_view
look_at_upload(void *uploads, unsigned i)
{
	(void)i;
	return progress_look(&((struct uploads *)uploads)->upload.progress);
}

static bool
wait_for_uploads(void *uploads, int64_t ms)
{
	return uploads_wait(uploads, ms);
}

static void
follow(struct put_run *run)
{
	const struct progress_subject subject = {look_at_upload, wait_for_uploads, &run->uploads, 1};
	progress_line_follow(&subject, !run->settings->quiet && !run->settings->no_progress);
	uploads_join(&run->uploads);
}

static bool
go(struct put_run *run, struct memory *memory, struct fault *fault)
{
	const struct settings *settings = run->settings;
	struct uploads *uploads = &run->uploads;
	if (!read_files(run, fault) || !read_destination(run, fault) || !read_order(run, fault) || !make_plan(run, fault))
		return false;
	uploads->files = settings->files.at;
	uploads->count = settings->files.count;
	uploads->name = settings->names.count > 0 ? settings->names.at[0] : NULL;
	uploads->report = take_report;
	uploads->state = run;
	if (!take_memory(run, memory, fault) || !uploads_start(uploads, &run->means, fault))
		return false;
	follow(run);
	return true;
}

static int
run_put(const struct command *command, struct settings *settings)
{
	struct memory first = {NULL, 0, 0}, second = {NULL, 0, 0};
	struct put_run *run;
	struct fault fault;
	bool opened;
	int status;
	(void)command;
	fault_clear(&fault);
	if (!stop_install(&fault) || !memory_open(&first, memory_need(sizeof *run, 64) + session_need(), &fault)) {
		log_fault(&fault);
		return status_of(&fault);
	}
	run = memory_take(&first, sizeof *run, 64);
	run->settings = settings;
	opened = session_open_network(&run->session, &first, settings, &fault);
	if (opened && go(run, &second, &fault)) {
		status = status_of_run(run->first_status, run->done, run->failed, run->uploads.next == run->uploads.count);
	} else {
		log_fault(&fault);
		/* the service was not asked yet: what is denied so far is a SAS that cannot write */
		status = opened && fault.kind == FAULT_DENIED ? STATUS_DESTINATION : status_of(&fault);
	}
	if (run->has_crew)
		crew_close(&run->crew);
	destination_close(&run->destination);
	session_close(&run->session);
	memory_close(&second);
	memory_close(&first);
	return status;
}

#define AT(field) offsetof(struct settings, field)

static const struct option_row options[] = {
	{"FILE", NULL, "one or more, uploaded in this order; - is stdin, which cannot be resumed", OPTION_ARGUMENT, AT(files), 0, 0},
	{"--to", "URL", "https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX][?SAS]", OPTION_LIST, AT(to), 0, 0},
	{"--name", "NAME", "the blob's name under that, for one file (default: the file's); needed for -, which is stdin",
	 OPTION_LIST, AT(names), 0, 0},
	{"--lanes", "U", "connections to the blob service (default 4)", OPTION_COUNT, AT(lanes), 1, LANES_MAX},
	{"--block-size", "N", "bytes of a block (default 4M); another one begins anew", OPTION_BYTES, AT(block_bytes),
	 BLOCK_BYTES_LEAST, 1024u * MIB},
	{"--memory", "N", "use at most about this much: fewer lanes, smaller blocks", OPTION_BYTES, AT(memory_bytes), MIB,
	 1ull << 40},
	{"--content-md5", NULL, "store the MD5 of the whole file on the blob", OPTION_SWITCH, AT(content_md5), 0, 0},
	{"--overwrite", NULL, "replace a blob of that name (default: it must not be there, or be this very file)", OPTION_SWITCH,
	 AT(overwrite), 0, 0},
	{"--digest", "sha256|none", "hash of the file in metadata and output (default sha256)", OPTION_TEXT, AT(digest), 0, 0},
	{"--stall", "SECONDS", "how long a transfer may stand still (default 60)", OPTION_COUNT, AT(stall_s), 1, 86400},
	{NULL, NULL, NULL, OPTION_SWITCH, 0, 0, 0},
};

const struct command command_put = {
	"put", "upload files that are already here, going on where an earlier try stopped", "FILE… --to URL [OPTION]…", options,
	plan_formula_put, run_put, REACH_NETWORK,
};
