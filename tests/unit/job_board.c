/* SPDX-License-Identifier: MIT */
/* What is done next, and what is chosen: without a network. */
#include "job/board.h"

#include "base/log.h"
#include "job/choose.h"

#include "unit.h"

#include <stdio.h>

static struct board board;
static struct board_site sites[3];
static struct url urls[3];
static struct memory memory;
static struct fault fault;
static struct work work;
static bool settled;
static const struct work nothing = {WORK_NONE, BOARD_NONE, BOARD_NONE, BOARD_NONE};

static void
open_board(size_t count, struct choice choice)
{
	static const char *const names[] = {"https://a.scm.x", "https://b.scm.x", "https://a.scm.x:443"};
	memory_close(&memory);
	fault_clear(&fault);
	memset(&board, 0, sizeof board);
	for (size_t i = 0; i < count; i++) {
		CHECK(url_parse(&urls[i], span_of(names[i]), &fault));
		sites[i] = (struct board_site){.scm = &urls[i], .choice = choice};
	}
	board.sites = sites;
	board.site_count = count;
	board.dumps = board.shared_file = true;
	CHECK(memory_open(&memory, board_need(), &fault) && board_open(&board, &memory, &fault));
}

static void
next(enum work_kind kind)
{
	CHECK(board_next(&board, &work, &work) && work.kind == kind);
}

static void
end(const struct kudu_process *process)
{
	static const struct board_instance seen = {.own_pid = 1, .id = "ab", .machine = "M"};
	board_end(&board, &work, &seen, process, &fault, &settled);
}

static void
add(uint32_t instance, int64_t pid, const char *name)
{
	struct kudu_process process = {.pid = pid};
	snprintf(process.name, sizeof process.name, "%s", name);
	CHECK(board_add_process(&board, instance, &process, &fault));
}

/* Goes through a site of one instance with these processes, each found out to be as given; what is ready is then on the board. */
static void
survey(const struct kudu_process *processes, size_t count)
{
	next(WORK_EXPAND);
	CHECK(board_add_instance(&board, work.site, "", "", &fault));
	end(NULL);
	next(WORK_LIST);
	for (size_t i = 0; i < count; i++)
		add(work.instance, processes[i].pid, processes[i].name);
	end(NULL);
	for (size_t i = 0; !settled && i < count; i++) {
		next(WORK_LOOK);
		for (size_t n = 0; n < count; n++)
			if (processes[n].pid == board.processes[work.process].process.pid) {
				end(&processes[n]);
				break;
			}
	}
	CHECK(settled);
}

static bool
is_ready(int64_t pid)
{
	for (uint32_t p = 0; p < board.process_count; p++)
		if (board.processes[p].process.pid == pid)
			return board.processes[p].state == PROCESS_READY;
	return false;
}

static const struct kudu_process sandbox[] = {
	{.pid = 10, .name = "w3wp", .role = KUDU_WORKER, .cpu_ms = 500, .private_bytes = 7},
	{.pid = 11, .name = "w3wp", .role = KUDU_SCM, .cpu_ms = 9000, .private_bytes = 9000},
	{.pid = 12, .name = "dotnet", .role = KUDU_CHILD, .parent = 10, .cpu_ms = 100, .private_bytes = 800},
	{.pid = 13, .name = "app", .role = KUDU_CHILD, .parent = 12},
	{.pid = 14, .name = "dotnet", .role = KUDU_CHILD, .parent = 11},
	{.pid = 15, .name = "node", .role = KUDU_CHILD},
	{.pid = 16, .name = "conhost", .role = KUDU_CHILD, .parent = 10},
	{.pid = 17, .name = "Job", .role = KUDU_WEBJOB, .parent = 11},
	{.pid = 18, .name = "x", .role = KUDU_CHILD, .parent = 19},
	{.pid = 19, .name = "x", .role = KUDU_CHILD, .parent = 18},
};
#define SANDBOX (sizeof sandbox / sizeof sandbox[0])

