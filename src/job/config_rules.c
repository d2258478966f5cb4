/* SPDX-License-Identifier: MIT */
#include "job/config_rules.h"

#include "job/board.h"
#include "job/facts.h"
#include "job/secret.h"

#include <string.h>

#define SITE(field) offsetof(struct config_site, field)
#define LOGIN(field) offsetof(struct config_login, field)
#define DESTINATION(field) offsetof(struct config_destination, field)
#define LIMIT(field) offsetof(struct config_limits, field)
#define FILE_(field) offsetof(struct config, field)
#define PLAIN(words, kind, place) {words, kind, place, 0, 0, NULL, 0, 0, 0}
#define NUMBER(words, kind, place, least, most) {words, kind, place, least, most, NULL, 0, 0, 0}
#define END {NULL, RULE_TEXT, 0, 0, 0, NULL, 0, 0, 0}
#define SITE_RULES \
	PLAIN("instance", RULE_TEXT, SITE(instance)), PLAIN("processes", RULE_WORDS, SITE(processes)), \
	PLAIN("children", RULE_FLAG, SITE(children)), PLAIN("pick", RULE_TEXT, SITE(pick)), \
	PLAIN("login", RULE_TEXT, SITE(login)), PLAIN("type", RULE_TEXT, SITE(type)), PLAIN("to", RULE_WORDS, SITE(to))

static const struct config_rule site_rules[] = {
	PLAIN("scm", RULE_TEXT, SITE(scm)), PLAIN("arm", RULE_TEXT, SITE(arm)), SITE_RULES, END};
static const struct config_rule default_rules[] = {SITE_RULES, END};
static const struct config_rule login_rules[] = {
	PLAIN("user", RULE_TEXT, LOGIN(user)), PLAIN("password", RULE_TEXT, LOGIN(password)),
	PLAIN("token", RULE_TEXT, LOGIN(token)), PLAIN("identity", RULE_TEXT, LOGIN(identity)), END};
static const struct config_rule destination_rules[] = {
	PLAIN("to", RULE_TEXT, DESTINATION(to)), PLAIN("sas", RULE_TEXT, DESTINATION(sas)),
	PLAIN("key", RULE_TEXT, DESTINATION(key)), END};
static const struct config_rule limit_rules[] = {
	NUMBER("jobs", RULE_COUNT, LIMIT(jobs), 1, JOBS_MAX), NUMBER("lanes", RULE_COUNT, LIMIT(lanes), 1, LANES_MAX),
	NUMBER("block_size", RULE_BYTES, LIMIT(block_bytes), BLOCK_BYTES_LEAST, 1024u * MIB),
	NUMBER("memory", RULE_BYTES, LIMIT(memory_bytes), MIB, 1ull << 40),
	NUMBER("stall", RULE_COUNT, LIMIT(stall_s), 1, 86400), NUMBER("first_byte", RULE_COUNT, LIMIT(first_byte_s), 1, 86400), END};

const struct config_rule config_rules[] = {
	{"sites", RULE_OBJECTS, FILE_(sites), 0, SITES_MAX, site_rules, sizeof(struct config_site), FILE_(site_count), SITE(place)},
	{"logins", RULE_NAMED, FILE_(logins), 0, CONFIG_LOGINS, login_rules, sizeof(struct config_login), FILE_(login_count),
	 LOGIN(place)},
	{"destinations", RULE_NAMED, FILE_(destinations), 0, DESTINATIONS_MAX, destination_rules,
	 sizeof(struct config_destination), FILE_(destination_count), DESTINATION(place)},
	{"defaults", RULE_OBJECT, FILE_(defaults), 0, 0, default_rules, 0, 0, 0},
	{"limits", RULE_OBJECT, FILE_(limits), 0, 0, limit_rules, 0, 0, 0},
	PLAIN("name_template", RULE_TEXT, FILE_(name_template)),
	END,
};

void
config_name_row(struct config *config, const struct config_rule *rule, void *row, const char *name)
{
	size_t found, place = *(size_t *)(void *)((char *)row + rule->row_place);
	bool login = rule->inside == login_rules;
	if (name == NULL)
		return;
	if (login ? config_find_login(config, name, &found) : config_find_destination(config, name, &found))
		config_mistake(config, place, "\"%s\" has \"%s\" twice", rule->name, name);
	if (login)
		((struct config_login *)row)->name = name;
	else
		((struct config_destination *)row)->name = name;
}

static void
fill(struct config_site *site, const struct config_site *from)
{
	const char **to[] = {&site->instance, &site->login, &site->type, &site->pick};
	const char *const by[] = {from->instance, from->login, from->type, from->pick};
	for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
		if (*to[i] == NULL)
			*to[i] = by[i];
	if (site->processes.count == 0)
		site->processes = from->processes;
	if (site->to.count == 0)
		site->to = from->to;
	if (site->children == NULL)
		site->children = from->children;
}

/* A mistake in a text, where the text stands. */
static void
mistake_in(struct config *config, const char *text, const char *name, const struct fault *why)
{
	config_mistake(config, config_where(config, text), "\"%s\": %s", name, why->text);
}

static void
check_address(struct config *config, const struct config_site *site)
{
	struct fault fault;
	fault_clear(&fault);
	if (site->scm == NULL && site->arm == NULL)
		config_mistake(config, site->place, "a site needs \"scm\" or \"arm\"");
	if (site->scm != NULL && !url_parse(&config->scratch, span_of(site->scm), &fault))
		mistake_in(config, site->scm, "scm", &fault);
	fault_clear(&fault);
	if (site->arm != NULL && !arm_parse(&config->scratch, site->arm, &fault))
		mistake_in(config, site->arm, "arm", &fault);
}

