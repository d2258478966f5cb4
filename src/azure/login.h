/* SPDX-License-Identifier: MIT */
/* What we say of ourselves to an SCM site: a Basic login, made once, or the token of an identity, which is asked for
 * before each request. Shared by all threads. */
#ifndef AZURE_LOGIN_H
#define AZURE_LOGIN_H

#include "azure/identity.h"

#define LOGIN_MAX TOKEN_MAX /* of the header's value */
#define BASIC_MAX 1024      /* user and password together */

enum login_kind { LOGIN_NONE, LOGIN_BASIC, LOGIN_BEARER };

struct login {
	enum login_kind kind;
	char basic[BASIC_MAX * 4 / 3 + 8]; /* Base64: a secret */
	struct identity *identity;         /* of LOGIN_BEARER */
	const char *audience;              /* that the user named; NULL: those of the cloud */
};

void login_none(struct login *);

/* Basic credentials (RFC 7617). FAULT_USAGE for a user with ':' or anything too long or with control characters. */
bool login_basic(struct login *, const char *user, const char *password, struct fault *) MUST_CHECK;

/* Bearer tokens (RFC 6750) of an identity, which stays the caller's. `audience` may be NULL. */
void login_bearer(struct login *, struct identity *, const char *audience);

#define LOGIN_ARM 0xffu /* the audience of Azure Resource Manager, of login_put */

/* How many audiences there are to try. */
unsigned login_audiences(const struct login *);

/* The audience that `who` (an address that stays) has taken a token of, else the one that any has, else the first. */
unsigned login_audience(const struct login *, const void *who);

/* Notes that, and whether it is so of this audience. */
void login_note_taken(const struct login *, const void *who, unsigned audience);
bool login_is_taken(const struct login *, const void *who, unsigned audience);

/* Whether there can be a newer token than the one that was sent. */
bool login_renews(const struct login *);

/* identity_put_reason for the audience. */
void login_put_reason(const struct login *, unsigned audience, struct text *);

/* Puts the Authorization line; nothing for LOGIN_NONE. With a token of the audience, `refused` and `given` as
 * identity_token has them. May wait. FAULT_USAGE for a Basic login to Resource Manager. */
bool login_put(const struct login *, unsigned audience, unsigned refused, unsigned *given, struct text *,
               struct fault *) MUST_CHECK;

#endif
