/* SPDX-License-Identifier: MIT */
#include "azure/blob_target.h"

#include "base/deadline.h"
#include "base/encode.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "net/name.h"

#include <string.h>

#define SOON_S 3600

static bool
is_given(const char *words)
{
	return words != NULL && words[0] != 0;
}

static bool
take_sas(struct blob_login *login, struct span query, struct fault *fault)
{
	login->kind = BLOB_SAS;
	if (span_begins(query, "?"))
		query = span_from(query, 1);
	while (query.count > 0 && (query.at[query.count - 1] == '\n' || query.at[query.count - 1] == '\r'))
		query.count--;
	if (!text_keep(login->query, sizeof login->query, query))
		return fault_raise(fault, FAULT_BOUND, "the SAS is longer than %d characters", URL_MAX - 1);
	return sas_read(&login->sas, span_of(login->query), fault);
}

/* The n-th label of a host, from 0. */
static struct span
label(const char *host, unsigned n)
{
	struct span rest = span_of(host), one = {NULL, 0};
	for (unsigned i = 0; i <= n; i++)
		if (!span_cut(&rest, '.', &one))
			return (struct span){NULL, 0};
	return one;
}

static bool
is_zone(struct span words)
{
	uint64_t number;
	return words.count >= 2 && words.count <= 3 && words.at[0] == 'z' && span_decimal(span_from(words, 1), &number);
}

/* ACCOUNT.blob.SUFFIX and its relatives. */
static bool
names_account(const char *host)
{
	struct span second = label(host, 1), third = label(host, 2);
	if (span_is(second, "blob"))
		return third.count > 0;
	return (is_zone(second) || span_is(second, "privatelink")) && span_is(third, "blob") && label(host, 3).count > 0;
}

static bool
is_path_style(const struct url *url)
{
	return name_is_literal(url->host) || strcmp(url->host, "localhost") == 0 || strchr(url->host, '.') == NULL ||
	       url->port != (url->secure ? 443 : 80);
}

static bool
refuse_other_service(const struct url *url, struct fault *fault)
{
	static const char *const others[] = {"dfs", "file", "queue", "table", "web"};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (!span_is(label(url->host, 1), others[i]) || !span_is(label(url->host, 2), "core"))
			continue;
		fault_raise(fault, FAULT_USAGE, "%s is not a blob service", url->host);
		return fault_hint(fault, "a container's address is https://ACCOUNT.blob.…/CONTAINER");
	}
	return true;
}

static bool
check_container(const char *name, struct fault *fault)
{
	size_t count = strlen(name);
	bool good = count >= 3 && name[0] != '-' && name[count - 1] != '-';
	if (strcmp(name, "$root") == 0 || strcmp(name, "$web") == 0 || strcmp(name, "$logs") == 0)
		return true;
	for (size_t i = 0; good && i < count; i++)
		good = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
		       (name[i] == '-' && name[i + 1] != '-');
	if (good)
		return true;
	fault_raise(fault, FAULT_USAGE, "'%s' cannot be the name of a container", name);
	return fault_hint(fault, "3 to 63 lower-case letters, digits and single hyphens; the address is https://ACCOUNT.blob.…/CONTAINER");
}

/* Without the empty segments at its end. */
static struct span
path_of(const struct url *url)
{
	struct span path = span_of(url->path);
	while (path.count > 0 && path.at[path.count - 1] == '/')
		path.count--;
	return path;
}

/* The account of a path-style URL or of the host, then the container; the rest is the prefix. */
static bool
split(struct blob_target *target, struct fault *fault)
{
	struct span path = path_of(&target->url), rest = span_from(path, 1), part = {NULL, 0}, account = {NULL, 0};
	target->url.path[path.count] = 0;
	if (names_account(target->url.host))
		account = label(target->url.host, 0);
	else if (!refuse_other_service(&target->url, fault))
		return false;
	else if (is_path_style(&target->url) && !span_cut(&rest, '/', &account))
		return fault_raise(fault, FAULT_USAGE, "the URL has no account: it is http://HOST:PORT/ACCOUNT/CONTAINER");
	if (!text_keep(target->account, sizeof target->account, account))
		return fault_raise(fault, FAULT_USAGE, "the account's name is longer than %d characters", ACCOUNT_MAX);
	if (!span_cut(&rest, '/', &part) || part.count == 0) {
		fault_raise(fault, FAULT_USAGE, "the URL has no container");
		return fault_hint(fault, "write https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX]");
	}
	if (!text_keep(target->container, sizeof target->container, part))
		return fault_raise(fault, FAULT_USAGE, "the container's name is longer than %d characters", CONTAINER_MAX);
	target->prefix = path.count - rest.count;
	return check_container(target->container, fault);
}

