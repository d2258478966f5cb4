/* SPDX-License-Identifier: MIT */
/* The JSON by which a .NET runtime describes itself: what is taken from it stays within its limits, a text that was taken is
 * valid however it is cut, and in a runtime's memory it reads the same. */
#include "dump/clr_descriptor.h"

#define MAKER_ROOM 65536 /* cleared each time */
#include "../unit/dump_block.h"
#include "dump/open.h"

#include <stdlib.h>

#define JSON_MOST 16384
#define TEXT 0x200
#define POINTERS 0x80
#define HEADER 0x40

static struct clr_descriptor whole, again;
static struct maker maker;
static struct space space;
static struct memory memory;
static char room[CLR_DESCRIPTOR_BYTES];
static unsigned char bytes[TEXT + JSON_MOST];

static void
put_number(size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[at + i] = (unsigned char)(value >> 8 * i);
}

/* A block with the descriptor, behind a false one; its four pointers lead to 0x20 and on. */
static void
make_block(const unsigned char *data, size_t count)
{
	memset(bytes, 0, TEXT);
	memcpy(bytes, "DNCCDAC", 8);
	memcpy(bytes + HEADER, "DNCCDAC", 8);
	put_number(HEADER + 8, 1, 4);
	put_number(HEADER + 12, count, 4);
	put_number(HEADER + 16, BLOCK + TEXT, 8);
	put_number(HEADER + 24, 4, 4);
	put_number(HEADER + 32, BLOCK + POINTERS, 8);
	for (unsigned i = 0; i < 4; i++)
		put_number(POINTERS + 8 * i, i == 3 ? 0 : BLOCK + 0x20 + 8 * i, 8);
	memcpy(bytes + TEXT, data, count);
}

/* Shorthands say no of what is not known. */
static void
read_fields(void)
{
	uint64_t wide;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;
	for (enum clr_field i = 0; i < CLR_FIELDS; i++)
		if (!again.has_field[i] && (clr_field_pointer(&again, &space, BLOCK, i, &wide) || clr_field_u32(&again, &space, BLOCK, i, &u32) ||
		                            clr_field_u16(&again, &space, BLOCK, i, &u16) || clr_field_u8(&again, &space, BLOCK, i, &u8)))
			abort();
	for (enum clr_global i = 0; i < CLR_GLOBALS; i++) {
		if (!again.has_global[i] && clr_global_pointer(&again, &space, i, &wide))
			abort();
		if (again.has_global[i] && again.indirect[i] && again.globals[i] - BLOCK - 0x20 > 16)
			abort();
	}
}

static void
find_in_memory(const unsigned char *data, size_t count, bool good)
{
	const struct module module = {.base = BLOCK, .size = sizeof bytes};
	struct fault fault;
	uint64_t address;
	make_block(data, count);
	if (memory.at == NULL && !memory_open(&memory, dump_need(), &fault))
		abort();
	if (!block_open(&space, &memory, &maker, 9, bytes, TEXT + count, &fault))
		abort();
	if (clr_descriptor_find(&again, &space, &module, room, &address) != (good && count > 0) || address == 0)
		abort();
	if (!good)
		return;
	if (again.address != BLOCK + HEADER || memcmp(again.offsets, whole.offsets, sizeof whole.offsets) != 0)
		abort();
	read_fields();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	struct span json = {data, count};
	bool good;
	if (count > CLR_DESCRIPTOR_BYTES)
		return 0;
	good = clr_descriptor_parse(&whole, json);
	if (good && clr_descriptor_parse(&again, span_first(json, count - 1)) && data[count - 1] > ' ')
		abort();
	for (enum clr_field i = 0; i < CLR_FIELDS; i++)
		if (whole.has_field[i] ? whole.offsets[i] > 0x100000 : whole.offsets[i] != 0)
			abort();
	if (memchr(whole.thread_contract, 0, sizeof whole.thread_contract) == NULL)
		abort();
	if (count <= JSON_MOST)
		find_in_memory(data, count, good);
	return 0;
}
