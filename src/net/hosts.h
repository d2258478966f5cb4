/* SPDX-License-Identifier: MIT */
/* The two files that say where names are looked up: /etc/hosts (hosts(5)) and /etc/resolv.conf (resolv.conf(5)). */
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

#include "net/address.h"

#define RESOLV_SERVERS_MAX 3 /* as resolv.conf(5) has it */
#define RESOLV_SEARCH_MAX 6

/* All addresses that `path` has for `host` (any case), IPv6 and IPv4 alternating; count 0: none, also when there is no
 * such file. Of a line longer than 2 KiB the rest is not seen. */
void hosts_find(const char *path, const char *host, uint16_t port, struct addresses *);

struct resolv {
	struct address servers[RESOLV_SERVERS_MAX];
	size_t count;       /* at least 1: without a word about servers it is 127.0.0.1, as in libc */
	bool is_default;    /* … and this says so */
	unsigned timeout_s; /* 1 to 30 */
	unsigned attempts;  /* 1 to 5 */
	unsigned ndots;     /* 0 to 15 */
	char search[RESOLV_SEARCH_MAX][HOST_MAX + 1];
	size_t search_count;
};

/* Never fails: what cannot be understood is passed over, as in libc. `port` is the servers'. */
void resolv_read(const char *path, uint16_t port, struct resolv *);

#endif