static void
workers_and_never_kudu(void)
{
	work = nothing;
	open_board(1, (struct choice){0});
	survey(sandbox, SANDBOX);
	CHECK(board.ready == 1 && is_ready(10) && board.process_count == 2);
	CHECK(board.instances[0].beside == 12 && board.instances[0].passed == SANDBOX - 2);
}

/* Who is mentioned beside a worker: a runtime before other names, nothing that comes with a console. */
static void
mentions_a_runtime_first(void)
{
	static const struct kudu_process beside[] = {{.pid = 1, .name = "conhost"}, {.pid = 2, .name = "MyApp"}, {.pid = 3, .name = "Other"},
	                                             {.pid = 4, .name = "Node"}, {.pid = 5, .name = "dotnet"}};
	static const int64_t mentioned[] = {0, 2, 2, 4, 4};
	work = nothing;
	open_board(1, (struct choice){0});
	CHECK(board_add_instance(&board, 0, "", "", &fault));
	for (size_t i = 0; i < 5; i++) {
		CHECK(board_add_process(&board, 0, &beside[i], &fault));
		CHECK(board.instances[0].beside == mentioned[i]);
	}
	CHECK_TEXT(board.instances[0].beside_name, "Node");
}

static void
names_with_or_without_exe(void)
{
	static const char *const names[] = {"DotNet.EXE", "my.app", "w3wpx"};
	struct choice choice = {.names = names, .name_count = 3};
	CHECK(choice_wants(&choice, &(struct kudu_process){.name = "dotnet"}) && choice_wants(&choice, &(struct kudu_process){.name = "My.App"}));
	CHECK(!choice_wants(&choice, &(struct kudu_process){.name = "my"}) && !choice_wants(&choice, &(struct kudu_process){.name = "w3wp"}));
	CHECK(!choice_wants(&choice, &(struct kudu_process){.name = "dot"}) && !choice_wants(&choice, &(struct kudu_process){.name = "dotnet.ex"}));
}

static void
children_by_parent_or_else_by_name(void)
{
	work = nothing;
	open_board(1, (struct choice){.children = true});
	survey(sandbox, SANDBOX);
	CHECK(is_ready(10) && is_ready(12) && is_ready(13) && is_ready(15));
	CHECK(!is_ready(11) && !is_ready(14) && !is_ready(16) && !is_ready(17) && !is_ready(18) && board.ready == 4);
}

static void
the_busiest(void)
{
	work = nothing;
	open_board(1, (struct choice){.children = true, .pick = PICK_MEMORY});
	survey(sandbox, SANDBOX);
	CHECK(board.ready == 1 && is_ready(12));
	work = nothing;
	open_board(1, (struct choice){.children = true, .pick = PICK_CPU});
	survey(sandbox, SANDBOX);
	CHECK(board.ready == 1 && is_ready(10));
}

static void
pids(void)
{
	static const int64_t there[] = {12, 10}, kudu[] = {10, 11}, missing[] = {10, 99};
	work = nothing;
	open_board(1, (struct choice){.pids = there, .pid_count = 2});
	survey(sandbox, SANDBOX);
	CHECK(board.ready == 2 && is_ready(10) && is_ready(12) && fault.kind == FAULT_NONE);
	work = nothing;
	open_board(1, (struct choice){.pids = kudu, .pid_count = 2});
	survey(sandbox, SANDBOX);
	CHECK(board.ready == 0 && fault.kind == FAULT_UNABLE);
	work = nothing;
	open_board(1, (struct choice){.pids = missing, .pid_count = 2});
	survey(sandbox, SANDBOX);
	CHECK(board.ready == 0 && fault.kind == FAULT_MISSING);
}

static void
nothing_there_is_said(void)
{
	work = nothing;
	open_board(1, (struct choice){0});
	survey(&sandbox[1], 1);
	CHECK(board.ready == 0 && fault.kind == FAULT_MISSING && board_is_done(&board));
}

