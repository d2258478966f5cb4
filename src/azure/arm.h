/* SPDX-License-Identifier: MIT */
/* A site as Azure Resource Manager names it, for people who have rights there and no credentials of the SCM site (facts:
 * ARM's Web Apps operations). The requests themselves are azure/site's. */
#ifndef AZURE_ARM_H
#define AZURE_ARM_H

#include "azure/site.h"

#define ARM_API "api-version=2022-03-01"

/* /subscriptions/S/resourceGroups/G/providers/Microsoft.Web/sites/NAME[/slots/SLOT], with an ARM address in front of it
 * or none: then the public cloud's. FAULT_USAGE when it is something else. */
bool arm_parse(struct url *, const char *words, struct fault *) MUST_CHECK;

/* NAME or NAME-SLOT. */
void arm_name(const struct url *, char *room, size_t size);

/* What a status of ARM's means, in plain words; `said` of the site holds the answer. */
void arm_refuse(struct site *, int status, struct fault *);

#endif
