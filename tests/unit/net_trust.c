/* SPDX-License-Identifier: MIT */
#include "net/trust.h"

#include "base/encode.h"
#include "base/log.h"
#include "unit.h"

#include <unistd.h>

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "\n-----END CERTIFICATE-----\n"

static struct memory memory;
static struct trust trust;
static char room[64 * 1024];
static struct text pem;

static void
begin(void)
{
	memory.used = 0;
	memset(memory.at, 0, memory.size);
	trust_open(&trust, &memory);
	pem = text_in(room, sizeof room);
}

static void
put_block(struct span der)
{
	text_put(&pem, BEGIN);
	encode_base64(&pem, der);
	text_put(&pem, END);
}

static void
put_root(size_t i)
{
	put_block((struct span){trust_roots[i], trust_root_sizes[i]});
}

static bool
add(struct fault *fault)
{
	fault_clear(fault);
	CHECK(!pem.cut);
	return trust_add_pem(&trust, text_span(&pem), fault);
}

static void
check_refused(enum fault_kind kind, const char *words)
{
	struct fault fault = {0};
	CHECK(!add(&fault));
	CHECK(fault.kind == kind);
	CHECK_TEXT(fault.text, words);
}

static void
has_the_needed_root(void)
{
	CHECK(trust_root_count >= 1);
	CHECK(trust_need() <= memory.size);
}

static void
adds_each_once(void)
{
	struct fault fault = {0};
	begin();
	for (size_t i = 0; i < trust_root_count; i++)
		put_root(i);
	put_root(0);
	CHECK(add(&fault));
	CHECK(trust.count == trust_root_count && trust.skipped == 0);
	CHECK(add(&fault));
	CHECK(trust.count == trust_root_count);
	for (size_t i = 0; i < trust.count; i++)
		CHECK(trust.anchors[i].flags == BR_X509_TA_CA && trust.anchors[i].dn.len > 20);
	CHECK(trust.anchors[0].pkey.key_type == BR_KEYTYPE_RSA && trust.anchors[0].pkey.key.rsa.nlen == 256);
}

static void
counts_what_is_skipped(void)
{
	struct fault fault = {0};
	begin();
	text_put(&pem, BEGIN "AAAA*" END);
	put_root(0);
	put_block(span_of("no certificate"));
	text_put(&pem, BEGIN "AAAA");
	CHECK(add(&fault));
	CHECK(trust.count == 1 && trust.skipped == 3);
}

/* A certificate's dates are not checked by a signature here, so another date can be put in. */
static void
skips_expired_ones(void)
{
	unsigned char der[2048];
	begin();
	memcpy(der, trust_roots[0], trust_root_sizes[0]);
	for (size_t i = 0; i + 13 < trust_root_sizes[0]; i++)
		if (memcmp(der + i, "380115120000Z", 13) == 0)
			memcpy(der + i, "14", 2);
	put_block((struct span){der, trust_root_sizes[0]});
	check_refused(FAULT_USAGE, "every certificate in it has expired, or the clock of this machine is wrong");
	CHECK(trust.expired == 1 && trust.count == 0);
}

/* Basic constraints turned off: the certificate is trusted for itself, not as a CA. */
static void
tells_authorities(void)
{
	unsigned char der[2048];
	static const unsigned char authority[] = {0x30, 0x03, 0x01, 0x01, 0xff};
	struct fault fault = {0};
	size_t changed = 0;
	begin();
	memcpy(der, trust_roots[0], trust_root_sizes[0]);
	for (size_t i = 0; i + sizeof authority < trust_root_sizes[0]; i++)
		if (memcmp(der + i, authority, sizeof authority) == 0) {
			der[i + 4] = 0;
			changed++;
		}
	CHECK(changed == 1);
	put_block((struct span){der, trust_root_sizes[0]});
	CHECK(add(&fault) && trust.count == 1 && trust.anchors[0].flags == 0);
}

