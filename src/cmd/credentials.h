/* SPDX-License-Identifier: MIT */
/* The secrets of a run and where they come from: options, environment, files, the terminal, a Key Vault. All of them stand
 * in one piece of memory that is kept out of swap and overwritten at the end. */
#ifndef CMD_CREDENTIALS_H
#define CMD_CREDENTIALS_H

#include "azure/login.h"
#include "azure/profile.h"
#include "azure/vault.h"
#include "base/memory.h"
#include "cmd/options.h"
#include "job/landing.h"
#include "job/secret.h"

struct credentials {
	struct login login;       /* for SCM sites */
	struct profile profile;   /* user and password of a Basic login, wherever they came from */
	char sas[URL_MAX], key[256];
	bool has_identity;        /* for SCM sites, blobs and Resource Manager */
	struct identity identity;
	struct vault_desk vault;
	char file[PROFILE_MAX];
	/* not secret */
	const struct network *network;
	const struct cloud *cloud;
};

/* Takes the memory and reads the publish profile, if there is one: its site is then profile.scm. */
bool credentials_open(struct credentials **, struct memory *, const struct settings *, struct fault *) MUST_CHECK;

/* Opens the identity of --identity, if there is one, in the cloud of `host`, an SCM site's (empty: none). */
bool credentials_set_up(struct credentials *, const struct settings *, const struct network *, const char *host,
                        struct fault *) MUST_CHECK;

/* Then the login of SCM sites. Asks at the terminal for a password that is nowhere else; fetches one from a vault. */
bool credentials_log_in(struct credentials *, const struct settings *, struct fault *) MUST_CHECK;

/* The cloud of a host, or, where that tells nothing, of AZURE_AUTHORITY_HOST. */
const struct cloud *credentials_cloud(const char *host);

/* Fetches a secret that a reference names (job/secret.h). Waits where a vault has it. */
bool credentials_fetch(struct credentials *, const char *reference, char *room, size_t size, struct fault *) MUST_CHECK;

/* What blobs are logged in with. Waits where a vault has it. */
bool credentials_for_blobs(struct credentials *, struct destination_secrets *, struct fault *) MUST_CHECK;

/* Overwrites them all. */
void credentials_close(struct credentials *, struct memory *);

#endif
