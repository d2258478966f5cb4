/* SPDX-License-Identifier: MIT */
/* Whether a fault says some words, in its text or its hint; one that does not is shown. */
#ifndef SAYS_H
#define SAYS_H

#include "base/fault.h"

#include <stdio.h>
#include <string.h>

static inline bool
fault_says(const struct fault *fault, const char *words)
{
	if (strstr(fault->text, words) != NULL || strstr(fault->hint, words) != NULL)
		return true;
	fprintf(stderr, "\"%s\" / \"%s\"\n", fault->text, fault->hint);
	return false;
}

#endif
