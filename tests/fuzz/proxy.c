/* SPDX-License-Identifier: MIT */
/* Settings of proxies, a line each: the proxy's URL, NO_PROXY, an origin. */
#include "http/proxy.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_url(struct span words)
{
	static struct proxy proxy, again;
	char room[HOST_MAX + 16];
	struct text text = text_in(room, sizeof room);
	struct fault fault;
	fault_clear(&fault);
	if (!proxy_parse(&proxy, words, true, &fault)) {
		assert(fault.kind == FAULT_USAGE || fault.kind == FAULT_BOUND);
		return;
	}
	assert(proxy.at.port != 0 && strspn(proxy.authorization, "Basic ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
	                                 strlen(proxy.authorization));
	proxy_put(&text, &proxy);
	assert(!text.cut && proxy_parse(&again, text_span(&text), false, &fault));
	assert(url_same_origin(&proxy.at, &again.at) && again.authorization[0] == 0);
	if (proxy.authorization[0] != 0)
		assert(!proxy_parse(&again, words, false, &fault));
}

static void
check_list(struct span list, struct span origin)
{
	static struct url url;
	static char room[1 << 16];
	struct text text = text_in(room, sizeof room);
	struct fault fault;
	fault_clear(&fault);
	if (memchr(list.at, 0, list.count) != NULL || list.count + HOST_MAX + 2 > sizeof room || !url_parse(&url, origin, &fault))
		return;
	text_put_span(&text, list);
	(void)proxy_is_bypassed(room, &url);
	text_printf(&text, " %s", url.host);
	assert(proxy_is_bypassed(room, &url));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {data, size}, line[3];
	for (size_t i = 0; i < 3; i++)
		if (!span_cut(&rest, '\n', &line[i]))
			return 0;
	check_url(line[0]);
	check_list(line[1], line[2]);
	return 0;
}
