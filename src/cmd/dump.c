/* SPDX-License-Identifier: MIT */
/* kudump dump: dumps processes and streams each to its destinations. */
#include "azure/crew.h"
#include "base/deadline.h"
#include "base/pool.h"
#include "base/log.h"
#include "base/stop.h"
#include "cmd/commands.h"
#include "cmd/dump_result.h"
#include "cmd/progress_line.h"
#include "cmd/summary.h"
#include "cmd/status.h"
#include "job/fleet.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_TEMPLATE "{date}/{time}-{process}-{pid}-{instance}.dmp"

struct dump_run {
	struct session session;
	struct settings *settings;
	struct plan plan;
	struct destination destinations[DESTINATIONS_MAX];
	size_t destination_count;
	struct configured configured;
	struct targets targets;
	unsigned workers;
	struct pool pool;
	struct crew crew;
	bool has_crew;
	struct aftermath aftermath;
	bool has_aftermath;
	struct landing_means means;
	struct fleet fleet;
	char result[DUMP_RESULT_MAX];
	/* what the reports add up to */
	size_t done, failed;
	int first_status; /* of the first failure; 0: none */
};

static bool
read_destination(struct dump_run *run, size_t i, struct fault *fault)
{
	struct settings *settings = run->settings;
	struct destination *destination = &run->destinations[i];
	if (settings->to.count > 0)
		return session_destination(&run->session, destination, settings->to.at[i], settings, fault);
	if (!configured_destination(&run->configured, i, &run->session, settings->allow_plain_http, destination, fault))
		return false;
	session_warn(destination);
	return true;
}

/* Those of --to, else those of the config. */
static bool
read_destinations(struct dump_run *run, struct fault *fault)
{
	size_t count = run->settings->to.count > 0 ? run->settings->to.count : run->configured.config.destination_count;
	if (count == 0) {
		fault_raise(fault, FAULT_USAGE, "no destination is named");
		return fault_hint(fault, "give --to FOLDER or --to https://ACCOUNT.blob.core.windows.net/CONTAINER?SAS");
	}
	if (count > DESTINATIONS_MAX)
		return fault_raise(fault, FAULT_USAGE, "--to is given more than %d times", DESTINATIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!read_destination(run, i, fault))
			return false;
		run->destination_count++;
	}
	return true;
}

static bool
read_targets(struct dump_run *run, struct fault *fault)
{
	if (!targets_read(&run->targets, &run->session, &run->configured, run->settings, fault))
		return false;
	for (size_t i = 0; i < run->targets.count; i++) {
		struct board_site *site = &run->targets.sites[i];
		site->destinations &= (1u << run->destination_count) - 1;
		if (!run->targets.by_config && run->settings->to.count == 0)
			return fault_raise(fault, FAULT_USAGE, "no destination is named: --to");
		if (site->destinations != 0)
			continue;
		fault_raise(fault, FAULT_USAGE, "the site has no destination");
		fault_hint(fault, "give it \"to\", or --to for all");
		return config_place(&run->configured.config, run->configured.config.sites[i].place, fault);
	}
	return true;
}

static bool
read_order(struct dump_run *run, struct fault *fault)
{
	struct settings *settings = run->settings;
	struct capture_order *order = &run->fleet.order;
	order->name_template = settings->name_template != NULL ? settings->name_template : DEFAULT_TEMPLATE;
	order->first_byte_ms = settings->first_byte_s != 0 ? (int64_t)settings->first_byte_s * 1000 : FIRST_BYTE_MS;
	run->fleet.stall_ms = settings->stall_s != 0 ? (int64_t)settings->stall_s * 1000 : STALL_MS;
	if (!options_digest(settings, &order->digest, fault))
		return false;
	order->by_procdump = settings->via != NULL && strcmp(settings->via, "procdump") == 0;
	if (settings->via != NULL && !order->by_procdump && strcmp(settings->via, "kudu") != 0)
		return fault_raise(fault, FAULT_USAGE, "--via: \"%s\" is not kudu or procdump", settings->via);
	for (size_t i = 0; order->by_procdump && i < run->targets.count; i++)
		if (run->targets.sites[i].scm == NULL) {
			fault_raise(fault, FAULT_USAGE, "--via procdump does not work through Azure Resource Manager");
			return fault_hint(fault, "it runs a command on the instance, which takes the SCM site: give --scm too");
		}
	return facts_check_template(order->name_template, fault);
}

static unsigned
count_kind(const struct dump_run *run, enum destination_kind kind)
{
	unsigned count = 0;
	for (size_t i = 0; i < run->destination_count; i++)
		count += run->destinations[i].kind == kind;
	return count;
}

/* The report is written from a file of ours: a blob cannot be read while it is made. */
static bool
check_analyze(const struct dump_run *run, struct fault *fault)
{
	if (!run->settings->analyze || count_kind(run, DESTINATION_FOLDER) > 0)
		return true;
	fault_raise(fault, FAULT_USAGE, "--analyze needs a local copy of the dump");
	return fault_hint(fault, "add --to FOLDER; or fetch the blob and give it to kudump analyze");
}

