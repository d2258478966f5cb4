/* SPDX-License-Identifier: MIT */
/* What a NativeAOT program writes about its own end: at most 8 KiB of JSON in its memory, with the exceptions, their traces
 * and the words given to Environment.FailFast. Formats: dotnet/runtime, src/coreclr/nativeaot: CrashInfo.cs and
 * DebugHeader.cpp; dotnet/diagnostics, CrashInfoService; createdump's specialdiaginfo.h. */
#ifndef DUMP_CLR_AOT_H
#define DUMP_CLR_AOT_H

#include "dump/managed.h"

#define CLR_AOT_BYTES 8192 /* the runtime has no more room for it */

/* Where the JSON is: named by the exception's parameters (C0000409 with 0x48, address, size), by the exception record that
 * createdump's page of its own points to, or by the debug header that one of the runtimes in the findings exports. Fills
 * the findings' exceptions, whose frames are set, their thread and the runtime's version; room is CLR_AOT_BYTES. False: there is none. */
bool clr_aot_read(struct space *, struct managed_findings *, char *room) MUST_CHECK;

/* The JSON by itself, for tests: false when it is not valid or says nothing. */
bool clr_aot_parse(struct span json, struct managed_findings *) MUST_CHECK;

#endif
