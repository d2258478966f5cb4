/* SPDX-License-Identifier: MIT */
#include "net/trust.h"

#include "base/deadline.h"
#include "base/file.h"
#include "base/log.h"
#include "net/certificate.h"
#include "net/pem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RSA_BITS_LEAST 2048
#define PIECE 4096

struct trust_work {
	struct pem pem;
	struct file_source file;
	br_x509_decoder_context decoder;
	unsigned char piece[PIECE];
	/* of the text being read: certificate blocks, those that are trusted now, and trust.expired before it */
	size_t found, usable, expired_before;
};

size_t
trust_need(void)
{
	return memory_need(TRUST_ANCHORS_MAX * sizeof(br_x509_trust_anchor), 16) + memory_need(TRUST_BYTES_MAX, 16) +
	       memory_need(sizeof(struct trust_work), 16);
}

void
trust_open(struct trust *trust, struct memory *memory)
{
	memset(trust, 0, sizeof *trust);
	trust->anchors = memory_take(memory, TRUST_ANCHORS_MAX * sizeof(br_x509_trust_anchor), 16);
	trust->room = memory_take(memory, TRUST_BYTES_MAX, 16);
	trust->work = memory_take(memory, sizeof(struct trust_work), 16);
}

static unsigned char *
keep(struct trust *trust, const void *from, size_t count)
{
	unsigned char *at = trust->room + trust->used;
	memcpy(at, from, count);
	trust->used += count;
	return at;
}

/* Bytes of a key that are to be kept. */
static size_t
key_size(const br_x509_pkey *key)
{
	return key->key_type == BR_KEYTYPE_RSA ? key->key.rsa.nlen + key->key.rsa.elen : key->key.ec.qlen;
}

static bool
is_same_key(const br_x509_pkey *a, const br_x509_pkey *b)
{
	if (a->key_type != b->key_type || key_size(a) != key_size(b))
		return false;
	if (a->key_type == BR_KEYTYPE_RSA)
		return a->key.rsa.nlen == b->key.rsa.nlen && memcmp(a->key.rsa.n, b->key.rsa.n, a->key.rsa.nlen) == 0 &&
		       memcmp(a->key.rsa.e, b->key.rsa.e, a->key.rsa.elen) == 0;
	return a->key.ec.curve == b->key.ec.curve && memcmp(a->key.ec.q, b->key.ec.q, a->key.ec.qlen) == 0;
}

static bool
is_there(const struct trust *trust, struct span name, const br_x509_pkey *key, unsigned flags)
{
	for (size_t i = 0; i < trust->count; i++) {
		const br_x509_trust_anchor *anchor = &trust->anchors[i];
		if (anchor->flags == flags && anchor->dn.len == name.count &&
		    memcmp(anchor->dn.data, name.at, name.count) == 0 && is_same_key(&anchor->pkey, key))
			return true;
	}
	return false;
}

static void
keep_key(struct trust *trust, const br_x509_pkey *from, br_x509_pkey *to)
{
	*to = *from;
	if (from->key_type == BR_KEYTYPE_RSA) {
		to->key.rsa.n = keep(trust, from->key.rsa.n, from->key.rsa.nlen);
		to->key.rsa.e = keep(trust, from->key.rsa.e, from->key.rsa.elen);
	} else {
		to->key.ec.q = keep(trust, from->key.ec.q, from->key.ec.qlen);
	}
}

static bool
add_anchor(struct trust *trust, struct span name, const br_x509_pkey *key, bool authority, struct fault *fault)
{
	unsigned flags = authority ? BR_X509_TA_CA : 0;
	br_x509_trust_anchor *anchor = &trust->anchors[trust->count];
	if (is_there(trust, name, key, flags))
		return true;
	if (trust->count == TRUST_ANCHORS_MAX || name.count + key_size(key) > TRUST_BYTES_MAX - trust->used)
		return fault_raise(fault, FAULT_BOUND, "more than %d CA certificates (or %u KiB of them)", TRUST_ANCHORS_MAX,
		                   TRUST_BYTES_MAX / KIB);
	anchor->flags = flags;
	anchor->dn.data = keep(trust, name.at, name.count);
	anchor->dn.len = name.count;
	keep_key(trust, key, &anchor->pkey);
	trust->count++;
	return true;
}

/* The key as BearSSL will use it; NULL when it cannot. */
static const br_x509_pkey *
decode_key(struct trust *trust, struct span der, const struct certificate *certificate)
{
	br_x509_decoder_context *decoder = &trust->work->decoder;
	const br_x509_pkey *key;
	br_x509_decoder_init(decoder, NULL, NULL);
	br_x509_decoder_push(decoder, der.at, der.count);
	key = br_x509_decoder_get_pkey(decoder);
	if (key != NULL && key->key_type == BR_KEYTYPE_RSA && certificate->rsa_bits < RSA_BITS_LEAST)
		return NULL;
	return key;
}

bool
trust_add_der(struct trust *trust, struct span der, struct fault *fault)
{
	struct certificate certificate;
	const br_x509_pkey *key = NULL;
	bool readable = certificate_read(der, &certificate);
	bool expired = readable && certificate.not_after_s < clock_utc_s();
	if (readable && !expired)
		key = decode_key(trust, der, &certificate);
	if (key != NULL)
		return add_anchor(trust, certificate.subject, key, certificate.authority, fault);
	trust->skipped++;
	trust->expired += expired;
	return true;
}

static void
open_text(struct trust *trust)
{
	pem_open(&trust->work->pem);
	trust->work->found = trust->work->usable = 0;
	trust->work->expired_before = trust->expired;
}

