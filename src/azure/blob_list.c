/* SPDX-License-Identifier: MIT */
#include "azure/blob_list.h"

#include "base/encode.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define NUMBER_DIGITS 5
#define ID_DIGITS (BLOCK_PREFIX_DIGITS + NUMBER_DIGITS)

static const char head[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
static const char tail[] = "</BlockList>";

void
blob_ids_put(struct text *text, const struct blob_ids *ids, uint32_t number)
{
	char digits[ID_DIGITS + 1];
	struct text plain = text_in(digits, sizeof digits);
	assert(number < 1u << 4 * NUMBER_DIGITS);
	if (ids->marks != NULL)
		text_printf(&plain, "%.*s%08" PRIx32, BLOCK_PREFIX_DIGITS / 2, ids->prefix, ids->marks[number]);
	else
		text_put(&plain, ids->prefix);
	text_printf(&plain, "%0*" PRIx32, NUMBER_DIGITS, number);
	assert(plain.used == ID_DIGITS);
	encode_base64(text, text_span(&plain));
}

static bool
read_hex(struct span digits, uint32_t *value)
{
	*value = 0;
	for (size_t i = 0; i < digits.count; i++) {
		int digit = hex_value(digits.at[i]);
		if (digit < 0 || (digits.at[i] >= 'A' && digits.at[i] <= 'F'))
			return false; /* we write small letters: another's would not be the id that is committed */
		*value = *value << 4 | (uint32_t)digit;
	}
	return true;
}

bool
blob_ids_read(const struct blob_ids *ids, struct span id, uint32_t *number, uint32_t *mark)
{
	unsigned char plain[ID_DIGITS];
	const size_t half = BLOCK_PREFIX_DIGITS / 2;
	size_t count;
	assert(ids->marks != NULL);
	return id.count == BLOCK_ID_CHARACTERS && decode_base64(id, plain, sizeof plain, &count) && count == ID_DIGITS &&
	       memcmp(plain, ids->prefix, half) == 0 &&
	       read_hex((struct span){plain + half, half}, mark) &&
	       read_hex((struct span){plain + BLOCK_PREFIX_DIGITS, NUMBER_DIGITS}, number);
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
		blob_ids_put(&text, list->ids, list->next++);
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
blob_list_open(struct blob_list *list, const struct blob_ids *ids, uint32_t count, bool committed)
{
	list->source.read = list_read;
	list->ids = ids;
	list->count = count;
	list->committed = committed;
	blob_list_rewind(&list->source);
}
