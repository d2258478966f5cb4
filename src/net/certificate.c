/* SPDX-License-Identifier: MIT */
#include "net/certificate.h"

#include "base/deadline.h"

#include <string.h>

enum tag {
	TAG_BOOLEAN = 0x01,
	TAG_INTEGER = 0x02,
	TAG_BITS = 0x03,
	TAG_OCTETS = 0x04,
	TAG_OID = 0x06,
	TAG_UTC_TIME = 0x17,
	TAG_GENERAL_TIME = 0x18,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_VERSION = 0xa0,
	TAG_EXTENSIONS = 0xa3,
	TAG_DNS_NAME = 0x82
};

/* OIDs in DER, without tag and length; some hold zero bytes, so they are compared with their sizes */
#define OID(bytes) bytes, sizeof(bytes) - 1
#define OID_EXTENSION "\x55\x1d"
#define OID_PKIX "\x2b\x06\x01\x05\x05\x07"
#define OID_PKCS1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define OID_ECDSA "\x2a\x86\x48\xce\x3d\x04"
#define OID_RSA_KEY OID_PKCS1 "\x01"
#define OID_EC_KEY "\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256 "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define OID_P384 "\x2b\x81\x04\x00\x22"
#define OID_P521 "\x2b\x81\x04\x00\x23"
#define OID_ED25519 "\x2b\x65\x70"
#define OID_ED448 "\x2b\x65\x71"
#define OID_COMMON_NAME "\x55\x04\x03"
#define OID_ORGANIZATION "\x55\x04\x0a"
#define OID_UNIT "\x55\x04\x0b"
#define OID_ALTERNATIVE OID_EXTENSION "\x11"
#define OID_CONSTRAINTS OID_EXTENSION "\x13"
#define OID_NAME_LIMITS OID_EXTENSION "\x1e"
#define OID_USAGE OID_EXTENSION "\x25"
#define OID_ANY_USAGE OID_EXTENSION "\x25\x00"
#define OID_SERVER_USAGE OID_PKIX "\x03\x01"

/* The next element: its tag, its content, and *rest behind it. Lengths are definite and at most 16 MiB. */
static bool
der_next(struct span *rest, unsigned *tag, struct span *content)
{
	size_t length, head = 2;
	if (rest->count < 2)
		return false;
	*tag = rest->at[0];
	length = rest->at[1];
	if (length >= 0x80) {
		size_t digits = length & 0x7f;
		if (digits < 1 || digits > 3 || rest->count < 2 + digits)
			return false;
		for (length = 0; head < 2 + digits; head++)
			length = length << 8 | rest->at[head];
	}
	if (length > rest->count - head)
		return false;
	*content = span_first(span_from(*rest, head), length);
	*rest = span_from(*rest, head + length);
	return true;
}

static bool
der_take(struct span *rest, enum tag wanted, struct span *content)
{
	unsigned tag;
	return rest->count > 0 && rest->at[0] == wanted && der_next(rest, &tag, content);
}

/* An element with its header. */
static bool
der_take_whole(struct span *rest, enum tag wanted, struct span *whole)
{
	struct span start = *rest, content;
	if (!der_take(rest, wanted, &content))
		return false;
	*whole = span_first(start, start.count - rest->count);
	return true;
}

static bool
is_oid(struct span oid, const char *bytes, size_t count)
{
	return oid.count == count && memcmp(oid.at, bytes, count) == 0;
}

static bool
is_same(struct span a, struct span b)
{
	return a.count == b.count && (a.count == 0 || memcmp(a.at, b.at, a.count) == 0);
}

/* UTCTime has years of two digits, from 1950 on (RFC 5280 section 4.1.2.5.1). */
static bool
read_time(struct span *rest, int64_t *utc_s)
{
	char room[32];
	struct text iso = text_in(room, sizeof room);
	struct span words;
	unsigned tag;
	if (!der_next(rest, &tag, &words))
		return false;
	if (tag == TAG_UTC_TIME && words.count == 13)
		text_put(&iso, words.at[0] >= '5' ? "19" : "20");
	else if (tag != TAG_GENERAL_TIME || words.count != 15)
		return false;
	else
		text_put_span(&iso, span_first(words, 2));
	words = span_from(words, words.count - 13);
	for (size_t i = 0; i < 6; i++) {
		text_put_span(&iso, span_first(span_from(words, 2 * i), 2));
		text_put_byte(&iso, "--T::Z"[i]);
	}
	return words.at[12] == 'Z' && clock_read_iso(text_span(&iso), utc_s);
}

