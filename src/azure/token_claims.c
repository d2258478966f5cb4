/* SPDX-License-Identifier: MIT */
#include "azure/token_claims.h"

#include "base/deadline.h"
#include "base/encode.h"

#include <string.h>

struct part_source {
	struct source source;
	struct span left;
};

static bool
read_part(struct source *source, void *room, size_t size, size_t *got, struct fault *fault)
{
	struct part_source *part = (struct part_source *)source;
	(void)fault;
	*got = part->left.count < size ? part->left.count : size;
	memcpy(room, part->left.at, *got);
	part->left = span_from(part->left, *got);
	return true;
}

/* The middle one of three parts; its alphabet is that of URLs (RFC 4648 section 5). */
static bool
decode_middle(struct span token, char *room, size_t size, size_t *count)
{
	struct span part;
	if (!span_cut(&token, '.', &part) || !span_cut(&token, '.', &part) || token.count == 0 || part.count >= size)
		return false;
	for (size_t i = 0; i < part.count; i++)
		room[i] = (char)(part.at[i] == '-' ? '+' : part.at[i] == '_' ? '/' : part.at[i]);
	/* in place: what is decoded is never ahead of what is read */
	return decode_base64((struct span){(unsigned char *)room, part.count}, (unsigned char *)room, size, count);
}

void
token_claims_read(struct token_claims *claims, struct span token, struct json_reader *json, char *room, size_t size)
{
	static const char *const wanted[] = {"aud", "exp"};
	struct part_source part = {{read_part}, {NULL, 0}};
	struct fault ignored;
	size_t count;
	bool more;
	memset(claims, 0, sizeof *claims);
	fault_clear(&ignored);
	if (!decode_middle(token, room, size, &count))
		return;
	part.left = (struct span){(unsigned char *)room, count};
	json_open(json, &part.source, NULL, wanted, 2);
	if (!json_next(json, &more, &ignored) || !more)
		return;
	if (!json_get_text(json, 0, claims->audience, sizeof claims->audience))
		claims->audience[0] = 0;
	if (!json_get_int(json, 1, &claims->ends_s) || claims->ends_s < 0 || claims->ends_s > 253402300799)
		claims->ends_s = 0;
}

void
token_claims_put(struct text *text, const struct token_claims *claims, int64_t now_s)
{
	if (claims->ends_s != 0 && claims->ends_s <= now_s) {
		text_put(text, "the token ran out at ");
		clock_put_iso(text, claims->ends_s);
	} else if (claims->audience[0] != 0) {
		text_put(text, "the token is for ");
		text_put_tame(text, span_of(claims->audience));
	}
}
