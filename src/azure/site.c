/* SPDX-License-Identifier: MIT */
#include "azure/site.h"

#include "azure/arm.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/retry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
site_put_name(const struct url *scm, char *room, size_t size)
{
	struct span host = span_of(scm->host);
	size_t place;
	if (name_is_literal(scm->host) || (!span_find(host, ".scm.", &place) && !span_find_byte(host, '.', &place)))
		place = host.count;
	if (!text_keep(room, size, span_first(host, place)))
		memcpy(room, "site", sizeof "site");
}

bool
site_is_instance_id(const char *words)
{
	size_t count = strspn(words, "0123456789abcdefABCDEF");
	return count > 0 && count <= INSTANCE_MAX && words[count] == 0;
}

static void
begin(struct site *site, const struct network *network, const struct url *origin, const struct login *login)
{
	http_client_open(&site->client, network, origin);
	site->login = login;
	site->machine[0] = site->said[0] = site->instance[0] = 0;
	site->pinned = site->proven = site->by_arm = false;
	site->stall_ms = 0;
	site->who = origin;
	site->audience = login_audience(login, origin);
	site->given = site->refused = site->tried = 0;
	site->renewed = site->logged_in = site->login_refused = false;
}

static bool
pin(struct site *site, const char *instance, struct fault *fault)
{
	site->pinned = instance != NULL;
	if (instance == NULL)
		return true;
	if (!site_is_instance_id(instance))
		return fault_raise(fault, FAULT_USAGE, "an instance id is up to %d hex digits", INSTANCE_MAX);
	snprintf(site->instance, sizeof site->instance, "%s", instance);
	return true;
}

bool
site_open(struct site *site, const struct network *network, const struct url *scm, const struct login *login,
          const char *instance, struct fault *fault)
{
	begin(site, network, scm, login);
	site_put_name(scm, site->name, sizeof site->name);
	if (strcmp(scm->path, "/") != 0 || scm->query[0] != 0) {
		fault_raise(fault, FAULT_USAGE, "the SCM address has a path");
		return fault_hint(fault, "give the address alone, as in https://contoso.scm.azurewebsites.net");
	}
	return pin(site, instance, fault);
}

bool
site_open_arm(struct site *site, const struct network *network, const struct url *arm, const struct login *login,
              const char *instance, struct fault *fault)
{
	begin(site, network, arm, login);
	arm_name(arm, site->name, sizeof site->name);
	site->by_arm = true;
	site->audience = LOGIN_ARM;
	return pin(site, instance, fault);
}

void
site_turn(struct site *site, const char *instance, const char *machine)
{
	snprintf(site->instance, sizeof site->instance, "%s", instance);
	snprintf(site->machine, sizeof site->machine, "%s", machine);
	site->pinned = instance[0] != 0;
	site->proven = false;
}

bool
site_check_instance(struct site *site, const char *id, struct fault *fault)
{
	if (!site_is_instance_id(id))
		return true;
	if (site->instance[0] == 0)
		snprintf(site->instance, sizeof site->instance, "%s", id);
	site->proven = span_is_nocase(span_of(id), site->instance);
	if (site->proven)
		return true;
	fault_raise(fault, FAULT_MISSING, "instance %.12s did not answer, %.12s did", site->instance, id);
	if (site->pinned && strlen(site->instance) < INSTANCE_MAX)
		return fault_hint(fault, "a whole id has %d digits, as in kudump ps --instance all --json", INSTANCE_MAX);
	return fault_hint(fault, "%s", site->pinned ? "there may be no instance of that id any more: see kudump ps --instance all"
	                                            : "it may have been scaled in: run again");
}

