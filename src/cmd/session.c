/* SPDX-License-Identifier: MIT */
#include "cmd/session.h"

#include "base/file.h"
#include "base/log.h"

#include <stdlib.h>
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
	const char *other = getenv("KUDUMP_SCM");
	session->site_count = 0;
	for (size_t i = 0; i < settings->scm.count; i++)
		if (!add_site(session, settings->scm.at[i], settings, fault))
			return false;
	if (settings->scm.count == 0 && settings->config == NULL && other != NULL && other[0] != 0 && !add_site(session, other, settings, fault))
		return false;
	if (session->site_count > 0 || settings->arm != NULL || settings->config != NULL)
		return true;
	fault_raise(fault, FAULT_USAGE, "no site is named");
	return fault_hint(fault, "give --scm https://NAME.scm.azurewebsites.net or set KUDUMP_SCM; or --arm, or --config");
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
login_with_password(struct session *session, const char *user, const char *password_file, struct fault *fault)
{
	char room[1024] = "";
	size_t count = 0;
	const char *password = getenv("KUDUMP_PASSWORD");
	bool done;
	if (password_file != NULL) {
		if (!file_read_whole(password_file, room, sizeof room - 1, &count, fault))
			return fault_while(fault, "--password-file");
		room[count] = 0;
		room[strcspn(room, "\r\n")] = 0;
		password = room;
	}
	if (password == NULL) {
		fault_raise(fault, FAULT_USAGE, "there is no password for user %s", user);
		return fault_hint(fault, "set KUDUMP_PASSWORD or give --password-file");
	}
	done = login_basic(&session->login, user, password, fault);
	memory_wipe(room, sizeof room);
	return done;
}

static bool
read_login(struct session *session, const struct settings *settings, struct fault *fault)
{
	const char *user = settings->user != NULL ? settings->user : getenv("KUDUMP_USER");
	const char *token = getenv("KUDUMP_TOKEN");
	if (settings->identity != NULL && strcmp(settings->identity, "token") != 0)
		return fault_raise(fault, FAULT_USAGE, "--identity: there is no identity \"%s\"; known: token", settings->identity);
	if (settings->identity != NULL && settings->user != NULL)
		return fault_raise(fault, FAULT_USAGE, "--user and --identity exclude each other");
	if (settings->identity != NULL) {
		if (token == NULL || token[0] == 0)
			return fault_raise(fault, FAULT_USAGE, "--identity token: KUDUMP_TOKEN is not set");
		return login_bearer(&session->login, token, fault) || fault_while(fault, "KUDUMP_TOKEN");
	}
	login_none(&session->login);
	return user == NULL || login_with_password(session, user, settings->password_file, fault);
}

bool
session_open_network(struct session *session, struct memory *memory, struct settings *settings, struct fault *fault)
{
	log_open(settings->quiet ? LOG_QUIET : settings->verbose ? LOG_VERBOSE : LOG_NORMAL);
	if (!read_overrides(session, settings, fault) || !read_proxies(session, settings, fault))
		return false;
	trust_open(&session->trust, memory);
	if (!trust_load(&session->trust, settings->ca, fault))
		return false;
	session->network.trust = &session->trust;
	return true;
}

bool
session_open(struct session *session, struct memory *memory, struct settings *settings, struct fault *fault)
{
	return read_sites(session, settings, fault) && read_login(session, settings, fault) &&
	       session_open_network(session, memory, settings, fault);
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
session_destination(struct destination *destination, char *words, const struct settings *settings, struct fault *fault)
{
	const struct destination_secrets secrets = {getenv("KUDUMP_BLOB_SAS"), getenv("AZURE_STORAGE_KEY"), getenv("KUDUMP_TOKEN")};
	bool good = destination_parse(destination, words, &secrets, settings->allow_plain_http, fault);
	blank_query(words);
	if (!good)
		return fault_while(fault, "--to");
	session_warn(destination);
	return true;
}

void
session_close(struct session *session)
{
	login_close(&session->login);
	proxies_close(&session->proxies);
}
