/* SPDX-License-Identifier: MIT */
#include "net/pem.h"

#include "base/text.h"
#include "unit.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"
#define ABC BEGIN "\nQUJD\n" END

static struct pem pem;

/* What comes of a text, given in pieces of `piece` bytes: each certificate's bytes in brackets, a broken one as !. */
static const char *
scan(const char *words, size_t piece)
{
	static char room[512];
	struct text found = text_in(room, sizeof room);
	struct span all = span_of(words);
	pem_open(&pem);
	while (all.count > 0) {
		struct span part = span_first(all, piece);
		enum pem_event event;
		all = span_from(all, part.count);
		while ((event = pem_next(&pem, &part)) != PEM_MORE) {
			if (event == PEM_BROKEN) {
				text_put(&found, "!");
				continue;
			}
			text_put(&found, "[");
			text_put_span(&found, (struct span){pem.der, pem.count});
			text_put(&found, "]");
		}
		CHECK(part.count == 0);
	}
	if (pem_end(&pem) == PEM_BROKEN)
		text_put(&found, "!");
	return room;
}

static void
check(const char *words, const char *wanted)
{
	CHECK_TEXT(scan(words, 1000), wanted);
	CHECK_TEXT(scan(words, 1), wanted);
	CHECK_TEXT(scan(words, 7), wanted);
}

static void
reads_blocks(void)
{
	check("", "");
	check(ABC "\n", "[ABC]");
	check(BEGIN "\nQUJDRA==\n" END "\n", "[ABCD]");
	check(BEGIN "\nQUJDREU=\n" END "\n", "[ABCDE]");
	check(BEGIN "\nQU\nJDREVG\n" END "\n", "[ABCDEF]");
	check(ABC "\n" BEGIN "\nREVG\n" END "\n", "[ABC][DEF]");
	check("-----BEGIN X509 CERTIFICATE-----\nQUJD\n-----END X509 CERTIFICATE-----\n", "[ABC]");
}

static void
forgives(void)
{
	check(ABC, "[ABC]");
	check("\xef\xbb\xbf" ABC "\n", "[ABC]");
	check(BEGIN "\r\nQUJD\r\n" END "\r\n", "[ABC]");
	check(BEGIN "\rQUJD\r" END "\r", "[ABC]");
	check("  " BEGIN "  \n QUJD\t\n\n " END "\n", "[ABC]");
	check("# a root\nsubject: CN=x - y\n\n" ABC "\nmore words\n" ABC "\n", "[ABC][ABC]");
	check(ABC ABC, "[ABC][ABC]");
	check(BEGIN "QUJD" END "\n" ABC "\n", "[ABC][ABC]");
}

static void
loses_only_the_broken(void)
{
	check(BEGIN "\nQU*D\n" END "\n" ABC "\n", "![ABC]");
	check(BEGIN "\nQUJ\n" END "\n" ABC "\n", "![ABC]");
	check(BEGIN "\nQU==QUJD\n" END "\n" ABC "\n", "![ABC]");
	check(BEGIN "\nQ===\n" END "\n" ABC "\n", "![ABC]");
	check(BEGIN "\n" END "\n" ABC "\n", "![ABC]");
	check(BEGIN "\nQUJD\n" ABC "\n", "![ABC]");
	check(BEGIN "\n" ABC "\n" ABC "\n", "![ABC][ABC]");
	check(BEGIN "\nQUJD\n-----END CERT-----\n" ABC "\n", "![ABC]");
	check(BEGIN "\nQUJD\n--- no marker\n" END "\n" ABC "\n", "![ABC]");
	check(ABC "\n" BEGIN "\nQUJD\n", "[ABC]!");
	check(ABC "\n" BEGIN, "[ABC]!");
}

static void
passes_over_others(void)
{
	check("-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n" ABC, "[ABC]");
	CHECK(pem.saw_key && !pem.saw_other);
	check("-----BEGIN RSA PRIVATE KEY-----\nQUJD\n-----END RSA PRIVATE KEY-----\n", "");
	CHECK(pem.saw_key);
	check("-----BEGIN TRUSTED CERTIFICATE-----\nQUJD\n-----END TRUSTED CERTIFICATE-----\n", "");
	CHECK(pem.saw_other && !pem.saw_key);
	check("-----BEGIN CERTIFICATE REQUEST-----\nQUJD\n-----END CERTIFICATE REQUEST-----\n", "");
	CHECK(pem.saw_other);
	check("-----BEGIN -----\n-----END -----\n-----BEGIN \n", "");
	check(BEGIN "\nQUJD\n-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n" ABC, "![ABC]");
}

static char large[PEM_DER_MAX / 3 * 4 + 200];

static const char *
block_of(size_t bytes)
{
	size_t used = strlen(BEGIN) + 1, digits = bytes / 3 * 4;
	memcpy(large, BEGIN "\n", used);
	memset(large + used, 'A', digits);
	used += digits;
	if (bytes % 3 != 0) {
		memcpy(large + used, bytes % 3 == 1 ? "AA==" : "AAA=", 4);
		used += 4;
	}
	memcpy(large + used, "\n" END, sizeof "\n" END);
	return large;
}

static void
has_room(void)
{
	for (size_t bytes = PEM_DER_MAX - 2; bytes <= PEM_DER_MAX + 2; bytes++) {
		struct span text = span_of(block_of(bytes));
		pem_open(&pem);
		CHECK(pem_next(&pem, &text) == (bytes <= PEM_DER_MAX ? PEM_CERTIFICATE : PEM_BROKEN));
		CHECK(bytes > PEM_DER_MAX || pem.count == bytes);
		CHECK(pem_end(&pem) == PEM_MORE);
	}
}

static void
keeps_the_head(void)
{
	scan("\x30\x82\x01", 1);
	CHECK(pem.head[0] == 0x30 && pem.head[1] == 0x82 && pem.bytes == 3);
}

int
main(void)
{
	UNIT_RUN(reads_blocks);
	UNIT_RUN(forgives);
	UNIT_RUN(loses_only_the_broken);
	UNIT_RUN(passes_over_others);
	UNIT_RUN(has_room);
	UNIT_RUN(keeps_the_head);
	return unit_end();
}
