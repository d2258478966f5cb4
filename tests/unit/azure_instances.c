/* SPDX-License-Identifier: MIT */
/* The list of instances as an SCM front end gives it, and in Resource Manager's pages; links that lead elsewhere. */
#include "azure/arm.h"
#include "azure/instances.h"

#include "site_peer.h"
#include "unit.h"

#define ID "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/contoso"
#define ANSWER_MAX (64u * 1024)

struct keeper {
	struct instance_taker taker;
	size_t count, refuse_at;
	char ids[INSTANCES_MAX + 1][INSTANCE_MAX + 1], machines[INSTANCES_MAX + 1][MACHINE_MAX];
};

static struct site_peer peer;
static struct network network;
static struct login login;
static struct site site;
static struct fault fault;
static struct keeper keeper;
static char answers[3][ANSWER_MAX];

static bool
take(struct instance_taker *taker, const char *id, const char *machine, struct fault *why)
{
	struct keeper *into = (struct keeper *)taker;
	if (into->refuse_at == ++into->count)
		return fault_raise(why, FAULT_STOPPED, "enough");
	snprintf(into->ids[into->count - 1], sizeof into->ids[0], "%s", id);
	snprintf(into->machines[into->count - 1], sizeof into->machines[0], "%s", machine);
	return true;
}

static void
begin(bool by_arm)
{
	char words[128];
	struct url url;
	fault_clear(&fault);
	site_peer_open(&peer);
	login_none(&login);
	snprintf(words, sizeof words, "http://127.0.0.1:%u%s", peer.turns.port, by_arm ? ID : "");
	if (by_arm)
		CHECK(arm_parse(&url, words, &fault) && site_open_arm(&site, &network, &url, &login, NULL, &fault));
	else
		CHECK(url_parse(&url, span_of(words), &fault) && site_open(&site, &network, &url, &login, NULL, &fault));
}

static void
end(void)
{
	site_close(&site);
	turn_peer_close(&peer.turns);
}

