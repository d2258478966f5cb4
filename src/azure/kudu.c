/* SPDX-License-Identifier: MIT */
#include "azure/kudu.h"

#include "base/encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The front end gives up after 230 s without a byte; users saw 4:08. What fails with 5xx after this long was that cut. */
#define FRONT_END_CUT_MS 200000

const char *
kudu_role_name(enum kudu_role role)
{
	static const char *const names[] = {"unknown", "worker", "scm", "webjob", "child"};
	return names[role];
}

/* True when the reader has an element; its end without one is a fault: the answer was empty. */
static bool
one_element(struct site *site, struct fault *fault)
{
	bool more;
	if (!json_next(&site->json, &more, fault))
		return false;
	return more || fault_raise(fault, FAULT_CORRUPT, "the answer holds nothing");
}

/* Reads the document to its end, so that all of it is known to be valid. */
static bool
to_end(struct site *site, struct fault *fault)
{
	bool more = true;
	while (more)
		if (!json_next(&site->json, &more, fault))
			return false;
	return true;
}

static void
optional_text(const struct json_reader *json, size_t i, char *room, size_t size)
{
	if (!json_get_text(json, i, room, size))
		room[0] = 0;
}

/* The current element of the list. */
static bool
read_process(struct site *site, struct kudu_process *process, struct fault *fault)
{
	char machine[MACHINE_MAX];
	memset(process, 0, sizeof *process);
	if (!json_get_int(&site->json, 0, &process->pid) || process->pid < 0 || process->pid > UINT32_MAX)
		return fault_raise(fault, FAULT_CORRUPT, "a process of the list has no usable id");
	if (!json_get_text(&site->json, 1, process->name, sizeof process->name))
		memcpy(process->name, "unnamed", sizeof "unnamed");
	optional_text(&site->json, 2, machine, sizeof machine);
	optional_text(&site->json, 3, process->user, sizeof process->user);
	return site_check_machine(site, machine, fault);
}

static bool
read_list(struct site *site, const struct kudu_filter *filter, struct kudu_process *room, size_t limit, size_t *count,
          struct fault *fault)
{
	struct kudu_process process;
	bool more;
	*count = 0;
	for (;;) {
		if (!json_next(&site->json, &more, fault))
			return false;
		if (!more)
			return true;
		if (!read_process(site, &process, fault))
			return false;
		if (filter != NULL && !filter->keeps(filter, &process))
			continue;
		if (*count == limit)
			return fault_raise(fault, FAULT_BOUND, "there are more than %zu such processes", limit);
		room[(*count)++] = process;
	}
}

bool
kudu_list(struct site *site, const struct kudu_filter *filter, struct kudu_process *room, size_t limit, size_t *count,
          struct fault *fault)
{
	static const char *const wanted[] = {"id", "name", "machineName", "user_name"};
	bool done = site_get_json(site, "/api/processes", wanted, 4, fault) &&
	            read_list(site, filter, room, limit, count, fault);
	site_done(site);
	if (done)
		return true;
	if (fault->kind == FAULT_MISSING && fault->detail == 404)
		fault_hint(fault, "is this the SCM address (…scm.…), and a Windows app?");
	return fault_while(fault, "listing the processes of %s", site->name);
}

bool
kudu_own_pid(struct site *site, int64_t *pid, struct fault *fault)
{
	static const char *const wanted[] = {"id", "machineName"};
	char machine[MACHINE_MAX];
	bool done = site_get_json(site, "/api/processes/0", wanted, 2, fault) && one_element(site, fault);
	if (done) {
		optional_text(&site->json, 1, machine, sizeof machine);
		done = (json_get_int(&site->json, 0, pid) || fault_raise(fault, FAULT_CORRUPT, "the answer has no id")) &&
		       to_end(site, fault) && site_check_machine(site, machine, fault);
	}
	site_done(site);
	return done || fault_while(fault, "asking %s for Kudu's own process id", site->name);
}

/* Kudu's own pool is the site's with "~1" in front (facts: ProcessExtensions). */
static enum kudu_role
role_of_pool(const char *pool)
{
	return strncmp(pool, "~1", 2) == 0 ? KUDU_SCM : KUDU_WORKER;
}

/* One variable of a process's environment; empty when it has none. The filter of the route is a substring match, so the
 * member is taken by its exact name. */
static bool
ask_environment(struct site *site, int64_t pid, const char *name, char *room, size_t size, struct fault *fault)
{
	const char *const wanted[] = {name};
	char target[96];
	bool done;
	snprintf(target, sizeof target, "/api/processes/%" PRId64 "/environments/%s", pid, name);
	done = site_get_json(site, target, wanted, 1, fault) && one_element(site, fault);
	if (done) {
		optional_text(&site->json, 0, room, size);
		done = to_end(site, fault);
	}
	site_done(site);
	return done;
}

