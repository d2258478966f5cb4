/* SPDX-License-Identifier: MIT */
/* DNS messages as pure functions: one question is written, what came back is judged (RFC 1035, AAAA: RFC 3596, EDNS0:
 * RFC 6891). Nothing here knows sockets; every byte of an answer is hostile. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/bounds.h"
#include "base/fault.h"
#include "base/span.h"

#define DNS_NAME_MAX 255     /* of a name on the wire, with its lengths and the root (RFC 1035 2.3.4) */
#define DNS_QUERY_MAX (12 + DNS_NAME_MAX + 4 + 11)
#define DNS_UDP_BYTES 1232   /* what we offer to receive: unfragmented on any path of IPv6 */
#define DNS_ANSWER_MAX 3072  /* what we read of an answer over TCP: a chain of the longest names, and addresses */
#define DNS_CHAIN_MAX 16     /* CNAMEs from a name to its addresses; Azure's front ends have 3 to 6 */

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

struct dns_question {
	unsigned char wire[DNS_QUERY_MAX];
	size_t count;   /* of the whole message */
	size_t end;     /* of the question in it */
	bool edns;
};

struct dns_answer {
	unsigned char bytes[ADDRESSES_MAX][16]; /* 4 of them used for DNS_A */
	size_t count;
};

enum dns_verdict {
	DNS_FOREIGN,  /* no answer to this question: wait on */
	DNS_ANSWERED, /* addresses, or none: the name has none of this type */
	DNS_MISSING,  /* there is no such name (NXDOMAIN) */
	DNS_CUT,      /* truncated: ask over TCP; the addresses that were in it are there */
	DNS_PLAIN,    /* the server does not know EDNS: ask without */
	DNS_REFUSED,  /* this server cannot or will not: ask another one */
	DNS_BROKEN    /* ill-formed, or a chain without end */
};

/* Writes the message that asks for `name` (ASCII, with or without a trailing dot). False when an empty or overlong
 * label or the length makes it no name. */
bool dns_write(struct dns_question *, const char *name, enum dns_type, uint16_t id, bool edns) MUST_CHECK;

/* Judges a message. `partial`: it is the first part of a longer one, which is no reason to call it broken. Addresses are
 * those of the name at the end of the chain of CNAMEs, in their order, at most ADDRESSES_MAX. */
enum dns_verdict dns_judge(const struct dns_question *, struct span message, bool partial, struct dns_answer *);

#endif
