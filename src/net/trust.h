/* SPDX-License-Identifier: MIT */
/* The certificates we trust, read once from PEM into fixed memory and then only looked at, by any thread. */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include "base/fault.h"
#include "base/memory.h"
#include "base/span.h"

#include <bearssl_x509.h>

#define TRUST_ANCHORS_MAX 512           /* Debian ships 144 */
#define TRUST_BYTES_MAX (256u * KIB)    /* their names and keys: 71 KiB for Debian's */

/* The Azure roots found at build time, as DER (vendor/roots.sh makes this; docs/roots.md lists them). */
extern const unsigned char *const trust_roots[];
extern const size_t trust_root_sizes[];
extern const size_t trust_root_count;

struct trust_work; /* room to read with, in the same memory */

struct trust {
	br_x509_trust_anchor *anchors;
	size_t count;
	size_t skipped; /* certificates that could not be used: broken, expired, or with a key like RSA-1024 or RSA-8192 */
	size_t expired; /* of those, the expired ones */
	unsigned char *room;
	size_t used;
	struct trust_work *work;
	char origin[PATH_BYTES_MAX]; /* where they came from, for messages */
};

size_t trust_need(void); /* bytes that trust_open takes of a memory */
void trust_open(struct trust *, struct memory *);

/* Adds every certificate of a PEM stream, each one once. One that is no CA's is trusted as that server's own. A broken
 * block is skipped and counted, its neighbours are not lost; missing last newline, BOM, CRLF and text between blocks are
 * fine. BearSSL never looks at the dates of what it trusts, so expired ones are skipped here. False only when there is
 * no usable certificate (FAULT_USAGE), or more than fits (FAULT_BOUND). */
bool trust_add_pem(struct trust *, struct span pem, struct fault *) MUST_CHECK;

/* Adds one certificate; one that cannot be used is counted. */
bool trust_add_der(struct trust *, struct span der, struct fault *) MUST_CHECK;

/* --ca if not NULL; else SSL_CERT_FILE; else the first system bundle there is, and the compiled-in Azure roots with it. */
bool trust_load(struct trust *, const char *ca_file, struct fault *) MUST_CHECK;

#endif