static bool
read_validity(struct span *rest, struct certificate *certificate)
{
	struct span dates;
	return der_take(rest, TAG_SEQUENCE, &dates) && read_time(&dates, &certificate->not_before_s) &&
	       read_time(&dates, &certificate->not_after_s);
}

static unsigned
count_bits(struct span number)
{
	unsigned bits;
	while (number.count > 0 && number.at[0] == 0)
		number = span_from(number, 1);
	if (number.count == 0)
		return 0;
	bits = (unsigned)number.count * 8;
	for (unsigned char top = number.at[0]; top < 0x80; top = (unsigned char)(top << 1))
		bits--;
	return bits;
}

static bool
read_key(struct span *rest, struct certificate *certificate)
{
	struct span info, algorithm, bits, key, modulus;
	if (!der_take(rest, TAG_SEQUENCE, &info) || !der_take(&info, TAG_SEQUENCE, &algorithm) ||
	    !der_take(&algorithm, TAG_OID, &certificate->key) || !der_take(&info, TAG_BITS, &bits))
		return false;
	if (!is_oid(certificate->key, OID(OID_RSA_KEY))) {
		if (!der_take(&algorithm, TAG_OID, &certificate->curve))
			certificate->curve.count = 0;
		return true;
	}
	bits = span_from(bits, 1);
	if (!der_take(&bits, TAG_SEQUENCE, &key) || !der_take(&key, TAG_INTEGER, &modulus))
		return false;
	certificate->rsa_bits = count_bits(modulus);
	return true;
}

static bool
allows_servers(struct span oid)
{
	return is_oid(oid, OID(OID_SERVER_USAGE)) || is_oid(oid, OID(OID_ANY_USAGE));
}

static bool
read_usage(struct span value, struct certificate *certificate)
{
	struct span list, oid;
	if (!der_take(&value, TAG_SEQUENCE, &list))
		return false;
	certificate->usage_limited = true;
	while (list.count > 0) {
		if (!der_take(&list, TAG_OID, &oid))
			return false;
		certificate->serves = certificate->serves || allows_servers(oid);
	}
	return true;
}

static bool
read_constraints(struct span value, struct certificate *certificate)
{
	struct span parts, flag;
	if (!der_take(&value, TAG_SEQUENCE, &parts))
		return false;
	if (der_take(&parts, TAG_BOOLEAN, &flag))
		certificate->authority = flag.count == 1 && flag.at[0] != 0;
	return true;
}

struct words {
	const char *oid;
	size_t count;
	const char *words;
};

static const char *
look_up(const struct words *table, size_t count, struct span oid)
{
	for (size_t i = 0; i < count; i++)
		if (is_oid(oid, table[i].oid, table[i].count))
			return table[i].words;
	return NULL;
}

/* Those that BearSSL's validator accepts when they are critical. */
static bool
is_known(struct span oid)
{
	static const struct words known[] = {{OID(OID_ALTERNATIVE), ""},       {OID(OID_CONSTRAINTS), ""},
	                                     {OID(OID_EXTENSION "\x0f"), ""}, {OID(OID_EXTENSION "\x20"), ""},
	                                     {OID(OID_EXTENSION "\x23"), ""}, {OID(OID_EXTENSION "\x0e"), ""},
	                                     {OID(OID_EXTENSION "\x12"), ""}, {OID(OID_EXTENSION "\x09"), ""},
	                                     {OID(OID_EXTENSION "\x1f"), ""}, {OID(OID_EXTENSION "\x2e"), ""},
	                                     {OID(OID_PKIX "\x01\x01"), ""}, {OID(OID_PKIX "\x01\x0b"), ""}};
	return look_up(known, sizeof known / sizeof known[0], oid) != NULL;
}

