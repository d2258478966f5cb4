/* SPDX-License-Identifier: MIT */
#include "azure/profile.h"

#include "base/encode.h"
#include "base/memory.h"

#include <string.h>

#define DEPTH_MAX 16
#define OLD_SUFFIX ".scm.azurewebsites.net"

struct reader {
	struct span xml;
	size_t place;
	struct span open[DEPTH_MAX]; /* names of the elements around us */
	size_t depth;
	bool had_root;
};

enum rank { RANK_NONE, RANK_PUBLISH_HOST, RANK_MSDEPLOY, RANK_ZIPDEPLOY };

struct entry { /* the wanted attributes of one publishProfile */
	char method[16], url[HOST_MAX + 64];
	char user[sizeof((struct profile *)0)->user], password[sizeof((struct profile *)0)->password];
};

static bool
complain(const struct reader *reader, const char *what, struct fault *fault)
{
	size_t line = 1, begin = 0;
	for (size_t i = 0; i < reader->place && i < reader->xml.count; i++)
		if (reader->xml.at[i] == '\n') {
			line++;
			begin = i + 1;
		}
	return fault_raise(fault, FAULT_USAGE, "%s (line %zu, character %zu)", what, line, reader->place - begin + 1);
}

static struct span
rest(const struct reader *reader)
{
	return span_from(reader->xml, reader->place);
}

static int
peek(const struct reader *reader)
{
	return reader->place < reader->xml.count ? reader->xml.at[reader->place] : -1;
}

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
skip_blanks(struct reader *reader)
{
	size_t begin = reader->place;
	while (is_blank(peek(reader)))
		reader->place++;
	return reader->place > begin;
}

/* Moves behind the next `words`. */
static bool
skip_past(struct reader *reader, const char *words, const char *complaint, struct fault *fault)
{
	size_t place;
	if (!span_find(rest(reader), words, &place))
		return complain(reader, complaint, fault);
	reader->place += place + strlen(words);
	return true;
}

static bool
is_name_byte(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':' || c == '-' ||
	       c == '.' || c >= 0x80;
}

static bool
take_name(struct reader *reader, struct span *name, struct fault *fault)
{
	size_t begin = reader->place;
	while (is_name_byte(peek(reader)))
		reader->place++;
	*name = span_first(span_from(reader->xml, begin), reader->place - begin);
	return name->count > 0 || complain(reader, "a name is missing", fault);
}

