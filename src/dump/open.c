/* SPDX-License-Identifier: MIT */
#include "dump/open.h"

#include "dump/core.h"
#include "dump/minidump.h"

#include <string.h>

#define HEAD 4096

size_t
dump_need(void)
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
		dump_close(space);
		return false;
	}
	look_over(space);
	return true;
}

bool
dump_open(struct space *space, struct memory *memory, const char *path, struct fault *fault)
{
	memset(space, 0, sizeof *space);
	return view_open(&space->view, memory, path, fault)
	       && (open_parts(space, memory, fault) || fault_while(fault, "reading %s", path));
}

bool
dump_open_bytes(struct space *space, struct memory *memory, struct span bytes, struct fault *fault)
{
	memset(space, 0, sizeof *space);
	view_of_bytes(&space->view, memory, bytes);
	return open_parts(space, memory, fault);
}

void
dump_close(struct space *space)
{
	view_close(&space->view);
}