static bool
choose_login(struct blob_target *target, const char *sas, const char *key, struct identity *identity, struct fault *fault)
{
	struct blob_login *login = &target->login;
	bool in_url = target->url.query[0] != 0;
	if (in_url || is_given(sas))
		return take_sas(login, span_of(in_url ? target->url.query : sas), fault) &&
		       sas_check(&login->sas, target->url.secure, clock_utc_s(), fault);
	if (is_given(key) && target->account[0] == 0) {
		fault_raise(fault, FAULT_USAGE, "%s does not say which account the key is for", target->url.host);
		return fault_hint(fault, "use the address ACCOUNT.blob.…, or a SAS");
	}
	if (is_given(key)) {
		login->kind = BLOB_SHARED_KEY;
		return sharedkey_open(&login->key, target->account, key, fault);
	}
	if (identity != NULL) {
		login->kind = BLOB_BEARER;
		login->identity = identity;
		return true;
	}
	fault_raise(fault, FAULT_USAGE, "there is no login for %s", target->url.host);
	return fault_hint(fault, "append a SAS to the URL or set KUDUMP_BLOB_SAS or AZURE_STORAGE_KEY, or give --identity");
}

static bool
check_scheme(const struct url *url, bool allow_plain_http, struct fault *fault)
{
	if (url->secure || name_is_loopback(url->host) || allow_plain_http)
		return true;
	fault_raise(fault, FAULT_USAGE, "credentials would go to %s over plain http", url->host);
	return fault_hint(fault, "use https, or --allow-plain-http if you must");
}

static bool
parse(struct blob_target *target, const char *words, const char *sas, const char *key, struct identity *identity,
      bool allow_plain_http, struct fault *fault)
{
	if (!url_parse(&target->url, span_of(words), fault) || !check_scheme(&target->url, allow_plain_http, fault) ||
	    !split(target, fault) || !choose_login(target, sas, key, identity, fault))
		return false;
	memory_wipe(target->url.query, sizeof target->url.query);
	return true;
}

bool
blob_target_parse(struct blob_target *target, const char *words, const char *sas, const char *key, struct identity *identity,
                  bool allow_plain_http, struct fault *fault)
{
	memset(target, 0, sizeof *target);
	if (parse(target, words, sas, key, identity, allow_plain_http, fault))
		return true;
	blob_target_close(target);
	return fault_while(fault, "blob destination");
}

bool
blob_target_check(struct blob_target *target, const char *words, struct fault *fault)
{
	bool good;
	memset(target, 0, sizeof *target);
	good = url_parse(&target->url, span_of(words), fault) && split(target, fault);
	blob_target_close(target);
	return good;
}

static bool
is_printable(struct span name)
{
	while (name.count > 0) {
		size_t count = utf8_length(name);
		if (count == 0 || name.at[0] < ' ' || name.at[0] == 0x7f)
			return false;
		name = span_from(name, count);
	}
	return true;
}

bool
blob_name_check(const char *name, struct fault *fault)
{
	struct span rest = span_of(name), part;
	bool good = rest.count > 0 && rest.at[rest.count - 1] != '/';
	if (rest.count > BLOB_NAME_MAX)
		return fault_raise(fault, FAULT_USAGE, "the name of a blob has at most %d bytes", BLOB_NAME_MAX);
	if (!is_printable(rest))
		return fault_raise(fault, FAULT_USAGE, "\"%.80s\" cannot be the name of a blob: it is not UTF-8 or holds control characters",
		                   name);
	while (good && span_cut(&rest, '/', &part))
		good = part.count > 0 && !span_is(part, ".") && !span_is(part, "..");
	return good || fault_raise(fault, FAULT_USAGE, "\"%.80s\" cannot be the name of a blob", name);
}

void
blob_target_put(struct text *text, const struct blob_target *target)
{
	url_put(text, &target->url);
}

void
blob_target_put_blob(struct text *text, const struct blob_target *target, const char *name)
{
	blob_target_put(text, target);
	text_put_byte(text, '/');
	encode_percent(text, span_of(name), "/");
}

void
blob_target_put_path(struct text *text, const struct blob_target *target, const char *name)
{
	text_put(text, target->url.path);
	text_put_byte(text, '/');
	encode_percent(text, span_of(name), "/");
}

void
blob_target_put_warning(struct text *text, const struct blob_target *target)
{
	const struct blob_login *login = &target->login;
	if (login->kind != BLOB_SAS || login->sas.ends_s == 0 || login->sas.ends_s > clock_utc_s() + SOON_S)
		return;
	text_put(text, "the SAS for ");
	blob_target_put(text, target);
	text_put(text, " ends at ");
	clock_put_iso(text, login->sas.ends_s);
	text_put(text, ": what is not uploaded by then is lost");
}

void
blob_target_close(struct blob_target *target)
{
	memory_wipe(target, sizeof *target);
}
