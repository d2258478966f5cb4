/* SPDX-License-Identifier: MIT */
/* kudump ps: the processes of a site and what each one is. */
#include "azure/kudu.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/stop.h"
#include "cmd/commands.h"
#include "cmd/session.h"
#include "cmd/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROW_MAX 1024

struct listing {
	struct session session;
	struct site site;
	struct kudu_process processes[PROCESSES_MAX];
	size_t count;
	size_t hidden; /* processes that --all would have shown */
};

static bool
is_shown(const struct settings *settings, const struct kudu_process *process)
{
	return settings->all || kudu_is_w3wp(process);
}

/* Keeps the shown ones, each with its detail. One that ended since the list was made is left out. */
static bool
describe(struct listing *listing, const struct settings *settings, struct fault *fault)
{
	size_t kept = 0;
	int64_t own_pid;
	if (!kudu_own_pid(&listing->site, &own_pid, fault))
		return false;
	listing->hidden = 0;
	for (size_t i = 0; i < listing->count; i++) {
		struct kudu_process *process = &listing->processes[i];
		if (!is_shown(settings, process)) {
			listing->hidden++;
			continue;
		}
		if (kudu_describe(&listing->site, own_pid, process, fault))
			listing->processes[kept++] = *process;
		else if (fault->kind == FAULT_MISSING && fault->detail == 404)
			fault_clear(fault);
		else
			return false;
	}
	listing->count = kept;
	return true;
}

static void
print_json(const struct listing *listing, const struct kudu_process *process)
{
	char room[ROW_MAX];
	struct text row = text_in(room, sizeof room);
	text_put(&row, "{\"site\":");
	text_put_json(&row, span_of(listing->site.name));
	text_put(&row, ",\"instance\":");
	text_put_json(&row, span_of(listing->site.instance));
	text_put(&row, ",\"machine\":");
	text_put_json(&row, span_of(listing->site.machine));
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

/* A cell of a table: tame, cut to its column, "-" when there is nothing. */
static void
put_cell(struct text *row, const char *words, size_t wide)
{
	char room[128];
	struct text cell = text_in(room, sizeof room);
	size_t shown = 0;
	text_put_tame(&cell, span_of(words[0] == 0 ? "-" : words));
	for (size_t i = 0; i < cell.used; i++)
		shown += (room[i] & 0xc0) != 0x80;
	text_put(row, room);
	do
		text_put_byte(row, ' ');
	while (shown++ < wide);
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
	put_cell(row, room, wide);
}

static void
put_bytes(struct text *row, int64_t bytes, size_t wide)
{
	char room[24] = "";
	if (bytes > 0)
		snprintf(room, sizeof room, "%.0f MiB", (double)bytes / MIB);
	put_cell(row, room, wide);
}

static void
print_row(const struct listing *listing, const struct kudu_process *process)
{
	char room[ROW_MAX], digits[16];
	struct text row = text_in(room, sizeof room);
	snprintf(digits, sizeof digits, "%.6s", listing->site.instance);
	put_cell(&row, digits, 8);
	put_cell(&row, listing->site.machine, 16);
	snprintf(digits, sizeof digits, "%" PRId64, process->pid);
	put_cell(&row, digits, 6);
	put_cell(&row, process->name, 10);
	put_cell(&row, kudu_role_name(process->role), 6);
	put_without_fraction(&row, process->start_time, 19);
	put_without_fraction(&row, process->cpu_time, 10);
	put_bytes(&row, process->private_bytes, 9);
	put_cell(&row, process->user, 1);
	while (row.used > 0 && room[row.used - 1] == ' ')
		room[--row.used] = 0;
	printf("%s\n", room);
}

static void
print(const struct listing *listing, const struct settings *settings)
{
	if (!settings->json)
		printf("%-8s %-16s %-6s %-10s %-6s %-19s %-10s %-9s %s\n", "INSTANCE", "MACHINE", "PID", "NAME", "ROLE",
		       "STARTED", "CPU", "MEMORY", "USER");
	for (size_t i = 0; i < listing->count; i++)
		if (settings->json)
			print_json(listing, &listing->processes[i]);
		else
			print_row(listing, &listing->processes[i]);
	fflush(stdout); /* before what follows on stderr */
	if (listing->hidden > 0)
		log_note("%s: %zu more processes of the sandbox: --all shows them", listing->site.name, listing->hidden);
}

static bool
list_site(struct listing *listing, const struct url *url, const struct settings *settings, struct fault *fault)
{
	bool done = site_open(&listing->site, &listing->session.network, url, &listing->session.credentials->login, settings->instance,
	                      fault) &&
	            kudu_list(&listing->site, NULL, listing->processes, PROCESSES_MAX, &listing->count, fault) &&
	            describe(listing, settings, fault);
	site_close(&listing->site);
	if (done)
		print(listing, settings);
	return done;
}

static int
list_all(struct listing *listing, const struct settings *settings)
{
	size_t done = 0;
	int status = STATUS_DONE;
	for (size_t i = 0; i < listing->session.site_count && stop_signal() == 0; i++) {
		struct fault fault;
		fault_clear(&fault);
		if (list_site(listing, &listing->session.sites[i], settings, &fault)) {
			done++;
			continue;
		}
		log_fault(&fault);
		if (status == STATUS_DONE)
			status = status_of(&fault);
	}
	if (stop_signal() != 0 && status == STATUS_DONE && done < listing->session.site_count)
		return status_of_stop();
	if (status != STATUS_DONE && done > 0 && stop_signal() == 0)
		return STATUS_SOME;
	return fflush(stdout) == 0 ? status : STATUS_DESTINATION;
}

static int
run_ps(const struct command *command, struct settings *settings)
{
	struct memory memory;
	struct listing *listing;
	struct fault fault;
	int status;
	(void)command;
	fault_clear(&fault);
	if (!stop_install(&fault) ||
	    !memory_open(&memory, memory_need(sizeof *listing, 64) + session_need(), &fault)) {
		log_fault(&fault);
		return status_of(&fault);
	}
	listing = memory_take(&memory, sizeof *listing, 64);
	if (session_open(&listing->session, &memory, settings, &fault)) {
		status = list_all(listing, settings);
	} else {
		log_fault(&fault);
		status = status_of(&fault);
	}
	session_close(&listing->session);
	memory_close(&memory);
	return status;
}

static const struct option_row options[] = {
	{"--all", NULL, "every process of the sandbox, not only w3wp; one request each", OPTION_SWITCH,
	 offsetof(struct settings, all), 0, 0},
	{NULL, NULL, NULL, OPTION_SWITCH, 0, 0, 0},
};

const struct command command_ps = {
	"ps", "list the processes of a site: which are workers, which is Kudu itself", "--scm URL [--all] [OPTION]…", options,
	"role    worker: runs the app · scm: Kudu itself · webjob · child: anything else (dotnet, node, …)", run_ps,
	REACH_SITE,
};
