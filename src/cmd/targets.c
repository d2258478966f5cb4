/* SPDX-License-Identifier: MIT */
#include "cmd/targets.h"

#include "azure/arm.h"

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

bool
targets_read(struct targets *targets, const struct session *session, const struct settings *settings, struct fault *fault)
{
	struct choice choice;
	if (!read_choice(targets, settings, &choice, fault))
		return false;
	if (settings->arm != NULL && !arm_parse(&targets->arm, settings->arm, fault))
		return fault_while(fault, "--arm");
	if (settings->arm != NULL && (session->site_count > 1 || !session_check_plain(&targets->arm, settings, fault)))
		return fault_raise(fault, FAULT_USAGE, "--arm is of one site, --scm is given more than once");
	targets->count = session->site_count > 0 ? session->site_count : 1;
	for (size_t i = 0; i < targets->count; i++)
		targets->sites[i] = (struct board_site){.scm = i < session->site_count ? &session->sites[i] : NULL,
		                                        .arm = settings->arm != NULL ? &targets->arm : NULL,
		                                        .login = &session->login, .instance = settings->instance,
		                                        .choice = choice, .destinations = UINT32_MAX};
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
	return targets->count > 1 || (site->instance != NULL && strcmp(site->instance, "all") == 0);
}
