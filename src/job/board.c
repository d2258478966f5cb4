/* SPDX-License-Identifier: MIT */
#include "job/board.h"

#include "azure/arm.h"
#include "base/log.h"
#include "base/stop.h"
#include "job/choose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t
board_need(void)
{
	return memory_need(sizeof(struct board_instance) * BOARD_INSTANCES, 64) +
	       memory_need(sizeof(struct board_process) * PROCESSES_MAX, 64);
}

static bool
same_place(const struct board_site *a, const struct board_site *b)
{
	if (a->scm != NULL && b->scm != NULL)
		return url_same_origin(a->scm, b->scm);
	if (a->scm == NULL && b->scm == NULL)
		return span_is_nocase(span_of(a->arm->path), b->arm->path);
	return span_is_nocase(span_of(a->name), b->name); /* one by each way: Kudu's file is the same */
}

bool
board_open(struct board *board, struct memory *memory, struct fault *fault)
{
	board->instances = memory_take(memory, sizeof(struct board_instance) * BOARD_INSTANCES, 64);
	board->processes = memory_take(memory, sizeof(struct board_process) * PROCESSES_MAX, 64);
	board->process_room = PROCESSES_MAX;
	board->instance_count = board->process_count = board->first_found = board->ready = board->busy = 0;
	for (uint32_t i = 0; i < board->site_count; i++) {
		struct board_site *site = &board->sites[i];
		site->first = site->last = BOARD_NONE;
		site->left = site->whole = 0;
		site->begun = site->expanded = site->broken = site->settled = site->dumping = site->cut = false;
		if (site->scm != NULL)
			site_put_name(site->scm, site->name, sizeof site->name);
		else
			arm_name(site->arm, site->name, sizeof site->name);
		for (site->gate = 0; site->gate < i && !same_place(site, &board->sites[site->gate]); site->gate++)
			;
	}
	if (pthread_mutex_init(&board->lock, NULL) != 0 || pthread_cond_init(&board->changed, NULL) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	return true;
}

/* How far a work is from the connection at hand: the same instance, the same site, elsewhere. */
static unsigned
distance(const struct work *before, const struct work *work)
{
	if (before->kind == WORK_NONE || before->site != work->site)
		return 2;
	return before->instance != work->instance;
}

static void
consider(const struct work *before, struct work *best, unsigned *far, struct work work)
{
	unsigned d = distance(before, &work);
	if (d >= *far)
		return;
	*best = work;
	*far = d;
}

static bool
pick_dump(struct board *board, const struct work *before, struct work *work)
{
	unsigned far = 3;
	for (uint32_t p = 0; board->ready > 0 && p < board->process_count && far > 0; p++) {
		uint32_t i = board->processes[p].instance, s = board->instances[i].site;
		if (board->processes[p].state == PROCESS_READY && !(board->shared_file && board->sites[board->sites[s].gate].dumping))
			consider(before, work, &far, (struct work){WORK_DUMP, s, i, p});
	}
	return far < 3;
}

static bool
pick_look(struct board *board, const struct work *before, struct work *work)
{
	unsigned far = 3;
	while (board->first_found < board->process_count && board->processes[board->first_found].state != PROCESS_FOUND)
		board->first_found++;
	for (uint32_t p = board->first_found; p < board->process_count && far > 0; p++) {
		uint32_t i = board->processes[p].instance;
		if (board->processes[p].state == PROCESS_FOUND && board->instances[i].state == INSTANCE_LISTED)
			consider(before, work, &far, (struct work){WORK_LOOK, board->instances[i].site, i, p});
	}
	return far < 3;
}

static bool
pick_list(struct board *board, const struct work *before, struct work *work)
{
	unsigned far = 3;
	for (uint32_t i = 0; i < board->instance_count && far > 0; i++)
		if (board->instances[i].state == INSTANCE_FOUND)
			consider(before, work, &far, (struct work){WORK_LIST, board->instances[i].site, i, BOARD_NONE});
	return far < 3;
}

static bool
pick_expand(struct board *board, struct work *work)
{
	for (uint32_t s = 0; s < board->site_count; s++)
		if (!board->sites[s].begun) {
			*work = (struct work){WORK_EXPAND, s, BOARD_NONE, BOARD_NONE};
			return true;
		}
	return false;
}

static void
begin(struct board *board, const struct work *work)
{
	board->busy++;
	switch (work->kind) {
	case WORK_NONE:
		break;
	case WORK_EXPAND:
		board->sites[work->site].begun = true;
		break;
	case WORK_LIST:
		board->instances[work->instance].state = INSTANCE_ASKED;
		break;
	case WORK_LOOK:
		board->processes[work->process].state = PROCESS_ASKED;
		break;
	case WORK_DUMP:
		board->processes[work->process].state = PROCESS_DUMPING;
		board->sites[board->sites[work->site].gate].dumping = true;
		board->ready--;
	}
}

bool
board_next(struct board *board, const struct work *before, struct work *work)
{
	bool found;
	pthread_mutex_lock(&board->lock);
	for (;;) {
		found = stop_signal() == 0 && (pick_dump(board, before, work) || pick_look(board, before, work) ||
		                               pick_list(board, before, work) || pick_expand(board, work));
		if (found || board->busy == 0 || stop_signal() != 0)
			break;
		pthread_cond_wait(&board->changed, &board->lock);
	}
	if (found)
		begin(board, work);
	pthread_mutex_unlock(&board->lock);
	return found;
}

static uint32_t
add_instance(struct board *board, uint32_t s)
{
	struct board_site *site = &board->sites[s];
	uint32_t i = board->instance_count;
	if (i == BOARD_INSTANCES)
		return BOARD_NONE;
	board->instance_count++;
	board->instances[i] = (struct board_instance){.site = s, .next = BOARD_NONE, .first = BOARD_NONE, .last = BOARD_NONE};
	if (site->last == BOARD_NONE)
		site->first = i;
	else
		board->instances[site->last].next = i;
	site->last = i;
	site->left++;
	return i;
}

static uint32_t
find_instance(const struct board *board, uint32_t site, const char *id)
{
	uint32_t i = board->sites[site].first;
	while (i != BOARD_NONE && strcmp(board->instances[i].id, id) != 0)
		i = board->instances[i].next;
	return i;
}

/* A list may hold an instance twice. */
bool
board_add_instance(struct board *board, uint32_t site, const char *id, const char *machine, struct fault *fault)
{
	uint32_t i;
	bool known;
	pthread_mutex_lock(&board->lock);
	i = find_instance(board, site, id);
	known = i != BOARD_NONE;
	if (!known)
		i = add_instance(board, site);
	if (i != BOARD_NONE && !known) {
		snprintf(board->instances[i].id, sizeof board->instances[i].id, "%s", id);
		snprintf(board->instances[i].machine, sizeof board->instances[i].machine, "%s", machine);
	}
	pthread_cond_broadcast(&board->changed);
	pthread_mutex_unlock(&board->lock);
	return i != BOARD_NONE || fault_raise(fault, FAULT_BOUND, "the sites have more than %d instances", BOARD_INSTANCES);
}

/* A list is known before its processes are looked at. */
static void
add_process(struct board *board, struct board_instance *instance, const struct kudu_process *process)
{
	uint32_t p = board->process_count++;
	struct board_process *row = &board->processes[p];
	row->instance = (uint32_t)(instance - board->instances);
	row->next = BOARD_NONE;
	row->state = PROCESS_FOUND;
	row->process = *process;
	if (instance->last == BOARD_NONE)
		instance->first = p;
	else
		board->processes[instance->last].next = p;
	instance->last = p;
	instance->left++;
}

static void
note_beside(struct board_instance *instance, const struct kudu_process *process)
{
	bool runtime = kudu_is_runtime(process);
	if (!choice_may_be_app(process) || (instance->beside != 0 && (instance->beside_is_runtime || !runtime)))
		return;
	instance->beside = process->pid;
	instance->beside_is_runtime = runtime;
	memcpy(instance->beside_name, process->name, sizeof instance->beside_name);
}

bool
board_add_process(struct board *board, uint32_t i, const struct kudu_process *process, struct fault *fault)
{
	struct board_instance *instance = &board->instances[i];
	bool fits = true;
	pthread_mutex_lock(&board->lock);
	if (choice_wants(&board->sites[instance->site].choice, process)) {
		fits = board->process_count < board->process_room;
		if (fits)
			add_process(board, instance, process);
	} else {
		instance->passed++;
	}
	note_beside(instance, process);
	pthread_mutex_unlock(&board->lock);
	return fits || fault_raise(fault, FAULT_BOUND, "there are more than %u such processes", board->process_room);
}

/* Isolated Functions and out-of-process apps run their code beside w3wp, as a runtime or under a name of their own. Said
 * where there is a worker and nothing but workers was asked for. */
static void
tell_beside(const struct board *board, const struct board_instance *instance)
{
	const struct board_site *site = &board->sites[instance->site];
	bool worker = false;
	for (uint32_t p = instance->first; p != BOARD_NONE; p = board->processes[p].next)
		worker |= board->processes[p].state != PROCESS_DROPPED && board->processes[p].process.role == KUDU_WORKER;
	if (!board->dumps || !worker || instance->beside == 0 || site->choice.pid_count > 0 || site->choice.name_count > 0 || site->choice.children)
		return;
	if (instance->beside_is_runtime)
		log_note("%s: %s %" PRId64 " runs beside the worker and may hold the app's code: --children dumps it too", site->name,
		         instance->beside_name, instance->beside);
	else
		log_note("%s: %s %" PRId64 " runs there too: if it is the app's code, --name %s dumps it", site->name,
		         instance->beside_name, instance->beside, instance->beside_name);
}

/* What is left of an instance that failed is not looked at and not dumped. */
static void
drop_rest(struct board *board, struct board_instance *instance)
{
	for (uint32_t p = instance->first; p != BOARD_NONE; p = board->processes[p].next)
		if (board->processes[p].state < PROCESS_DROPPED)
			board->processes[p].state = PROCESS_DROPPED;
}

static void
end_instance(struct board *board, struct board_instance *instance, bool failed)
{
	struct board_site *site = &board->sites[instance->site];
	instance->state = failed ? INSTANCE_FAILED : INSTANCE_KNOWN;
	if (failed) {
		site->broken = true;
		drop_rest(board, instance);
	} else {
		site->whole++;
		tell_beside(board, instance);
		choose_on_instance(board, (uint32_t)(instance - board->instances));
	}
	site->left--;
}

static void
end_list(struct board *board, struct board_instance *instance, const struct board_instance *seen, struct fault *fault)
{
	if (fault->kind == FAULT_NONE) {
		instance->state = INSTANCE_LISTED;
		instance->own_pid = seen->own_pid;
		memcpy(instance->id, seen->id, sizeof instance->id);
		memcpy(instance->machine, seen->machine, sizeof instance->machine);
	}
	if (fault->kind != FAULT_NONE || instance->left == 0)
		end_instance(board, instance, fault->kind != FAULT_NONE);
}

/* A process that has ended meanwhile is no fault, unless it was asked for by its number. */
static void
end_look(struct board *board, const struct work *work, const struct kudu_process *process, struct fault *fault)
{
	struct board_instance *instance = &board->instances[work->instance];
	struct board_site *site = &board->sites[work->site];
	struct board_process *row = &board->processes[work->process];
	bool gone = fault->kind == FAULT_MISSING && fault->detail == 404 && site->choice.pid_count == 0;
	instance->left--;
	if (gone && board->dumps)
		log_note("%s: process %" PRId64 " has ended meanwhile", site->name, row->process.pid);
	if (gone)
		fault_clear(fault);
	row->state = gone ? PROCESS_DROPPED : PROCESS_KNOWN;
	if (fault->kind == FAULT_NONE && !gone)
		row->process = *process;
	if (instance->state == INSTANCE_FAILED)
		fault_clear(fault); /* the first one was told */
	else if (fault->kind != FAULT_NONE || instance->left == 0)
		end_instance(board, instance, fault->kind != FAULT_NONE);
}

/* What is missed at a site that could not be asked in full may be where nobody looked: that was told already. */
static void
settle(struct board *board, uint32_t s, struct fault *fault)
{
	struct fault aside;
	fault_clear(&aside);
	board->sites[s].settled = true;
	if (board->sites[s].whole > 0 && !choose_on_site(board, s, &aside) && !board->sites[s].broken)
		*fault = aside;
}

void
board_end(struct board *board, const struct work *work, const struct board_instance *seen,
          const struct kudu_process *process, struct fault *fault, bool *settled)
{
	struct board_site *site = &board->sites[work->site];
	pthread_mutex_lock(&board->lock);
	board->busy--;
	switch (work->kind) {
	case WORK_NONE:
		break;
	case WORK_EXPAND:
		site->expanded = true;
		site->broken |= fault->kind != FAULT_NONE;
		break;
	case WORK_LIST:
		end_list(board, &board->instances[work->instance], seen, fault);
		break;
	case WORK_LOOK:
		end_look(board, work, process, fault);
		break;
	case WORK_DUMP:
		board->processes[work->process].state = PROCESS_DONE;
		board->processes[work->process].outcome = fault->kind;
		board->sites[site->gate].dumping = false;
	}
	*settled = !site->settled && site->expanded && site->left == 0;
	if (*settled)
		settle(board, work->site, fault);
	pthread_cond_broadcast(&board->changed);
	pthread_mutex_unlock(&board->lock);
}

bool
board_is_done(struct board *board)
{
	bool done = true;
	pthread_mutex_lock(&board->lock);
	for (size_t s = 0; s < board->site_count; s++)
		done = done && board->sites[s].settled;
	done = done && board->busy == 0 && board->ready == 0;
	pthread_mutex_unlock(&board->lock);
	return done;
}
