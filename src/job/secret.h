/* SPDX-License-Identifier: MIT */
/* Secrets by reference: env:NAME, file:PATH (its first line), vault:https://NAME.vault.azure.net/secrets/NAME. */
#ifndef JOB_SECRET_H
#define JOB_SECRET_H

#include "base/fault.h"

#include <stddef.h>

/* Who fetches vault: references; NULL members: nobody can. */
struct secret_means {
	bool (*vault)(void *state, const char *url, char *room, size_t size, struct fault *);
	void *state;
};

/* Whether the words are a reference and no secret. */
bool secret_is_reference(const char *words);

/* The first line of a file, without its end; it must have one. A file that every user may read is remarked upon. */
bool secret_read_file(const char *path, char *room, size_t size, struct fault *) MUST_CHECK;

/* Fetches it. The caller wipes the room. Faults name the reference, never what it holds. */
bool secret_read(const char *reference, const struct secret_means *, char *room, size_t size, struct fault *) MUST_CHECK;

#endif
