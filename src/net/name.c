/* SPDX-License-Identifier: MIT */
#include "net/name.h"

#include "net/hosts.h"
#include "net/lookup.h"

#include <errno.h>
#include <string.h>

enum { DNS_PORT = 53, LABEL_MAX = 63 };

/* A host as asked for, without its trailing dot. */
struct wanted {
	char host[HOST_MAX + 1];
	bool absolute; /* it had one: no search */
};

static bool
is_name_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool
is_name(struct span host)
{
	struct span label;
	if (host.count == 0 || host.count > HOST_MAX || host.at[host.count - 1] == '.')
		return false;
	for (size_t i = 0; i < host.count; i++)
		if (!is_name_byte(host.at[i]))
			return false;
	while (span_cut(&host, '.', &label))
		if (label.count == 0 || label.count > LABEL_MAX)
			return false;
	return true;
}

static struct span
without_dot(struct span host)
{
	return host.count > 1 && host.at[host.count - 1] == '.' ? span_first(host, host.count - 1) : host;
}

static bool
read_host(const char *host, struct wanted *wanted, struct fault *fault)
{
	struct span given = span_of(host), name = without_dot(given);
	wanted->absolute = name.count < given.count;
	if (is_name(name) && text_keep(wanted->host, sizeof wanted->host, name))
		return true;
	fault_raise(fault, FAULT_USAGE, "\"%.*s\" is no host name", HOST_MAX, host);
	return fault_hint(fault, "a name has letters, digits, hyphens and dots; others are written in punycode (xn--…)");
}

static bool
is_localhost(struct span host)
{
	static const char last[] = ".localhost";
	const size_t count = sizeof last - 1;
	host = without_dot(host);
	return span_is_nocase(host, "localhost") ||
	       (host.count > count && span_is_nocase(span_from(host, host.count - count), last));
}

bool
name_is_literal(const char *host)
{
	struct address address;
	return address_read(span_of(host), 0, &address);
}

bool
name_is_loopback(const char *host)
{
	struct address address;
	if (address_read(span_of(host), 0, &address))
		return address_is_loopback(&address);
	return is_localhost(span_of(host));
}

bool
name_override_parse(const char *words, struct name_override *override, struct fault *fault)
{
	struct span rest = span_of(words), host;
	struct address address;
	if (span_cut(&rest, ':', &host) && is_name(without_dot(host)) && address_read(rest, 0, &address) &&
	    text_keep(override->host, sizeof override->host, without_dot(host)) &&
	    text_keep(override->literal, sizeof override->literal, rest))
		return true;
	fault_raise(fault, FAULT_USAGE, "--resolve \"%s\" is not HOST:ADDR", words);
	return fault_hint(fault, "for example --resolve site.scm.azurewebsites.net:10.0.0.4; there is no port in it");
}

static bool
from_overrides(struct span host, uint16_t port, const struct name_override *overrides, size_t count,
               struct addresses *found)
{
	struct address address;
	for (size_t i = 0; i < count; i++)
		if (span_is_nocase(host, overrides[i].host) &&
		    address_read(span_of(overrides[i].literal), port, &address))
			addresses_add(found, &address);
	return found->count > 0;
}

static void
add_loopback(uint16_t port, struct addresses *found)
{
	static const unsigned char ipv4[4] = {127, 0, 0, 1}, ipv6[16] = {[15] = 1};
	struct address address;
	address_from_bytes(&address, ipv4, sizeof ipv4, port);
	addresses_add(found, &address);
	address_from_bytes(&address, ipv6, sizeof ipv6, port);
	addresses_add(found, &address);
}

static size_t
dots_in(const char *name)
{
	size_t dots = 0;
	for (; *name != 0; name++)
		dots += *name == '.';
	return dots;
}

/* The names to ask for in turn: the host itself at `own`, each search domain behind or before it. */
struct turns {
	size_t own, count;
};