/* The front end names the instance that answered in Set-Cookie: ARRAffinity=<id>;Path=/… (facts: recorded traffic). */
static bool
learn_instance(struct site *site, struct fault *fault)
{
	struct span cookie, value;
	for (size_t n = 0; http_head_find(&site->client.head, "Set-Cookie", n, &cookie); n++) {
		char id[INSTANCE_MAX + 1];
		if (!span_begins(cookie, "ARRAffinity="))
			continue;
		cookie = span_from(cookie, strlen("ARRAffinity="));
		if (!span_cut(&cookie, ';', &value) || !text_keep(id, sizeof id, value))
			continue;
		if (!site_check_instance(site, id, fault))
			return false;
	}
	return true;
}

static bool
put_headers(struct site *site, const char *more, struct fault *fault)
{
	struct text headers = text_in(site->headers, sizeof site->headers);
	text_put(&headers, "Accept: application/json, application/octet-stream\r\n");
	if (!login_put(site->login, site->audience, site->refused, &site->given, &headers, fault))
		return false;
	if (site->instance[0] != 0 && !site->by_arm)
		text_printf(&headers, "Cookie: ARRAffinity=%s\r\n", site->instance);
	if (more != NULL)
		text_put(&headers, more);
	return true;
}

/* Whether a WWW-Authenticate of the answer holds the word. */
static bool
challenge_has(const struct site *site, const char *word)
{
	struct span value;
	size_t place;
	for (size_t n = 0; http_head_find(&site->client.head, "WWW-Authenticate", n, &value); n++)
		if (span_find(value, word, &place))
			return true;
	return false;
}

/* What a token that was not taken may lack: those that we ask for were of the audience named, else of each of the cloud's. */
static void
hint_token(const struct login *login, struct fault *fault)
{
	const char *const *scm = login->identity->cloud->scm;
	if (!token_source_asks(&login->identity->source))
		fault_hint(fault, "the token may have run out, be of another tenant or for another audience than %s or %s", scm[0], scm[1]);
	else if (login->audience != NULL)
		fault_hint(fault, "the identity may be of another tenant, or the site wants another --audience than %.80s", login->audience);
	else
		fault_hint(fault, "the identity may be of another tenant, or the site wants another --audience than %s or %s", scm[0], scm[1]);
}

static void
deny_token(const struct site *site, int status, struct fault *fault)
{
	const char *const *scm = site->login->identity->cloud->scm;
	char room[200];
	struct text why = text_in(room, sizeof room);
	login_put_reason(site->login, site->audience, &why);
	if (status == 403) {
		fault_raise(fault, FAULT_DENIED, "this identity may not use the SCM site (HTTP 403)");
		fault_hint(fault, "it needs the role Website Contributor on the app (Microsoft.Web/sites/publish/Action), "
		                  "which takes minutes to arrive; or the site wants another --audience");
	} else if (challenge_has(site, "udience")) {
		fault_raise(fault, FAULT_DENIED, "the SCM site refused the token: it is for another audience (HTTP 401)%s%s",
		            why.used > 0 ? ": " : "", room);
		fault_hint(fault, "get one for %s or %s, or name the --audience", scm[0], scm[1]);
	} else {
		fault_raise(fault, FAULT_DENIED, "the SCM site refused the token (HTTP %d)%s%s", status, why.used > 0 ? ": " : "", room);
		hint_token(site->login, fault);
	}
}

static void
deny_password(const struct site *site, int status, struct fault *fault)
{
	bool off = status == 401 && challenge_has(site, "Bearer") && !challenge_has(site, "Basic");
	if (off)
		fault_raise(fault, FAULT_DENIED, "basic authentication is switched off for this site (HTTP 401)");
	else
		fault_raise(fault, FAULT_DENIED, "the SCM site refused user and password (HTTP %d)", status);
	fault_hint(fault, "%s(basicPublishingCredentialsPolicies/scm): then use --identity",
	           off ? "" : "wrong password, or basic authentication is switched off for this site ");
}

