/* SPDX-License-Identifier: MIT
 * catch OUT.dmp full|mini PID EVENT: the post-mortem debugger of Windows (AeDebug), which the system starts for a process with an
 * unhandled exception, with the last two arguments. Writes a minidump of it and ends it. Ends with 0 when there is one. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <dbghelp.h>

#define FULL (MiniDumpWithFullMemory | MiniDumpWithHandleData | MiniDumpWithUnloadedModules | MiniDumpWithThreadInfo)

static BOOL
write_dump(HANDLE process, const DEBUG_EVENT *event, const char *path, MINIDUMP_TYPE type)
{
	EXCEPTION_RECORD record = event->u.Exception.ExceptionRecord;
	CONTEXT *context = _aligned_malloc(sizeof *context, 16);
	EXCEPTION_POINTERS pointers = {&record, context};
	MINIDUMP_EXCEPTION_INFORMATION crash = {event->dwThreadId, &pointers, FALSE};
	HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, event->dwThreadId);

	memset(context, 0, sizeof *context);
	context->ContextFlags = CONTEXT_ALL;
	GetThreadContext(thread, context);
	HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
	BOOL written = MiniDumpWriteDump(process, event->dwProcessId, file, type, &crash, NULL, NULL);
	fprintf(stderr, "catch: thread %lu exception %08lx at %p\n", event->dwThreadId, record.ExceptionCode, record.ExceptionAddress);
	if (!written)
		fprintf(stderr, "catch: MiniDumpWriteDump: %08lx\n", GetLastError());
	CloseHandle(file);
	CloseHandle(thread);
	return written;
}

static void
close_file(const DEBUG_EVENT *event)
{
	HANDLE file = NULL;

	if (event->dwDebugEventCode == CREATE_PROCESS_DEBUG_EVENT)
		file = event->u.CreateProcessInfo.hFile;
	if (event->dwDebugEventCode == LOAD_DLL_DEBUG_EVENT)
		file = event->u.LoadDll.hFile;
	if (file)
		CloseHandle(file);
}

/* Wine 8's dbghelp may fail after the dump is complete; the system is not to start a debugger for the debugger then. */
static LONG WINAPI
leave(EXCEPTION_POINTERS *why)
{
	fprintf(stderr, "catch: dbghelp failed itself, %08lx\n", why->ExceptionRecord->ExceptionCode);
	TerminateProcess(GetCurrentProcess(), 3);
	return EXCEPTION_EXECUTE_HANDLER;
}

int
main(int argc, char **argv)
{
	if (argc < 5)
		return fputs("usage: catch OUT.dmp full|mini PID EVENT\n", stderr), 2;
	SetUnhandledExceptionFilter(leave);
	DWORD pid = strtoul(argv[3], NULL, 10);
	HANDLE attached = (HANDLE)(uintptr_t)strtoul(argv[4], NULL, 10);
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, pid);
	if (!process || !DebugActiveProcess(pid))
		return fprintf(stderr, "catch: cannot attach to %lu: %lu\n", pid, GetLastError()), 1;
	for (DEBUG_EVENT event;;) {
		DWORD answer = DBG_CONTINUE;
		if (!WaitForDebugEvent(&event, 60000))
			return TerminateProcess(process, 1), fputs("catch: the exception did not come again\n", stderr), 1;
		close_file(&event);
		if (event.dwDebugEventCode == EXIT_PROCESS_DEBUG_EVENT)
			return fprintf(stderr, "catch: it ended with %08lx\n", event.u.ExitProcess.dwExitCode), 1;
		if (event.dwDebugEventCode == EXCEPTION_DEBUG_EVENT) {
			if (!event.u.Exception.dwFirstChance) {
				BOOL written = write_dump(process, &event, argv[1], strcmp(argv[2], "full") == 0 ? FULL : MiniDumpNormal);
				TerminateProcess(process, event.u.Exception.ExceptionRecord.ExceptionCode);
				return !written;
			}
			if (event.u.Exception.ExceptionRecord.ExceptionCode != EXCEPTION_BREAKPOINT)
				answer = DBG_EXCEPTION_NOT_HANDLED;
			else
				SetEvent(attached);
		}
		ContinueDebugEvent(event.dwProcessId, event.dwThreadId, answer);
	}
}
