/* SPDX-License-Identifier: MIT */
/* Reading back what a landing wrote beside its dump: FILE.json. */
#ifndef JOB_MANIFEST_H
#define JOB_MANIFEST_H

#include "base/json.h"
#include "job/facts.h"

/* Fills the facts from the manifest of `path`: false, with the facts zeroed, when there is none of ours. What beside a
 * file has that name and is something else is nobody's fault; --verbose tells. The reader is room for the work. */
bool manifest_read(struct facts *, const char *path, struct json_reader *);

#endif
