/* SPDX-License-Identifier: MIT */
#include "azure/procdump.h"

#include "base/encode.h"
#include "base/linux.h"
#include "base/log.h"
#include "net/wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROOT "LogFiles/kudump"
#define LEFT_FRESH_S 3600  /* younger leftovers are gone on with: the dump is still of the trouble at hand */
#define LEFT_BEGINS_S 120   /* so long ProcDump may take before it says what it writes */
#define POLL_FIRST_MS 500
#define POLL_MOST_MS 5000
#define SILENT_MS 15000    /* without growth for so long: is ProcDump still there? */
#define ID_DIGITS 6
#define OTHER_MACHINE 77   /* exit code of our own in the command */

static void
put_path(const struct procdump *dump, char room[VFS_PATH_MAX], const char *name)
{
	struct text path = text_in(room, VFS_PATH_MAX);
	text_printf(&path, "%s/%s", dump->folder, name);
}

/* ProcDump's words, with what a 16-bit console put between them left out. */
static void
read_said(struct procdump *dump)
{
	char path[VFS_PATH_MAX], raw[ERROR_BODY_MAX];
	struct fault ignored;
	size_t used = 0;
	fault_clear(&ignored);
	put_path(dump, path, "procdump.log");
	memset(raw, 0, sizeof raw);
	if (!vfs_read(dump->site, path, raw, sizeof raw, dump->log_etag, &ignored))
		return; /* not there yet, or locked for a moment */
	for (size_t i = 0; i < sizeof raw; i++)
		if (raw[i] != 0)
			dump->said[used++] = raw[i];
	dump->said[used] = 0;
}

static bool
said(const struct procdump *dump, const char *words)
{
	return strstr(dump->said, words) != NULL;
}

static bool
has_failed(const struct procdump *dump)
{
	/* not a bare "rror", which the process or its path may be called */
	return said(dump, "Error ") || said(dump, "rror:") || said(dump, "could not be found") || said(dump, "Access is denied") ||
	       said(dump, "has exited");
}

static bool
delete_file(struct procdump *dump, const char *name, const char *etag, struct fault *fault)
{
	char path[VFS_PATH_MAX], found[VFS_ETAG_MAX];
	uint64_t size;
	put_path(dump, path, name);
	if (etag == NULL) {
		if (!vfs_stat(dump->site, path, &size, found, fault)) {
			bool missing = fault->kind == FAULT_MISSING;
			if (missing)
				fault_clear(fault);
			return missing;
		}
		etag = found;
	}
	return vfs_delete(dump->site, path, etag, fault);
}

static bool
delete_all(struct procdump *dump, const char *dump_etag, struct fault *fault)
{
	bool done = delete_file(dump, "dump.dmp", dump_etag, fault) && delete_file(dump, "procdump.log", NULL, fault) &&
	            vfs_delete(dump->site, dump->folder, NULL, fault);
	if (done)
		dump->folder[0] = 0;
	return done;
}

bool
procdump_delete(struct procdump *dump, struct fault *fault)
{
	return delete_all(dump, dump->file.etag, fault);
}

/* --- what an earlier run left */

/* Folders are called MACHINE-PID-SECONDS-TYPE-ID. False when this is none: a name goes into paths, and is the site's word.
 * *age_s as far as our clock knows. */
static bool
read_left(const struct vfs_entry *entry, const char *begins, int64_t *age_s, uint64_t *type)
{
	struct span rest = span_from(span_of(entry->name), strlen(begins)), seconds, bits;
	uint64_t began;
	if (!entry->folder || !span_cut(&rest, '-', &seconds) || !span_decimal(seconds, &began) ||
	    !span_cut(&rest, '-', &bits) || !span_decimal(bits, type) || rest.count != ID_DIGITS)
		return false;
	for (size_t i = 0; i < rest.count; i++)
		if (hex_value(rest.at[i]) < 0)
			return false;
	*age_s = clock_utc_s() - (int64_t)began;
	return true;
}

/* There is a dump in the folder, or there will be. */
static bool
holds_dump(struct procdump *dump, int64_t age_s)
{
	char path[VFS_PATH_MAX], etag[VFS_ETAG_MAX];
	struct fault ignored;
	uint64_t size;
	fault_clear(&ignored);
	put_path(dump, path, "dump.dmp");
	read_said(dump);
	/* while it is written it may be locked, which looks like not being there */
	return vfs_stat(dump->site, path, &size, etag, &ignored) || said(dump, "Dump 1 writing") ||
	       (age_s < LEFT_BEGINS_S && dump->said[0] != 0 && !has_failed(dump));
}

