/* SPDX-License-Identifier: MIT */
#include "azure/arm.h"

#include <stdio.h>
#include <string.h>

static const char *const shape[] = {"subscriptions", NULL, "resourceGroups", NULL, "providers", "Microsoft.Web",
                                    "sites", NULL, "slots", NULL};

#define PARTS (sizeof shape / sizeof shape[0])

/* Part n of the path, from 0; false when it has no such part. */
static bool
part_of(const struct url *url, size_t n, struct span *part)
{
	struct span rest = span_from(span_of(url->path), 1);
	for (size_t i = 0; span_cut(&rest, '/', part); i++)
		if (i == n)
			return true;
	return false;
}

static bool
has_shape(const struct url *url)
{
	struct span part;
	size_t n = 0;
	for (; part_of(url, n, &part); n++)
		if (n == PARTS || part.count == 0 || (shape[n] != NULL && !span_is_nocase(part, shape[n])))
			return false;
	return (n == PARTS || n == PARTS - 2) && url->query[0] == 0 && url->path[strlen(url->path) - 1] != '/';
}

bool
arm_parse(struct url *url, const char *words, struct fault *fault)
{
	char room[1024];
	struct text text = text_in(room, sizeof room);
	text_printf(&text, "%s%s", words[0] == '/' ? "https://management.azure.com" : "", words);
	if (text.cut)
		return fault_raise(fault, FAULT_USAGE, "the resource id is too long");
	if (!url_parse(url, text_span(&text), fault))
		return false;
	if (has_shape(url))
		return true;
	fault_raise(fault, FAULT_USAGE, "that is no resource id of a site");
	return fault_hint(fault, "as the portal shows it under Properties: "
	                         "/subscriptions/…/resourceGroups/…/providers/Microsoft.Web/sites/NAME");
}

void
arm_name(const struct url *url, char *room, size_t size)
{
	struct span name = {NULL, 0}, slot = {NULL, 0};
	if (!part_of(url, 7, &name) || !part_of(url, 9, &slot))
		slot.count = 0;
	snprintf(room, size, "%.*s%s%.*s", (int)name.count, (const char *)name.at, slot.count > 0 ? "-" : "",
	         (int)slot.count, slot.count > 0 ? (const char *)slot.at : "");
}

/* "message" of ARM's error object. */
static void
shorten(char *said)
{
	static const char key[] = "\"message\":";
	char *from = strstr(said, key), *to = NULL;
	if (from != NULL)
		from += strlen(key) + strspn(from + strlen(key), " \r\n\t");
	if (from != NULL && *from == '"')
		to = strchr(++from, '"');
	if (to == NULL) {
		said[0] = 0;
		return;
	}
	*to = 0;
	memmove(said, from, strlen(from) + 1);
}

void
arm_refuse(struct site *site, int status, struct fault *fault)
{
	shorten(site->said);
	if (site->login->kind == LOGIN_NONE) {
		fault_raise(fault, FAULT_DENIED, "Azure Resource Manager wants a login (HTTP %d)", status);
		fault_hint(fault, "give --identity");
	} else if (status == 401 || status == 403) {
		fault_raise(fault, FAULT_DENIED, "Azure Resource Manager refused (HTTP %d)%s%.160s", status,
		            site->said[0] != 0 ? ": " : "", site->said);
		fault_hint(fault, "the token must be for Azure Resource Manager; Reader may list, a dump needs the role "
		                  "Website Contributor or Contributor");
	} else if (status == 404) {
		fault_raise(fault, FAULT_MISSING, "not found (HTTP 404)%s%.200s", site->said[0] != 0 ? ": " : "", site->said);
		fault_hint(fault, "compare the resource id with the portal's, and an --instance with kudump ps --instance all");
	} else if (status == 429) {
		fault_raise(fault, FAULT_BUSY, "Azure Resource Manager asks for fewer requests (HTTP 429)");
		fault_hint(fault, "wait a minute, or take fewer --jobs");
	} else if (status == 504) {
		fault_raise(fault, FAULT_TIMEOUT, "Azure Resource Manager gave up waiting (HTTP 504)");
		fault_hint(fault, "it waits for a minute or two only: a large dump needs the SCM site (--scm)");
	} else {
		fault_raise(fault, FAULT_NETWORK, "Azure Resource Manager failed with HTTP %d%s%.200s", status,
		            site->said[0] != 0 ? ": " : "", site->said);
	}
}
