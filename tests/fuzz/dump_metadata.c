/* SPDX-License-Identifier: MIT */
/* Structures of a .NET runtime in hostile memory: metadata of an image at 0x1000 of a block, an exception object at 0x400,
 * threads and the map of code ranges. tests/unit/dump_clr.c lays out the same block by hand. All is read twice: as a descriptor
 * tells, and as of a runtime without one, where a module's image has to be guessed. */
#include "dump/clr_code.h"
#include "dump/clr_object.h"

#define MAKER_ROOM 65536 /* cleared each time */
#include "../unit/dump_block.h"
#include "dump/open.h"

#include <stdlib.h>

#define BLOCK_MOST 16384

static struct maker maker;
static struct space space;
static struct memory memory;
static struct clr clr;
static struct clr_metadata metadata;
static struct managed_exception exceptions[MANAGED_INNER_MAX];
static struct managed_frame frames[MANAGED_INNER_MAX][MANAGED_FRAMES_MAX];

static const char description[] =
	"{\"version\":0,\"types\":{\"Exception\":{\"_message\":16,\"_innerException\":32,\"_stackTrace\":48,\"_HResult\":108,\"_xcode\":104},"
	"\"String\":{\"m_FirstChar\":12,\"m_StringLength\":8},\"Array\":{\"!\":16,\"m_NumComponents\":8},\"Module\":{\"Base\":8,"
	"\"DynamicMetadata\":16,\"ReadyToRunInfo\":24},\"DynamicMetadata\":{\"Size\":0,\"Data\":4},"
	"\"MethodTable\":{\"MTFlags2\":8,\"Module\":24,\"ParentMethodTable\":16},\"MethodDesc\":{\"ChunkIndex\":2,\"Flags\":6,"
	"\"Flags3AndTokenRemainder\":0},\"MethodDescChunk\":{\"!\":24,\"MethodTable\":0,\"FlagsAndTokenRange\":18},"
	"\"DynamicMethodDesc\":{\"MethodName\":32},\"Thread\":{\"OSId\":8,\"LinkNext\":16,\"ExceptionTracker\":24,"
	"\"LastThrownObject\":32},\"ThreadStore\":{\"FirstThreadLink\":0,\"ThreadCount\":8},"
	"\"ExceptionInfo\":{\"ThrownObject\":8,\"PreviousNestedInfo\":0},\"RangeSectionMap\":{\"TopLevelData\":0},"
	"\"RangeSectionFragment\":{\"RangeBegin\":8,\"RangeEndOpen\":16,\"RangeSection\":24,\"Next\":0},"
	"\"RangeSection\":{\"RangeBegin\":0,\"HeapList\":40,\"R2RModule\":32},\"CodeHeapListNode\":{\"MapBase\":32,\"HeaderMap\":40},"
	"\"RealCodeHeader\":{\"MethodDesc\":24,\"NumUnwindInfos\":32,\"UnwindInfos\":36},"
	"\"ReadyToRunInfo\":{\"CompositeInfo\":40,\"NumRuntimeFunctions\":88,\"RuntimeFunctions\":80,\"NumHotColdMap\":104,"
	"\"HotColdMap\":96,\"EntryPointToMethodDescMap\":112},\"HashMap\":{\"Buckets\":16},\"Bucket\":{\"!\":64,\"Keys\":0,"
	"\"Values\":32}},\"globals\":{\"ObjectToMethodTableUnmask\":7,\"HashMapValueMask\":\"0x7fffffffffffffff\","
	"\"MethodDescTokenRemainderBitCount\":12,\"MethodDescAlignment\":8,\"ThreadStore\":\"0x7f0000100108\","
	"\"ExceptionMethodTable\":\"0x7f0000100100\",\"StringMethodTable\":\"0x7f0000100118\",\"ObjectArrayMethodTable\":\"0x7f0000100110\","
	"\"ExecutionManagerCodeRangeMapAddress\":\"0x7f0000100d00\",\"StubCodeBlockLast\":15}}";

static void
check_name(const char *name, size_t size)
{
	struct span rest = {(const unsigned char *)name, strnlen(name, size)};
	char room[FRAME_NAME_MAX];
	struct text text = text_in(room, sizeof room);
	if (rest.count == size)
		abort();
	text_put_tame(&text, rest);
}

static void
name_rows(void)
{
	char name[FRAME_NAME_MAX];
	for (uint32_t row = 0; row < 6; row++) {
		struct text text = text_in(name, sizeof name);
		if (clr_metadata_put_type(&metadata, &space, row, &text) || clr_metadata_put_method(&metadata, &space, row, &text))
			check_name(name, sizeof name);
		text_reset(&text);
		if (clr_metadata_put_owned_method(&metadata, &space, row, &text))
			check_name(name, sizeof name);
	}
	{
		struct text text = text_in(name, sizeof name);
		if (clr_metadata_put_version(&metadata, &space, &text) && strspn(name, "0123456789.") != text.used)
			abort();
	}
}

static void
read_threads(void)
{
	struct clr_thrown thrown;
	bool found;
	if (clr_thrown_by_any(&clr, &thrown) && thrown.object == 0)
		abort();
	if (clr_thrown_by(&clr, 77, &thrown, &found) && found && thrown.thread != 77)
		abort();
	if (found && !clr_knows_threads(&clr))
		abort();
}

static void
read_objects(void)
{
	uint64_t string, pc, sp;
	size_t count = clr_read_chain(&clr, BLOCK + 0x400, clr.guess_base, exceptions, MANAGED_INNER_MAX);
	for (size_t i = 0; i < count; i++) {
		check_name(exceptions[i].type, sizeof exceptions[i].type);
		check_name(exceptions[i].message, sizeof exceptions[i].message);
		if (exceptions[i].frame_count > MANAGED_FRAMES_MAX)
			abort();
	}
	(void)!clr_last_frame(&clr, BLOCK + 0x400, &pc, &sp);
	if (clr_find_string(&clr, BLOCK + 0x400, BLOCK + 0x480, &string) && !clr_has_words(&clr, string))
		abort();
}

static void
read_code(void)
{
	struct clr_code code;
	uint32_t entry[3];
	for (uint64_t pc = BLOCK; pc < BLOCK + 0x800; pc += 0x155)
		if (clr_code_at(&clr, pc, &code) && (clr_code_unwind(&clr, pc, &code, entry) || code.method != 0) && code.start > pc)
			abort();
}

static void
read_all(bool guess, bool narrow)
{
	memset(&clr, 0, sizeof clr);
	clr.space = &space;
	if (!clr_descriptor_parse(&clr.d, span_of(description)))
		abort();
	clr.guess_base = guess;
	clr.narrow_tokens = narrow;
	clr.d.has_global[GLOBAL_EXCEPTION_TABLE] = !guess;
	read_threads();
	read_objects();
	read_code();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	struct fault fault;
	fault_clear(&fault);
	if (count == 0 || count > BLOCK_MOST || (memory.at == NULL && !memory_open(&memory, dump_need() + 65536, &fault)))
		return 0;
	if (!block_open(&space, &memory, &maker, 9, data, count, &fault))
		return 0;
	for (size_t i = 0; i < MANAGED_INNER_MAX; i++)
		exceptions[i].frames = frames[i];
	if (clr_metadata_open_image(&metadata, &space, BLOCK + 0x1000))
		name_rows();
	if (clr_metadata_open_blob(&metadata, &space, BLOCK, 0x1000))
		name_rows();
	read_all(false, false);
	read_all(true, (data[0] & 1) != 0);
	return 0;
}