static void
put(size_t i, const char *body)
{
	snprintf(answers[i], ANSWER_MAX, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
}

static bool
list(size_t count)
{
	struct site_answer all[3] = {{answers[0], 0}, {answers[1], 0}, {answers[2], 0}};
	memset(&keeper, 0, sizeof keeper);
	keeper.taker.take = take;
	fault_clear(&fault);
	site_peer_say(&peer, all, count);
	return instances_list(&site, &keeper.taker, &fault);
}

static bool
list_of(const char *body)
{
	put(0, body);
	return list(1);
}

static void
an_array(void)
{
	begin(false);
	CHECK(list_of("[\"aa\", \"0BC\"]") && keeper.count == 2);
	CHECK_TEXT(keeper.ids[0], "aa");
	CHECK_TEXT(keeper.ids[1], "0BC");
	CHECK_TEXT(keeper.machines[1], "");
	CHECK(strstr(peer.heads[0], "GET /instance/all HTTP/1.1\r\n") == peer.heads[0]);
	CHECK(!list_of("[]") && fault.kind == FAULT_MISSING && strstr(fault.text, "empty") != NULL);
	end();
}

static void
an_array_in_a_string(void)
{
	begin(false);
	CHECK(list_of("\"[\\\"aa\\\",\\\"bb\\\"]\"") && keeper.count == 2);
	CHECK_TEXT(keeper.ids[0], "aa");
	CHECK_TEXT(keeper.ids[1], "bb");
	CHECK(list_of("\"[\\\"aa\\\"]\"") && keeper.count == 1);
	CHECK(list_of("\"aa\"") && keeper.count == 1);
	CHECK(!list_of("\"[]\"") && fault.kind == FAULT_MISSING);
	CHECK(!list_of("\"[\\\"aa\\\",\\\"no\\\"]\"") && fault.kind == FAULT_CORRUPT);
	end();
}

static void
what_is_no_list(void)
{
	static const char *const bodies[] = {"[\"zz\"]", "[\"\"]", "[7]", "[null]", "[[\"aa\"]]", "{\"a\":1}", "7", "[\"aa\"", "\"\"",
	                                     "[\"aa\\u0000\"]", "[\"../aa\"]", "[\"aa bb\"]"};
	begin(false);
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		CHECK(!list_of(bodies[i]) && fault.kind == FAULT_CORRUPT);
		if (fault.kind != FAULT_CORRUPT)
			fprintf(stderr, "%s: %s\n", bodies[i], fault.text);
	}
	snprintf(answers[0], ANSWER_MAX, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	CHECK(!list(1) && fault.kind == FAULT_MISSING && fault.detail == 404);
	snprintf(answers[0], ANSWER_MAX, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>");
	CHECK(!list(1) && fault.kind == FAULT_DENIED);
	end();
}

static void
put_many(size_t many, size_t digits)
{
	static char body[ANSWER_MAX - 128];
	struct text text = text_in(body, sizeof body);
	for (size_t i = 0; i < many; i++)
		text_printf(&text, "%s\"%0*zx\"", i == 0 ? "[" : ",", (int)digits, i);
	text_put(&text, "]");
	put(0, body);
}

static void
bounds(void)
{
	begin(false);
	put_many(INSTANCES_MAX, INSTANCE_MAX);
	CHECK(list(1) && keeper.count == INSTANCES_MAX);
	put_many(INSTANCES_MAX + 1, INSTANCE_MAX);
	CHECK(!list(1) && fault.kind == FAULT_BOUND && keeper.count == INSTANCES_MAX);
	put_many(1, INSTANCE_MAX + 1);
	CHECK(!list(1) && fault.kind == FAULT_CORRUPT);
	memset(&keeper, 0, sizeof keeper);
	end();
}

static void
put_page(size_t i, const char *id, const char *next)
{
	char body[1024];
	snprintf(body, sizeof body, "{\"value\":[{\"name\":\"%s\",\"properties\":{\"state\":\"READY\",\"machineName\":\"M%s\"}}],\"nextLink\":%s}",
	         id, id, next);
	put(i, body);
}

static const char *
link_to(const char *path)
{
	static char room[512];
	snprintf(room, sizeof room, "\"http://127.0.0.1:%u%s\"", peer.turns.port, path);
	return room;
}

static void
pages(void)
{
	begin(true);
	put_page(0, "aa", link_to("/next?$skiptoken=1&x=%20"));
	put_page(1, "bb", link_to("/more"));
	put_page(2, "cc", "null");
	CHECK(list(3) && keeper.count == 3 && turn_peer_asked(&peer.turns) == 3);
	CHECK_TEXT(keeper.ids[2], "cc");
	CHECK_TEXT(keeper.machines[1], "Mbb");
	CHECK(strstr(peer.heads[0], "GET " ID "/instances?" ARM_API " HTTP/1.1\r\n") == peer.heads[0]);
	CHECK(strstr(peer.heads[1], "GET /next?$skiptoken=1&x=%20 HTTP/1.1\r\n") == peer.heads[1]);
	CHECK(strstr(peer.heads[2], "GET /more HTTP/1.1\r\n") == peer.heads[2]);
	put_page(0, "aa", "\"/same\"");
	CHECK(list(3) && strstr(peer.heads[1], "GET /same HTTP/1.1\r\n") == peer.heads[1]);
	put_page(0, "aa", "\"\"");
	CHECK(list(1) && keeper.count == 1);
	put_page(0, "aa", "7");
	CHECK(list(1) && keeper.count == 1);
	end();
}

static void
links_elsewhere_are_not_followed(void)
{
	static const char *const ends[] = {"0/x", ".evil.example/x", "@evil.example/x", "", "?x", "#x"};
	static const char *const others[] = {"\"https://127.0.0.1/x\"", "\"http://evil.example/x\"", "\"//evil.example/x\"", "\"x\""};
	begin(true);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		put_page(0, "aa", link_to(ends[i]));
		CHECK(!list(1) && fault.kind == FAULT_CORRUPT && strstr(fault.text, "another host") != NULL && turn_peer_asked(&peer.turns) == 1);
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		put_page(0, "aa", others[i]);
		CHECK(!list(1) && fault.kind == FAULT_CORRUPT && strstr(fault.text, "another host") != NULL && turn_peer_asked(&peer.turns) == 1);
	}
	put_page(0, "aa", link_to("/x\\r\\nHost: evil"));
	CHECK(!list(1) && fault.kind == FAULT_CORRUPT && turn_peer_asked(&peer.turns) == 1);
	put_page(0, "aa", link_to("/x y"));
	CHECK(!list(1) && fault.kind == FAULT_CORRUPT && turn_peer_asked(&peer.turns) == 1);
	end();
}

static void
pages_without_end(void)
{
	begin(true);
	put_page(0, "aa", link_to("/x"));
	CHECK(!list(1) && fault.kind == FAULT_BOUND && turn_peer_asked(&peer.turns) == 100);
	end();
}

static void
the_taker_may_refuse(void)
{
	struct site_answer one = {answers[0], 0};
	begin(false);
	put(0, "[\"aa\",\"bb\",\"cc\"]");
	memset(&keeper, 0, sizeof keeper);
	keeper.taker.take = take;
	keeper.refuse_at = 2;
	site_peer_say(&peer, &one, 1);
	CHECK(!instances_list(&site, &keeper.taker, &fault) && fault.kind == FAULT_STOPPED && keeper.count == 2);
	end();
}

static bool
search(const char *begins, struct instance_search *found)
{
	struct site_answer one = {answers[0], 0};
	begin(false);
	put(0, "[\"ab12\",\"AB12\",\"ab34\",\"cc\"]");
	site_peer_say(&peer, &one, 1);
	instance_search_open(found, begins);
	CHECK(instances_list(&site, &found->taker, &fault) && found->count == 4);
	end();
	return instance_search_is_one(found, "contoso", &fault);
}

static void
one_is_found_by_its_beginning(void)
{
	struct instance_search found;
	CHECK(search("Ab1", &found) && found.found == 1); /* listed twice */
	CHECK_TEXT(found.id, "ab12");
	CHECK(search("cc", &found));
	CHECK(!search("ab", &found) && fault.kind == FAULT_USAGE && found.found == 2);
	fault_clear(&fault);
	CHECK(!search("ccc", &found) && fault.kind == FAULT_MISSING && strstr(fault.text, "contoso has no instance ccc") != NULL);
}

int
main(void)
{
	UNIT_RUN(an_array);
	UNIT_RUN(an_array_in_a_string);
	UNIT_RUN(what_is_no_list);
	UNIT_RUN(bounds);
	UNIT_RUN(pages);
	UNIT_RUN(links_elsewhere_are_not_followed);
	UNIT_RUN(pages_without_end);
	UNIT_RUN(the_taker_may_refuse);
	UNIT_RUN(one_is_found_by_its_beginning);
	return unit_end();
}
