/* SPDX-License-Identifier: MIT */
#include "azure/blob_refusal.h"

#include "base/log.h"
#include "http/retry.h"

#include <stdlib.h>
#include <string.h>

#define SKEW_S 900 /* what the service allows: "Authorize with Shared Key" */

/* One row a code. Words are put behind "uploading … to …: ". */
struct row {
	const char *code;
	enum fault_kind kind;
	enum blob_way way;
	const char *words, *hint;
};

static const struct row rows[] = {
	{"ContainerNotFound", FAULT_MISSING, BLOB_FINAL, "the container does not exist",
	 "create it, or look for a slip in the URL; kudump makes no containers"},
	{"ContainerDisabled", FAULT_DENIED, BLOB_FINAL, "the container is disabled", NULL},
	{"ContainerBeingDeleted", FAULT_MISSING, BLOB_FINAL, "the container is being deleted",
	 "wait half a minute, create it anew and try again"},
	{"ResourceNotFound", FAULT_MISSING, BLOB_FINAL, "the service knows no such address",
	 "does the container exist, and may this login see it?"},
	{"AccountIsDisabled", FAULT_DENIED, BLOB_FINAL, "the storage account is disabled", NULL},
	{"AccountBeingCreated", FAULT_NETWORK, BLOB_PASSING, "the storage account is still being made", NULL},
	{"AccountRequiresHttps", FAULT_DENIED, BLOB_FINAL, "the storage account takes https only", "write https:// in the URL"},
	{"InvalidResourceName", FAULT_USAGE, BLOB_FINAL, "the container's or blob's name is not allowed", NULL},
	{"InvalidUri", FAULT_USAGE, BLOB_FINAL, "the service does not take this URL", NULL},

	{"BlobAlreadyExists", FAULT_DENIED, BLOB_FINAL, "a blob of that name exists already",
	 "give --overwrite to replace it, or " BLOB_OTHER_NAME},
	{"UnauthorizedBlobOverwrite", FAULT_DENIED, BLOB_FINAL, "a blob of that name exists, and the SAS may only create new ones",
	 "give " BLOB_OTHER_NAME ", or a SAS with write (sp=cw) and --overwrite"},
	{"InvalidBlobType", FAULT_DENIED, BLOB_FINAL, "a blob of that name exists and is no block blob",
	 "give " BLOB_OTHER_NAME},
	{"BlobImmutableDueToPolicy", FAULT_DENIED, BLOB_FINAL, "a blob of that name exists and must not be changed (immutability policy)",
	 "give " BLOB_OTHER_NAME},
	{"BlobArchived", FAULT_DENIED, BLOB_FINAL, "a blob of that name lies in the archive tier", "give " BLOB_OTHER_NAME},
	{"BlobOperationNotSupported", FAULT_UNABLE, BLOB_FINAL, "this kind of storage account does not take block blobs", NULL},
	{"FeatureNotSupported", FAULT_UNABLE, BLOB_FINAL, "the service does not know something that was asked of it", NULL},
	{"PendingCopyOperation", FAULT_BUSY, BLOB_FINAL, "a blob of that name is being copied to", "give " BLOB_OTHER_NAME},
	{"ConditionNotMet", FAULT_DENIED, BLOB_FINAL, "the blob was changed meanwhile", NULL},
	{"LeaseIdMissing", FAULT_BUSY, BLOB_FINAL, "a blob of that name is leased by somebody",
	 "give " BLOB_OTHER_NAME ", or have the lease broken"},
	{"LeaseAlreadyPresent", FAULT_BUSY, BLOB_FINAL, "a blob of that name is leased by somebody",
	 "give " BLOB_OTHER_NAME ", or have the lease broken"},

	{"InvalidBlobOrBlock", FAULT_DENIED, BLOB_FINAL, "unfinished blocks of another program lie under that name",
	 "give " BLOB_OTHER_NAME "; left-over blocks vanish after a week"},
	{"BlockCountExceedsLimit", FAULT_BOUND, BLOB_FINAL, "more than 100,000 unfinished blocks lie under that name",
	 "give " BLOB_OTHER_NAME "; left-over blocks vanish after a week"},
	{"BlockListTooLong", FAULT_BOUND, BLOB_FINAL, "the blob has more than 50,000 blocks", "give a larger --block-size"},
	{"InvalidBlockList", FAULT_CORRUPT, BLOB_FINAL, "blocks that the service had taken are gone",
	 "does another program write to the same name?"},
	{"RequestBodyTooLarge", FAULT_BOUND, BLOB_FINAL, "the service does not take a block of this size", "give a smaller --block-size"},
	{"Md5Mismatch", FAULT_CORRUPT, BLOB_DAMAGED, "the bytes were damaged on their way", NULL},
	{"Crc64Mismatch", FAULT_CORRUPT, BLOB_DAMAGED, "the bytes were damaged on their way", NULL},
	{"InvalidHeaderValue", FAULT_UNABLE, BLOB_FINAL, "the service does not take a header of ours",
	 "an old Azure Stack or emulator may not know version " BLOB_VERSION},
	{"MetadataTooLarge", FAULT_BOUND, BLOB_FINAL, "the metadata is too large", NULL},

	{"ServerBusy", FAULT_NETWORK, BLOB_PASSING, "the service is busy", NULL},
	{"InternalError", FAULT_NETWORK, BLOB_PASSING, "the service had an internal error", NULL},
	{"OperationTimedOut", FAULT_NETWORK, BLOB_PASSING, "the service ran out of time", NULL},

	{"InvalidAuthenticationInfo", FAULT_DENIED, BLOB_RENEW, NULL, NULL},
	{"NoAuthenticationInformation", FAULT_DENIED, BLOB_RENEW, "the service saw no login", NULL},
	{"AuthenticationFailed", FAULT_DENIED, BLOB_FINAL, NULL, NULL},
	{"AuthorizationFailure", FAULT_DENIED, BLOB_FINAL, NULL, NULL},
	{"AuthorizationPermissionMismatch", FAULT_DENIED, BLOB_FINAL, NULL, NULL},
	{"InsufficientAccountPermissions", FAULT_DENIED, BLOB_FINAL, NULL, NULL},
	{"AuthorizationProtocolMismatch", FAULT_DENIED, BLOB_FINAL, "the SAS is for https only", "write https:// in the URL"},
	{"AuthorizationResourceTypeMismatch", FAULT_DENIED, BLOB_FINAL, "the SAS is not for blobs (srt lacks o)", NULL},
	{"AuthorizationServiceMismatch", FAULT_DENIED, BLOB_FINAL, "the SAS is not for the blob service (ss lacks b)", NULL},
	{"AuthorizationSourceIPMismatch", FAULT_DENIED, BLOB_FINAL, "the SAS is not for this machine's address (sip)", NULL},
	{"KeyBasedAuthenticationNotPermitted", FAULT_DENIED, BLOB_FINAL, "the storage account takes no account keys",
	 "use a token, or a SAS made with a user delegation key"},
	{"PublicAccessNotPermitted", FAULT_DENIED, BLOB_FINAL, "the service saw no login", NULL},
};

