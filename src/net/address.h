/* SPDX-License-Identifier: MIT */
/* Addresses with a port, and as people write them. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/text.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define ADDRESS_LITERAL_MAX 80 /* an IPv6 address with brackets and %interface, and the NUL */

struct address {
	struct sockaddr_storage at;
	socklen_t size;
};

struct addresses {
	struct address list[ADDRESSES_MAX];
	size_t count;
};

/* Reads an IPv4 literal of four decimal parts, or an IPv6 one, also in brackets, also with %interface or %number. Port
 * in host order. False when it is something else. */
bool address_read(struct span literal, uint16_t port, struct address *) MUST_CHECK;

/* From 4 (IPv4) or 16 (IPv6) bytes in network order. */
void address_from_bytes(struct address *, const unsigned char *bytes, size_t count, uint16_t port);

bool address_is_ipv6(const struct address *);
bool address_is_loopback(const struct address *); /* 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104 */

/* Whether the first `bits` bits are those of `network`; of another family never. IPv4 inside IPv6 (::ffff:0:0/96) is
 * IPv4 here. */
bool address_is_within(const struct address *, const struct address *network, unsigned bits);

/* With its port: 10.0.0.4:443, [fe80::1]:443. */
void address_put_port(struct text *, const struct address *);

/* Makes one list of two: families alternate, IPv6 first; what passes ADDRESSES_MAX is left out. */
void addresses_alternate(struct addresses *, const struct addresses *ipv6, const struct addresses *ipv4);

/* Adds one unless the list is full. */
void addresses_add(struct addresses *, const struct address *);

#endif
