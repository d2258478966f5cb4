/* SPDX-License-Identifier: MIT */
/* Read from the compiled-in roots, of which the first is always DigiCert Global Root G2. */
#include "net/certificate.h"

#include "net/trust.h"
#include "unit.h"

#define DER_MAX 4096

static unsigned char copy[DER_MAX];
static char room[600];

static struct span
root(size_t i)
{
	return (struct span){trust_roots[i], trust_root_sizes[i]};
}

static struct span
copied(size_t i)
{
	memcpy(copy, trust_roots[i], trust_root_sizes[i]);
	return (struct span){copy, trust_root_sizes[i]};
}

/* Where these bytes stand in the copy. */
static unsigned char *
find(struct span der, const char *bytes, size_t count)
{
	for (size_t i = 0; i + count <= der.count; i++)
		if (memcmp(copy + i, bytes, count) == 0)
			return copy + i;
	return NULL;
}

static void
reads_a_root(void)
{
	struct certificate certificate;
	struct text name = text_in(room, sizeof room);
	CHECK(certificate_read(root(0), &certificate));
	certificate_put_name(&name, certificate.subject);
	CHECK_TEXT(room, "DigiCert Global Root G2 (DigiCert Inc)");
	CHECK(certificate_is_self_issued(&certificate));
	CHECK(certificate.authority && certificate.rsa_bits == 2048);
	CHECK(!certificate.usage_limited && !certificate.names_limited && certificate.critical.count == 0);
	CHECK(certificate.not_before_s == 1375358400); /* 2013-08-01 12:00 */
	CHECK(certificate.not_after_s == 2147169600);  /* 2038-01-15 12:00 */
	CHECK_TEXT(certificate_signature_words(&certificate), "RSA with SHA-256");
	CHECK_TEXT(certificate_key_words(&certificate), "an RSA key");
	CHECK(certificate_has_usable_key(&certificate));
	text_reset(&name);
	certificate_put_hosts(&name, &certificate, 3);
	CHECK_TEXT(room, "DigiCert Global Root G2");
}

static void
reads_them_all(void)
{
	for (size_t i = 0; i < trust_root_count; i++) {
		struct certificate certificate;
		CHECK(certificate_read(root(i), &certificate));
		CHECK(certificate.authority && certificate_is_self_issued(&certificate));
		CHECK(certificate_has_usable_key(&certificate));
		CHECK(certificate.not_after_s > certificate.not_before_s);
	}
}

static void
refuses_each_cut(void)
{
	for (size_t i = 0; i < trust_root_count; i++)
		for (size_t count = 0; count < trust_root_sizes[i]; count++) {
			struct certificate certificate;
			CHECK(!certificate_read(span_first(root(i), count), &certificate));
		}
}

/* Any bits may stand there: nothing outside the bytes is read (the sanitizers see to that). */
static void
bears_each_byte(void)
{
	struct span der = copied(0);
	for (size_t i = 0; i < der.count; i++)
		for (unsigned flip = 1; flip < 256; flip = flip << 1 | 1) {
			struct certificate certificate;
			struct text name = text_in(room, sizeof room);
			copy[i] ^= (unsigned char)flip;
			if (certificate_read(der, &certificate)) {
				certificate_put_name(&name, certificate.subject);
				certificate_put_hosts(&name, &certificate, 2);
				certificate_put_extension(&name, certificate.critical);
			}
			copy[i] ^= (unsigned char)flip;
		}
	CHECK(memcmp(copy, trust_roots[0], der.count) == 0);
}

static void
reads_both_kinds_of_year(void)
{
	struct span der = copied(0);
	unsigned char *date = find(der, "130801120000Z", 13);
	struct certificate certificate;
	CHECK(date != NULL);
	if (date == NULL)
		return;
	memcpy(date, "500101000000Z", 13);
	CHECK(certificate_read(der, &certificate) && certificate.not_before_s == -631152000);
	memcpy(date, "490101000000Z", 13);
	CHECK(certificate_read(der, &certificate) && certificate.not_before_s == 2493072000);
	memcpy(date, "491301000000Z", 13);
	CHECK(!certificate_read(der, &certificate));
	memcpy(date, "490101000000+", 13);
	CHECK(!certificate_read(der, &certificate));
	memcpy(date, "49010100 000Z", 13);
	CHECK(!certificate_read(der, &certificate));
}

static void
tames_names(void)
{
	struct span der = copied(0);
	unsigned char *name = find(der, "DigiCert Inc", 12);
	struct certificate certificate;
	struct text text = text_in(room, sizeof room);
	CHECK(name != NULL);
	if (name == NULL)
		return;
	memcpy(name, "Digi\x1b[2J\n\xff!", 11); /* the issuer's; the subject's follows */
	CHECK(certificate_read(der, &certificate));
	CHECK(!certificate_is_self_issued(&certificate));
	certificate_put_name(&text, certificate.issuer);
	CHECK_TEXT(room, "DigiCert Global Root G2 (Digi?[2J?" "?!c)");
}

static void
names_extensions(void)
{
	struct text text = text_in(room, sizeof room);
	certificate_put_extension(&text, (struct span){(const unsigned char *)"\x2a\x03\x04\x87\x68", 5});
	CHECK_TEXT(room, "1.2.3.4.1000");
	text_reset(&text);
	certificate_put_extension(&text, (struct span){(const unsigned char *)"\x55\x1d\x25", 3});
	CHECK_TEXT(room, "extended key usage");
	text_reset(&text);
	certificate_put_extension(&text, (struct span){NULL, 0});
	CHECK_TEXT(room, "");
}

int
main(void)
{
	UNIT_RUN(reads_a_root);
	UNIT_RUN(reads_them_all);
	UNIT_RUN(refuses_each_cut);
	UNIT_RUN(bears_each_byte);
	UNIT_RUN(reads_both_kinds_of_year);
	UNIT_RUN(tames_names);
	UNIT_RUN(names_extensions);
	return unit_end();
}
