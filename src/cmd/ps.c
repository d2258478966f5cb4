/* SPDX-License-Identifier: MIT */
/* kudump ps: the processes of a site and what each one is. */
#include "base/log.h"
#include "base/stop.h"
#include "cmd/cells.h"
#include "cmd/commands.h"
#include "cmd/status.h"
#include "cmd/targets.h"
#include "job/fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROW_MAX 1024
#define LOOK_MS 1000
#define SITE_WIDE 20

struct listing {
	struct session session;
	struct configured configured;
	struct targets targets;
	struct settings *settings;
	struct fleet fleet;
	bool headed;
	size_t done, failed; /* instances; sites and instances */
	int first_status;    /* of the first failure; 0: none */
};

static void
print_json(const struct board_site *site, const struct board_instance *instance, const struct kudu_process *process)
{
	char room[ROW_MAX];
	struct text row = text_in(room, sizeof room);
	text_put(&row, "{\"site\":");
	text_put_json(&row, span_of(site->name));
	text_put(&row, ",\"instance\":");
	text_put_json(&row, span_of(instance->id));
	text_put(&row, ",\"machine\":");
	text_put_json(&row, span_of(instance->machine));
	text_printf(&row, ",\"pid\":%" PRId64 ",\"name\":", process->pid);
	text_put_json(&row, span_of(process->name));
	text_printf(&row, ",\"role\":\"%s\"", kudu_role_name(process->role));
	if (process->start_time[0] != 0) {
		text_put(&row, ",\"start_time\":");
		text_put_json(&row, span_of(process->start_time));
	}
	if (process->private_bytes > 0)
		text_printf(&row, ",\"private_bytes\":%" PRId64, process->private_bytes);
	text_put(&row, "}");
	printf("%s\n", room);
}

/* 2026-11-21T09:12:44.187Z without its fraction; [d.]hh:mm:ss.fffffff likewise. */
static void
put_without_fraction(struct text *row, const char *words, size_t wide)
{
	char room[40];
	struct span span = span_of(words);
	size_t colon = 0, dot;
	while (colon < span.count && span.at[colon] != ':')
		colon++;
	if (span_find_byte(span_from(span, colon), '.', &dot))
		span = span_first(span, colon + dot);
	if (!text_keep(room, sizeof room, span))
		room[0] = 0;
	cells_put(row, room, wide);
}

static void
put_bytes(struct text *row, int64_t bytes, size_t wide)
{
	char room[24] = "";
	if (bytes > 0)
		snprintf(room, sizeof room, "%.0f MiB", (double)bytes / MIB);
	cells_put(row, room, wide);
}

/* `site` is NULL where there is but one. */
static void
print_row(const char *site, const struct board_instance *instance, const struct kudu_process *process)
{
	char room[ROW_MAX], digits[16];
	struct text row = text_in(room, sizeof room);
	if (site != NULL)
		cells_put(&row, site, SITE_WIDE);
	snprintf(digits, sizeof digits, "%.6s", instance->id);
	cells_put(&row, digits, 8);
	cells_put(&row, instance->machine, 16);
	snprintf(digits, sizeof digits, "%" PRId64, process->pid);
	cells_put(&row, digits, 6);
	cells_put(&row, process->name, 10);
	cells_put(&row, kudu_role_name(process->role), 6);
	put_without_fraction(&row, process->start_time, 19);
	put_without_fraction(&row, process->cpu_time, 10);
	put_bytes(&row, process->private_bytes, 9);
	cells_put(&row, process->user, 1);
	while (row.used > 0 && room[row.used - 1] == ' ')
		room[--row.used] = 0;
	printf("%s\n", room);
}

static void
print_heading(struct listing *listing)
{
	if (!listing->settings->json && !listing->headed && listing->targets.count > 1)
		printf("%-*s ", SITE_WIDE, "SITE");
	if (!listing->settings->json && !listing->headed)
		printf("%-8s %-16s %-6s %-10s %-6s %-19s %-10s %-9s %s\n", "INSTANCE", "MACHINE", "PID", "NAME", "ROLE",
		       "STARTED", "CPU", "MEMORY", "USER");
	listing->headed = true;
}

