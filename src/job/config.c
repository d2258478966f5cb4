/* SPDX-License-Identifier: MIT */
#include "job/config.h"

#include "base/file.h"
#include "base/json_value.h"
#include "job/config_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"

size_t
config_need(void)
{
	return 2 * memory_need(CONFIG_BYTES_MAX, 64);
}

size_t
config_where(const struct config *config, const char *text)
{
	return (size_t)(text - config->words);
}

/* Columns as editors count them: characters, and no byte order mark. */
bool
config_place(const struct config *config, size_t place, struct fault *fault)
{
	size_t line = 1, column = 1;
	for (size_t i = span_begins(config->whole, BOM) ? strlen(BOM) : 0; i < place && i < config->whole.count; i++) {
		column = config->whole.at[i] == '\n' ? 1 : column + ((config->whole.at[i] & 0xc0) != 0x80);
		line += config->whole.at[i] == '\n';
	}
	return fault_while(fault, "%s:%zu:%zu", config->path, line, column);
}

void
config_mistake(struct config *config, size_t place, const char *format, ...)
{
	char words[FAULT_TEXT_MAX];
	va_list list;
	if (config->mistake_count++ >= CONFIG_MISTAKES)
		return;
	va_start(list, format);
	vsnprintf(words, sizeof words, format, list);
	va_end(list);
	fault_raise(&config->mistakes[config->mistake_count - 1], FAULT_USAGE, "%s", words);
	config_place(config, place, &config->mistakes[config->mistake_count - 1]);
}

/* --- tokens */

struct token {
	enum json_event event; /* OPENED, CLOSED, KEY_ENDED, VALUE_ENDED, MORE: the end, REFUSED */
	size_t place;          /* of its first byte */
	struct span raw;       /* of a key without quotes, of a value with them */
};

static size_t
place_of(const struct config *config)
{
	return config->whole.count - config->rest.count;
}

static struct token
next_token(struct config *config)
{
	struct token token = {SCAN_MORE, 0, {NULL, 0}};
	for (;;) {
		token.event = json_scan_next(&config->scan, &config->rest);
		if (token.event == SCAN_KEY_BEGAN || token.event == SCAN_VALUE_BEGAN) {
			token.place = place_of(config) - 1;
			continue;
		}
		break;
	}
	if (token.event == SCAN_OPENED || token.event == SCAN_CLOSED)
		token.place = place_of(config) - 1;
	else if (token.event == SCAN_KEY_ENDED)
		token.raw = span_first(span_from(config->whole, token.place + 1), place_of(config) - token.place - 2);
	else if (token.event == SCAN_VALUE_ENDED)
		token.raw = span_first(span_from(config->whole, token.place), place_of(config) - token.place);
	return token;
}

/* The text of a string's inside; NULL, and a mistake, when it holds a NUL. It is never longer than what stands in the file,
 * and the two quotes leave room for its NUL. */
static const char *
keep(struct config *config, const struct token *token, struct span inside)
{
	struct text text = text_in(config->words + token->place, inside.count + 2);
	json_unescape(&text, inside);
	if (strlen(text.at) == text.used)
		return text.at;
	config_mistake(config, token->place, "a text holds a NUL");
	return NULL;
}

static bool
is_string(const struct token *token)
{
	return token->event == SCAN_VALUE_ENDED && token->raw.at[0] == '"';
}

static const char *
text_of(struct config *config, const struct token *token)
{
	return keep(config, token, span_first(span_from(token->raw, 1), token->raw.count - 2));
}

/* --- values by their rules */

static bool
skip(struct config *config, const struct token *first)
{
	unsigned depth = config->scan.depth;
	if (first->event != SCAN_OPENED)
		return first->event == SCAN_VALUE_ENDED;
	for (;;) {
		struct token token = next_token(config);
		if (token.event == SCAN_REFUSED || token.event == SCAN_MORE)
			return false;
		if (token.event == SCAN_CLOSED && config->scan.depth < depth)
			return true;
	}
}

/* A value of another kind than its rule wants. False only when the text breaks off. */
static bool
wrong(struct config *config, const struct token *token, const char *name, const char *wanted)
{
	if (token->event == SCAN_REFUSED || token->event == SCAN_MORE)
		return false;
	config_mistake(config, token->place, "\"%s\" must be %s", name, wanted);
	return skip(config, token);
}

static bool
opens(const struct config *config, const struct token *token, bool object)
{
	return token->event == SCAN_OPENED && json_scan_in_object(&config->scan) == object;
}

