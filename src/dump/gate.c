/* SPDX-License-Identifier: MIT */
#include "dump/gate.h"

#include "base/span.h"

#include <inttypes.h>
#include <string.h>

#define HEADER_BYTES 32
#define VERSION 0xa793
#define ENTRY_BYTES 12
#define MEMORY64_LIST 9
#define STREAMS_MOST 1000 /* Windows writes 10 to 20 */

static void
promise(struct dump_gate *gate, uint64_t end)
{
	if (end > gate->promised)
		gate->promised = end;
}

static bool
refuse_start(struct span head, struct fault *fault)
{
	static const struct {
		const char *magic, *what;
	} known[] = {{"PK", "a zip archive"}, {"\x7f" "ELF", "an ELF file"}, {"<", "a page"}, {"{", "JSON"},
	             {"\xef\xbb\xbf", "text"}, {"\x1f\x8b", "a gzip file"}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (span_begins(head, known[i].magic))
			return fault_raise(fault, FAULT_CORRUPT, "what came is no minidump but %s", known[i].what);
	return fault_raise(fault, FAULT_CORRUPT, "what came is no minidump: it does not begin with MDMP");
}

static bool
check_header(struct span head, struct fault *fault)
{
	uint32_t version = 0, streams = 0, directory = 0;
	if (!span_begins(head, "MDMP"))
		return refuse_start(head, fault);
	if (!span_u32(head, 4, &version) || (version & 0xffff) != VERSION)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump has version %04" PRIx32 ", not a793", version & 0xffff);
	if (!span_u32(head, 8, &streams) || streams == 0 || streams > STREAMS_MOST)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump has a directory of %" PRIu32 " streams", streams);
	if (!span_u32(head, 12, &directory) || directory < HEADER_BYTES)
		return fault_raise(fault, FAULT_CORRUPT, "the minidump's directory lies inside its header");
	return true;
}

/* ELF-64, little-endian, of type core (System V ABI, gABI chapter 4). */
static bool
check_core(struct span head, struct fault *fault)
{
	uint16_t type = 0;
	if (!span_begins(head, "\x7f" "ELF\x02\x01"))
		return fault_raise(fault, FAULT_CORRUPT, "what came is no ELF core");
	if (!span_u16(head, 16, &type) || type != 4)
		return fault_raise(fault, FAULT_CORRUPT, "the ELF file that came is no core");
	return true;
}

/* Where the segments of a core end. A table outside our window, or one too long for its field, is legal and left alone. */
static void
read_segments(struct dump_gate *gate)
{
	struct span head = {gate->head, gate->head_used};
	uint64_t at = 0, place, size;
	uint16_t each = 0, count = 0;
	if (!span_u64(head, 32, &at) || !span_u16(head, 54, &each) || !span_u16(head, 56, &count) || count == UINT16_MAX ||
	    at > sizeof gate->head)
		return;
	for (; count-- > 0 && span_u64(head, at + 8, &place) && span_u64(head, at + 32, &size); at += each)
		promise(gate, size > UINT64_MAX - place ? UINT64_MAX : place + size);
}

/* Notes what the directory promises. A directory further back than our window is legal and left alone. */
static void
read_directory(struct dump_gate *gate)
{
	struct span head = {gate->head, gate->head_used};
	uint32_t streams = 0, at = 0;
	(void)(span_u32(head, 8, &streams) && span_u32(head, 12, &at));
	promise(gate, (uint64_t)at + (uint64_t)streams * ENTRY_BYTES);
	for (uint64_t entry = at; streams-- > 0; entry += ENTRY_BYTES) {
		uint32_t type, size, place;
		if (!span_u32(head, entry, &type) || !span_u32(head, entry + 4, &size) || !span_u32(head, entry + 8, &place))
			return;
		if (type == 0)
			continue; /* UnusedStream */
		promise(gate, (uint64_t)place + size);
		if (type == MEMORY64_LIST && gate->list_at == 0 && size >= 16 && place >= HEADER_BYTES)
			gate->list_at = gate->next_at = place;
	}
}

/* One gathered piece of 16 bytes: first {count, base} of the list, then {address, size} of each range. The memory itself
 * lies one range behind the other from base on. */
static void
take_piece(struct dump_gate *gate)
{
	struct span piece = {gate->piece, sizeof gate->piece};
	uint64_t first = 0, second = 0;
	(void)(span_u64(piece, 0, &first) && span_u64(piece, 8, &second));
	gate->next_at += sizeof gate->piece;
	gate->piece_used = 0;
	if (!gate->list_opened) {
		gate->list_opened = true;
		gate->descriptors = first;
		gate->memory_end = second;
		return;
	}
	gate->descriptors--;
	gate->memory_end = second > UINT64_MAX - gate->memory_end ? UINT64_MAX : gate->memory_end + second;
}

/* Follows the list as the bytes [at, at + count) go by. */
static void
watch_list(struct dump_gate *gate, uint64_t at, const unsigned char *from, size_t count)
{
	while (gate->list_at != 0 && (!gate->list_opened || gate->descriptors > 0)) {
		uint64_t want = gate->next_at + gate->piece_used;
		size_t skip, take = sizeof gate->piece - gate->piece_used;
		if (want < at || want - at >= count)
			return;
		skip = (size_t)(want - at);
		if (take > count - skip)
			take = count - skip;
		memcpy(gate->piece + gate->piece_used, from + skip, take);
		gate->piece_used += take;
		if (gate->piece_used < sizeof gate->piece)
			return;
		take_piece(gate);
	}
}

static size_t
fill_head(struct dump_gate *gate, const void *from, size_t count)
{
	size_t take = sizeof gate->head - gate->head_used;
	if (take > count)
		take = count;
	memcpy(gate->head + gate->head_used, from, take);
	gate->head_used += take;
	return take;
}

/* The window is full, or the dump has ended: looks at it and lets it through. */
static bool
open_gate(struct dump_gate *gate, struct fault *fault)
{
	struct span head = {gate->head, gate->head_used};
	if (gate->core ? !check_core(head, fault) : !check_header(head, fault))
		return false;
	if (gate->core)
		read_segments(gate);
	else
		read_directory(gate);
	gate->opened = true;
	watch_list(gate, 0, gate->head, gate->head_used);
	return gate->under->write(gate->under, gate->head, gate->head_used, fault);
}

static bool
gate_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct dump_gate *gate = (struct dump_gate *)sink;
	const unsigned char *at = from;
	if (!gate->opened) {
		size_t taken = fill_head(gate, at, count);
		gate->total += taken;
		at += taken;
		count -= taken;
		if (gate->head_used < sizeof gate->head)
			return true;
		if (!open_gate(gate, fault))
			return false;
	}
	if (count == 0)
		return true;
	watch_list(gate, gate->total, at, count);
	gate->total += count;
	return gate->under->write(gate->under, at, count, fault);
}

