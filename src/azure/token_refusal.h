/* SPDX-License-Identifier: MIT */
/* Why there is no token, in words: what Entra and the endpoints of managed identities say, without quoting them. */
#ifndef AZURE_TOKEN_REFUSAL_H
#define AZURE_TOKEN_REFUSAL_H

#include "azure/token_source.h"

struct token_words { /* of a refusal, as the JSON has them; either may be empty */
	struct span error, description;
};

/* A status other than 200. What may pass is FAULT_NETWORK as retry.h wants it, else FAULT_DENIED. Always false. */
bool token_refusal_tell(const struct token_source *, int status, const struct token_words *, struct fault *);

/* There is nobody at the endpoint of a VM: replaces the fault of connecting. */
void token_refusal_absent(const struct token_source *, struct fault *);

#endif
