/* SPDX-License-Identifier: MIT */
/* The options of all commands in tables: the same rows parse the command line and print the help. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

struct list {
	char *at[SITES_MAX]; /* point into argv */
	size_t count;
};

/* What stands without an option in front. */
struct arguments {
	char **at; /* the places in argv that were read already */
	size_t count;
};

struct settings {
	/* common */
	struct list scm;
	const char *publish_profile, *user, *password_file, *identity, *audience, *instance, *arm, *ca, *config, *proxy;
	struct list resolve;
	bool json, quiet, verbose, no_progress, allow_plain_http, help;
	/* ps */
	bool all;
	/* dump */
	struct list pids, names, to;
	bool children;
	const char *type, *pick, *name_template, *digest, *via;
	uint64_t jobs, lanes, block_bytes, memory_bytes; /* 0: not given */
	uint64_t stall_s, first_byte_s;
	bool content_md5, overwrite, analyze;
	/* analyze, put */
	struct arguments files;
	bool one_blob; /* set by put itself: a SAS of one blob will do */
	const char *images;
	bool redact_message;
};

enum option_kind { OPTION_SWITCH, OPTION_TEXT, OPTION_LIST, OPTION_COUNT, OPTION_BYTES, OPTION_ARGUMENT };

struct option_row {
	const char *name;  /* --lanes; NULL ends a table; of an OPTION_ARGUMENT its name in the help: it stands alone, in arguments */
	const char *value; /* N; NULL: a switch */
	const char *help;
	enum option_kind kind;
	size_t place;      /* offset in struct settings */
	uint64_t least, most; /* of a count or size */
};

struct command {
	const char *name, *summary, *synopsis;
	const struct option_row *options;  /* its own; those of every command go without saying */
	const char *more;                  /* text at the end of its help; NULL: none */
	int (*run)(const struct command *, struct settings *); /* the exit status */
	enum command_reach { REACH_SITE, REACH_NETWORK, REACH_NOBODY } reach; /* whom it talks to, the farthest first: which options are for it */
};

/* Fills the settings from the words behind the command. `words` are argv's own, so that a secret can be blanked there. */
bool options_parse(struct settings *, const struct command *, char **words, size_t count, struct fault *) MUST_CHECK;

/* The help of a command on stdout. */
void options_print_help(const struct command *);

/* --digest: whether a hash is wanted. */
bool options_digest(const struct settings *, bool *wanted, struct fault *) MUST_CHECK;

#endif
