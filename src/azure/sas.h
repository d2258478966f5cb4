/* SPDX-License-Identifier: MIT */
/* What a shared access signature says of itself: rights, validity, kind. The signature is looked at by nobody, and no
 * fault quotes any of it but rights and times. (REST: "Create a service SAS", "Create an account SAS".) */
#ifndef AZURE_SAS_H
#define AZURE_SAS_H

#include "base/text.h"

#include <stdint.h>

struct sas {
	char rights[24];             /* sp; empty: those of a stored access policy */
	char resource[8];            /* sr: "c" container, "b" one blob, "d" directory; empty: an account SAS */
	char services[8], types[8];  /* ss and srt of an account SAS */
	int64_t starts_s, ends_s;    /* st and se, UTC; 0: not said */
	bool https_only;             /* spr=https */
};

/* Reads the query of a URL, without its '?'. FAULT_USAGE when it is no whole SAS: without a signature, as when a shell
 * has cut the URL at its first '&', or with characters that do not belong into a URL. */
bool sas_read(struct sas *, struct span query, struct fault *) MUST_CHECK;

/* Whether a blob can be written with it now, over https or not. FAULT_DENIED says what is lacking. */
bool sas_check(const struct sas *, bool secure, int64_t now_s, struct fault *) MUST_CHECK;

/* Whether it is for a single blob (sr=b), whose name only its maker knows. */
bool sas_is_for_one_blob(const struct sas *);

/* Whether it gives a right such as 'r'; true when a stored policy decides that. */
bool sas_allows(const struct sas *, char right);

#endif
