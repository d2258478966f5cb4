/* SPDX-License-Identifier: MIT */
#include "job/doctor.h"

#include "base/deadline.h"
#include "base/stop.h"
#include "http/tunnel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKEW_MOST_S 300 /* Entra and the blob service take 5 and 15 minutes */
#define SAID_MAX 400

typedef bool (*step_check)(struct doctor *, struct text *said, struct fault *);

static const struct proxy *
proxy_of(const struct doctor *doctor)
{
	return proxy_for(doctor->network->proxies, doctor->url);
}

static bool
resolve(const struct doctor *doctor, const char *host, uint16_t port, struct text *said, struct fault *fault)
{
	const struct network *network = doctor->network;
	struct addresses found;
	int64_t began = clock_ms();
	if (!name_resolve(host, port, network->overrides, network->override_count, network->files, deadline_in(CONNECT_MS),
	                  &found, fault))
		return false;
	text_printf(said, "%s is", host);
	for (size_t i = 0; i < found.count; i++) {
		text_put(said, i == 0 ? " " : ", ");
		address_put_port(said, &found.list[i]);
	}
	text_printf(said, " (%" PRId64 " ms)", clock_ms() - began);
	return true;
}

static bool
check_name(struct doctor *doctor, struct text *said, struct fault *fault)
{
	if (proxy_of(doctor) == NULL)
		return resolve(doctor, doctor->url->host, doctor->url->port, said, fault);
	text_printf(said, "the proxy looks up %s", doctor->url->host);
	return true;
}

static bool
check_proxy(struct doctor *doctor, struct text *said, struct fault *fault)
{
	const struct proxy *proxy = proxy_of(doctor);
	struct conn *conn = &doctor->site.client.conn;
	if (proxy == NULL) {
		text_put(said, doctor->network->proxies == NULL ? "none is set" : "none for this host");
		return true;
	}
	if (!tunnel_reach(conn, doctor->network, proxy, doctor->url, deadline_in(CONNECT_MS), fault))
		return false;
	conn_close(conn);
	proxy_put(said, proxy);
	text_put(said, " answers");
	return true;
}

/* Opens and closes a connection, through the proxy if there is one; `secure` or up to where TLS would begin. */
static bool
reach(struct doctor *doctor, bool secure, struct fault *fault)
{
	struct http_client *client = &doctor->site.client;
	const struct tunnel_room room = {&client->wire.wire, &client->body, client->room};
	const struct deadline deadline = deadline_in(CONNECT_MS);
	struct url *way = &doctor->way;
	bool good;
	*way = *doctor->url;
	way->secure = secure;
	client->wire.limit = deadline;
	client->session.valid = false; /* a resumed handshake shows no certificate */
	good = proxy_of(doctor) != NULL
	           ? tunnel_open(&client->conn, doctor->network, proxy_of(doctor), way, &client->session, room, deadline, fault)
	           : conn_open(&client->conn, doctor->network, way->host, way->port, secure, &client->session, deadline, fault);
	if (good)
		conn_close(&client->conn);
	return good;
}

static bool
check_connect(struct doctor *doctor, struct text *said, struct fault *fault)
{
	int64_t began = clock_ms();
	if (!reach(doctor, false, fault))
		return fault_hint(fault, "is the port right? a firewall, a private endpoint or a missing proxy may be in the way");
	text_printf(said, "port %u is open%s (%" PRId64 " ms)", (unsigned)doctor->url->port,
	            proxy_of(doctor) != NULL ? " through the proxy" : "", clock_ms() - began);
	return true;
}

static bool
check_tls(struct doctor *doctor, struct text *said, struct fault *fault)
{
	const struct checker *checker = &doctor->site.client.conn.tls.checker;
	if (!doctor->url->secure) {
		text_put(said, "none: the address is plain http");
		return true;
	}
	if (!reach(doctor, true, fault))
		return false;
	text_printf(said, "TLS 1.2, %u certificate%s, the last one by ", checker->seen, checker->seen == 1 ? "" : "s");
	certificate_put_name(said, checker->certificate.issuer);
	text_put(said, "; good until ");
	clock_put_date(said, checker->ends_s);
	text_printf(said, ", %" PRId64 " days", (checker->ends_s - checker->now_s) / 86400);
	return true;
}

