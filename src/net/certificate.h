/* SPDX-License-Identifier: MIT */
/* What an X.509 certificate says of itself (RFC 5280), read for messages and for the checks BearSSL leaves out. No
 * signature is verified here. */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include "base/span.h"
#include "base/text.h"

struct certificate {
	struct span issuer, subject; /* DER names, with their header: equal bytes are equal names */
	int64_t not_before_s, not_after_s;
	struct span signature;       /* OID of the algorithm its issuer signed with */
	struct span key;             /* OID of the kind of its own key */
	struct span curve;           /* OID of that key's curve; empty: none is named */
	unsigned rsa_bits;           /* of its key; 0: no RSA key */
	struct span names;           /* what stands in the subject alternative name; empty: there is none */
	struct span critical;        /* OID of the first extension marked critical that BearSSL does not know */
	bool usage_limited;          /* an extended key usage stands there… */
	bool serves;                 /* …and it allows TLS servers */
	bool names_limited;          /* name constraints stand there */
	bool authority;              /* a CA: by its basic constraints, or self-issued of version 1 */
};

/* Spans point into `der`. False when it is no certificate, or its lengths do not fit together. */
bool certificate_read(struct span der, struct certificate *) MUST_CHECK;

bool certificate_is_self_issued(const struct certificate *);

/* Whether BearSSL knows this kind of key and its curve; says nothing of its size. */
bool certificate_has_usable_key(const struct certificate *);

/* A DER name as people know it: the common name with the organization in brackets, or what of it there is. */
void certificate_put_name(struct text *, struct span name);

/* The first `most` host names it is for, and how many more; the common name when there is no alternative name. */
void certificate_put_hosts(struct text *, const struct certificate *, size_t most);

/* Words for the algorithm of its signature and for its key. */
const char *certificate_signature_words(const struct certificate *);
const char *certificate_key_words(const struct certificate *);

/* Words for the extension in `critical`. */
void certificate_put_extension(struct text *, struct span oid);

#endif
