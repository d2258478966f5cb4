/* SPDX-License-Identifier: MIT */
/* URLs: one that is taken can be put together and taken again, and is the same. */
#include "http/url.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct url url, again;
	static char room[3 * URL_MAX];
	struct text text = text_in(room, sizeof room);
	struct fault fault;
	struct span value;
	fault_clear(&fault);
	if (!url_parse(&url, (struct span){data, size}, &fault)) {
		assert(fault.kind == FAULT_USAGE || fault.kind == FAULT_BOUND);
		return 0;
	}
	assert(url.host[0] != 0 && url.path[0] == '/' && url.port != 0);
	for (const char *at = url.path; *at != 0; at++)
		assert(*at > ' ' && *at < 0x7f);
	(void)url_query_find(span_of(url.query), "sig", &value);
	url_put(&text, &url);
	if (url.query[0] != 0)
		text_printf(&text, "?%s", url.query);
	assert(!text.cut && url_parse(&again, text_span(&text), &fault));
	assert(url_same_origin(&url, &again) && strcmp(url.path, again.path) == 0 && strcmp(url.query, again.query) == 0);
	return 0;
}
