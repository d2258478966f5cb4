/* SPDX-License-Identifier: MIT */
/* What every command that talks to a site sets up from its settings: log, signals, trust, login, addresses. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "cmd/credentials.h"
#include "http/proxy.h"
#include "job/landing.h"
#include "net/conn.h"

struct session {
	struct trust trust;
	struct network network;
	struct proxies proxies;
	struct name_override overrides[OVERRIDES_MAX];
	struct memory secrets;
	struct credentials *credentials;
	struct url sites[SITES_MAX];
	size_t site_count;
};

/* Bytes that session_open takes of a memory. */
size_t session_need(void);

/* Reads options, environment and files; only a password that is in a Key Vault is fetched already.
 * `session` must be zeroed memory: most of it is never touched. */
bool session_open(struct session *, struct memory *, struct settings *, struct fault *) MUST_CHECK;

void session_close(struct session *);

/* The same for a command that talks to no site: log, addresses and trust. */
bool session_open_network(struct session *, struct memory *, struct settings *, struct fault *) MUST_CHECK;

/* Reads one --to with the secrets of the environment, or of a Key Vault, which is asked for them; a SAS in `words` is blanked where `ps` would show it. Says on stderr
 * what the user should know of it. */
bool session_destination(struct session *, struct destination *, char *words, const struct settings *,
                         struct fault *) MUST_CHECK;
void session_warn(const struct destination *);

/* The host of an address, as far as words hold one; empty else. */
void session_read_host(const char *words, char host[HOST_MAX + 1]);

/* Plain http is for loopback addresses, or for those who say so. */
bool session_check_plain(const struct url *, const struct settings *, struct fault *) MUST_CHECK;

#endif