/* Two entries of one address share its gate; another site does not wait. */
static void
one_dump_a_site(void)
{
	struct work first, second, third, held[6];
	work = nothing;
	open_board(3, (struct choice){0});
	for (int looks = 0; looks < 6;) {
		CHECK(board_next(&board, &nothing, &work) && work.kind != WORK_DUMP);
		if (work.kind == WORK_LOOK) {
			held[looks++] = work;
			continue;
		}
		if (work.kind == WORK_EXPAND)
			CHECK(board_add_instance(&board, work.site, "", "", &fault) && board_add_instance(&board, work.site, "cd", "", &fault));
		else
			add(work.instance, 10 + work.instance, "w3wp");
		end(NULL);
	}
	for (int i = 0; i < 6; i++) {
		work = held[i];
		end(&sandbox[0]);
	}
	CHECK(board.ready == 6);
	CHECK(board_next(&board, &nothing, &first) && first.kind == WORK_DUMP);
	CHECK(board_next(&board, &first, &second) && second.kind == WORK_DUMP);
	CHECK(board.sites[first.site].gate != board.sites[second.site].gate && board.ready == 4);
	CHECK(sites[2].gate == 0 && sites[1].gate == 1);
	work = first;
	end(NULL);
	CHECK(board_next(&board, &first, &third) && board.sites[third.site].gate == board.sites[first.site].gate);
	CHECK(third.site == first.site); /* the connection at hand is used */
	CHECK(!board_is_done(&board));
}

static void
a_failed_instance_hides_nothing_of_the_others(void)
{
	work = nothing;
	open_board(1, (struct choice){.pick = PICK_CPU});
	next(WORK_EXPAND);
	CHECK(board_add_instance(&board, 0, "ab", "", &fault) && board_add_instance(&board, 0, "cd", "", &fault));
	end(NULL);
	next(WORK_LIST);
	add(work.instance, 10, "w3wp");
	end(NULL);
	next(WORK_LOOK);
	end(&sandbox[0]);
	CHECK(!settled && board.ready == 0);
	next(WORK_LIST);
	fault_raise(&fault, FAULT_NETWORK, "gone");
	end(NULL);
	CHECK(settled && fault.kind == FAULT_NETWORK && board.ready == 1);
	fault_clear(&fault);
	next(WORK_DUMP);
	end(NULL);
	CHECK(board_is_done(&board) && !board_next(&board, &work, &work));
}

static void
the_board_has_an_end(void)
{
	work = nothing;
	open_board(1, (struct choice){0});
	for (uint32_t i = 0; i < BOARD_INSTANCES; i++) {
		char id[16];
		snprintf(id, sizeof id, "%x", (unsigned)i);
		CHECK(board_add_instance(&board, 0, id, "", &fault));
	}
	CHECK(board_add_instance(&board, 0, "5", "", &fault) && board.instance_count == BOARD_INSTANCES); /* listed twice */
	CHECK(!board_add_instance(&board, 0, "ffffff", "", &fault) && fault.kind == FAULT_BOUND);
	fault_clear(&fault);
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		add(0, i + 1, "w3wp");
	CHECK(!board_add_process(&board, 0, &sandbox[0], &fault) && fault.kind == FAULT_BOUND);
}

int
main(void)
{
	log_open(LOG_QUIET);
	UNIT_RUN(workers_and_never_kudu);
	UNIT_RUN(mentions_a_runtime_first);
	UNIT_RUN(names_with_or_without_exe);
	UNIT_RUN(children_by_parent_or_else_by_name);
	UNIT_RUN(the_busiest);
	UNIT_RUN(pids);
	UNIT_RUN(nothing_there_is_said);
	UNIT_RUN(one_dump_a_site);
	UNIT_RUN(a_failed_instance_hides_nothing_of_the_others);
	UNIT_RUN(the_board_has_an_end);
	memory_close(&memory);
	return unit_end();
}
