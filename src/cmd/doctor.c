/* SPDX-License-Identifier: MIT */
/* kudump doctor: what stands between this machine and a dump, one step a line. */
#include "job/doctor.h"

#include "base/log.h"
#include "base/stop.h"
#include "cmd/commands.h"
#include "cmd/event.h"
#include "cmd/session.h"
#include "cmd/status.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 2048
#define PROBE_SLOTS 1

struct visit {
	struct session session;
	struct settings *settings;
	struct doctor doctor;
	struct landing landings[DESTINATIONS_MAX];
	struct destination destinations[DESTINATIONS_MAX];
	struct fault faults[DESTINATIONS_MAX]; /* of reading them */
	size_t destination_count;
	struct landing_means means;
	struct pool pool;
	struct crew crew;
	bool has_crew;
	const char *subject; /* of the last line */
	int status;          /* of the first failure */
};

static const char *const verdicts[] = {"ok", "failed", "skipped"};

static void
print_json(const struct doctor_finding *finding)
{
	char room[LINE_MAX_BYTES];
	struct text line = text_in(room, sizeof room);
	text_put(&line, "{\"event\":\"doctor.step\",\"subject\":");
	text_put_json(&line, span_of(finding->subject));
	text_printf(&line, ",\"step\":\"%s\",\"result\":\"%s\"", finding->step, verdicts[finding->verdict]);
	if (finding->verdict == DOCTOR_FAILED) {
		text_put(&line, ",");
		event_put_fault(&line, finding->fault);
	} else {
		text_put(&line, ",\"said\":");
		text_put_json(&line, span_of(finding->said));
	}
	printf("%s}\n", room);
}

static void
print_line(struct visit *visit, const struct doctor_finding *finding)
{
	char room[LINE_MAX_BYTES];
	struct text line = text_in(room, sizeof room);
	if (finding->subject != visit->subject) {
		text_put_tame(&line, span_of(finding->subject));
		printf("%s\n", room);
		text_reset(&line);
	}
	visit->subject = finding->subject;
	text_printf(&line, "  %-8s %-12s ", verdicts[finding->verdict], finding->step);
	text_put_tame(&line, span_of(finding->verdict == DOCTOR_FAILED ? finding->fault->text : finding->said));
	if (finding->verdict == DOCTOR_FAILED && finding->fault->hint[0] != 0) {
		text_printf(&line, "\n%*s", 24, "hint: ");
		text_put_tame(&line, span_of(finding->fault->hint));
	}
	printf("%s\n", room);
}

static void
take_finding(void *state, const struct doctor_finding *finding)
{
	struct visit *visit = state;
	if (visit->settings->json)
		print_json(finding);
	else
		print_line(visit, finding);
	fflush(stdout);
	if (finding->verdict != DOCTOR_FAILED || visit->status != STATUS_DONE)
		return;
	visit->status = status_of(finding->fault);
	if (strcmp(finding->step, "destination") == 0 && finding->fault->kind != FAULT_USAGE && finding->fault->kind != FAULT_STOPPED)
		visit->status = STATUS_DESTINATION; /* as a dump there would end */
}

static bool
read_destinations(struct visit *visit, struct fault *fault)
{
	struct settings *settings = visit->settings;
	if (settings->to.count > DESTINATIONS_MAX)
		return fault_raise(fault, FAULT_USAGE, "--to is given more than %d times", DESTINATIONS_MAX);
	for (size_t i = 0; i < settings->to.count; i++) {
		fault_clear(&visit->faults[i]);
		(void)!session_destination(&visit->session, &visit->destinations[i], settings->to.at[i], settings, &visit->faults[i]);
		visit->destination_count++;
		landing_aim(&visit->landings[i], &visit->destinations[i], &visit->means, NULL, 0);
	}
	return true;
}

