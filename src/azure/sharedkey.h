/* SPDX-License-Identifier: MIT */
/* Requests signed with an account's key. What is signed is read from the very bytes that will be sent. (REST: "Authorize
 * with Shared Key", the form for Blob from 2015-02-21 on.) */
#ifndef AZURE_SHAREDKEY_H
#define AZURE_SHAREDKEY_H

#include "base/text.h"

#include <stdint.h>

#define ACCOUNT_MAX 63       /* 24 in Azure; emulators and Azure Stack take more */
#define SHAREDKEY_BYTES 128  /* 64 in Azure */

struct sharedkey {
	char account[ACCOUNT_MAX + 1];
	unsigned char key[SHAREDKEY_BYTES]; /* a secret */
	size_t count;
};

/* The key is Base64, as the portal shows it. FAULT_USAGE quotes none of it. */
bool sharedkey_open(struct sharedkey *, const char *account, const char *key, struct fault *) MUST_CHECK;

/* What of a request an account's key signs. */
struct sharedkey_request {
	const char *account, *method;
	struct span target;   /* path and query as on the wire */
	struct span lines;    /* header lines, each with CRLF, without Content-Length */
	uint64_t length;      /* of the body */
};

/* The string to sign; cut when the room is too small. Repeated query parameters are not for us. */
void sharedkey_put_string(struct text *, const struct sharedkey_request *);

/* Base64 of the HMAC-SHA256 of a string. */
void sharedkey_put_signature(struct text *, const struct sharedkey *, struct span string);

/* Overwrites the key. */
void sharedkey_close(struct sharedkey *);

#endif
