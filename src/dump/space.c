/* SPDX-License-Identifier: MIT */
#include "dump/space.h"

#include "dump/core.h"
#include "dump/minidump.h"
#include "dump/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OVERLAP_MOST 16 /* modules looked at backwards for one that reaches over its neighbour */
#define HEAD 4096

size_t
space_need(void)
{
	return view_need() + SPACE_LISTS * ranges_need() + memory_need(SPACE_MODULES_MAX * sizeof(struct module), 64)
	       + memory_need(SPACE_THREADS_MAX * sizeof(struct thread), 64);
}

static bool
is_microdump(struct span head)
{
	size_t place;
	return span_find(head, "BEGIN BREAKPAD MICRODUMP", &place);
}

/* Says what a file is that is no dump. Always false. */
static bool
refuse(struct span head, struct fault *fault)
{
	static const struct {
		const char *magic, *what, *hint;
		enum fault_kind kind;
	} known[] = {
		{"PK\3\4", "a zip archive", "unpack it: in a zip from Kudu the dump is the entry minidump.dmp", FAULT_CORRUPT},
		{"\x1f\x8b", "a gzip file", "unpack it first: gzip -d", FAULT_CORRUPT},
		{"\xfd" "7zXZ", "an xz file", "unpack it first: xz -d", FAULT_CORRUPT},
		{"\x28\xb5\x2f\xfd", "a zstd file", "unpack it first: zstd -d", FAULT_CORRUPT},
		{"7z\xbc\xaf", "a 7z archive", "unpack it first", FAULT_CORRUPT},
		{"MSCF", "a cabinet archive", "unpack it first: cabextract", FAULT_CORRUPT},
		{"MZ", "a Windows program", "dumps are .dmp files; programs belong into the folder of --images", FAULT_CORRUPT},
		{"PAGEDUMP", "a dump of the Windows kernel", "only dumps of processes can be read", FAULT_UNABLE},
		{"PAGEDU64", "a dump of the Windows kernel", "only dumps of processes can be read", FAULT_UNABLE},
		{"USERDUMP", "a user dump of before Windows XP", "only minidumps and ELF cores can be read", FAULT_UNABLE},
		{"PMDM", "a big-endian minidump", "only little-endian ones can be read", FAULT_UNABLE},
		{"\xcf\xfa\xed\xfe", "a Mach-O file", "only minidumps and ELF cores can be read", FAULT_UNABLE},
		{"<", "a page of HTML or XML", "the download answered with a page instead of the dump", FAULT_CORRUPT},
		{"{", "JSON", "the download answered with JSON instead of the dump", FAULT_CORRUPT},
	};
	if (is_microdump(head)) {
		fault_raise(fault, FAULT_UNABLE, "the file is a microdump, which is text with a stack and no memory");
		return fault_hint(fault, "Breakpad's own minidump_stackwalk reads microdumps");
	}
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!span_begins(head, known[i].magic))
			continue;
		fault_raise(fault, known[i].kind, "the file is no dump of a process but %s", known[i].what);
		return fault_hint(fault, "%s", known[i].hint);
	}
	return fault_raise(fault, FAULT_CORRUPT, "the file is no dump: it begins neither with MDMP nor as an ELF core");
}

static bool
read_head(struct space *space, struct memory *memory, struct fault *fault)
{
	unsigned char head[HEAD];
	size_t size = space->view.size < sizeof head ? (size_t)space->view.size : sizeof head;
	struct span span = {head, size};
	if (size == 0)
		return fault_raise(fault, FAULT_CORRUPT, "the file is empty");
	if (!view_read(&space->view, 0, head, size))
		return fault_raise(fault, FAULT_SYSTEM, "the file's first bytes cannot be read");
	if (span_begins(span, "MDMP"))
		return minidump_read(space, memory, fault);
	if (span_begins(span, "\x7f" "ELF"))
		return core_read(space, memory, fault);
	if (span_begins(span, "\xef\xbb\xbf"))
		span = span_from(span, 3);
	while (span.count > 0 && (span.at[0] == ' ' || span.at[0] == '\r' || span.at[0] == '\n' || span.at[0] == '\t'))
		span = span_from(span, 1);
	return refuse(span, fault);
}

