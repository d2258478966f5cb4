/* SPDX-License-Identifier: MIT */
#include "azure/instances.h"

#include "azure/arm.h"

#include <stdio.h>
#include <string.h>

#define PAGES_MAX 100

static bool
take(struct instance_taker *taker, const char *id, const char *machine, size_t *count, struct fault *fault)
{
	if (!site_is_instance_id(id))
		return fault_raise(fault, FAULT_CORRUPT, "the list of instances holds what is no instance id");
	if (++*count > INSTANCES_MAX)
		return fault_raise(fault, FAULT_BOUND, "there are more than %d instances", INSTANCES_MAX);
	return taker->take(taker, id, machine, fault);
}

/* Some front ends send the array as the text of one string. */
static bool
take_inner(struct instance_taker *taker, const char *words, size_t *count, struct fault *fault)
{
	struct span rest = span_of(words), part;
	char id[INSTANCE_MAX + 2];
	for (bool inside = false; span_cut(&rest, '"', &part); inside = !inside)
		if (inside && (!text_keep(id, sizeof id, part) || !take(taker, id, "", count, fault)))
			return fault_raise(fault, FAULT_CORRUPT, "the list of instances holds what is no instance id");
	return true;
}

static bool
by_scm(struct site *site, struct instance_taker *taker, size_t *count, struct fault *fault)
{
	static const char *const wanted[] = {""};
	char words[JSON_READ];
	bool more;
	if (!site_get_json(site, "/instance/all", wanted, 1, fault))
		return false;
	for (;;) {
		if (!json_next(&site->json, &more, fault))
			return false;
		if (!more)
			return true;
		if (!json_get_text(&site->json, 0, words, sizeof words))
			return fault_raise(fault, FAULT_CORRUPT, "the list of instances is none");
		if (words[0] == '[' ? !take_inner(taker, words, count, fault) : !take(taker, words, "", count, fault))
			return false;
	}
}

static bool
read_page(struct site *site, const char *target, struct instance_taker *taker, size_t *count, char *next, size_t size,
          struct fault *fault)
{
	static const char *const wanted[] = {"name", "properties/machineName", "nextLink"};
	char id[INSTANCE_MAX + 2], machine[MACHINE_MAX];
	bool more;
	if (!site_get_json(site, target, wanted, 3, fault))
		return false;
	for (;;) {
		if (!json_next(&site->json, &more, fault))
			return false;
		if (!more)
			break;
		if (!json_get_text(&site->json, 0, id, sizeof id))
			id[0] = 0;
		if (!json_get_text(&site->json, 1, machine, sizeof machine))
			machine[0] = 0;
		if (!take(taker, id, machine, count, fault))
			return false;
	}
	if (!json_get_text(&site->json, 2, next, size))
		next[0] = 0;
	return true;
}

/* The next page's target; a link to another host would send our token there. ARM likes to write the port, even 443. */
static bool
follow(struct site *site, const char *link, char *target, size_t size, struct fault *fault)
{
	const struct url *to = &site->client.origin;
	const char *port = to->secure ? ":443/" : ":80/";
	char room[HOST_MAX + 32];
	struct text origin = text_in(room, sizeof room);
	struct span rest = span_of(link);
	text_put(&origin, to->secure ? "https://" : "http://");
	url_put_host(&origin, to);
	if (span_begins_nocase(rest, room))
		rest = span_from(rest, origin.used);
	if (to->port == (to->secure ? 443 : 80) && span_begins(rest, port))
		rest = span_from(rest, strlen(port) - 1);
	if (!span_begins(rest, "/") || span_begins(rest, "//"))
		return fault_raise(fault, FAULT_CORRUPT, "the next page of instances is said to be at another host: not followed");
	for (size_t i = 0; i < rest.count; i++)
		if (rest.at[i] <= 0x20 || rest.at[i] >= 0x7f)
			return fault_raise(fault, FAULT_CORRUPT, "the address of the next page of instances is none");
	return text_keep(target, size, rest) || fault_raise(fault, FAULT_BOUND, "the address of the next page of instances is too long");
}

static bool
by_arm(struct site *site, struct instance_taker *taker, size_t *count, struct fault *fault)
{
	char target[2048];
	char *link = site->said; /* which nothing needs between two good answers */
	struct text text = text_in(target, sizeof target);
	text_printf(&text, "%s/instances?" ARM_API, site->client.origin.path);
	for (unsigned page = 0; page < PAGES_MAX; page++) {
		if (!read_page(site, target, taker, count, link, sizeof site->said, fault))
			return false;
		site_done(site);
		if (link[0] == 0)
			return true;
		if (!follow(site, link, target, sizeof target, fault))
			return false;
	}
	return fault_raise(fault, FAULT_BOUND, "the list of instances has more than %d pages", PAGES_MAX);
}

bool
instances_list(struct site *site, struct instance_taker *taker, struct fault *fault)
{
	size_t count = 0;
	bool done = site->by_arm ? by_arm(site, taker, &count, fault) : by_scm(site, taker, &count, fault);
	site_done(site);
	if (done && count == 0)
		fault_raise(fault, FAULT_MISSING, "the list of instances is empty");
	return fault->kind == FAULT_NONE || fault_while(fault, "listing the instances of %s", site->name);
}

static bool
note_found(struct instance_taker *taker, const char *id, const char *machine, struct fault *fault)
{
	struct instance_search *search = (struct instance_search *)taker;
	(void)fault;
	search->count++;
	if (search->begins == NULL || !span_begins_nocase(span_of(id), search->begins) ||
	    (search->found > 0 && span_is_nocase(span_of(id), search->id)))
		return true;
	if (search->found++ > 0)
		return true;
	snprintf(search->id, sizeof search->id, "%s", id);
	snprintf(search->machine, sizeof search->machine, "%s", machine);
	return true;
}

void
instance_search_open(struct instance_search *search, const char *begins)
{
	memset(search, 0, sizeof *search);
	search->taker.take = note_found;
	search->begins = begins;
}

bool
instance_search_is_one(const struct instance_search *search, const char *site, struct fault *fault)
{
	if (search->found == 1)
		return true;
	if (search->found > 1)
		return fault_raise(fault, FAULT_USAGE, "%zu instances of %s have an id that begins with %s", search->found, site,
		                   search->begins);
	fault_raise(fault, FAULT_MISSING, "%s has no instance %s", site, search->begins);
	return fault_hint(fault, "see kudump ps --instance all");
}