/* Letters and digits (and '-' for ids) only: it will be printed. */
static void
keep_word(char *room, struct span from)
{
	for (size_t i = 0; i < from.count; i++) {
		unsigned char c = from.at[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'))
			return;
	}
	if (!text_keep(room, REFUSAL_CODE_MAX, from))
		room[0] = 0;
}

static void
read_code_from_body(struct blob_refusal *refusal, struct http_client *client)
{
	char start[1024];
	struct span rest = {(unsigned char *)start, http_client_peek(client, start, sizeof start)};
	size_t place;
	if (!span_find(rest, "<Code>", &place))
		return;
	rest = span_from(rest, place + strlen("<Code>"));
	if (span_find(rest, "</Code>", &place))
		keep_word(refusal->code, span_first(rest, place));
}

void
blob_refusal_read(struct blob_refusal *refusal, struct http_client *client)
{
	const struct http_head *head = &client->head;
	struct span value;
	memset(refusal, 0, sizeof *refusal);
	refusal->status = head->status;
	refusal->retry_after_s = retry_after_s(head);
	if (http_head_find(head, "x-ms-request-id", 0, &value))
		keep_word(refusal->request_id, value);
	if (http_head_find(head, "Date", 0, &value) && !clock_read_http(value, &refusal->service_s))
		refusal->service_s = 0;
	if (http_head_find(head, "x-ms-error-code", 0, &value))
		keep_word(refusal->code, value);
	if (refusal->code[0] == 0)
		read_code_from_body(refusal, client);
}

bool
blob_refusal_is(const struct blob_refusal *refusal, const char *code)
{
	return strcmp(refusal->code, code) == 0;
}

static const struct row *
find(const char *code)
{
	static const struct row lease = {NULL, FAULT_BUSY, BLOB_FINAL, "a lease on the blob is in the way", NULL};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].code, code) == 0)
			return &rows[i];
	return strncmp(code, "Lease", 5) == 0 ? &lease : NULL;
}

