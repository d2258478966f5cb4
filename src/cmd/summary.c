/* SPDX-License-Identifier: MIT */
#include "cmd/summary.h"

#include "base/log.h"
#include "cmd/cells.h"

#include <inttypes.h>
#include <stdio.h>

static void
print_row(const struct board *board, const struct board_process *row)
{
	const struct board_instance *instance = &board->instances[row->instance];
	char room[512], words[32];
	struct text text = text_in(room, sizeof room), cell = text_in(words, sizeof words);
	cells_put(&text, board->sites[instance->site].name, 20);
	snprintf(words, sizeof words, "%.6s", instance->id);
	cells_put(&text, words, 8);
	snprintf(words, sizeof words, "%" PRId64, row->process.pid);
	cells_put(&text, words, 6);
	cells_put(&text, row->process.name, 10);
	cells_put(&text, row->outcome == FAULT_NONE ? "done" : fault_kind_name(row->outcome), 8);
	text_reset(&cell);
	if (row->outcome == FAULT_NONE)
		text_put_size(&cell, row->bytes);
	cells_put(&text, words, 10);
	snprintf(words, sizeof words, "%.1f s", (double)row->took_ms / 1000);
	cells_put(&text, words, 1);
	fprintf(stderr, "%s\n", room);
}

static void
print_table(const struct board *board)
{
	bool any = false;
	for (uint32_t p = 0; p < board->process_count; p++) {
		if (board->processes[p].state != PROCESS_DONE)
			continue;
		if (!any)
			fprintf(stderr, "%-20s %-8s %-6s %-10s %-8s %-10s %s\n", "SITE", "INSTANCE", "PID", "NAME", "RESULT", "SIZE", "TIME");
		any = true;
		print_row(board, &board->processes[p]);
	}
}

static uint64_t
sum_bytes(const struct board *board)
{
	uint64_t sum = 0;
	for (uint32_t p = 0; p < board->process_count; p++)
		if (board->processes[p].state == PROCESS_DONE && board->processes[p].outcome == FAULT_NONE)
			sum += board->processes[p].bytes;
	return sum;
}

void
summary_print(const struct board *board, const struct settings *settings, size_t done, size_t failed, int64_t took_ms)
{
	char words[32];
	struct text size = text_in(words, sizeof words);
	uint64_t bytes = sum_bytes(board);
	if (settings->json) {
		printf("{\"event\":\"dump.summary\",\"sites\":%zu,\"instances\":%" PRIu32 ",\"done\":%zu,\"failed\":%zu,\"bytes\":%" PRIu64
		       ",\"seconds\":%.3f}\n", board->site_count, board->instance_count, done, failed, bytes, (double)took_ms / 1000);
		return;
	}
	if (settings->quiet)
		return;
	print_table(board);
	text_put_size(&size, bytes);
	log_note("%zu dumped, %zu failed: %zu sites, %" PRIu32 " instances, %s in %.1f s", done, failed, board->site_count,
	         board->instance_count, words, (double)took_ms / 1000);
}
