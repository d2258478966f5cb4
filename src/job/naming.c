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