/* All of a site at once, so that rows of two sites do not mix. */
static void
print_site(void *state, const struct board_site *site)
{
	struct listing *listing = state;
	const struct board *board = &listing->fleet.board;
	size_t hidden = 0;
	for (uint32_t i = site->first; i != BOARD_NONE; i = board->instances[i].next) {
		const struct board_instance *instance = &board->instances[i];
		if (instance->state != INSTANCE_KNOWN)
			continue;
		print_heading(listing);
		listing->done++;
		hidden += instance->passed;
		for (uint32_t p = instance->first; p != BOARD_NONE; p = board->processes[p].next)
			if (board->processes[p].state != PROCESS_KNOWN)
				continue;
			else if (listing->settings->json)
				print_json(site, instance, &board->processes[p].process);
			else
				print_row(listing->targets.count > 1 ? site->name : NULL, instance, &board->processes[p].process);
	}
	fflush(stdout); /* before what follows on stderr */
	if (hidden > 0)
		log_note("%s: %zu more processes of the sandbox: --all shows them", site->name, hidden);
}

static void
take_report(void *state, const struct fleet_report *report)
{
	struct listing *listing = state;
	listing->failed++;
	if (report->fault->kind != FAULT_STOPPED || listing->first_status < 128)
		log_fault(report->fault); /* of a stop once */
	if (listing->first_status == STATUS_DONE)
		listing->first_status = status_of(report->fault);
}

static bool
go(struct listing *listing, struct memory *memory, struct fault *fault)
{
	const struct plan plan = {0};
	struct fleet *fleet = &listing->fleet;
	unsigned workers;
	if (!configured_log_in(&listing->configured, &listing->session, listing->settings, fault) ||
	    !targets_read(&listing->targets, &listing->session, &listing->configured, listing->settings, fault))
		return false;
	for (size_t i = 0; i < listing->targets.count; i++) /* a list shows what is there, whatever is dumped of it */
		listing->targets.sites[i].choice = (struct choice){.every = listing->settings->all, .workers_and_kudu = true};
	workers = targets_workers(&listing->targets, listing->settings);
	fleet->network = &listing->session.network;
	fleet->board.sites = listing->targets.sites;
	fleet->board.site_count = listing->targets.count;
	fleet->report = take_report;
	fleet->settled = print_site;
	fleet->state = listing;
	if (!memory_open(memory, fleet_need(&plan, workers, 0), fault) || !fleet_open(fleet, memory, &plan, workers, fault) ||
	    !fleet_start(fleet, fault))
		return false;
	while (!fleet_wait(fleet, LOOK_MS))
		;
	fleet_join(fleet);
	return true;
}

static int
run_ps(const struct command *command, struct settings *settings)
{
	struct memory first = {NULL, 0, 0}, second = {NULL, 0, 0};
	struct listing *listing;
	struct fault fault;
	int status;
	(void)command;
	fault_clear(&fault);
	if (!stop_install(&fault) || !memory_open(&first, memory_need(sizeof *listing, 64) + session_need() + configured_need(settings), &fault)) {
		log_fault(&fault);
		return status_of(&fault);
	}
	listing = memory_take(&first, sizeof *listing, 64);
	listing->settings = settings;
	if (session_open(&listing->session, &first, settings, &fault) &&
	    configured_open(&listing->configured, &first, settings, &fault) && go(listing, &second, &fault)) {
		status = status_of_run(listing->first_status, listing->done, listing->failed, board_is_done(&listing->fleet.board));
	} else {
		log_fault(&fault);
		status = status_of(&fault);
	}
	configured_close(&listing->configured);
	session_close(&listing->session);
	memory_close(&second);
	memory_close(&first);
	return status;
}

static const struct option_row options[] = {
	{"--all", NULL, "every process of the sandbox, not only w3wp; one request each", OPTION_SWITCH,
	 offsetof(struct settings, all), 0, 0},
	{"--jobs", "K", "questions at once (default 4)", OPTION_COUNT, offsetof(struct settings, jobs), 1, JOBS_MAX},
	{NULL, NULL, NULL, OPTION_SWITCH, 0, 0, 0},
};

const struct command command_ps = {
	"ps", "list the processes of a site: which are workers, which is Kudu itself", "--scm URL [--instance ID|all] [--all] [OPTION]…", options,
	"role    worker: runs the app · scm: Kudu itself · webjob · child: anything else (dotnet, node, …)", run_ps,
	REACH_SITE,
};