static bool
check_login(struct doctor *doctor, struct text *said, struct fault *fault)
{
	static const char *const who[] = {"the site wants none", "user and password are accepted", "the token is accepted"};
	struct site *site = &doctor->site;
	bool good;
	memset(&site->client.head, 0, sizeof site->client.head);
	good = site_get(site, "/api/environment", SITE_ONCE, 0, fault) && site_check_data(site, fault);
	doctor->answered = site->client.head.status != 0;
	if (good)
		text_put(said, who[doctor->login->kind]);
	return good;
}

static bool
check_clock(struct doctor *doctor, struct text *said, struct fault *fault)
{
	struct span date;
	int64_t theirs, skew;
	if (!http_head_find(&doctor->site.client.head, "Date", 0, &date) || !clock_read_http(date, &theirs)) {
		text_put(said, "the site does not say what time it is");
		return true;
	}
	skew = clock_utc_s() - theirs;
	if (skew < -SKEW_MOST_S || skew > SKEW_MOST_S) {
		fault_raise(fault, FAULT_SYSTEM, "this machine's clock is %" PRId64 " s %s the site's", skew < 0 ? -skew : skew,
		            skew < 0 ? "behind" : "ahead of");
		return fault_hint(fault, "set the clock: certificates, tokens, SAS and storage keys depend on it");
	}
	text_printf(said, "this machine's clock differs by %" PRId64 " s", skew < 0 ? -skew : skew);
	return true;
}

/* A Linux app whose processes dotnet-monitor lists: it has none that is Kudu's own. */
static bool
is_monitored(struct doctor *doctor)
{
	struct fault ignored;
	size_t count;
	fault_clear(&ignored);
	return choose_workers(&doctor->site, doctor->found, &count, &ignored) && doctor->found[0].monitored;
}

/* The login itself was accepted a moment ago: what the site's words for a wrong one say is not the cause. */
static bool
lacks_role(struct fault *fault)
{
	int status = fault->detail;
	if (status != 401 && status != 403)
		return false;
	fault_clear(fault);
	fault_raise(fault, FAULT_DENIED, "the login is right, but may not look into processes (HTTP %d)", status);
	fault->detail = status;
	return fault_hint(fault, "dumps need the role Website Contributor or more");
}

/* A reader may list processes but not look into one (facts: Kudu's TraceModule). */
static bool
check_role(struct doctor *doctor, struct text *said, struct fault *fault)
{
	struct kudu_process own = {.pid = 0};
	unsigned bits;
	if (kudu_own_pid(&doctor->site, &own.pid, fault) && kudu_find_bits(&doctor->site, &own, &bits, fault)) {
		text_printf(said, "processes can be looked into, Kudu is a %u-bit one", bits);
		return true;
	}
	if (fault->kind == FAULT_DENIED)
		return lacks_role(fault);
	if (fault->kind == FAULT_STOPPED || !is_monitored(doctor))
		return false;
	fault_clear(fault);
	text_put(said, "dotnet-monitor answers for this Linux app");
	return true;
}

/* From here on only the instance that --instance names may answer. Where nobody tells the ids it is taken for a whole one. */
static bool
turn(struct doctor *doctor, const struct instance_search *search, struct fault *fault)
{
	if (doctor->instance == NULL)
		return true;
	if (!site_is_instance_id(doctor->instance))
		return fault_raise(fault, FAULT_USAGE, "--instance: an instance id is up to %d hex digits", INSTANCE_MAX);
	if (search->count > 0 && !instance_search_is_one(search, doctor->site.name, fault))
		return false;
	site_turn(&doctor->site, search->count > 0 ? search->id : doctor->instance, "");
	return true;
}

