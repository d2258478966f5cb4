/* SPDX-License-Identifier: MIT */
#include "azure/blob_list.h"

#include "base/encode.h"
#include "unit.h"

#define PREFIX "0a1b2c3d4e5f6071"

static const struct blob_ids ids = {.prefix = PREFIX};

static const char *
id(uint32_t number)
{
	static char room[64];
	struct text text = text_in(room, sizeof room);
	blob_ids_put(&text, &ids, number);
	return room;
}

static void
ids_need_no_encoding(void)
{
	unsigned char plain[32];
	size_t count;
	static const uint32_t numbers[] = {0, 1, 49999, 50000, 0xfffff};
	CHECK_TEXT(id(0), "MGExYjJjM2Q0ZTVmNjA3MTAwMDAw");
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		CHECK(strlen(id(numbers[i])) == BLOCK_ID_CHARACTERS);
		CHECK(strpbrk(id(numbers[i]), "+/=") == NULL);
		CHECK(decode_base64(span_of(id(numbers[i])), plain, sizeof plain, &count) && count == 21);
		CHECK(memcmp(plain, PREFIX, 16) == 0);
	}
	CHECK_TEXT(id(1), "MGExYjJjM2Q0ZTVmNjA3MTAwMDAx");
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
			blob_list_open(&list, &ids, counts[i], committed);
			CHECK(blob_list_length(&list) == 49u + 12u + counts[i] * (committed ? 51u : 45u));
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
	blob_list_open(&list, &ids, 2, false);
	CHECK(list.source.read(&list.source, room, sizeof room - 1, &got, &fault));
	room[got] = 0;
	CHECK_TEXT(room, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><Latest>MGExYjJjM2Q0ZTVmNjA3MTAwMDAw</Latest>"
	                 "<Latest>MGExYjJjM2Q0ZTVmNjA3MTAwMDAx</Latest></BlockList>");
	blob_list_open(&list, &ids, 1, true);
	CHECK(list.source.read(&list.source, room, sizeof room - 1, &got, &fault));
	room[got] = 0;
	CHECK_TEXT(room, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><Committed>MGExYjJjM2Q0ZTVmNjA3MTAwMDAw</Committed></BlockList>");
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
	blob_list_open(&list, &ids, 100, false);
	(void)read_all(&list, 1024, &whole);
	blob_list_rewind(&list.source);
	CHECK(list.source.read(&list.source, room, sizeof room, &got, &fault) && got == sizeof room);
	blob_list_rewind(&list.source);
	CHECK(read_all(&list, 1024, &again) == blob_list_length(&list));
	CHECK(whole == again);
}

/* Base64 of a text. */
static struct span
base64(const char *words)
{
	static char room[128];
	struct text text = text_in(room, sizeof room);
	encode_base64(&text, span_of(words));
	return text_span(&text);
}

static void
marks_are_part_of_ids(void)
{
	static uint32_t marks[3] = {0, 0xdeadbeef, 7};
	const struct blob_ids marked = {.prefix = PREFIX, .marks = marks};
	char room[64];
	struct text text = text_in(room, sizeof room);
	uint32_t number = 9, mark = 9;
	blob_ids_put(&text, &marked, 1);
	CHECK(span_is(base64("0a1b2c3ddeadbeef00001"), room));
	CHECK(blob_ids_read(&marked, text_span(&text), &number, &mark) && number == 1 && mark == 0xdeadbeef);
	CHECK(blob_ids_read(&marked, base64("0a1b2c3dffffffffc34f0"), &number, &mark) && number == 0xc34f0 && mark == 0xffffffff);
	CHECK(blob_ids_read(&marked, base64("0a1b2c3d00000000fffff"), &number, &mark) && number == 0xfffff);
}

/* What the ids of others look like, or what somebody could try. */
static void
ids_of_others_are_not_read(void)
{
	static uint32_t marks[1];
	static const char *const others[] = {"", "0a1b2c3d", "0a1b2c3edeadbeef00001", "1a1b2c3ddeadbeef00001", "0a1b2c3ddeadbeef0000", "0a1b2c3ddeadbeef000010",
	                                     "0A1B2C3DDEADBEEF00001", "0a1b2c3ddeadbeeF00001", "0a1b2c3ddeadbeeg00001", "0a1b2c3ddeadbeef0000/",
	                                     "0a1b2c3ddeadbeef-0001", "0a1b2c3d        00001"};
	const struct blob_ids marked = {.prefix = PREFIX, .marks = marks};
	uint32_t number, mark;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		CHECK(!blob_ids_read(&marked, base64(others[i]), &number, &mark));
	CHECK(!blob_ids_read(&marked, span_of("0a1b2c3ddeadbeef00001"), &number, &mark));
	CHECK(!blob_ids_read(&marked, span_of("MGExYjJjM2RkZWFkYmVlZjAwMDA!"), &number, &mark));
}

int
main(void)
{
	UNIT_RUN(marks_are_part_of_ids);
	UNIT_RUN(ids_of_others_are_not_read);
	UNIT_RUN(ids_need_no_encoding);
	UNIT_RUN(its_length_is_known_before);
	UNIT_RUN(is_the_xml_of_the_service);
	UNIT_RUN(begins_again_in_the_middle);
	return unit_end();
}
