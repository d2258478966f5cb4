/* SPDX-License-Identifier: MIT */
#include "job/config.h"
#include "job/secret.h"

#include "unit.h"

static struct config config;
static struct fault fault;
static char words[200000], made[200000];

static bool
reads(const char *text)
{
	fault_clear(&fault);
	return config_read_text(&config, "f", span_of(text), words, &fault);
}

/* The only mistake of a text. */
static const char *
mistake(const char *text)
{
	CHECK(!reads(text) && fault.kind == FAULT_USAGE);
	CHECK(config.mistake_count == 1);
	return config.mistakes[0].text;
}

static void
what_it_says_is_taken(void)
{
	CHECK(reads("\xef\xbb\xbf{\"defaults\":{\"type\":\"full\",\"to\":[\"d\"],\"children\":true},\"sites\":[{\"scm\":\"https://A.scm.x\","
	            "\"processes\":[\"dotnet\",\"n\\u00f6de\"],\"children\":false},{\"scm\":\"https://b.scm.x\",\"type\":\"0\",\"instance\":\"AF09\"}],"
	            "\"destinations\":{\"d\":{\"to\":\"x y\"}},\"limits\":{\"block_size\":\"2M\",\"memory\":1048576,\"jobs\":64}}"));
	CHECK(config.site_count == 2 && config.destination_count == 1 && config.limits.block_bytes == 2 * MIB);
	CHECK(config.limits.memory_bytes == MIB && config.limits.jobs == 64 && config.limits.lanes == 0);
	CHECK_TEXT(config.sites[0].type, "full");
	CHECK_TEXT(config.sites[1].type, "0");
	CHECK_TEXT(config.sites[0].processes.at[1], "n\xc3\xb6" "de");
	CHECK(!*config.sites[0].children && *config.sites[1].children);
	CHECK(config.sites[1].to.count == 1 && config.sites[1].processes.count == 0);
}

static void
places_are_lines_and_columns(void)
{
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"}],\n \"\xc3\xa4\": {\"x\": [1, {}]}}"), "f:2:2: there is no \"\xc3\xa4\" in the file");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\",\n\t\"type\":5}]}"), "f:2:9: \"type\" must be a text");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"}],\"limits\":{\"jobs\":65}}"), "f:1:51: \"jobs\" must be between 1 and 64");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"}],\"limits\":{\"jobs\":\"4\"}}"), "f:1:51: \"jobs\" must be a whole number");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\",\"to\":[\"d\",null]}],\"destinations\":{\"d\":{\"to\":\"x\"}}}"),
	           "f:1:42: \"to\" must be an array of texts");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"},3]}"), "f:1:33: \"sites\" must be an array of objects");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\",\"type\":\"\\u0000\"}]}"), "f:1:39: a text holds a NUL");
	CHECK_TEXT(mistake("[]"), "f:1:1: the file must be one JSON object");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"},{\"scm\":\"https://A.x:443\"}]}"), "f:1:33: \"scm\": a.x is listed twice");
}

static void
limits_hold(void)
{
	struct text text = text_in(made, sizeof made);
	for (int count = SITES_MAX; count <= SITES_MAX + 1; count++) {
		text_reset(&text);
		text_put(&text, "{\"sites\":[");
		for (int i = 0; i < count; i++)
			text_printf(&text, "%s{\"scm\":\"https://s%d.x\"}", i > 0 ? "," : "", i);
		text_put(&text, "]}");
		CHECK(reads(made) == (count == SITES_MAX));
	}
	text_reset(&text);
	text_put(&text, "{");
	for (int i = 0; i < 1000; i++)
		text_printf(&text, "\"k%d\":%d,", i, i);
	text_put(&text, "\"sites\":[{\"scm\":\"https://a.x\"}]}");
	CHECK(!reads(made) && config.mistake_count == 1000 && strstr(fault.text, "1000 mistakes") != NULL);
	CHECK_TEXT(config.mistakes[CONFIG_MISTAKES - 1].text, "f:1:153: there is no \"k19\" in the file");
}

static void
secrets_are_named_and_never_quoted(void)
{
	static const char *const literal[] = {"hunter2", "env", "http://vault", "vault:http://x", ""};
	for (size_t i = 0; i < sizeof literal / sizeof literal[0]; i++) {
		char text[200];
		snprintf(text, sizeof text, "{\"sites\":[{\"scm\":\"https://a.x\"}],\"logins\":{\"l\":{\"token\":\"%s\"}}}", literal[i]);
		CHECK(strstr(mistake(text), "must not stand in it") != NULL && strstr(config.mistakes[0].text, "hunter2") == NULL);
	}
	CHECK(secret_is_reference("env:A") && secret_is_reference("file:/x") && secret_is_reference("vault:https://x"));
}

static bool
open_vault(void *state, const char *url, char *room, size_t size, struct fault *why)
{
	(void)why;
	snprintf(room, size, "%s of %s", (const char *)state, url);
	return true;
}

static void
secrets_are_fetched(void)
{
	struct secret_means none = {NULL, NULL}, vault = {open_vault, (void *)"secret"};
	char room[40];
	fault_clear(&fault);
	setenv("KUDUMP_UNIT_SECRET", "s", 1);
	CHECK(secret_read("env:KUDUMP_UNIT_SECRET", &none, room, sizeof room, &fault));
	CHECK_TEXT(room, "s");
	CHECK(secret_read("vault:https://v", &vault, room, sizeof room, &fault));
	CHECK_TEXT(room, "secret of https://v");
	CHECK(!secret_read("vault:https://v", &none, room, sizeof room, &fault) && fault.kind == FAULT_UNABLE);
	fault_clear(&fault);
	CHECK(!secret_read("env:KUDUMP_UNIT_NONE", &none, room, sizeof room, &fault) && fault.kind == FAULT_USAGE);
	fault_clear(&fault);
	CHECK(!secret_read("file:/nowhere/at/all", &none, room, sizeof room, &fault) && fault.kind == FAULT_MISSING);
	fault_clear(&fault);
	CHECK(!secret_read("env:KUDUMP_UNIT_SECRET", &none, room, 1, &fault) && fault.kind == FAULT_BOUND);
}

int
main(void)
{
	UNIT_RUN(what_it_says_is_taken);
	UNIT_RUN(places_are_lines_and_columns);
	UNIT_RUN(limits_hold);
	UNIT_RUN(secrets_are_named_and_never_quoted);
	UNIT_RUN(secrets_are_fetched);
	return unit_end();
}
