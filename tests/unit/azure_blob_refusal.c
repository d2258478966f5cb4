/* SPDX-License-Identifier: MIT */
#include "azure/blob_refusal.h"

#include "says.h"
#include "unit.h"

#define NOW 1795269600 /* 2026-11-21T14:00:00Z */

static struct fault fault;
static struct blob_target target;
static struct blob_refusal refusal;
static struct identity identity;
static struct network network;

static void
log_in(enum blob_login_kind kind)
{
	memset(&target, 0, sizeof target);
	target.login.kind = kind;
	if (kind == BLOB_SAS)
		memcpy(target.login.sas.rights, "cw", 3);
	memcpy(target.account, "acct", 5);
	target.login.identity = &identity;
}

static enum blob_way
tell(int status, const char *code, int64_t service_s)
{
	fault_clear(&fault);
	memset(&refusal, 0, sizeof refusal);
	refusal.status = status;
	refusal.service_s = service_s;
	CHECK(text_keep(refusal.code, sizeof refusal.code, span_of(code)));
	return blob_refusal_tell(&refusal, &target, NOW, &fault);
}

static void
each_code_has_its_words(void)
{
	static const struct {
		int status;
		const char *code;
		enum fault_kind kind;
		enum blob_way way;
		const char *words;
	} wanted[] = {
		{404, "ContainerNotFound", FAULT_MISSING, BLOB_FINAL, "container does not exist"},
		{404, "ResourceNotFound", FAULT_MISSING, BLOB_FINAL, "no such address"},
		{404, "", FAULT_MISSING, BLOB_FINAL, "no such container"},
		{409, "ContainerBeingDeleted", FAULT_MISSING, BLOB_FINAL, "being deleted"},
		{409, "BlobAlreadyExists", FAULT_DENIED, BLOB_FINAL, "exists already"},
		{409, "InvalidBlobType", FAULT_DENIED, BLOB_FINAL, "no block blob"},
		{409, "BlobImmutableDueToPolicy", FAULT_DENIED, BLOB_FINAL, "immutab"},
		{409, "BlockCountExceedsLimit", FAULT_BOUND, BLOB_FINAL, "100,000"},
		{409, "LeaseAlreadyPresent", FAULT_BUSY, BLOB_FINAL, "leased"},
		{412, "LeaseIdMissing", FAULT_BUSY, BLOB_FINAL, "leased"},
		{412, "LeaseLost", FAULT_BUSY, BLOB_FINAL, "lease"},
		{412, "ConditionNotMet", FAULT_DENIED, BLOB_FINAL, "changed"},
		{400, "InvalidBlobOrBlock", FAULT_DENIED, BLOB_FINAL, "another program"},
		{400, "InvalidBlockList", FAULT_CORRUPT, BLOB_FINAL, "are gone"},
		{400, "BlockListTooLong", FAULT_BOUND, BLOB_FINAL, "50,000"},
		{400, "Md5Mismatch", FAULT_CORRUPT, BLOB_DAMAGED, "damaged"},
		{400, "Crc64Mismatch", FAULT_CORRUPT, BLOB_DAMAGED, "damaged"},
		{400, "InvalidHeaderValue", FAULT_UNABLE, BLOB_FINAL, "2021-12-02"},
		{400, "", FAULT_NETWORK, BLOB_FINAL, "refused"},
		{413, "RequestBodyTooLarge", FAULT_BOUND, BLOB_FINAL, "--block-size"},
		{413, "", FAULT_BOUND, BLOB_FINAL, "block of this size"},
		{500, "InternalError", FAULT_NETWORK, BLOB_PASSING, "internal error"},
		{500, "OperationTimedOut", FAULT_NETWORK, BLOB_PASSING, "out of time"},
		{500, "FeatureNotSupported", FAULT_UNABLE, BLOB_FINAL, "does not know"},
		{503, "ServerBusy", FAULT_NETWORK, BLOB_PASSING, "busy"},
		{503, "", FAULT_NETWORK, BLOB_PASSING, "for now"},
		{408, "", FAULT_NETWORK, BLOB_PASSING, "for now"},
		{429, "", FAULT_NETWORK, BLOB_PASSING, "for now"},
		{302, "", FAULT_NETWORK, BLOB_FINAL, "elsewhere"},
		{403, "AuthorizationFailure", FAULT_DENIED, BLOB_FINAL, "firewall"},
		{403, "AuthorizationPermissionMismatch", FAULT_DENIED, BLOB_FINAL, "sp=cw"},
		{403, "AuthorizationProtocolMismatch", FAULT_DENIED, BLOB_FINAL, "https only"},
		{403, "AuthorizationSourceIPMismatch", FAULT_DENIED, BLOB_FINAL, "address"},
		{403, "AuthorizationResourceTypeMismatch", FAULT_DENIED, BLOB_FINAL, "srt"},
		{403, "KeyBasedAuthenticationNotPermitted", FAULT_DENIED, BLOB_FINAL, "no account keys"},
		{403, "UnauthorizedBlobOverwrite", FAULT_DENIED, BLOB_FINAL, "only create"},
		{403, "AuthenticationFailed", FAULT_DENIED, BLOB_FINAL, "SAS is not valid"},
		{403, "", FAULT_DENIED, BLOB_FINAL, "SAS is not valid"},
		{403, "SomethingNew", FAULT_DENIED, BLOB_FINAL, "403 SomethingNew"},
		{418, "SomethingNew", FAULT_NETWORK, BLOB_FINAL, "418 SomethingNew"},
	};
	log_in(BLOB_SAS);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		enum blob_way way = tell(wanted[i].status, wanted[i].code, NOW);
		CHECK(way == wanted[i].way);
		CHECK(fault.kind == wanted[i].kind);
		CHECK(fault.detail == wanted[i].status);
		CHECK(fault_says(&fault, wanted[i].words));
	}
}

