/* SPDX-License-Identifier: MIT */
/* The table of commands, nothing else. */
#include "base/linux.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/status.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {&command_ps, &command_dump, &command_put, &command_analyze, &command_doctor};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void
print_usage(FILE *to)
{
	fprintf(to, "usage: kudump COMMAND [OPTION]…\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(to, "\nkudump COMMAND --help says more; kudump --version says which one this is\n");
}

static int
run(const struct command *command, char **words, size_t count)
{
	static struct settings settings;
	struct fault fault;
	fault_clear(&fault);
	if (!options_parse(&settings, command, words, count, &fault)) {
		fault_hint(&fault, "kudump %s --help", command->name);
		log_fault(&fault);
		return status_of(&fault);
	}
	if (settings.help) {
		options_print_help(command);
		return STATUS_DONE;
	}
	return command->run(command, &settings);
}

/* What was done is not done when the caller could not be told: a full disk behind `> list.json`, a reader that went. */
static int
check_output(int status)
{
	struct fault fault;
	bool lost = ferror(stdout) != 0;
	if (fflush(stdout) == 0 && !lost)
		return status;
	fault_clear(&fault);
	fault_raise(&fault, FAULT_SYSTEM, "not all of the output could be written to stdout");
	log_fault(&fault);
	return status == STATUS_DONE ? STATUS_DESTINATION : status;
}

static int
choose(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return STATUS_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("kudump %s\n", KUDUMP_VERSION);
		return STATUS_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return run(commands[i], argv + 2, (size_t)argc - 2);
	fprintf(stderr, "kudump: there is no command %s\nhint: kudump --help\n", argv[1]);
	return STATUS_USAGE;
}

/* Where the caller closed one of the first three descriptors, the next connection or dump would get its number: what is
 * printed would go into it, and stdin would be read from it. So that reading and writing there fail instead, each is opened
 * the wrong way round. */
static void
hold_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return;
}

int
main(int argc, char **argv)
{
	hold_standard();
	refuse_core_dumps();
	return check_output(choose(argc, argv));
}