static bool
make_plan(struct dump_run *run, struct fault *fault)
{
	const struct settings *settings = run->settings;
	unsigned dumps = run->fleet.order.by_procdump ? targets_workers(&run->targets, settings) : targets_dumps(&run->targets, settings);
	char room[200];
	struct text text = text_in(room, sizeof room);
	size_t fixed;
	run->workers = targets_workers(&run->targets, settings);
	fixed = (settings->analyze ? aftermath_need() : 0) + (size_t)(run->workers - dumps) * PLAN_JOB +
	        (run->targets.count - 1) * PLAN_SITE;
	if (!plan_make(&run->plan, dumps, count_kind(run, DESTINATION_FOLDER), count_kind(run, DESTINATION_BLOB), fixed,
	               settings->lanes, settings->block_bytes, settings->memory_bytes, fault))
		return false;
	plan_put(&text, &run->plan);
	log_verbose("%s", room);
	return true;
}

/* The second memory of a run: the first holds what had to be read before this one could be measured. */
static bool
take_memory(struct dump_run *run, struct memory *memory, struct fault *fault)
{
	const struct plan *plan = &run->plan;
	size_t need = fleet_need(plan, run->workers, run->destination_count);
	if (run->settings->analyze)
		need += aftermath_need();
	if (plan->slots > 0)
		need += pool_need(plan->slots, plan->room) + crew_need(plan->lanes, plan->slots);
	if (!memory_open(memory, need, fault))
		return false;
	if (plan->slots > 0) {
		if (!pool_open(&run->pool, memory, plan->slots, plan->room, fault) ||
		    !crew_open(&run->crew, memory, &run->session.network, plan->lanes, plan->slots, &run->pool, fault))
			return false;
		run->has_crew = true;
	}
	if (run->settings->analyze) {
		if (!aftermath_open(&run->aftermath, memory, fault))
			return false;
		run->has_aftermath = true;
	}
	return fleet_open(&run->fleet, memory, plan, run->workers, fault);
}

static void
take_report(void *state, const struct fleet_report *report)
{
	struct dump_run *run = state;
	struct text room = text_in(run->result, sizeof run->result);
	int status = dump_result_status(report);
	progress_line_hide();
	dump_result_print(report, run->settings->json, &room);
	dump_result_log(report, run->first_status >= 128);
	if (report->fault->kind == FAULT_NONE)
		run->done++;
	else
		run->failed++;
	if (run->first_status == STATUS_DONE)
		run->first_status = status;
}

static struct progress_view
look_at_worker(void *fleet, unsigned i)
{
	return fleet_look(fleet, i);
}

static bool
wait_for_fleet(void *fleet, int64_t ms)
{
	return fleet_wait(fleet, ms);
}

static void
follow(struct dump_run *run)
{
	const struct progress_subject subject = {look_at_worker, wait_for_fleet, &run->fleet, fleet_workers(&run->fleet)};
	progress_line_follow(&subject, !run->settings->quiet && !run->settings->no_progress);
	fleet_join(&run->fleet);
}

/* Through ARM the type is not handed on (facts: azure-rest-api-specs 21775). */
static void
note_arm(struct dump_run *run)
{
	for (size_t i = 0; i < run->targets.count; i++) {
		struct board_site *site = &run->targets.sites[i];
		if (site->scm != NULL)
			continue;
		if (site->type != 0)
			log_note("through Azure Resource Manager a dump is always Kudu's smallest (triage), whatever its type is to be: "
			         "--scm for others");
		site->type = 0;
	}
}

static bool
go(struct dump_run *run, struct memory *memory, struct fault *fault)
{
	struct fleet *fleet = &run->fleet;
	const struct settings *settings = run->settings;
	int64_t began = clock_ms();
	if (!read_destinations(run, fault) || !read_targets(run, fault) || !read_order(run, fault) || !check_analyze(run, fault) ||
	    !make_plan(run, fault))
		return false;
	run->means = (struct landing_means){&run->crew, &run->pool, run->plan.block, settings->overwrite,
	                                    settings->content_md5, fleet->stall_ms, settings->analyze ? &run->aftermath : NULL};
	fleet->network = &run->session.network;
	fleet->board.sites = run->targets.sites;
	fleet->board.site_count = run->targets.count;
	fleet->board.dumps = true;
	fleet->board.shared_file = !fleet->order.by_procdump;
	fleet->means = &run->means;
	fleet->destinations = run->destinations;
	fleet->destination_count = run->destination_count;
	fleet->report = take_report;
	fleet->state = run;
	note_arm(run);
	if (!take_memory(run, memory, fault) || !fleet_start(fleet, fault))
		return false;
	follow(run);
	if (targets_are_many(&run->targets))
		summary_print(&fleet->board, settings, run->done, run->failed, clock_ms() - began);
	return true;
}

