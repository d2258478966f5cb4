/* SPDX-License-Identifier: MIT */
#include "job/digest_sink.h"

#include "base/deadline.h"
#include "base/encode.h"

static bool
digest_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct digest_sink *digest = (struct digest_sink *)sink;
	if (digest->hashes)
		sha256_add(&digest->sha256, from, count);
	digest->facts->bytes += count;
	return digest->under->write(digest->under, from, count, fault);
}

static bool
digest_finish(struct sink *sink, struct fault *fault)
{
	struct digest_sink *digest = (struct digest_sink *)sink;
	struct facts *facts = digest->facts;
	if (digest->hashes) {
		unsigned char result[SHA256_BYTES];
		struct text hex = text_in(facts->sha256, sizeof facts->sha256);
		sha256_close(&digest->sha256, result);
		encode_hex(&hex, (struct span){result, sizeof result});
	}
	facts->ended_s = clock_utc_s();
	facts->ended_ms = clock_ms();
	return digest->under->finish(digest->under, fault);
}

static void
digest_abandon(struct sink *sink)
{
	struct digest_sink *digest = (struct digest_sink *)sink;
	digest->under->abandon(digest->under);
}

void
digest_sink_open(struct digest_sink *digest, struct sink *under, struct facts *facts, bool hashes)
{
	digest->sink = (struct sink){digest_write, digest_finish, digest_abandon};
	digest->under = under;
	digest->facts = facts;
	digest->hashes = hashes;
	facts->bytes = 0;
	facts->sha256[0] = 0;
	sha256_open(&digest->sha256);
}
