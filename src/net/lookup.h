/* SPDX-License-Identifier: MIT */
/* Asks the servers of resolv.conf for the addresses of one name: both families at once over UDP from a port of our own,
 * over TCP what does not fit or looks odd; the next server when one is silent or refuses. */
#ifndef NET_LOOKUP_H
#define NET_LOOKUP_H

#include "base/deadline.h"
#include "net/hosts.h"

enum lookup_result {
	LOOKUP_FOUND,
	LOOKUP_EMPTY,   /* the name is there, but has no address */
	LOOKUP_MISSING, /* NXDOMAIN */
	LOOKUP_REFUSED, /* servers answered, none of them usefully */
	LOOKUP_SILENT   /* no server answered */
};

/* `name` is asked as it is, without search. Addresses get `port`. Waits for at most attempts x servers x time-out, and
 * for IPv6 not long once there is IPv4. False: FAULT_TIMEOUT at the deadline, FAULT_STOPPED, FAULT_USAGE for what is no
 * name, FAULT_SYSTEM without random numbers. */
bool lookup_name(const struct resolv *, const char *name, uint16_t port, struct deadline, enum lookup_result *,
                 struct addresses *, struct fault *) MUST_CHECK;

#endif
