/* SPDX-License-Identifier: MIT */
#include "job/capture.h"

#include "base/encode.h"
#include "base/linux.h"
#include "base/log.h"
#include "job/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool
begin_facts(struct capture *capture, const struct kudu_process *process, unsigned type, struct fault *fault)
{
	struct facts *facts = &capture->facts;
	unsigned char id[FACTS_ID_DIGITS / 2];
	struct text hex = text_in(facts->id, sizeof facts->id);
	memset(facts, 0, sizeof *facts);
	if (!random_bytes(id, sizeof id, fault))
		return false;
	encode_hex(&hex, (struct span){id, sizeof id});
	snprintf(facts->site, sizeof facts->site, "%s", capture->site.name);
	snprintf(facts->instance, sizeof facts->instance, "%s", capture->site.instance);
	snprintf(facts->machine, sizeof facts->machine, "%s", capture->site.machine);
	snprintf(facts->process, sizeof facts->process, "%s", process->name);
	facts->pid = process->pid;
	facts->type = type;
	facts->started_s = clock_utc_s();
	facts->began_ms = facts->ended_ms = clock_ms();
	return true;
}

/* Every destination is asked before the app is made to stand still for a dump that nobody could keep. */
static bool
check_destinations(struct capture *capture, struct fault *fault)
{
	size_t willing = 0;
	progress_phase(&capture->progress, PHASE_CHECKING);
	for (size_t i = 0; i < capture->count; i++) {
		struct tee_leg *leg = &capture->legs[i];
		leg->ended = !landing_check(&capture->landings[i], &leg->fault);
		willing += !leg->ended;
	}
	if (willing == 0)
		*fault = capture->legs[0].fault;
	return willing > 0;
}

static bool
open_landings(struct capture *capture, const char *name, uint64_t length, struct fault *fault)
{
	size_t open = 0;
	for (size_t i = 0; i < capture->count; i++) {
		struct tee_leg *leg = &capture->legs[i];
		if (leg->ended)
			continue;
		leg->ended = !landing_open(&capture->landings[i], name, length, &capture->facts, &leg->fault);
		open += !leg->ended;
	}
	if (open == 0)
		*fault = capture->legs[0].fault;
	return open > 0;
}

static bool
stream(struct capture *capture, struct kudu_dump *dump, const struct capture_order *order, struct fault *fault)
{
	bool done;
	digest_sink_open(&capture->digest, &capture->tee.sink, &capture->facts, order->digest);
	if (!meter_open(&capture->meter, &capture->digest.sink, fault)) {
		capture->tee.sink.abandon(&capture->tee.sink);
		return false;
	}
	dump_gate_open(&capture->gate, &capture->meter.sink);
	capture->gate.core = dump->core;
	progress_meter(&capture->progress, &capture->meter, dump->length);
	progress_phase(&capture->progress, PHASE_STREAMING);
	done = flow(dump->body, &capture->gate.sink, capture->room, FLOW_BYTES, fault);
	progress_meter(&capture->progress, NULL, 0);
	meter_close(&capture->meter);
	return done;
}

/* Six digits are what an instance without an affinity cookie is known by. A dump that an earlier run left is of its time. */
static void
learn(struct facts *facts, const struct kudu_dump *dump)
{
	if (facts->instance[0] == 0)
		snprintf(facts->instance, sizeof facts->instance, "%s", dump->digits);
	if (dump->began_s != 0)
		facts->started_s = dump->began_s;
}

static bool
open_dump(struct capture *capture, const struct kudu_process *process, const struct capture_order *order,
          struct kudu_dump *dump, struct fault *fault)
{
	if (order->by_procdump)
		return procdump_open(&capture->procdump, &capture->site, process, order->type, order->first_byte_ms, dump, fault);
	return kudu_dump_open(&capture->site, process, order->type, order->first_byte_ms, dump, fault);
}

/* What is whole here need not stay on the site; what is not is fetched by the next run. */
static void
clean_site(struct capture *capture, const struct capture_order *order, bool landed, struct fault *fault)
{
	struct fault aside;
	fault_clear(&aside);
	if (!order->by_procdump || capture->procdump.folder[0] == 0)
		return;
	if (!landed)
		fault_hint(fault, "the dump still stands on the site, in %s: the same command goes on with it", capture->procdump.folder);
	else if (!procdump_delete(&capture->procdump, &aside))
		log_fault(&aside);
}

static bool
fetch(struct capture *capture, const struct kudu_process *process, const struct capture_order *order, struct fault *fault)
{
	char name[PATH_BYTES_MAX / 4];
	struct text text = text_in(name, sizeof name);
	struct kudu_dump dump = {0};
	capture->source_failed = true;
	progress_phase(&capture->progress, PHASE_WRITING);
	if (!open_dump(capture, process, order, &dump, fault))
		return false;
	learn(&capture->facts, &dump);
	if (!facts_put_name(&text, order->name_template, &capture->facts, fault))
		return false;
	capture->source_failed = false;
	if (!open_landings(capture, name, dump.length, fault))
		return false;
	return stream(capture, &dump, order, fault);
}

static bool
all_legs_fell(const struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++)
		if (capture->legs[i].fault.kind == FAULT_NONE)
			return false;
	return true;
}

bool
capture_run(struct capture *capture, const struct kudu_process *process, const struct capture_order *order,
            struct fault *fault)
{
	bool done;
	capture->landed = 0;
	capture->source_failed = false;
	capture->procdump.folder[0] = 0;
	tee_open(&capture->tee, capture->legs, capture->count);
	for (size_t i = 0; i < capture->count; i++)
		capture->legs[i].sink = &capture->landings[i].sink;
	if (!begin_facts(capture, process, order->type, fault) || !check_destinations(capture, fault))
		return fault_while(fault, "dumping %s %" PRId64 " of %s", process->name, process->pid, capture->site.name);
	done = fetch(capture, process, order, fault);
	if (!done && !all_legs_fell(capture))
		capture->source_failed = true;
	if (done) {
		site_done(&capture->site);
	} else {
		capture->facts.ended_ms = clock_ms();
		http_client_close(&capture->site.client);
	}
	clean_site(capture, order, done, fault);
	for (size_t i = 0; done && i < capture->count; i++)
		if (capture->legs[i].fault.kind == FAULT_NONE) {
			capture->landed++;
			landing_report(&capture->landings[i]);
		}
	progress_phase(&capture->progress, PHASE_IDLE);
	return done || fault_while(fault, "dumping %s %" PRId64 " of %s", process->name, process->pid, capture->site.name);
}
