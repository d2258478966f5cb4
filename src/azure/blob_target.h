/* SPDX-License-Identifier: MIT */
/* A container, or a folder in it, and how we are allowed to write there. The URL's scheme and host decide:
 *   ACCOUNT.blob.SUFFIX (also ACCOUNT.zNN.blob.SUFFIX and ACCOUNT.privatelink.blob.SUFFIX), with or without a port:
 *                       /CONTAINER[/PREFIX]; every cloud's suffix, Azure Stack, the emulator's *.blob.localhost
 *   an IP address, localhost, a host of one label, or any other host with a port of its own:
 *                       path-style, /ACCOUNT/CONTAINER[/PREFIX]: emulators
 *   any other host:     /CONTAINER[/PREFIX] of an account that is not known: a custom domain
 * Plain http is for loopback addresses only, unless the user allows it. */
#ifndef AZURE_BLOB_TARGET_H
#define AZURE_BLOB_TARGET_H

#include "azure/identity.h"
#include "azure/sas.h"
#include "azure/sharedkey.h"
#include "http/url.h"

#define CONTAINER_MAX 63
#define BLOB_NAME_MAX 1024     /* characters of a blob's name, prefix and all */
#define BLOB_VERSION "2021-12-02" /* x-ms-version: CRC-64 in answers, 4000 MiB blocks; known to every public region */

struct blob_login {
	enum blob_login_kind { BLOB_SAS, BLOB_SHARED_KEY, BLOB_BEARER } kind;
	char query[URL_MAX];  /* the SAS as it was given, never decoded: a secret */
	struct sas sas;
	struct sharedkey key;
	struct identity *identity; /* of BLOB_BEARER: asked for a token before every request */
};

struct blob_target {
	struct url url;   /* path: without '/' at its end and still encoded; query: empty */
	char account[ACCOUNT_MAX + 1]; /* empty: not known */
	char container[CONTAINER_MAX + 1];
	size_t prefix;    /* where the blob's name begins in url.path, behind the container's '/' */
	struct blob_login login;
};

/* Splits a destination's URL and chooses the login: a SAS in the URL, else `sas`, else `key` (of the account in the URL),
 * else the identity's tokens; NULL and empty are not given. FAULT_USAGE for what cannot be a container's URL and for credentials over
 * plain http, FAULT_DENIED for a SAS that has expired or cannot write. */
bool blob_target_parse(struct blob_target *, const char *words, const char *sas, const char *key, struct identity *,
                       bool allow_plain_http, struct fault *) MUST_CHECK;

/* Only whether the words are a container's URL; the target holds nothing afterwards. FAULT_USAGE. */
bool blob_target_check(struct blob_target *, const char *words, struct fault *) MUST_CHECK;

/* Whether this can be the name of a blob: parts that are none of empty, "." and "..", in UTF-8 without control characters.
 * FAULT_USAGE. */
bool blob_name_check(const char *name, struct fault *) MUST_CHECK;

/* Its address without secrets. */
void blob_target_put(struct text *, const struct blob_target *);

/* The address of a blob in it, without secrets. */
void blob_target_put_blob(struct text *, const struct blob_target *, const char *name);

/* The path of a blob in it, percent-encoded. */
void blob_target_put_path(struct text *, const struct blob_target *, const char *name);

/* What the user should know though nothing is wrong yet, such as a SAS that ends within the hour; empty: nothing. */
void blob_target_put_warning(struct text *, const struct blob_target *);

void blob_target_close(struct blob_target *);

#endif
