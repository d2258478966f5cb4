/* SPDX-License-Identifier: MIT */
#include "dump/clr_descriptor.h"

#include "dump/open.h"
#include "dump_block.h"
#include "unit.h"

static struct clr_descriptor d;
static struct maker maker;
static struct space space;
static struct memory memory;
static struct fault fault;
static char room[CLR_DESCRIPTOR_BYTES];

static bool
parse(const char *text)
{
	return clr_descriptor_parse(&d, span_of(text));
}

static const char small[] =
	"{\"version\":0,\"baseline\":\"empty\",\"types\":{\"Thread\":{\"!\":400,\"OSId\":296,\"LinkNext\":[112,\"pointer\"],"
	"\"ExceptionTracker\":\"0x160\"},\"Array\":{\"!\":16,\"m_NumComponents\":[8]},\"Unknown\":{\"OSId\":1}},"
	"\"globals\":{\"ObjectToMethodTableUnmask\":[\"0x7\",\"uint8\"],\"MethodDescAlignment\":8,"
	"\"ThreadStore\":[[1],\"pointer\"],\"ExceptionMethodTable\":[2],\"ObjectArrayMethodTable\":[[3]],"
	"\"StubCodeBlockLast\":[15,\"uint8\"],\"RID\":[\"1-x64\",\"string\"]},\"contracts\":{\"Thread\":1,\"Exception\":\"c1\"}}";

static void
forms_of_values(void)
{
	CHECK(parse(small));
	CHECK(d.version == 0);
	CHECK(d.has_field[THREAD_OSID] && d.offsets[THREAD_OSID] == 296);
	CHECK(d.has_field[THREAD_LINK] && d.offsets[THREAD_LINK] == 112);
	CHECK(d.has_field[THREAD_TRACKER] && d.offsets[THREAD_TRACKER] == 0x160);
	CHECK(d.has_field[ARRAY_SIZE] && d.offsets[ARRAY_SIZE] == 16);
	CHECK(d.has_field[ARRAY_COUNT] && d.offsets[ARRAY_COUNT] == 8);
	CHECK(!d.has_field[THREAD_LAST_THROWN]);
	CHECK(d.has_global[GLOBAL_UNMASK] && d.globals[GLOBAL_UNMASK] == 7 && !d.indirect[GLOBAL_UNMASK]);
	CHECK(d.globals[GLOBAL_METHOD_ALIGNMENT] == 8 && !d.indirect[GLOBAL_METHOD_ALIGNMENT]);
	CHECK(d.globals[GLOBAL_THREAD_STORE] == 1 && d.indirect[GLOBAL_THREAD_STORE]);
	CHECK(d.globals[GLOBAL_EXCEPTION_TABLE] == 2 && d.indirect[GLOBAL_EXCEPTION_TABLE]);
	CHECK(d.globals[GLOBAL_OBJECT_ARRAY_TABLE] == 3 && d.indirect[GLOBAL_OBJECT_ARRAY_TABLE]);
	CHECK(d.globals[GLOBAL_LAST_STUB] == 15 && !d.indirect[GLOBAL_LAST_STUB]);
	CHECK(!d.has_global[GLOBAL_RANGE_MAP]);
	CHECK_TEXT(d.thread_contract, "1");
	CHECK_TEXT(d.exception_contract, "c1");
	CHECK_TEXT(d.execution_contract, "");
}

static void
cut_anywhere(void)
{
	for (size_t i = 0; i < sizeof small - 1; i++)
		CHECK(!clr_descriptor_parse(&d, (struct span){(const unsigned char *)small, i}));
	CHECK(clr_descriptor_parse(&d, (struct span){(const unsigned char *)small, sizeof small - 1}));
}

static void
odd_values(void)
{
	CHECK(parse("{\"version\":2,\"types\":{\"Thread\":{\"OSId\":-1,\"LinkNext\":1.5,\"ExceptionTracker\":1048576,"
	            "\"LastThrownObject\":1048577}},\"globals\":{\"MethodDescAlignment\":[\"0xffffffffffffffff\"],"
	            "\"ObjectToMethodTableUnmask\":[\"0x1ffffffffffffffff\",\"a\"],\"ThreadStore\":[],\"StubCodeBlockLast\":{}}}"));
	CHECK(d.version == 2);
	CHECK(!d.has_field[THREAD_OSID] && !d.has_field[THREAD_LINK]);
	CHECK(d.has_field[THREAD_TRACKER] && !d.has_field[THREAD_LAST_THROWN]);
	CHECK(!d.has_global[GLOBAL_UNMASK] && !d.has_global[GLOBAL_THREAD_STORE] && !d.has_global[GLOBAL_LAST_STUB]);
	CHECK(!parse("{}"));
	CHECK(!parse("[]"));
	CHECK(!parse(""));
	CHECK(!parse("{\"types\":{}}"));
	CHECK(parse("{\"types\":{},\"globals\":{}}"));
	CHECK(!parse("{\"types\":{},\"globals\":{}}x"));
	CHECK(!parse("{\"types\":3,\"globals\":4}"));
}

