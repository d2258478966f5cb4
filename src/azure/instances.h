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

#endif
