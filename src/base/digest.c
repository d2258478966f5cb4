/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define CPU_PATHS 1
#include <cpuid.h>
#include <immintrin.h>
#else
#define CPU_PATHS 0
#endif

/* CRC-64: bit i of a word is the coefficient of x^(63 - i), so the lowest bit is the highest power. */
#define CRC_POLYNOMIAL 0x9A6C9329AC4BC9B5u
#define LANES 8
#define LANE_BYTES 16
#define STRIDE ((size_t)LANES * LANE_BYTES)

/* Computed once from the polynomial: 16 KiB that are not in the binary. */
static uint64_t crc_tables[8][256];
static uint64_t fold_lane[2], fold_stride[2]; /* for the first and the second half of a lane */
static bool has_sha, has_clmul;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* Times x, modulo the polynomial. */
static uint64_t
times_x(uint64_t value)
{
	return (value >> 1) ^ ((value & 1) != 0 ? CRC_POLYNOMIAL : 0);
}

static uint64_t
power_of_x(unsigned power)
{
	uint64_t value = (uint64_t)1 << 63;
	while (power-- > 0)
		value = times_x(value);
	return value;
}

/* Moves a lane by `bits`: its first half stands 64 powers above its second. The product of two mirrored words is one
 * power short of its place in the mirrored double word, hence the minus one. */
static void
prepare_fold(uint64_t fold[2], unsigned bits)
{
	fold[0] = power_of_x(bits + 64 - 1);
	fold[1] = power_of_x(bits - 1);
}

static void
prepare_tables(void)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		uint64_t value = byte;
		for (int bit = 0; bit < 8; bit++)
			value = times_x(value);
		crc_tables[0][byte] = value;
	}
	for (unsigned slice = 1; slice < 8; slice++)
		for (unsigned byte = 0; byte < 256; byte++) {
			uint64_t value = crc_tables[slice - 1][byte];
			crc_tables[slice][byte] = (value >> 8) ^ crc_tables[0][value & 0xff];
		}
}

static void
prepare(void)
{
#if CPU_PATHS
	unsigned a, b, c, d, b7 = 0;
	if (__get_cpuid(1, &a, &b, &c, &d) != 0) {
		bool vectors = (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
		has_clmul = vectors && (c & bit_PCLMUL) != 0;
		if (__get_cpuid_count(7, 0, &a, &b7, &c, &d) != 0)
			has_sha = vectors && (b7 & (1u << 29)) != 0;
	}
#endif
	prepare_tables();
	prepare_fold(fold_lane, 8 * LANE_BYTES);
	prepare_fold(fold_stride, 8 * (unsigned)STRIDE);
}

/* SHA-256: FIPS 180-4 */

#if CPU_PATHS
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* Rounds 4 * step to 4 * step + 3 with the words in w0; the instruction does two at a time and wants the halves of the
 * state by turns. */
#define FOUR_ROUNDS(step, w0) \
	do { \
		__m128i sum = _mm_add_epi32(w0, _mm_loadu_si128((const __m128i *)(round_constants + 4 * (step)))); \
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum); \
		abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e)); \
	} while (0)

/* Replaces the four oldest of sixteen words by the next four. */
#define NEXT_WORDS(w0, w1, w2, w3) \
	(w0 = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3))

#define SIXTEEN_ROUNDS(step) \
	do { \
		FOUR_ROUNDS(step, w0); \
		NEXT_WORDS(w0, w1, w2, w3); \
		FOUR_ROUNDS((step) + 1, w1); \
		NEXT_WORDS(w1, w2, w3, w0); \
		FOUR_ROUNDS((step) + 2, w2); \
		NEXT_WORDS(w2, w3, w0, w1); \
		FOUR_ROUNDS((step) + 3, w3); \
		NEXT_WORDS(w3, w0, w1, w2); \
	} while (0)

#define LOAD_WORDS(place) _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(from + (place))), swap)

