/* SPDX-License-Identifier: MIT */
#include "azure/sharedkey.h"

#include "base/encode.h"
#include "base/memory.h"

#include <bearssl_hmac.h>
#include <inttypes.h>
#include <string.h>

bool
sharedkey_open(struct sharedkey *shared, const char *account, const char *key, struct fault *fault)
{
	struct span digits = span_of(key);
	memset(shared, 0, sizeof *shared);
	while (digits.count > 0 && (digits.at[digits.count - 1] == '\n' || digits.at[digits.count - 1] == '\r'))
		digits.count--;
	if (!text_keep(shared->account, sizeof shared->account, span_of(account)))
		return fault_raise(fault, FAULT_USAGE, "the account's name is longer than %d characters", ACCOUNT_MAX);
	if (!decode_base64(digits, shared->key, sizeof shared->key, &shared->count) || shared->count < 16) {
		sharedkey_close(shared);
		fault_raise(fault, FAULT_USAGE, "the storage account's key is not a key in Base64");
		return fault_hint(fault, "copy key1 or key2 of the account's access keys, not a connection string");
	}
	return true;
}

void
sharedkey_close(struct sharedkey *shared)
{
	memory_wipe(shared, sizeof *shared);
}

/* The next header line: its name and trimmed value. */
static bool
next_line(struct span *rest, struct span *name, struct span *value)
{
	struct span line;
	while (span_cut(rest, '\n', &line)) {
		if (line.count > 0 && line.at[line.count - 1] == '\r')
			line.count--;
		if (span_cut(&line, ':', name)) {
			*value = span_trim(line);
			return true;
		}
	}
	return false;
}

static struct span
header(struct span lines, const char *wanted)
{
	struct span name, value;
	while (next_line(&lines, &name, &value))
		if (span_is_nocase(name, wanted))
			return value;
	return (struct span){NULL, 0};
}

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static int
compare_nocase(struct span a, struct span b)
{
	size_t count = a.count < b.count ? a.count : b.count;
	for (size_t i = 0; i < count; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return lower(a.at[i]) - lower(b.at[i]);
	return a.count < b.count ? -1 : a.count > b.count;
}

static void
put_lower(struct text *text, struct span name)
{
	for (size_t i = 0; i < name.count; i++)
		text_put_byte(text, (char)lower(name.at[i]));
}

/* The name that follows `after` in the order of lower-case bytes; names differ. Looking for each anew needs no room. */
static bool
following_header(struct span lines, struct span after, struct span *name, struct span *value)
{
	struct span one, its;
	bool found = false;
	while (next_line(&lines, &one, &its)) {
		if (!span_begins_nocase(one, "x-ms-") || compare_nocase(one, after) <= 0)
			continue;
		if (!found || compare_nocase(one, *name) < 0) {
			*name = one;
			*value = its;
			found = true;
		}
	}
	return found;
}

static bool
following_parameter(struct span query, struct span after, struct span *name, struct span *value)
{
	struct span part, one;
	bool found = false;
	while (span_cut(&query, '&', &part)) {
		if (!span_cut(&part, '=', &one) || compare_nocase(one, after) <= 0)
			continue;
		if (!found || compare_nocase(one, *name) < 0) {
			*name = one;
			*value = part;
			found = true;
		}
	}
	return found;
}

static void
put_standard_headers(struct text *text, const struct sharedkey_request *request)
{
	static const char *const before[] = {"Content-Encoding", "Content-Language"};
	static const char *const after[] = {"Content-MD5", "Content-Type", "Date", "If-Modified-Since", "If-Match",
	                                    "If-None-Match", "If-Unmodified-Since", "Range"};
	text_printf(text, "%s\n", request->method);
	for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
		text_put_span(text, header(request->lines, before[i]));
		text_put_byte(text, '\n');
	}
	if (request->length > 0) /* empty for 0 since 2015-02-21 */
		text_printf(text, "%" PRIu64, request->length);
	text_put_byte(text, '\n');
	for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
		text_put_span(text, header(request->lines, after[i]));
		text_put_byte(text, '\n');
	}
}

/* The path as on the wire; emulators have the account twice, once of ours and once of the path. */
static void
put_resource(struct text *text, const struct sharedkey_request *request)
{
	struct span query = request->target, path, name = {NULL, 0}, value;
	if (!span_cut(&query, '?', &path))
		path = span_of("/");
	text_printf(text, "/%s", request->account);
	text_put_span(text, path);
	while (following_parameter(query, name, &name, &value)) {
		text_put_byte(text, '\n');
		put_lower(text, name);
		text_put_byte(text, ':');
		if (!decode_percent(text, value))
			text->cut = true;
	}
}

void
sharedkey_put_string(struct text *text, const struct sharedkey_request *request)
{
	struct span name = {NULL, 0}, value;
	put_standard_headers(text, request);
	while (following_header(request->lines, name, &name, &value)) {
		put_lower(text, name);
		text_put_byte(text, ':');
		text_put_span(text, value);
		text_put_byte(text, '\n');
	}
	put_resource(text, request);
}

void
sharedkey_put_signature(struct text *text, const struct sharedkey *shared, struct span string)
{
	unsigned char result[32];
	br_hmac_key_context key;
	br_hmac_context hmac;
	br_hmac_key_init(&key, &br_sha256_vtable, shared->key, shared->count);
	br_hmac_init(&hmac, &key, 0);
	br_hmac_update(&hmac, string.at, string.count);
	br_hmac_out(&hmac, result);
	memory_wipe(&key, sizeof key);
	memory_wipe(&hmac, sizeof hmac);
	encode_base64(text, (struct span){result, sizeof result});
}