static void
take_left(struct procdump *dump, const char *name, int64_t age_s)
{
	struct text folder = text_in(dump->folder, sizeof dump->folder);
	struct fault fault;
	fault_clear(&fault);
	text_printf(&folder, ROOT "/%s", name);
	dump->said[0] = 0;
	if (age_s < LEFT_FRESH_S && holds_dump(dump, age_s)) {
		log_note("an earlier run left a dump of this process, begun %" PRId64 " min ago: it is taken now", age_s / 60);
		dump->began_s = clock_utc_s() - age_s;
		return;
	}
	log_note("deleting what an earlier run left on the site: %s", dump->folder);
	if (!delete_all(dump, NULL, &fault))
		log_fault(&fault); /* no reason to give up: the new dump has a folder of its own */
	dump->folder[0] = 0;
}

/* A young dump of another type may be somebody's who is fetching it: left alone. */
static bool
find_left(struct procdump *dump, const struct kudu_process *process, unsigned type, struct fault *fault)
{
	struct vfs_entry entries[32];
	char begins[MACHINE_MAX + 32];
	size_t count;
	snprintf(begins, sizeof begins, "%s-%" PRId64 "-", dump->site->machine, process->pid);
	if (!vfs_list(dump->site, ROOT, begins, entries, 32, &count, fault)) {
		bool none = fault->kind == FAULT_MISSING && fault->detail == 404;
		if (none)
			fault_clear(fault);
		return none;
	}
	for (size_t i = 0; i < count && dump->folder[0] == 0; i++) {
		int64_t age_s;
		uint64_t its;
		if (read_left(&entries[i], begins, &age_s, &its) && (its == type || age_s >= LEFT_FRESH_S))
			take_left(dump, entries[i].name, age_s);
	}
	return true;
}

/* --- starting it */

static bool
check_tool(struct procdump *dump, const char *tool, struct fault *fault)
{
	struct vfs_entry entries[8];
	size_t count = 0;
	if (!vfs_list(dump->site, "SystemDrive/devtools/sysinternals", "procdump", entries, 8, &count, fault) &&
	    fault->kind != FAULT_MISSING)
		return false;
	for (size_t i = 0; i < count; i++)
		if (span_is_nocase(span_of(entries[i].name), tool))
			return true;
	fault_clear(fault);
	fault_raise(fault, FAULT_UNABLE, "there is no %s on the instance", tool);
	return fault_hint(fault, "use --via kudu (the default)");
}

static bool
make_folder(struct procdump *dump, const struct kudu_process *process, unsigned type, struct fault *fault)
{
	unsigned char random[ID_DIGITS / 2];
	char digits[ID_DIGITS + 1];
	struct text hex = text_in(digits, sizeof digits);
	if (!random_bytes(random, sizeof random, fault))
		return false;
	encode_hex(&hex, (struct span){random, sizeof random});
	snprintf(dump->folder, sizeof dump->folder, ROOT "/%s-%" PRId64 "-%" PRId64 "-%u-%s", dump->site->machine, process->pid,
	         clock_utc_s(), type, digits);
	return true;
}

static void
put_home(struct text *line, const struct procdump *dump, const char *name)
{
	text_put(line, "\"%HOME%\\");
	for (const char *at = dump->folder; *at != 0; at++)
		text_put_byte(line, *at == '/' ? '\\' : *at);
	text_printf(line, "%s\"", name);
}

static void
put_type(struct text *line, unsigned type)
{
	if (type == 0)
		text_put(line, " -mt");
	else if (type == 1)
		text_put(line, " -mm");
	else if (type == 2)
		text_put(line, " -ma");
	else
		text_printf(line, " -mc %x", type);
}

/* The pid means this process on this machine only, so the machine is checked by the command itself. Nothing of what it
 * starts holds Kudu's pipes: the request would last as long. */
static void
put_command(struct text *line, const struct procdump *dump, const char *tool, const struct kudu_process *process,
            unsigned type, bool clone)
{
	text_printf(line, "(if /i not \"%%COMPUTERNAME%%\"==\"%s\" exit %d) & ", dump->site->machine, OTHER_MACHINE);
	if (clone) {
		text_put(line, "mkdir ");
		put_home(line, dump, "");
		text_put(line, " && ");
	}
	text_printf(line, "start \"\" /b \"%%SystemDrive%%\\devtools\\sysinternals\\%s\" -accepteula%s", tool, clone ? " -r" : "");
	put_type(line, type);
	text_printf(line, " %" PRId64 " ", process->pid);
	put_home(line, dump, "\\dump.dmp");
	text_put(line, " > ");
	put_home(line, dump, "\\procdump.log");
	text_put(line, " 2>&1 < nul");
}

