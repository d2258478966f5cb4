/* SPDX-License-Identifier: MIT */
/* What every command that talks to a site sets up from its settings: log, signals, trust, login, addresses. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "azure/login.h"
#include "cmd/options.h"
#include "http/proxy.h"
#include "job/landing.h"
#include "net/conn.h"

struct session {
	struct trust trust;
	struct network network;
	struct proxies proxies;
	struct name_override overrides[OVERRIDES_MAX];
	struct login login;
	struct url sites[SITES_MAX];
	size_t site_count;
};

/* Bytes that session_open takes of a memory. */
size_t session_need(void);

/* Reads options, environment and files; nothing goes over the network yet. `session` must be zeroed memory: most of it
 * is never touched. */
bool session_open(struct session *, struct memory *, struct settings *, struct fault *) MUST_CHECK;

void session_close(struct session *);

/* The same for a command that talks to no site: log, addresses and trust. */
bool session_open_network(struct session *, struct memory *, struct settings *, struct fault *) MUST_CHECK;

/* Reads one --to with the secrets of the environment; a SAS in `words` is blanked where `ps` would show it. Says on stderr
 * what the user should know of it. */
bool session_destination(struct destination *, char *words, const struct settings *, struct fault *) MUST_CHECK;
void session_warn(const struct destination *);

/* Plain http is for loopback addresses, or for those who say so. */
bool session_check_plain(const struct url *, const struct settings *, struct fault *) MUST_CHECK;

#endif
