/* SPDX-License-Identifier: MIT */
#include "job/facts.h"

#include "base/deadline.h"

#include <inttypes.h>
#include <string.h>

#define COMPONENT_MAX 200 /* a file name may have 255 bytes; room for -2, .json and the temporary name */

/* The first six digits of the id, as Kudu's own file names have them. */
static void
put_digits(struct text *text, const struct facts *facts)
{
	if (facts->instance[0] == 0)
		text_put(text, "unknown");
	else
		text_put_span(text, span_first(span_of(facts->instance), 6));
}

double
facts_seconds(const struct facts *facts)
{
	return (double)(facts->ended_ms - facts->began_ms) / 1000;
}

static void
put_member(struct text *text, const char *name, const char *value)
{
	text_printf(text, "\"%s\":", name);
	text_put_json(text, span_of(value));
	text_put_byte(text, ',');
}

void
facts_put_json(struct text *text, const struct facts *facts)
{
	put_member(text, "site", facts->site);
	put_member(text, "instance", facts->instance);
	put_member(text, "machine", facts->machine);
	text_printf(text, "\"pid\":%" PRId64 ",", facts->pid);
	put_member(text, "process", facts->process);
	text_printf(text, "\"type\":%u,\"bytes\":%" PRIu64 ",", facts->type, facts->bytes);
	if (facts->sha256[0] != 0)
		put_member(text, "sha256", facts->sha256);
	text_put(text, "\"started\":\"");
	clock_put_iso(text, facts->started_s);
	if (facts->ended_s != 0) {
		text_put(text, "\",\"ended\":\"");
		clock_put_iso(text, facts->ended_s);
	}
	text_printf(text, "\",\"seconds\":%.3f,", facts_seconds(facts));
	text_put(text, "\"id\":");
	text_put_json(text, span_of(facts->id));
}

bool
facts_read_type(const char *words, unsigned *type)
{
	static const struct {
		const char *name;
		unsigned type;
	} known[] = {{"mini", 1}, {"full", 2}, {"triage", 0}};
	uint64_t number;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(words, known[i].name) == 0) {
			*type = known[i].type;
			return true;
		}
	if (!span_decimal(span_of(words), &number) || number > 0x7fffffff)
		return false;
	*type = (unsigned)number;
	return true;
}

static void
put_type(struct text *text, unsigned type)
{
	if (type <= 2)
		text_put(text, type == 0 ? "triage" : type == 1 ? "mini" : "full");
	else
		text_printf(text, "%u", type);
}

static bool
is_safe(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* What a server said, as part of a name: no separators, no leading dot, nothing a shell or a file system minds. */
static void
put_safe(struct text *text, const char *words)
{
	if (words[0] == 0)
		words = "unknown";
	for (size_t i = 0; words[i] != 0 && i < PROCESS_NAME_MAX; i++) {
		unsigned char c = (unsigned char)words[i];
		text_put_byte(text, is_safe(c) && !(i == 0 && (c == '.' || c == '-')) ? (char)c : '_');
	}
}

static bool
put_field(struct text *text, struct span field, const struct facts *facts)
{
	if (span_is(field, "date"))
		clock_put_date(text, facts->started_s);
	else if (span_is(field, "time"))
		clock_put_time(text, facts->started_s);
	else if (span_is(field, "process"))
		put_safe(text, facts->process);
	else if (span_is(field, "pid"))
		text_printf(text, "%" PRId64, facts->pid);
	else if (span_is(field, "instance"))
		put_digits(text, facts);
	else if (span_is(field, "site"))
		put_safe(text, facts->site);
	else if (span_is(field, "machine"))
		put_safe(text, facts->machine);
	else if (span_is(field, "type"))
		put_type(text, facts->type);
	else if (span_is(field, "id"))
		put_safe(text, facts->id);
	else
		return false;
	return true;
}

static bool
check_components(struct span name, struct fault *fault)
{
	struct span part;
	if (name.count == 0 || name.at[0] == '/' || name.at[name.count - 1] == '/')
		return fault_raise(fault, FAULT_USAGE, "--name-template: a name is relative and ends with a file name");
	while (span_cut(&name, '/', &part)) {
		if (part.count == 0 || span_is(part, ".") || span_is(part, ".."))
			return fault_raise(fault, FAULT_USAGE, "--name-template: a name has no empty, \".\" or \"..\" parts");
		if (part.count > COMPONENT_MAX)
			return fault_raise(fault, FAULT_USAGE, "--name-template: a part of the name is longer than %d bytes",
			                   COMPONENT_MAX);
	}
	return true;
}

bool
facts_put_name(struct text *text, const char *words, const struct facts *facts, struct fault *fault)
{
	struct span rest = span_of(words), field;
	while (rest.count > 0) {
		size_t close;
		unsigned char c = rest.at[0];
		if (c < 0x20 || c == 0x7f || c == '\\' || c == '}')
			return fault_raise(fault, FAULT_USAGE, "--name-template: it holds a character that a name should not have");
		if (c != '{') {
			text_put_byte(text, (char)c);
			rest = span_from(rest, 1);
			continue;
		}
		if (!span_find_byte(rest, '}', &close))
			return fault_raise(fault, FAULT_USAGE, "--name-template: a { is not closed");
		field = span_from(span_first(rest, close), 1);
		if (!put_field(text, field, facts)) {
			fault_raise(fault, FAULT_USAGE, "--name-template: there is no field {%.*s}",
			            (int)(field.count < 20 ? field.count : 20), (const char *)field.at);
			return fault_hint(fault, "fields: date time process pid instance site machine type id");
		}
		rest = span_from(rest, close + 1);
	}
	if (text->cut)
		return fault_raise(fault, FAULT_USAGE, "--name-template: the name is too long");
	return check_components(text_span(text), fault);
}

bool
facts_check_template(const char *words, struct fault *fault)
{
	char room[2048];
	struct text text = text_in(room, sizeof room);
	static const struct facts example = {.site = "site", .instance = "a1b2c3", .machine = "machine", .process = "w3wp",
	                                     .pid = 4294967295, .id = "0123456789abcdef"};
	return facts_put_name(&text, words, &example, fault);
}
