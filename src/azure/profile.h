/* SPDX-License-Identifier: MIT */
/* A publish profile (NAME.PublishSettings) as the portal hands it out: XML, of which the site's address and its Basic
 * login are read and nothing else; it also holds FTP logins and connection strings. */
#ifndef AZURE_PROFILE_H
#define AZURE_PROFILE_H

#include "base/text.h"

#define PROFILE_MAX (128u * KIB) /* of the file; usual ones have 3 KiB */

struct profile {
	char scm[HOST_MAX + 16]; /* https://HOST[:PORT] of the SCM site */
	char user[256], password[512]; /* secrets */
};

/* Reads the entry of ZipDeploy, else that of MSDeploy. FAULT_USAGE says what is wrong and on which line, and explains a
 * file without credentials (REDACTED). Quotes no value. What was read so far is overwritten then. */
bool profile_read(struct profile *, struct span xml, struct fault *) MUST_CHECK;

#endif
