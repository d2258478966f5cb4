/* SPDX-License-Identifier: MIT */
#include "net/checker.h"

#include "base/deadline.h"

#include <bearssl_ec.h>
#include <bearssl_hash.h>
#include <bearssl_rsa.h>
#include <bearssl_ssl.h>
#include <string.h>

#define RSA_BYTES_LEAST 256
#define DAYS_TO_1970 719528 /* BearSSL counts days from the year 0 */
#define HOSTS_SHOWN 4

static void
keep_name(char room[CHECKER_NAME_MAX], struct span name)
{
	struct text text = text_in(room, CHECKER_NAME_MAX);
	certificate_put_name(&text, name);
}

static void
start_chain(const br_x509_class **context, const char *host)
{
	struct checker *checker = (struct checker *)(void *)context;
	checker->minimal.vtable->start_chain(&checker->minimal.vtable, host);
}

static void
start_certificate(const br_x509_class **context, uint32_t length)
{
	struct checker *checker = (struct checker *)(void *)context;
	/* once BearSSL has its verdict it looks at nothing more, and neither do we: certificates above a trusted one are
	 * no part of the path */
	checker->decided = checker->minimal.err != 0;
	if (!checker->decided) {
		/* the names of the one before stand in the room that this one will fill */
		if (checker->seen > 0)
			keep_name(checker->awaited, checker->certificate.issuer);
		checker->length = length;
		checker->used = 0;
	}
	checker->minimal.vtable->start_cert(&checker->minimal.vtable, length);
}

static void
append(const br_x509_class **context, const unsigned char *from, size_t count)
{
	struct checker *checker = (struct checker *)(void *)context;
	if (!checker->decided && count <= sizeof checker->room - checker->used) {
		memcpy(checker->room + checker->used, from, count);
		checker->used += count;
	}
	checker->minimal.vtable->append(&checker->minimal.vtable, from, count);
}

static void
refuse(struct checker *checker, enum checker_refusal reason)
{
	if (checker->refused != CHECKER_FINE)
		return;
	checker->refused = reason;
	keep_name(checker->refused_name, checker->certificate.subject);
}

/* What BearSSL's validator leaves unchecked. */
static void
inspect(struct checker *checker)
{
	const struct certificate *certificate = &checker->certificate;
	bool whole = checker->used == checker->length;
	/* of a part nothing is read, but the names of the one before are gone from the room too */
	bool readable = certificate_read((struct span){checker->room, whole ? checker->used : 0}, &checker->certificate);
	if (!whole)
		refuse(checker, CHECKER_TOO_LARGE);
	else if (!readable)
		refuse(checker, CHECKER_UNREADABLE);
	else if (certificate->usage_limited && !certificate->serves)
		refuse(checker, CHECKER_NOT_FOR_SERVERS);
	else if (certificate->names_limited)
		refuse(checker, CHECKER_NAMES_LIMITED);
	if (readable && certificate->not_after_s < checker->ends_s)
		checker->ends_s = certificate->not_after_s;
}

static void
end_certificate(const br_x509_class **context)
{
	struct checker *checker = (struct checker *)(void *)context;
	checker->minimal.vtable->end_cert(&checker->minimal.vtable);
	if (checker->decided)
		return;
	checker->seen++;
	inspect(checker);
}

static unsigned
refusal_code(const struct checker *checker)
{
	switch (checker->refused) {
	case CHECKER_FINE: return 0;
	case CHECKER_NOT_FOR_SERVERS: return BR_ERR_X509_FORBIDDEN_KEY_USAGE;
	case CHECKER_NAMES_LIMITED: return BR_ERR_X509_CRITICAL_EXTENSION;
	case CHECKER_TOO_LARGE: return BR_ERR_X509_LIMIT_EXCEEDED;
	case CHECKER_UNREADABLE: break;
	}
	return BR_ERR_X509_UNEXPECTED;
}

static unsigned
end_chain(const br_x509_class **context)
{
	struct checker *checker = (struct checker *)(void *)context;
	unsigned error = checker->minimal.vtable->end_chain(&checker->minimal.vtable);
	if (error != 0) {
		/* BearSSL's own verdict is told before ours, but for one that needs the names we have no room for */
		if (checker->refused != CHECKER_TOO_LARGE)
			checker->refused = CHECKER_FINE;
		return error;
	}
	return refusal_code(checker);
}

static const br_x509_pkey *
get_key(const br_x509_class *const *context, unsigned *usages)
{
	const struct checker *checker = (const struct checker *)(const void *)context;
	return checker->minimal.vtable->get_pkey(&checker->minimal.vtable, usages);
}

static const br_x509_class checker_class = {sizeof(struct checker), start_chain, start_certificate, append,
                                            end_certificate,        end_chain,   get_key};

