/* SPDX-License-Identifier: MIT */
#include "dump/gate.h"

#include "unit.h"

#define ROOM (300u * 1024)

/* Keeps what arrives, says how it ended. */
struct keeper {
	struct sink sink;
	unsigned char bytes[ROOM];
	size_t used;
	int finished, abandoned;
};

static bool
keep(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct keeper *keeper = (struct keeper *)sink;
	(void)fault;
	memcpy(keeper->bytes + keeper->used, from, count);
	keeper->used += count;
	return true;
}

static bool
keep_finish(struct sink *sink, struct fault *fault)
{
	(void)fault;
	((struct keeper *)sink)->finished++;
	return true;
}

static void
keep_abandon(struct sink *sink)
{
	((struct keeper *)sink)->abandoned++;
}

static struct keeper keeper;
static unsigned char dump[ROOM];

static void
put(size_t place, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		dump[place + i] = (unsigned char)(value >> (8 * i));
}

static void
put_entry(unsigned n, uint32_t type, uint32_t size, uint32_t place)
{
	put(32 + n * 12u, type, 4);
	put(32 + n * 12u + 4, size, 4);
	put(32 + n * 12u + 8, place, 4);
}

/* An ELF core of `size` bytes with `count` segments whose table begins at `table`: the i-th has 100 bytes at 5000 + 200 i, the
 * last one ends with the file. */
static void
make_core(size_t size, size_t table, unsigned count)
{
	for (size_t i = 0; i < sizeof dump; i++)
		dump[i] = (unsigned char)(i * 7 + i / 251);
	memset(dump, 0, 64);
	memcpy(dump, "\x7f" "ELF\x02\x01\x01", 7);
	put(16, 4, 2);
	put(32, table, 8);
	put(54, 56, 2);
	put(56, count, 2);
	for (unsigned i = 0; i < count && table + 56 * (i + 1) <= sizeof dump; i++) {
		put(table + 56 * i, 1, 4);
		put(table + 56 * i + 8, i + 1 < count ? 5000 + 200 * i : size - 100, 8);
		put(table + 56 * i + 32, 100, 8);
	}
}

/* A dump of `size` bytes: system info, and a Memory64List at `list` of two ranges that end at the file's end. */
static void
make(size_t size, size_t list)
{
	for (size_t i = 0; i < sizeof dump; i++)
		dump[i] = (unsigned char)(i * 7 + i / 251);
	memcpy(dump, "MDMP", 4);
	put(4, 0x1234a793, 4);
	put(8, 3, 4);
	put(12, 32, 4);
	put_entry(0, 7, 56, 200);
	put_entry(1, 0, 0xffffffff, 0xffffffff);
	put_entry(2, 9, 48, (uint32_t)list);
	put(list, 2, 8);
	put(list + 8, list + 48, 8);
	put(list + 16, 0x7ff600000000, 8);
	put(list + 24, 100, 8);
	put(list + 32, 0x7ff700000000, 8);
	put(list + 40, size - list - 148, 8);
}

static bool core;

static bool
pass(size_t size, size_t step, struct fault *fault)
{
	static struct dump_gate gate;
	keeper = (struct keeper){{keep, keep_finish, keep_abandon}, {0}, 0, 0, 0};
	fault_clear(fault);
	dump_gate_open(&gate, &keeper.sink);
	gate.core = core;
	for (size_t at = 0; at < size; at += step)
		if (!gate.sink.write(&gate.sink, dump + at, size - at < step ? size - at : step, fault)) {
			gate.sink.abandon(&gate.sink);
			return false;
		}
	if (gate.sink.finish(&gate.sink, fault))
		return true;
	gate.sink.abandon(&gate.sink);
	return false;
}

