/* SPDX-License-Identifier: MIT */
#include "cmd/credentials.h"

#include "base/file.h"
#include "cmd/prompt.h"

#include <stdio.h>
#include <string.h>

static bool
is_vault(const char *words)
{
	return words != NULL && span_begins(span_of(words), VAULT_PREFIX);
}

static bool
read_profile(struct credentials *credentials, const char *path, struct fault *fault)
{
	size_t count = 0;
	bool done = file_read_whole(path, credentials->file, sizeof credentials->file, &count, fault) &&
	            profile_read(&credentials->profile, (struct span){(unsigned char *)credentials->file, count}, fault);
	memory_wipe(credentials->file, sizeof credentials->file);
	return done || fault_while(fault, "--publish-profile");
}

bool
credentials_open(struct credentials **into, struct memory *memory, const struct settings *settings, struct fault *fault)
{
	*into = NULL;
	if (settings->publish_profile != NULL && settings->user != NULL)
		return fault_raise(fault, FAULT_USAGE, "--user and --publish-profile exclude each other");
	if (!memory_open_secret(memory, memory_need(sizeof **into, 64), fault))
		return false;
	*into = memory_take(memory, sizeof **into, 64);
	return settings->publish_profile == NULL || read_profile(*into, settings->publish_profile, fault);
}

/* Fetching from a vault takes the identity of the command line, else what the environment offers. */
static bool
open_identity(struct credentials *credentials, const char *words, struct fault *fault)
{
	if (credentials->has_identity)
		return true;
	credentials->has_identity = identity_open(&credentials->identity, words, credentials->network, credentials->cloud, fault);
	return credentials->has_identity;
}

static bool
read_vault(void *state, const char *url, char *room, size_t size, struct fault *fault)
{
	struct credentials *credentials = state;
	return open_identity(credentials, token_source_of_environment(), fault) &&
	       vault_read(&credentials->identity, credentials->network, url, &credentials->vault, room, size, fault);
}

bool
credentials_fetch(struct credentials *credentials, const char *reference, char *room, size_t size, struct fault *fault)
{
	const struct secret_means means = {read_vault, credentials};
	return secret_read(reference, &means, room, size, fault);
}

static bool
find_password(struct credentials *credentials, const struct settings *settings, struct fault *fault)
{
	struct profile *profile = &credentials->profile;
	const char *given = text_environment("KUDUMP_PASSWORD");
	char question[320];
	if (is_vault(settings->identity))
		return read_vault(credentials, settings->identity + strlen(VAULT_PREFIX), profile->password, sizeof profile->password, fault) ||
		       fault_while(fault, "--identity vault");
	if (settings->password_file != NULL)
		return secret_read_file(settings->password_file, profile->password, sizeof profile->password, fault) ||
		       fault_while(fault, "--password-file");
	if (given != NULL)
		return text_keep(profile->password, sizeof profile->password, span_of(given)) ||
		       fault_raise(fault, FAULT_USAGE, "KUDUMP_PASSWORD is too long");
	snprintf(question, sizeof question, "password of %s: ", profile->user);
	if (prompt_secret(question, profile->password, sizeof profile->password, fault))
		return true;
	return fault_hint(fault, "set KUDUMP_PASSWORD or give --password-file");
}

static bool
log_in_basic(struct credentials *credentials, const char *user, const struct settings *settings, struct fault *fault)
{
	struct profile *profile = &credentials->profile;
	bool done = true;
	if (user != NULL && strchr(user, ':') != NULL) {
		fault_raise(fault, FAULT_USAGE, "the user's name holds a ':', as if the password stood there too");
		return fault_hint(fault, "an argument is seen by all: set KUDUMP_PASSWORD, give --password-file, or type it when asked");
	}
	if (user != NULL)
		done = text_keep(profile->user, sizeof profile->user, span_of(user)) ||
		       fault_raise(fault, FAULT_USAGE, "the user's name is too long");
	if (done && user != NULL)
		done = find_password(credentials, settings, fault);
	done = done && login_basic(&credentials->login, profile->user, profile->password, fault);
	memory_wipe(profile->password, sizeof profile->password);
	return done;
}

/* An authority that the user names tells the cloud where the site's address does not. */
const struct cloud *
credentials_cloud(const char *host)
{
	const char *authority = text_environment("AZURE_AUTHORITY_HOST");
	char room[HOST_MAX + 64];
	struct span span;
	size_t place;
	if (authority == NULL || cloud_of(host) != cloud_of(""))
		return cloud_of(host);
	span = span_of(authority);
	if (span_find(span, "://", &place))
		span = span_from(span, place + 3);
	if (span_find_byte(span, '/', &place))
		span = span_first(span, place);
	return text_keep(room, sizeof room, span) ? cloud_of(room) : cloud_of("");
}

bool
credentials_set_up(struct credentials *credentials, const struct settings *settings, const struct network *network,
                   const char *host, struct fault *fault)
{
	credentials->network = network;
	credentials->cloud = credentials_cloud(host);
	if (settings->identity == NULL || is_vault(settings->identity))
		return true;
	return open_identity(credentials, settings->identity, fault) || fault_while(fault, "--identity");
}

bool
credentials_log_in(struct credentials *credentials, const struct settings *settings, struct fault *fault)
{
	const char *words = settings->identity, *user = settings->user;
	login_none(&credentials->login);
	if (user == NULL && (words == NULL || is_vault(words)))
		user = text_environment("KUDUMP_USER");
	if (settings->publish_profile != NULL)
		user = NULL;
	if (user != NULL || settings->publish_profile != NULL)
		return log_in_basic(credentials, user, settings, fault);
	if (is_vault(words)) {
		fault_raise(fault, FAULT_USAGE, "--identity vault: the secret is a password, but no user is named");
		return fault_hint(fault, "give --user; that of the site contoso is '$contoso'");
	}
	if (words != NULL)
		login_bearer(&credentials->login, &credentials->identity, settings->audience);
	return true;
}

static bool
find_secret(struct credentials *credentials, const char *name, char *room, size_t size, const char **value, struct fault *fault)
{
	*value = text_environment(name);
	if (!is_vault(*value))
		return true;
	if (!read_vault(credentials, *value + strlen(VAULT_PREFIX), room, size, fault))
		return fault_while(fault, "%s", name);
	*value = room;
	return true;
}

bool
credentials_for_blobs(struct credentials *credentials, struct destination_secrets *secrets, struct fault *fault)
{
	if (!find_secret(credentials, "KUDUMP_BLOB_SAS", credentials->sas, sizeof credentials->sas, &secrets->blob_sas, fault) ||
	    !find_secret(credentials, "AZURE_STORAGE_KEY", credentials->key, sizeof credentials->key, &secrets->storage_key, fault))
		return false;
	if (text_environment("KUDUMP_TOKEN") != NULL && !open_identity(credentials, "token", fault))
		return false;
	secrets->identity = credentials->has_identity ? &credentials->identity : NULL;
	return true;
}

void
credentials_close(struct credentials *credentials, struct memory *memory)
{
	if (credentials != NULL) {
		memory_wipe(credentials, offsetof(struct credentials, has_identity));
		identity_close(&credentials->identity);
	}
	memory_close(memory);
}
