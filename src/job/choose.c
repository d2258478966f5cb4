/* SPDX-License-Identifier: MIT */
#include "job/choose.h"

#include "base/log.h"

#include <inttypes.h>
#include <string.h>

struct choice_filter {
	struct kudu_filter filter;
	const struct choice *choice;
};

static bool
has_pid(const struct choice *choice, int64_t pid)
{
	for (size_t i = 0; i < choice->pid_count; i++)
		if (choice->pids[i] == pid)
			return true;
	return false;
}

static bool
has_name(const struct choice *choice, const char *name)
{
	for (size_t i = 0; i < choice->name_count; i++)
		if (span_is_nocase(span_of(name), choice->names[i]))
			return true;
	return false;
}

static bool
keeps(const struct kudu_filter *filter, const struct kudu_process *process)
{
	const struct choice *choice = ((const struct choice_filter *)filter)->choice;
	if (choice->pid_count > 0)
		return has_pid(choice, process->pid);
	if (choice->name_count > 0)
		return has_name(choice, process->name);
	return kudu_is_w3wp(process);
}

static bool
check_pids(const struct site *site, const struct choice *choice, const struct kudu_process *room, size_t count,
           struct fault *fault)
{
	for (size_t i = 0; i < choice->pid_count; i++) {
		size_t n = 0;
		while (n < count && room[n].pid != choice->pids[i])
			n++;
		if (n < count)
			continue;
		fault_raise(fault, FAULT_MISSING, "%s has no process %" PRId64 " on %s", site->name, choice->pids[i],
		            site->machine[0] != 0 ? site->machine : "the instance that answered");
		return fault_hint(fault, "process ids change with a restart and differ between instances: see kudump ps");
	}
	return true;
}

/* Drops what is Kudu's and what ended meanwhile; a pid that was asked for by number may be neither. */
static bool
sort_out(struct site *site, const struct choice *choice, struct kudu_process *room, size_t *count, struct fault *fault)
{
	int64_t own_pid;
	size_t kept = 0;
	if (*count > 0 && !kudu_own_pid(site, &own_pid, fault))
		return false;
	for (size_t i = 0; i < *count; i++) {
		bool found = kudu_find_role(site, own_pid, &room[i], fault);
		if (!found && (fault->kind != FAULT_MISSING || choice->pid_count > 0))
			return false;
		if (!found) {
			log_note("%s: process %" PRId64 " has ended meanwhile", site->name, room[i].pid);
			fault_clear(fault);
			continue;
		}
		if (room[i].role != KUDU_SCM)
			room[kept++] = room[i];
		else if (choice->pid_count > 0)
			return fault_raise(fault, FAULT_UNABLE, "process %" PRId64 " of %s is Kudu's own, not the app's: not dumped",
			                   room[i].pid, site->name);
	}
	*count = kept;
	return true;
}

static bool
nothing(const struct site *site, const struct choice *choice, struct fault *fault)
{
	if (choice->name_count > 0) {
		fault_raise(fault, FAULT_MISSING, "%s runs no process of that name", site->name);
		return fault_hint(fault, "see kudump ps --all");
	}
	fault_raise(fault, FAULT_MISSING, "%s has no worker process, only Kudu's own", site->name);
	return fault_hint(fault, "the app sleeps or is stopped: send it a request first");
}

bool
choose(struct site *site, const struct choice *choice, struct kudu_process *room, size_t *count, struct fault *fault)
{
	struct choice_filter filter = {{keeps}, choice};
	if (!kudu_list(site, &filter.filter, room, CHOSEN_MAX, count, fault) ||
	    !check_pids(site, choice, room, *count, fault) || !sort_out(site, choice, room, count, fault))
		return false;
	return *count > 0 || nothing(site, choice, fault);
}
