/* SPDX-License-Identifier: MIT */
/* The file of --config: sites, logins, destinations and limits as JSON, checked as a whole. Every mistake is found with its
 * line and column, up to a limit. Nothing in it is a secret: passwords are named, not written (job/secret.h). */
#ifndef JOB_CONFIG_H
#define JOB_CONFIG_H

#include "azure/arm.h"
#include "azure/blob_target.h"
#include "base/memory.h"
#include "base/json_scan.h"

#define CONFIG_BYTES_MAX MIB
#define CONFIG_MISTAKES 20
#define CONFIG_NAMES 8   /* processes of a site */
#define CONFIG_TO 8      /* destinations of a site */
#define CONFIG_LOGINS 64

struct config_words {
	const char *at[CONFIG_NAMES];
	size_t count;
};

/* Texts that are absent are NULL; config_where tells where one stands. `place` is the byte where the whole stands. */
struct config_site {
	const char *scm, *arm, *instance, *login, *type, *pick;
	struct config_words processes, to;
	const bool *children;
	size_t place;
};

struct config_login {
	const char *name, *user, *password, *token, *identity; /* password, token: references */
	size_t place;
};

struct config_destination {
	const char *name, *to, *sas, *key; /* sas, key: references */
	size_t place;
};

struct config_limits {
	uint64_t jobs, lanes, block_bytes, memory_bytes, stall_s, first_byte_s; /* 0: not given */
};

struct config {
	struct config_site sites[SITES_MAX]; /* with what `defaults` says filled in */
	struct config_site defaults;
	struct config_login logins[CONFIG_LOGINS];
	struct config_destination destinations[DESTINATIONS_MAX];
	size_t site_count, login_count, destination_count;
	struct config_limits limits;
	const char *name_template;
	struct fault mistakes[CONFIG_MISTAKES];
	size_t mistake_count; /* all of them; that many are kept at most */
	/* the room's own */
	const char *path;
	struct span whole;
	char *words; /* every text of it, each as far from the beginning as in the file */
	struct json_scan scan;
	struct span rest;
	struct url scratch, other;
	struct blob_target target; /* to see whether an address is one */
};

/* Bytes that config_read takes of a memory: a page is used when something stands on it. */
size_t config_need(void);

/* Reads and checks it. False with one fault when it cannot be read or has mistakes: these are in `mistakes` then, each
 * beginning with FILE:LINE:COLUMN. `path` must outlive the config. */
bool config_read(struct config *, struct memory *, const char *path, struct fault *) MUST_CHECK;

/* The same of a text in memory; `words` has as many bytes as it. For config_read and tests. */
bool config_read_text(struct config *, const char *path, struct span, char *words, struct fault *) MUST_CHECK;

/* The byte where a text of the config stands in the file. */
size_t config_where(const struct config *, const char *text);

/* Puts "FILE:LINE:COLUMN" in front of a fault about what stands at `place`. Always false. */
bool config_place(const struct config *, size_t place, struct fault *);

/* Index of a login or destination; false when there is none of that name. */
bool config_find_login(const struct config *, const char *name, size_t *index);
bool config_find_destination(const struct config *, const char *name, size_t *index);

#endif