static void
deny_login(struct site *site, int status, struct fault *fault)
{
	site->login_refused = true;
	switch (site->login->kind) {
	case LOGIN_NONE:
		fault_raise(fault, FAULT_DENIED, "the SCM site wants a login (HTTP %d)", status);
		fault_hint(fault, "give --publish-profile, --user and KUDUMP_PASSWORD, or --identity");
		break;
	case LOGIN_BASIC:
		deny_password(site, status, fault);
		break;
	case LOGIN_BEARER:
		deny_token(site, status, fault);
	}
}

/* Whether words of the site's tell the login that it was sent. */
static bool
tells_login(const struct site *site, struct span words)
{
	struct span rest = span_of(site->headers), line, word;
	while (span_cut(&rest, '\n', &line))
		if (span_begins(line, "Authorization: ") && span_cut(&line, ' ', &word) && span_cut(&line, ' ', &word))
			return http_head_tells(words, span_first(line, line.count - 1));
	return false;
}

static void
deny_redirect(const struct site *site, int status, struct fault *fault)
{
	char host[HOST_MAX + 1] = "another address";
	struct span to, part;
	if (http_head_find(&site->client.head, "Location", 0, &to) && !tells_login(site, to)) {
		size_t place;
		if (span_find(to, "://", &place))
			to = span_from(to, place + 3);
		if (span_cut(&to, '/', &part) && span_cut(&part, '?', &to) && to.count > 0 &&
		    !text_keep(host, sizeof host, to))
			memcpy(host, "another address", sizeof "another address");
	}
	fault_raise(fault, FAULT_DENIED, "the SCM site sent us to %s (HTTP %d) instead of answering", host, status);
	fault_hint(fault, "that is a login page: check the address, and the login (--user or --identity)");
}

static bool
said(const struct site *site, const char *words)
{
	return strstr(site->said, words) != NULL;
}

static void
deny_forbidden(struct site *site, struct fault *fault)
{
	if (said(site, "Ip Forbidden") || span_is_nocase(site->client.head.reason, "Ip Forbidden")) {
		fault_raise(fault, FAULT_DENIED, "an access restriction of the SCM site keeps this machine out (HTTP 403)");
		fault_hint(fault, "allow this machine's address in the site's access restrictions, or run from inside the network");
	} else if (said(site, "stopped") || span_is_nocase(site->client.head.reason, "Site Disabled")) {
		fault_raise(fault, FAULT_DENIED, "the app is stopped (HTTP 403)");
		fault_hint(fault, "a stopped app has no process to dump: start it");
	} else {
		deny_login(site, 403, fault);
	}
}

/* The message of Kudu's error object, or the title of an error page, or nothing. */
static void
shorten_said(struct site *site)
{
	static const char *const frames[][2] = {
		{"\"ExceptionMessage\":\"", "\""}, {"\"Message\":\"", "\""}, {"<title>", "</"}, {"<h2>", "</"}, {"<h1>", "</"}};
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		char *from = strstr(site->said, frames[i][0]), *to;
		if (from == NULL)
			continue;
		from += strlen(frames[i][0]);
		to = strstr(from, frames[i][1]);
		if (to == NULL || to == from)
			continue;
		*to = 0;
		memmove(site->said, from, strlen(from) + 1);
		return;
	}
	if (strchr(site->said, '<') != NULL)
		site->said[0] = 0;
}

static void
fail_server(struct site *site, int status, struct fault *fault)
{
	struct span reason = site->client.head.reason;
	shorten_said(site);
	if (site->said[0] != 0)
		fault_raise(fault, FAULT_NETWORK, "the SCM site failed with HTTP %d: %.200s", status, site->said);
	else
		fault_raise(fault, FAULT_NETWORK, "the SCM site failed with HTTP %d%s%.*s", status, reason.count > 0 ? " " : "",
		            (int)(reason.count < 80 ? reason.count : 80), reason.count > 0 ? (const char *)reason.at : "");
}

