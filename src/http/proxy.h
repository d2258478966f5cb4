/* SPDX-License-Identifier: MIT */
/* Which hosts are reached through which HTTP proxy: --proxy, else the variables of the environment that curl reads,
 * with NO_PROXY. */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include "http/url.h"

#define PROXY_LOGIN_MAX 512 /* bytes of user:password, decoded */

struct proxy {
	struct url at;      /* host and port; port 0: there is none */
	char authorization[8 + (PROXY_LOGIN_MAX + 2) / 3 * 4]; /* "Basic …", or empty; a secret */
};

struct proxies {
	struct proxy https, http; /* by the scheme of the origin */
	const char *direct;       /* NO_PROXY, not owned; NULL: none */
};

/* `option` is --proxy's value, for both schemes; empty: no proxy at all. NULL: for https the first that is set and not
 * empty of https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY. With `plain` also for http of http_proxy, all_proxy and
 * ALL_PROXY; HTTP_PROXY is not read, as a web server sets it for its CGI programs from a header of the request. The
 * environment must stay as it is. FAULT_USAGE names the variable and never quotes it: it may hold a password. */
bool proxies_read(struct proxies *, const char *option, bool plain, struct fault *) MUST_CHECK;

/* [http://][USER[:PASSWORD]@]HOST[:PORT][/], user and password percent-encoded, port 80 when none is written. FAULT_USAGE
 * for other schemes and paths, and for a password where `may_hold_login` is false. */
bool proxy_parse(struct proxy *, struct span, bool may_hold_login, struct fault *) MUST_CHECK;

/* The proxy for this origin; NULL: reach it directly. So are this machine itself and link-local addresses (where cloud
 * machines ask for their identity) whatever the settings say. `proxies` may be NULL. */
const struct proxy *proxy_for(const struct proxies *, const struct url *origin);

/* Whether NO_PROXY's list, parted by commas or blanks, covers the origin: *, a host (its subdomains too, with or without
 * a dot or *. in front), an address or ADDRESS/BITS for origins written as addresses; each also with :PORT. */
bool proxy_is_bypassed(const char *list, const struct url *origin);

/* HOST:PORT, for messages. */
void proxy_put(struct text *, const struct proxy *);

/* Forgets the logins. */
void proxies_close(struct proxies *);

#endif
