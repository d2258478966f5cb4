/* SPDX-License-Identifier: MIT */
#include "dump/clr_aot.h"

#include "base/encode.h"
#include "base/json_scan.h"
#include "base/json_value.h"
#include "dump/clr_symbol.h"

#include <string.h>

#define FAIL_FAST 0xc0000409u
#define FAIL_FAST_DOTNET 0x48        /* its first parameter: a fail-fast of a .NET runtime, with the JSON's place */
#define SPECIAL_PAGE 0x7ffffff10000ull /* where createdump puts what has no place in a core */
#define GLOBALS_MOST 8
#define LEVELS (3 * MANAGED_INNER_MAX)
#define REASON_FAIL_FAST '2'

struct reader {
	struct managed_findings *findings;
	struct json_scan scan;
	struct span keys[LEVELS + 1]; /* by depth; empty in an array */
	unsigned exception_depth[MANAGED_INNER_MAX]; /* of the inside of the exceptions that are open */
	size_t open;                  /* of them */
	size_t first;                 /* place of the outermost: 1 behind the words of a fail-fast */
	struct managed_frame frame;
	char message[MANAGED_MESSAGE_MAX];
	bool fail_fast, spoke;
};

static uint64_t
read_hex(struct json_value value)
{
	char text[24];
	uint64_t number = 0;
	if (!json_value_text(value, text, sizeof text) || text[0] != '0' || (text[1] | 32) != 'x')
		return 0;
	for (size_t i = 2; hex_value((unsigned char)text[i]) >= 0; i++)
		number = number << 4 | (unsigned)hex_value((unsigned char)text[i]);
	return number;
}

/* As much of a string as fits. */
static bool
keep(struct json_value value, char *room, size_t size)
{
	struct text text = text_in(room, size);
	if (value.kind != JSON_STRING)
		return false;
	json_unescape(&text, value.text);
	return text.cut;
}

static void
take_header(struct reader *reader, struct span key, struct json_value value)
{
	struct managed_findings *findings = reader->findings;
	if (span_is(key, "message"))
		(void)keep(value, reader->message, sizeof reader->message);
	else if (span_is(key, "reason"))
		reader->fail_fast = value.text.count == 1 && value.text.at[0] == REASON_FAIL_FAST;
	else if (span_is(key, "thread"))
		findings->thread = (uint32_t)read_hex(value);
	else if (span_is(key, "runtime_version") && findings->runtime_count > 0)
		(void)keep(value, findings->runtimes[0].version, sizeof findings->runtimes[0].version);
	else
		return;
	reader->spoke = true;
}

static void
take_exception(struct managed_exception *exception, struct span key, struct json_value value)
{
	if (span_is(key, "type")) {
		(void)keep(value, exception->type, sizeof exception->type);
	} else if (span_is(key, "message")) {
		exception->message_cut = keep(value, exception->message, sizeof exception->message);
		exception->has_message = value.kind == JSON_STRING;
	} else if (span_is(key, "hr")) {
		exception->hresult = (uint32_t)read_hex(value);
		exception->has_hresult = true;
	} else if (span_is(key, "address")) {
		exception->address = read_hex(value);
	}
}

/* The method without its parameters. */
static void
take_frame(struct managed_frame *frame, struct span key, struct json_value value)
{
	if (span_is(key, "ip"))
		frame->pc = read_hex(value);
	else if (span_is(key, "name") && value.kind == JSON_STRING) {
		(void)keep(value, frame->method, sizeof frame->method);
		frame->method[strcspn(frame->method, "(")] = '\0';
	}
}

static struct managed_exception *
innermost(struct reader *reader)
{
	return &reader->findings->exceptions[reader->first + reader->open - 1];
}

