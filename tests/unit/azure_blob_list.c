/* SPDX-License-Identifier: MIT */
#include "azure/blob_list.h"

#include "base/encode.h"
#include "unit.h"

#define PREFIX "0a1b2c3d"

static const char *
id(uint32_t number)
{
	static char room[64];
	struct text text = text_in(room, sizeof room);
	blob_list_put_id(&text, PREFIX, number);
	return room;
}

static void
ids_need_no_encoding(void)
{
	unsigned char plain[16];
	size_t count;
	static const uint32_t numbers[] = {0, 1, 49999, 50000, 0xffffff, 0xfffffff};
	CHECK_TEXT(id(0), "MGExYjJjM2QwMDAwMDAw");
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		CHECK(strlen(id(numbers[i])) == BLOCK_ID_CHARACTERS);
		CHECK(strpbrk(id(numbers[i]), "+/=") == NULL);
		CHECK(decode_base64(span_of(id(numbers[i])), plain, sizeof plain, &count) && count == 15);
		CHECK(memcmp(plain, PREFIX, 8) == 0);
	}
	CHECK_TEXT(id(1), "MGExYjJjM2QwMDAwMDAx");
}

/* Bytes of a list when read `size` at a time, and whether two ways of reading give the same. */
static uint64_t
read_all(struct blob_list *list, size_t size, unsigned *sum)
{
	unsigned char room[1024];
	struct fault fault;
	uint64_t total = 0;
	size_t got;
	fault_clear(&fault);
	*sum = 0;
	while (list->source.read(&list->source, room, size, &got, &fault) && got > 0) {
		for (size_t i = 0; i < got; i++)
			*sum = *sum * 31 + room[i];
		total += got;
	}
	return total;
}

static void
its_length_is_known_before(void)
{
	static const uint32_t counts[] = {0, 1, 2, 27, 49999, 50000};
	struct blob_list list;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		for (int committed = 0; committed < 2; committed++) {
			unsigned first, second, third;
			blob_list_open(&list, PREFIX, counts[i], committed);
			CHECK(blob_list_length(&list) == 49u + 12u + counts[i] * (committed ? 43u : 37u));
			CHECK(read_all(&list, 1024, &first) == blob_list_length(&list));
			blob_list_rewind(&list.source);
			CHECK(read_all(&list, 1, &second) == blob_list_length(&list));
			blob_list_rewind(&list.source);
			CHECK(read_all(&list, 37, &third) == blob_list_length(&list));
			CHECK(first == second && second == third);
		}
}

static void
is_the_xml_of_the_service(void)
{
	char room[256];
	struct blob_list list;
	struct fault fault;
	size_t got;
	fault_clear(&fault);
	blob_list_open(&list, PREFIX, 2, false);
	CHECK(list.source.read(&list.source, room, sizeof room - 1, &got, &fault));
	room[got] = 0;
	CHECK_TEXT(room, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><Latest>MGExYjJjM2QwMDAwMDAw</Latest>"
	                 "<Latest>MGExYjJjM2QwMDAwMDAx</Latest></BlockList>");
	blob_list_open(&list, PREFIX, 1, true);
	CHECK(list.source.read(&list.source, room, sizeof room - 1, &got, &fault));
	room[got] = 0;
	CHECK_TEXT(room, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><Committed>MGExYjJjM2QwMDAwMDAw</Committed></BlockList>");
}

static void
begins_again_in_the_middle(void)
{
	struct blob_list list;
	struct fault fault;
	unsigned whole, again;
	char room[100];
	size_t got;
	fault_clear(&fault);
	blob_list_open(&list, PREFIX, 100, false);
	(void)read_all(&list, 1024, &whole);
	blob_list_rewind(&list.source);
	CHECK(list.source.read(&list.source, room, sizeof room, &got, &fault) && got == sizeof room);
	blob_list_rewind(&list.source);
	CHECK(read_all(&list, 1024, &again) == blob_list_length(&list));
	CHECK(whole == again);
}

int
main(void)
{
	UNIT_RUN(ids_need_no_encoding);
	UNIT_RUN(its_length_is_known_before);
	UNIT_RUN(is_the_xml_of_the_service);
	UNIT_RUN(begins_again_in_the_middle);
	return unit_end();
}
