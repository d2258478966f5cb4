/* SPDX-License-Identifier: MIT */
/* Kudu's process routes (facts: Kudu's ProcessController): the list, what each process is, and its dump. */
#ifndef AZURE_KUDU_H
#define AZURE_KUDU_H

#include "azure/site.h"

enum kudu_role {
	KUDU_UNKNOWN, /* not asked yet */
	KUDU_WORKER,  /* a w3wp that is not Kudu's: runs the app */
	KUDU_SCM,     /* Kudu's own w3wp */
	KUDU_WEBJOB,
	KUDU_CHILD    /* anything else of the sandbox */
};

struct kudu_process {
	int64_t pid;
	char name[PROCESS_NAME_MAX];
	char user[USER_MAX];       /* may be empty: Kudu leaves it out when it cannot be read */
	enum kudu_role role;
	bool detailed;             /* the next three are known, as far as Kudu could read them */
	char start_time[40];       /* ISO 8601 as Kudu writes it */
	char cpu_time[32];         /* hh:mm:ss[.fraction] */
	int64_t private_bytes;     /* 0: unknown */
	int64_t cpu_ms;            /* of cpu_time */
	int64_t parent;            /* pid; 0: unknown */
	bool monitored;            /* of a Linux app, where dotnet-monitor answers instead of Kudu: always a worker */
};

const char *kudu_role_name(enum kudu_role);

/* Gets the list as it streams by. */
struct kudu_taker {
	bool (*take)(struct kudu_taker *, const struct kudu_process *, struct fault *);
};

/* The processes of the instance that answers, roles unknown, in the server's order. */
bool kudu_list(struct site *, struct kudu_taker *, struct fault *) MUST_CHECK;

/* w3wp, or one of a Linux app. */
bool kudu_may_be_worker(const struct kudu_process *);

/* Whether a process of this name is one that runs an app's code beside w3wp: dotnet, node, java, php-cgi, python. */
bool kudu_is_runtime(const struct kudu_process *);

/* Kudu's own pid (route 0 always means itself). Its environment tells which instance answered: as site_check_instance. */
bool kudu_own_pid(struct site *, int64_t *pid, struct fault *) MUST_CHECK;

/* 32 or 64; 64 when the process does not say. */
bool kudu_find_bits(struct site *, const struct kudu_process *, unsigned *bits, struct fault *) MUST_CHECK;

/* Sets the role of one process; asks at most twice. Only the pool's name is looked at in the environment, the rest of
 * it is passed over unread. FAULT_MISSING when the process is gone. */
bool kudu_find_role(struct site *, int64_t own_pid, struct kudu_process *, struct fault *) MUST_CHECK;

/* Fetches the detail: role, start time, CPU time, memory. */
bool kudu_describe(struct site *, int64_t own_pid, struct kudu_process *, struct fault *) MUST_CHECK;

struct kudu_dump {
	struct source *body;
	uint64_t length;        /* 0: the server did not say */
	bool core;              /* an ELF core, no minidump */
	int64_t began_s;        /* UTC, when an earlier run asked for it; 0: this one did */
	char digits[7];         /* six hex digits of the instance in the file name it proposes; may be empty */
};

/* Asks for a dump, once. `type` is a MINIDUMP_TYPE sum. Waits up to first_byte_ms while Kudu writes it to the site's
 * storage. FAULT_BUSY when another dump of the site is running, FAULT_MISSING when the process is gone, FAULT_UNABLE for
 * a plan or process that cannot, FAULT_TIMEOUT when the front end cut the wait, FAULT_DENIED, FAULT_CORRUPT when what
 * comes is no dump. The body is not checked here. */
bool kudu_dump_open(struct site *, const struct kudu_process *, unsigned type, int64_t first_byte_ms, struct kudu_dump *,
                    struct fault *) MUST_CHECK;

#endif
