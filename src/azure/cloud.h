/* SPDX-License-Identifier: MIT */
/* The clouds that Azure is run in: which host belongs to which, and what tokens are asked for there. */
#ifndef AZURE_CLOUD_H
#define AZURE_CLOUD_H

/* The same in every cloud. */
#define CLOUD_STORAGE "https://storage.azure.com/"

struct cloud {
	const char *authority;    /* Entra's host */
	const char *scm[2];       /* what Kudu takes tokens for: the new one first, then the one that it took of old */
	const char *arm;          /* Resource Manager: where it is and what its tokens are for */
	const char *vault;
	const char *suffixes[6];  /* of hosts, NULL at the end */
};

/* By the end of a host's name (of an SCM site, a storage account, a vault, an authority); public for any other. */
const struct cloud *cloud_of(const char *host);

#endif
