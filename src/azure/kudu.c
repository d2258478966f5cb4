/* SPDX-License-Identifier: MIT */
#include "azure/kudu.h"

#include "azure/arm.h"
#include "base/encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The front end gives up after 230 s without a byte; users saw 4:08. What fails with 5xx after this long was that cut. */
#define FRONT_END_CUT_MS 200000

#define TARGET_MAX 1024

const char *
kudu_role_name(enum kudu_role role)
{
	static const char *const names[] = {"unknown", "worker", "scm", "webjob", "child"};
	return names[role];
}

/* Where ARM puts Kudu's objects. */
#define IN_ARM "properties/"

/* The route of a process behind …/processes, here or in ARM, where it needs the instance's name (facts: section 5). */
static void
put_target(struct text *text, const struct site *site, int64_t pid, const char *tail, const char *query)
{
	text_printf(text, "%s", site->by_arm ? site->client.origin.path : "/api");
	if (site->by_arm && site->instance[0] != 0)
		text_printf(text, "/instances/%s", site->instance);
	text_put(text, "/processes");
	if (pid >= 0)
		text_printf(text, "/%" PRId64 "%s", pid, tail);
	if (site->by_arm)
		text_put(text, "?" ARM_API);
	else if (query[0] != 0)
		text_printf(text, "?%s", query);
}

/* `wanted` is for Kudu's own answer, `in_arm` for ARM's. pid below 0: the list. */
static bool
ask(struct site *site, int64_t pid, const char *tail, const char *const *wanted, const char *const *in_arm, size_t count,
    struct fault *fault)
{
	char target[TARGET_MAX];
	struct text text = text_in(target, sizeof target);
	put_target(&text, site, pid, tail, "");
	return site_get_json(site, target, site->by_arm ? in_arm : wanted, count, fault);
}

static void
optional_text(const struct json_reader *json, size_t i, char *room, size_t size)
{
	if (!json_get_text(json, i, room, size))
		room[0] = 0;
}

/* Kudu says id and name; ARM's published schema has identifier and deployment_name instead (facts: section 5). */
#define ARM_ID "identifier"
#define ARM_NAME "deployment_name"

static bool
get_id(const struct json_reader *json, size_t id, size_t other, int64_t *pid)
{
	return json_get_int(json, id, pid) || json_get_int(json, other, pid);
}

/* The current element of the list. */
static bool
read_process(struct site *site, struct kudu_process *process, struct fault *fault)
{
	char machine[MACHINE_MAX];
	memset(process, 0, sizeof *process);
	/* dotnet-monitor says pid, some KuduLite id; a uid is dotnet-monitor's alone (facts: section 1, Linux) */
	process->monitored = json_get_int(&site->json, 4, &process->pid) || json_get(&site->json, 5).kind == JSON_STRING;
	if (process->monitored)
		process->role = KUDU_WORKER;
	if ((process->pid == 0 && !get_id(&site->json, 0, 6, &process->pid)) || process->pid < 0 || process->pid > UINT32_MAX)
		return fault_raise(fault, FAULT_CORRUPT, "a process of the list has no usable id");
	if (!json_get_text(&site->json, 1, process->name, sizeof process->name) &&
	    !json_get_text(&site->json, 7, process->name, sizeof process->name))
		memcpy(process->name, "unnamed", sizeof "unnamed");
	optional_text(&site->json, 2, machine, sizeof machine);
	optional_text(&site->json, 3, process->user, sizeof process->user);
	return site_check_machine(site, machine, fault);
}

static bool
read_list(struct site *site, struct kudu_taker *taker, struct fault *fault)
{
	struct kudu_process process;
	bool more;
	for (;;) {
		if (!json_next(&site->json, &more, fault))
			return false;
		if (!more)
			return true;
		if (!read_process(site, &process, fault) || !taker->take(taker, &process, fault))
			return false;
	}
}

bool
kudu_list(struct site *site, struct kudu_taker *taker, struct fault *fault)
{
	static const char *const wanted[] = {"id", "name", "machineName", "user_name", "pid", "uid", ARM_ID, ARM_NAME};
	static const char *const in_arm[] = {IN_ARM "id", IN_ARM "name", IN_ARM "machineName", IN_ARM "user_name",
	                                     IN_ARM "pid", IN_ARM "uid", IN_ARM ARM_ID, IN_ARM ARM_NAME};
	bool done = ask(site, -1, "", wanted, in_arm, 8, fault) && read_list(site, taker, fault);
	site_done(site);
	if (done)
		return true;
	if (fault->kind == FAULT_MISSING && fault->detail == 404)
		fault_hint(fault, "is this the SCM address (…scm.…), and a Windows app?");
	return fault_while(fault, "listing the processes of %s", site->name);
}

