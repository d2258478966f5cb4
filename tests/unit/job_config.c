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
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"}],\n \"\xc3\xa4\": {\"x\": [1, {}]}}"), "f:2:2: there is no \"\xc3\xa4\" in the file; known are sites, logins, "
	           "destinations, defaults, limits, name_template");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\",\n\t\"type\":5}]}"), "f:2:9: \"type\" must be a text");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"}],\"limits\":{\"jobs\":65}}"), "f:1:51: \"jobs\" must be between 1 and 64");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"}],\"limits\":{\"jobs\":\"4\"}}"), "f:1:51: \"jobs\" must be a whole number");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\",\"to\":[\"d\",null]}],\"destinations\":{\"d\":{\"to\":\"x\"}}}"),
	           "f:1:42: \"to\" must be an array of texts");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"},3]}"), "f:1:33: \"sites\" must be an array of objects");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\",\"type\":\"\\u0000\"}]}"), "f:1:39: a text holds a NUL");
	CHECK_TEXT(mistake("[]"), "f:1:1: the file must be one JSON object");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"},{\"scm\":\"https://A.x:443\"}]}"), "f:1:40: \"scm\": a.x is listed twice");
	CHECK_TEXT(mistake("\xef\xbb\xbf{\"sites\":[],,}"), "f:1:13: here it is no longer JSON: the name of a member should begin here");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"}]}\r\n x"), "f:2:2: here it is no longer JSON: something follows behind its end");
	CHECK_TEXT(mistake("{\"sites\":[{\"scm\":\"https://a.x\"}]"), "f:1:33: here it is no longer JSON: it ends too early");
	CHECK_TEXT(mistake("\xff\xfe{"), "f:1:1: the file is UTF-16: save it as UTF-8");
}

/* A site without another mistake, and in front of it what has one. */
static const char *
mistake_with(const char *members)
{
	snprintf(made, sizeof made, "{%s,\n\"sites\":[{\"scm\":\"https://a.x\"}]}", members);
	return mistake(made);
}

static void
values_are_told_where_they_stand(void)
{
	CHECK_TEXT(mistake_with("\"defaults\":{\"type\":\"h\\u0075ge\"}"),
	           "f:1:21: \"type\" must be \"mini\", \"full\", \"triage\" or a number as text");
	CHECK_TEXT(mistake_with("\"defaults\":{\"instance\":\"one\"}"), "f:1:25: \"instance\" must be \"all\" or up to 64 hex digits");
	CHECK_TEXT(mistake_with("\"defaults\":{\"pick\":\"\"}"), "f:1:21: \"pick\" must be \"cpu\" or \"memory\"");
	CHECK_TEXT(mistake_with("\"defaults\":{\"login\":\"l\"}"), "f:1:22: there is no login \"l\"");
	CHECK_TEXT(mistake_with("\"defaults\":{\"to\":[\"d\"]}"), "f:1:20: there is no destination \"d\"");
	CHECK_TEXT(mistake_with("\n\"name_template\" : \"{what}.dmp\""), "f:2:19: --name-template: there is no field {what}");
	CHECK_TEXT(mistake_with("\"logins\":{\"l\":{\"identity\":\"vault:x\"}}"), "f:1:28: \"identity\": there is no identity \"vault:x\"");
	CHECK_TEXT(mistake_with("\"logins\":{\"l\":{\"identity\":\"file:\"}}"), "f:1:28: \"identity\": there is no identity \"file:\"");
	CHECK_TEXT(mistake_with("\"logins\":{\"l\":{\"user\":\"u\"}}"), "f:1:12: \"user\" and \"password\" belong together");
	CHECK_TEXT(mistake_with("\"destinations\":{\"d\":{\"to\":\"https://a.blob.core.windows.net/C\"}}"),
	           "f:1:28: \"to\": 'C' cannot be the name of a container");
	CHECK_TEXT(mistake_with("\"destinations\":{\"d\":{\"to\":\"ftp://a\"}}"), "f:1:28: \"to\": the URL begins with neither https:// nor http://");
	CHECK_TEXT(mistake_with("\"destinations\":{\"d\":{\"to\":\"x\",\"key\":\"env:K\"}}"), "f:1:28: \"to\" is a folder, which wants neither \"sas\" nor \"key\"");
	CHECK_TEXT(mistake_with("\"destinations\":{\"d\":{\"to\":\"https://a.blob.x/ccc\",\"key\":\"env:K\",\"sas\":\"env:S\"}}"),
	           "f:1:18: a destination has one of \"sas\" and \"key\"");
	CHECK_TEXT(mistake_with("\"destinations\":{\"d\":{\"to\":\"\"}}"), "f:1:18: a destination needs \"to\", a folder or the address of a container");
	CHECK_TEXT(mistake("{\"sites\":[{\"arm\":\"/x\"}]}"), "f:1:18: \"arm\": that is no resource id of a site");
	CHECK_TEXT(mistake("{\"sites\":[{\"arm\":\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/x\"},\n"
	                   "{\"arm\":\"/subscriptions/S/resourceGroups/g/providers/Microsoft.Web/sites/X\"}]}"),
	           "f:2:8: \"arm\": /subscriptions/S/resourceGroups/g/providers/Microsoft.Web/sites/X is listed twice");
}

/* Texts stand as far in as in the file: one may not run into the next. */
static void
texts_keep_apart(void)
{
	CHECK(reads("{\"sites\":[{\"scm\":\"https://a.x\",\"processes\":[\"\",\"a\",\"\\uD800\",\"\\n\",\"b\"]}]}"));
	CHECK_TEXT(config.sites[0].processes.at[0], "");
	CHECK_TEXT(config.sites[0].processes.at[1], "a");
	CHECK_TEXT(config.sites[0].processes.at[2], "\xef\xbf\xbd");
	CHECK_TEXT(config.sites[0].processes.at[3], "\n");
	CHECK_TEXT(config.sites[0].processes.at[4], "b");
	CHECK(config_where(&config, config.sites[0].scm) == 17);
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
	CHECK_TEXT(config.mistakes[CONFIG_MISTAKES - 1].text, "f:1:153: there is no \"k19\" in the file; known are sites, logins, "
	           "destinations, defaults, limits, name_template");
}

static void
secrets_are_named_and_never_quoted(void)
{
	static const char *const literal[] = {"hunter2", "env", "http://vault", "vault:http://x", "", "env:", "file:", "vault:https://"};
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
	UNIT_RUN(values_are_told_where_they_stand);
	UNIT_RUN(texts_keep_apart);
	UNIT_RUN(limits_hold);
	UNIT_RUN(secrets_are_named_and_never_quoted);
	UNIT_RUN(secrets_are_fetched);
	return unit_end();
}