static struct turns
plan(const struct wanted *wanted, const struct resolv *resolv)
{
	const size_t dots = dots_in(wanted->host), domains = resolv->search_count;
	if (wanted->absolute || (dots > 0 && dots >= resolv->ndots))
		return (struct turns){0, 1};
	return (struct turns){dots > 0 || resolv->ndots == 0 ? 0 : domains, domains + 1};
}

/* False when it would be no name, or too long a one: it is passed over. */
static bool
name_for_turn(const struct wanted *wanted, const struct resolv *resolv, struct turns turns, size_t turn,
              struct text *name)
{
	text_reset(name);
	text_put(name, wanted->host);
	if (turn != turns.own) {
		text_put_byte(name, '.');
		text_put(name, resolv->search[turn < turns.own ? turn : turn - 1]);
	}
	return !name->cut && is_name(text_span(name));
}

static bool
explain(const char *host, const char *path, const struct resolv *resolv, enum lookup_result result, struct fault *fault)
{
	char room[256];
	struct text servers = text_in(room, sizeof room);
	if (resolv->is_default)
		text_printf(&servers, "at 127.0.0.1 (%s names none)", path);
	else
		text_printf(&servers, "of %s", path);
	if (result == LOOKUP_MISSING)
		fault_raise(fault, FAULT_NETWORK, "no such host %s", host);
	else if (result == LOOKUP_EMPTY)
		fault_raise(fault, FAULT_NETWORK, "the name %s has no address", host);
	else if (result == LOOKUP_REFUSED)
		fault_raise(fault, FAULT_NETWORK, "no DNS server %s could tell the address of %s", room, host);
	else
		fault_raise(fault, FAULT_NETWORK, "no DNS server %s answered for %s", room, host);
	if (result != LOOKUP_MISSING && result != LOOKUP_EMPTY && fault->detail == 0)
		fault->detail = EAGAIN; /* it may pass */
	return fault_hint(fault, "if you know its address: --resolve %s:ADDR", host);
}

static bool
from_dns(const struct wanted *wanted, uint16_t port, struct name_files files, struct deadline deadline,
         struct addresses *found, struct fault *fault)
{
	const char *path = files.resolv != NULL ? files.resolv : "/etc/resolv.conf";
	enum lookup_result result = LOOKUP_MISSING;
	char room[HOST_MAX + 1];
	struct text name = text_in(room, sizeof room);
	struct resolv resolv;
	struct turns turns;
	resolv_read(path, files.port != 0 ? files.port : DNS_PORT, &resolv);
	turns = plan(wanted, &resolv);
	for (size_t turn = 0; turn < turns.count; turn++) {
		enum lookup_result one;
		if (!name_for_turn(wanted, &resolv, turns, turn, &name))
			continue;
		if (!lookup_name(&resolv, room, port, deadline, &one, found, fault)) {
			if (fault->kind == FAULT_TIMEOUT)
				fault_hint(fault, "if you know its address: --resolve %s:ADDR", wanted->host);
			return fault_while(fault, "looking up %s", wanted->host);
		}
		if (one == LOOKUP_FOUND)
			return true;
		/* asking on would wait as long again */
		if (one == LOOKUP_SILENT)
			return explain(wanted->host, path, &resolv, one, fault);
		if (result == LOOKUP_MISSING || turn == turns.own)
			result = one;
	}
	return explain(wanted->host, path, &resolv, result, fault);
}

bool
name_resolve(const char *host, uint16_t port, const struct name_override *overrides, size_t override_count,
             struct name_files files, struct deadline deadline, struct addresses *found, struct fault *fault)
{
	struct wanted wanted;
	struct address literal;
	found->count = 0;
	if (from_overrides(without_dot(span_of(host)), port, overrides, override_count, found))
		return true;
	if (address_read(span_of(host), port, &literal)) {
		addresses_add(found, &literal);
		return true;
	}
	if (!read_host(host, &wanted, fault))
		return false;
	hosts_find(files.hosts != NULL ? files.hosts : "/etc/hosts", wanted.host, port, found);
	if (found->count == 0 && is_localhost(span_of(wanted.host)))
		add_loopback(port, found);
	return found->count > 0 || from_dns(&wanted, port, files, deadline, found, fault);
}
