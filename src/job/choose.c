/* SPDX-License-Identifier: MIT */
#include "job/choose.h"

#include "base/log.h"

#include <inttypes.h>
#include <string.h>

static bool
has_pid(const struct choice *choice, int64_t pid)
{
	for (size_t i = 0; i < choice->pid_count; i++)
		if (choice->pids[i] == pid)
			return true;
	return false;
}

/* Kudu's names have no ".exe"; people's may. */
static bool
is_named(const char *wanted, const char *name)
{
	size_t count = strlen(name);
	return span_begins_nocase(span_of(wanted), name) &&
	       (wanted[count] == 0 || span_is_nocase(span_of(wanted + count), ".exe"));
}

static bool
has_name(const struct choice *choice, const char *name)
{
	for (size_t i = 0; i < choice->name_count; i++)
		if (is_named(choice->names[i], name))
			return true;
	return false;
}

/* Without regard to children. */
static bool
is_meant(const struct choice *choice, const struct kudu_process *process)
{
	if (choice->pid_count > 0)
		return has_pid(choice, process->pid);
	if (choice->name_count > 0)
		return has_name(choice, process->name);
	return kudu_may_be_worker(process);
}

bool
choice_wants(const struct choice *choice, const struct kudu_process *process)
{
	if (choice->every || choice->children)
		return true;
	return choice->workers_and_kudu ? kudu_may_be_worker(process) : is_meant(choice, process);
}

bool
choice_needs_detail(const struct choice *choice)
{
	return choice->every || choice->workers_and_kudu || choice->children || choice->pick != PICK_ALL;
}

/* Whether it hangs on more than one instance what is chosen. */
static bool
is_for_site(const struct choice *choice)
{
	return choice->pid_count > 0 || choice->pick != PICK_ALL;
}

static struct board_process *
find_pid(struct board *board, const struct board_instance *instance, int64_t pid)
{
	for (uint32_t p = instance->first; p != BOARD_NONE; p = board->processes[p].next)
		if (board->processes[p].process.pid == pid && board->processes[p].state == PROCESS_KNOWN)
			return &board->processes[p];
	return NULL;
}

/* A console window's host runs nobody's code, nor do those who look after a crash. */
static bool
is_furniture(const struct kudu_process *process)
{
	static const char *const names[] = {"conhost", "cmd", "procdump", "procdump64", "WerFault"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_is_nocase(span_of(process->name), names[i]))
			return true;
	return false;
}

bool
choice_may_be_app(const struct kudu_process *process)
{
	return !kudu_may_be_worker(process) && !is_furniture(process);
}

/* Whether a process hangs below one that is meant. Where Kudu could not read the parent the name has to do. The chain is
 * the server's word and may be a circle. */
static bool
is_child_of_meant(struct board *board, const struct board_instance *instance, const struct choice *choice,
                  const struct kudu_process *process)
{
	const struct kudu_process *above = process;
	if (process->role != KUDU_CHILD || is_furniture(process))
		return false;
	for (unsigned height = 0; height < 16 && above->parent != 0; height++) {
		const struct board_process *parent = find_pid(board, instance, above->parent);
		if (parent == NULL)
			return false;
		above = &parent->process;
		if (is_meant(choice, above) && above->role != KUDU_SCM)
			return true;
	}
	return above == process && kudu_is_runtime(process);
}

static bool
is_chosen(struct board *board, const struct board_instance *instance, const struct kudu_process *process)
{
	const struct choice *choice = &board->sites[instance->site].choice;
	if (process->role == KUDU_SCM)
		return false;
	return is_meant(choice, process) || (choice->children && is_child_of_meant(board, instance, choice, process));
}

static void
mark(struct board *board, struct board_process *row)
{
	row->state = PROCESS_READY;
	board->ready++;
}

/* Two rounds: whether a child is chosen hangs on others that must still be known. */
static void
mark_chosen(struct board *board, const struct board_instance *instance)
{
	for (uint32_t p = instance->first; p != BOARD_NONE; p = board->processes[p].next) {
		struct board_process *row = &board->processes[p];
		row->chosen = row->state == PROCESS_KNOWN && is_chosen(board, instance, &row->process);
	}
	for (uint32_t p = instance->first; p != BOARD_NONE; p = board->processes[p].next)
		if (board->processes[p].chosen)
			mark(board, &board->processes[p]);
}

void
choose_on_instance(struct board *board, unsigned i)
{
	struct board_instance *instance = &board->instances[i];
	if (board->dumps && !is_for_site(&board->sites[instance->site].choice))
		mark_chosen(board, instance);
}

static bool
check_pids(struct board *board, const struct board_site *site, struct fault *fault)
{
	const struct choice *choice = &site->choice;
	for (size_t n = 0; n < choice->pid_count; n++) {
		const struct board_process *found = NULL;
		const char *machine = "the instance that answered";
		for (uint32_t i = site->first; i != BOARD_NONE && found == NULL; i = board->instances[i].next) {
			found = find_pid(board, &board->instances[i], choice->pids[n]);
			if (board->instances[i].machine[0] != 0)
				machine = board->instances[i].machine;
		}
		if (found == NULL) {
			fault_raise(fault, FAULT_MISSING, "%s has no process %" PRId64 " on %s", site->name, choice->pids[n],
			            site->first == site->last ? machine : "any instance that could be asked");
			return fault_hint(fault, "process ids change with a restart and differ between instances: see kudump ps");
		}
		if (found->process.role == KUDU_SCM)
			return fault_raise(fault, FAULT_UNABLE, "process %" PRId64 " of %s is Kudu's own, not the app's: not dumped",
			                   choice->pids[n], site->name);
	}
	return true;
}

