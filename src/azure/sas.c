/* SPDX-License-Identifier: MIT */
#include "azure/sas.h"

#include "base/deadline.h"
#include "base/encode.h"
#include "http/url.h"

#include <string.h>

#define SKEW_S 900 /* the service allows clocks to differ by 15 minutes */

/* A parameter, decoded; an absent one and one that is too long are empty. */
static void
take(struct span query, const char *name, char *room, size_t size)
{
	struct text text = text_in(room, size);
	struct span value;
	if (url_query_find(query, name, &value) && (!decode_percent(&text, value) || text.cut))
		text_reset(&text);
}

static int64_t
take_time(struct span query, const char *name)
{
	char words[48];
	int64_t utc_s;
	take(query, name, words, sizeof words);
	return clock_read_iso(span_of(words), &utc_s) ? utc_s : 0;
}

static bool
check_characters(struct span query, struct fault *fault)
{
	for (size_t i = 0; i < query.count; i++) {
		unsigned char c = query.at[i];
		if (c <= ' ' || c >= 0x7f || c == '#' || c == '"')
			return fault_raise(fault, FAULT_USAGE, "the SAS holds a character that cannot stand in a URL (byte 0x%02x)", c);
	}
	return true;
}

bool
sas_read(struct sas *sas, struct span query, struct fault *fault)
{
	struct span signature;
	char protocol[16];
	memset(sas, 0, sizeof *sas);
	if (!check_characters(query, fault))
		return false;
	if (!url_query_find(query, "sig", &signature) || signature.count == 0) {
		fault_raise(fault, FAULT_USAGE, "the SAS has no signature");
		return fault_hint(fault, "put the URL in single quotes: a shell cuts it at the first '&'");
	}
	take(query, "sp", sas->rights, sizeof sas->rights);
	take(query, "sr", sas->resource, sizeof sas->resource);
	take(query, "ss", sas->services, sizeof sas->services);
	take(query, "srt", sas->types, sizeof sas->types);
	take(query, "spr", protocol, sizeof protocol);
	sas->https_only = strcmp(protocol, "https") == 0;
	sas->starts_s = take_time(query, "st");
	sas->ends_s = take_time(query, "se");
	return true;
}

bool
sas_allows(const struct sas *sas, char right)
{
	return sas->rights[0] == 0 || strchr(sas->rights, right) != NULL;
}

static bool
check_validity(const struct sas *sas, int64_t now_s, struct fault *fault)
{
	char then[32], now[32];
	struct text then_text = text_in(then, sizeof then), now_text = text_in(now, sizeof now);
	clock_put_iso(&now_text, now_s);
	if (sas->ends_s != 0 && sas->ends_s <= now_s) {
		clock_put_iso(&then_text, sas->ends_s);
		fault_raise(fault, FAULT_DENIED, "the SAS expired at %s; it is %s now", then, now);
		return fault_hint(fault, "make a new one that lasts as long as the upload may take, or set this machine's clock");
	}
	if (sas->starts_s > now_s + SKEW_S) {
		clock_put_iso(&then_text, sas->starts_s);
		fault_raise(fault, FAULT_DENIED, "the SAS is valid from %s on; it is %s now", then, now);
		return fault_hint(fault, "is this machine's clock right?");
	}
	return true;
}

static bool
check_kind(const struct sas *sas, struct fault *fault)
{
	if (sas->types[0] != 0 && strchr(sas->types, 'o') == NULL)
		return fault_raise(fault, FAULT_DENIED, "the account SAS is not for objects (srt=%s, without o)", sas->types);
	if (sas->services[0] != 0 && strchr(sas->services, 'b') == NULL)
		return fault_raise(fault, FAULT_DENIED, "the account SAS is not for blobs (ss=%s, without b)", sas->services);
	return true;
}

bool
sas_is_for_one_blob(const struct sas *sas)
{
	return sas->resource[0] == 'b';
}

bool
sas_check(const struct sas *sas, bool secure, int64_t now_s, struct fault *fault)
{
	if (sas->https_only && !secure)
		return fault_raise(fault, FAULT_DENIED, "the SAS is for https only (spr=https), but the URL says http");
	if (!check_validity(sas, now_s, fault) || !check_kind(sas, fault))
		return false;
	if (sas_allows(sas, 'w') || sas_allows(sas, 'c'))
		return true;
	fault_raise(fault, FAULT_DENIED, "the SAS lacks the right to write (sp=%s)", sas->rights);
	return fault_hint(fault, "make one with create and write (sp=cw); with read (sp=rcw) an existing name is seen before the upload");
}