static void
refuse_linux(struct fault *fault)
{
	fault_raise(fault, FAULT_UNABLE, "this is a Linux app: its Kudu has no process dumps");
	fault_hint(fault, "of a .NET app with WEBSITE_USE_DOTNET_MONITOR=true it has; else take the dump inside the container, "
	                  "with dotnet-dump or createdump, and kudump analyze it");
}

/* Any status but 200 as a fault. */
static bool
refuse(struct site *site, struct fault *fault)
{
	struct http_head *head = &site->client.head;
	int status = head->status;
	http_client_peek(&site->client, site->said, sizeof site->said);
	if (tells_login(site, span_of(site->said)))
		site->said[0] = 0;
	if (tells_login(site, head->reason))
		head->reason.count = 0;
	fault->retry_after_s = retry_after_s(head);
	if (site->by_arm) {
		site->login_refused = status == 401;
		arm_refuse(site, status, fault);
	} else if (status == 412)
		fault_raise(fault, FAULT_BUSY, "it was changed meanwhile (HTTP 412)");
	else if (status >= 300 && status < 400)
		deny_redirect(site, status, fault);
	else if (status == 401)
		deny_login(site, status, fault);
	else if (status == 403)
		deny_forbidden(site, fault);
	else if (status == 400 && said(site, "Not supported on Linux"))
		refuse_linux(fault);
	else if (status == 404 && said(site, "dotnet-monitor"))
		refuse_linux(fault);
	else if (status == 429) {
		fault_raise(fault, FAULT_BUSY, "the SCM site asks for fewer requests (HTTP 429)");
		fault_hint(fault, "wait a minute, or take fewer --jobs");
	} else if (status == 404) {
		shorten_said(site);
		fault_raise(fault, FAULT_MISSING, "not found (HTTP 404)%s%.200s", site->said[0] != 0 ? ": " : "", site->said);
	} else
		fail_server(site, status, fault);
	fault->detail = status;
	http_client_done(&site->client);
	return false;
}

static bool
ask_once(struct site *site, const struct site_request *ask, struct fault *fault)
{
	struct http_request request = {.method = ask->method, .target = ask->target, .headers = site->headers,
	                               .body = ask->body, .has_body = ask->has_body,
	                               .repeatable = ask->care == SITE_HARMLESS,
	                               .times = {.first_byte = ask->first_byte_ms, .stall = site->stall_ms}};
	bool done;
	/* What must not be repeated goes over a fresh connection: a kept one may die in the very moment of asking. */
	if (ask->care == SITE_ONCE)
		http_client_close(&site->client);
	site->login_refused = false;
	site->logged_in = put_headers(site, ask->headers, fault);
	if (!site->logged_in) {
		memory_wipe(site->headers, sizeof site->headers);
		return false;
	}
	done = http_client_ask(&site->client, &request, fault);
	if (done && site->client.head.status != 200 && site->client.head.status != ask->also)
		done = refuse(site, fault);
	memory_wipe(site->headers, sizeof site->headers);
	if (!done)
		return false;
	login_note_taken(site->login, site->who, site->audience);
	site->renewed = false;
	site->tried = 0;
	return site->by_arm || learn_instance(site, fault);
}

/* Patience by kind: what Kudu itself answers with 500 it will answer again; a closed port rarely opens, and a server
 * that was silent for minutes once is given one more chance; gateways and broken connections come and go. */
static unsigned
tries_for(const struct fault *fault)
{
	if (fault->kind == FAULT_NETWORK && fault->detail == 500)
		return 1;
	if (fault->kind == FAULT_TIMEOUT || fault->detail == ECONNREFUSED)
		return 2;
	return RETRY_TRIES;
}

/* Another audience of this site's that was not refused; Resource Manager has one alone. */
static bool
turn_audience(struct site *site)
{
	if (site->by_arm)
		return false;
	site->tried |= 1u << site->audience;
	for (unsigned i = 0; i < login_audiences(site->login); i++)
		if ((site->tried >> i & 1) == 0) {
			site->audience = i;
			site->refused = 0;
			return true;
		}
	return false;
}