static int64_t
weight(enum pick pick, const struct kudu_process *process)
{
	return pick == PICK_CPU ? process->cpu_ms : process->private_bytes;
}

/* The one that has the most, the first of equals. */
static void
mark_busiest(struct board *board, const struct board_site *site)
{
	struct board_process *most = NULL;
	for (uint32_t i = site->first; i != BOARD_NONE; i = board->instances[i].next)
		for (uint32_t p = board->instances[i].first; p != BOARD_NONE; p = board->processes[p].next) {
			struct board_process *row = &board->processes[p];
			if (row->state == PROCESS_KNOWN && is_chosen(board, &board->instances[i], &row->process) &&
			    (most == NULL || weight(site->choice.pick, &row->process) > weight(site->choice.pick, &most->process)))
				most = row;
		}
	if (most != NULL)
		mark(board, most);
}

static bool
any_chosen(const struct board *board, const struct board_site *site)
{
	for (uint32_t i = site->first; i != BOARD_NONE; i = board->instances[i].next)
		for (uint32_t p = board->instances[i].first; p != BOARD_NONE; p = board->processes[p].next)
			if (board->processes[p].state >= PROCESS_READY)
				return true;
	return false;
}

static bool
nothing(const struct board *board, const struct board_site *site, struct fault *fault)
{
	if (site->choice.name_count > 0) {
		fault_raise(fault, FAULT_MISSING, "%s runs no process of that name", site->name);
		return fault_hint(fault, "see kudump ps --all");
	}
	fault_raise(fault, FAULT_MISSING, "%s has no worker process, only Kudu's own", site->name);
	for (uint32_t i = site->first; i != BOARD_NONE; i = board->instances[i].next)
		if (board->instances[i].beside != 0)
			return fault_hint(fault, "the app sleeps or is stopped: send it a request first; or, as %s runs there, take --name %s",
			                  board->instances[i].beside_name, board->instances[i].beside_name);
	return fault_hint(fault, "the app sleeps or is stopped: send it a request first");
}

static bool
runs(const struct board *board, const struct board_site *site, const char *wanted)
{
	for (uint32_t i = site->first; i != BOARD_NONE; i = board->instances[i].next)
		for (uint32_t p = board->instances[i].first; p != BOARD_NONE; p = board->processes[p].next)
			if (is_named(wanted, board->processes[p].process.name))
				return true;
	return false;
}

/* Of several names that there is one is no failure, but those that are missing are not passed over in silence. */
static void
note_missing_names(const struct board *board, const struct board_site *site)
{
	for (size_t i = 0; i < site->choice.name_count && !site->broken; i++)
		if (!runs(board, site, site->choice.names[i]))
			log_note("%s runs no process %s", site->name, site->choice.names[i]);
}

bool
choose_on_site(struct board *board, unsigned s, struct fault *fault)
{
	struct board_site *site = &board->sites[s];
	if (!board->dumps)
		return true;
	if (!check_pids(board, site, fault))
		return false;
	if (site->choice.pick != PICK_ALL)
		mark_busiest(board, site);
	else if (is_for_site(&site->choice))
		for (uint32_t i = site->first; i != BOARD_NONE; i = board->instances[i].next)
			mark_chosen(board, &board->instances[i]);
	if (!any_chosen(board, site))
		return nothing(board, site, fault);
	note_missing_names(board, site);
	return true;
}

struct worker_taker {
	struct kudu_taker taker;
	struct kudu_process *room;
	size_t count;
};

static bool
take_worker(struct kudu_taker *taker, const struct kudu_process *process, struct fault *fault)
{
	struct worker_taker *workers = (struct worker_taker *)taker;
	(void)fault;
	if (kudu_may_be_worker(process) && workers->count < CHOSEN_MAX)
		workers->room[workers->count++] = *process;
	return true;
}

bool
choose_workers(struct site *site, struct kudu_process *room, size_t *count, struct fault *fault)
{
	struct worker_taker workers = {{take_worker}, room, 0};
	int64_t own_pid = 0;
	*count = 0;
	if (!kudu_list(site, &workers.taker, fault))
		return false;
	if (workers.count > 0 && !room[0].monitored && !kudu_own_pid(site, &own_pid, fault))
		return false;
	for (size_t i = 0; i < workers.count; i++) {
		if (room[i].role == KUDU_UNKNOWN && !kudu_find_role(site, own_pid, &room[i], fault))
			return false;
		if (room[i].role != KUDU_SCM)
			room[(*count)++] = room[i];
	}
	if (*count > 0)
		return true;
	fault_raise(fault, FAULT_MISSING, "%s has no worker process, only Kudu's own", site->name);
	return fault_hint(fault, "the app sleeps or is stopped: send it a request first");
}