static void
whole_dumps_pass(void)
{
	static const size_t lists[] = {80, 4000, 4080, 4090, 4096, 70000, 130001};
	static const size_t steps[] = {1, 15, 4095, 4096, 4097, 65536, ROOM};
	struct fault fault;
	for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++)
		for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
			make(200000, lists[l]);
			CHECK(pass(200000, steps[s], &fault));
			CHECK(keeper.used == 200000 && memcmp(keeper.bytes, dump, 200000) == 0);
			CHECK(keeper.finished == 1 && keeper.abandoned == 0);
		}
}

static void
short_dumps_do_not(void)
{
	static const size_t steps[] = {13, 65536};
	struct fault fault;
	for (size_t s = 0; s < 2; s++) {
		make(200000, 70000);
		CHECK(!pass(199999, steps[s], &fault) && fault.kind == FAULT_CORRUPT);
		CHECK(strstr(fault.text, "199999") != NULL && strstr(fault.text, "200000") != NULL);
		CHECK(keeper.finished == 0 && keeper.abandoned == 1);
		CHECK(!pass(70040, steps[s], &fault) && fault.kind == FAULT_CORRUPT);
	}
	make(200000, 70000);
	CHECK(!pass(DUMP_BYTES_LEAST - 1, 1000, &fault) && strstr(fault.text, "65535") != NULL);
}

static void
the_least_size_counts(void)
{
	struct fault fault;
	make(DUMP_BYTES_LEAST, 80);
	CHECK(pass(DUMP_BYTES_LEAST, 4096, &fault));
	make(DUMP_BYTES_LEAST - 1, 80);
	CHECK(!pass(DUMP_BYTES_LEAST - 1, 4096, &fault));
	make(100, 80);
	CHECK(!pass(100, 100, &fault) && fault.kind == FAULT_CORRUPT);
	CHECK(!pass(0, 1, &fault) && fault.kind == FAULT_CORRUPT);
}

static void
overflow(size_t place, uint64_t value)
{
	struct fault fault;
	make(200000, 70000);
	put(place, value, 8);
	CHECK(!pass(200000, 65536, &fault) && fault.kind == FAULT_CORRUPT);
}

static void
hostile_lists_are_refused(void)
{
	overflow(70000, UINT64_MAX);      /* count */
	overflow(70008, UINT64_MAX - 5);  /* base */
	overflow(70024, UINT64_MAX);      /* size of a range */
	overflow(70040, 1ull << 40);
}

static void
starts_with(const char *bytes, size_t count, const char *words)
{
	struct fault fault;
	make(200000, 70000);
	memcpy(dump, bytes, count);
	CHECK(!pass(200000, 65536, &fault) && fault.kind == FAULT_CORRUPT);
	CHECK(strstr(fault.text, words) != NULL);
	CHECK(keeper.used == 0 && keeper.abandoned == 1);
}

static void
other_things_are_named(void)
{
	starts_with("PK\3\4", 4, "zip");
	starts_with("\x7f" "ELF", 4, "ELF");
	starts_with("<html", 5, "page");
	starts_with("{\"Me", 4, "JSON");
	starts_with("PMDM", 4, "MDMP");
	starts_with("MDMP\x94\xa7", 6, "version a794");
	starts_with("MDMP\x93\xa7\0\0\0\0\0\0", 12, "directory of 0");
	starts_with("MDMP\x93\xa7\0\0\x03\0\0\0\x10\0\0\0", 16, "header");
}

static bool
pass_core(size_t size, size_t step, struct fault *fault)
{
	bool passed;
	core = true;
	passed = pass(size, step, fault);
	core = false;
	return passed;
}

static void
whole_cores_pass(void)
{
	static const size_t tables[] = {64, 1000, 3984, 4096, 9000}; /* those from 4096 on are beyond what is looked at */
	static const size_t steps[] = {1, 63, 64, 4095, 4096, 4097, ROOM};
	struct fault fault;
	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
		for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
			make_core(200000, tables[t], 2);
			CHECK(pass_core(200000, steps[s], &fault));
			CHECK(keeper.used == 200000 && memcmp(keeper.bytes, dump, 200000) == 0);
			CHECK(keeper.finished == 1 && keeper.abandoned == 0);
		}
	make_core(200000, 64, 0); /* no segments promise nothing */
	CHECK(pass_core(200000, 4096, &fault));
	make_core(200000, 64, 0xffff); /* the count stands elsewhere then */
	CHECK(pass_core(200000, 4096, &fault));
}

