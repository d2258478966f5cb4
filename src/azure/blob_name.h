/* SPDX-License-Identifier: MIT */
/* Which name an upload gets: one that no blob has, as far as we may see, and no other open upload of this run. */
#ifndef AZURE_BLOB_NAME_H
#define AZURE_BLOB_NAME_H

#include "azure/blob.h"

/* From here to strike_off others of the run keep off its name. */
void blob_name_enrol(struct blob_upload *);
void blob_name_strike_off(struct blob_upload *);

/* NAME, or with -2, -3… when it is taken; only NAME if the options say so. Seen from the destination, before a byte has been
 * sent; waits for requests. */
bool blob_name_choose(struct blob_upload *, const char *name, struct fault *) MUST_CHECK;

/* The very name, whether there is a blob or not: its owner knows. */
bool blob_name_take(struct blob_upload *, const char *name, struct fault *) MUST_CHECK;

#endif