/* A wrong clock is behind many refusals, whatever their code. */
static bool
tell_skew(const struct blob_refusal *refusal, int64_t now_s, struct fault *fault)
{
	int64_t skew_s = now_s - refusal->service_s;
	if (refusal->service_s == 0 || (skew_s <= SKEW_S && skew_s >= -SKEW_S))
		return false;
	fault_raise(fault, FAULT_DENIED, "the login was refused, and this machine's clock is %lld minutes %s of the service's",
	            (long long)(llabs((long long)skew_s) / 60), skew_s > 0 ? "ahead" : "behind");
	fault_hint(fault, "set the clock: the service allows 15 minutes");
	return true;
}

static bool
tell_expiry(const struct blob_target *target, int64_t now_s, struct fault *fault)
{
	const struct sas *sas = &target->login.sas;
	char when[32];
	struct text text = text_in(when, sizeof when);
	if (target->login.kind != BLOB_SAS || sas->ends_s == 0 || sas->ends_s > now_s)
		return false;
	clock_put_iso(&text, sas->ends_s);
	fault_raise(fault, FAULT_DENIED, "the SAS expired at %s", when);
	fault_hint(fault, "make one that lasts as long as the upload may take");
	return true;
}

static void
tell_wrong_login(const struct blob_target *target, struct fault *fault)
{
	char room[200];
	struct text why = text_in(room, sizeof room);
	switch (target->login.kind) {
	case BLOB_SAS:
		fault_raise(fault, FAULT_DENIED, "the SAS is not valid");
		fault_hint(fault, sas_is_for_one_blob(&target->login.sas)
		                      ? "it is for one blob (sr=b): --to is the address of its container, --name its whole name in there"
		                      : "was it copied whole, is it for this container, was its key renewed or its policy withdrawn?");
		break;
	case BLOB_SHARED_KEY:
		fault_raise(fault, FAULT_DENIED, "the account key is not the right one for %s", target->account);
		fault_hint(fault, "AZURE_STORAGE_KEY must be key1 or key2 of this account");
		break;
	case BLOB_BEARER:
		identity_put_reason(target->login.identity, CLOUD_STORAGE, &why);
		fault_raise(fault, FAULT_DENIED, "the token was refused%s%s", why.used > 0 ? ": " : "", room);
		fault_hint(fault, "is it for https://storage.azure.com and of the right tenant?");
	}
}

static void
tell_lacking_right(const struct blob_target *target, struct fault *fault)
{
	const struct sas *sas = &target->login.sas;
	if (target->login.kind == BLOB_SAS && sas->rights[0] != 0)
		fault_raise(fault, FAULT_DENIED, "the SAS lacks a right for this (sp=%s)", sas->rights);
	else
		fault_raise(fault, FAULT_DENIED, "this login lacks the right to write there");
	fault_hint(fault, target->login.kind == BLOB_BEARER ? "it needs the role Storage Blob Data Contributor, which takes minutes to arrive"
	                                                    : "it needs create and write (sp=cw), and read to see existing names");
}

