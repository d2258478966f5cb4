/* SPDX-License-Identifier: MIT */
/* Reading back what a landing wrote beside its dump: FILE.json. */
#ifndef JOB_MANIFEST_H
#define JOB_MANIFEST_H

#include "base/file.h"
#include "base/json.h"
#include "job/facts.h"

struct manifest_desk {
	struct json_reader reader;
	struct file_source file;
	char path[PATH_BYTES_MAX];
};

/* Fills the facts from the manifest of `path`: false, with the facts zeroed, when there is none of ours. What beside a
 * file has that name and is something else is nobody's fault; --verbose tells. The desk is room for the work. */
bool manifest_read(struct facts *, const char *path, struct manifest_desk *);

#endif