__attribute__((target("sha,sse4.1,ssse3"))) static void
sha256_blocks_by_cpu(uint32_t state[8], const unsigned char *from, size_t blocks)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state);
	__m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
	__m128i badc = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
	__m128i abef = _mm_alignr_epi8(badc, efgh, 8), cdgh = _mm_blend_epi16(efgh, badc, 0xf0);
	__m128i feba, dchg;
	for (; blocks > 0; blocks--, from += 64) {
		const __m128i abef_before = abef, cdgh_before = cdgh;
		__m128i w0 = LOAD_WORDS(0), w1 = LOAD_WORDS(16), w2 = LOAD_WORDS(32), w3 = LOAD_WORDS(48);
		SIXTEEN_ROUNDS(0);
		SIXTEEN_ROUNDS(4);
		SIXTEEN_ROUNDS(8);
		FOUR_ROUNDS(12, w0);
		FOUR_ROUNDS(13, w1);
		FOUR_ROUNDS(14, w2);
		FOUR_ROUNDS(15, w3);
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	feba = _mm_shuffle_epi32(abef, 0x1b);
	dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
#else
static void
sha256_blocks_by_cpu(uint32_t state[8], const unsigned char *from, size_t blocks)
{
	/* sha256_open never chooses it here */
	(void)state, (void)from, (void)blocks;
}
#endif

bool
sha256_is_by_cpu(void)
{
	pthread_once(&prepared, prepare);
	return has_sha;
}

void
sha256_open_portable(struct sha256 *sha)
{
	sha->by_cpu = false;
	sha->count = 0;
	br_sha256_init(&sha->portable);
}

void
sha256_open(struct sha256 *sha)
{
	static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	if (!sha256_is_by_cpu()) {
		sha256_open_portable(sha);
		return;
	}
	sha->by_cpu = true;
	sha->count = 0;
	memcpy(sha->state, start, sizeof start);
}

void
sha256_add(struct sha256 *sha, const void *from, size_t count)
{
	const unsigned char *at = from;
	size_t held = (size_t)(sha->count % 64), part = 64 - held;
	if (count == 0)
		return;
	if (!sha->by_cpu) {
		br_sha256_update(&sha->portable, from, count);
		return;
	}
	sha->count += count;
	if (held > 0) {
		part = part < count ? part : count;
		memcpy(sha->block + held, at, part);
		at += part;
		count -= part;
		if (held + part < 64)
			return;
		sha256_blocks_by_cpu(sha->state, sha->block, 1);
	}
	sha256_blocks_by_cpu(sha->state, at, count / 64);
	memcpy(sha->block, at + count / 64 * 64, count % 64);
}

static void
put_big_endian(unsigned char *room, uint64_t value, size_t bytes)
{
	while (bytes-- > 0) {
		room[bytes] = (unsigned char)value;
		value >>= 8;
	}
}

void
sha256_close(struct sha256 *sha, unsigned char result[SHA256_BYTES])
{
	unsigned char tail[128] = {0};
	size_t held = (size_t)(sha->count % 64), blocks = held < 56 ? 1 : 2;
	if (!sha->by_cpu) {
		br_sha256_out(&sha->portable, result);
		return;
	}
	memcpy(tail, sha->block, held);
	tail[held] = 0x80;
	put_big_endian(tail + blocks * 64 - 8, sha->count * 8, 8);
	sha256_blocks_by_cpu(sha->state, tail, blocks);
	for (size_t i = 0; i < 8; i++)
		put_big_endian(result + 4 * i, sha->state[i], 4);
}

void
md5_open(struct md5 *md5)
{
	br_md5_init(&md5->context);
}

void
md5_add(struct md5 *md5, const void *from, size_t count)
{
	if (count > 0)
		br_md5_update(&md5->context, from, count);
}

void
md5_close(struct md5 *md5, unsigned char result[MD5_BYTES])
{
	br_md5_out(&md5->context, result);
}

static uint64_t
little_endian(const unsigned char *at)
{
	return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
	       (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

/* Eight bytes at a time; without the inversions at begin and end. */
static uint64_t
crc64_slices(uint64_t crc, const unsigned char *at, size_t count)
{
	for (; count >= 8; count -= 8, at += 8) {
		uint64_t w = crc ^ little_endian(at);
		crc = crc_tables[7][w & 0xff] ^ crc_tables[6][w >> 8 & 0xff] ^ crc_tables[5][w >> 16 & 0xff] ^
		      crc_tables[4][w >> 24 & 0xff] ^ crc_tables[3][w >> 32 & 0xff] ^ crc_tables[2][w >> 40 & 0xff] ^
		      crc_tables[1][w >> 48 & 0xff] ^ crc_tables[0][w >> 56];
	}
	for (; count > 0; count--, at++)
		crc = crc >> 8 ^ crc_tables[0][(crc ^ *at) & 0xff];
	return crc;
}

#if CPU_PATHS
__attribute__((target("pclmul,sse4.1"))) static inline __m128i
fold(__m128i lane, __m128i by, __m128i next)
{
	__m128i first = _mm_clmulepi64_si128(lane, by, 0x00), second = _mm_clmulepi64_si128(lane, by, 0x11);
	return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

/* Eight lanes of 16 bytes side by side, each carried over to its place in the next 128 bytes; at the end the lanes are
 * folded into one, whose 16 bytes leave the same remainder as all before them. At least one stride. */
__attribute__((target("pclmul,sse4.1"))) static uint64_t
crc64_folded(uint64_t crc, const unsigned char *at, size_t count)
{
	const __m128i by_stride = _mm_loadu_si128((const __m128i *)(const void *)fold_stride);
	const __m128i by_lane = _mm_loadu_si128((const __m128i *)(const void *)fold_lane);
	__m128i lanes[LANES], one;
	unsigned char last[LANE_BYTES];
	for (int i = 0; i < LANES; i++)
		lanes[i] = _mm_loadu_si128((const __m128i *)(const void *)(at + LANE_BYTES * i));
	lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, (long long)crc));
	for (at += STRIDE, count -= STRIDE; count >= STRIDE; at += STRIDE, count -= STRIDE)
		for (int i = 0; i < LANES; i++)
			lanes[i] = fold(lanes[i], by_stride, _mm_loadu_si128((const __m128i *)(const void *)(at + LANE_BYTES * i)));
	one = lanes[0];
	for (int i = 1; i < LANES; i++)
		one = fold(one, by_lane, lanes[i]);
	_mm_storeu_si128((__m128i *)(void *)last, one);
	return crc64_slices(crc64_slices(0, last, sizeof last), at, count);
}
#endif

uint64_t
crc64_add_portable(uint64_t crc, const void *from, size_t count)
{
	pthread_once(&prepared, prepare);
	return ~crc64_slices(~crc, from, count);
}

uint64_t
crc64_add(uint64_t crc, const void *from, size_t count)
{
	pthread_once(&prepared, prepare);
#if CPU_PATHS
	if (has_clmul && count >= STRIDE)
		return ~crc64_folded(~crc, from, count);
#endif
	return ~crc64_slices(~crc, from, count);
}