static bool
read_own(struct site *site, int64_t *pid, struct fault *fault)
{
	char machine[MACHINE_MAX], id[INSTANCE_MAX + 1];
	if (!site_first(site, fault))
		return false;
	if (!get_id(&site->json, 0, 3, pid))
		return fault_raise(fault, FAULT_CORRUPT, "the answer has no id");
	optional_text(&site->json, 1, machine, sizeof machine);
	optional_text(&site->json, 2, id, sizeof id);
	return site_to_end(site, fault) && (id[0] == 0 || site_check_instance(site, id, fault)) &&
	       site_check_machine(site, machine, fault);
}

bool
kudu_own_pid(struct site *site, int64_t *pid, struct fault *fault)
{
	static const char *const wanted[] = {"id", "machineName", "environment_variables/WEBSITE_INSTANCE_ID", ARM_ID};
	static const char *const in_arm[] = {IN_ARM "id", IN_ARM "machineName",
	                                     IN_ARM "environment_variables/WEBSITE_INSTANCE_ID", IN_ARM ARM_ID};
	bool done = ask(site, 0, "", wanted, in_arm, 4, fault) && read_own(site, pid, fault);
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
	char tail[64];
	bool done;
	snprintf(tail, sizeof tail, "/environments/%s", name);
	done = ask(site, pid, tail, wanted, wanted, 1, fault) && site_first(site, fault);
	if (done) {
		optional_text(&site->json, 0, room, size);
		done = site_to_end(site, fault);
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

static bool
is_w3wp(const struct kudu_process *process)
{
	return span_is_nocase(span_of(process->name), "w3wp");
}

bool
kudu_may_be_worker(const struct kudu_process *process)
{
	return process->monitored || is_w3wp(process);
}

bool
kudu_is_runtime(const struct kudu_process *process)
{
	static const char *const names[] = {"dotnet", "node", "java", "php-cgi", "python", "python3"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_is_nocase(span_of(process->name), names[i]))
			return true;
	return false;
}

/* [d.]hh:mm:ss[.fraction] as .NET writes durations; 0 when it is none. */
static int64_t
read_duration_ms(const char *words)
{
	struct span rest = span_of(words), part;
	uint64_t ms = 0, days = 0, field[3] = {0, 0, 0};
	size_t dot, colon;
	if (!span_find_byte(rest, ':', &colon))
		return 0;
	if (span_find_byte(span_first(rest, colon), '.', &dot)) {
		if (!span_decimal(span_first(rest, dot), &days) || days > 100000)
			return 0;
		rest = span_from(rest, dot + 1);
	}
	for (unsigned i = 0; i < 3; i++) {
		struct span whole;
		if (!span_cut(&rest, ':', &part) || !span_cut(&part, '.', &whole) || !span_decimal(whole, &field[i]) || field[i] > 99)
			return 0;
	}
	for (uint64_t weight = 100; weight > 0 && part.count > 0 && part.at[0] >= '0' && part.at[0] <= '9'; weight /= 10) {
		ms += weight * (unsigned)(part.at[0] - '0');
		part = span_from(part, 1);
	}
	return (int64_t)((((days * 24 + field[0]) * 60 + field[1]) * 60 + field[2]) * 1000 + ms);
}

/* The pid at the end of …/processes/N; -1 there means unknown. */
static int64_t
read_parent(const char *link)
{
	const char *last = strrchr(link, '/');
	uint64_t pid;
	return last != NULL && span_decimal(span_of(last + 1), &pid) && pid <= UINT32_MAX ? (int64_t)pid : 0;
}

static void
settle_role(struct site *site, int64_t own_pid, struct kudu_process *process, const char *pool)
{
	if (process->pid == own_pid || json_is_true(&site->json, 4))
		process->role = KUDU_SCM;
	else if (json_is_true(&site->json, 5))
		process->role = KUDU_WEBJOB;
	else if (!is_w3wp(process))
		process->role = KUDU_CHILD;
	else if (pool[0] != 0)
		process->role = role_of_pool(pool);
	else /* a 32-bit Kudu sees no environment; its user has the pool's name */
		process->role = strstr(process->user, "\\~1") != NULL ? KUDU_SCM : KUDU_WORKER;
}

static bool
read_detail(struct site *site, int64_t own_pid, struct kudu_process *process, struct fault *fault)
{
	char machine[MACHINE_MAX], pool[256], parent[512];
	int64_t pid;
	if (!site_first(site, fault))
		return false;
	if (!get_id(&site->json, 0, 10, &pid) || pid != process->pid)
		return fault_raise(fault, FAULT_CORRUPT, "the answer is about another process");
	optional_text(&site->json, 1, machine, sizeof machine);
	optional_text(&site->json, 2, process->start_time, sizeof process->start_time);
	optional_text(&site->json, 3, process->cpu_time, sizeof process->cpu_time);
	optional_text(&site->json, 6, pool, sizeof pool);
	if (!json_get_int(&site->json, 7, &process->private_bytes) || process->private_bytes < 0)
		process->private_bytes = 0;
	if (process->user[0] == 0)
		optional_text(&site->json, 8, process->user, sizeof process->user);
	optional_text(&site->json, 9, parent, sizeof parent);
	process->parent = read_parent(parent);
	process->cpu_ms = read_duration_ms(process->cpu_time);
	settle_role(site, own_pid, process, pool);
	process->detailed = true;
	return site_to_end(site, fault) && site_check_machine(site, machine, fault);
}

bool
kudu_describe(struct site *site, int64_t own_pid, struct kudu_process *process, struct fault *fault)
{
	static const char *const wanted[] = {"id", "machineName", "start_time", "total_cpu_time", "is_scm_site", "is_webjob",
	                                     "environment_variables/APP_POOL_ID", "private_memory", "user_name", "parent", ARM_ID};
	static const char *const in_arm[] = {IN_ARM "id", IN_ARM "machineName", IN_ARM "start_time", IN_ARM "total_cpu_time",
	                                     IN_ARM "is_scm_site", IN_ARM "is_webjob",
	                                     IN_ARM "environment_variables/APP_POOL_ID", IN_ARM "private_memory",
	                                     IN_ARM "user_name", IN_ARM "parent", IN_ARM ARM_ID};
	bool done = ask(site, process->pid, "", wanted, in_arm, 11, fault) && read_detail(site, own_pid, process, fault);
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
	if (!is_w3wp(process) || site->by_arm)
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
explain_dump(struct site *site, const struct kudu_process *process, int64_t waited_ms, struct fault *fault)
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
	if (fault->kind == FAULT_BUSY && status == 429 && process->monitored) {
		fault_clear(fault);
		fault_raise(fault, FAULT_BUSY, "dotnet-monitor is writing another dump (HTTP 429)");
		fault_hint(fault, "wait until it is done");
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

/* dotnet-monitor has names for what Windows has bits for. */
static const char *
monitor_type(unsigned type)
{
	return (type & 2) != 0 ? "Full" : (type & 0x200) != 0 ? "WithHeap" : type == 0 ? "Triage" : "Mini";
}

bool
kudu_dump_open(struct site *site, const struct kudu_process *process, unsigned type, int64_t first_byte_ms,
               struct kudu_dump *dump, struct fault *fault)
{
	char target[TARGET_MAX], query[32];
	struct text text = text_in(target, sizeof target);
	int64_t began = clock_ms();
	if (process->monitored)
		snprintf(query, sizeof query, "type=%s", monitor_type(type));
	else
		snprintf(query, sizeof query, "dumpType=%u", type);
	put_target(&text, site, process->pid, "/dump", query);
	site->said[0] = 0;
	if (!site_get(site, target, SITE_ONCE, first_byte_ms, fault))
		return explain_dump(site, process, clock_ms() - began, fault);
	if (!check_type(site, fault)) {
		http_client_close(&site->client);
		return false;
	}
	dump->core = process->monitored;
	dump->body = http_client_body(&site->client);
	dump->length = site->client.head.framing == HTTP_LENGTH ? site->client.head.length : 0;
	read_digits(&site->client.head, dump->digits);
	if (dump->digits[0] != 0 && site->instance[0] != 0 &&
	    !span_begins_nocase(span_of(site->instance), dump->digits)) {
		http_client_close(&site->client);
		fault_raise(fault, FAULT_MISSING, "instance %s… sent the dump, not %.6s…", dump->digits, site->instance);
		return fault_hint(fault, "it was thrown away; the site may have been scaled in: see kudump ps --instance all");
	}
	return true;
}
