/* SPDX-License-Identifier: MIT */
#include "cmd/dump_result.h"

#include "base/log.h"
#include "cmd/event.h"
#include "cmd/status.h"

#include <stdio.h>

static void
put_landed(struct text *event, const struct capture *capture)
{
	const char *comma = "";
	text_put(event, ",\"to\":[");
	for (size_t i = 0; i < capture->count; i++) {
		if (capture->legs[i].fault.kind != FAULT_NONE)
			continue;
		text_put(event, comma);
		text_put_json(event, span_of(capture->landings[i].where));
		comma = ",";
	}
	text_put(event, "]");
}

/* The first report there is, since all copies of a dump have the same one. */
static void
put_report(struct text *event, const struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++) {
		const struct aftermath_result *result = &capture->landings[i].report;
		if (capture->legs[i].fault.kind != FAULT_NONE || result->report[0] == 0)
			continue;
		text_put(event, ",\"report\":");
		text_put_json(event, span_of(result->report));
		if (result->signature[0] != 0)
			text_printf(event, ",\"signature_hash\":\"%s\"", result->signature);
		return;
	}
}

static void
put_fallen(struct text *event, const struct capture *capture)
{
	const char *comma = "";
	text_put(event, ",\"failed\":[");
	for (size_t i = 0; i < capture->count; i++) {
		if (capture->legs[i].fault.kind == FAULT_NONE)
			continue;
		text_put(event, comma);
		text_put(event, "{\"to\":");
		text_put_json(event, span_of(capture->landings[i].destination->shown));
		text_put(event, ",");
		event_put_fault(event, &capture->legs[i].fault);
		text_put(event, "}");
		comma = ",";
	}
	text_put(event, "]");
}

static void
put_place(struct text *event, const struct fleet_report *report)
{
	text_put(event, "\"site\":");
	text_put_json(event, span_of(report->site->name));
	if (report->instance == NULL || report->instance->id[0] == 0)
		return;
	text_put(event, ",\"instance\":");
	text_put_json(event, span_of(report->instance->id));
}

static void
put_event(struct text *event, const struct fleet_report *report)
{
	const struct capture *capture = report->capture;
	bool done = report->fault->kind == FAULT_NONE;
	text_printf(event, "{\"event\":\"dump.%s\",", done ? "done" : "failed");
	if (capture != NULL)
		facts_put_json(event, &capture->facts);
	else
		put_place(event, report);
	if (done) {
		put_landed(event, capture);
		put_report(event, capture);
		if (capture->landed < capture->count)
			put_fallen(event, capture);
	} else {
		text_put(event, ",");
		event_put_fault(event, report->fault);
	}
	text_put(event, "}");
}

static void
put_line(struct text *line, const struct capture *capture, const struct landing *landing)
{
	text_put_tame(line, span_of(landing->where));
	text_put(line, "  ");
	text_put_size(line, capture->facts.bytes);
	text_printf(line, "  %.1f s", facts_seconds(&capture->facts));
	if (capture->facts.sha256[0] != 0)
		text_printf(line, "  sha256 %s", capture->facts.sha256);
	if (landing->report.report[0] == 0)
		return;
	text_put(line, "\n");
	text_put_tame(line, span_of(landing->report.report));
}

void
dump_result_print(const struct fleet_report *report, bool json, struct text *room)
{
	const struct capture *capture = report->capture;
	if (json) {
		text_reset(room);
		put_event(room, report);
		printf("%s\n", room->at);
	}
	for (size_t i = 0; !json && report->fault->kind == FAULT_NONE && i < capture->count; i++) {
		if (capture->legs[i].fault.kind != FAULT_NONE)
			continue;
		text_reset(room);
		put_line(room, capture, &capture->landings[i]);
		printf("%s\n", room->at);
	}
	fflush(stdout);
}

static void
log_fallen(const struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++) {
		struct fault fault = capture->legs[i].fault;
		if (fault.kind == FAULT_NONE)
			continue;
		fault_while(&fault, "%s", capture->landings[i].destination->shown);
		log_fault(&fault);
	}
}

/* A dump without its report is a dump all the same. */
static void
log_unreported(const struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++)
		if (capture->legs[i].fault.kind == FAULT_NONE && capture->landings[i].report.fault.kind != FAULT_NONE)
			log_fault(&capture->landings[i].report.fault);
}

void
dump_result_log(const struct fleet_report *report, bool stopped)
{
	if (report->fault->kind == FAULT_NONE) {
		log_fallen(report->capture);
		log_unreported(report->capture);
	} else if (report->fault->kind != FAULT_STOPPED || !stopped) {
		log_fault(report->fault);
	}
}

int
dump_result_status(const struct fleet_report *report)
{
	const struct capture *capture = report->capture;
	if (report->fault->kind == FAULT_NONE)
		return capture->landed == capture->count ? STATUS_DONE : STATUS_DESTINATION;
	if (report->fault->kind == FAULT_STOPPED || capture == NULL || capture->source_failed)
		return status_of(report->fault);
	return STATUS_DESTINATION;
}
