/* SPDX-License-Identifier: MIT */
#include "cmd/configured.h"

#include "base/log.h"

#include <string.h>

size_t
configured_need(const struct settings *settings)
{
	return settings->config != NULL ? config_need() : 0;
}

static void
fill(uint64_t *number, uint64_t from)
{
	if (*number == 0)
		*number = from;
}

bool
configured_open(struct configured *configured, struct memory *memory, struct settings *settings, struct fault *fault)
{
	struct config *config = &configured->config;
	configured->given = settings->config != NULL;
	if (!configured->given)
		return true;
	if (!config_read(config, memory, settings->config, fault)) {
		for (size_t i = 0; i < config->mistake_count && i < CONFIG_MISTAKES; i++)
			log_fault(&config->mistakes[i]);
		return false;
	}
	fill(&settings->jobs, config->limits.jobs);
	fill(&settings->lanes, config->limits.lanes);
	fill(&settings->block_bytes, config->limits.block_bytes);
	fill(&settings->memory_bytes, config->limits.memory_bytes);
	fill(&settings->stall_s, config->limits.stall_s);
	fill(&settings->first_byte_s, config->limits.first_byte_s);
	if (settings->name_template == NULL)
		settings->name_template = config->name_template;
	return true;
}

/* The cloud of the first site that uses it. */
static const struct cloud *
cloud_for(const struct config *config, const char *login)
{
	char host[HOST_MAX + 1] = "";
	for (size_t i = 0; i < config->site_count; i++) {
		const struct config_site *site = &config->sites[i];
		const char *words = site->scm != NULL ? site->scm : site->arm;
		if (site->login == NULL || strcmp(site->login, login) != 0)
			continue;
		session_read_host(words, host);
		break;
	}
	return credentials_cloud(host);
}

static bool
make_login(struct configured *configured, size_t i, struct session *session, const struct settings *settings, struct fault *fault)
{
	const struct config_login *from = &configured->config.logins[i];
	struct configured_login *to = &configured->logins[i];
	const struct cloud *cloud = cloud_for(&configured->config, from->name);
	const char *secret = from->user != NULL ? from->password : from->token;
	bool opened;
	if (secret != NULL && !credentials_fetch(session->credentials, secret, to->room, sizeof to->room, fault))
		return false;
	if (from->user != NULL)
		return login_basic(&to->login, from->user, to->room, fault);
	opened = secret != NULL ? identity_open_given(&to->identity, to->room, &session->network, cloud, fault)
	                        : identity_open(&to->identity, from->identity, &session->network, cloud, fault);
	login_bearer(&to->login, &to->identity, settings->audience);
	return opened;
}

bool
configured_log_in(struct configured *configured, struct session *session, const struct settings *settings, struct fault *fault)
{
	const struct config *config = &configured->config;
	if (config->login_count == 0)
		return true;
	if (!memory_open_secret(&configured->secrets, memory_need(config->login_count * sizeof *configured->logins, 64), fault))
		return false;
	configured->logins = memory_take(&configured->secrets, config->login_count * sizeof *configured->logins, 64);
	for (size_t i = 0; i < config->login_count; i++)
		if (!make_login(configured, i, session, settings, fault)) {
			fault_while(fault, "login \"%s\"", config->logins[i].name);
			return config_place(config, config->logins[i].place, fault);
		}
	return true;
}

static bool
read_optional(struct credentials *credentials, const char *reference, char *room, size_t size, const char **value,
              struct fault *fault)
{
	if (reference == NULL)
		return true;
	*value = room;
	return credentials_fetch(credentials, reference, room, size, fault);
}

bool
configured_destination(const struct configured *configured, size_t i, struct session *session, bool allow_plain_http,
                       struct destination *destination, struct fault *fault)
{
	const struct config_destination *from = &configured->config.destinations[i];
	struct credentials *credentials = session->credentials;
	struct destination_secrets secrets = {NULL, NULL, NULL, false};
	bool own = from->sas != NULL || from->key != NULL, is_blob = strstr(from->to, "://") != NULL;
	bool done = own || !is_blob || credentials_for_blobs(credentials, &secrets, fault);
	done = done && read_optional(credentials, from->sas, credentials->sas, sizeof credentials->sas, &secrets.blob_sas, fault) &&
	       read_optional(credentials, from->key, credentials->key, sizeof credentials->key, &secrets.storage_key, fault) &&
	       destination_parse(destination, from->to, &secrets, allow_plain_http, fault);
	if (done)
		return true;
	fault_while(fault, "destination \"%s\"", from->name);
	return config_place(&configured->config, from->place, fault);
}

void
configured_close(struct configured *configured)
{
	if (configured->logins != NULL)
		memory_wipe(configured->logins, configured->config.login_count * sizeof *configured->logins);
	memory_close(&configured->secrets);
}
