/* SPDX-License-Identifier: MIT */
#include "cmd/options.h"

#include "base/span.h"

#include <stdio.h>
#include <string.h>

#define AT(field) offsetof(struct settings, field)
#define END {NULL, NULL, NULL, OPTION_SWITCH, 0, 0, 0}

static const struct option_row of_sites[] = {
	{"--scm", "URL", "SCM address of the site, https://NAME.scm…; may be repeated (or KUDUMP_SCM)", OPTION_LIST, AT(scm), 0, 0},
	{"--publish-profile", "FILE", "SCM address, user and password from a .PublishSettings file", OPTION_TEXT,
	 AT(publish_profile), 0, 0},
	{"--arm", "ID", "resource id of the site, /subscriptions/…/sites/NAME: alone, everything goes through Azure Resource "
	 "Manager with a token for it; with --scm it names the instances when the SCM site cannot", OPTION_TEXT, AT(arm), 0, 0},
	{"--instance", "ID|all", "the instance to ask, by its id or the first digits of it, or each of them (default: the one that "
	 "answers)", OPTION_TEXT, AT(instance), 0, 0},
	{"--config", "FILE", "sites, logins, destinations and limits as JSON; options given here win over it", OPTION_TEXT, AT(config),
	 0, 0},
	END,
};

static const struct option_row of_logins[] = {
	{"--user", "NAME", "Basic user (or KUDUMP_USER); the password comes from KUDUMP_PASSWORD, --password-file or a prompt",
	 OPTION_TEXT, AT(user), 0, 0},
	{"--password-file", "FILE", "read the password from the first line of FILE", OPTION_TEXT, AT(password_file), 0, 0},
	{"--audience", "URI", "what tokens for the SCM site are asked for (default: App Service's, then Resource Manager's, of the "
	 "site's cloud)", OPTION_TEXT, AT(audience), 0, 0},
	END,
};

static const struct option_row of_tokens[] = {
	{"--identity", "KIND", "log in with tokens: managed[:client-id] | client | federated | token (KUDUMP_TOKEN) | file:PATH; "
	 "or vault:URL, a Key Vault secret that is the password of --user", OPTION_TEXT, AT(identity), 0, 0},
	END,
};

static const struct option_row of_network[] = {
	{"--ca", "FILE", "trust these CA certificates (else SSL_CERT_FILE, the system's, the Azure roots built in)",
	 OPTION_TEXT, AT(ca), 0, 0},
	{"--proxy", "URL", "reach sites and blobs through this HTTP proxy, http://HOST:PORT; '' is none (else HTTPS_PROXY; with NO_PROXY)",
	 OPTION_TEXT, AT(proxy), 0, 0},
	{"--resolve", "HOST:ADDR", "use this address for a host instead of asking the resolver; may be repeated", OPTION_LIST,
	 AT(resolve), 0, 0},
	{"--allow-plain-http", NULL, "accept http:// to other than loopback addresses", OPTION_SWITCH, AT(allow_plain_http), 0, 0},
	END,
};

static const struct option_row of_output[] = {
	{"--json", NULL, "results as one JSON object a line on stdout", OPTION_SWITCH, AT(json), 0, 0},
	{"--quiet", NULL, "only errors on stderr", OPTION_SWITCH, AT(quiet), 0, 0},
	{"--verbose", NULL, "say what is done", OPTION_SWITCH, AT(verbose), 0, 0},
	{"--no-progress", NULL, "no progress line on a terminal", OPTION_SWITCH, AT(no_progress), 0, 0},
	{"--help", NULL, "this text", OPTION_SWITCH, AT(help), 0, 0},
	END,
};

/* What commands have in common, and how far a command must reach for it. */
static const struct group {
	const char *title; /* the same as before: it goes on */
	const struct option_row *rows;
	enum command_reach reach;
} groups[] = {
	{"sites", of_sites, REACH_SITE}, {"logins", of_logins, REACH_SITE}, {"logins", of_tokens, REACH_NETWORK},
	{"network", of_network, REACH_NETWORK}, {"output", of_output, REACH_NOBODY},
};