static bool
read_words(struct config *config, const struct config_rule *rule, struct config_words *words, const struct token *token)
{
	if (!opens(config, token, false))
		return wrong(config, token, rule->name, "an array of texts");
	words->count = 0;
	for (;;) {
		struct token item = next_token(config);
		if (item.event == SCAN_CLOSED)
			return true;
		if (!is_string(&item)) {
			if (!wrong(config, &item, rule->name, "an array of texts"))
				return false;
		} else if (words->count == CONFIG_NAMES) {
			config_mistake(config, item.place, "\"%s\" has more than %d texts", rule->name, CONFIG_NAMES);
		} else {
			words->at[words->count++] = text_of(config, &item);
		}
	}
}

static bool
read_number(struct config *config, const struct config_rule *rule, uint64_t *number, const struct token *token)
{
	bool bytes = rule->kind == RULE_BYTES;
	struct span words = token->raw;
	if (bytes && is_string(token))
		words = span_first(span_from(words, 1), words.count - 2);
	if (token->event != SCAN_VALUE_ENDED || !(bytes ? span_bytes(words, number) : span_decimal(words, number)))
		return wrong(config, token, rule->name, bytes ? "a size such as \"4M\"" : "a whole number");
	if (*number < rule->least || *number > rule->most)
		config_mistake(config, token->place, "\"%s\" must be between %llu and %llu", rule->name,
		               (unsigned long long)rule->least, (unsigned long long)rule->most);
	return true;
}

static bool read_object(struct config *, const struct config_rule *, const char *what, void *base);

static bool
read_value(struct config *config, const struct config_rule *rule, void *base, const struct token *token)
{
	static const bool yes = true, no = false;
	void *at = (char *)base + rule->place;
	switch (rule->kind) {
	case RULE_TEXT:
		if (!is_string(token))
			return wrong(config, token, rule->name, "a text");
		*(const char **)at = text_of(config, token);
		return true;
	case RULE_FLAG:
		if (!span_is(token->raw, "true") && !span_is(token->raw, "false"))
			return wrong(config, token, rule->name, "true or false");
		*(const bool **)at = span_is(token->raw, "true") ? &yes : &no;
		return true;
	case RULE_WORDS:
		return read_words(config, rule, at, token);
	case RULE_COUNT:
	case RULE_BYTES:
		return read_number(config, rule, at, token);
	case RULE_OBJECT:
		return opens(config, token, true) ? read_object(config, rule->inside, rule->name, at)
		                                  : wrong(config, token, rule->name, "an object");
	case RULE_OBJECTS:
	case RULE_NAMED:
		break;
	}
	return false;
}

/* The next row of a table that a rule fills; NULL when it is full. */
static void *
add_row(struct config *config, const struct config_rule *rule, size_t place)
{
	size_t *count = (void *)((char *)config + rule->count_place);
	char *row = (char *)config + rule->place + *count * rule->size;
	if (*count == rule->most) {
		config_mistake(config, place, "\"%s\" has more than %llu entries", rule->name, (unsigned long long)rule->most);
		return NULL;
	}
	++*count;
	*(size_t *)(void *)(row + rule->row_place) = place;
	return row;
}

static bool
read_rows(struct config *config, const struct config_rule *rule, const struct token *token)
{
	bool named = rule->kind == RULE_NAMED;
	if (!opens(config, token, named))
		return wrong(config, token, rule->name, named ? "an object of objects" : "an array of objects");
	for (;;) {
		struct token item = next_token(config);
		const char *name = NULL;
		size_t place = item.place;
		void *row;
		if (item.event == SCAN_CLOSED)
			return true;
		if (item.event == SCAN_KEY_ENDED) {
			name = keep(config, &item, item.raw);
			item = next_token(config);
		}
		if (!opens(config, &item, true)) {
			if (!wrong(config, &item, rule->name, named ? "an object of objects" : "an array of objects"))
				return false;
			continue;
		}
		row = add_row(config, rule, place);
		if (row == NULL ? !skip(config, &item) : !read_object(config, rule->inside, rule->name, row))
			return false;
		if (row != NULL && named)
			config_name_row(config, rule, row, name);
	}
}

static void
unknown(struct config *config, const struct token *key, const char *name, const struct config_rule *rules, const char *what)
{
	char room[160];
	struct text known = text_in(room, sizeof room);
	for (const struct config_rule *rule = rules; rule->name != NULL; rule++)
		text_printf(&known, "%s%s", rule == rules ? "" : ", ", rule->name);
	config_mistake(config, key->place, "there is no \"%s\" in %s; known are %s", name, what, room);
}