void
checker_open(struct checker *checker, const struct trust *trust, int64_t now_s)
{
	br_x509_minimal_context *minimal = &checker->minimal;
	checker->vtable = &checker_class;
	checker->trust = trust;
	checker->now_s = now_s;
	checker->ends_s = INT64_MAX;
	checker->length = checker->used = 0;
	checker->seen = 0;
	checker->decided = false;
	checker->refused = CHECKER_FINE;
	checker->awaited[0] = checker->refused_name[0] = 0;
	memset(&checker->certificate, 0, sizeof checker->certificate);
	br_x509_minimal_init(minimal, &br_sha256_vtable, trust->anchors, trust->count);
	br_x509_minimal_set_rsa(minimal, br_rsa_pkcs1_vrfy_get_default());
	br_x509_minimal_set_ecdsa(minimal, &br_ec_all_m31, br_ecdsa_i31_vrfy_asn1);
	/* no others: a certificate signed with SHA-1 or SHA-224 is refused */
	br_x509_minimal_set_hash(minimal, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_hash(minimal, br_sha384_ID, &br_sha384_vtable);
	br_x509_minimal_set_hash(minimal, br_sha512_ID, &br_sha512_vtable);
	br_x509_minimal_set_minrsa(minimal, RSA_BYTES_LEAST);
	br_x509_minimal_set_time(minimal, (uint32_t)(now_s / 86400 + DAYS_TO_1970), (uint32_t)(now_s % 86400));
}

bool
checker_owns(int error)
{
	return error >= BR_ERR_X509_OK && error <= BR_ERR_X509_NOT_TRUSTED;
}

/* "the certificate of HOST", or of which authority above it. */
static void
put_which(struct text *text, const struct checker *checker, const char *host)
{
	if (checker->seen <= 1) {
		text_printf(text, "the certificate of %s", host);
		return;
	}
	text_put(text, "the CA certificate \"");
	certificate_put_name(text, checker->certificate.subject);
	text_printf(text, "\" in the chain of %s", host);
}

static bool
explain_dates(const struct checker *checker, const char *which, struct fault *fault)
{
	const struct certificate *certificate = &checker->certificate;
	bool early = checker->now_s < certificate->not_before_s;
	char date_room[32], now_room[32];
	struct text date = text_in(date_room, sizeof date_room), now = text_in(now_room, sizeof now_room);
	clock_put_iso(&date, early ? certificate->not_before_s : certificate->not_after_s);
	clock_put_iso(&now, checker->now_s);
	fault_raise(fault, FAULT_TLS, "%s %s %s; the clock of this machine says %s", which,
	            early ? "is not yet valid: it begins on" : "expired on", date_room, now_room);
	return fault_hint(fault, "%s", early ? "if the clock of this machine is behind, set it"
	                                     : "if that date is still to come, set the clock of this machine; else the "
	                                       "certificate must be renewed there");
}

/* A trusted root of the issuer's name, but with another key. */
static bool
is_namesake_trusted(const struct checker *checker)
{
	struct span issuer = checker->certificate.issuer;
	for (size_t i = 0; i < checker->trust->count; i++) {
		const br_x500_name *name = &checker->trust->anchors[i].dn;
		if (issuer.count > 0 && name->len == issuer.count && memcmp(name->data, issuer.at, issuer.count) == 0)
			return true;
	}
	return false;
}

static bool
explain_untrusted(const struct checker *checker, const char *host, struct fault *fault)
{
	const struct certificate *certificate = &checker->certificate;
	bool self_issued = certificate_is_self_issued(certificate);
	char subject[CHECKER_NAME_MAX], issuer[CHECKER_NAME_MAX];
	keep_name(subject, certificate->subject);
	keep_name(issuer, certificate->issuer);
	if (is_namesake_trusted(checker))
		return fault_raise(fault, FAULT_TLS,
		                   "the chain of %s ends at \"%s\", said to be issued by \"%s\", but the trusted certificate of that "
		                   "name did not sign it",
		                   host, subject, issuer);
	if (self_issued && checker->seen == 1)
		fault_raise(fault, FAULT_TLS, "the certificate of %s is self-signed (\"%s\") and not among those trusted from %s",
		            host, subject, checker->trust->origin);
	else if (self_issued)
		fault_raise(fault, FAULT_TLS, "the chain of %s ends at the root \"%s\", which is not among those trusted from %s",
		            host, subject, checker->trust->origin);
	else
		fault_raise(fault, FAULT_TLS,
		            "unknown issuer: the chain of %s ends at \"%s\", issued by \"%s\", which is not among those trusted "
		            "from %s",
		            host, subject, issuer, checker->trust->origin);
	return fault_hint(fault, "give the certificate of \"%s\" with --ca FILE if you trust it: a proxy that inspects TLS or "
	                         "a server that leaves out an intermediate looks like this",
	                  self_issued ? subject : issuer);
}

static bool
explain_name(const struct checker *checker, const char *host, struct fault *fault)
{
	char room[256];
	struct text hosts = text_in(room, sizeof room);
	certificate_put_hosts(&hosts, &checker->certificate, HOSTS_SHOWN);
	fault_raise(fault, FAULT_TLS, "the certificate is not for %s but for %s", host, room);
	return fault_hint(fault, "check the address; behind a private address use --resolve HOST:ADDR and keep the name");
}

static bool
explain_limit(const struct checker *checker, const char *which, struct fault *fault)
{
	unsigned bits = checker->certificate.rsa_bits;
	if (bits > 4096)
		return fault_raise(fault, FAULT_TLS, "%s has an RSA key of %u bits; more than 4096 cannot be used here", which,
		                   bits);
	return fault_raise(fault, FAULT_TLS, "%s has a key or signature larger than can be used here", which);
}

/* Either the kind of the key or the algorithm of the signature. */
static bool
explain_algorithm(const struct checker *checker, const char *which, struct fault *fault)
{
	const struct certificate *certificate = &checker->certificate;
	if (certificate_has_usable_key(certificate))
		fault_raise(fault, FAULT_TLS, "%s is signed with %s, which is not accepted", which,
		            certificate_signature_words(certificate));
	else
		fault_raise(fault, FAULT_TLS, "%s has %s, which cannot be used here", which, certificate_key_words(certificate));
	return fault_hint(fault, "needed are RSA (2048 to 4096 bits) or P-256, P-384, P-521 keys and signatures by RSA "
	                         "PKCS#1 or ECDSA with SHA-256, SHA-384 or SHA-512");
}

static bool
explain_extension(const struct checker *checker, const char *which, struct fault *fault)
{
	char room[80];
	struct text words = text_in(room, sizeof room);
	certificate_put_extension(&words, checker->certificate.critical);
	return fault_raise(fault, FAULT_TLS, "%s has a critical extension that kudump cannot honour: %s", which, room);
}

static bool
explain_refusal(const struct checker *checker, const char *host, struct fault *fault)
{
	const char *name = checker->refused_name;
	switch (checker->refused) {
	case CHECKER_NOT_FOR_SERVERS:
		return fault_raise(fault, FAULT_TLS,
		                   "the certificate \"%s\" in the chain of %s is not for TLS servers: its extended key usage says "
		                   "otherwise",
		                   name, host);
	case CHECKER_NAMES_LIMITED:
		return fault_raise(fault, FAULT_TLS,
		                   "the certificate \"%s\" in the chain of %s limits the names below it (name constraints), which "
		                   "kudump cannot honour",
		                   name, host);
	case CHECKER_TOO_LARGE:
		return fault_raise(fault, FAULT_TLS, "a certificate in the chain of %s is larger than %u KiB", host,
		                   CHECKER_CERTIFICATE_MAX / KIB);
	default: return fault_raise(fault, FAULT_TLS, "a certificate in the chain of %s cannot be read", host);
	}
}

static bool
explain(const struct checker *checker, int error, const char *host, const char *which, struct fault *fault)
{
	switch (error) {
	case BR_ERR_X509_EMPTY_CHAIN: return fault_raise(fault, FAULT_TLS, "%s sent no certificate", host);
	case BR_ERR_X509_EXPIRED: return explain_dates(checker, which, fault);
	case BR_ERR_X509_NOT_TRUSTED: return explain_untrusted(checker, host, fault);
	case BR_ERR_X509_BAD_SERVER_NAME: return explain_name(checker, host, fault);
	case BR_ERR_X509_LIMIT_EXCEEDED: return explain_limit(checker, which, fault);
	case BR_ERR_X509_UNSUPPORTED: return explain_algorithm(checker, which, fault);
	case BR_ERR_X509_CRITICAL_EXTENSION: return explain_extension(checker, which, fault);
	case BR_ERR_X509_WEAK_PUBLIC_KEY:
		return fault_raise(fault, FAULT_TLS, "%s has an RSA key of %u bits; at least 2048 are needed", which,
		                   checker->certificate.rsa_bits);
	case BR_ERR_X509_BAD_SIGNATURE:
	case BR_ERR_X509_WRONG_KEY_TYPE:
		return fault_raise(fault, FAULT_TLS,
		                   "a signature in the chain of %s is wrong: \"%s\" did not sign what is said to come from it", host,
		                   checker->awaited);
	case BR_ERR_X509_DN_MISMATCH:
		return fault_raise(fault, FAULT_TLS,
		                   "%s sends its certificates in a wrong order: \"%s\" should follow, but another one does", host,
		                   checker->awaited);
	case BR_ERR_X509_NOT_CA:
		return fault_raise(fault, FAULT_TLS, "%s is not one of a CA, or not of one this far up, yet it signed another",
		                   which);
	case BR_ERR_X509_FORBIDDEN_KEY_USAGE:
		return fault_raise(fault, FAULT_TLS, "%s has a key usage that forbids what it is used for", which);
	default: return fault_raise(fault, FAULT_TLS, "%s is malformed (BearSSL says %d)", which, error);
	}
}

bool
checker_explain(const struct checker *checker, int error, const char *host, struct fault *fault)
{
	char room[CHECKER_NAME_MAX + HOST_MAX + 64];
	struct text which = text_in(room, sizeof room);
	bool first = fault->kind == FAULT_NONE;
	put_which(&which, checker, host);
	if (checker->refused != CHECKER_FINE)
		explain_refusal(checker, host, fault);
	else
		explain(checker, error, host, room, fault);
	if (first)
		fault->detail = error;
	return false;
}