/* Frames stand two levels inside their exception: its member "stack" is an array of objects. */
static void
take_value(struct reader *reader, unsigned depth, struct span raw)
{
	bool string = raw.count >= 2 && raw.at[0] == '"';
	struct json_value value = {string ? JSON_STRING : JSON_ABSENT, string ? (struct span){raw.at + 1, raw.count - 2} : raw};
	unsigned inside = reader->open > 0 ? reader->exception_depth[reader->open - 1] : 0;
	if (depth == 1)
		take_header(reader, reader->keys[1], value);
	else if (inside != 0 && depth == inside)
		take_exception(innermost(reader), reader->keys[depth], value);
	else if (inside != 0 && depth == inside + 2 && span_is(reader->keys[inside], "stack"))
		take_frame(&reader->frame, reader->keys[depth], value);
}

/* An exception opens as the document's member, or as the first element of the innermost exception's "inner". */
static void
open_container(struct reader *reader)
{
	unsigned depth = reader->scan.depth, inside = reader->open > 0 ? reader->exception_depth[reader->open - 1] : 0;
	bool begins = inside == 0 ? depth == 2 && span_is(reader->keys[1], "exception")
	                          : depth == inside + 2 && span_is(reader->keys[inside], "inner");
	if (depth <= LEVELS)
		reader->keys[depth] = (struct span){NULL, 0};
	if (inside == 0)
		reader->first = reader->fail_fast && reader->message[0] != '\0' ? 1 : 0;
	if (!begins || reader->first + reader->open == MANAGED_INNER_MAX ||
	    reader->findings->exception_count > reader->first + reader->open)
		return;
	reader->exception_depth[reader->open++] = depth;
	reader->findings->exception_count = reader->first + reader->open;
	reader->spoke = true;
}

static void
close_frame(struct reader *reader, struct managed_exception *exception)
{
	if (exception->frame_count < MANAGED_FRAMES_MAX)
		exception->frames[exception->frame_count++] = reader->frame;
	else
		exception->frames_left_out++;
	memset(&reader->frame, 0, sizeof reader->frame);
}

static void
close_container(struct reader *reader)
{
	unsigned closed = reader->scan.depth + 1, inside = reader->open > 0 ? reader->exception_depth[reader->open - 1] : 0;
	if (inside == 0)
		return;
	if (closed == inside)
		reader->open--;
	else if (closed == inside + 2 && span_is(reader->keys[inside], "stack"))
		close_frame(reader, innermost(reader));
}

static bool
scan(struct reader *reader, struct span rest)
{
	const unsigned char *began = rest.at;
	enum json_event event;
	json_scan_open(&reader->scan);
	while ((event = json_scan_next(&reader->scan, &rest)) != SCAN_MORE) {
		unsigned depth = reader->scan.depth;
		if (event == SCAN_REFUSED)
			return false;
		if (event == SCAN_KEY_BEGAN)
			began = rest.at;
		else if (event == SCAN_VALUE_BEGAN)
			began = rest.at - 1;
		else if (event == SCAN_OPENED)
			open_container(reader);
		else if (event == SCAN_CLOSED)
			close_container(reader);
		else if (event == SCAN_KEY_ENDED && depth <= LEVELS)
			reader->keys[depth] = (struct span){began, (size_t)(rest.at - began) - 1};
		else if (event == SCAN_VALUE_ENDED && depth <= LEVELS)
			take_value(reader, depth, (struct span){began, (size_t)(rest.at - began)});
	}
	return json_scan_end(&reader->scan) == SCAN_MORE && reader->spoke;
}

/* The words given to FailFast stand for an exception, and one that was given with them is its inner one. */
static void
use_message(struct reader *reader)
{
	struct managed_findings *findings = reader->findings;
	struct managed_exception *exception = &findings->exceptions[0];
	findings->fail_fast = reader->fail_fast;
	if (reader->message[0] == '\0' || (findings->exception_count > 0 && reader->first == 0))
		return;
	if (findings->exception_count == 0)
		findings->exception_count = 1;
	exception->has_message = text_keep(exception->message, sizeof exception->message, span_of(reader->message));
}

