/* SPDX-License-Identifier: MIT */
#include "job/fleet.h"

#include "azure/instances.h"
#include "base/log.h"
#include "job/choose.h"
#include "net/wait.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct fleet_worker {
	struct fleet *fleet;
	pthread_t thread;
	bool started;
	bool open;              /* capture.site talks to site `at` */
	uint32_t at;
	struct capture capture;
};

/* What a dump takes beside a connection. */
struct fleet_berth {
	struct fleet_berth *next;
	struct landing *landings;
	struct tee_leg *legs;
	unsigned char *room, *disk; /* FLOW_BYTES; DISK_BYTES a folder */
};

size_t
fleet_need(const struct plan *plan, unsigned workers, size_t destinations)
{
	size_t each = memory_need(sizeof(struct landing) * destinations, 16) +
	              memory_need(sizeof(struct tee_leg) * destinations, 16) + memory_need(FLOW_BYTES, 4096) +
	              memory_need((size_t)DISK_BYTES * plan->folders, 4096);
	return memory_need(sizeof(struct fleet_worker) * workers, 64) + memory_need(sizeof(struct fleet_berth) * plan->jobs, 16) +
	       each * plan->jobs + board_need();
}

static void
open_berth(struct fleet *fleet, struct fleet_berth *berth, struct memory *memory, const struct plan *plan)
{
	berth->landings = memory_take(memory, sizeof(struct landing) * fleet->destination_count, 16);
	berth->legs = memory_take(memory, sizeof(struct tee_leg) * fleet->destination_count, 16);
	berth->room = memory_take(memory, FLOW_BYTES, 4096);
	berth->disk = memory_take(memory, (size_t)DISK_BYTES * plan->folders, 4096);
	berth->next = fleet->free;
	fleet->free = berth;
}