static bool
read_extension(struct span *rest, struct certificate *certificate)
{
	struct span extension, oid, flag = {NULL, 0}, value;
	bool critical;
	if (!der_take(rest, TAG_SEQUENCE, &extension) || !der_take(&extension, TAG_OID, &oid))
		return false;
	critical = der_take(&extension, TAG_BOOLEAN, &flag) && flag.count == 1 && flag.at[0] != 0;
	if (!der_take(&extension, TAG_OCTETS, &value))
		return false;
	if (critical && certificate->critical.count == 0 && !is_known(oid))
		certificate->critical = oid;
	if (is_oid(oid, OID(OID_USAGE)))
		return read_usage(value, certificate);
	if (is_oid(oid, OID(OID_CONSTRAINTS)))
		return read_constraints(value, certificate);
	if (is_oid(oid, OID(OID_NAME_LIMITS)))
		certificate->names_limited = true;
	if (is_oid(oid, OID(OID_ALTERNATIVE)))
		return der_take(&value, TAG_SEQUENCE, &certificate->names);
	return true;
}

static bool
read_extensions(struct span rest, struct certificate *certificate)
{
	struct span outer, list, content;
	unsigned tag;
	/* the unique identifiers of 1993 may stand before */
	while (rest.count > 0 && rest.at[0] != TAG_EXTENSIONS)
		if (!der_next(&rest, &tag, &content))
			return false;
	if (rest.count == 0)
		return true;
	if (!der_take(&rest, TAG_EXTENSIONS, &outer) || !der_take(&outer, TAG_SEQUENCE, &list))
		return false;
	while (list.count > 0)
		if (!read_extension(&list, certificate))
			return false;
	return true;
}

static bool
read_body(struct span body, struct certificate *certificate)
{
	struct span version, serial, algorithm;
	bool first_version = !der_take(&body, TAG_VERSION, &version);
	if (!der_take(&body, TAG_INTEGER, &serial) || !der_take(&body, TAG_SEQUENCE, &algorithm) ||
	    !der_take_whole(&body, TAG_SEQUENCE, &certificate->issuer) || !read_validity(&body, certificate) ||
	    !der_take_whole(&body, TAG_SEQUENCE, &certificate->subject) || !read_key(&body, certificate) ||
	    !read_extensions(body, certificate))
		return false;
	if (first_version)
		certificate->authority = certificate_is_self_issued(certificate);
	return true;
}

bool
certificate_read(struct span der, struct certificate *certificate)
{
	struct span whole, body, algorithm;
	memset(certificate, 0, sizeof *certificate);
	return der_take(&der, TAG_SEQUENCE, &whole) && der.count == 0 && der_take(&whole, TAG_SEQUENCE, &body) &&
	       der_take(&whole, TAG_SEQUENCE, &algorithm) && der_take(&algorithm, TAG_OID, &certificate->signature) &&
	       read_body(body, certificate);
}

bool
certificate_is_self_issued(const struct certificate *certificate)
{
	return is_same(certificate->issuer, certificate->subject);
}

bool
certificate_has_usable_key(const struct certificate *certificate)
{
	if (is_oid(certificate->key, OID(OID_RSA_KEY)))
		return true;
	return is_oid(certificate->key, OID(OID_EC_KEY)) &&
	       (is_oid(certificate->curve, OID(OID_P256)) || is_oid(certificate->curve, OID(OID_P384)) ||
	        is_oid(certificate->curve, OID(OID_P521)));
}

/* The first value of an attribute in a name. */
static bool
find_attribute(struct span name, const char *wanted, size_t count, struct span *value)
{
	struct span sets, set, pair, oid;
	unsigned tag;
	if (!der_take(&name, TAG_SEQUENCE, &sets))
		return false;
	while (der_take(&sets, TAG_SET, &set))
		while (der_take(&set, TAG_SEQUENCE, &pair))
			if (der_take(&pair, TAG_OID, &oid) && is_oid(oid, wanted, count) && der_next(&pair, &tag, value))
				return value->count > 0;
	return false;
}

void
certificate_put_name(struct text *text, struct span name)
{
	struct span common, organization;
	bool has_common = find_attribute(name, OID(OID_COMMON_NAME), &common) || find_attribute(name, OID(OID_UNIT), &common);
	bool has_organization = find_attribute(name, OID(OID_ORGANIZATION), &organization);
	if (has_common)
		text_put_tame(text, common);
	if (has_common && has_organization)
		text_put(text, " (");
	if (has_organization)
		text_put_tame(text, organization);
	if (has_common && has_organization)
		text_put(text, ")");
	if (!has_common && !has_organization)
		text_put(text, "a nameless one");
}

