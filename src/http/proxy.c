/* SPDX-License-Identifier: MIT */
#include "http/proxy.h"

#include "base/encode.h"
#include "base/memory.h"
#include "net/address.h"
#include "net/name.h"

#include <stdlib.h>
#include <string.h>

static bool
find_last(struct span in, unsigned char byte, size_t *place)
{
	for (size_t i = in.count; i > 0; i--)
		if (in.at[i - 1] == byte) {
			*place = i - 1;
			return true;
		}
	return false;
}

static bool
take_scheme(struct span *rest, struct fault *fault)
{
	size_t place;
	if (!span_find(*rest, "://", &place))
		return true;
	if (place == 4 && span_begins_nocase(*rest, "http")) {
		*rest = span_from(*rest, 7);
		return true;
	}
	if (place == 5 && span_begins_nocase(*rest, "https")) {
		fault_raise(fault, FAULT_USAGE, "TLS to the proxy itself is not supported");
		return fault_hint(fault, "most proxies for https sites are spoken to in plain HTTP: write http://HOST:PORT");
	}
	fault_raise(fault, FAULT_USAGE, "only proxies with http:// are supported, neither SOCKS nor others");
	return fault_hint(fault, "write http://HOST:PORT, or unset it and give --proxy");
}

/* Decoded, as a proxy wants them back; a missing password is an empty one. */
static bool
put_login(struct text *plain, struct span login)
{
	struct span user = login, password = {NULL, 0};
	size_t colon;
	if (span_find_byte(login, ':', &colon)) {
		user = span_first(login, colon);
		password = span_from(login, colon + 1);
	}
	if (!decode_percent(plain, user) || memchr(plain->at, ':', plain->used) != NULL)
		return false;
	text_put_byte(plain, ':');
	if (!decode_percent(plain, password) || plain->cut)
		return false;
	for (size_t i = 0; i < plain->used; i++)
		if ((unsigned char)plain->at[i] < ' ' || plain->at[i] == 0x7f)
			return false;
	return true;
}

static bool
take_login(struct proxy *proxy, struct span login, struct fault *fault)
{
	char room[PROXY_LOGIN_MAX + 1];
	struct text plain = text_in(room, sizeof room), value = text_in(proxy->authorization, sizeof proxy->authorization);
	bool good = put_login(&plain, login);
	text_put(&value, "Basic ");
	encode_base64(&value, text_span(&plain));
	memory_wipe(room, sizeof room);
	if (good)
		return true;
	fault_raise(fault, FAULT_USAGE, "the proxy's user or password is not properly percent-encoded, or too long");
	return fault_hint(fault, "write a literal %% as %%25, : as %%3A, @ as %%40, / as %%2F");
}

/* Cuts USER:PASSWORD@ off. A '/' or '#' in a password would make a host of its beginning. */
static bool
take_user_info(struct proxy *proxy, struct span *rest, bool may_hold_login, struct fault *fault)
{
	size_t at, end = 0;
	if (!find_last(*rest, '@', &at))
		return true;
	while (rest->at[end] != '/' && rest->at[end] != '?' && rest->at[end] != '#' && end < at)
		end++;
	if (!may_hold_login) {
		fault_raise(fault, FAULT_USAGE, "a password in an argument ends up in process lists");
		return fault_hint(fault, "put the whole URL into the environment variable HTTPS_PROXY instead");
	}
	if (end < at) {
		fault_raise(fault, FAULT_USAGE, "the proxy's URL has a '%c' in front of its '@'", rest->at[end]);
		return fault_hint(fault, "in a user or password write / as %%2F, ? as %%3F, # as %%23");
	}
	if (!take_login(proxy, span_first(*rest, at), fault))
		return false;
	*rest = span_from(*rest, at + 1);
	return true;
}

bool
proxy_parse(struct proxy *proxy, struct span words, bool may_hold_login, struct fault *fault)
{
	char room[HOST_MAX + 32];
	struct text url = text_in(room, sizeof room);
	struct span rest = span_trim(words);
	proxy->at.port = 0;
	proxy->authorization[0] = 0;
	if (!take_scheme(&rest, fault) || !take_user_info(proxy, &rest, may_hold_login, fault))
		return false;
	text_put(&url, "http://");
	text_put_span(&url, rest);
	if (url.cut)
		return fault_raise(fault, FAULT_USAGE, "the proxy's URL is too long");
	if (!url_parse(&proxy->at, text_span(&url), fault))
		return false;
	if (strcmp(proxy->at.path, "/") == 0 && proxy->at.query[0] == 0)
		return true;
	return fault_raise(fault, FAULT_USAGE, "the proxy's URL has more than host and port");
}

