/* SPDX-License-Identifier: MIT */
/* Questions about a destination, before or beside an upload: is it there, may we write, is the name free. Each waits for its
 * requests, which go out on a lane of the crew. */
#ifndef AZURE_BLOB_PROBE_H
#define AZURE_BLOB_PROBE_H

#include "azure/blob_ops.h"
#include "azure/crew.h"

/* Whether the target would take a blob, as far as one request tells: the container is there, the login is right, the
 * clock is, the firewall lets us in. Without the right to read only the login is known to be. */
bool blob_probe(struct crew *, const struct blob_target *, struct fault *) MUST_CHECK;

/* Looks whether a blob of this name is there. */
bool blob_find(struct crew *, const struct blob_target *, const char *name, struct blob_look *, struct fault *) MUST_CHECK;

/* Whether a blob can be written: an empty one of a name of its own is made and deleted, and said so. Who may write but not
 * delete leaves it there, which is said too. */
bool blob_try(struct crew *, const struct blob_target *, struct text *said, struct fault *) MUST_CHECK;

#endif