static void
explains_wrong_files(void)
{
	begin();
	check_refused(FAULT_USAGE, "it is empty");
	text_put(&pem, "hello\n");
	check_refused(FAULT_USAGE, "it holds no PEM certificates");
	text_put(&pem, "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n");
	check_refused(FAULT_USAGE, "it holds PEM blocks, but no certificate");
	text_put(&pem, "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
	check_refused(FAULT_USAGE, "it holds a private key, not certificates: the CA's certificate is wanted");
	text_put(&pem, BEGIN "AAAA" END);
	check_refused(FAULT_USAGE, "no certificate in it can be used (1 found, 0 of them expired)");
	begin();
	text_put(&pem, "\x30\x82\x03\x8e");
	check_refused(FAULT_USAGE, "it is binary (DER or PKCS#12), not PEM text");
	begin();
	text_put(&pem, "\xff\xfe-");
	check_refused(FAULT_USAGE, "it is UTF-16 text: save it as ASCII or UTF-8");
}

/* The same certificate under ever new names fills the table: the letters of its subject's "DigiCert" are counted up. */
static bool
add_another(unsigned number, struct fault *fault)
{
	unsigned char der[2048];
	size_t at = 0;
	memcpy(der, trust_roots[0], trust_root_sizes[0]);
	for (size_t i = 0; i + 8 < trust_root_sizes[0]; i++)
		if (memcmp(der + i, "DigiCert", 8) == 0)
			at = i;
	for (size_t i = 0; i < 8; i++, number /= 4)
		der[at + i] = (unsigned char)('a' + number % 4);
	return trust_add_der(&trust, (struct span){der, trust_root_sizes[0]}, fault);
}

static void
is_full_in_words(void)
{
	struct fault fault = {0};
	begin();
	for (unsigned i = 0; i < TRUST_ANCHORS_MAX; i++)
		CHECK(add_another(i, &fault));
	CHECK(trust.count == TRUST_ANCHORS_MAX);
	CHECK(add_another(TRUST_ANCHORS_MAX - 1, &fault));
	CHECK(!add_another(TRUST_ANCHORS_MAX, &fault));
	CHECK(fault.kind == FAULT_BOUND);
	CHECK(trust.count == TRUST_ANCHORS_MAX && trust.used <= TRUST_BYTES_MAX);
}

static char path[64];

static void
write_pem(void)
{
	FILE *file = fopen(path, "w");
	CHECK(file != NULL);
	if (file == NULL)
		return;
	CHECK(fwrite(pem.at, 1, pem.used, file) == pem.used);
	fclose(file);
}

static void
loads_a_file(void)
{
	struct fault fault = {0};
	begin();
	for (size_t i = 0; i < trust_root_count; i++)
		put_root(i); /* more than one piece of reading */
	write_pem();
	CHECK(trust_load(&trust, path, &fault));
	CHECK(trust.count == trust_root_count);
	CHECK_TEXT(trust.origin, path);
	begin();
	setenv("SSL_CERT_FILE", path, 1);
	CHECK(trust_load(&trust, NULL, &fault) && trust.count == trust_root_count);
	unsetenv("SSL_CERT_FILE");
	begin();
	text_put(&pem, "nothing");
	write_pem();
	CHECK(!trust_load(&trust, path, &fault));
	CHECK(fault.kind == FAULT_USAGE && strstr(fault.text, "--ca: ") == fault.text && strstr(fault.text, path) != NULL);
	fault_clear(&fault);
	CHECK(!trust_load(&trust, "/nowhere/at/all", &fault));
	CHECK(fault.kind == FAULT_MISSING && fault.detail != 0);
	remove(path);
}

static void
loads_the_system(void)
{
	struct fault fault = {0};
	begin();
	unsetenv("SSL_CERT_FILE");
	CHECK(trust_load(&trust, NULL, &fault));
	CHECK(trust.count >= trust_root_count);
	CHECK(strstr(trust.origin, "compiled-in Azure roots") != NULL);
	if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0)
		CHECK(trust.count > 50 && trust.used < TRUST_BYTES_MAX / 2);
}

int
main(void)
{
	struct fault fault = {0};
	log_open(LOG_QUIET);
	snprintf(path, sizeof path, "/tmp/kudump-net_trust-%ld.pem", (long)getpid());
	if (!memory_open(&memory, trust_need(), &fault))
		return 1;
	UNIT_RUN(has_the_needed_root);
	UNIT_RUN(adds_each_once);
	UNIT_RUN(counts_what_is_skipped);
	UNIT_RUN(skips_expired_ones);
	UNIT_RUN(tells_authorities);
	UNIT_RUN(explains_wrong_files);
	UNIT_RUN(is_full_in_words);
	UNIT_RUN(loads_a_file);
	UNIT_RUN(loads_the_system);
	return unit_end();
}
