/* SPDX-License-Identifier: MIT */
/* NAME.crashreport.json, which createdump writes beside a core when DOTNET_EnableCrashReport is set: the crashed thread with
 * the object, type and HRESULT of its exception and its managed frames. It has no message. Format: dotnet/runtime,
 * src/coreclr/debug/createdump/crashreportwriter.cpp, protocol 1.0.0. */
#ifndef DUMP_CRASHREPORT_H
#define DUMP_CRASHREPORT_H

#include "dump/managed.h"

/* Reads the report beside the dump at `path` into an exception whose frames are set: the object's address (0: not told),
 * type, HRESULT and the thread's managed frames. False when there is none, it is no valid JSON, or its crashed thread is not
 * `thread`: then it belongs to another dump. After false the frames may be changed, but none counts. */
bool crashreport_read(const char *path, uint32_t thread, struct managed_exception *) MUST_CHECK;

#endif