#define GROUPS (sizeof groups / sizeof groups[0])

static const char options_environment[] =
	"environment\n"
	"  KUDUMP_SCM, KUDUMP_USER   as --scm and --user\n"
	"  KUDUMP_PASSWORD           password of the user\n"
	"  KUDUMP_TOKEN              token of --identity token; without --identity for blobs alone\n"
	"  KUDUMP_BLOB_SAS, AZURE_STORAGE_KEY   login of blobs; vault:URL fetches it from a Key Vault\n"
	"  AZURE_TENANT_ID, AZURE_CLIENT_ID     of --identity client and federated, with\n"
	"  AZURE_CLIENT_SECRET, AZURE_FEDERATED_TOKEN_FILE (read anew for each token)\n"
	"  AZURE_AUTHORITY_HOST      Entra's address (default: that of the site's cloud)\n"
	"  IDENTITY_ENDPOINT, IDENTITY_HEADER   set inside apps, for --identity managed\n"
	"  SSL_CERT_FILE             as --ca";

bool
options_digest(const struct settings *settings, bool *wanted, struct fault *fault)
{
	*wanted = settings->digest == NULL || strcmp(settings->digest, "sha256") == 0;
	return *wanted || strcmp(settings->digest, "none") == 0 ||
	       fault_raise(fault, FAULT_USAGE, "--digest: \"%s\" is not sha256 or none", settings->digest);
}

static const struct option_row *
find_row(const struct option_row *rows, struct span name)
{
	for (; rows->name != NULL; rows++)
		if (rows->kind != OPTION_ARGUMENT && span_is(name, rows->name))
			return rows;
	return NULL;
}

/* The row of a word: an option of the command or one it shares, or the command's argument if it has one. */
static const struct option_row *
row_of(const struct command *command, struct span word, struct span name)
{
	const struct option_row *row;
	if (span_is(word, "-h"))
		name = span_of("--help");
	row = find_row(command->options, name);
	for (size_t i = 0; i < GROUPS && row == NULL; i++)
		if (command->reach <= groups[i].reach)
			row = find_row(groups[i].rows, name);
	if (row == NULL && !(span_begins(word, "-") && word.count > 1))
		for (row = command->options; row->name != NULL; row++)
			if (row->kind == OPTION_ARGUMENT)
				return row;
	return row == NULL || row->name == NULL ? NULL : row;
}

/* There are never more of them than words that were read. */
static bool
take_argument(const struct option_row *row, struct settings *settings, char **words, char *word, struct fault *fault)
{
	struct arguments *arguments = (void *)((char *)settings + row->place);
	if (arguments->count == ARGUMENTS_MAX)
		return fault_raise(fault, FAULT_USAGE, "more than %d arguments are given", ARGUMENTS_MAX);
	arguments->at = words;
	words[arguments->count++] = word;
	return true;
}

static bool
take_number(const struct option_row *row, void *place, const char *value, struct fault *fault)
{
	uint64_t number;
	bool good = row->kind == OPTION_BYTES ? span_bytes(span_of(value), &number) : span_decimal(span_of(value), &number);
	if (!good)
		return fault_raise(fault, FAULT_USAGE, "%s: \"%s\" is not a %s", row->name, value,
		                   row->kind == OPTION_BYTES ? "size such as 4M" : "whole number");
	if (number < row->least || number > row->most)
		return fault_raise(fault, FAULT_USAGE, "%s: %s is not between %llu and %llu", row->name, value,
		                   (unsigned long long)row->least, (unsigned long long)row->most);
	memcpy(place, &number, sizeof number);
	return true;
}

static bool
take_value(const struct option_row *row, struct settings *settings, char *value, struct fault *fault)
{
	void *place = (char *)settings + row->place;
	struct list *list = place;
	switch (row->kind) {
	case OPTION_SWITCH:
		*(bool *)place = true;
		return true;
	case OPTION_TEXT:
		*(const char **)place = value;
		return true;
	case OPTION_LIST:
		if (list->count == sizeof list->at / sizeof list->at[0])
			return fault_raise(fault, FAULT_USAGE, "%s is given more than %zu times", row->name, list->count);
		list->at[list->count++] = value;
		return true;
	case OPTION_COUNT:
	case OPTION_BYTES:
		return take_number(row, place, value, fault);
	case OPTION_ARGUMENT:
		break;
	}
	return false;
}

