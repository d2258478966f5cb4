/* SPDX-License-Identifier: MIT */
#include "azure/blob_call.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/log.h"
#include "http/retry.h"

#include <string.h>

#define DAMAGED_TRIES 3

/* What a lane's room is used for. */
struct desk {
	char target[URL_MAX + 512];
	char lines[12 * KIB];  /* a token of 8 KiB and the metadata */
	char string[8 * KIB];  /* to sign */
};

/* Numbers of tokens: sent last, not taken; whether a new one was got for this call. */
struct token_use {
	unsigned given, refused;
	bool renewed;
};

/* The room of a lane is large enough: an array of negative size would not compile. */
typedef char desk_fits[sizeof(struct desk) <= CREW_ROOM ? 1 : -1];

static void
put_target(struct text *text, const struct blob_call *call)
{
	const struct blob_login *login = &call->target->login;
	blob_target_put_path(text, call->target, call->name);
	if (call->query != NULL)
		text_printf(text, "?%s", call->query);
	if (login->kind == BLOB_SAS)
		text_printf(text, "%c%s", call->query != NULL ? '&' : '?', login->query);
}

static uint64_t
length_of(const struct blob_call *call)
{
	return call->from != NULL ? call->length : call->has_body ? call->body.count : 0;
}

static void
put_shared_key(struct text *lines, const struct blob_call *call, struct desk *desk)
{
	const struct blob_login *login = &call->target->login;
	struct text string = text_in(desk->string, sizeof desk->string);
	sharedkey_put_string(&string, &(struct sharedkey_request){login->key.account, call->method, span_of(desk->target),
	                                                          text_span(lines), length_of(call)});
	text_printf(lines, "Authorization: SharedKey %s:", login->key.account);
	sharedkey_put_signature(lines, &login->key, text_span(&string));
	text_put(lines, "\r\n");
	lines->cut = lines->cut || string.cut;
}

static bool
put_token(struct text *lines, const struct blob_login *login, struct token_use *use, struct fault *fault)
{
	text_put(lines, "Authorization: Bearer ");
	if (!identity_token(login->identity, CLOUD_STORAGE, use->refused, &use->given, lines, fault))
		return fault_while(fault, "getting a token for the blob service");
	text_put(lines, "\r\n");
	return true;
}

static bool
put_lines(struct text *lines, const struct blob_call *call, struct token_use *use, struct desk *desk, struct fault *fault)
{
	const struct blob_login *login = &call->target->login;
	text_put(lines, "x-ms-version: " BLOB_VERSION "\r\n");
	if (login->kind != BLOB_SAS) {
		text_put(lines, "x-ms-date: ");
		clock_put_http(lines, clock_utc_s());
		text_put(lines, "\r\n");
	}
	if (call->id != NULL)
		text_printf(lines, "x-ms-client-request-id: %s\r\n", call->id);
	if (call->headers != NULL)
		text_put(lines, call->headers);
	if (login->kind == BLOB_SHARED_KEY)
		put_shared_key(lines, call, desk);
	return login->kind != BLOB_BEARER || put_token(lines, login, use, fault);
}

static bool
ask_service(struct crew_lane *lane, const struct blob_call *call, struct token_use *use, struct fault *fault)
{
	struct desk *desk = (struct desk *)(void *)lane->room;
	struct text target = text_in(desk->target, sizeof desk->target), lines = text_in(desk->lines, sizeof desk->lines);
	put_target(&target, call);
	if (!put_lines(&lines, call, use, desk, fault))
		return false;
	if (target.cut || lines.cut)
		return fault_raise(fault, FAULT_BOUND, "the request is too long: a long name, SAS or token");
	if (call->from != NULL)
		call->rewind(call->from);
	return crew_ask(lane, &call->target->url,
	                &(struct http_request){.method = call->method, .target = desk->target, .headers = desk->lines,
	                                       .body = call->body, .has_body = call->has_body, .from = call->from,
	                                       .rewind = call->rewind, .length = call->length, .repeatable = true,
	                                       .times = call->times},
	                fault);
}

/* "acct.blob.core.windows.net/container" in front of a refusal: a URL can be wrong in all its parts. */
static void
say_where(const struct blob_target *target, struct fault *fault)
{
	char words[200];
	struct text text = text_in(words, sizeof words);
	struct span path = span_first(span_of(target->url.path), target->prefix);
	if (path.count > 0 && path.at[path.count - 1] == '/')
		path.count--;
	url_put_host(&text, &target->url);
	text_put_span(&text, path);
	(void)fault_while(fault, "%s", words);
}

/* The service's CRC-64 of what arrived, little-endian in Base64; not all services say it. */
static bool
crc_is_right(const struct http_head *head, struct span body)
{
	struct span value;
	unsigned char bytes[8];
	size_t count;
	uint64_t theirs;
	if (!http_head_find(head, "x-ms-content-crc64", 0, &value))
		return true;
	return decode_base64(value, bytes, sizeof bytes, &count) && span_u64((struct span){bytes, count}, 0, &theirs) &&
	       theirs == crc64_add(0, body.at, body.count);
}

static bool
try_once(struct crew_lane *lane, const struct blob_call *call, struct token_use *use, struct blob_refusal *refusal,
         enum blob_way *way, struct fault *fault)
{
	struct http_client *client = &lane->client;
	memset(refusal, 0, sizeof *refusal);
	*way = BLOB_PASSING; /* of broken connections; retry_again looks at the fault */
	if (!ask_service(lane, call, use, fault))
		return false;
	if (client->head.status / 100 == 2) {
		if (!call->check_crc || crc_is_right(&client->head, call->body))
			return true;
		*way = BLOB_DAMAGED;
		return fault_raise(fault, FAULT_CORRUPT, "the service's checksum of the bytes is not ours");
	}
	blob_refusal_read(refusal, client);
	*way = blob_refusal_tell(refusal, call->target, clock_utc_s(), fault);
	say_where(call->target, fault);
	return false;
}

static bool
is_wanted(const struct blob_call *call)
{
	return !call->once && (call->wanted == NULL || call->wanted(call->state));
}

/* Whether another try is due, the waiting for it done. */
static bool
another(struct retry *retry, enum blob_way way, unsigned *damaged, struct token_use *use, struct fault *fault)
{
	switch (way) {
	case BLOB_PASSING:
		return retry_again(retry, fault->retry_after_s, fault);
	case BLOB_DAMAGED:
		if (++*damaged == DAMAGED_TRIES)
			return fault_while(fault, "given up after %d tries", DAMAGED_TRIES);
		log_verbose("%s; sending it again", fault->text);
		fault_clear(fault);
		return true;
	case BLOB_RENEW:
		if (use->renewed)
			return false;
		use->renewed = true;
		use->refused = use->given;
		log_verbose("%s; getting a new token", fault->text);
		fault_clear(fault);
		return true;
	case BLOB_FINAL:
		break;
	}
	return false;
}

bool
blob_call(struct crew_lane *lane, const struct blob_call *call, struct blob_refusal *refusal, struct fault *fault)
{
	struct retry retry;
	unsigned damaged = 0;
	struct token_use use = {0, 0, false};
	enum blob_way way;
	retry_open(&retry);
	for (;;) {
		if (try_once(lane, call, &use, refusal, &way, fault))
			return true;
		if (!is_wanted(call) || !another(&retry, way, &damaged, &use, fault))
			return false;
	}
}
