/* SPDX-License-Identifier: MIT */
/* Hashes of a stream: SHA-256 (with the CPU's SHA instructions where it has them, else BearSSL's), MD5 (BearSSL's) and
 * CRC-64/NVME as Azure Storage computes it. Pure computation: nothing here fails or waits. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <bearssl_hash.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define MD5_BYTES 16

struct sha256 {
	br_sha256_context portable; /* used where the CPU has no SHA instructions */
	uint32_t state[8];
	unsigned char block[64];
	uint64_t count; /* bytes so far */
	bool by_cpu;
};

void sha256_open(struct sha256 *);
void sha256_add(struct sha256 *, const void *from, size_t count);
void sha256_close(struct sha256 *, unsigned char result[SHA256_BYTES]);

/* Whether this CPU has the instructions; sha256_open uses them then. sha256_open_portable never does (for tests). */
bool sha256_is_by_cpu(void);
void sha256_open_portable(struct sha256 *);

struct md5 {
	br_md5_context context;
};

void md5_open(struct md5 *);
void md5_add(struct md5 *, const void *from, size_t count);
void md5_close(struct md5 *, unsigned char result[MD5_BYTES]);

/* CRC-64/NVME: reflected polynomial 9A6C9329AC4BC9B5, all ones before and after; of "123456789" ae8b14860a799888.
 * Begin with 0 and hand the last result in again for more bytes. x-ms-content-crc64 carries it little-endian. */
uint64_t crc64_add(uint64_t crc, const void *from, size_t count);
uint64_t crc64_add_portable(uint64_t crc, const void *from, size_t count);

#endif