static bool
read_address(struct url *url, const struct config_site *site)
{
	struct fault fault;
	fault_clear(&fault);
	return site->scm != NULL ? url_parse(url, span_of(site->scm), &fault)
	                         : site->arm != NULL && arm_parse(url, site->arm, &fault);
}

/* The same address twice would be the same site twice. */
static void
check_double(struct config *config, size_t index)
{
	const struct config_site *site = &config->sites[index];
	const bool arm = site->scm == NULL;
	if (!read_address(&config->scratch, site))
		return;
	for (size_t i = 0; i < index; i++)
		if ((config->sites[i].scm == NULL) == arm && read_address(&config->other, &config->sites[i]) &&
		    url_same_origin(&config->scratch, &config->other) &&
		    (!arm || span_is_nocase(span_of(config->scratch.path), config->other.path))) {
			config_mistake(config, config_where(config, arm ? site->arm : site->scm), "\"%s\": %s is listed twice",
			               arm ? "arm" : "scm", arm ? site->arm : config->scratch.host);
			return;
		}
}

static bool
is_one_of(const char *words, const char *one, const char *other)
{
	return strcmp(words, one) == 0 || strcmp(words, other) == 0;
}

static void
check_names(struct config *config, const struct config_site *site)
{
	size_t found;
	if (site->login != NULL && !config_find_login(config, site->login, &found))
		config_mistake(config, config_where(config, site->login), "there is no login \"%s\"", site->login);
	for (size_t i = 0; i < site->to.count; i++)
		if (site->to.at[i] != NULL && !config_find_destination(config, site->to.at[i], &found))
			config_mistake(config, config_where(config, site->to.at[i]), "there is no destination \"%s\"", site->to.at[i]);
}

/* What a site, or the defaults, say themselves. */
static void
check_site(struct config *config, const struct config_site *site)
{
	unsigned type;
	if (site->instance != NULL && strcmp(site->instance, "all") != 0 && !site_is_instance_id(site->instance))
		config_mistake(config, config_where(config, site->instance), "\"instance\" must be \"all\" or up to %d hex digits",
		               INSTANCE_MAX);
	if (site->pick != NULL && !is_one_of(site->pick, "cpu", "memory"))
		config_mistake(config, config_where(config, site->pick), "\"pick\" must be \"cpu\" or \"memory\"");
	if (site->type != NULL && !facts_read_type(site->type, &type))
		config_mistake(config, config_where(config, site->type),
		               "\"type\" must be \"mini\", \"full\", \"triage\" or a number as text");
	check_names(config, site);
}

/* Never quotes it: it may be the secret itself. */
static void
check_secret(struct config *config, const char *name, const char *words)
{
	if (words != NULL && !secret_is_reference(words))
		config_mistake(config, config_where(config, words), "\"%s\" must be env:NAME, file:PATH or vault:https://…: this file is "
		               "copied and kept, a secret must not stand in it", name);
}

static void
check_login(struct config *config, const struct config_login *login)
{
	int ways = (login->user != NULL) + (login->token != NULL) + (login->identity != NULL);
	struct fault fault;
	fault_clear(&fault);
	check_secret(config, "password", login->password);
	check_secret(config, "token", login->token);
	if (login->identity != NULL && !token_source_check(login->identity, &fault))
		mistake_in(config, login->identity, "identity", &fault);
	if (ways != 1)
		config_mistake(config, login->place, "a login has one of \"user\", \"token\" and \"identity\"");
	if ((login->user != NULL) != (login->password != NULL))
		config_mistake(config, login->place, "\"user\" and \"password\" belong together");
}

/* The secret is not looked at yet: it may have to be fetched. */
static void
check_container(struct config *config, const struct config_destination *destination)
{
	struct fault fault;
	fault_clear(&fault);
	if (strchr(destination->to, '?') != NULL)
		config_mistake(config, config_where(config, destination->to),
		               "\"to\" holds a SAS: a secret must not stand in this file, name it as \"sas\"");
	else if (!blob_target_check(&config->target, destination->to, &fault))
		mistake_in(config, destination->to, "to", &fault);
	if (destination->sas != NULL && destination->key != NULL)
		config_mistake(config, destination->place, "a destination has one of \"sas\" and \"key\"");
}

static void
check_destination(struct config *config, const struct config_destination *destination)
{
	check_secret(config, "sas", destination->sas);
	check_secret(config, "key", destination->key);
	if (destination->to == NULL || destination->to[0] == 0)
		config_mistake(config, destination->place, "a destination needs \"to\", a folder or the address of a container");
	else if (strstr(destination->to, "://") != NULL)
		check_container(config, destination);
	else if (destination->sas != NULL || destination->key != NULL)
		config_mistake(config, config_where(config, destination->to), "\"to\" is a folder, which wants neither \"sas\" nor \"key\"");
}

void
config_check(struct config *config)
{
	struct fault fault;
	fault_clear(&fault);
	if (config->site_count == 0 && config->mistake_count == 0)
		config_mistake(config, 0, "there are no \"sites\"");
	if (config->name_template != NULL && !facts_check_template(config->name_template, &fault))
		config_mistake(config, config_where(config, config->name_template), "%s", fault.text);
	for (size_t i = 0; i < config->login_count; i++)
		check_login(config, &config->logins[i]);
	for (size_t i = 0; i < config->destination_count; i++)
		check_destination(config, &config->destinations[i]);
	check_site(config, &config->defaults);
	for (size_t i = 0; i < config->site_count; i++) {
		check_address(config, &config->sites[i]);
		check_double(config, i);
		check_site(config, &config->sites[i]);
		fill(&config->sites[i], &config->defaults);
	}
}
