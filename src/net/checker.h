/* SPDX-License-Identifier: MIT */
/* The judge of a server's certificate chain: BearSSL's minimal validator, behind it the checks that one lacks (extended
 * key usage, name constraints), and a memory of what was seen, for messages. It cannot be told to let something pass. */
#ifndef NET_CHECKER_H
#define NET_CHECKER_H

#include "net/certificate.h"
#include "net/trust.h"

#include <bearssl_x509.h>

#define CHECKER_CERTIFICATE_MAX (16u * KIB) /* public leaves have 1 to 8 KiB; one with hundreds of names passes this */
#define CHECKER_NAME_MAX 120

enum checker_refusal {
	CHECKER_FINE,
	CHECKER_NOT_FOR_SERVERS,
	CHECKER_NAMES_LIMITED,
	CHECKER_TOO_LARGE,
	CHECKER_UNREADABLE
};

struct checker {
	const br_x509_class *vtable; /* first: BearSSL's engine sees only this */
	br_x509_minimal_context minimal;
	const struct trust *trust;
	int64_t now_s;
	int64_t ends_s; /* when the first of the certificates seen runs out */
	/* the certificate being received, or the one where the verdict fell */
	unsigned char room[CHECKER_CERTIFICATE_MAX];
	size_t length, used;
	struct certificate certificate;
	unsigned seen;  /* certificates that came before the verdict, that one included */
	bool decided;   /* what comes now does not count: the chain has reached a trusted key, or failed */
	char awaited[CHECKER_NAME_MAX]; /* who signed the certificate below */
	enum checker_refusal refused; /* our own reason, beside BearSSL's */
	char refused_name[CHECKER_NAME_MAX];
};

/* Ready for one chain, judged by the clock reading `now_s`. `trust` stays the caller's and must outlive it. */
void checker_open(struct checker *, const struct trust *, int64_t now_s);

/* Whether this BearSSL code is about certificates. */
bool checker_owns(int error);

/* Says in plain words why the chain of `host` was refused. Always false: FAULT_TLS with the code as detail. */
bool checker_explain(const struct checker *, int error, const char *host, struct fault *);

#endif
