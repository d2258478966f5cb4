/* SPDX-License-Identifier: MIT */
/* Response heads: the first byte says whether it answers HEAD, the rest are bytes as a server might send them. */
#include "http/head.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rest of the program builds upon. */
static void
check(const struct http_head *head, struct span bytes, bool head_request)
{
	struct span value;
	assert(http_head_begins(bytes) && head->status >= 100 && head->status <= 999 && head->minor >= 0 && head->minor <= 9);
	assert(head->lines.at >= bytes.at && head->lines.count <= bytes.count);
	assert(head->framing == HTTP_EMPTY || !head_request);
	assert(head->framing != HTTP_CHUNKED || !http_head_find(head, "content-length", 0, &value));
	assert(head->framing != HTTP_UNTIL_CLOSE || !head->keep_alive);
	assert(head->length <= INT64_MAX);
	for (size_t n = 0; http_head_find(head, "set-cookie", n, &value); n++)
		for (size_t i = 0; i < value.count; i++)
			assert(value.at[i] != 0 && value.at[i] != '\r' && value.at[i] != '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head head;
	struct fault fault;
	bool head_request;
	struct span bytes;
	size_t end;
	if (size == 0)
		return 0;
	head_request = data[0] == 'H';
	bytes = (struct span){data + 1, size - 1};
	end = http_head_end(bytes);
	assert(end <= bytes.count);
	for (int whole = 0; whole < 2; whole++) {
		struct span part = whole ? bytes : span_first(bytes, end);
		fault_clear(&fault);
		if (http_head_parse(&head, part, head_request, &fault))
			check(&head, part, head_request);
		else
			assert(fault.kind == FAULT_NETWORK || fault.kind == FAULT_BOUND);
	}
	return 0;
}
