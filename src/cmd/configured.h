/* SPDX-License-Identifier: MIT */
/* What a --config brings to a run: limits into the settings, logins made, destinations opened. Options of the command line
 * win over it. */
#ifndef CMD_CONFIGURED_H
#define CMD_CONFIGURED_H

#include "azure/login.h"
#include "cmd/options.h"
#include "job/config.h"
#include "job/landing.h"
#include "job/secret.h"

struct configured {
	bool given;           /* there is a --config */
	struct config config;
	struct url urls[SITES_MAX], arms[SITES_MAX];
	struct login logins[CONFIG_LOGINS];
};

size_t configured_need(const struct settings *);

/* Reads it, if one is given; every mistake goes to the log. Fills the gaps of the settings. */
bool configured_open(struct configured *, struct memory *, struct settings *, struct fault *) MUST_CHECK;

/* Makes the logins that sites name. `means` resolves vault: references. */
bool configured_login(struct configured *, const struct secret_means *, struct fault *) MUST_CHECK;

/* Opens destination i. */
bool configured_destination(const struct configured *, size_t i, const struct secret_means *, bool allow_plain_http,
                            struct destination *, struct fault *) MUST_CHECK;

void configured_close(struct configured *);

#endif