static void
forget(struct managed_findings *findings)
{
	for (size_t i = 0; i < MANAGED_INNER_MAX; i++) {
		struct managed_frame *frames = findings->exceptions[i].frames;
		memset(&findings->exceptions[i], 0, sizeof findings->exceptions[i]);
		findings->exceptions[i].frames = frames;
	}
	findings->exception_count = 0;
}

bool
clr_aot_parse(struct span json, struct managed_findings *findings)
{
	struct reader reader = {.findings = findings};
	forget(findings);
	if (!scan(&reader, json)) {
		forget(findings);
		return false;
	}
	use_message(&reader);
	findings->source = findings->type_source = findings->trace_source = MANAGED_NATIVEAOT;
	return true;
}

static bool
parse_at(struct space *space, uint64_t address, uint64_t size, struct managed_findings *findings, char *room)
{
	struct span json = {(unsigned char *)room, 0};
	if (address == 0 || size == 0)
		return false;
	json.count = space_read_some(space, address, room, size < CLR_AOT_BYTES ? (size_t)size : CLR_AOT_BYTES);
	for (size_t i = 0; i < json.count; i++)
		if (room[i] == '\0')
			json.count = i;
	return json.count > 0 && room[0] == '{' && clr_aot_parse(json, findings);
}

/* EXCEPTION_RECORD64: code at 0, number of parameters at 24, they themselves from 32 on. */
static bool
read_special(struct space *space, uint64_t *address, uint64_t *size)
{
	char mark[16];
	uint64_t record, parameters[3];
	uint32_t code, count;
	return space->is_core && space_read(space, SPECIAL_PAGE, mark, sizeof mark) && memcmp(mark, "DIAGINFOHEADER", 15) == 0 &&
	       space_u64(space, SPECIAL_PAGE + 24, &record) && record != 0 && space_u32(space, record, &code) && code == FAIL_FAST &&
	       space_u32(space, record + 24, &count) && count >= 3 && space_read(space, record + 32, parameters, sizeof parameters) &&
	       parameters[0] == FAIL_FAST_DOTNET && ((*address = parameters[1]), (*size = parameters[2]), true);
}

/* The header names some of the runtime's globals: pairs of pointers to a name and to the variable. */
static bool
read_header(struct space *space, const struct module *module, uint64_t *address)
{
	uint64_t at, globals, name, wide = space->pointer_size;
	char words[24];
	uint32_t cookie, flags;
	uint16_t major;
	if (!clr_symbol_find(space, module, "DotNetRuntimeDebugHeader", &at) || !space_u32(space, at, &cookie) || cookie != 0x48444e44)
		return false;
	if (!space_u16(space, at + 4, &major) || major < 3 || !space_u32(space, at + 8, &flags) || ((flags & 1) != 0) != (wide == 8) ||
	    !space_pointer(space, at + 16 + wide, &globals))
		return false;
	for (unsigned i = 0; i < GLOBALS_MOST; i++) {
		if (!space_pointer(space, globals + 2 * i * wide, &name) || name == 0 ||
		    !space_pointer(space, globals + (2 * i + 1) * wide, address))
			return false;
		if (space_read(space, name, words, 18) && memcmp(words, "g_CrashInfoBuffer", 18) == 0)
			return true;
	}
	return false;
}

bool
clr_aot_read(struct space *space, struct managed_findings *findings, char *room)
{
	const struct crash *crash = &space->crash;
	uint64_t address, size;
	if (crash->recorded && crash->code == FAIL_FAST && crash->parameter_count >= 3 && crash->parameters[0] == FAIL_FAST_DOTNET &&
	    parse_at(space, crash->parameters[1], crash->parameters[2], findings, room))
		return true;
	if (read_special(space, &address, &size) && parse_at(space, address, size, findings, room))
		return true;
	for (size_t i = 0; i < findings->runtime_count; i++) {
		const struct module *module = space_module_at(space, findings->runtimes[i].base);
		if (module != NULL && read_header(space, module, &address) && parse_at(space, address, CLR_AOT_BYTES, findings, room))
			return true;
	}
	return false;
}