static bool
gate_finish(struct sink *sink, struct fault *fault)
{
	struct dump_gate *gate = (struct dump_gate *)sink;
	struct span head = {gate->head, gate->head_used};
	if (!gate->opened && (gate->core ? !check_core(head, fault) : !check_header(head, fault)))
		return false;
	if (gate->total < DUMP_BYTES_LEAST) {
		fault_raise(fault, FAULT_CORRUPT, "the dump has only %" PRIu64 " bytes: no debugger can use it", gate->total);
		return fault_hint(fault, "that happens when Kudu and the process differ in bitness (32 and 64 bit)");
	}
	promise(gate, gate->memory_end);
	if (gate->descriptors > 0)
		return fault_raise(fault, FAULT_CORRUPT, "the dump ends inside its list of memory ranges");
	if (gate->total < gate->promised) {
		fault_raise(fault, FAULT_CORRUPT, "the dump ends after %" PRIu64 " bytes, its directory promises %" PRIu64,
		            gate->total, gate->promised);
		return fault_hint(fault, "Kudu wrote it incompletely: the process may have ended, or the site's storage is full");
	}
	return gate->under->finish(gate->under, fault);
}

static void
gate_abandon(struct sink *sink)
{
	struct dump_gate *gate = (struct dump_gate *)sink;
	gate->under->abandon(gate->under);
}

void
dump_gate_open(struct dump_gate *gate, struct sink *under)
{
	memset(gate, 0, sizeof *gate);
	gate->sink = (struct sink){gate_write, gate_finish, gate_abandon};
	gate->under = under;
}