bool
fleet_open(struct fleet *fleet, struct memory *memory, const struct plan *plan, unsigned workers, struct fault *fault)
{
	pthread_condattr_t how;
	fleet->running = 0;
	fleet->worker_count = workers;
	fleet->workers = memory_take(memory, sizeof(struct fleet_worker) * workers, 64);
	fleet->berths = memory_take(memory, sizeof(struct fleet_berth) * plan->jobs, 16);
	fleet->free = NULL;
	for (unsigned i = 0; i < plan->jobs; i++)
		open_berth(fleet, &fleet->berths[i], memory, plan);
	for (unsigned i = 0; i < workers; i++) {
		fleet->workers[i].fleet = fleet;
		if (!progress_open(&fleet->workers[i].capture.progress, fault))
			return false;
	}
	if (pthread_condattr_init(&how) != 0 || pthread_condattr_setclock(&how, CLOCK_MONOTONIC) != 0 ||
	    pthread_mutex_init(&fleet->lock, NULL) != 0 || pthread_cond_init(&fleet->ended, &how) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	return board_open(&fleet->board, memory, fault);
}

static void
tell(struct fleet *fleet, const struct work *work, const struct capture *capture, const struct fault *fault)
{
	struct board *board = &fleet->board;
	struct fleet_report report = {&board->sites[work->site],
	                              work->instance == BOARD_NONE ? NULL : &board->instances[work->instance],
	                              capture == NULL ? NULL : &board->processes[work->process], capture, fault};
	pthread_mutex_lock(&fleet->lock);
	fleet->report(fleet->state, &report);
	pthread_mutex_unlock(&fleet->lock);
}

static void
leave(struct fleet_worker *worker)
{
	if (worker->open)
		site_close(&worker->capture.site);
	worker->open = false;
}

/* Makes the worker's connection one to the site, through ARM or not. `instance` is checked to be an id; NULL: any. */
static bool
visit(struct fleet_worker *worker, uint32_t s, bool arm, const char *instance, struct fault *fault)
{
	const struct board_site *site = &worker->fleet->board.sites[s];
	struct site *to = &worker->capture.site;
	leave(worker);
	worker->at = s;
	worker->open = true;
	if (arm ? !site_open_arm(to, worker->fleet->network, site->arm, site->login, instance, fault)
	        : !site_open(to, worker->fleet->network, site->scm, site->login, instance, fault))
		return false;
	to->stall_ms = worker->fleet->stall_ms;
	return true;
}

/* A connection that is open is kept: only the cookie differs between two instances. */
static bool
reach(struct fleet_worker *worker, const struct work *work, struct fault *fault)
{
	const struct board *board = &worker->fleet->board;
	const struct board_instance *instance = &board->instances[work->instance];
	if ((!worker->open || worker->at != work->site) &&
	    !visit(worker, work->site, board->sites[work->site].scm == NULL, NULL, fault))
		return false;
	site_turn(&worker->capture.site, instance->id, instance->machine);
	return true;
}

struct instance_notes {
	struct instance_taker taker;
	struct board *board;
	uint32_t site;
	bool first_only;
	size_t count;
};

static bool
note_instance(struct instance_taker *taker, const char *id, const char *machine, struct fault *fault)
{
	struct instance_notes *notes = (struct instance_notes *)taker;
	return (notes->count++ > 0 && notes->first_only) || board_add_instance(notes->board, notes->site, id, machine, fault);
}

static bool
is_all(const char *instance)
{
	return instance != NULL && strcmp(instance, "all") == 0;
}

/* The SCM front end can tell, or ARM; else only the user can: FAULT_MISSING with detail 404. */
static bool
list_instances(struct fleet_worker *worker, uint32_t s, struct instance_taker *taker, struct fault *fault)
{
	const struct board_site *site = &worker->fleet->board.sites[s];
	if (!visit(worker, s, site->scm == NULL, NULL, fault))
		return false;
	if (instances_list(&worker->capture.site, taker, fault))
		return true;
	if (site->scm == NULL || fault->kind != FAULT_MISSING || fault->detail != 404)
		return false;
	if (site->arm == NULL)
		return fault_hint(fault, "this front end does not tell: give --arm RESOURCE-ID with a token for ARM, or --instance ID "
		                         "from the portal");
	fault_clear(fault);
	if (!visit(worker, s, true, NULL, fault) || !instances_list(&worker->capture.site, taker, fault))
		return false;
	leave(worker);
	return true;
}

/* The one whose id begins as ps shows it. Where nobody tells the ids it is taken for a whole one. */
static bool
find_instance(struct fleet_worker *worker, uint32_t s, const char *begins, struct fault *fault)
{
	struct board *board = &worker->fleet->board;
	struct instance_search search;
	instance_search_open(&search, begins);
	if (!list_instances(worker, s, &search.taker, fault)) {
		if (fault->kind != FAULT_MISSING || fault->detail != 404)
			return false;
		fault_clear(fault);
		leave(worker);
		return board_add_instance(board, s, begins, "", fault);
	}
	return instance_search_is_one(&search, board->sites[s].name, fault) &&
	       board_add_instance(board, s, search.id, search.machine, fault);
}

static bool
expand(struct fleet_worker *worker, const struct work *work, struct fault *fault)
{
	struct board *board = &worker->fleet->board;
	const struct board_site *site = &board->sites[work->site];
	const char *instance = site->instance;
	struct instance_notes notes = {.taker = {note_instance}, .board = board, .site = work->site, .first_only = instance == NULL};
	/* Through ARM there is no "the one that answers": each request may meet another. */
	if (is_all(instance) || (instance == NULL && site->scm == NULL))
		return list_instances(worker, work->site, &notes.taker, fault);
	if (!visit(worker, work->site, site->scm == NULL, instance, fault))
		return false;
	if (instance != NULL && strlen(instance) < INSTANCE_MAX)
		return find_instance(worker, work->site, instance, fault);
	return board_add_instance(board, work->site, instance != NULL ? instance : "", "", fault);
}

struct process_notes {
	struct kudu_taker taker;
	struct board *board;
	uint32_t instance;
	bool any, monitored; /* there are processes; of a Linux app */
};

static bool
note_process(struct kudu_taker *taker, const struct kudu_process *process, struct fault *fault)
{
	struct process_notes *notes = (struct process_notes *)taker;
	notes->any = true;
	notes->monitored |= process->monitored;
	return board_add_process(notes->board, notes->instance, process, fault);
}

/* A whole id that the user named. */
static bool
is_named(const char *instance)
{
	return instance != NULL && !is_all(instance) && strlen(instance) == INSTANCE_MAX;
}

/* An unknown id quietly lands on another instance. Where neither a cookie nor Kudu tells who answered, the front end's list
 * at least says whether there is one of that id; without a list a dump's name is what is left. */
static bool
check_named(struct fleet_worker *worker, const struct work *work, struct fault *fault)
{
	const struct board_site *board_site = &worker->fleet->board.sites[work->site];
	struct site *site = &worker->capture.site;
	struct instance_search search;
	struct fault aside;
	fault_clear(&aside);
	instance_search_open(&search, board_site->instance);
	if (site->proven || site->by_arm || !is_named(board_site->instance))
		return true;
	if (!instances_list(site, &search.taker, &aside)) {
		if (aside.kind == FAULT_STOPPED)
			*fault = aside;
		return aside.kind != FAULT_STOPPED;
	}
	return instance_search_is_one(&search, board_site->name, fault);
}

static bool
list(struct fleet_worker *worker, const struct work *work, struct board_instance *seen, struct fault *fault)
{
	struct process_notes notes = {{note_process}, &worker->fleet->board, work->instance, false, false};
	struct site *site = &worker->capture.site;
	if (!reach(worker, work, fault) || !kudu_list(site, &notes.taker, fault))
		return false;
	if (notes.any && !notes.monitored && !kudu_own_pid(site, &seen->own_pid, fault))
		return false;
	if (!check_named(worker, work, fault))
		return false;
	snprintf(seen->id, sizeof seen->id, "%s", site->instance);
	snprintf(seen->machine, sizeof seen->machine, "%s", site->machine);
	return true;
}

static bool
look(struct fleet_worker *worker, const struct work *work, struct kudu_process *process, struct fault *fault)
{
	const struct board *board = &worker->fleet->board;
	struct site *site = &worker->capture.site;
	int64_t own_pid = board->instances[work->instance].own_pid;
	*process = board->processes[work->process].process;
	if (process->role != KUDU_UNKNOWN)
		return true; /* the list said it */
	if (!reach(worker, work, fault))
		return false;
	return choice_needs_detail(&board->sites[work->site].choice) ? kudu_describe(site, own_pid, process, fault)
	                                                             : kudu_find_role(site, own_pid, process, fault);
}

static void
label(struct capture *capture, const struct kudu_process *process)
{
	char words[96];
	snprintf(words, sizeof words, "%s %.24s %" PRId64, capture->site.name, process->name, process->pid);
	progress_label(&capture->progress, words);
}

/* There are as many berths as dumps at once. */
static struct fleet_berth *
lend(struct fleet *fleet, struct capture *capture, const struct board_site *site)
{
	struct fleet_berth *berth;
	unsigned char *disk;
	pthread_mutex_lock(&fleet->lock);
	berth = fleet->free;
	assert(berth != NULL);
	fleet->free = berth->next;
	pthread_mutex_unlock(&fleet->lock);
	disk = berth->disk;
	capture->landings = berth->landings;
	capture->legs = berth->legs;
	capture->room = berth->room;
	capture->count = 0;
	for (size_t i = 0; i < fleet->destination_count; i++) {
		bool folder = fleet->destinations[i].kind == DESTINATION_FOLDER;
		if ((site->destinations >> i & 1) == 0)
			continue;
		landing_aim(&berth->landings[capture->count++], &fleet->destinations[i], fleet->means, folder ? disk : NULL, DISK_BYTES);
		disk += folder ? DISK_BYTES : 0;
	}
	return berth;
}

/* After a dump of this run that the front end gave up, Kudu goes on writing it, and refuses others of the site as long.
 * Being refused so costs the app nothing: it is asked again for as long as a dump may take to be written. */
static bool
wait_out(const struct fleet *fleet, const struct board_site *gate, int64_t began, int64_t *pause, struct fault *fault)
{
	if (!fleet->board.shared_file || !gate->cut || fault->kind != FAULT_BUSY || fault->detail == 429 ||
	    clock_ms() - began > fleet->order.first_byte_ms)
		return false;
	if (*pause == BUSY_FIRST_MS)
		log_note("%s: waiting for Kudu to end the dump before, which the front end gave up", gate->name);
	fault_clear(fault);
	if (!wait_until(deadline_in(*pause), fault))
		return false;
	*pause = *pause * 2 < BUSY_MOST_MS ? *pause * 2 : BUSY_MOST_MS;
	return true;
}

static void
take(struct fleet_worker *worker, struct board_process *row, struct board_site *gate, const struct capture_order *order,
     struct fault *fault)
{
	struct capture *capture = &worker->capture;
	int64_t began = clock_ms(), pause = BUSY_FIRST_MS;
	bool done;
	label(capture, &row->process);
	do
		done = capture_run(capture, &row->process, order, fault);
	while (!done && wait_out(worker->fleet, gate, began, &pause, fault));
	if (done)
		row->bytes = capture->facts.bytes;
	gate->cut = done ? false : gate->cut || (fault->kind == FAULT_TIMEOUT && capture->source_failed);
}

static void
dump(struct fleet_worker *worker, const struct work *work, struct fault *fault)
{
	struct fleet *fleet = worker->fleet;
	struct capture *capture = &worker->capture;
	struct board_process *row = &fleet->board.processes[work->process];
	const struct board_site *site = &fleet->board.sites[work->site];
	struct capture_order order = fleet->order;
	struct fleet_berth *berth = lend(fleet, capture, site);
	int64_t began = clock_ms();
	order.type = site->type;
	if (reach(worker, work, fault))
		take(worker, row, &fleet->board.sites[site->gate], &order, fault);
	row->took_ms = clock_ms() - began;
	row->outcome = fault->kind;
	tell(fleet, work, capture, fault);
	pthread_mutex_lock(&fleet->lock);
	berth->next = fleet->free;
	fleet->free = berth;
	pthread_mutex_unlock(&fleet->lock);
}

static void
serve(struct fleet_worker *worker, const struct work *work)
{
	struct fleet *fleet = worker->fleet;
	struct board *board = &fleet->board;
	struct board_instance seen = {0};
	struct kudu_process process;
	struct fault fault;
	bool done = true, settled;
	fault_clear(&fault);
	progress_label(&worker->capture.progress, board->sites[work->site].name);
	progress_phase(&worker->capture.progress, PHASE_LISTING);
	if (work->kind == WORK_EXPAND)
		done = expand(worker, work, &fault);
	else if (work->kind == WORK_LIST)
		done = list(worker, work, &seen, &fault);
	else if (work->kind == WORK_LOOK)
		done = look(worker, work, &process, &fault);
	else
		dump(worker, work, &fault);
	if (!done)
		leave(worker);
	board_end(board, work, &seen, &process, &fault, &settled);
	if (work->kind != WORK_DUMP && fault.kind != FAULT_NONE)
		tell(fleet, work, NULL, &fault);
	if (settled && fleet->settled != NULL) {
		pthread_mutex_lock(&fleet->lock);
		fleet->settled(fleet->state, &board->sites[work->site]);
		pthread_mutex_unlock(&fleet->lock);
	}
	progress_phase(&worker->capture.progress, PHASE_IDLE);
}

static void *
toil(void *state)
{
	struct fleet_worker *worker = state;
	struct fleet *fleet = worker->fleet;
	struct work before = {WORK_NONE, BOARD_NONE, BOARD_NONE, BOARD_NONE}, work;
	while (board_next(&fleet->board, &before, &work)) {
		serve(worker, &work);
		before = work;
	}
	leave(worker);
	pthread_mutex_lock(&fleet->lock);
	fleet->running--;
	pthread_cond_signal(&fleet->ended);
	pthread_mutex_unlock(&fleet->lock);
	return NULL;
}

bool
fleet_start(struct fleet *fleet, struct fault *fault)
{
	pthread_attr_t how;
	int error = pthread_attr_init(&how);
	if (error == 0)
		error = pthread_attr_setstacksize(&how, THREAD_STACK);
	pthread_mutex_lock(&fleet->lock);
	for (unsigned i = 0; error == 0 && i < fleet->worker_count; i++) {
		struct fleet_worker *worker = &fleet->workers[i];
		error = pthread_create(&worker->thread, &how, toil, worker);
		worker->started = error == 0;
		fleet->running += worker->started;
	}
	pthread_mutex_unlock(&fleet->lock);
	pthread_attr_destroy(&how);
	if (error != 0 && fleet->running == 0)
		return fault_errno(fault, FAULT_SYSTEM, error, "starting a thread");
	return true; /* fewer than wanted just take longer */
}

bool
fleet_wait(struct fleet *fleet, int64_t ms)
{
	int64_t until = deadline_in(ms).at_ms;
	struct timespec at = {(time_t)(until / 1000), (long)(until % 1000) * 1000000};
	bool ended;
	pthread_mutex_lock(&fleet->lock);
	while (fleet->running > 0 && pthread_cond_timedwait(&fleet->ended, &fleet->lock, &at) != ETIMEDOUT)
		;
	ended = fleet->running == 0;
	pthread_mutex_unlock(&fleet->lock);
	return ended;
}

void
fleet_join(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->worker_count; i++)
		if (fleet->workers[i].started)
			pthread_join(fleet->workers[i].thread, NULL);
}

unsigned
fleet_workers(const struct fleet *fleet)
{
	return fleet->worker_count;
}

struct progress_view
fleet_look(struct fleet *fleet, unsigned i)
{
	return progress_look(&fleet->workers[i].capture.progress);
}
