/* SPDX-License-Identifier: MIT */
/* Names and relocations of an ELF module, and a contract descriptor whose pointers nobody has relocated, as the file on disk
 * has them. */
#include "dump/clr_descriptor.h"
#include "dump/clr_symbol.h"

#include "made_dump.h"
#include "unit.h"

#define BASE 0x7f0000100000ull
#define STACK 0x7f0000900000ull
#define DYNAMIC 0x200
#define SYMBOLS 0x400
#define STRINGS 0x500
#define HASH 0x600
#define RELA 0x800
#define DESCRIPTOR 0x2000

static char room[CLR_DESCRIPTOR_BYTES];
static struct clr_descriptor d;
static const struct module *module;

static void
put_dynamic(size_t i, uint64_t tag, uint64_t value)
{
	made_u64(BASE + DYNAMIC + 16 * i, tag);
	made_u64(BASE + DYNAMIC + 16 * i + 8, value);
}

static void
put_relative(size_t i, uint64_t place, uint64_t addend)
{
	made_u64(BASE + RELA + 24 * i, place);
	made_u64(BASE + RELA + 24 * i + 8, 8);
	made_u64(BASE + RELA + 24 * i + 16, addend);
}

/* One exported symbol at DESCRIPTOR; relocations for its two pointers and the two that they lead to. */
static struct space *
make(void)
{
	static const char name[] = "DotNetRuntimeContractDescriptor",
	                  json[] = "{\"types\":{},\"globals\":{\"ThreadStore\":[[0],\"pointer\"],\"ExceptionMethodTable\":[[1],\"pointer\"]}}";
	struct space *space;
	uint32_t hash = 5381;
	for (const char *c = name; *c != '\0'; c++)
		hash = hash * 33 + (unsigned char)*c;
	made_begin(9, 0x8201);
	made_module(BASE, 0x4000, "/usr/lib/libcoreclr.so");
	made_range(BASE, 0x4000);
	made_range(STACK, 0x1000);
	made_register(4, STACK);
	space = made_open(STACK, 0x1000);
	module = space_module_at(space, BASE);
	memset(made_at(BASE), 0, 0x4000);
	made_bytes(BASE, "\x7f" "ELF\2\1", 6);
	made_u64(BASE + 32, 64);
	made_u16(BASE + 56, 1);
	made_u32(BASE + 64, 2);
	made_u64(BASE + 64 + 16, DYNAMIC);
	put_dynamic(0, 5, STRINGS);
	put_dynamic(1, 6, BASE + SYMBOLS); /* as loaders leave it */
	put_dynamic(2, 0x6ffffef5, HASH);
	put_dynamic(3, 7, RELA);
	put_dynamic(4, 0x6ffffff9, 4);
	made_bytes(BASE + STRINGS + 1, name, sizeof name);
	made_u32(BASE + SYMBOLS + 24, 1);
	made_u16(BASE + SYMBOLS + 24 + 6, 5);
	made_u64(BASE + SYMBOLS + 24 + 8, DESCRIPTOR);
	made_u32(BASE + HASH, 1);
	made_u32(BASE + HASH + 4, 1);
	made_u32(BASE + HASH + 8, 1);
	made_u32(BASE + HASH + 16 + 8, 1);
	made_u32(BASE + HASH + 16 + 8 + 4, hash | 1);
	put_relative(0, DESCRIPTOR + 16, 0x3000);
	put_relative(1, DESCRIPTOR + 32, 0x2100);
	put_relative(2, 0x2100, 0x3800);
	put_relative(3, 0x2108, 0x3900);
	made_bytes(BASE + DESCRIPTOR, "DNCCDAC", 8);
	made_u32(BASE + DESCRIPTOR + 8, 1);
	made_u32(BASE + DESCRIPTOR + 12, sizeof json - 1);
	made_u32(BASE + DESCRIPTOR + 24, 2);
	made_bytes(BASE + 0x3000, json, sizeof json);
	return space;
}

static void
finds_a_symbol(void)
{
	struct space *space = make();
	uint64_t address;
	CHECK(clr_symbol_find(space, module, "DotNetRuntimeContractDescriptor", &address) && address == BASE + DESCRIPTOR);
	CHECK(!clr_symbol_find(space, module, "DotNetRuntimeContractDescripto", &address));
	made_u16(BASE + SYMBOLS + 24 + 6, 0); /* imported */
	CHECK(!clr_symbol_find(space, module, "DotNetRuntimeContractDescriptor", &address));
	space = make();
	put_dynamic(2, 1, HASH);
	CHECK(!clr_symbol_find(space, module, "DotNetRuntimeContractDescriptor", &address));
	space = make();
	made_u32(BASE + HASH + 16 + 8 + 4, 2); /* a chain without end */
	CHECK(!clr_symbol_find(space, module, "DotNetRuntimeContractDescriptor", &address));
}

static void
relocates(void)
{
	struct space *space = make();
	uint64_t value = 0;
	CHECK(clr_symbol_relocated(space, module, BASE + DESCRIPTOR + 16, &value) && value == BASE + 0x3000);
	CHECK(clr_symbol_relocated(space, module, BASE + 0x2108, &value) && value == BASE + 0x3900);
	CHECK(!clr_symbol_relocated(space, module, BASE + 0x2110, &value));
	CHECK(!clr_symbol_relocated(space, module, BASE, &value));
	put_dynamic(4, 0x6ffffff9, UINT64_MAX);
	CHECK(!clr_symbol_relocated(space, module, BASE + 0x2110, &value));
	put_dynamic(3, 1, RELA);
	CHECK(!clr_symbol_relocated(space, module, BASE + 0x2108, &value));
}

static void
descriptor_of_the_file(void)
{
	struct space *space = make();
	uint64_t address;
	CHECK(clr_descriptor_find(&d, space, module, room, &address) && address == BASE + DESCRIPTOR);
	CHECK(d.has_global[GLOBAL_THREAD_STORE] && d.globals[GLOBAL_THREAD_STORE] == BASE + 0x3800);
	CHECK(d.has_global[GLOBAL_EXCEPTION_TABLE] && d.globals[GLOBAL_EXCEPTION_TABLE] == BASE + 0x3900);
	made_u64(BASE + DESCRIPTOR + 16, BASE + 0x3000); /* relocated */
	made_u64(BASE + DESCRIPTOR + 32, BASE + 0x2100);
	made_u64(BASE + 0x2100, BASE + 0x3a00);
	CHECK(clr_descriptor_find(&d, space, module, room, &address) && d.globals[GLOBAL_THREAD_STORE] == BASE + 0x3a00);
	put_dynamic(4, 0x6ffffff9, 0);
	made_u64(BASE + DESCRIPTOR + 16, 0);
	CHECK(!clr_descriptor_find(&d, space, module, room, &address) && address == BASE + DESCRIPTOR);
}

int
main(void)
{
	UNIT_RUN(finds_a_symbol);
	UNIT_RUN(relocates);
	UNIT_RUN(descriptor_of_the_file);
	return unit_end();
}