/* Whether another token may be taken where this one was not: a new one for an audience that the site has taken, else one
 * for its other audience, which other sites may not need. A request that was refused has done nothing, so that even a dump
 * may be asked for again. */
static bool
take_other_token(struct site *site, struct fault *fault)
{
	bool unknown = fault->kind == FAULT_DENIED && fault->detail == TOKEN_NO_RESOURCE;
	if (!(site->login_refused || unknown) || site->login->kind != LOGIN_BEARER)
		return false;
	if (login_is_taken(site->login, site->who, site->audience)) {
		if (site->renewed || fault->detail != 401 || !login_renews(site->login))
			return false;
		site->renewed = true;
		site->refused = site->given;
	} else if (!turn_audience(site)) {
		return false;
	}
	log_verbose("%s; trying another token", fault->text);
	fault_clear(fault);
	return true;
}

bool
site_ask(struct site *site, const struct site_request *ask, struct fault *fault)
{
	struct retry retry;
	retry_open(&retry);
	while (!ask_once(site, ask, fault)) {
		if (take_other_token(site, fault))
			continue;
		if (!site->logged_in) /* whoever was to give a token was asked often enough */
			return false;
		retry.most = tries_for(fault);
		if (ask->care != SITE_HARMLESS || !retry_again(&retry, fault->retry_after_s, fault))
			return false;
	}
	return true;
}

bool
site_get(struct site *site, const char *target, enum site_care care, int64_t first_byte_ms, struct fault *fault)
{
	const struct site_request ask = {.method = "GET", .target = target, .care = care, .first_byte_ms = first_byte_ms};
	return site_ask(site, &ask, fault);
}

bool
site_check_data(struct site *site, struct fault *fault)
{
	struct span type;
	if (!http_head_find(&site->client.head, "Content-Type", 0, &type) || !span_begins_nocase(type, "text/html"))
		return true;
	http_client_done(&site->client);
	fault_raise(fault, FAULT_DENIED, "the SCM site sent a page where data was due");
	return fault_hint(fault, "that is usually a login page: check the address (…scm.…) and the login");
}

bool
site_get_json(struct site *site, const char *target, const char *const *wanted, size_t count, struct fault *fault)
{
	if (!site_get(site, target, SITE_HARMLESS, 0, fault) || !site_check_data(site, fault))
		return false;
	json_open(&site->json, http_client_body(&site->client), site->by_arm ? "value" : NULL, wanted, count);
	return true;
}

bool
site_first(struct site *site, struct fault *fault)
{
	bool more;
	if (!json_next(&site->json, &more, fault))
		return false;
	return more || fault_raise(fault, FAULT_CORRUPT, "the answer holds nothing");
}

bool
site_to_end(struct site *site, struct fault *fault)
{
	bool more = true;
	while (more)
		if (!json_next(&site->json, &more, fault))
			return false;
	return true;
}

void
site_done(struct site *site)
{
	http_client_done(&site->client);
}

bool
site_check_machine(struct site *site, const char *machine, struct fault *fault)
{
	if (machine[0] == 0)
		return true;
	if (site->machine[0] == 0)
		return text_keep(site->machine, sizeof site->machine, span_of(machine)) ||
		       fault_raise(fault, FAULT_BOUND, "the machine's name is too long");
	if (strcmp(site->machine, machine) == 0)
		return true;
	fault_raise(fault, FAULT_NETWORK, "machine %s answered, before it was %s", machine, site->machine);
	return fault_hint(fault, "the site may have moved or been scaled in between: run again%s", site->pinned ? "" : ", or name --instance");
}

void
site_close(struct site *site)
{
	http_client_close(&site->client);
	memory_wipe(site->headers, sizeof site->headers);
}
