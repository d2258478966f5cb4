/* SPDX-License-Identifier: MIT */
#include "job/naming.h"

const char *
naming_os(enum space_os os)
{
	static const char *const names[] = {[OS_UNKNOWN] = "unknown system", [OS_WINDOWS] = "Windows", [OS_LINUX] = "Linux",
	                                    [OS_MAC] = "macOS"};
	return names[os];
}

const char *
naming_os_schema(enum space_os os)
{
	static const char *const names[] = {[OS_UNKNOWN] = NULL, [OS_WINDOWS] = "Windows NT", [OS_LINUX] = "Linux",
	                                    [OS_MAC] = "Mac OS X"};
	return names[os];
}

const char *
naming_arch(enum space_arch arch)
{
	static const char *const names[] = {[ARCH_UNKNOWN] = "of an unknown processor", [ARCH_X86] = "x86", [ARCH_X64] = "x64",
	                                    [ARCH_ARM] = "arm", [ARCH_ARM64] = "arm64"};
	return names[arch];
}

const char *
naming_arch_schema(enum space_arch arch)
{
	static const char *const names[] = {[ARCH_UNKNOWN] = NULL, [ARCH_X86] = "x86", [ARCH_X64] = "amd64", [ARCH_ARM] = "arm",
	                                    [ARCH_ARM64] = "arm64"};
	return names[arch];
}

const char *
naming_register(enum space_arch arch, unsigned i)
{
	static const char *const x64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	                                  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
	static const char *const x86[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
	static const char *const arm64[] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
	                                    "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
	                                    "x25", "x26", "x27", "x28", "fp", "lr", "sp"};
	if (arch == ARCH_X64)
		return i < sizeof x64 / sizeof x64[0] ? x64[i] : NULL;
	if (arch == ARCH_X86)
		return i < sizeof x86 / sizeof x86[0] ? x86[i] : NULL;
	if (arch == ARCH_ARM64)
		return i < sizeof arm64 / sizeof arm64[0] ? arm64[i] : NULL;
	return NULL;
}

const char *
naming_pc(enum space_arch arch)
{
	return arch == ARCH_X64 ? "rip" : arch == ARCH_X86 ? "eip" : "pc";
}

const char *
naming_source(enum managed_source source)
{
	static const char *const names[] = {[MANAGED_NONE] = NULL, [MANAGED_DESCRIPTOR] = "descriptor",
	                                    [MANAGED_HEURISTIC] = "heuristic", [MANAGED_CRASHREPORT] = "crashreport",
	                                    [MANAGED_WATSON] = "watson", [MANAGED_NATIVEAOT] = "nativeaot"};
	return names[source];
}

const char *
naming_source_words(enum managed_source source)
{
	static const char *const words[] = {[MANAGED_NONE] = "nothing", [MANAGED_DESCRIPTOR] = "the runtime's contract descriptor",
	                                    [MANAGED_HEURISTIC] = "an object on the stack that looks like it",
	                                    [MANAGED_CRASHREPORT] = "the crash report beside the dump",
	                                    [MANAGED_WATSON] = "the Watson bucket", [MANAGED_NATIVEAOT] = "what the NativeAOT program wrote of its end"};
	return words[source];
}

const char *
naming_last_error(uint32_t error)
{
	static const struct {
		uint32_t error;
		const char *words;
	} known[] = { /* winerror.h */
		{2, "no such file"}, {3, "no such path"}, {4, "too many open files"}, {5, "access denied"}, {6, "invalid handle"},
		{8, "out of memory"}, {14, "out of memory"}, {32, "sharing violation"}, {38, "end of file"}, {87, "invalid parameter"},
		{109, "broken pipe"}, {112, "disk full"}, {121, "semaphore timed out"}, {122, "buffer too small"}, {126, "module not found"},
		{127, "procedure not found"}, {183, "already exists"}, {193, "not a valid Win32 program"}, {203, "no such environment variable"},
		{232, "pipe is closing"}, {234, "more data"}, {258, "wait timed out"}, {487, "invalid address"}, {995, "operation aborted"},
		{997, "I/O pending"}, {998, "invalid access to memory"}, {1001, "stack too deep"}, {1114, "DLL initialization failed"},
		{1168, "not found"}, {1450, "out of system resources"}, {1455, "page file too small"}, {1816, "out of quota"},
		{10035, "would block"}, {10054, "connection reset"}, {10060, "connection timed out"}, {10061, "connection refused"},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].error == error)
			return known[i].words;
	return NULL;
}