/* What stands between '&' and ';'. */
static bool
put_entity(struct text *text, struct span name)
{
	static const struct { const char *name; char byte; } known[] = {
		{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
	uint32_t point = 0;
	bool hex = span_begins(name, "#x");
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (span_is(name, known[i].name)) {
			text_put_byte(text, known[i].byte);
			return true;
		}
	if (!span_begins(name, "#") || name.count > 9)
		return false;
	name = span_from(name, hex ? 2 : 1);
	for (size_t i = 0; i < name.count; i++) {
		int digit = hex_value(name.at[i]);
		if (digit < 0 || (!hex && digit > 9))
			return false;
		point = point * (hex ? 16 : 10) + (uint32_t)digit;
	}
	if (name.count == 0 || point < 0x20 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return false;
	encode_utf8(text, point);
	return true;
}

/* The value of an attribute, decoded; into `text` unless that is NULL. */
static bool
take_value(struct reader *reader, struct text *text, struct fault *fault)
{
	char unread[1];
	struct text ignored = text_in(unread, sizeof unread);
	int quote = peek(reader);
	if (quote != '"' && quote != '\'')
		return complain(reader, "the value of an attribute is not in quotes", fault);
	if (text == NULL)
		text = &ignored;
	for (reader->place++; peek(reader) != quote; reader->place++) {
		size_t end;
		int c = peek(reader);
		if (c < 0x20 && !is_blank(c))
			return complain(reader, c < 0 ? "the value of an attribute has no end" : "a control character", fault);
		if (c == '<')
			return complain(reader, "a '<' in the value of an attribute", fault);
		if (c != '&') {
			text_put_byte(text, (char)c);
			continue;
		}
		if (!span_find_byte(span_first(rest(reader), 12), ';', &end) ||
		    !put_entity(text, span_first(span_from(rest(reader), 1), end - 1)))
			return complain(reader, "an entity that is not known", fault);
		reader->place += end;
	}
	reader->place++;
	if (text != &ignored && text->cut)
		return complain(reader, "the value of an attribute is too long", fault);
	return true;
}

static char *
room_of(struct entry *entry, struct span name, size_t *size)
{
	const struct { const char *name; char *at; size_t size; } wanted[] = {
		{"publishMethod", entry->method, sizeof entry->method}, {"publishUrl", entry->url, sizeof entry->url},
		{"userName", entry->user, sizeof entry->user}, {"userPWD", entry->password, sizeof entry->password}};
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (span_is(name, wanted[i].name)) {
			*size = wanted[i].size;
			return wanted[i].at;
		}
	return NULL;
}

/* Attributes up to the '>' or '/' at a tag's end; into the entry unless that is NULL. */
static bool
take_attributes(struct reader *reader, struct entry *entry, struct fault *fault)
{
	for (;;) {
		bool apart = skip_blanks(reader);
		struct span name;
		size_t size = 0;
		char *at;
		struct text text;
		if (peek(reader) == '>' || peek(reader) == '/' || peek(reader) == '?')
			return true;
		if (!apart)
			return complain(reader, "a blank is missing", fault);
		if (!take_name(reader, &name, fault))
			return false;
		skip_blanks(reader);
		if (peek(reader) != '=')
			return complain(reader, "a '=' is missing", fault);
		reader->place++;
		skip_blanks(reader);
		at = entry != NULL ? room_of(entry, name, &size) : NULL;
		if (at != NULL && at[0] != 0)
			return complain(reader, "an attribute stands there twice", fault);
		if (at != NULL)
			text = text_in(at, size);
		if (!take_value(reader, at != NULL ? &text : NULL, fault))
			return false;
	}
}

/* host:443 of a publishUrl as an SCM address; the host of older MSDeploy entries is not the site's own. */
static void
put_scm(struct profile *profile, const struct entry *entry, enum rank rank)
{
	struct text scm = text_in(profile->scm, sizeof profile->scm);
	struct span host = span_of(entry->url), user = span_of(entry->user), part = {NULL, 0};
	size_t place;
	text_put(&scm, "https://");
	if (rank == RANK_PUBLISH_HOST) {
		if (span_begins(user, "$"))
			user = span_from(user, 1);
		while (span_find(user, "__", &place)) {
			text_put_span(&scm, span_first(user, place));
			text_put_byte(&scm, '-');
			user = span_from(user, place + 2);
		}
		text_put_span(&scm, user);
		text_put(&scm, OLD_SUFFIX);
		return;
	}
	if (span_begins_nocase(host, "https://"))
		host = span_from(host, strlen("https://"));
	if (!span_cut(&host, '/', &part))
		return;
	if (part.count > 4 && span_is(span_from(part, part.count - 4), ":443"))
		part.count -= 4;
	text_put_span(&scm, part);
}

static enum rank
rank_of(const struct entry *entry)
{
	size_t place;
	if (strcmp(entry->method, "ZipDeploy") == 0)
		return RANK_ZIPDEPLOY;
	if (strcmp(entry->method, "MSDeploy") != 0)
		return RANK_NONE;
	return span_find(span_of(entry->url), ".publish.", &place) ? RANK_PUBLISH_HOST : RANK_MSDEPLOY;
}

static void
keep_entry(struct profile *profile, const struct entry *entry, enum rank *best)
{
	enum rank rank = rank_of(entry);
	if (rank <= *best || entry->url[0] == 0)
		return;
	*best = rank;
	memcpy(profile->user, entry->user, sizeof profile->user);
	memcpy(profile->password, entry->password, sizeof profile->password);
	put_scm(profile, entry, rank);
}

static bool
take_element(struct reader *reader, struct profile *profile, enum rank *best, struct fault *fault)
{
	struct entry entry;
	struct span name;
	bool is_profile, done;
	reader->place++;
	if (!take_name(reader, &name, fault))
		return false;
	if (reader->depth == 0 && (reader->had_root || !span_is(name, "publishData")))
		return complain(reader, "this is no publish profile: its root is not publishData", fault);
	reader->had_root = true;
	is_profile = reader->depth == 1 && span_is(name, "publishProfile");
	memset(&entry, 0, sizeof entry);
	done = take_attributes(reader, is_profile ? &entry : NULL, fault);
	if (done && is_profile)
		keep_entry(profile, &entry, best);
	memory_wipe(&entry, sizeof entry);
	if (!done)
		return false;
	if (peek(reader) == '/') {
		reader->place++;
		return peek(reader) == '>' ? (reader->place++, true) : complain(reader, "a '>' is missing", fault);
	}
	if (peek(reader) != '>' || reader->depth == DEPTH_MAX)
		return complain(reader, peek(reader) != '>' ? "a '>' is missing" : "elements are nested too deeply", fault);
	reader->place++;
	reader->open[reader->depth++] = name;
	return true;
}

static bool
take_end(struct reader *reader, struct fault *fault)
{
	struct span name, wanted;
	reader->place += 2;
	if (!take_name(reader, &name, fault))
		return false;
	wanted = reader->depth > 0 ? reader->open[reader->depth - 1] : (struct span){NULL, 0};
	if (name.count != wanted.count || memcmp(name.at, wanted.at, name.count) != 0)
		return complain(reader, "an element is closed that is not open", fault);
	reader->depth--;
	skip_blanks(reader);
	if (peek(reader) != '>')
		return complain(reader, "a '>' is missing", fault);
	reader->place++;
	return true;
}

/* One piece of markup, from its '<' on. */
static bool
take_markup(struct reader *reader, struct profile *profile, enum rank *best, struct fault *fault)
{
	if (span_begins(rest(reader), "<!--"))
		return skip_past(reader, "-->", "a comment has no end", fault);
	if (span_begins(rest(reader), "<?"))
		return skip_past(reader, "?>", "a processing instruction has no end", fault);
	if (span_begins(rest(reader), "<![CDATA[") && reader->depth > 0)
		return skip_past(reader, "]]>", "a CDATA section has no end", fault);
	if (span_begins(rest(reader), "<!"))
		return complain(reader, "a declaration, which publish profiles have not", fault);
	if (span_begins(rest(reader), "</"))
		return take_end(reader, fault);
	return take_element(reader, profile, best, fault);
}

static bool
take_document(struct reader *reader, struct profile *profile, enum rank *best, struct fault *fault)
{
	if (span_begins(reader->xml, "\xef\xbb\xbf"))
		reader->place = 3;
	else if (span_begins(reader->xml, "\xff\xfe") || span_begins(reader->xml, "\xfe\xff"))
		return complain(reader, "the file is in UTF-16: save it as UTF-8", fault);
	while (peek(reader) >= 0) {
		if (peek(reader) == '<') {
			if (!take_markup(reader, profile, best, fault))
				return false;
		} else if (reader->depth == 0 && !is_blank(peek(reader))) {
			return complain(reader, "this is not XML", fault);
		} else {
			reader->place++;
		}
	}
	if (reader->depth > 0 || !reader->had_root)
		return complain(reader, reader->had_root ? "the file ends too early" : "the file is empty", fault);
	return true;
}

static bool
check(const struct profile *profile, enum rank best, struct fault *fault)
{
	if (best == RANK_NONE) {
		fault_raise(fault, FAULT_USAGE, "it has no entry for ZipDeploy or MSDeploy");
		return fault_hint(fault, "download the site's publish profile anew, or give --scm and --user");
	}
	if (strcmp(profile->user, "REDACTED") == 0 || strcmp(profile->password, "REDACTED") == 0) {
		fault_raise(fault, FAULT_USAGE, "it holds no login, only REDACTED: basic authentication was switched off for the site when it was downloaded");
		return fault_hint(fault, "switch on \"SCM Basic Auth Publishing Credentials\" (configuration, general settings) and download it "
		                         "again; or leave it off and use --scm with --identity");
	}
	if (profile->user[0] == 0 || profile->password[0] == 0)
		return fault_raise(fault, FAULT_USAGE, "its entry has no user or no password");
	return true;
}

bool
profile_read(struct profile *profile, struct span xml, struct fault *fault)
{
	struct reader reader;
	enum rank best = RANK_NONE;
	memset(&reader, 0, sizeof reader);
	reader.xml = xml;
	memset(profile, 0, sizeof *profile);
	if (take_document(&reader, profile, &best, fault) && check(profile, best, fault))
		return true;
	memory_wipe(profile, sizeof *profile);
	return false;
}
