/* SPDX-License-Identifier: MIT */
#include "azure/blob_resume.h"

#include "azure/blob_left.h"
#include "base/digest.h"
#include "base/encode.h"

#include <assert.h>
#include <string.h>

void
blob_resume_open(struct blob_resume *resume, struct blob_ids *ids, uint64_t expected, size_t block)
{
	unsigned char result[SHA256_BYTES];
	char words[UPLOAD_ID_DIGITS + 32];
	struct text text = text_in(words, sizeof words), prefix = text_in(ids->prefix, sizeof ids->prefix);
	struct sha256 hash;
	assert(strlen(resume->identity) == UPLOAD_ID_DIGITS && expected <= (uint64_t)block * BLOCKS_MAX);
	text_printf(&text, "%s %zu", resume->identity, block);
	sha256_open(&hash);
	sha256_add(&hash, words, text.used);
	sha256_close(&hash, result);
	encode_hex(&prefix, (struct span){result, BLOCK_PREFIX_DIGITS / 2});
	ids->marks = resume->marks;
	resume->ids = ids;
	resume->expected = expected;
	resume->block = block;
}

static bool
is_marked(const struct blob_resume *resume, uint32_t number)
{
	return (resume->there[number / 8] >> number % 8 & 1) != 0;
}

/* Bytes of block `number`; 0: there is no such block. */
static uint64_t
length_of(const struct blob_resume *resume, uint32_t number)
{
	uint64_t before = number * resume->block, rest = resume->expected > before ? resume->expected - before : 0;
	return rest < resume->block ? rest : resume->block;
}

static void
forget_blocks(void *state)
{
	struct blob_resume *resume = state;
	memset(resume->there, 0, sizeof resume->there);
	resume->found = resume->bytes = resume->strangers = 0;
}

/* Of two blocks for one place the later one counts: one of them holds what the file held before. */
static void
note_block(void *state, struct span id, uint64_t size)
{
	struct blob_resume *resume = state;
	uint32_t number, mark;
	if (!blob_ids_read(resume->ids, id, &number, &mark) || number >= BLOCKS_MAX || size == 0 ||
	    size != length_of(resume, number)) {
		resume->strangers++;
		return;
	}
	if (!is_marked(resume, number))
		resume->found += size;
	resume->there[number / 8] |= (unsigned char)(1u << number % 8);
	resume->marks[number] = mark;
}

bool
blob_resume_gather(struct blob_resume *resume, struct crew_lane *lane, const struct blob_target *target, const char *name,
                   struct fault *fault)
{
	const struct blob_login *login = &target->login;
	struct blob_left left = {.block = note_block, .state = resume};
	forget_blocks(resume);
	resume->readable = login->kind != BLOB_SAS || sas_allows(&login->sas, 'r');
	return !resume->readable || blob_left_read(lane, target, name, &left, forget_blocks, &resume->readable, fault);
}

/* The service's own check of a block is its CRC-64; folded, so that 8 digits of an id hold it. */
bool
blob_resume_has(struct blob_resume *resume, uint32_t number, struct span bytes)
{
	uint64_t crc = crc64_add(0, bytes.at, bytes.count);
	uint32_t mark = (uint32_t)(crc ^ crc >> 32);
	bool there = is_marked(resume, number) && resume->marks[number] == mark;
	assert(bytes.count == length_of(resume, number));
	resume->marks[number] = mark;
	if (there)
		resume->bytes += bytes.count;
	return there;
}