/* AuthorizationFailure is the firewall in Azure; Azurite says it of wrong signatures too. */
static void
tell_firewall(struct fault *fault)
{
	fault_raise(fault, FAULT_DENIED, "the storage account refuses this machine or login");
	fault_hint(fault, "the account's firewall may not know this network; an emulator says this of a wrong key or SAS");
}

static void
tell_denied(const struct blob_refusal *refusal, const struct blob_target *target, int64_t now_s, struct fault *fault)
{
	if (blob_refusal_is(refusal, "AuthorizationPermissionMismatch") ||
	    blob_refusal_is(refusal, "InsufficientAccountPermissions"))
		tell_lacking_right(target, fault);
	else if (tell_expiry(target, refusal->service_s != 0 ? refusal->service_s : now_s, fault) ||
	         tell_skew(refusal, now_s, fault))
		return;
	else if (blob_refusal_is(refusal, "AuthorizationFailure"))
		tell_firewall(fault);
	else
		tell_wrong_login(target, fault);
}

static enum blob_way
tell_unknown(const struct blob_refusal *refusal, const struct blob_target *target, int64_t now_s, struct fault *fault)
{
	int status = refusal->status;
	if (retry_status_is_transient(status)) {
		fault_raise(fault, FAULT_NETWORK, "the service failed for now");
		return BLOB_PASSING;
	}
	if (status == 401 || status == 403)
		tell_denied(refusal, target, now_s, fault);
	else if (status == 404)
		fault_raise(fault, FAULT_MISSING, "there is no such container");
	else if (status == 413)
		fault_raise(fault, FAULT_BOUND, "the service does not take a block of this size");
	else if (status >= 300 && status < 400)
		fault_raise(fault, FAULT_NETWORK, "the answer sends us elsewhere, as no blob service does");
	else
		fault_raise(fault, FAULT_NETWORK, "the service refused");
	return status == 401 ? BLOB_RENEW : BLOB_FINAL;
}

/* Whether a word of the answer is the signature that was sent. */
static bool
tells_sas(const struct blob_target *target, const char *word)
{
	struct span query = span_of(target->login.query);
	size_t place;
	return target->login.kind == BLOB_SAS && span_find(query, "sig=", &place) &&
	       http_head_tells(span_of(word), span_from(query, place + strlen("sig=")));
}

/* "(409 BlobAlreadyExists)", with --verbose the id for Microsoft's support. */
static void
append_code(const struct blob_refusal *refusal, const struct blob_target *target, struct fault *fault)
{
	struct text text = {fault->text, strlen(fault->text), sizeof fault->text, false};
	bool has_code = refusal->code[0] != 0 && !tells_sas(target, refusal->code);
	text_printf(&text, has_code ? " (%d %s" : " (%d", refusal->status, refusal->code);
	if (log_is_verbose() && refusal->request_id[0] != 0 && !tells_sas(target, refusal->request_id))
		text_printf(&text, ", request %s", refusal->request_id);
	text_put(&text, ")");
}

enum blob_way
blob_refusal_tell(const struct blob_refusal *refusal, const struct blob_target *target, int64_t now_s, struct fault *fault)
{
	const struct row *row = find(refusal->code);
	enum blob_way way = row != NULL ? row->way : BLOB_FINAL;
	if (fault->kind != FAULT_NONE)
		return BLOB_FINAL;
	if (row == NULL) {
		way = tell_unknown(refusal, target, now_s, fault);
	} else if (row->words == NULL) {
		tell_denied(refusal, target, now_s, fault);
	} else {
		fault_raise(fault, row->kind, "%s", row->words);
		if (row->hint != NULL)
			fault_hint(fault, "%s", row->hint);
	}
	if (refusal->status == 401 && target->login.kind == BLOB_BEARER)
		way = BLOB_RENEW;
	append_code(refusal, target, fault);
	fault->detail = refusal->status;
	fault->retry_after_s = refusal->retry_after_s;
	return way == BLOB_RENEW && target->login.kind != BLOB_BEARER ? BLOB_FINAL : way;
}
