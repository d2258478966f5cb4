/* SPDX-License-Identifier: MIT */
/* What we say of ourselves to the SCM site: the Authorization header, made once and kept nowhere else. */
#ifndef AZURE_LOGIN_H
#define AZURE_LOGIN_H

#include "base/text.h"

#define LOGIN_MAX 8192 /* an Entra token with many groups is about 4 KiB */

#define AUDIENCE_ARM "https://management.azure.com/"

enum login_kind { LOGIN_NONE, LOGIN_BASIC, LOGIN_BEARER };

struct login {
	enum login_kind kind;
	char authorization[LOGIN_MAX]; /* the header's value: a secret */
};

void login_none(struct login *);

/* Basic credentials (RFC 7617). FAULT_USAGE for a user with ':' or anything too long or with control characters. */
bool login_basic(struct login *, const char *user, const char *password, struct fault *) MUST_CHECK;

/* A bearer token (RFC 6750). */
bool login_bearer(struct login *, const char *token, struct fault *) MUST_CHECK;

/* Puts "Authorization: …\r\n" for requests to `resource` (NULL: the SCM site, else AUDIENCE_ARM), or nothing without a
 * login. A login that makes tokens for more than one resource chooses here. */
bool login_put(const struct login *, const char *resource, struct text *headers, struct fault *) MUST_CHECK;

/* Overwrites the secret. */
void login_close(struct login *);

#endif