static int
run_dump(const struct command *command, struct settings *settings)
{
	struct memory first = {NULL, 0, 0}, second = {NULL, 0, 0};
	struct dump_run *run;
	struct fault fault;
	bool opened;
	int status;
	(void)command;
	fault_clear(&fault);
	if (!stop_install(&fault) || !memory_open(&first, memory_need(sizeof *run, 64) + session_need() + configured_need(settings), &fault)) {
		log_fault(&fault);
		return status_of(&fault);
	}
	run = memory_take(&first, sizeof *run, 64);
	run->settings = settings;
	opened = session_open(&run->session, &first, settings, &fault) &&
	         configured_open(&run->configured, &first, settings, &fault) &&
	         configured_log_in(&run->configured, &run->session, settings, &fault);
	if (opened && go(run, &second, &fault)) {
		status = status_of_run(run->first_status, run->done, run->failed, board_is_done(&run->fleet.board));
	} else {
		log_fault(&fault);
		/* no site was asked yet: what is denied behind the logins is a destination's, as a SAS that cannot write */
		status = opened && fault.kind == FAULT_DENIED ? STATUS_DESTINATION : status_of(&fault);
	}
	if (run->has_crew)
		crew_close(&run->crew);
	if (run->has_aftermath)
		aftermath_close(&run->aftermath);
	for (size_t i = 0; i < run->destination_count; i++)
		destination_close(&run->destinations[i]);
	configured_close(&run->configured);
	session_close(&run->session);
	memory_close(&second);
	memory_close(&first);
	return status;
}

#define AT(field) offsetof(struct settings, field)

static const struct option_row options[] = {
	{"--pid", "N", "dump this process; may be repeated", OPTION_LIST, AT(pids), 0, 0},
	{"--name", "NAME", "dump the processes of this name; may be repeated (default: every worker, w3wp that is not Kudu's)",
	 OPTION_LIST, AT(names), 0, 0},
	{"--children", NULL, "dump also the processes that the chosen ones run beside them: dotnet, node, java, …", OPTION_SWITCH,
	 AT(children), 0, 0},
	{"--pick", "cpu|memory", "of what is chosen at a site, dump only the process with the most CPU time or private memory",
	 OPTION_TEXT, AT(pick), 0, 0},
	{"--type", "T", "mini (default), full, triage, or a sum of MINIDUMP_TYPE bits", OPTION_TEXT, AT(type), 0, 0},
	{"--to", "DEST", "a folder, or https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX][?SAS]; repeated: to all of them",
	 OPTION_LIST, AT(to), 0, 0},
	{"--name-template", "T", "name of a dump (default " DEFAULT_TEMPLATE "); also {site} {machine} {type} {id}", OPTION_TEXT,
	 AT(name_template), 0, 0},
	{"--via", "kudu|procdump", "Kudu's dump route (default), or ProcDump started on the instance and a download that can be cut",
	 OPTION_TEXT, AT(via), 0, 0},
	{"--jobs", "K", "dumps and questions at once (default 4); of one site one dump at a time", OPTION_COUNT, AT(jobs), 1, JOBS_MAX},
	{"--lanes", "U", "connections to the blob service (default 4)", OPTION_COUNT, AT(lanes), 1, LANES_MAX},
	{"--block-size", "N", "bytes of a block (default 4M)", OPTION_BYTES, AT(block_bytes), BLOCK_BYTES_LEAST, 1024u * MIB},
	{"--memory", "N", "use at most about this much: fewer lanes, smaller blocks", OPTION_BYTES, AT(memory_bytes), MIB,
	 1ull << 40},
	{"--content-md5", NULL, "store the MD5 of the whole dump on the blob", OPTION_SWITCH, AT(content_md5), 0, 0},
	{"--overwrite", NULL, "replace what has the same name (default: a -2 is added)", OPTION_SWITCH, AT(overwrite), 0, 0},
	{"--digest", "sha256|none", "hash of the dump in manifest, metadata and output (default sha256)", OPTION_TEXT, AT(digest),
	 0, 0},
	{"--analyze", NULL, "write what the dump says beside each dump in a folder, as NAME.txt", OPTION_SWITCH, AT(analyze), 0, 0},
	{"--first-byte", "SECONDS", "how long Kudu may write the dump before it sends any of it (default 900)", OPTION_COUNT,
	 AT(first_byte_s), 1, 86400},
	{"--stall", "SECONDS", "how long a transfer may stand still (default 60)", OPTION_COUNT, AT(stall_s), 1, 86400},
	{NULL, NULL, NULL, OPTION_SWITCH, 0, 0, 0},
};

const struct command command_dump = {
	"dump", "dump processes, stream each to disk or to a blob", "--scm URL --to DEST [OPTION]…", options, plan_formula,
	run_dump, REACH_SITE,
};