/* An absent pool is no fault: the role stays unknown. */
static bool
ask_pool(struct site *site, struct kudu_process *process, struct fault *fault)
{
	char pool[256];
	if (!ask_environment(site, process->pid, "APP_POOL_ID", pool, sizeof pool, fault))
		return false;
	if (pool[0] != 0)
		process->role = role_of_pool(pool);
	return true;
}

bool
kudu_find_bits(struct site *site, const struct kudu_process *process, unsigned *bits, struct fault *fault)
{
	char words[32] = "";
	bool done = ask_environment(site, process->pid, "PROCESSOR_ARCHITECTURE", words, sizeof words, fault);
	*bits = strcmp(words, "x86") == 0 ? 32 : 64;
	if (done || strstr(site->said, "64 bit") == NULL)
		return done || fault_while(fault, "asking %s about process %" PRId64, site->name, process->pid);
	fault_clear(fault); /* a 32-bit Kudu says so of a 64-bit process */
	return true;
}

bool
kudu_is_w3wp(const struct kudu_process *process)
{
	return span_is_nocase(span_of(process->name), "w3wp");
}

static void
settle_role(struct site *site, int64_t own_pid, struct kudu_process *process, const char *pool)
{
	if (process->pid == own_pid || json_is_true(&site->json, 4))
		process->role = KUDU_SCM;
	else if (json_is_true(&site->json, 5))
		process->role = KUDU_WEBJOB;
	else if (!kudu_is_w3wp(process))
		process->role = KUDU_CHILD;
	else
		process->role = pool[0] != 0 ? role_of_pool(pool) : KUDU_WORKER;
}

static bool
read_detail(struct site *site, int64_t own_pid, struct kudu_process *process, struct fault *fault)
{
	char machine[MACHINE_MAX], pool[256];
	int64_t pid;
	if (!one_element(site, fault))
		return false;
	if (!json_get_int(&site->json, 0, &pid) || pid != process->pid)
		return fault_raise(fault, FAULT_CORRUPT, "the answer is about another process");
	optional_text(&site->json, 1, machine, sizeof machine);
	optional_text(&site->json, 2, process->start_time, sizeof process->start_time);
	optional_text(&site->json, 3, process->cpu_time, sizeof process->cpu_time);
	optional_text(&site->json, 6, pool, sizeof pool);
	if (!json_get_int(&site->json, 7, &process->private_bytes) || process->private_bytes < 0)
		process->private_bytes = 0;
	if (process->user[0] == 0)
		optional_text(&site->json, 8, process->user, sizeof process->user);
	settle_role(site, own_pid, process, pool);
	process->detailed = true;
	return to_end(site, fault) && site_check_machine(site, machine, fault);
}

bool
kudu_describe(struct site *site, int64_t own_pid, struct kudu_process *process, struct fault *fault)
{
	static const char *const wanted[] = {"id", "machineName", "start_time", "total_cpu_time", "is_scm_site", "is_webjob",
	                                     "environment_variables/APP_POOL_ID", "private_memory", "user_name"};
	char target[64];
	bool done;
	snprintf(target, sizeof target, "/api/processes/%" PRId64, process->pid);
	done = site_get_json(site, target, wanted, 9, fault) && read_detail(site, own_pid, process, fault);
	site_done(site);
	return done || fault_while(fault, "asking %s about process %" PRId64, site->name, process->pid);
}

bool
kudu_find_role(struct site *site, int64_t own_pid, struct kudu_process *process, struct fault *fault)
{
	struct fault aside;
	fault_clear(&aside);
	if (process->pid == own_pid) {
		process->role = KUDU_SCM;
		return true;
	}
	if (!kudu_is_w3wp(process))
		return kudu_describe(site, own_pid, process, fault);
	if (ask_pool(site, process, &aside) && process->role != KUDU_UNKNOWN)
		return true;
	/* A 32-bit Kudu answers 500 about a 64-bit process, older ones have no such route: the detail decides then. Other
	 * faults would meet the detail as well. */
	if (aside.kind != FAULT_NONE && aside.kind != FAULT_NETWORK && aside.kind != FAULT_MISSING) {
		*fault = aside;
		return fault_while(fault, "asking %s about process %" PRId64, site->name, process->pid);
	}
	return kudu_describe(site, own_pid, process, fault);
}