/* Not every front end tells. */
static bool
check_instances(struct doctor *doctor, struct text *said, struct fault *fault)
{
	struct instance_search search;
	bool listed;
	instance_search_open(&search, doctor->instance);
	listed = instances_list(&doctor->site, &search.taker, fault);
	if (!listed && fault->kind != FAULT_MISSING)
		return false;
	fault_clear(fault);
	if (!turn(doctor, &search, fault))
		return false;
	if (listed)
		text_printf(said, "%zu, this one is %.12s", search.count,
		            doctor->site.instance[0] != 0 ? doctor->site.instance : "not named");
	else
		text_put(said, "the site does not list them: name one by --instance ID, or give --arm");
	return true;
}

static bool
check_processes(struct doctor *doctor, struct text *said, struct fault *fault)
{
	size_t count;
	if (!choose_workers(&doctor->site, doctor->found, &count, fault))
		return false;
	for (size_t i = 0; i < count; i++)
		text_printf(said, "%s%s %" PRId64, i == 0 ? "" : ", ", doctor->found[i].name, doctor->found[i].pid);
	text_printf(said, " on %s", doctor->site.machine[0] != 0 ? doctor->site.machine : "the instance that answered");
	return true;
}

static const char *
tell(struct doctor *doctor, const char *subject, const char *name, bool good, const char *said, const struct fault *fault)
{
	const struct doctor_finding finding = {subject, name, good ? DOCTOR_OK : DOCTOR_FAILED, said, fault};
	doctor->tell(doctor->state, &finding);
	return good ? NULL : name;
}

/* Runs one step unless an earlier one ended the way. Returns what ends it now. */
static const char *
run(struct doctor *doctor, const char *ended_by, const char *name, step_check check)
{
	char room[SAID_MAX];
	struct text said = text_in(room, sizeof room);
	struct fault fault;
	bool good;
	fault_clear(&fault);
	if (ended_by != NULL) {
		struct doctor_finding finding = {doctor->url->host, name, DOCTOR_SKIPPED, room, NULL};
		text_printf(&said, "first mend: %s", ended_by);
		doctor->tell(doctor->state, &finding);
		return ended_by;
	}
	good = check(doctor, &said, &fault);
	return tell(doctor, doctor->url->host, name, good, room, &fault);
}

void
doctor_site(struct doctor *doctor, const struct url *scm)
{
	static const struct {
		const char *name;
		step_check check;
	} way[] = {{"name", check_name}, {"proxy", check_proxy}, {"connect", check_connect}, {"tls", check_tls}, {"login", check_login}},
	  inside[] = {{"role", check_role}, {"instances", check_instances}, {"processes", check_processes}};
	const char *ended = NULL;
	struct fault fault;
	fault_clear(&fault);
	doctor->url = scm;
	doctor->answered = false;
	if (!site_open(&doctor->site, doctor->network, scm, doctor->login, NULL, &fault)) {
		tell(doctor, scm->host, "address", false, "", &fault);
		return;
	}
	for (size_t i = 0; i < sizeof way / sizeof way[0]; i++)
		ended = run(doctor, ended, way[i].name, way[i].check);
	run(doctor, doctor->answered ? NULL : ended, "clock", check_clock);
	for (size_t i = 0; i < sizeof inside / sizeof inside[0] && stop_signal() == 0; i++) {
		const char *failed = run(doctor, ended, inside[i].name, inside[i].check);
		if (inside[i].check == check_instances && doctor->instance != NULL)
			ended = failed; /* what runs on another one is not asked for */
	}
	site_close(&doctor->site);
}

void
doctor_destination(struct doctor *doctor, struct landing *landing)
{
	char room[SAID_MAX];
	struct text said = text_in(room, sizeof room);
	struct fault fault;
	bool good;
	fault_clear(&fault);
	good = landing_try(landing, &said, &fault);
	tell(doctor, landing->destination->shown, "destination", good, room, &fault);
}