static bool
read_exit(struct site *site, struct fault *fault)
{
	static const char *const wanted[] = {"ExitCode", "Error", "exitCode", "error"};
	int64_t code;
	char error[200] = "";
	bool more;
	json_open(&site->json, http_client_body(&site->client), NULL, wanted, 4);
	if (!json_next(&site->json, &more, fault))
		return false;
	if (!more || (!json_get_int(&site->json, 0, &code) && !json_get_int(&site->json, 2, &code)))
		return fault_raise(fault, FAULT_CORRUPT, "Kudu's answer to the command has no exit code");
	if (code == 0)
		return true;
	if (code == OTHER_MACHINE)
		return fault_raise(fault, FAULT_NETWORK, "another machine than %s answered; nothing was started there", site->machine);
	if (!json_get_text(&site->json, 1, error, sizeof error) && !json_get_text(&site->json, 3, error, sizeof error))
		error[0] = 0;
	return fault_raise(fault, FAULT_UNABLE, "the command ended with %" PRId64 "%s%s", code, error[0] != 0 ? ": " : "", error);
}

/* The front end may give up on a command that runs all the same: then the folder shows it. */
static bool
is_doubtful(const struct fault *fault)
{
	return fault->kind == FAULT_TIMEOUT || (fault->kind == FAULT_NETWORK && fault->detail != 0) ||
	       (fault->kind == FAULT_CORRUPT && fault->detail != 0);
}

static bool
run_command(struct procdump *dump, const char *line, struct fault *fault)
{
	char room[1536];
	struct text body = text_in(room, sizeof room);
	struct site *site = dump->site;
	struct site_request ask = {.method = "POST", .target = "/api/command", .headers = "Content-Type: application/json\r\n",
	                           .has_body = true, .care = SITE_ONCE};
	bool done;
	text_put(&body, "{\"command\":");
	text_put_json(&body, span_of(line));
	text_put(&body, ",\"dir\":\"\"}");
	ask.body = text_span(&body);
	done = site_ask(site, &ask, fault) && read_exit(site, fault);
	site_done(site);
	dump->failed = !done && !is_doubtful(fault);
	if (done || dump->failed)
		return done || fault_while(fault, "starting ProcDump on %s", site->machine);
	log_note("%s; looking whether ProcDump runs all the same", fault->text);
	fault_clear(fault);
	return true;
}

static bool
start(struct procdump *dump, const struct kudu_process *process, unsigned type, bool clone, struct fault *fault)
{
	char room[1024], words[24];
	struct text line = text_in(room, sizeof room), switches = text_in(words, sizeof words);
	unsigned bits;
	const char *tool;
	if (!kudu_find_bits(dump->site, process, &bits, fault))
		return false;
	tool = bits == 32 ? "procdump.exe" : "procdump64.exe";
	if (clone && (!check_tool(dump, tool, fault) || !make_folder(dump, process, type, fault)))
		return false;
	put_command(&line, dump, tool, process, type, clone);
	put_type(&switches, type);
	log_note("starting %s%s%s on machine %s of %s for process %" PRId64 ", into %s", tool, clone ? " -r" : "", words,
	         dump->site->machine, dump->site->name, process->pid, dump->folder);
	log_verbose("the command: %s", room);
	return run_command(dump, room, fault);
}

/* --- waiting for it */

/* The last words of ProcDump that are not empty. */
static bool
explain(const struct procdump *dump, struct fault *fault)
{
	static const struct {
		const char *words;
		enum fault_kind kind;
		const char *meaning, *hint;
	} known[] = {
		{"could not be found", FAULT_MISSING, "the process is gone", "it may have been recycled: list again"},
		{"Access is denied", FAULT_UNABLE, "ProcDump may not open that process", NULL},
		{"not enough space", FAULT_UNABLE, "the site's own storage is full", "free space under %HOME% (LogFiles)"},
	};
	struct span rest = span_of(dump->said), line, last = {NULL, 0};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (said(dump, known[i].words)) {
			fault_raise(fault, known[i].kind, "%s", known[i].meaning);
			return known[i].hint == NULL ? false : fault_hint(fault, "%s", known[i].hint);
		}
	while (span_cut(&rest, '\n', &line)) {
		line = span_trim(line.count > 0 && line.at[line.count - 1] == '\r' ? span_first(line, line.count - 1) : line);
		if (line.count > 0)
			last = line;
	}
	return fault_raise(fault, FAULT_UNABLE, "ProcDump failed, its last words: %.*s",
	                   (int)(last.count < 200 ? last.count : 200), last.count > 0 ? (const char *)last.at : "none");
}

struct procdump_taker {
	struct kudu_taker taker;
	bool found;
};

static bool
note_procdump(struct kudu_taker *taker, const struct kudu_process *process, struct fault *fault)
{
	(void)fault;
	((struct procdump_taker *)taker)->found |= span_begins_nocase(span_of(process->name), "procdump");
	return true;
}