static void
short_cores_do_not(void)
{
	struct fault fault;
	make_core(200000, 64, 72); /* the 72nd is the last one whose entry is looked at in whole */
	CHECK(!pass_core(199999, 65536, &fault) && fault.kind == FAULT_CORRUPT && strstr(fault.text, "promises 200000") != NULL);
	CHECK(keeper.finished == 0 && keeper.abandoned == 1);
	CHECK(pass_core(200000, 65536, &fault));
	make_core(200000, 64, 1);
	CHECK(!pass_core(DUMP_BYTES_LEAST - 1, 1000, &fault) && strstr(fault.text, "65535") != NULL);
	CHECK(!pass_core(0, 1, &fault) && !pass_core(17, 1, &fault) && fault.kind == FAULT_CORRUPT);
	make_core(DUMP_BYTES_LEAST, 64, 1);
	CHECK(pass_core(DUMP_BYTES_LEAST, 4096, &fault));
}

static void
promise_core(size_t place, uint64_t value)
{
	struct fault fault;
	make_core(200000, 64, 2);
	put(place, value, 8);
	CHECK(!pass_core(200000, 65536, &fault) && fault.kind == FAULT_CORRUPT);
}

static void
hostile_cores_are_refused(void)
{
	struct fault fault;
	promise_core(64 + 8, UINT64_MAX);
	promise_core(64 + 8, UINT64_MAX - 99); /* its end wraps around to 0 */
	promise_core(64 + 32, UINT64_MAX);
	promise_core(64 + 32, 200001 - 5000);
	make_core(200000, 64, 2);
	put(32, UINT64_MAX, 8); /* a table nowhere: left alone */
	CHECK(pass_core(200000, 65536, &fault));
	put(32, UINT64_MAX - 40, 8);
	CHECK(pass_core(200000, 65536, &fault));
	make_core(200000, 64, 2);
	put(54, 0, 2); /* entries of no size: one and the same again and again */
	CHECK(pass_core(200000, 65536, &fault));
}

static void
no_cores(void)
{
	static const struct {
		size_t place;
		unsigned char byte;
		const char *words;
	} wrong[] = {{0, 'x', "no ELF core"}, {4, 1, "no ELF core"}, {5, 2, "no ELF core"}, {16, 2, "no core"}, {17, 4, "no core"}};
	struct fault fault;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		make_core(200000, 64, 2);
		dump[wrong[i].place] = wrong[i].byte;
		CHECK(!pass_core(200000, 65536, &fault) && fault.kind == FAULT_CORRUPT && strstr(fault.text, wrong[i].words) != NULL);
		CHECK(keeper.used == 0 && keeper.abandoned == 1);
	}
	make(200000, 70000);
	CHECK(!pass_core(200000, 65536, &fault) && strstr(fault.text, "no ELF core") != NULL);
	make_core(200000, 64, 2);
	CHECK(!pass(200000, 65536, &fault) && strstr(fault.text, "an ELF file") != NULL);
}

int
main(void)
{
	UNIT_RUN(whole_dumps_pass);
	UNIT_RUN(short_dumps_do_not);
	UNIT_RUN(the_least_size_counts);
	UNIT_RUN(hostile_lists_are_refused);
	UNIT_RUN(other_things_are_named);
	UNIT_RUN(whole_cores_pass);
	UNIT_RUN(short_cores_do_not);
	UNIT_RUN(hostile_cores_are_refused);
	UNIT_RUN(no_cores);
	return unit_end();
}
