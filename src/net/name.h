/* SPDX-License-Identifier: MIT */
/* Names to addresses: --resolve overrides, IP literals, /etc/hosts, then DNS by the servers of /etc/resolv.conf over UDP,
 * and over TCP when an answer was cut (musl 1.2.3's own resolver cannot do that). Deadlines hold and signals interrupt.
 * Neither nsswitch.conf nor SSSD nor mDNS is asked. */
#ifndef NET_NAME_H
#define NET_NAME_H

#include "base/deadline.h"
#include "net/address.h"

struct name_override {
	char host[HOST_MAX + 1];
	char literal[ADDRESS_LITERAL_MAX];
};

/* For tests; NULL and 0: /etc/hosts, /etc/resolv.conf, 53. */
struct name_files {
	const char *hosts, *resolv;
	uint16_t port; /* of the DNS servers */
};

/* Host is an ASCII name, with or without a trailing dot, or an IP literal, with or without brackets. A name with a dot
 * is asked as it is, and with the search domains only when it is missing and has fewer dots than `ndots`; a name without
 * one is asked with the search domains first. localhost and *.localhost never leave this machine (RFC 6761). At least
 * one address on success. FAULT_NETWORK when there is no such name or no server answers, FAULT_TIMEOUT at the deadline,
 * FAULT_USAGE for what cannot be a name; the hint offers --resolve. */
bool name_resolve(const char *host, uint16_t port, const struct name_override *, size_t overrides, struct name_files,
                  struct deadline, struct addresses *, struct fault *) MUST_CHECK;

/* Parses HOST:ADDR of --resolve; FAULT_USAGE. ADDR may be IPv6 with or without brackets. */
bool name_override_parse(const char *words, struct name_override *, struct fault *) MUST_CHECK;

bool name_is_literal(const char *host);
bool name_is_loopback(const char *host); /* localhost, *.localhost, 127.0.0.0/8, ::1 */

#endif
