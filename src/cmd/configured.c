/* SPDX-License-Identifier: MIT */
#include "cmd/configured.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define SECRET_MAX LOGIN_MAX

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

static bool
make_login(const struct config_login *from, struct login *login, const struct secret_means *means, char *room, struct fault *fault)
{
	const char *token = getenv("KUDUMP_TOKEN");
	if (from->user != NULL)
		return secret_read(from->password, means, room, SECRET_MAX, fault) && login_basic(login, from->user, room, fault);
	if (from->token != NULL)
		return secret_read(from->token, means, room, SECRET_MAX, fault) && login_bearer(login, room, fault);
	if (strcmp(from->identity, "token") != 0)
		return fault_raise(fault, FAULT_USAGE, "there is no identity \"%s\"; known: token", from->identity);
	return token != NULL ? login_bearer(login, token, fault) : fault_raise(fault, FAULT_USAGE, "KUDUMP_TOKEN is not set");
}

bool
configured_login(struct configured *configured, const struct secret_means *means, struct fault *fault)
{
	static char room[SECRET_MAX];
	const struct config *config = &configured->config;
	for (size_t i = 0; i < config->login_count; i++) {
		bool made = make_login(&config->logins[i], &configured->logins[i], means, room, fault);
		memory_wipe(room, sizeof room);
		if (!made) {
			fault_while(fault, "login \"%s\"", config->logins[i].name);
			return config_place(config, config->logins[i].place, fault);
		}
	}
	return true;
}

static bool
read_optional(const char *reference, const struct secret_means *means, char *room, size_t size, struct fault *fault)
{
	room[0] = 0;
	return reference == NULL || secret_read(reference, means, room, size, fault);
}

bool
configured_destination(const struct configured *configured, size_t i, const struct secret_means *means,
                       bool allow_plain_http, struct destination *destination, struct fault *fault)
{
	static char sas[URL_MAX], key[256];
	const struct config_destination *from = &configured->config.destinations[i];
	const struct destination_secrets secrets = {sas, key, getenv("KUDUMP_TOKEN")};
	bool done = read_optional(from->sas, means, sas, sizeof sas, fault) && read_optional(from->key, means, key, sizeof key, fault) &&
	            destination_parse(destination, from->to, &secrets, allow_plain_http, fault);
	memory_wipe(sas, sizeof sas);
	memory_wipe(key, sizeof key);
	if (done)
		return true;
	fault_while(fault, "destination \"%s\"", from->name);
	return config_place(&configured->config, from->place, fault);
}

void
configured_close(struct configured *configured)
{
	for (size_t i = 0; i < configured->config.login_count; i++)
		login_close(&configured->logins[i]);
}