static void
a_lapsed_sas_is_told(void)
{
	log_in(BLOB_SAS);
	target.login.sas.ends_s = NOW - 1;
	tell(403, "AuthenticationFailed", 0);
	CHECK(fault_says(&fault, "expired at 2026-11-21T13:59:59Z"));
	/* the service's clock counts, not ours */
	tell(403, "AuthenticationFailed", NOW - 2);
	CHECK(fault_says(&fault, "not valid"));
	/* Azurite's code for it */
	tell(403, "AuthorizationFailure", NOW);
	CHECK(fault_says(&fault, "expired"));
	/* a right is a right */
	tell(403, "AuthorizationPermissionMismatch", NOW);
	CHECK(fault_says(&fault, "sp=cw"));
}

static void
a_wrong_clock_is_told(void)
{
	log_in(BLOB_SHARED_KEY);
	tell(403, "AuthenticationFailed", NOW - 900);
	CHECK(fault_says(&fault, "not the right one for acct"));
	tell(403, "AuthenticationFailed", NOW - 1320);
	CHECK(fault_says(&fault, "22 minutes ahead"));
	tell(403, "AuthenticationFailed", NOW + 1320);
	CHECK(fault_says(&fault, "22 minutes behind"));
	tell(403, "AuthorizationFailure", NOW + 1320);
	CHECK(fault_says(&fault, "22 minutes behind"));
}

static void
only_tokens_can_be_renewed(void)
{
	log_in(BLOB_BEARER);
	CHECK(tell(401, "InvalidAuthenticationInfo", NOW) == BLOB_RENEW);
	CHECK(tell(401, "", NOW) == BLOB_RENEW);
	CHECK(tell(401, "NoAuthenticationInformation", NOW) == BLOB_RENEW);
	CHECK(tell(403, "AuthenticationFailed", NOW) == BLOB_FINAL && fault_says(&fault, "token"));
	CHECK(tell(403, "AuthorizationPermissionMismatch", NOW) == BLOB_FINAL && fault_says(&fault, "Data Contributor"));
	log_in(BLOB_SAS);
	CHECK(tell(401, "InvalidAuthenticationInfo", NOW) == BLOB_FINAL);
	CHECK(tell(401, "", NOW) == BLOB_FINAL);
}

static void
an_earlier_fault_stays(void)
{
	log_in(BLOB_SAS);
	fault_clear(&fault);
	fault_raise(&fault, FAULT_TIMEOUT, "first");
	memset(&refusal, 0, sizeof refusal);
	refusal.status = 503;
	CHECK(blob_refusal_tell(&refusal, &target, NOW, &fault) == BLOB_FINAL);
	CHECK_TEXT(fault.text, "first");
}

static void
tells_no_signature_again(void)
{
	log_in(BLOB_SAS);
	snprintf(target.login.query, sizeof target.login.query, "sp=cw&sig=AbCdEfGhIjKlMnOp%%3D&se=x");
	tell(400, "spcwsigAbCdEfGhIjKlMnOp", 0);
	CHECK(strstr(fault.text, "AbCdEfGh") == NULL && fault_says(&fault, "(400)"));
	tell(400, "SomethingElse", 0);
	CHECK(fault_says(&fault, "(400 SomethingElse)"));
}

int
main(void)
{
	if (!identity_open(&identity, "file:/nowhere", &network, cloud_of(""), &fault))
		return 1;
	UNIT_RUN(each_code_has_its_words);
	UNIT_RUN(a_lapsed_sas_is_told);
	UNIT_RUN(a_wrong_clock_is_told);
	UNIT_RUN(only_tokens_can_be_renewed);
	UNIT_RUN(an_earlier_fault_stays);
	UNIT_RUN(tells_no_signature_again);
	return unit_end();
}