static void
sift(struct module *modules, size_t root, size_t count)
{
	struct module moved = modules[root];
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && modules[child + 1].base > modules[child].base)
			child++;
		if (modules[child].base <= moved.base)
			break;
		modules[root] = modules[child];
	}
	modules[root] = moved;
}

/* A heap sort: no memory, and no bad case that a file could bring about. */
static void
sort_modules(struct module *modules, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sift(modules, i, count);
	for (size_t last = count; last-- > 1;) {
		struct module moved = modules[0];
		modules[0] = modules[last];
		modules[last] = moved;
		sift(modules, 0, last);
	}
}

static void
look_over(struct space *space)
{
	const struct module *modules = space->modules;
	uint64_t promised = 0;
	size_t overlaps = 0;
	sort_modules(space->modules, space->module_count);
	for (size_t i = 1; i < space->module_count; i++)
		overlaps += modules[i].base - modules[i - 1].base < modules[i - 1].size;
	if (overlaps > 0)
		space_note(space, "%zu modules overlap their neighbours", overlaps);
	if (space->modules_left_out > 0)
		space_note(space, "%zu modules more than can be kept", space->modules_left_out);
	if (space->threads_left_out > 0)
		space_note(space, "%zu threads more than can be kept", space->threads_left_out);
	for (size_t i = 0; i < space->list_count; i++)
		if (space->lists[i].promised > promised)
			promised = space->lists[i].promised;
	if (promised > space->view.size)
		space->torn = true;
	if (promised > space->view.size)
		space_note(space, "the file ends before the memory it lists: %llu of %llu bytes",
		           (unsigned long long)space->view.size, (unsigned long long)promised);
	if (view_exhausted(&space->view))
		space_note(space, "the file's lists are larger than what is read of a dump: the rest was left out");
	if (space->crash.recorded && space_thread(space, space->crash.thread) == NULL)
		space_note(space, "the thread %u that crashed is not in the thread list", space->crash.thread);
}

static bool
open_parts(struct space *space, struct memory *memory, struct fault *fault)
{
	space->modules = memory_take(memory, SPACE_MODULES_MAX * sizeof *space->modules, 64);
	space->threads = memory_take(memory, SPACE_THREADS_MAX * sizeof *space->threads, 64);
	if (!read_head(space, memory, fault)) {
		space_close(space);
		return false;
	}
	look_over(space);
	return true;
}

bool
space_open(struct space *space, struct memory *memory, const char *path, struct fault *fault)
{
	memset(space, 0, sizeof *space);
	return view_open(&space->view, memory, path, fault)
	       && (open_parts(space, memory, fault) || fault_while(fault, "reading %s", path));
}

bool
space_open_bytes(struct space *space, struct memory *memory, struct span bytes, struct fault *fault)
{
	memset(space, 0, sizeof *space);
	view_of_bytes(&space->view, memory, bytes);
	return open_parts(space, memory, fault);
}

void
space_close(struct space *space)
{
	view_close(&space->view);
}

void
space_note(struct space *space, const char *format, ...)
{
	char *note;
	va_list words;
	if (space->soft_count >= sizeof space->soft / sizeof space->soft[0])
		return;
	note = space->soft[space->soft_count];
	va_start(words, format);
	vsnprintf(note, sizeof space->soft[0], format, words);
	va_end(words);
	for (size_t i = 0; i < space->soft_count; i++)
		if (strcmp(space->soft[i], note) == 0)
			return;
	space->soft_count++;
}

/* The range of the best list that holds an address. */
static bool
find(struct space *space, uint64_t address, struct range *range)
{
	for (size_t i = 0; i < space->list_count; i++)
		if (ranges_find(&space->lists[i], &space->view, address, range) && range->start <= address)
			return true;
	return false;
}

bool
space_range_at(struct space *space, uint64_t address, uint64_t *start, uint64_t *size)
{
	struct range range;
	bool any = false;
	for (size_t i = 0; i < space->list_count; i++) {
		if (!ranges_find(&space->lists[i], &space->view, address, &range))
			continue;
		if (!any || range.start < *start) {
			*start = range.start;
			*size = range.size;
		}
		any = true;
		if (range.start <= address)
			break;
	}
	return any;
}

