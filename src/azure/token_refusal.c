/* SPDX-License-Identifier: MIT */
#include "azure/token_refusal.h"

#include "http/retry.h"

#include <string.h>

/* Codes of Entra (learn: "Microsoft Entra authentication and authorization error codes"). */
static const struct row {
	uint64_t code;
	const char *words, *hint;
} rows[] = {
	{7000215, "the client secret is wrong", "AZURE_CLIENT_SECRET must be the secret's value, not its id"},
	{7000222, "the client secret has expired", "make a new one for the app registration"},
	{7000216, "the app may not log in without a secret or an assertion", NULL},
	{7000112, "the application is disabled", NULL},
	{700016, "the tenant knows no such application", "check AZURE_CLIENT_ID and AZURE_TENANT_ID"},
	{700024, "the assertion has expired or is not valid yet", "is AZURE_FEDERATED_TOKEN_FILE renewed, and is this machine's clock right?"},
	{700027, "the signature of the assertion is not valid", NULL},
	{50027, "the assertion is no valid token", "what does AZURE_FEDERATED_TOKEN_FILE hold?"},
	{50013, "the assertion is not valid", "what does AZURE_FEDERATED_TOKEN_FILE hold?"},
	{70021, "no federated credential of the app fits the assertion", "compare issuer, subject and audience with those of the app registration"},
	{700211, "no federated credential of the app fits the assertion's issuer", "compare it with that of the app registration"},
	{700212, "no federated credential of the app fits the assertion's audience", "it is usually api://AzureADTokenExchange"},
	{700213, "no federated credential of the app fits the assertion's subject", "compare it with that of the app registration"},
	{90002, "there is no such tenant", "check AZURE_TENANT_ID, and AZURE_AUTHORITY_HOST if it is of another cloud"},
	{900023, "the tenant's id is not in order", "check AZURE_TENANT_ID"},
	{900382, "the tenant is of another cloud", "set AZURE_AUTHORITY_HOST"},
	{900384, "the tenant is of another cloud", "set AZURE_AUTHORITY_HOST"},
	{50034, "the tenant knows no such account", "check AZURE_CLIENT_ID and AZURE_TENANT_ID"},
	{TOKEN_NO_RESOURCE, "the tenant knows no such audience", "name another with --audience"},
	{1002012, "the audience is not in order", "check --audience"},
	{70011, "the audience is not in order", "check --audience"},
	{53003, "a conditional access policy keeps this machine out", "ask the tenant's administrators"},
	{530035, "security defaults keep this login out", "ask the tenant's administrators"},
	{65001, "an administrator has not consented to this", NULL},
};

/* The number behind "AADSTS"; 0: none. */
static uint64_t
code_in(struct span words)
{
	uint64_t code = 0;
	size_t place, count = 0;
	if (!span_find(words, "AADSTS", &place))
		return 0;
	words = span_from(words, place + strlen("AADSTS"));
	while (count < words.count && words.at[count] >= '0' && words.at[count] <= '9')
		count++;
	return span_decimal(span_first(words, count), &code) ? code : 0;
}

static bool
tell_entra(uint64_t code, struct fault *fault)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].code != code)
			continue;
		fault_raise(fault, FAULT_DENIED, "%s (AADSTS%llu)", rows[i].words, (unsigned long long)code);
		return rows[i].hint == NULL ? false : fault_hint(fault, "%s", rows[i].hint);
	}
	fault_raise(fault, FAULT_DENIED, "Entra refused the login (AADSTS%llu)", (unsigned long long)code);
	return fault_hint(fault, "https://login.microsoftonline.com/error?code=%llu says more", (unsigned long long)code);
}

static bool
says(const struct token_words *said, const char *words)
{
	size_t place;
	return span_find(said->description, words, &place) || span_find(said->error, words, &place);
}

static bool
tell_no_identity(const struct token_source *source, struct fault *fault)
{
	const char *where = source->in_app ? "app" : "machine";
	if (source->client_id[0] == 0) {
		fault_raise(fault, FAULT_DENIED, "this %s has no identity of its own", where);
		return fault_hint(fault, "switch on its system-assigned identity, or name an assigned one: --identity managed:CLIENT-ID");
	}
	fault_raise(fault, FAULT_DENIED, "this %s has no identity with the client id %s", where, source->client_id);
	return fault_hint(fault, "assign it to the %s; what is wanted is the identity's client id, not its object id", where);
}

static bool
tell_managed(const struct token_source *source, int status, const struct token_words *said, struct fault *fault)
{
	if (says(said, "Identity not found") || says(said, "No User Assigned") || says(said, "No Managed Identity") ||
	    says(said, "no managed identity"))
		return tell_no_identity(source, fault);
	if (says(said, "invalid_resource") || says(said, "Invalid resource")) {
		fault_raise(fault, FAULT_DENIED, "the endpoint knows no such audience (HTTP %d)", status);
		fault->detail = TOKEN_NO_RESOURCE;
		return fault_hint(fault, "name another with --audience");
	}
	if (source->in_app && (status == 401 || status == 403)) {
		fault_raise(fault, FAULT_DENIED, "the app's identity endpoint refused IDENTITY_HEADER (HTTP %d)", status);
		return fault_hint(fault, "it changes when the app restarts: is it this process's own environment?");
	}
	fault_raise(fault, FAULT_DENIED, "the identity endpoint refused (HTTP %d)", status);
	return fault_hint(fault, source->in_app ? "is an identity assigned to the app?"
	                                        : "is this an Azure VM with an identity, and does no proxy stand between?");
}

/* retry.h knows statuses of servers in general; those of a VM's endpoint that mean "not now" count as 503. */
static int
passing_status(const struct token_source *source, int status)
{
	bool vm = source->kind == TOKEN_MANAGED && !source->in_app;
	return vm && (status == 404 || status == 410 || status >= 500) ? 503 : status;
}

bool
token_refusal_tell(const struct token_source *source, int status, const struct token_words *said, struct fault *fault)
{
	uint64_t code = code_in(said->description);
	int passing = passing_status(source, status);
	if (retry_status_is_transient(passing)) {
		fault_raise(fault, FAULT_NETWORK, "%s is not ready (HTTP %d)", source->endpoint.host, status);
		fault->detail = passing;
		return false;
	}
	fault->detail = status;
	if (code == 0 && source->kind == TOKEN_MANAGED)
		return tell_managed(source, status, said, fault);
	if (code == 0)
		return fault_raise(fault, FAULT_DENIED, "%s refused the login (HTTP %d)", source->endpoint.host, status);
	tell_entra(code, fault);
	if (code == TOKEN_NO_RESOURCE)
		fault->detail = TOKEN_NO_RESOURCE;
	return false;
}

void
token_refusal_absent(const struct token_source *source, struct fault *fault)
{
	fault_clear(fault);
	fault_raise(fault, FAULT_DENIED, "there is no managed identity here: nothing answers at %s", source->endpoint.host);
	fault_hint(fault, "it exists on Azure VMs and in apps; in a container its network may bar the way");
}
