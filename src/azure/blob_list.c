/* SPDX-License-Identifier: MIT */
#include "azure/blob_list.h"

#include "base/encode.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const char head[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
static const char tail[] = "</BlockList>";

void
blob_list_put_id(struct text *text, const char prefix[BLOCK_PREFIX_DIGITS + 1], uint32_t number)
{
	char digits[BLOCK_PREFIX_DIGITS + 7 + 1];
	struct text plain = text_in(digits, sizeof digits);
	assert(number < 1u << 28);
	text_printf(&plain, "%s%07" PRIx32, prefix, number);
	assert(plain.used == sizeof digits - 1);
	encode_base64(text, text_span(&plain));
}

static const char *
element(const struct blob_list *list)
{
	return list->committed ? "Committed" : "Latest";
}

uint64_t
blob_list_length(const struct blob_list *list)
{
	uint64_t each = BLOCK_ID_CHARACTERS + 2 * strlen(element(list)) + strlen("<></>");
	return sizeof head - 1 + list->count * each + sizeof tail - 1;
}

/* False: the list has ended. */
static bool
make_piece(struct blob_list *list)
{
	struct text text = text_in(list->piece, sizeof list->piece);
	if (list->state == LIST_IDS && list->next == list->count)
		list->state = LIST_TAIL;
	switch (list->state) {
	case LIST_HEAD:
		text_put(&text, head);
		list->state = LIST_IDS;
		break;
	case LIST_IDS:
		text_printf(&text, "<%s>", element(list));
		blob_list_put_id(&text, list->prefix, list->next++);
		text_printf(&text, "</%s>", element(list));
		break;
	case LIST_TAIL:
		text_put(&text, tail);
		list->state = LIST_END;
		break;
	case LIST_END:
		return false;
	}
	list->piece_used = text.used;
	list->piece_at = 0;
	return true;
}

static bool
list_read(struct source *source, void *room, size_t size, size_t *got, struct fault *fault)
{
	struct blob_list *list = (struct blob_list *)source;
	size_t used = 0;
	(void)fault;
	while (used < size) {
		size_t count = list->piece_used - list->piece_at;
		if (count == 0) {
			if (!make_piece(list))
				break;
			continue;
		}
		if (count > size - used)
			count = size - used;
		memcpy((char *)room + used, list->piece + list->piece_at, count);
		list->piece_at += count;
		used += count;
	}
	*got = used;
	return true;
}

void
blob_list_rewind(struct source *source)
{
	struct blob_list *list = (struct blob_list *)source;
	list->next = 0;
	list->state = LIST_HEAD;
	list->piece_used = list->piece_at = 0;
}

void
blob_list_open(struct blob_list *list, const char *prefix, uint32_t count, bool committed)
{
	list->source.read = list_read;
	list->prefix = prefix;
	list->count = count;
	list->committed = committed;
	blob_list_rewind(&list->source);
}