/* From a module's file, up to its end and to the next bytes that the dump has; 0: not there. */
static size_t
read_image(struct space *space, uint64_t address, unsigned char *room, size_t size)
{
	const struct module *module = space->images == NULL ? NULL : space_module_at(space, address);
	uint64_t start, there, left;
	if (module == NULL)
		return 0;
	left = module->size - (address - module->base);
	if (space_range_at(space, address, &start, &there) && start - address < left)
		left = start - address;
	if (size > left)
		size = (size_t)left;
	return space->images->read(space->images, space, module, address - module->base, room, size) ? size : 0;
}

size_t
space_read_some(struct space *space, uint64_t address, void *room, size_t size)
{
	unsigned char *to = room;
	size_t done = 0;
	if (size > 0 && size - 1 > UINT64_MAX - address)
		size = (size_t)(UINT64_MAX - address) + 1;
	while (done < size) {
		struct range range;
		uint64_t at = address + done;
		size_t take = size - done;
		if (!find(space, at, &range)) {
			take = read_image(space, at, to + done, take);
			if (take == 0)
				return done;
			done += take;
			continue;
		}
		if (take > range.size - (at - range.start))
			take = (size_t)(range.size - (at - range.start));
		if (!view_read(&space->view, range.offset + (at - range.start), to + done, take))
			return done;
		done += take;
	}
	return done;
}

bool
space_read(struct space *space, uint64_t address, void *room, size_t size)
{
	return space_read_some(space, address, room, size) == size;
}

bool
space_u8(struct space *space, uint64_t address, uint8_t *value)
{
	return space_read(space, address, value, 1);
}

bool
space_u16(struct space *space, uint64_t address, uint16_t *value)
{
	unsigned char bytes[2];
	return space_read(space, address, bytes, sizeof bytes) && span_u16((struct span){bytes, sizeof bytes}, 0, value);
}

bool
space_u32(struct space *space, uint64_t address, uint32_t *value)
{
	unsigned char bytes[4];
	return space_read(space, address, bytes, sizeof bytes) && span_u32((struct span){bytes, sizeof bytes}, 0, value);
}

bool
space_u64(struct space *space, uint64_t address, uint64_t *value)
{
	unsigned char bytes[8];
	return space_read(space, address, bytes, sizeof bytes) && span_u64((struct span){bytes, sizeof bytes}, 0, value);
}

bool
space_pointer(struct space *space, uint64_t address, uint64_t *value)
{
	uint32_t narrow;
	if (space->pointer_size == 8)
		return space_u64(space, address, value);
	if (!space_u32(space, address, &narrow))
		return false;
	*value = narrow;
	return true;
}

const struct module *
space_module_at(const struct space *space, uint64_t address)
{
	size_t low = 0, high = space->module_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (space->modules[middle].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t back = 0; back < OVERLAP_MOST && back < low; back++) {
		const struct module *module = &space->modules[low - 1 - back];
		if (address - module->base < module->size)
			return module;
	}
	return NULL;
}

static void
put_name(struct space *space, uint64_t at, char room[SPACE_NAME_MAX])
{
	struct text text = text_in(room, SPACE_NAME_MAX);
	if (at == 0)
		return;
	if (space->is_core)
		words_put_utf8_at(&text, &space->view, at, SPACE_NAME_MAX);
	else
		words_put_string_at(&text, &space->view, at);
}

void
space_module_name(struct space *space, const struct module *module, char room[SPACE_NAME_MAX])
{
	put_name(space, module->name_at, room);
}

const char *
space_short_name(const char *name)
{
	const char *start = name;
	for (; *name != 0; name++)
		if ((*name == '/' || *name == '\\') && name[1] != 0)
			start = name + 1;
	return start;
}

const struct thread *
space_thread(const struct space *space, uint32_t id)
{
	for (size_t i = 0; i < space->thread_count; i++)
		if (space->threads[i].id == id)
			return &space->threads[i];
	return NULL;
}

void
space_thread_name(struct space *space, const struct thread *thread, char room[SPACE_NAME_MAX])
{
	put_name(space, thread->name_at, room);
}

const struct stream *
space_stream(const struct space *space, uint32_t type)
{
	for (size_t i = 0; i < space->stream_count; i++)
		if (space->streams[i].type == type)
			return &space->streams[i];
	return NULL;
}

bool
space_last_error(struct space *space, const struct thread *thread, uint32_t *value)
{
	return space->os == OS_WINDOWS && thread->teb != 0 && thread->teb <= UINT64_MAX - 0x1000
	       && space_u32(space, thread->teb + 13u * space->pointer_size, value);
}
