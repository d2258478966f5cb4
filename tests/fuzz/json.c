/* SPDX-License-Identifier: MIT */
/* JSON through the reader in pieces of any size. The first byte chooses: the size of the pieces, whether the elements
 * are those of the member "value", which members are wanted. Besides not breaking, the reader must judge as json_check does
 * and give the same values however the text is cut. */
#include "base/encode.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

struct pieces {
	struct source source;
	struct span rest;
	size_t step;
};

static bool
pieces_read(struct source *source, void *room, size_t size, size_t *got, struct fault *fault)
{
	struct pieces *p = (struct pieces *)source;
	(void)fault;
	*got = p->rest.count < p->step ? p->rest.count : p->step;
	if (*got > size)
		*got = size;
	if (*got > 0)
		memcpy(room, p->rest.at, *got);
	p->rest = span_from(p->rest, *got);
	return true;
}

static void
must(bool so)
{
	if (!so)
		abort();
}

static uint64_t
mix(uint64_t sum, struct span span)
{
	for (size_t i = 0; i < span.count; i++)
		sum = (sum ^ span.at[i]) * 0x100000001b3u;
	return sum;
}

/* Reads everything; a sum over all values, and the fault. */
static uint64_t
sum_of(struct span text, size_t step, const char *member, const char *const *wanted, size_t count, struct fault *fault)
{
	static struct json_reader reader;
	static char room[JSON_WINDOW + 1];
	struct pieces p = {{pieces_read}, text, step};
	uint64_t sum = 0;
	bool more = true;
	json_open(&reader, &p.source, member, wanted, count);
	while (more && json_next(&reader, &more, fault)) {
		sum = sum * 31 + more;
		for (size_t i = 0; i < count; i++) {
			struct json_value value = json_get(&reader, i);
			int64_t number = 0;
			sum = mix(sum * 31 + value.kind, value.text);
			if (json_get_int(&reader, i, &number))
				must(value.kind == JSON_NUMBER);
			if (json_get_text(&reader, i, room, sizeof room)) {
				struct span out = span_of(room);
				must(value.kind == JSON_STRING);
				for (size_t size; out.count > 0; out = span_from(out, size))
					must((size = utf8_length(out)) > 0);
			}
		}
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const few[] = {"id", "a/b", ""};
	static const char *const many[] = {"id", "name", "machineName", "user_name", "environment_variables/APP_POOL_ID", "is_scm_site",
	                                   "a", "a/b", "a/b/c", "a/b/c/d", "nextLink", "error/code", "properties/id", "b", "x"};
	struct fault whole, cut, checked;
	struct span text = {data + 1, size - 1};
	struct pieces p = {{pieces_read}, {NULL, 0}, 4096};
	const char *const *wanted;
	const char *member;
	size_t count;
	if (size == 0)
		return 0;
	wanted = (data[0] & 1) != 0 ? many : few;
	count = (data[0] & 1) != 0 ? sizeof many / sizeof many[0] : sizeof few / sizeof few[0];
	member = (data[0] & 2) != 0 ? "value" : NULL;
	fault_clear(&whole);
	fault_clear(&cut);
	fault_clear(&checked);
	must(sum_of(text, 4096, member, wanted, count, &whole) ==
	     sum_of(text, 1 + (data[0] >> 2) % 16, member, wanted, count, &cut));
	must(whole.kind == cut.kind && strcmp(whole.text, cut.text) == 0);
	p.rest = text;
	must(json_check(&p.source, &checked) == (checked.kind == FAULT_NONE));
	/* the reader has bounds of its own beside the judgement */
	must(whole.kind == checked.kind || (whole.kind == FAULT_BOUND && strncmp(whole.text, "JSON ", 5) == 0));
	return 0;
}
