/* SPDX-License-Identifier: MIT */
/* The map of code ranges, nibbles, ReadyToRun tables and headers of methods in hostile memory: a byte chooses whether there
 * is a map, the others are the block that tests/unit/dump_clr_code.c lays out by hand. */
#include "dump/clr_code.h"

#define MAKER_ROOM 131072 /* cleared each time */
#include "../unit/dump_block.h"

#include <stdlib.h>

#define BLOCK_MOST 32768

static struct maker maker;
static struct space space;
static struct memory memory;
static struct clr clr;

#define TYPES \
	"{\"version\":0,\"types\":{\"Module\":{\"Base\":8,\"DynamicMetadata\":16,\"ReadyToRunInfo\":24}," \
	"\"DynamicMetadata\":{\"Size\":0,\"Data\":4}," \
	"\"MethodTable\":{\"MTFlags2\":8,\"Module\":24,\"ParentMethodTable\":16},\"MethodDesc\":{\"ChunkIndex\":2,\"Flags\":6," \
	"\"Flags3AndTokenRemainder\":0},\"MethodDescChunk\":{\"!\":24,\"MethodTable\":0,\"FlagsAndTokenRange\":18}," \
	"\"RangeSectionMap\":{\"TopLevelData\":0}," \
	"\"RangeSectionFragment\":{\"RangeBegin\":8,\"RangeEndOpen\":16,\"RangeSection\":24,\"Next\":0}," \
	"\"RangeSection\":{\"RangeBegin\":0,\"HeapList\":40,\"R2RModule\":32},\"CodeHeapListNode\":{\"MapBase\":32,\"HeaderMap\":40}," \
	"\"RealCodeHeader\":{\"MethodDesc\":24,\"NumUnwindInfos\":32,\"UnwindInfos\":36}," \
	"\"ReadyToRunInfo\":{\"CompositeInfo\":40,\"NumRuntimeFunctions\":88,\"RuntimeFunctions\":80,\"NumHotColdMap\":104," \
	"\"HotColdMap\":96,\"EntryPointToMethodDescMap\":112},\"HashMap\":{\"Buckets\":16},\"Bucket\":{\"!\":64,\"Keys\":0," \
	"\"Values\":32}},\"globals\":{\"ObjectToMethodTableUnmask\":7,\"HashMapValueMask\":\"0x7fffffffffffffff\"," \
	"\"MethodDescTokenRemainderBitCount\":12,\"MethodDescAlignment\":8,\"StubCodeBlockLast\":15"

/* The first of the map's pointers is at 0x100 of the block, for addresses there. */
static const char *const descriptions[] = {TYPES "}}", TYPES ",\"ExecutionManagerCodeRangeMapAddress\":\"0x7f0000100100\"}}"};

static void
look_up(void)
{
	struct clr_code code;
	uint32_t entry[3];
	for (uint64_t pc = BLOCK + 0x3fff; pc < BLOCK + 0x5400; pc += 0x1c9) {
		if (!clr_code_at(&clr, pc, &code))
			continue;
		if (code.start > pc || code.base > pc)
			abort();
		if (clr_code_unwind(&clr, pc, &code, entry) && entry[0] > pc - code.base)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	struct fault fault;
	fault_clear(&fault);
	if (count < 2 || count > BLOCK_MOST || (memory.at == NULL && !memory_open(&memory, space_need() + 65536, &fault)))
		return 0;
	if (!block_open(&space, &memory, &maker, 9, data + 1, count - 1, &fault))
		return 0;
	memset(&clr, 0, sizeof clr);
	clr.space = &space;
	if (!clr_descriptor_parse(&clr.d, span_of(descriptions[data[0] & 1])))
		abort();
	look_up();
	return 0;
}
