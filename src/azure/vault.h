/* SPDX-License-Identifier: MIT */
/* One secret of a Key Vault, fetched with an identity. (REST: "Get Secret", api-version 7.4.) */
#ifndef AZURE_VAULT_H
#define AZURE_VAULT_H

#include "azure/identity.h"

#define VAULT_PREFIX "vault:"

/* Room for one call, for secrets too: to stand in memory_open_secret's memory. */
struct vault_desk {
	struct http_client client;
	struct json_reader json;
	struct url url;
	char target[URL_MAX + 32], headers[TOKEN_MAX + 128];
};

/* Fetches https://VAULT/secrets/NAME[/VERSION] into `room`, without a line end. FAULT_USAGE for another address or plain
 * http to elsewhere than this machine, FAULT_MISSING when there is no such secret, FAULT_DENIED in words else.
 * Waits. */
bool vault_read(struct identity *, const struct network *, const char *address, struct vault_desk *, char *room, size_t size,
                struct fault *) MUST_CHECK;

#endif
