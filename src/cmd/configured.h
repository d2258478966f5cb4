/* SPDX-License-Identifier: MIT */
/* What a --config brings to a run: limits into the settings, logins made, destinations opened. Options of the command line
 * win over it. */
#ifndef CMD_CONFIGURED_H
#define CMD_CONFIGURED_H

#include "cmd/session.h"
#include "job/config.h"

struct configured {
	bool given;           /* there is a --config */
	struct config config;
	struct url urls[SITES_MAX], arms[SITES_MAX];
	struct memory secrets;
	struct configured_login *logins; /* one for each of the config's */
	size_t opened;
};

struct configured_login {
	struct login login;
	struct identity identity; /* of a token */
	char room[TOKEN_MAX];     /* password or token */
};

size_t configured_need(const struct settings *);

/* Reads it, if one is given; every mistake goes to the log. Fills the gaps of the settings. */
bool configured_open(struct configured *, struct memory *, struct settings *, struct fault *) MUST_CHECK;

/* Makes the logins that sites name. Waits where a vault has a secret. */
bool configured_log_in(struct configured *, struct session *, const struct settings *, struct fault *) MUST_CHECK;

/* Opens destination i, with the secrets of the session where the config names none. */
bool configured_destination(const struct configured *, size_t i, struct session *, bool allow_plain_http,
                            struct destination *, struct fault *) MUST_CHECK;

void configured_close(struct configured *);

#endif
