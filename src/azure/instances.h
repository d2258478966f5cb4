/* SPDX-License-Identifier: MIT */
/* Which instances a site has. */
#ifndef AZURE_INSTANCES_H
#define AZURE_INSTANCES_H

#include "azure/site.h"

#define INSTANCES_MAX 256 /* of one site: an App Service Environment has up to 200 */

struct instance_taker {
	/* `machine` may be empty. False with a fault ends the list. */
	bool (*take)(struct instance_taker *, const char *id, const char *machine, struct fault *);
};

/* Lists them: by /instance/all of the SCM front end, which is no part of Kudu (facts: issue 3145), or through ARM by
 * …/instances, following nextLink on the same host alone. FAULT_MISSING with detail 404 when the front end has no such
 * page. */
bool instances_list(struct site *, struct instance_taker *, struct fault *) MUST_CHECK;

/* A taker that looks for the one instance whose id begins as somebody wrote it. */
struct instance_search {
	struct instance_taker taker;
	const char *begins; /* NULL: they are only counted */
	size_t count;       /* of all */
	size_t found;       /* of those that begin so; one that is listed twice is one */
	char id[INSTANCE_MAX + 1], machine[MACHINE_MAX]; /* of the first of them */
};

void instance_search_open(struct instance_search *, const char *begins);

/* After the list: whether it is just one. Else FAULT_MISSING or, of several, FAULT_USAGE; `site` is a name for that. */
bool instance_search_is_one(const struct instance_search *, const char *site, struct fault *) MUST_CHECK;

#endif
