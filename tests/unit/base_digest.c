/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include "unit.h"

#include <pthread.h>

#define POLYNOMIAL 0x9A6C9329AC4BC9B5u
#define MANY 9000

static unsigned char bytes[MANY + 64];

/* Small and repeatable. */
static uint32_t
dice(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static uint64_t
crc64_by_bits(uint64_t crc, const unsigned char *from, size_t count)
{
	crc = ~crc;
	for (size_t i = 0; i < count; i++) {
		crc ^= from[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
	}
	return ~crc;
}

static void
crc64_has_its_check_value(void)
{
	CHECK(crc64_add(0, "123456789", 9) == 0xae8b14860a799888u);
	CHECK(crc64_add_portable(0, "123456789", 9) == 0xae8b14860a799888u);
	CHECK(crc64_by_bits(0, (const unsigned char *)"123456789", 9) == 0xae8b14860a799888u);
	CHECK(crc64_add(0, NULL, 0) == 0 && crc64_add(17, NULL, 0) == 17);
}

static void
crc64_is_right_at_each_length_and_place(void)
{
	int wrong = 0;
	for (size_t place = 0; place < 17; place++)
		for (size_t count = 0; count <= 420; count++) {
			uint64_t wanted = crc64_by_bits(count, bytes + place, count);
			wrong += crc64_add(count, bytes + place, count) != wanted;
			wrong += crc64_add_portable(count, bytes + place, count) != wanted;
		}
	CHECK(wrong == 0);
}

static void
crc64_may_be_split_anywhere(void)
{
	uint64_t whole = crc64_by_bits(0, bytes, MANY);
	uint32_t state = 1;
	int wrong = 0;
	CHECK(crc64_add(0, bytes, MANY) == whole && crc64_add_portable(0, bytes, MANY) == whole);
	for (int round = 0; round < 300; round++) {
		uint64_t crc = 0, plain = 0;
		for (size_t at = 0; at < MANY;) {
			size_t count = dice(&state) % (round % 3 == 0 ? 20 : 2000);
			count = count < MANY - at ? count : MANY - at;
			crc = crc64_add(crc, bytes + at, count);
			plain = crc64_add_portable(plain, bytes + at, count);
			at += count;
		}
		wrong += crc != whole || plain != whole;
	}
	CHECK(wrong == 0);
}

static bool
hex_is(const unsigned char *from, size_t count, const char *wanted)
{
	char hex[2 * SHA256_BYTES + 1];
	for (size_t i = 0; i < count; i++)
		snprintf(hex + 2 * i, 3, "%02x", from[i]);
	return strcmp(hex, wanted) == 0;
}

static bool
sha256_of_text_is(void (*open)(struct sha256 *), const char *text, const char *wanted)
{
	struct sha256 sha;
	unsigned char result[SHA256_BYTES];
	open(&sha);
	sha256_add(&sha, text, strlen(text));
	sha256_close(&sha, result);
	return hex_is(result, sizeof result, wanted);
}

/* FIPS 180-4's examples */
static void
sha256_gives_the_examples_of_the_standard(void)
{
	void (*const opens[])(struct sha256 *) = {sha256_open, sha256_open_portable};
	for (int i = 0; i < 2; i++) {
		CHECK(sha256_of_text_is(opens[i], "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
		CHECK(sha256_of_text_is(opens[i], "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
		CHECK(sha256_of_text_is(opens[i], "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		                        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
	}
}

static void
bearssl_sha256(const void *from, size_t count, unsigned char result[SHA256_BYTES])
{
	br_sha256_context context;
	br_sha256_init(&context);
	br_sha256_update(&context, from, count);
	br_sha256_out(&context, result);
}

static void
sha256_by_cpu_is_bearssls(void)
{
	unsigned char wanted[SHA256_BYTES], got[SHA256_BYTES];
	struct sha256 sha;
	int wrong = 0;
	if (!sha256_is_by_cpu()) {
		SKIP("this CPU has no SHA instructions");
		return;
	}
	for (size_t count = 0; count <= 1024; count++) {
		sha256_open(&sha);
		sha256_add(&sha, bytes + count % 19, count);
		sha256_close(&sha, got);
		bearssl_sha256(bytes + count % 19, count, wanted);
		wrong += memcmp(got, wanted, sizeof got) != 0;
	}
	CHECK(wrong == 0);
}

static void
sha256_may_be_split_anywhere(void)
{
	unsigned char wanted[SHA256_BYTES], got[SHA256_BYTES], plain[SHA256_BYTES];
	struct sha256 sha, portable;
	uint32_t state = 7;
	int wrong = 0;
	bearssl_sha256(bytes, MANY, wanted);
	for (int round = 0; round < 200; round++) {
		sha256_open(&sha);
		sha256_open_portable(&portable);
		for (size_t at = 0; at < MANY;) {
			size_t count = dice(&state) % (round % 3 == 0 ? 70 : 1000);
			count = count < MANY - at ? count : MANY - at;
			sha256_add(&sha, bytes + at, count);
			sha256_add(&portable, bytes + at, count);
			at += count;
		}
		sha256_close(&sha, got);
		sha256_close(&portable, plain);
		wrong += memcmp(got, wanted, sizeof got) != 0 || memcmp(plain, wanted, sizeof got) != 0;
	}
	CHECK(wrong == 0);
}

/* Set in the middle instead of hashing for seconds: the count passes 4 GiB, and 512 MiB where bits pass 32. */
static void
sha256_counts_past_4_gib(void)
{
	static const uint64_t counts[] = {(1ull << 29) - 64, 1ull << 29, (1ull << 32) - 64, 1ull << 32, 5ull << 30, 1ull << 45};
	if (!sha256_is_by_cpu()) {
		SKIP("this CPU has no SHA instructions");
		return;
	}
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		unsigned char wanted[SHA256_BYTES], got[SHA256_BYTES], state[SHA256_BYTES];
		struct sha256 sha;
		br_sha256_context context;
		sha256_open(&sha);
		sha256_add(&sha, bytes, 64);
		for (size_t k = 0; k < SHA256_BYTES; k++)
			state[k] = (unsigned char)(sha.state[k / 4] >> (24 - 8 * (k % 4)));
		br_sha256_init(&context);
		br_sha256_set_state(&context, state, counts[i]);
		sha.count = counts[i];
		br_sha256_update(&context, bytes, 200);
		sha256_add(&sha, bytes, 200);
		br_sha256_out(&context, wanted);
		sha256_close(&sha, got);
		CHECK(memcmp(got, wanted, sizeof got) == 0);
	}
}

static void
md5_gives_the_examples_of_its_rfc(void)
{
	struct md5 md5;
	unsigned char result[MD5_BYTES];
	md5_open(&md5);
	md5_add(&md5, NULL, 0);
	md5_close(&md5, result);
	CHECK(hex_is(result, sizeof result, "d41d8cd98f00b204e9800998ecf8427e"));
	md5_open(&md5);
	md5_add(&md5, "message ", 8);
	md5_add(&md5, "digest", 6);
	md5_close(&md5, result);
	CHECK(hex_is(result, sizeof result, "f96b697d7cb7938d525a2f31aaf161d0"));
}

static void *
crc_in_thread(void *result)
{
	*(uint64_t *)result = crc64_add(0, bytes, MANY);
	return NULL;
}

/* First of all tests, so that the tables are made by several threads at once. */
static void
tables_are_made_once_by_whoever_comes_first(void)
{
	pthread_t threads[4];
	uint64_t results[4];
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, crc_in_thread, &results[i]) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0 && results[i] == crc64_by_bits(0, bytes, MANY));
}

int
main(void)
{
	uint32_t state = 42;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)dice(&state);
	UNIT_RUN(tables_are_made_once_by_whoever_comes_first);
	UNIT_RUN(crc64_has_its_check_value);
	UNIT_RUN(crc64_is_right_at_each_length_and_place);
	UNIT_RUN(crc64_may_be_split_anywhere);
	UNIT_RUN(sha256_gives_the_examples_of_the_standard);
	UNIT_RUN(sha256_by_cpu_is_bearssls);
	UNIT_RUN(sha256_may_be_split_anywhere);
	UNIT_RUN(sha256_counts_past_4_gib);
	UNIT_RUN(md5_gives_the_examples_of_its_rfc);
	return unit_end();
}