static void
deep_nesting(void)
{
	static char deep[20000];
	size_t at = (size_t)snprintf(deep, sizeof deep, "{\"types\":{\"Thread\":{\"OSId\":");
	for (size_t i = 0; i < 200; i++)
		deep[at++] = '[';
	deep[at++] = '5';
	for (size_t i = 0; i < 200; i++)
		deep[at++] = ']';
	memcpy(deep + at, "}},\"globals\":{}}", 17);
	CHECK(parse(deep));
	CHECK(!d.has_field[THREAD_OSID]);
	memset(deep, '[', 10000);
	deep[10000] = '\0';
	CHECK(!parse(deep));
}

/* The descriptor itself at the block's start, JSON at 0x100, three pointers at 0x40. */
static bool
read_block(uint32_t flags, uint32_t json_size, uint32_t count, const char *magic)
{
	static unsigned char bytes[0x100 + CLR_DESCRIPTOR_BYTES + 64];
	struct maker *out = &maker;
	memset(bytes, 0, sizeof bytes);
	memcpy(out->bytes, magic, 8);
	put_at(out, 8, flags, 4);
	put_at(out, 12, json_size, 4);
	put_at(out, 16, BLOCK + 0x100, 8);
	put_at(out, 24, count, 8);
	put_at(out, 32, BLOCK + 0x40, 8);
	memcpy(bytes, out->bytes, 40);
	for (size_t i = 0; i < 3; i++)
		bytes[0x40 + 8 * i] = (unsigned char)(0x11 * i);
	memset(bytes + 0x100, json_size > sizeof small ? ' ' : 0, sizeof bytes - 0x100);
	memcpy(bytes + 0x100, small, json_size > sizeof small ? sizeof small - 1 : sizeof small);
	CHECK(block_open(&space, &memory, &maker, 9, bytes, sizeof bytes, &fault));
	return clr_descriptor_read(&d, &space, BLOCK, room);
}

static void
read_from_memory(void)
{
	CHECK(read_block(1, sizeof small - 1, 3, "DNCCDAC"));
	CHECK(d.address == BLOCK);
	CHECK(d.has_global[GLOBAL_THREAD_STORE] && d.globals[GLOBAL_THREAD_STORE] == 0x11);
	CHECK(d.has_global[GLOBAL_EXCEPTION_TABLE] && d.globals[GLOBAL_EXCEPTION_TABLE] == 0x22);
	CHECK(!d.has_global[GLOBAL_OBJECT_ARRAY_TABLE]); /* index 3 of 3 */
	CHECK(!read_block(0, sizeof small - 1, 3, "DNCCDAC"));
	CHECK(!read_block(3, sizeof small - 1, 3, "DNCCDAC")); /* 32-bit pointers in a 64-bit process */
	CHECK(!read_block(1, sizeof small - 2, 3, "DNCCDAC"));
	CHECK(!read_block(1, 0, 3, "DNCCDAC"));
	CHECK(!read_block(1, 0xffffffff, 3, "DNCCDAC"));
	CHECK(read_block(1, CLR_DESCRIPTOR_BYTES, 3, "DNCCDAC")); /* with blanks behind; the room has no more */
	CHECK(!read_block(1, CLR_DESCRIPTOR_BYTES + 1, 3, "DNCCDAC"));
	CHECK(!read_block(1, sizeof small - 1, 0xffffffff, "DNCCDAC"));
	CHECK(!read_block(1, sizeof small - 1, 3, "DNCCDAX"));
}

/* As runtimes 10.0 carry them. */
static void
real_ones(void)
{
	static const struct {
		const char *path;
		uint32_t os_id;
	} files[] = {{"../shared/dumps/made/net10-descriptor.json", 296}, {"../shared/dumps/made/net10-descriptor-win-x64.json", 304}};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		FILE *file = fopen(files[i].path, "rb");
		size_t size;
		if (file == NULL) {
			SKIP("no ../shared/dumps/made");
			return;
		}
		size = fread(room, 1, sizeof room, file);
		fclose(file);
		CHECK(clr_descriptor_parse(&d, (struct span){(unsigned char *)room, size}));
		CHECK(d.offsets[THREAD_OSID] == files[i].os_id);
		for (size_t k = 0; k < CLR_FIELDS; k++)
			CHECK(d.has_field[k]);
		for (size_t k = 0; k < CLR_GLOBALS; k++)
			CHECK(d.has_global[k]);
		CHECK(d.indirect[GLOBAL_RANGE_MAP] && !d.indirect[GLOBAL_HASH_MASK]);
		CHECK(d.globals[GLOBAL_HASH_MASK] == 0x7fffffffffffffff);
		CHECK_TEXT(d.execution_contract, "2");
	}
}

int
main(void)
{
	if (!memory_open(&memory, dump_need() + 65536, &fault))
		return 1;
	UNIT_RUN(forms_of_values);
	UNIT_RUN(cut_anywhere);
	UNIT_RUN(odd_values);
	UNIT_RUN(deep_nesting);
	UNIT_RUN(read_from_memory);
	UNIT_RUN(real_ones);
	return unit_end();
}