/* Behind the '{'. */
static bool
read_object(struct config *config, const struct config_rule *rules, const char *what, void *base)
{
	uint32_t seen = 0;
	for (;;) {
		struct token key = next_token(config), value;
		const struct config_rule *rule = rules;
		char name[64];
		if (key.event != SCAN_KEY_ENDED)
			return key.event == SCAN_CLOSED;
		if (!text_keep(name, sizeof name, key.raw))
			memcpy(name, "…", sizeof "…");
		while (rule->name != NULL && strcmp(rule->name, name) != 0)
			rule++;
		value = next_token(config);
		if (rule->name == NULL) {
			unknown(config, &key, name, rules, what);
			if (!skip(config, &value))
				return false;
			continue;
		}
		if (seen >> (rule - rules) & 1)
			config_mistake(config, key.place, "\"%s\" is given twice", name);
		seen |= 1u << (rule - rules);
		if (rule->kind == RULE_OBJECTS || rule->kind == RULE_NAMED ? !read_rows(config, rule, &value)
		                                                           : !read_value(config, rule, base, &value))
			return false;
	}
}

/* What editors and shells of Windows write unasked. */
static bool
is_utf16(struct span text)
{
	return span_begins(text, "\xff\xfe") || span_begins(text, "\xfe\xff") || (text.count > 1 && text.at[0] != 0 && text.at[1] == 0);
}

/* False when it breaks off: then what else is wrong with it cannot be told. */
static bool
read_all(struct config *config)
{
	struct token token = next_token(config);
	bool done = opens(config, &token, true);
	size_t place;
	if (is_utf16(config->whole)) {
		config_mistake(config, 0, "the file is UTF-16: save it as UTF-8");
		return false;
	}
	if (!done && token.event != SCAN_REFUSED) {
		config_mistake(config, token.place, "the file must be one JSON object");
		return false;
	}
	done = done && read_object(config, config_rules, "the file", config);
	if (done && next_token(config).event == SCAN_MORE && json_scan_end(&config->scan) == SCAN_MORE)
		return true;
	place = place_of(config) - (config->scan.refusal != NULL); /* the byte that offends was taken */
	if (config->scan.refusal == NULL && config->rest.count == 0)
		json_scan_end(&config->scan);
	config_mistake(config, place, "here it is no longer JSON%s%s", config->scan.refusal != NULL ? ": " : "",
	               config->scan.refusal != NULL ? config->scan.refusal : "");
	return false;
}

bool
config_read_text(struct config *config, const char *path, struct span text, char *words, struct fault *fault)
{
	memset(config, 0, sizeof *config);
	config->path = path;
	config->whole = config->rest = text;
	config->words = words;
	json_scan_open(&config->scan);
	if (read_all(config))
		config_check(config);
	if (config->mistake_count == 0)
		return true;
	fault_raise(fault, FAULT_USAGE, "%s has %zu mistake%s: nothing was started", path, config->mistake_count,
	            config->mistake_count == 1 ? "" : "s");
	return fault_hint(fault, "docs/config.md has an example");
}

bool
config_read(struct config *config, struct memory *memory, const char *path, struct fault *fault)
{
	unsigned char *room = memory_take(memory, CONFIG_BYTES_MAX, 64);
	char *words = memory_take(memory, CONFIG_BYTES_MAX, 64);
	size_t count;
	if (!file_read_whole(path, room, CONFIG_BYTES_MAX, &count, fault)) {
		if (fault->kind == FAULT_SYSTEM || fault->kind == FAULT_BOUND)
			fault->kind = FAULT_USAGE; /* a folder, or far too long: the wrong file is named */
		return fault_while(fault, "--config");
	}
	return config_read_text(config, path, (struct span){room, count}, words, fault);
}

bool
config_find_login(const struct config *config, const char *name, size_t *index)
{
	for (*index = 0; *index < config->login_count; ++*index)
		if (config->logins[*index].name != NULL && strcmp(config->logins[*index].name, name) == 0)
			return true;
	return false;
}

bool
config_find_destination(const struct config *config, const char *name, size_t *index)
{
	for (*index = 0; *index < config->destination_count; ++*index)
		if (config->destinations[*index].name != NULL && strcmp(config->destinations[*index].name, name) == 0)
			return true;
	return false;
}