void
certificate_put_hosts(struct text *text, const struct certificate *certificate, size_t most)
{
	struct span names = certificate->names, name;
	size_t count = 0;
	unsigned tag;
	if (names.count == 0) {
		if (find_attribute(certificate->subject, OID(OID_COMMON_NAME), &name))
			text_put_tame(text, name);
		else
			text_put(text, "no host at all");
		return;
	}
	while (der_next(&names, &tag, &name)) {
		if (tag != TAG_DNS_NAME || ++count > most)
			continue;
		text_put(text, count > 1 ? ", " : "");
		text_put_tame(text, name);
	}
	if (count == 0)
		text_put(text, "no host name");
	if (count > most)
		text_printf(text, " and %zu more", count - most);
}

const char *
certificate_signature_words(const struct certificate *certificate)
{
	static const struct words table[] = {
		{OID(OID_PKCS1 "\x04"), "RSA with MD5"},         {OID(OID_PKCS1 "\x05"), "RSA with SHA-1"},
		{OID(OID_PKCS1 "\x0e"), "RSA with SHA-224"},     {OID(OID_PKCS1 "\x0b"), "RSA with SHA-256"},
		{OID(OID_PKCS1 "\x0c"), "RSA with SHA-384"},     {OID(OID_PKCS1 "\x0d"), "RSA with SHA-512"},
		{OID(OID_PKCS1 "\x0a"), "RSA-PSS"},              {OID(OID_ECDSA "\x01"), "ECDSA with SHA-1"},
		{OID(OID_ECDSA "\x03\x01"), "ECDSA with SHA-224"}, {OID(OID_ECDSA "\x03\x02"), "ECDSA with SHA-256"},
		{OID(OID_ECDSA "\x03\x03"), "ECDSA with SHA-384"}, {OID(OID_ECDSA "\x03\x04"), "ECDSA with SHA-512"},
		{OID(OID_ED25519), "Ed25519"},                   {OID(OID_ED448), "Ed448"}};
	const char *words = look_up(table, sizeof table / sizeof table[0], certificate->signature);
	return words != NULL ? words : "an unknown algorithm";
}

const char *
certificate_key_words(const struct certificate *certificate)
{
	static const struct words table[] = {{OID(OID_RSA_KEY), "an RSA key"},
	                                     {OID(OID_PKCS1 "\x0a"), "an RSA-PSS key"},
	                                     {OID(OID_EC_KEY), "a key on an elliptic curve other than P-256, P-384 and P-521"},
	                                     {OID(OID_ED25519), "an Ed25519 key"},
	                                     {OID(OID_ED448), "an Ed448 key"}};
	const char *words = look_up(table, sizeof table / sizeof table[0], certificate->key);
	return words != NULL ? words : "a key of an unknown kind";
}

/* Dotted decimal (X.690 section 8.19): the first number holds the first two arcs. */
static void
put_oid(struct text *text, struct span oid)
{
	uint32_t number = 0;
	bool first = true;
	for (size_t i = 0; i < oid.count; i++) {
		number = number << 7 | (oid.at[i] & 0x7fu);
		if (oid.at[i] & 0x80)
			continue;
		if (first)
			text_printf(text, "%u.%u", (unsigned)(number / 40), (unsigned)(number % 40));
		else
			text_printf(text, ".%lu", (unsigned long)number);
		first = false;
		number = 0;
	}
}

void
certificate_put_extension(struct text *text, struct span oid)
{
	static const struct words table[] = {{OID(OID_USAGE), "extended key usage"},
	                                     {OID(OID_NAME_LIMITS), "name constraints"},
	                                     {OID(OID_EXTENSION "\x24"), "policy constraints"},
	                                     {OID(OID_EXTENSION "\x36"), "inhibit any policy"}};
	const char *words = look_up(table, sizeof table / sizeof table[0], oid);
	if (words != NULL)
		text_put(text, words);
	else
		put_oid(text, oid);
}
