/* SPDX-License-Identifier: MIT */
#include "dump/runtimes.h"

#include "dump/clr.h"
#include "dump/clr_symbol.h"
#include "dump/words.h"

#include <string.h>

#define VERSION_SCAN (64u << 20)
#define VERSION_MARK "@(#)Version " /* what every part of .NET on Linux carries */
#define PIECE 4096

/* By its file's name, or by what a single-file program exports. */
static bool
is_runtime(struct space *space, const struct module *module, const char *name)
{
	static const char *const names[] = {"coreclr.dll", "libcoreclr.so", "clr.dll", "mscorwks.dll", "libcoreclr.dylib"};
	static const char *const exports[] = {"DotNetRuntimeContractDescriptor", "DotNetRuntimeInfo", "g_dacTable",
	                                      "DotNetRuntimeDebugHeader"};
	uint64_t address;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_is_nocase(span_of(name), names[i]))
			return true;
	for (size_t i = 0; i < sizeof exports / sizeof exports[0]; i++)
		if (clr_symbol_find(space, module, exports[i], &address))
			return true;
	return false;
}

static void
put_pe_version(uint64_t version, struct text *text)
{
	text_printf(text, "%u.%u.%u.%u", (unsigned)(version >> 48 & 0xffff), (unsigned)(version >> 32 & 0xffff),
	            (unsigned)(version >> 16 & 0xffff), (unsigned)(version & 0xffff));
}

/* The version behind the mark, if it looks like one. */
static bool
take_version(struct span bytes, char *room, size_t size)
{
	size_t length = 0;
	while (length < bytes.count && ((bytes.at[length] >= '0' && bytes.at[length] <= '9') || bytes.at[length] == '.'))
		length++;
	return length > 2 && text_keep(room, size, span_first(bytes, length));
}

/* Pieces overlap by what the mark and a version take. */
static void
scan_version(struct space *space, const struct module *module, char *room, size_t size)
{
	unsigned char piece[PIECE];
	uint64_t at = module->base, end = at + module->size, start, length, scanned = 0;
	size_t found;
	for (; at < end && scanned < VERSION_SCAN && space_range_at(space, at, &start, &length); scanned += PIECE) {
		size_t got;
		if (start > at)
			at = start;
		if (at >= end)
			return;
		got = space_read_some(space, at, piece, sizeof piece);
		if (span_find((struct span){piece, got}, VERSION_MARK, &found) &&
		    take_version(span_from((struct span){piece, got}, found + strlen(VERSION_MARK)), room, size))
			return;
		at += got > 64 ? got - 64 : PIECE;
	}
}

/* The version of the library that belongs to a runtime is the runtime's. */
static void
take_library_version(struct space *space, char *room, size_t size)
{
	struct clr_metadata metadata;
	struct text text = text_in(room, size);
	char name[SPACE_NAME_MAX];
	for (size_t i = 0; i < space->module_count; i++) {
		space_module_name(space, &space->modules[i], name);
		if (span_is_nocase(span_of(space_short_name(name)), "System.Private.CoreLib.dll") &&
		    clr_metadata_open_image(&metadata, space, space->modules[i].base) &&
		    clr_metadata_put_version(&metadata, space, &text))
			return;
	}
}

static void
add_runtime(struct space *space, const struct module *module, const char *name, struct managed_findings *findings)
{
	struct managed_runtime *runtime = &findings->runtimes[findings->runtime_count++];
	struct text version = text_in(runtime->version, sizeof runtime->version);
	struct text short_name = text_in(runtime->name, sizeof runtime->name);
	words_put_utf8(&short_name, span_of(name));
	runtime->base = module->base;
	if (module->version != 0 && space->os == OS_WINDOWS && (span_is_nocase(span_of(name), "coreclr.dll") ||
	    span_is_nocase(span_of(name), "clr.dll") || span_is_nocase(span_of(name), "mscorwks.dll")))
		put_pe_version(module->version, &version);
	else
		scan_version(space, module, runtime->version, sizeof runtime->version);
	if (runtime->version[0] == '\0' && !span_is_nocase(span_of(name), "clr.dll"))
		take_library_version(space, runtime->version, sizeof runtime->version);
}

static void
add_runtimes(struct space *space, struct managed_findings *findings)
{
	char name[SPACE_NAME_MAX];
	for (size_t i = 0; i < space->module_count && findings->runtime_count < MANAGED_RUNTIMES_MAX; i++) {
		space_module_name(space, &space->modules[i], name);
		if (is_runtime(space, &space->modules[i], space_short_name(name)))
			add_runtime(space, &space->modules[i], space_short_name(name), findings);
	}
}

/* The runtime that raised the exception says so in its last parameter; it goes first. */
static bool
put_raiser_first(const struct space *space, struct managed_findings *findings)
{
	const struct crash *crash = &space->crash;
	if (!crash->recorded || crash->code != CLR_CODE || crash->parameter_count < 5)
		return false;
	for (size_t i = 0; i < findings->runtime_count; i++) {
		struct managed_runtime raiser = findings->runtimes[i];
		if (raiser.base != crash->parameters[4])
			continue;
		findings->runtimes[i] = findings->runtimes[0];
		findings->runtimes[0] = raiser;
		return true;
	}
	return false;
}

bool
runtimes_find(struct space *space, struct managed_findings *findings)
{
	add_runtimes(space, findings);
	return put_raiser_first(space, findings);
}
