/* SPDX-License-Identifier: MIT */
/* What is said of a dump on its blob, whichever way it came there. */
#ifndef JOB_METADATA_H
#define JOB_METADATA_H

#include "azure/blob.h"
#include "job/facts.h"

/* States what is known of site, process and times, the hash if there is one, and who uploaded it. */
void metadata_state(struct blob_upload *, const struct facts *);

#endif