/* The first of the variables that is set and not empty; none is no fault. */
static bool
read_first(struct proxy *proxy, const char *const *names, struct fault *fault)
{
	const char *words;
	for (; *names != NULL; names++)
		if ((words = getenv(*names)) != NULL && words[0] != 0)
			return proxy_parse(proxy, span_of(words), true, fault) || fault_while(fault, "%s", *names);
	return true;
}

bool
proxies_read(struct proxies *proxies, const char *option, bool plain, struct fault *fault)
{
	static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
	static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
	proxies->https.at.port = proxies->http.at.port = 0;
	proxies->direct = getenv("no_proxy");
	if (proxies->direct == NULL || proxies->direct[0] == 0)
		proxies->direct = getenv("NO_PROXY");
	if (option == NULL)
		return read_first(&proxies->https, https, fault) && (!plain || read_first(&proxies->http, http, fault));
	if (option[0] == 0)
		return true;
	if (!proxy_parse(&proxies->https, span_of(option), false, fault))
		return fault_while(fault, "--proxy");
	proxies->http = proxies->https;
	return true;
}

/* HOST, [ADDRESS] or ADDRESS/BITS without the port behind it; an IPv6 address without brackets has none. False: another
 * port is meant. */
static bool
take_port(struct span *entry, uint16_t port)
{
	uint64_t number;
	size_t colon, first;
	if (!find_last(*entry, ':', &colon))
		return true;
	(void)span_find_byte(*entry, ':', &first);
	if (first != colon && (colon == 0 || entry->at[colon - 1] != ']'))
		return true;
	if (!span_decimal(span_from(*entry, colon + 1), &number) || number != port)
		return false;
	*entry = span_first(*entry, colon);
	return true;
}

static bool
covers_address(struct span entry, const struct address *address)
{
	struct span base = entry;
	struct address network;
	uint64_t bits;
	size_t slash;
	bool ranged = span_find_byte(entry, '/', &slash);
	if (ranged)
		base = span_first(entry, slash);
	if (!address_read(base, 0, &network))
		return false;
	if (!ranged)
		bits = address_is_ipv6(&network) ? 128 : 32;
	else if (!span_decimal(span_from(entry, slash + 1), &bits) || bits > 128)
		return false;
	return address_is_within(address, &network, (unsigned)bits);
}

static bool
covers_name(struct span entry, struct span host)
{
	size_t before;
	if (span_begins(entry, "*."))
		entry = span_from(entry, 1);
	if (span_begins(entry, "."))
		entry = span_from(entry, 1);
	if (entry.count > 0 && entry.at[entry.count - 1] == '.')
		entry.count--;
	if (entry.count == 0 || entry.count > host.count)
		return false;
	before = host.count - entry.count;
	for (size_t i = 0; i < entry.count; i++) {
		unsigned char c = entry.at[i];
		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != host.at[before + i])
			return false;
	}
	return before == 0 || host.at[before - 1] == '.';
}

static bool
covers(struct span entry, const struct url *origin)
{
	struct address address;
	if (!take_port(&entry, origin->port))
		return false;
	if (span_is(entry, "*"))
		return true;
	if (address_read(span_of(origin->host), 0, &address))
		return covers_address(entry, &address);
	return covers_name(entry, span_of(origin->host));
}

bool
proxy_is_bypassed(const char *list, const struct url *origin)
{
	struct span rest = span_of(list);
	while (rest.count > 0) {
		size_t count = 0;
		while (count < rest.count && strchr(", \t\r\n", rest.at[count]) == NULL)
			count++;
		if (count > 0 && covers(span_first(rest, count), origin))
			return true;
		rest = span_from(rest, count + 1);
	}
	return false;
}

/* What a proxy could only misunderstand, or should never see. */
static bool
is_near(const char *host)
{
	static const char *const link_local[] = {"169.254.0.0/16", "fe80::/10"};
	struct address address;
	if (name_is_loopback(host))
		return true;
	return address_read(span_of(host), 0, &address) && (covers_address(span_of(link_local[0]), &address) ||
	                                                     covers_address(span_of(link_local[1]), &address));
}

const struct proxy *
proxy_for(const struct proxies *proxies, const struct url *origin)
{
	const struct proxy *proxy;
	if (proxies == NULL)
		return NULL;
	proxy = origin->secure ? &proxies->https : &proxies->http;
	if (proxy->at.port == 0 || is_near(origin->host))
		return NULL;
	return proxies->direct != NULL && proxy_is_bypassed(proxies->direct, origin) ? NULL : proxy;
}

void
proxy_put(struct text *text, const struct proxy *proxy)
{
	text_printf(text, strchr(proxy->at.host, ':') != NULL ? "[%s]:%u" : "%s:%u", proxy->at.host, (unsigned)proxy->at.port);
}

void
proxies_close(struct proxies *proxies)
{
	memory_wipe(proxies->https.authorization, sizeof proxies->https.authorization);
	memory_wipe(proxies->http.authorization, sizeof proxies->http.authorization);
}