static bool
check_alive(struct procdump *dump, struct fault *fault)
{
	struct procdump_taker taker = {{note_procdump}, false};
	if (!kudu_list(dump->site, &taker.taker, fault))
		return false;
	dump->failed = !taker.found;
	if (taker.found)
		return true;
	fault_raise(fault, FAULT_NETWORK, "ProcDump ended without finishing the dump");
	return fault_hint(fault, "the app may have been restarted, or the instance replaced: see kudump ps");
}

struct watch {
	uint64_t size;     /* of the dump at the last look */
	size_t said;       /* bytes of the log */
	int64_t grew_ms;   /* when either was another than before */
	int64_t asked_ms;  /* when its process was looked for */
	bool stable;       /* since the last look */
};

static bool
look(struct procdump *dump, struct watch *watch, struct fault *fault)
{
	struct vfs_entry entries[1];
	size_t count, words;
	uint64_t size = 0;
	if (!vfs_list(dump->site, dump->folder, "dump.dmp", entries, 1, &count, fault)) {
		if (fault->kind != FAULT_MISSING)
			return false;
		fault_clear(fault); /* not made yet */
		if (watch->said > 0)
			return fault_raise(fault, FAULT_BUSY, "somebody took the dump away from the site, perhaps another kudump");
		count = 0;
	}
	if (count > 0)
		size = entries[0].size;
	read_said(dump);
	words = strlen(dump->said);
	watch->stable = size == watch->size && words == watch->said;
	if (!watch->stable)
		watch->grew_ms = watch->asked_ms = clock_ms();
	watch->size = size;
	watch->said = words;
	return true;
}

/* True at the end, well or not: `said` tells. */
static bool
wait_for_end(struct procdump *dump, int64_t patience_ms, struct fault *fault)
{
	struct watch watch = {0, 0, clock_ms(), clock_ms(), false};
	int64_t pause = POLL_FIRST_MS;
	for (;;) {
		if (!wait_until(deadline_in(pause), fault) || !look(dump, &watch, fault))
			return false;
		if (watch.stable && ((said(dump, "Dump 1 complete") && watch.size > 0) || has_failed(dump)))
			return true;
		if (clock_ms() - watch.grew_ms > patience_ms) {
			fault_raise(fault, FAULT_TIMEOUT, "ProcDump has written nothing for %" PRId64 " s", patience_ms / 1000);
			return fault_hint(fault, "--first-byte N waits longer; the same command goes on with what is there");
		}
		if (clock_ms() - watch.asked_ms > SILENT_MS) {
			watch.asked_ms = clock_ms();
			if (!check_alive(dump, fault))
				return false;
		}
		pause = pause * 2 < POLL_MOST_MS ? pause * 2 : POLL_MOST_MS;
	}
}

static bool
make(struct procdump *dump, const struct kudu_process *process, unsigned type, int64_t patience_ms, struct fault *fault)
{
	if (dump->folder[0] == 0 && !start(dump, process, type, true, fault))
		return false;
	if (!wait_for_end(dump, patience_ms, fault))
		return false;
	/* some sandboxes cannot clone a process: then it stands still while it is written */
	if (!said(dump, "Dump 1 complete") && said(dump, "0x80070006")) {
		log_note("the process cannot be cloned: once more without -r, the app stands still meanwhile");
		if (!start(dump, process, type, false, fault) || !wait_for_end(dump, patience_ms, fault))
			return false;
	}
	dump->failed = !said(dump, "Dump 1 complete");
	return !dump->failed || explain(dump, fault);
}

static bool
check_machine(const struct site *site, const struct kudu_process *process, struct fault *fault)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	if (process->monitored) {
		fault_raise(fault, FAULT_UNABLE, "this is a Linux app: it has no ProcDump");
		return fault_hint(fault, "take --via kudu (the default), which asks dotnet-monitor");
	}
	if (site->machine[0] != 0 && site->machine[strspn(site->machine, plain)] == 0)
		return true;
	return fault_raise(fault, FAULT_UNABLE, "Kudu does not tell the name of its machine, which --via procdump needs");
}

bool
procdump_open(struct procdump *dump, struct site *site, const struct kudu_process *process, unsigned type,
              int64_t patience_ms, struct kudu_dump *opened, struct fault *fault)
{
	char path[VFS_PATH_MAX];
	struct fault aside;
	memset(dump, 0, sizeof *dump);
	dump->site = site;
	if (!check_machine(site, process, fault) || !find_left(dump, process, type, fault))
		return false;
	if (make(dump, process, type, patience_ms, fault)) {
		put_path(dump, path, "dump.dmp");
		*opened = (struct kudu_dump){.body = &dump->file.source, .began_s = dump->began_s};
		if (!vfs_open(&dump->file, site, path, fault))
			return false;
		opened->length = dump->file.length;
		return true;
	}
	fault_clear(&aside);
	if (dump->folder[0] != 0 && dump->failed && !delete_all(dump, NULL, &aside))
		log_fault(&aside);
	return false;
}
