/* SPDX-License-Identifier: MIT */
/* What a token says of itself, when it is a JWT (RFC 7519): for whom it is and until when. Nothing of it is checked: this
 * is for telling why it was refused. */
#ifndef AZURE_TOKEN_CLAIMS_H
#define AZURE_TOKEN_CLAIMS_H

#include "base/json.h"

struct token_claims {
	char audience[128]; /* printable; empty: not known */
	int64_t ends_s;     /* UTC; 0: not known */
};

/* `json` and `room`, of at least the token's size, are scratch and hold a secret afterwards. */
void token_claims_read(struct token_claims *, struct span token, struct json_reader *json, char *room, size_t size);

/* "the token ran out at …" or "the token is for …"; nothing when neither is known. */
void token_claims_put(struct text *, const struct token_claims *, int64_t now_s);

#endif
