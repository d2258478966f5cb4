/* SPDX-License-Identifier: MIT */
#include "cmd/targets.h"

#include "azure/arm.h"
#include "job/facts.h"

#include <string.h>

static bool
read_pids(struct targets *targets, const struct settings *settings, struct fault *fault)
{
	if (settings->pids.count > 0 && settings->names.count > 0)
		return fault_raise(fault, FAULT_USAGE, "--pid and --name exclude each other");
	for (size_t i = 0; i < settings->pids.count; i++) {
		uint64_t pid;
		if (!span_decimal(span_of(settings->pids.at[i]), &pid) || pid == 0 || pid > UINT32_MAX)
			return fault_raise(fault, FAULT_USAGE, "--pid: \"%s\" is no process id", settings->pids.at[i]);
		targets->pids[i] = (int64_t)pid;
	}
	return true;
}

static bool
read_pick(const char *words, enum pick *pick, struct fault *fault)
{
	*pick = words == NULL ? PICK_ALL : strcmp(words, "cpu") == 0 ? PICK_CPU : PICK_MEMORY;
	if (*pick != PICK_MEMORY || strcmp(words, "memory") == 0)
		return true;
	return fault_raise(fault, FAULT_USAGE, "--pick: \"%s\" is not cpu or memory", words);
}

static bool
read_choice(struct targets *targets, const struct settings *settings, struct choice *choice, struct fault *fault)
{
	*choice = (struct choice){.pids = targets->pids, .pid_count = settings->pids.count,
	                          .names = (const char *const *)settings->names.at, .name_count = settings->names.count,
	                          .children = settings->children, .every = settings->all};
	if (!read_pids(targets, settings, fault) || !read_pick(settings->pick, &choice->pick, fault))
		return false;
	if (choice->pid_count > 0 && choice->pick != PICK_ALL)
		return fault_raise(fault, FAULT_USAGE, "--pid and --pick exclude each other");
	return true;
}

static bool
read_type(const char *words, unsigned *type, struct fault *fault)
{
	return facts_read_type(words, type) ||
	       fault_raise(fault, FAULT_USAGE, "--type: \"%s\" is not mini, full, triage or a number", words);
}

static bool
read_options(struct targets *targets, const struct session *session, const struct settings *settings,
             const struct choice *choice, struct fault *fault)
{
	unsigned type;
	if (settings->arm != NULL && !arm_parse(&targets->arm, settings->arm, fault))
		return fault_while(fault, "--arm");
	if (settings->arm != NULL && !session_check_plain(&targets->arm, settings, fault))
		return false;
	if (settings->arm != NULL && session->site_count > 1)
		return fault_raise(fault, FAULT_USAGE, "--arm is of one site, --scm is given more than once");
	if (!read_type(settings->type != NULL ? settings->type : "mini", &type, fault))
		return false;
	targets->count = session->site_count > 0 ? session->site_count : 1;
	for (size_t i = 0; i < targets->count; i++)
		targets->sites[i] = (struct board_site){.scm = i < session->site_count ? &session->sites[i] : NULL,
		                                        .arm = settings->arm != NULL ? &targets->arm : NULL,
		                                        .login = &session->credentials->login, .instance = settings->instance, .type = type,
		                                        .choice = *choice, .destinations = UINT32_MAX};
	return true;
}

/* Options that say which processes replace what the config says of that. */
static bool
choose_for(struct choice *choice, const struct config_site *from, const struct settings *settings, struct fault *fault)
{
	if (choice->pid_count == 0 && choice->name_count == 0) {
		choice->names = from->processes.at;
		choice->name_count = from->processes.count;
	}
	choice->children = settings->children || (from->children != NULL && *from->children);
	return settings->pick != NULL || from->pick == NULL || choice->pid_count > 0 || read_pick(from->pick, &choice->pick, fault);
}

static bool
read_url(struct url *url, const char *words, bool arm, const struct settings *settings, struct fault *fault)
{
	return words == NULL || ((arm ? arm_parse(url, words, fault) : url_parse(url, span_of(words), fault)) &&
	                         session_check_plain(url, settings, fault));
}

static bool
read_site(struct board_site *site, struct configured *configured, size_t i, const struct session *session,
          const struct settings *settings, struct fault *fault)
{
	const struct config_site *from = &configured->config.sites[i];
	const char *type = settings->type != NULL ? settings->type : from->type != NULL ? from->type : "mini";
	bool own_login = settings->user == NULL && settings->identity == NULL && from->login != NULL;
	size_t found;
	if (!read_url(&configured->urls[i], from->scm, false, settings, fault) ||
	    !read_url(&configured->arms[i], from->arm, true, settings, fault) || !read_type(type, &site->type, fault) ||
	    !choose_for(&site->choice, from, settings, fault))
		return config_place(&configured->config, from->place, fault);
	site->scm = from->scm != NULL ? &configured->urls[i] : NULL;
	site->arm = from->arm != NULL ? &configured->arms[i] : NULL;
	site->login = own_login && config_find_login(&configured->config, from->login, &found) ? &configured->logins[found].login
	                                                                                       : &session->credentials->login;
	site->instance = settings->instance != NULL ? settings->instance : from->instance;
	site->destinations = settings->to.count > 0 ? UINT32_MAX : 0;
	for (size_t n = 0; settings->to.count == 0 && n < from->to.count; n++)
		if (config_find_destination(&configured->config, from->to.at[n], &found))
			site->destinations |= 1u << found;
	return true;
}

bool
targets_read(struct targets *targets, const struct session *session, struct configured *configured,
             const struct settings *settings, struct fault *fault)
{
	struct choice choice;
	if (!read_choice(targets, settings, &choice, fault))
		return false;
	targets->by_config = configured->given && session->site_count == 0 && settings->arm == NULL;
	if (!targets->by_config)
		return read_options(targets, session, settings, &choice, fault);
	targets->count = configured->config.site_count;
	for (size_t i = 0; i < targets->count; i++) {
		targets->sites[i] = (struct board_site){.choice = choice};
		if (!read_site(&targets->sites[i], configured, i, session, settings, fault))
			return false;
	}
	return true;
}

static unsigned
jobs_of(const struct settings *settings)
{
	return settings->jobs != 0 ? (unsigned)settings->jobs : JOBS_DEFAULT;
}

unsigned
targets_dumps(const struct targets *targets, const struct settings *settings)
{
	unsigned jobs = jobs_of(settings);
	return jobs < targets->count ? jobs : (unsigned)targets->count;
}

unsigned
targets_workers(const struct targets *targets, const struct settings *settings)
{
	for (size_t i = 0; i < targets->count; i++) {
		const struct board_site *site = &targets->sites[i];
		if (site->choice.every || site->choice.children || (site->instance != NULL && strcmp(site->instance, "all") == 0))
			return jobs_of(settings);
	}
	return targets_dumps(targets, settings);
}

bool
targets_are_many(const struct targets *targets)
{
	const struct board_site *site = &targets->sites[0];
	return targets->by_config || targets->count > 1 || (site->instance != NULL && strcmp(site->instance, "all") == 0);
}
