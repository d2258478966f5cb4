/* SPDX-License-Identifier: MIT */
#include "azure/vault.h"

#include "base/memory.h"
#include "http/retry.h"

#include <string.h>

static bool
complain(struct fault *fault)
{
	fault_raise(fault, FAULT_USAGE, "this is no address of a secret");
	return fault_hint(fault, "it is https://VAULT.vault.azure.net/secrets/NAME[/VERSION]");
}

static bool
parse(const char *address, struct url *url, struct fault *fault)
{
	struct span path, part;
	unsigned parts = 0;
	if (strstr(address, "://") == NULL)
		return complain(fault);
	if (!url_parse(url, span_of(address), fault))
		return false;
	if (!url->secure && !name_is_loopback(url->host))
		return fault_raise(fault, FAULT_USAGE, "a vault's address begins with https://");
	path = span_from(span_of(url->path), 1);
	for (bool good = url->query[0] == 0; span_cut(&path, '/', &part); parts++)
		if (!good || part.count == 0 || (parts == 0 && !span_is(part, "secrets")))
			parts = 4;
	return parts == 2 || parts == 3 || complain(fault);
}

enum { SAID_VALUE, SAID_CODE, SAID_INNER };
static const char *const wanted[] = {"value", "error/code", "error/innererror/code"};

static bool
says(const struct json_reader *json, const char *word)
{
	size_t place;
	return span_find(json_get(json, SAID_INNER).text, word, &place) || span_find(json_get(json, SAID_CODE).text, word, &place);
}

static bool
refuse_forbidden(const struct json_reader *json, struct fault *fault)
{
	if (says(json, "Firewall") || says(json, "ForbiddenByConnection")) {
		fault_raise(fault, FAULT_DENIED, "the vault's firewall keeps this machine out (HTTP 403)");
		return fault_hint(fault, "allow its address in the vault's networking, or use the private endpoint");
	}
	if (says(json, "Disabled"))
		return fault_raise(fault, FAULT_DENIED, "the secret is disabled (HTTP 403)");
	if (says(json, "Expired") || says(json, "NotYetValid"))
		return fault_raise(fault, FAULT_DENIED, "the secret is not valid now (HTTP 403)");
	fault_raise(fault, FAULT_DENIED, "this identity may not read the vault's secrets (HTTP 403)");
	return fault_hint(fault, "it needs the role Key Vault Secrets User, or the access policy secrets/get");
}

static bool
refuse(const struct http_client *client, const struct json_reader *json, struct fault *fault)
{
	int status = client->head.status;
	fault->detail = status;
	fault->retry_after_s = retry_after_s(&client->head);
	if (status == 404)
		return fault_raise(fault, FAULT_MISSING, "the vault has no such secret (HTTP 404)");
	if (status == 403)
		return refuse_forbidden(json, fault);
	if (status == 401) {
		fault_raise(fault, FAULT_DENIED, "the vault refused the token (HTTP 401)");
		return fault_hint(fault, "is the identity of the vault's tenant?");
	}
	return fault_raise(fault, FAULT_NETWORK, "the vault answered HTTP %d", status);
}

static bool
keep(const struct json_reader *json, char *room, size_t size, struct fault *fault)
{
	size_t count;
	if (!json_get_text(json, SAID_VALUE, room, size))
		return fault_raise(fault, FAULT_BOUND, "the secret is no text of at most %zu bytes", size - 1);
	count = strlen(room);
	while (count > 0 && (room[count - 1] == '\n' || room[count - 1] == '\r'))
		room[--count] = 0;
	return count > 0 || fault_raise(fault, FAULT_USAGE, "the secret is empty");
}

static bool
ask(struct identity *identity, const char *resource, unsigned refused, unsigned *given, struct vault_desk *desk, char *room,
    size_t size, struct fault *fault)
{
	struct http_client *client = &desk->client;
	struct text headers = text_in(desk->headers, sizeof desk->headers);
	struct fault bad;
	bool more = false, parsed;
	text_put(&headers, "Accept: application/json\r\nAuthorization: Bearer ");
	if (!identity_token(identity, resource, refused, given, &headers, fault))
		return false;
	text_put(&headers, "\r\n");
	if (!http_client_ask(client, &(struct http_request){.method = "GET", .target = desk->target, .headers = desk->headers,
	                                                    .repeatable = true}, fault))
		return false;
	fault_clear(&bad);
	json_open(&desk->json, http_client_body(client), NULL, wanted, sizeof wanted / sizeof wanted[0]);
	parsed = json_next(&desk->json, &more, &bad) && more;
	if (client->head.status != 200)
		return refuse(client, &desk->json, fault);
	return parsed ? keep(&desk->json, room, size, fault) : fault_raise(fault, FAULT_NETWORK, "the vault's answer is no secret");
}

bool
vault_read(struct identity *identity, const struct network *network, const char *address, struct vault_desk *desk, char *room,
           size_t size, struct fault *fault)
{
	struct url *url = &desk->url;
	struct text target = text_in(desk->target, sizeof desk->target);
	const char *resource;
	unsigned given = 0, refused = 0;
	struct retry retry;
	bool done;
	if (!parse(address, url, fault))
		return fault_while(fault, "the secret's address");
	resource = cloud_of(url->host) != cloud_of("") ? cloud_of(url->host)->vault : identity->cloud->vault;
	text_printf(&target, "%s?api-version=7.4", url->path);
	http_client_open(&desk->client, network, url);
	retry_open(&retry);
	while (!(done = ask(identity, resource, refused, &given, desk, room, size, fault))) {
		if (fault->detail == 401 && fault->kind == FAULT_DENIED && given != 0 && refused == 0) {
			refused = given;
			fault_clear(fault);
		} else if (!retry_again(&retry, fault->retry_after_s, fault)) {
			break;
		}
	}
	http_client_close(&desk->client);
	if (!done)
		fault_while(fault, "reading a secret of %s", url->host);
	memory_wipe(desk, sizeof *desk);
	return done;
}
