/* SPDX-License-Identifier: MIT */
#include "cmd/session.h"

#include "base/log.h"

#include <string.h>

size_t
session_need(void)
{
	return trust_need();
}

bool
session_check_plain(const struct url *url, const struct settings *settings, struct fault *fault)
{
	if (url->secure || settings->allow_plain_http || name_is_loopback(url->host))
		return true;
	fault_raise(fault, FAULT_USAGE, "http://%s would send the login unencrypted", url->host);
	return fault_hint(fault, "use https://, or --allow-plain-http when the way there is safe");
}

static bool
add_site(struct session *session, const char *words, const struct settings *settings, struct fault *fault)
{
	struct url *url = &session->sites[session->site_count];
	if (!url_parse(url, span_of(words), fault) || !session_check_plain(url, settings, fault))
		return fault_while(fault, "--scm");
	session->site_count++;
	return true;
}

static bool
read_sites(struct session *session, const struct settings *settings, struct fault *fault)
{
	const char *other = text_environment("KUDUMP_SCM");
	session->site_count = 0;
	for (size_t i = 0; i < settings->scm.count; i++)
		if (!add_site(session, settings->scm.at[i], settings, fault))
			return false;
	if (settings->scm.count == 0 && session->credentials->profile.scm[0] != 0)
		other = session->credentials->profile.scm;
	else if (settings->config != NULL)
		other = NULL;
	if (settings->scm.count == 0 && other != NULL && !add_site(session, other, settings, fault))
		return false;
	if (session->site_count > 0 || settings->arm != NULL || settings->config != NULL)
		return true;
	fault_raise(fault, FAULT_USAGE, "no site is named");
	return fault_hint(fault, "give --scm https://NAME.scm.azurewebsites.net, --publish-profile FILE, --arm or --config, or set KUDUMP_SCM");
}

static bool
read_overrides(struct session *session, const struct settings *settings, struct fault *fault)
{
	if (settings->resolve.count > OVERRIDES_MAX)
		return fault_raise(fault, FAULT_USAGE, "--resolve is given more than %d times", OVERRIDES_MAX);
	for (size_t i = 0; i < settings->resolve.count; i++)
		if (!name_override_parse(settings->resolve.at[i], &session->overrides[i], fault))
			return false;
	session->network.overrides = session->overrides;
	session->network.override_count = settings->resolve.count;
	return true;
}

static bool
is_overridden(const struct session *session, const struct url *url)
{
	for (size_t i = 0; i < session->network.override_count; i++)
		if (span_is_nocase(span_of(url->host), session->overrides[i].host))
			return true;
	return false;
}

/* Plain http is reached through a proxy only where it is not this machine, which has to be allowed. */
static bool
read_proxies(struct session *session, const struct settings *settings, struct fault *fault)
{
	if (!proxies_read(&session->proxies, settings->proxy, settings->allow_plain_http, fault))
		return false;
	if (session->proxies.https.at.port != 0 || session->proxies.http.at.port != 0)
		session->network.proxies = &session->proxies;
	for (size_t i = 0; i < session->site_count; i++)
		if (proxy_for(session->network.proxies, &session->sites[i]) != NULL && is_overridden(session, &session->sites[i]))
			log_note("--resolve does nothing for %s, as its proxy looks it up; NO_PROXY=%s goes there directly",
			         session->sites[i].host, session->sites[i].host);
	return true;
}

static bool
start(struct session *session, const struct settings *settings, struct fault *fault)
{
	log_open(settings->quiet ? LOG_QUIET : settings->verbose ? LOG_VERBOSE : LOG_NORMAL);
	return credentials_open(&session->credentials, &session->secrets, settings, fault);
}

void
session_read_host(const char *words, char host[HOST_MAX + 1])
{
	struct span rest = span_of(words), name;
	size_t place;
	host[0] = 0;
	if (!span_find(rest, "://", &place))
		return;
	rest = span_from(rest, place + 3);
	if (span_cut(&rest, '/', &name) && span_cut(&name, ':', &rest) && !text_keep(host, HOST_MAX + 1, rest))
		host[0] = 0;
}

/* Behind read_sites: the first of them tells the cloud, else --arm. */
static bool
open_network(struct session *session, struct memory *memory, const struct settings *settings, struct fault *fault)
{
	char host[HOST_MAX + 1];
	if (!read_overrides(session, settings, fault) || !read_proxies(session, settings, fault))
		return false;
	trust_open(&session->trust, memory);
	if (!trust_load(&session->trust, settings->ca, fault))
		return false;
	session->network.trust = &session->trust;
	session_read_host(session->site_count == 0 && settings->arm != NULL ? settings->arm : "", host);
	return credentials_set_up(session->credentials, settings, &session->network,
	                          session->site_count > 0 ? session->sites[0].host : host, fault);
}

bool
session_open_network(struct session *session, struct memory *memory, struct settings *settings, struct fault *fault)
{
	return start(session, settings, fault) && open_network(session, memory, settings, fault);
}

bool
session_open(struct session *session, struct memory *memory, struct settings *settings, struct fault *fault)
{
	return start(session, settings, fault) && read_sites(session, settings, fault) &&
	       open_network(session, memory, settings, fault) && credentials_log_in(session->credentials, settings, fault);
}

/* A SAS on the command line is a secret: once read, it is blanked where `ps` would show it. */
static void
blank_query(char *words)
{
	char *query = strchr(words, '?');
	if (query != NULL)
		memset(query + 1, 'x', strlen(query + 1));
}

void
session_warn(const struct destination *destination)
{
	char room[FAULT_TEXT_MAX];
	struct text text = text_in(room, sizeof room);
	if (destination->kind == DESTINATION_BLOB)
		blob_target_put_warning(&text, &destination->blob);
	if (text.used > 0)
		log_note("%s", room);
}

bool
session_destination(struct session *session, struct destination *destination, char *words, const struct settings *settings,
                    struct fault *fault)
{
	struct destination_secrets secrets = {NULL, NULL, NULL, settings->one_blob};
	bool is_blob = strstr(words, "://") != NULL;
	bool good = (!is_blob || credentials_for_blobs(session->credentials, &secrets, fault)) &&
	            destination_parse(destination, words, &secrets, settings->allow_plain_http, fault);
	blank_query(words);
	if (!good)
		return fault_while(fault, "--to");
	session_warn(destination);
	return true;
}

void
session_close(struct session *session)
{
	credentials_close(session->credentials, &session->secrets);
	proxies_close(&session->proxies);
}