/* Takes what there is in a piece of text. */
static bool
add_piece(struct trust *trust, struct span piece, struct fault *fault)
{
	struct pem *pem = &trust->work->pem;
	enum pem_event event;
	while ((event = pem_next(pem, &piece)) != PEM_MORE) {
		size_t skipped = trust->skipped;
		trust->work->found++;
		if (event == PEM_BROKEN)
			trust->skipped++;
		else if (!trust_add_der(trust, (struct span){pem->der, pem->count}, fault))
			return false;
		trust->work->usable += trust->skipped == skipped;
	}
	return true;
}

/* Some certificate blocks stood there, but nothing came of them. */
static bool
explain_unusable(const struct trust *trust, struct fault *fault)
{
	size_t found = trust->work->found, expired = trust->expired - trust->work->expired_before;
	if (expired == found)
		return fault_raise(fault, FAULT_USAGE, "every certificate in it has expired, or the clock of this machine is wrong");
	return fault_raise(fault, FAULT_USAGE, "no certificate in it can be used (%zu found, %zu of them expired)", found,
	                   expired);
}

/* Not even a block: the usual mistakes. */
static bool
explain_none(const struct pem *pem, struct fault *fault)
{
	const unsigned char *head = pem->head;
	if (pem->bytes == 0)
		return fault_raise(fault, FAULT_USAGE, "it is empty");
	if (pem->saw_key)
		return fault_raise(fault, FAULT_USAGE, "it holds a private key, not certificates: the CA's certificate is wanted");
	if (head[0] == 0x30 && head[1] >= 0x80) {
		fault_raise(fault, FAULT_USAGE, "it is binary (DER or PKCS#12), not PEM text");
		return fault_hint(fault, "`openssl x509 -inform der -in FILE -out ca.pem` makes PEM of a DER certificate");
	}
	if ((head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff))
		return fault_raise(fault, FAULT_USAGE, "it is UTF-16 text: save it as ASCII or UTF-8");
	fault_raise(fault, FAULT_USAGE, "%s", pem->saw_other ? "it holds PEM blocks, but no certificate"
	                                                    : "it holds no PEM certificates");
	return fault_hint(fault, "wanted are blocks that begin with -----BEGIN CERTIFICATE-----");
}

static bool
close_text(struct trust *trust, struct fault *fault)
{
	if (pem_end(&trust->work->pem) == PEM_BROKEN) {
		trust->skipped++;
		trust->work->found++;
	}
	if (trust->work->usable > 0)
		return true;
	return trust->work->found > 0 ? explain_unusable(trust, fault) : explain_none(&trust->work->pem, fault);
}

bool
trust_add_pem(struct trust *trust, struct span pem, struct fault *fault)
{
	open_text(trust);
	return add_piece(trust, pem, fault) && close_text(trust, fault);
}

static bool
add_stream(struct trust *trust, struct source *source, struct fault *fault)
{
	unsigned char *piece = trust->work->piece;
	size_t got;
	open_text(trust);
	do {
		if (!source->read(source, piece, PIECE, &got, fault) || !add_piece(trust, (struct span){piece, got}, fault))
			return false;
	} while (got > 0);
	return close_text(trust, fault);
}

static bool
add_file(struct trust *trust, const char *path, struct fault *fault)
{
	struct file_source *file = &trust->work->file;
	bool good;
	if (!file_source_open(file, path, fault))
		return fault_while(fault, "reading CA certificates");
	good = add_stream(trust, &file->source, fault);
	file_source_close(file);
	return good || fault_while(fault, "reading CA certificates from %s", path);
}

static void
put_origin(struct trust *trust, const char *words)
{
	struct text origin = text_in(trust->origin, sizeof trust->origin);
	text_put(&origin, words);
}

static bool
add_roots(struct trust *trust, struct fault *fault)
{
	for (size_t i = 0; i < trust_root_count; i++)
		if (!trust_add_der(trust, (struct span){trust_roots[i], trust_root_sizes[i]}, fault))
			return fault_while(fault, "adding the compiled-in Azure roots");
	return true;
}

/* The first bundle of the system that can be used: Debian, Red Hat, Alpine. */
static const char *
add_bundle(struct trust *trust)
{
	static const char *const paths[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
	                                    "/etc/ssl/cert.pem"};
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct fault fault = {0};
		if (access(paths[i], R_OK) != 0)
			continue;
		if (add_file(trust, paths[i], &fault))
			return paths[i];
		log_note("%s", fault.text);
	}
	return NULL;
}

static bool
load_system(struct trust *trust, struct fault *fault)
{
	const char *bundle = add_bundle(trust);
	char words[96];
	struct text origin = text_in(words, sizeof words);
	if (bundle != NULL)
		text_printf(&origin, "%s and ", bundle);
	text_printf(&origin, "the %zu compiled-in Azure roots", trust_root_count);
	put_origin(trust, words);
	return add_roots(trust, fault);
}

bool
trust_load(struct trust *trust, const char *ca_file, struct fault *fault)
{
	const char *from_environment = getenv("SSL_CERT_FILE");
	bool good;
	if (ca_file != NULL) {
		put_origin(trust, ca_file);
		good = add_file(trust, ca_file, fault) || fault_while(fault, "--ca");
	} else if (from_environment != NULL && from_environment[0] != 0) {
		put_origin(trust, from_environment);
		good = add_file(trust, from_environment, fault) || fault_while(fault, "SSL_CERT_FILE");
	} else {
		good = load_system(trust, fault);
	}
	if (good)
		log_verbose("%zu CA certificates trusted from %s, %zu skipped", trust->count, trust->origin, trust->skipped);
	return good;
}
