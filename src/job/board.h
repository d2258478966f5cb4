/* SPDX-License-Identifier: MIT */
/* What there is to do at all sites, in fixed memory, and what is done next: first the instances of a site are found, then
 * the processes of each instance, then what each process is, then the chosen ones are dumped. Everything but dumps goes on
 * in parallel; of one site one dump at a time, since all its instances share the file Kudu writes it to. */
#ifndef JOB_BOARD_H
#define JOB_BOARD_H

#include "azure/kudu.h"
#include "base/memory.h"

#include <pthread.h>

#define BOARD_NONE UINT32_MAX
#define BOARD_INSTANCES 4096 /* of all sites */

enum pick { PICK_ALL, PICK_CPU, PICK_MEMORY };

struct choice {
	const int64_t *pids;      /* not empty: these */
	size_t pid_count;
	const char *const *names; /* not empty: processes of these names, any case */
	size_t name_count;        /* both empty: every worker */
	bool children;            /* and what the chosen ones run beside them */
	bool every;               /* for a list: everything, Kudu's own too, */
	bool workers_and_kudu;    /* or every w3wp */
	enum pick pick;
};

struct board_site {
	/* set by the owner */
	const struct url *scm;    /* NULL: through ARM */
	const struct url *arm;    /* NULL: unknown */
	const struct login *login;
	const char *instance;     /* NULL: the one that answers; "all": each; else this one */
	struct choice choice;
	unsigned type;            /* of its dumps */
	uint32_t destinations;    /* bits: which of the run's */
	/* the board's */
	char name[64];
	uint32_t gate;            /* the site whose gate is taken for a dump: the first of the same address */
	uint32_t first, last;     /* instances */
	uint32_t left, whole;     /* instances that are not known yet; those that could be asked */
	bool begun, expanded, broken, settled, dumping; /* broken: not all of its instances could be asked */
	bool cut;                 /* of a gate, by whoever has it: Kudu may still be writing a dump that was given up */
};

enum instance_state { INSTANCE_FOUND, INSTANCE_ASKED, INSTANCE_LISTED, INSTANCE_KNOWN, INSTANCE_FAILED };

struct board_instance {
	uint32_t site, next;
	enum instance_state state;
	char id[INSTANCE_MAX + 1];   /* empty: the one that answers */
	char machine[MACHINE_MAX];   /* empty: unknown */
	int64_t own_pid;
	uint32_t first, last;        /* processes, in the list's order */
	uint32_t left;               /* processes that are not known yet */
	uint32_t passed;             /* processes of the list that are not on the board */
	int64_t beside;              /* pid of one that may run the app's code beside w3wp; 0: none */
	bool beside_is_runtime;      /* by its name: these go first */
	char beside_name[PROCESS_NAME_MAX];
};

enum process_state { PROCESS_FOUND, PROCESS_ASKED, PROCESS_KNOWN, PROCESS_DROPPED, PROCESS_READY, PROCESS_DUMPING, PROCESS_DONE };

struct board_process {
	uint32_t instance, next;
	enum process_state state;
	bool chosen;                 /* while the choice is made */
	struct kudu_process process;
	enum fault_kind outcome;     /* once done */
	uint64_t bytes;
	int64_t took_ms;
};

struct board {
	struct board_site *sites;    /* the owner's */
	size_t site_count;
	bool dumps;                  /* false: a list alone */
	bool shared_file;            /* one dump at a time of a site: Kudu's dump route */
	/* the room's own */
	struct board_instance *instances;
	struct board_process *processes;
	uint32_t instance_count, process_count, process_room;
	uint32_t first_found, ready; /* no process before this one is to be looked at; how many are to be dumped */
	uint32_t busy;               /* works under way */
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

enum work_kind { WORK_NONE, WORK_EXPAND, WORK_LIST, WORK_LOOK, WORK_DUMP };

struct work {
	enum work_kind kind;
	uint32_t site, instance, process;
};

/* Bytes board_open takes of a memory: address space; a page is used when something stands on it. */
size_t board_need(void);

/* Sites are set by the owner before. */
bool board_open(struct board *, struct memory *, struct fault *) MUST_CHECK;

/* Waits for work; near to the work before (struct work of kind WORK_NONE: none) if there is a choice. False: all is done,
 * or a signal came. */
bool board_next(struct board *, const struct work *before, struct work *);

/* During WORK_EXPAND and WORK_LIST: what was found. FAULT_BOUND when the board is full. */
bool board_add_instance(struct board *, uint32_t site, const char *id, const char *machine, struct fault *) MUST_CHECK;
bool board_add_process(struct board *, uint32_t instance, const struct kudu_process *, struct fault *) MUST_CHECK;

/* A work has ended, well (kind FAULT_NONE) or not; `seen` says which instance answered, `process` what it is (NULL or gone:
 * FAULT_MISSING). A fault that remains is to be told; what could be chosen is marked. After that *settled says
 * whether all of the site is known now. */
void board_end(struct board *, const struct work *, const struct board_instance *seen, const struct kudu_process *,
               struct fault *, bool *settled);

/* Whether nothing is left: false after a stop that came in the middle. */
bool board_is_done(struct board *);

#endif
