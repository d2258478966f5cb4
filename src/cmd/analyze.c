/* SPDX-License-Identifier: MIT */
/* kudump analyze: says from a dump which thread crashed, why and where. */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/status.h"
#include "job/report_json.h"
#include "job/report_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct analyze_run {
	struct diagnosis diagnosis;
	struct pen pen;
};

/* main looks at what became of stdout in the end. */
static bool
print(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	(void)sink;
	if (fwrite(from, 1, count, stdout) == count)
		return true;
	return fault_raise(fault, FAULT_SYSTEM, "writing the report to stdout");
}

static bool
wants_colours(void)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == 0) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

/* What there was has been told by now. */
static bool
check_whole(const struct diagnosis *diagnosis, const struct settings *settings, struct fault *fault)
{
	if (!diagnosis->space.torn)
		return true;
	fault_raise(fault, FAULT_CORRUPT, "%s is torn: the file ends before what it lists", settings->files.at[0]);
	return fault_hint(fault, "fetch the dump again; what is left of it was analysed all the same");
}

static bool
report(struct analyze_run *run, struct memory *memory, const struct settings *settings, bool *opened, struct fault *fault)
{
	static struct sink out = {print, NULL, NULL};
	const struct diagnose_options options = {settings->all, settings->redact_message, settings->images};
	*opened = diagnose_open(&run->diagnosis, memory, settings->files.at[0], &options, fault);
	if (!*opened)
		return false;
	pen_open(&run->pen, &out, fault);
	run->pen.colours = !settings->json && wants_colours();
	if (settings->json)
		report_json(&run->diagnosis, &run->pen);
	else
		report_text(&run->diagnosis, &run->pen);
	diagnose_close(&run->diagnosis);
	return pen_close(&run->pen) && check_whole(&run->diagnosis, settings, fault);
}

static bool
check(const struct settings *settings, struct fault *fault)
{
	if (settings->files.count == 1)
		return true;
	fault_raise(fault, FAULT_USAGE, settings->files.count == 0 ? "no dump is named" : "analyze reads one dump at a time");
	return fault_hint(fault, "kudump analyze FILE");
}

static int
run_analyze(const struct command *command, struct settings *settings)
{
	struct memory memory = {NULL, 0, 0};
	struct fault fault;
	bool good, opened = true;
	(void)command;
	fault_clear(&fault);
	log_open(settings->quiet ? LOG_QUIET : settings->verbose ? LOG_VERBOSE : LOG_NORMAL);
	good = check(settings, &fault) &&
	       memory_open(&memory, memory_need(sizeof(struct analyze_run), 64) + diagnose_need(settings->images != NULL), &fault) &&
	       report(memory_take(&memory, sizeof(struct analyze_run), 64), &memory, settings, &opened, &fault);
	if (!good)
		log_fault(&fault);
	memory_close(&memory);
	/* a file that the system does not let us read is none that tells anything; 6 is for where something goes to */
	return !opened && fault.kind == FAULT_SYSTEM ? STATUS_CORRUPT : status_of(&fault);
}

#define AT(field) offsetof(struct settings, field)

static const struct option_row options[] = {
	{"FILE", NULL, "a minidump (.dmp) or an ELF core", OPTION_ARGUMENT, AT(files), 0, 0},
	{"--all", NULL, "every thread, those with the same stack together, and every module", OPTION_SWITCH, AT(all), 0, 0},
	{"--images", "DIR", "take what the dump lacks from this folder: code and unwind data of PE and ELF files, functions and lines of "
	 "Breakpad's .sym files; each only if its id is the module's",
	 OPTION_TEXT, AT(images), 0, 0},
	{"--redact-message", NULL, "leave the messages of exceptions out: they may hold secrets", OPTION_SWITCH, AT(redact_message), 0, 0},
	{NULL, NULL, NULL, OPTION_SWITCH, 0, 0, 0},
};

const struct command command_analyze = {
	"analyze", "say from a dump which thread crashed, why, and where", "FILE [OPTION]…", options,
	"Needs no debugger, symbols or runtime, and 8 MiB of memory at most. docs/analyze.md tells how to read the report.",
	run_analyze, REACH_NOBODY,
};
