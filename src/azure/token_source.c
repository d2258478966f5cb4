/* SPDX-License-Identifier: MIT */
#include "azure/token_source.h"

#include "azure/token_refusal.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/log.h"
#include "http/retry.h"

#include <string.h>

#define VM_ENDPOINT "http://169.254.169.254"
#define VM_CONNECT_MS 2000 /* it is on the same host: what does not answer at once is not there */
#define VM_TRIES 9         /* with 410 it may be away for 70 s */

static bool
need(const char *name, const char **value, const char *hint, struct fault *fault)
{
	*value = text_environment(name);
	if (*value != NULL)
		return true;
	fault_raise(fault, FAULT_USAGE, "%s is not set", name);
	return fault_hint(fault, "%s", hint);
}

/* Ids and tenants go into paths and queries. */
static bool
keep_name(char *room, size_t size, struct span words, const char *what, struct fault *fault)
{
	for (size_t i = 0; i < words.count; i++) {
		unsigned char c = words.at[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_'))
			return fault_raise(fault, FAULT_USAGE, "%s holds a character that does not belong there", what);
	}
	return text_keep(room, size, words) || fault_raise(fault, FAULT_USAGE, "%s is too long", what);
}

/* The endpoint of an app's identity is inside its machine or sandbox; the platform names it, by its address. */
static bool
open_managed(struct token_source *source, struct span client_id, struct fault *fault)
{
	const char *at = text_environment("IDENTITY_ENDPOINT"), *other = text_environment("AZURE_POD_IDENTITY_AUTHORITY_HOST");
	source->direct = *source->network;
	source->direct.proxies = NULL;
	source->network = &source->direct;
	source->secret = text_environment("IDENTITY_HEADER");
	source->in_app = at != NULL && source->secret != NULL;
	if (!source->in_app)
		at = other != NULL ? other : VM_ENDPOINT;
	if (!url_parse(&source->endpoint, span_of(at), fault))
		return fault_while(fault, source->in_app ? "IDENTITY_ENDPOINT" : "AZURE_POD_IDENTITY_AUTHORITY_HOST");
	if (!source->endpoint.secure && !name_is_loopback(source->endpoint.host) && !name_is_literal(source->endpoint.host))
		return fault_raise(fault, FAULT_USAGE, "the identity endpoint %s is not of this machine", source->endpoint.host);
	return keep_name(source->client_id, sizeof source->client_id, client_id, "the client id", fault);
}

static bool
open_authority(struct token_source *source, const struct cloud *cloud, struct fault *fault)
{
	const char *host = text_environment("AZURE_AUTHORITY_HOST");
	char room[HOST_MAX + 64];
	struct text text = text_in(room, sizeof room);
	if (host == NULL)
		host = cloud->authority;
	text_printf(&text, "%s%s", strstr(host, "://") == NULL ? "https://" : "", host);
	if (text.cut || !url_parse(&source->endpoint, text_span(&text), fault))
		return fault_while(fault, "AZURE_AUTHORITY_HOST");
	if (!source->endpoint.secure || strcmp(source->endpoint.path, "/") != 0)
		return fault_raise(fault, FAULT_USAGE, "AZURE_AUTHORITY_HOST is not the https address of a host alone");
	return true;
}

static bool
open_client(struct token_source *source, const struct cloud *cloud, struct fault *fault)
{
	bool by_secret = source->kind == TOKEN_CLIENT;
	const char *tenant, *client_id;
	const char *hint = by_secret ? "it takes AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, of the app registration"
	                             : "it takes AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE";
	if (!need("AZURE_TENANT_ID", &tenant, hint, fault) || !need("AZURE_CLIENT_ID", &client_id, hint, fault) ||
	    !need(by_secret ? "AZURE_CLIENT_SECRET" : "AZURE_FEDERATED_TOKEN_FILE", by_secret ? &source->secret : &source->path,
	          hint, fault))
		return false;
	return keep_name(source->tenant, sizeof source->tenant, span_of(tenant), "AZURE_TENANT_ID", fault) &&
	       keep_name(source->client_id, sizeof source->client_id, span_of(client_id), "AZURE_CLIENT_ID", fault) &&
	       open_authority(source, cloud, fault);
}

static bool
read_kind(struct span words, enum token_kind *kind, struct fault *fault)
{
	if (span_is(words, "managed") || span_begins(words, "managed:"))
		*kind = TOKEN_MANAGED;
	else if (span_is(words, "client"))
		*kind = TOKEN_CLIENT;
	else if (span_is(words, "federated"))
		*kind = TOKEN_FEDERATED;
	else if (span_begins(words, "file:") && words.count > strlen("file:"))
		*kind = TOKEN_FILE;
	else if (span_is(words, "token"))
		*kind = TOKEN_GIVEN;
	else {
		fault_raise(fault, FAULT_USAGE, "there is no identity \"%.40s\"", (const char *)words.at);
		return fault_hint(fault, "known: managed[:client-id], client, federated, token, file:PATH, vault:URL");
	}
	return true;
}

bool
token_source_check(const char *words, struct fault *fault)
{
	enum token_kind kind;
	return read_kind(span_of(words), &kind, fault);
}

static bool
open_kind(struct token_source *source, const char *words, const struct cloud *cloud, struct fault *fault)
{
	if (!read_kind(span_of(words), &source->kind, fault))
		return false;
	switch (source->kind) {
	case TOKEN_MANAGED:
		return open_managed(source, span_from(span_of(words), strlen("managed:")), fault);
	case TOKEN_CLIENT:
	case TOKEN_FEDERATED:
		return open_client(source, cloud, fault);
	case TOKEN_FILE:
		source->path = words + strlen("file:");
		return true;
	case TOKEN_GIVEN:
		break;
	}
	return need("KUDUMP_TOKEN", &source->secret,
	            "az account get-access-token --resource https://appservice.azure.com --query accessToken -o tsv prints one", fault);
}

bool
token_source_open(struct token_source *source, const char *words, const struct network *network, const struct cloud *cloud,
                  struct fault *fault)
{
	memset(source, 0, sizeof *source);
	source->network = network;
	return open_kind(source, words, cloud, fault);
}

const char *
token_source_of_environment(void)
{
	if (text_environment("AZURE_TENANT_ID") == NULL || text_environment("AZURE_CLIENT_ID") == NULL)
		return "managed";
	return text_environment("AZURE_CLIENT_SECRET") != NULL          ? "client"
	       : text_environment("AZURE_FEDERATED_TOKEN_FILE") != NULL ? "federated"
	                                                           : "managed";
}

bool
token_source_asks(const struct token_source *source)
{
	return source->kind >= TOKEN_MANAGED;
}

/* A token as a file or a variable has it, often with its line's end. */
static bool
take_token(struct token_desk *desk, struct span words, struct fault *fault)
{
	while (words.count > 0 && (words.at[words.count - 1] == '\n' || words.at[words.count - 1] == '\r'))
		words.count--;
	if (words.count == 0)
		return fault_raise(fault, FAULT_USAGE, "the token is empty");
	if (words.count >= sizeof desk->token)
		return fault_raise(fault, FAULT_BOUND, "the token is longer than %d bytes", TOKEN_MAX - 1);
	for (size_t i = 0; i < words.count; i++)
		if (words.at[i] <= ' ' || words.at[i] >= 0x7f)
			return fault_raise(fault, FAULT_USAGE, "the token holds a character that is not of a token");
	memmove(desk->token, words.at, words.count);
	desk->token[words.count] = 0;
	return true;
}

static bool
read_token_file(const char *path, struct token_desk *desk, struct fault *fault)
{
	size_t count = 0;
	return file_read_whole(path, desk->token, sizeof desk->token, &count, fault) &&
	       take_token(desk, (struct span){(unsigned char *)desk->token, count}, fault);
}

static void
put_managed(const struct token_source *source, const char *resource, struct text *target, struct text *headers)
{
	const char *query = source->endpoint.query;
	if (source->in_app)
		text_printf(target, "%s?%s%sapi-version=2019-08-01", source->endpoint.path, query, query[0] != 0 ? "&" : "");
	else
		text_put(target, "/metadata/identity/oauth2/token?api-version=2018-02-01");
	text_put(target, "&resource=");
	encode_percent(target, span_of(resource), "");
	if (source->client_id[0] != 0)
		text_printf(target, "&client_id=%s", source->client_id);
	if (source->in_app)
		text_printf(headers, "X-IDENTITY-HEADER: %s\r\n", source->secret);
	else
		text_put(headers, "Metadata: true\r\n");
}

static bool
put_form(const struct token_source *source, const char *resource, struct token_desk *desk, struct text *form,
         struct fault *fault)
{
	struct span scope = span_of(resource);
	if (scope.count > 0 && scope.at[scope.count - 1] == '/')
		scope.count--;
	text_printf(form, "grant_type=client_credentials&client_id=%s&scope=", source->client_id);
	encode_percent(form, scope, "");
	text_put(form, "%2F.default&");
	if (source->kind == TOKEN_CLIENT) {
		text_put(form, "client_secret=");
		encode_percent(form, span_of(source->secret), "");
		return true;
	}
	if (!read_token_file(source->path, desk, fault))
		return fault_while(fault, "AZURE_FEDERATED_TOKEN_FILE");
	text_put(form, "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=");
	encode_percent(form, span_of(desk->token), "");
	return true;
}

/* Numbers of seconds come as numbers or as strings. */
static int64_t
seconds(const struct json_reader *json, size_t i)
{
	char room[24];
	int64_t number;
	uint64_t positive;
	if (json_get_int(json, i, &number))
		return number;
	return json_get_text(json, i, room, sizeof room) && span_decimal(span_of(room), &positive) && positive <= INT64_MAX
	           ? (int64_t)positive
	           : 0;
}

enum { SAID_TOKEN, SAID_IN, SAID_ON, SAID_ERROR, SAID_DESCRIPTION, SAID_MESSAGE, SAID_INNER };
static const char *const wanted[] = {"access_token", "expires_in", "expires_on", "error",
                                     "error_description", "message", "error/message"};

static bool
keep_answer(struct token_desk *desk, struct fault *fault)
{
	const struct json_reader *json = &desk->json;
	int64_t left_s = seconds(json, SAID_IN), until_s = seconds(json, SAID_ON);
	if (!json_get_text(json, SAID_TOKEN, desk->token, sizeof desk->token) || desk->token[0] == 0)
		return fault_raise(fault, FAULT_NETWORK, "the answer holds no token");
	if (left_s <= 0 && until_s > 0)
		left_s = until_s - clock_utc_s();
	desk->lifetime_s = left_s > 0 ? left_s : 1;
	return take_token(desk, span_of(desk->token), fault);
}

static bool
read_answer(const struct token_source *source, struct token_desk *desk, struct fault *fault)
{
	struct json_reader *json = &desk->json;
	struct token_words said = {{NULL, 0}, {NULL, 0}};
	struct fault bad;
	bool more = false, parsed;
	int status = desk->client.head.status;
	fault_clear(&bad);
	json_open(json, http_client_body(&desk->client), NULL, wanted, sizeof wanted / sizeof wanted[0]);
	parsed = json_next(json, &more, &bad) && more;
	if (status == 200 && parsed)
		return keep_answer(desk, fault);
	if (status == 200)
		return fault_raise(fault, FAULT_NETWORK, "the answer is no token: %s", bad.kind != FAULT_NONE ? bad.text : "it is empty");
	if (parsed) {
		said.error = json_get(json, SAID_ERROR).text;
		for (size_t i = SAID_DESCRIPTION; i <= SAID_INNER && said.description.count == 0; i++)
			said.description = json_get(json, i).text;
	}
	fault->retry_after_s = retry_after_s(&desk->client.head);
	return token_refusal_tell(source, status, &said, fault);
}

static bool
ask(const struct token_source *source, const char *resource, struct token_desk *desk, struct fault *fault)
{
	bool vm = source->kind == TOKEN_MANAGED && !source->in_app, done;
	struct text target = text_in(desk->target, sizeof desk->target), headers = text_in(desk->headers, sizeof desk->headers);
	struct text form = text_in(desk->form, sizeof desk->form);
	struct http_request request = {.method = "GET", .target = desk->target, .headers = desk->headers,
	                               .repeatable = true, .times = {.connect = vm ? VM_CONNECT_MS : 0}};
	text_put(&headers, "Accept: application/json\r\n");
	if (source->kind == TOKEN_MANAGED) {
		put_managed(source, resource, &target, &headers);
	} else {
		request.method = "POST";
		text_printf(&target, "/%s/oauth2/v2.0/token", source->tenant);
		text_put(&headers, "Content-Type: application/x-www-form-urlencoded\r\n");
		if (!put_form(source, resource, desk, &form, fault))
			return false;
		request.body = text_span(&form);
		request.has_body = true;
	}
	if (target.cut || headers.cut || form.cut)
		return fault_raise(fault, FAULT_BOUND, "what is needed to ask for a token is too long");
	http_client_open(&desk->client, source->network, &source->endpoint);
	done = http_client_ask(&desk->client, &request, fault);
	if (!done && vm && desk->client.connects == 0 && fault->kind != FAULT_STOPPED)
		token_refusal_absent(source, fault);
	done = done && read_answer(source, desk, fault);
	http_client_close(&desk->client);
	return done;
}

/* What is away for now, by what the endpoint's documentation says of its statuses. */
static unsigned
tries_for(const struct token_source *source, int status)
{
	if (source->kind != TOKEN_MANAGED || source->in_app)
		return RETRY_TRIES;
	return status == 410 ? VM_TRIES : status == 404 ? 3 : RETRY_TRIES;
}

static const char *
name_of(const struct token_source *source)
{
	static const char *const names[] = {"KUDUMP_TOKEN", "the token's file", "asking the managed identity for a token",
	                                    "asking Entra for a token", "asking Entra for a token"};
	return names[source->kind];
}

bool
token_source_get(const struct token_source *source, const char *resource, struct token_desk *desk, struct fault *fault)
{
	struct retry retry;
	desk->lifetime_s = 0;
	if (source->kind == TOKEN_GIVEN)
		return take_token(desk, span_of(source->secret), fault) || fault_while(fault, "%s", name_of(source));
	if (source->kind == TOKEN_FILE)
		return read_token_file(source->path, desk, fault) || fault_while(fault, "%s", name_of(source));
	retry_open(&retry);
	while (!ask(source, resource, desk, fault)) {
		retry.most = tries_for(source, desk->client.head.status);
		if (!retry_again(&retry, fault->retry_after_s, fault))
			return fault_while(fault, "%s", name_of(source));
	}
	log_verbose("got a token for %s, good for %lld s", resource, (long long)desk->lifetime_s);
	return true;
}