/* What Kudu and the front end say when a dump fails, as kinds (facts: kudu.md section 3). */
static bool
explain_dump(struct site *site, int64_t waited_ms, struct fault *fault)
{
	static const struct {
		const char *words;
		enum fault_kind kind;
		const char *meaning, *hint;
	} known[] = {
		{"being used by another process", FAULT_BUSY, "another dump of this site is being written",
		 "one dump at a time is possible on all instances together: wait until it is done"},
		{"does not support full minidump", FAULT_UNABLE, "the site's plan (Free) allows no full dumps",
		 "take --type mini, or scale up"},
		{"not enough space", FAULT_UNABLE, "the site's own storage is full, Kudu writes each dump there first",
		 "free space under %HOME% (LogFiles), or take --type mini"},
		{"quota", FAULT_UNABLE, "the site's own storage quota is used up, Kudu writes each dump there first",
		 "free space under %HOME% (LogFiles), or take --type mini"},
		{"Access is denied", FAULT_UNABLE, "Kudu may not read that process", NULL},
		{"64 bit", FAULT_UNABLE, "a 32-bit Kudu cannot dump a 64-bit process",
		 "set the app's platform to 64 bit, which is Kudu's too"},
		{"ReadProcessMemory", FAULT_UNABLE, "Kudu could not read all of the process", "it may be ending: list again"},
		{"is not running", FAULT_MISSING, "the process is gone", "it may have been recycled: list again"},
		{"has exited", FAULT_MISSING, "the process ended while it was dumped", "list again"},
	};
	int status = fault->detail;
	bool by_server = fault->kind == FAULT_NETWORK && status >= 500 && status < 600;
	if (fault->kind == FAULT_MISSING && status == 404) {
		fault_clear(fault);
		fault_raise(fault, FAULT_MISSING, "the process is gone (HTTP 404)");
		fault_hint(fault, "it may have been recycled, or runs on another instance: list again");
	}
	if (!by_server)
		return false;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strstr(site->said, known[i].words) != NULL) {
			fault_clear(fault);
			fault_raise(fault, known[i].kind, "%s (HTTP %d)", known[i].meaning, status);
			if (known[i].hint != NULL)
				fault_hint(fault, "%s", known[i].hint);
			return false;
		}
	if (strstr(site->said, "timed out") != NULL || status == 504 || waited_ms >= FRONT_END_CUT_MS) {
		fault_clear(fault);
		fault_raise(fault, FAULT_TIMEOUT, "the front end gave up after %" PRId64 " s without a byte (HTTP %d)",
		            waited_ms / 1000, status);
		fault_hint(fault, "Kudu may still be writing: wait some minutes before the next try; --type mini is written faster");
	}
	return false;
}

/* The file name Kudu proposes is w3wp-a1b2c3-11-21-14-05-33.dmp: six digits of the instance's id. */
static void
read_digits(const struct http_head *head, char digits[7])
{
	struct span value, name;
	size_t place;
	digits[0] = 0;
	if (!http_head_find(head, "Content-Disposition", 0, &value) || !span_find(value, "filename=", &place))
		return;
	name = span_from(value, place + 9);
	for (size_t i = 0; i + 8 <= name.count; i++) {
		size_t n = 0;
		while (n < 6 && hex_value(name.at[i + 1 + n]) >= 0)
			n++;
		if (name.at[i] != '-' || n != 6 || name.at[i + 7] != '-')
			continue;
		memcpy(digits, name.at + i + 1, 6);
		digits[6] = 0;
		return;
	}
}

static bool
check_type(struct site *site, struct fault *fault)
{
	struct span type;
	if (!http_head_find(&site->client.head, "Content-Type", 0, &type))
		return true;
	if (span_begins_nocase(type, "text/html")) {
		fault_raise(fault, FAULT_DENIED, "the SCM site sent a page instead of a dump");
		return fault_hint(fault, "that is usually a login page: check the login");
	}
	if (span_begins_nocase(type, "application/json") || span_begins_nocase(type, "application/zip"))
		return fault_raise(fault, FAULT_CORRUPT, "the SCM site sent %.*s instead of a dump",
		                   (int)(type.count < 40 ? type.count : 40), (const char *)type.at);
	return true;
}

bool
kudu_dump_open(struct site *site, const struct kudu_process *process, unsigned type, int64_t first_byte_ms,
               struct kudu_dump *dump, struct fault *fault)
{
	char target[96];
	int64_t began = clock_ms();
	snprintf(target, sizeof target, "/api/processes/%" PRId64 "/dump?dumpType=%u", process->pid, type);
	site->said[0] = 0;
	if (!site_get(site, target, SITE_ONCE, first_byte_ms, fault))
		return explain_dump(site, clock_ms() - began, fault);
	if (!check_type(site, fault)) {
		http_client_close(&site->client);
		return false;
	}
	dump->body = http_client_body(&site->client);
	dump->length = site->client.head.framing == HTTP_LENGTH ? site->client.head.length : 0;
	read_digits(&site->client.head, dump->digits);
	if (dump->digits[0] != 0 && site->instance[0] != 0 &&
	    !span_begins_nocase(span_of(site->instance), dump->digits)) {
		http_client_close(&site->client);
		return fault_raise(fault, FAULT_MISSING, "instance %s… sent the dump, not %.6s…", dump->digits, site->instance);
	}
	return true;
}
