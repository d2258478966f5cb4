/* SPDX-License-Identifier: MIT */
/* Where access tokens come from: the managed identity of a VM or an app, Entra for a client's secret or a federated
 * assertion, a variable, a file. One token a call; who keeps it, and for how long, is identity.h's matter.
 * (Wire: "How to use managed identities on a VM", "App Service: managed identity REST endpoint", RFC 6749 section 4.4,
 * RFC 7523.) */
#ifndef AZURE_TOKEN_SOURCE_H
#define AZURE_TOKEN_SOURCE_H

#include "azure/cloud.h"
#include "base/json.h"
#include "http/client.h"

#define TOKEN_MAX 8192      /* an Entra token with many groups is about 4 KiB */
#define CLIENT_ID_MAX 64

enum token_kind { TOKEN_GIVEN, TOKEN_FILE, TOKEN_MANAGED, TOKEN_CLIENT, TOKEN_FEDERATED };

struct token_source {
	enum token_kind kind;
	const struct network *network;
	struct network direct;             /* for a managed identity: that network without its proxies */
	struct url endpoint;               /* of a managed identity, or Entra's */
	bool in_app;                       /* App Service's endpoint, not a VM's */
	char client_id[CLIENT_ID_MAX + 1]; /* empty: the machine's own identity */
	char tenant[HOST_MAX + 1];
	const char *secret;                /* client secret, endpoint's header or token, where the environment has it */
	const char *path;                  /* of a file that holds a token or an assertion */
};

/* Room for one call, among other things for secrets: to be wiped after it. */
struct token_desk {
	struct http_client client;
	struct json_reader json;
	char target[URL_MAX + 1024], headers[1024], form[TOKEN_MAX + 4096];
	char token[TOKEN_MAX];             /* what the call brought, and for how long: 0 when that is not known */
	int64_t lifetime_s;
};

/* The source that `words` name: managed[:client-id] | client | federated | token | file:PATH, with what it needs from
 * the environment. `words` and the environment must stay. The cloud's authority is asked unless AZURE_AUTHORITY_HOST
 * names another. FAULT_USAGE says what is lacking. */
bool token_source_open(struct token_source *, const char *words, const struct network *, const struct cloud *,
                       struct fault *) MUST_CHECK;

/* Only whether the words name one of these. FAULT_USAGE. */
bool token_source_check(const char *words, struct fault *) MUST_CHECK;

/* The one that the environment offers: a client's secret, a federated assertion, else the managed identity. */
const char *token_source_of_environment(void);

/* Gets one token for a resource into the desk. Waits: short trouble is asked again. FAULT_DENIED says in words what
 * the endpoint says; its detail is TOKEN_NO_RESOURCE when there is no such resource in the tenant. */
#define TOKEN_NO_RESOURCE 500011
bool token_source_get(const struct token_source *, const char *resource, struct token_desk *, struct fault *) MUST_CHECK;

/* Whether it asks for a token of the very resource that is wanted; what was given is what it is. */
bool token_source_asks(const struct token_source *);

#endif