static bool
open_crew(struct visit *visit, struct memory *memory, struct fault *fault)
{
	size_t need = pool_need(PROBE_SLOTS, BLOCK_BYTES_LEAST) + crew_need(1, PROBE_SLOTS);
	if (!memory_open(memory, need, fault) || !pool_open(&visit->pool, memory, PROBE_SLOTS, BLOCK_BYTES_LEAST, fault))
		return false;
	visit->has_crew = crew_open(&visit->crew, memory, &visit->session.network, 1, PROBE_SLOTS, &visit->pool, fault);
	visit->means.crew = &visit->crew;
	visit->means.pool = &visit->pool;
	return visit->has_crew;
}

static void
look_at_destination(struct visit *visit, size_t i)
{
	const struct doctor_finding finding = {"--to", "destination", DOCTOR_FAILED, "", &visit->faults[i]};
	if (visit->faults[i].kind != FAULT_NONE)
		take_finding(visit, &finding);
	else
		doctor_destination(&visit->doctor, &visit->landings[i]);
}

static bool
names_site(const struct settings *settings)
{
	return settings->scm.count > 0 || settings->publish_profile != NULL || text_environment("KUDUMP_SCM") != NULL;
}

/* Who only puts files somewhere has no site. */
static bool
open_session(struct visit *visit, struct memory *memory, struct fault *fault)
{
	struct settings *settings = visit->settings;
	if (names_site(settings))
		return session_open(&visit->session, memory, settings, fault);
	if (settings->to.count > 0 && settings->arm == NULL && settings->config == NULL)
		return session_open_network(&visit->session, memory, settings, fault);
	fault_raise(fault, FAULT_USAGE, "no SCM site is named");
	return fault_hint(fault, "doctor looks at those of --scm, --publish-profile and KUDUMP_SCM, not at a config's or at ARM");
}

static bool
look(struct visit *visit, struct memory *memory, struct fault *fault)
{
	struct doctor *doctor = &visit->doctor;
	const char *instance = visit->settings->instance;
	if (!read_destinations(visit, fault) || (visit->destination_count > 0 && !open_crew(visit, memory, fault)))
		return false;
	doctor->network = &visit->session.network;
	doctor->login = &visit->session.credentials->login;
	doctor->instance = instance != NULL && strcmp(instance, "all") == 0 ? NULL : instance; /* of all the one that answers */
	doctor->tell = take_finding;
	doctor->state = visit;
	for (size_t i = 0; i < visit->session.site_count && stop_signal() == 0; i++)
		doctor_site(doctor, &visit->session.sites[i]);
	for (size_t i = 0; i < visit->destination_count && stop_signal() == 0; i++)
		look_at_destination(visit, i);
	return true;
}

static int
run_doctor(const struct command *command, struct settings *settings)
{
	struct memory first = {NULL, 0, 0}, second = {NULL, 0, 0};
	struct visit *visit;
	struct fault fault;
	int status;
	(void)command;
	fault_clear(&fault);
	if (!stop_install(&fault) || !memory_open(&first, memory_need(sizeof *visit, 64) + session_need(), &fault)) {
		log_fault(&fault);
		return status_of(&fault);
	}
	visit = memory_take(&first, sizeof *visit, 64);
	visit->settings = settings;
	if (open_session(visit, &first, &fault) && look(visit, &second, &fault)) {
		status = stop_signal() != 0 ? status_of_stop() : visit->status;
	} else {
		log_fault(&fault);
		status = status_of(&fault);
	}
	if (visit->has_crew)
		crew_close(&visit->crew);
	for (size_t i = 0; i < visit->destination_count; i++)
		destination_close(&visit->destinations[i]);
	session_close(&visit->session);
	memory_close(&second);
	memory_close(&first);
	return status;
}

static const struct option_row options[] = {
	{"--to", "DEST", "also try this folder or container, as of kudump dump; may be repeated, and do without a site", OPTION_LIST,
	 offsetof(struct settings, to), 0, 0},
	{NULL, NULL, NULL, OPTION_SWITCH, 0, 0, 0},
};

const struct command command_doctor = {
	"doctor", "check the way to a site and to destinations one step a line, and say what to mend", "[--scm URL] [--to DEST]… [OPTION]…",
	options, "No process is dumped. The exit status is that of the first step that failed.", run_doctor, REACH_SITE,
};
