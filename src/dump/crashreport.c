/* SPDX-License-Identifier: MIT */
#include "dump/crashreport.h"

#include "base/encode.h"
#include "base/json_scan.h"
#include "base/json_value.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define REPORT_MOST (64u << 20)
#define PIECE 2048
#define VALUE_MOST 512
#define KEY_MOST 32
#define THREAD 4 /* payload > threads > [ > thread > stack_frames > [ > frame */
#define FRAME 6

struct report {
	struct managed_exception *into;
	uint32_t wanted;
	bool in_threads, crashed, matches, done;
	char keys[FRAME + 1][KEY_MOST];
	char type[FRAME_NAME_MAX];
	uint64_t object;
	uint32_t hresult, thread;
	bool has_hresult;
	struct managed_frame frame;
	size_t frames, left_out;
	/* the key or value under way */
	char raw[VALUE_MOST];
	size_t used;
	bool taking;
};

static uint64_t
read_hex(const char *text)
{
	uint64_t value = 0;
	int digit;
	if (strncmp(text, "0x", 2) != 0)
		return 0;
	for (text += 2; (digit = hex_value((unsigned char)*text)) >= 0; text++)
		value = value << 4 | (unsigned)digit;
	return value;
}

static void
take_thread_value(struct report *report, const char *key, const char *value)
{
	if (strcmp(key, "crashed") == 0) {
		report->crashed = strcmp(value, "true") == 0;
	} else if (strcmp(key, "native_thread_id") == 0) {
		report->thread = (uint32_t)read_hex(value);
	} else if (strcmp(key, "managed_exception_type") == 0) {
		(void)!text_keep(report->type, sizeof report->type, span_of(value));
	} else if (strcmp(key, "managed_exception_object") == 0) {
		report->object = read_hex(value);
	} else if (strcmp(key, "managed_exception_hresult") == 0) {
		report->hresult = (uint32_t)read_hex(value);
		report->has_hresult = true;
	}
}

/* The method without its parameters. */
static void
take_frame_value(struct report *report, const char *key, const char *value)
{
	if (strcmp(key, "native_address") == 0)
		report->frame.pc = read_hex(value);
	else if (strcmp(key, "method_name") == 0)
		(void)!text_keep(report->frame.method, FRAME_NAME_MAX, span_first(span_of(value), strcspn(value, "(")));
}

static void
take_value(struct report *report, unsigned depth)
{
	char text[VALUE_MOST];
	struct json_value value = {JSON_STRING, {(const unsigned char *)report->raw + 1, report->used - 2}};
	if (!report->in_threads || report->done || report->used < 2 || report->raw[0] != '"' || report->raw[report->used - 1] != '"' ||
	    !json_value_text(value, text, sizeof text))
		return;
	if (depth == THREAD)
		take_thread_value(report, report->keys[THREAD], text);
	else if (depth == FRAME && strcmp(report->keys[THREAD], "stack_frames") == 0)
		take_frame_value(report, report->keys[FRAME], text);
}

static void
close_frame(struct report *report)
{
	if (report->frame.method[0] != '\0' && !report->done) {
		if (report->frames < MANAGED_FRAMES_MAX)
			report->into->frames[report->frames++] = report->frame;
		else
			report->left_out++;
	}
	memset(&report->frame, 0, sizeof report->frame);
}

/* The crashed thread ends the search; frames of others are forgotten. */
static void
close_thread(struct report *report)
{
	report->matches = report->matches || (report->crashed && report->thread == report->wanted && report->type[0] != '\0');
	report->done = report->done || report->crashed;
	if (report->done)
		return;
	report->frames = report->left_out = 0;
	report->type[0] = '\0';
	report->object = 0;
	report->has_hresult = false;
}

static void
take_event(struct report *report, enum json_event event, unsigned depth)
{
	if (event == SCAN_OPENED && depth == 3)
		report->in_threads = strcmp(report->keys[1], "payload") == 0 && strcmp(report->keys[2], "threads") == 0;
	else if (event == SCAN_CLOSED && depth == 2)
		report->in_threads = false;
	else if (event == SCAN_CLOSED && depth == FRAME - 1 && report->in_threads)
		close_frame(report);
	else if (event == SCAN_CLOSED && depth == THREAD - 1 && report->in_threads)
		close_thread(report);
	else if (event == SCAN_KEY_ENDED && depth <= FRAME)
		(void)!text_keep(report->keys[depth], KEY_MOST, (struct span){(const unsigned char *)report->raw, report->used - 1});
	else if (event == SCAN_VALUE_ENDED)
		take_value(report, depth);
}

/* Keeps the bytes of the key or value under way, as far as they fit. */
static void
gather(struct report *report, const unsigned char *from, const unsigned char *to)
{
	size_t count = (size_t)(to - from), left = sizeof report->raw - report->used;
	if (!report->taking)
		return;
	if (count > left)
		count = left;
	memcpy(report->raw + report->used, from, count);
	report->used += count;
}

static bool
scan_piece(struct report *report, struct json_scan *scan, struct span rest)
{
	for (;;) {
		const unsigned char *before = rest.at;
		enum json_event event = json_scan_next(scan, &rest);
		if (event == SCAN_REFUSED)
			return false;
		gather(report, before, rest.at);
		if (event == SCAN_MORE)
			return true;
		if (event == SCAN_KEY_BEGAN || event == SCAN_VALUE_BEGAN) {
			report->taking = true;
			report->used = 0;
			if (event == SCAN_VALUE_BEGAN)
				gather(report, rest.at - 1, rest.at);
			continue;
		}
		take_event(report, event, scan->depth);
		report->taking = false;
	}
}

static bool
scan_file(struct report *report, int fd)
{
	unsigned char piece[PIECE];
	struct json_scan scan;
	size_t total = 0;
	ssize_t got;
	json_scan_open(&scan);
	while ((got = read(fd, piece, sizeof piece)) > 0) {
		total += (size_t)got;
		if (total > REPORT_MOST || !scan_piece(report, &scan, (struct span){piece, (size_t)got}))
			return false;
	}
	return got == 0 && json_scan_end(&scan) == SCAN_MORE && report->matches;
}

bool
crashreport_read(const char *path, uint32_t thread, struct managed_exception *into)
{
	char name[PATH_BYTES_MAX / 2];
	struct text text = text_in(name, sizeof name);
	struct report report;
	int fd;
	bool good;
	text_printf(&text, "%s.crashreport.json", path);
	if (text.cut || (fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		return false;
	memset(&report, 0, sizeof report);
	report.into = into;
	report.wanted = thread;
	good = scan_file(&report, fd);
	close(fd);
	into->frame_count = good ? report.frames : 0;
	if (!good)
		return false;
	into->frames_left_out = report.left_out;
	memcpy(into->type, report.type, sizeof into->type);
	into->address = report.object;
	into->hresult = report.hresult;
	into->has_hresult = report.has_hresult;
	return true;
}