/* Behind a -- all words are arguments, whatever they begin with. */
static bool
take_arguments(struct settings *settings, const struct command *command, char **words, size_t from, size_t count,
               struct fault *fault)
{
	const struct option_row *row = row_of(command, span_of(""), span_of(""));
	if (row == NULL && from < count)
		return fault_raise(fault, FAULT_USAGE, "%s knows no argument %.60s", command->name, words[from]);
	for (size_t i = from; i < count; i++)
		if (!take_argument(row, settings, words, words[i], fault))
			return false;
	return true;
}

bool
options_parse(struct settings *settings, const struct command *command, char **words, size_t count, struct fault *fault)
{
	for (size_t i = 0; i < count; i++) {
		struct span word = span_of(words[i]), name = word;
		const struct option_row *row;
		char *value = NULL;
		size_t equals;
		if (span_is(word, "--"))
			return take_arguments(settings, command, words, i + 1, count, fault);
		if (span_find_byte(word, '=', &equals)) {
			name = span_first(word, equals);
			value = words[i] + equals + 1;
		}
		row = row_of(command, word, name);
		if (row == NULL)
			return fault_raise(fault, FAULT_USAGE, "%s knows no %s %.*s", command->name,
			                   words[i][0] == '-' ? "option" : "argument", (int)(name.count < 60 ? name.count : 60), words[i]);
		if (row->kind == OPTION_ARGUMENT) {
			if (!take_argument(row, settings, words, words[i], fault))
				return false;
			continue;
		}
		if (row->value == NULL && value != NULL)
			return fault_raise(fault, FAULT_USAGE, "%s takes no value", row->name);
		if (row->value != NULL && value == NULL && ++i == count)
			return fault_raise(fault, FAULT_USAGE, "%s needs a value: %s", row->name, row->value);
		if (!take_value(row, settings, value != NULL ? value : words[i], fault))
			return false;
	}
	return true;
}

#define HELP_LEFT 28
#define HELP_WIDTH 100

/* Words of a help text, broken at HELP_WIDTH, later lines indented. */
static void
print_wrapped(const char *words, size_t column)
{
	struct span rest = span_of(words), word;
	while (span_cut(&rest, ' ', &word)) {
		size_t wide = 0; /* characters, not bytes */
		for (size_t i = 0; i < word.count; i++)
			wide += (word.at[i] & 0xc0) != 0x80;
		if (column + wide + 1 > HELP_WIDTH) {
			printf("\n%*s", HELP_LEFT, "");
			column = HELP_LEFT;
		}
		printf(" %.*s", (int)word.count, (const char *)word.at);
		column += wide + 1;
	}
	putchar('\n');
}

static void
print_rows(const struct option_row *rows)
{
	for (; rows->name != NULL; rows++) {
		int wide = printf("  %s%s%s", rows->name, rows->value != NULL ? " " : "", rows->value != NULL ? rows->value : "");
		if (wide >= HELP_LEFT)
			wide = printf("\n") - 1;
		printf("%*s", HELP_LEFT - wide, "");
		print_wrapped(rows->help, HELP_LEFT);
	}
}

void
options_print_help(const struct command *command)
{
	const char *title = "";
	printf("usage: kudump %s %s\n\n%s\n\n", command->name, command->synopsis, command->summary);
	printf("%s\n", command->name);
	print_rows(command->options);
	for (size_t i = 0; i < GROUPS; i++) {
		if (command->reach > groups[i].reach)
			continue;
		if (strcmp(title, groups[i].title) != 0)
			printf("\n%s\n", groups[i].title);
		title = groups[i].title;
		print_rows(groups[i].rows);
	}
	if (command->reach != REACH_NOBODY)
		printf("\n%s\n", options_environment);
	if (command->more != NULL)
		printf("\n%s\n", command->more);
}
