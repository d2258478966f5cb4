/* SPDX-License-Identifier: MIT */
#include "http/url.h"

#include "base/encode.h"

#include <arpa/inet.h>
#include <string.h>

/* A triple that is no triple would be read differently by each server behind us; %00 ends a string in some of them. */
static bool
check_percent(struct span from, struct fault *fault)
{
	int high = from.count < 3 ? -1 : hex_value(from.at[1]);
	int low = from.count < 3 ? -1 : hex_value(from.at[2]);
	if (high < 0 || low < 0) {
		fault_raise(fault, FAULT_USAGE, "a '%%' in the URL is not followed by two hex digits");
		return fault_hint(fault, "write a literal percent sign as %%25");
	}
	if (high == 0 && low == 0)
		return fault_raise(fault, FAULT_USAGE, "the URL has %%00 in it");
	return true;
}

static bool
check_bytes(struct span from, struct fault *fault)
{
	for (size_t i = 0; i < from.count; i++) {
		unsigned char c = from.at[i];
		if (c <= ' ' || c >= 0x7f)
			return fault_raise(fault, FAULT_USAGE, "a blank, control or non-ASCII character (byte 0x%02x) in the URL", c);
		if (strchr("\"<>\\^`{|}", c) != NULL)
			return fault_raise(fault, FAULT_USAGE, "a '%c' in the URL must be written as %%%02X", c, c);
		if (c == '#')
			return fault_raise(fault, FAULT_USAGE, "the URL has a '#' part, which is never sent to a server");
		if (c == '%' && !check_percent(span_from(from, i), fault))
			return false;
	}
	return true;
}

static bool
take_scheme(struct url *url, struct span *rest, struct fault *fault)
{
	if (span_begins_nocase(*rest, "https://"))
		url->secure = true;
	else if (!span_begins_nocase(*rest, "http://")) {
		fault_raise(fault, FAULT_USAGE, "the URL begins with neither https:// nor http://");
		return fault_hint(fault, "write it whole, as in https://contoso.scm.azurewebsites.net");
	}
	*rest = span_from(*rest, url->secure ? 8 : 7);
	return true;
}

static bool
is_letter_or_digit(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* Hosts whose last label is a number are addresses to some resolvers (127.1, 0x7f.0.0.1) and names to others. */
static bool
looks_like_number(struct span host)
{
	struct span label = host;
	size_t place;
	while (span_find_byte(label, '.', &place))
		label = span_from(label, place + 1);
	if (span_begins(label, "0x"))
		return true;
	for (size_t i = 0; i < label.count; i++)
		if (label.at[i] < '0' || label.at[i] > '9')
			return false;
	return true;
}

static bool
check_labels(const char *host, struct fault *fault)
{
	struct span rest = span_of(host), label;
	if (rest.count == 0 || rest.at[rest.count - 1] == '.')
		return fault_raise(fault, FAULT_USAGE, "the URL has no proper host name");
	while (span_cut(&rest, '.', &label)) {
		if (label.count == 0 || label.count > 63)
			return fault_raise(fault, FAULT_USAGE, "the host '%s' has an empty or overlong part", host);
		if (label.at[0] == '-' || label.at[label.count - 1] == '-')
			return fault_raise(fault, FAULT_USAGE, "a part of the host '%s' begins or ends with '-'", host);
		for (size_t i = 0; i < label.count; i++)
			if (!is_letter_or_digit(label.at[i]) && label.at[i] != '-' && label.at[i] != '_')
				return fault_raise(fault, FAULT_USAGE, "the host in the URL has a '%c' in it", label.at[i]);
	}
	return true;
}

static bool
refuse_literal(const struct url *url, struct fault *fault)
{
	if (!url->secure)
		return true;
	fault_raise(fault, FAULT_USAGE, "https to the address %s: a certificate for an address cannot be checked", url->host);
	return fault_hint(fault, "write the name the certificate has, and add --resolve NAME:%s", url->host);
}

static bool
take_name(struct url *url, struct span host, struct fault *fault)
{
	struct in_addr address;
	if (host.count > 0 && host.at[host.count - 1] == '.')
		host.count--;
	if (!text_keep(url->host, sizeof url->host, host))
		return fault_raise(fault, FAULT_BOUND, "the host in the URL is longer than %d characters", HOST_MAX);
	for (char *at = url->host; *at != 0; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + 32);
	if (!check_labels(url->host, fault))
		return false;
	if (!looks_like_number(span_of(url->host)))
		return true;
	if (inet_pton(AF_INET, url->host, &address) != 1)
		return fault_raise(fault, FAULT_USAGE, "the host '%s' is neither a name nor an address", url->host);
	return refuse_literal(url, fault);
}

static bool
take_bracketed(struct url *url, struct span inside, struct fault *fault)
{
	char written[INET6_ADDRSTRLEN];
	struct in6_addr address;
	if (!text_keep(written, sizeof written, inside) || inet_pton(AF_INET6, written, &address) != 1)
		return fault_raise(fault, FAULT_USAGE, "what stands in brackets in the URL is no IPv6 address");
	if (inet_ntop(AF_INET6, &address, url->host, sizeof url->host) == NULL)
		return fault_raise(fault, FAULT_USAGE, "the IPv6 address in the URL cannot be written");
	return refuse_literal(url, fault);
}

static bool
take_port(struct url *url, struct span digits, struct fault *fault)
{
	uint64_t port;
	if (digits.count > 5 || !span_decimal(digits, &port) || port == 0 || port > 65535)
		return fault_raise(fault, FAULT_USAGE, "the port in the URL is not a number from 1 to 65535");
	url->port = (uint16_t)port;
	return true;
}

static bool
take_authority(struct url *url, struct span authority, struct fault *fault)
{
	bool bracketed = authority.count > 0 && authority.at[0] == '[';
	struct span host = authority, behind;
	size_t place;
	if (span_find_byte(authority, '@', &place)) {
		fault_raise(fault, FAULT_USAGE, "the URL has a user or password in front of its host");
		return fault_hint(fault, "credentials in a URL end up in process lists: use --user and KUDUMP_PASSWORD");
	}
	if (bracketed && !span_find_byte(authority, ']', &place))
		return fault_raise(fault, FAULT_USAGE, "a '[' in the URL without its ']'");
	if (!bracketed && !span_find_byte(authority, ':', &place))
		place = authority.count;
	host = bracketed ? span_from(span_first(authority, place), 1) : span_first(authority, place);
	behind = span_from(authority, bracketed ? place + 1 : place);
	url->port = url->secure ? 443 : 80;
	if (behind.count > 0 && behind.at[0] != ':')
		return fault_raise(fault, FAULT_USAGE, "behind the ']' in the URL stands neither ':' nor '/'");
	if (behind.count > 0 && !take_port(url, span_from(behind, 1), fault))
		return false;
	return bracketed ? take_bracketed(url, host, fault) : take_name(url, host, fault);
}

bool
url_parse(struct url *url, struct span from, struct fault *fault)
{
	struct span rest = from;
	size_t end = 0, question;
	memset(url, 0, sizeof *url);
	if (!check_bytes(from, fault) || !take_scheme(url, &rest, fault))
		return false;
	while (end < rest.count && rest.at[end] != '/' && rest.at[end] != '?')
		end++;
	if (!take_authority(url, span_first(rest, end), fault))
		return false;
	rest = span_from(rest, end);
	if (span_find_byte(rest, '?', &question)) {
		if (!text_keep(url->query, sizeof url->query, span_from(rest, question + 1)))
			return fault_raise(fault, FAULT_BOUND, "the query of the URL is longer than %d characters", URL_MAX - 1);
		rest = span_first(rest, question);
	}
	if (!text_keep(url->path, sizeof url->path, rest.count == 0 ? span_of("/") : rest))
		return fault_raise(fault, FAULT_BOUND, "the path of the URL is longer than %d characters", URL_MAX - 1);
	return true;
}

void
url_put_host(struct text *text, const struct url *url)
{
	text_printf(text, strchr(url->host, ':') != NULL ? "[%s]" : "%s", url->host);
	if (url->port != (url->secure ? 443 : 80))
		text_printf(text, ":%u", (unsigned)url->port);
}

void
url_put(struct text *text, const struct url *url)
{
	text_put(text, url->secure ? "https://" : "http://");
	url_put_host(text, url);
	text_put(text, url->path);
}

bool
url_same_origin(const struct url *a, const struct url *b)
{
	return a->secure == b->secure && a->port == b->port && strcmp(a->host, b->host) == 0;
}

bool
url_query_find(struct span query, const char *name, struct span *value)
{
	struct span part, key;
	while (span_cut(&query, '&', &part)) {
		struct span rest = part;
		if (span_cut(&rest, '=', &key) && span_is(key, name)) {
			*value = rest;
			return true;
		}
	}
	return false;
}
