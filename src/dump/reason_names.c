/* SPDX-License-Identifier: MIT */
#include "dump/reason_names.h"

#include <stddef.h>

static const struct code_name exceptions[] = {
	{0x04242420, "CLR_DEBUGGER_NOTIFICATION", "notice of the .NET runtime to a debugger"},
	{0x20474343, "GCC C++ Exception", "C++ exception (GCC)"},
	{0x40000015, "STATUS_FATAL_APP_EXIT", "fatal application exit"},
	{0x4000001e, "STATUS_WX86_SINGLE_STEP", "single step (32-bit)"},
	{0x4000001f, "STATUS_WX86_BREAKPOINT", "breakpoint (32-bit)"},
	{0x40010005, "DBG_CONTROL_C", "Ctrl-C"},
	{0x40010006, "DBG_PRINTEXCEPTION_C", "debug output"},
	{0x406d1388, "MS_VC_EXCEPTION", "notice of a thread's name to a debugger"},
	{0x80000001, "EXCEPTION_GUARD_PAGE", "guard page touched"},
	{0x80000002, "EXCEPTION_DATATYPE_MISALIGNMENT", "misaligned data"},
	{0x80000003, "EXCEPTION_BREAKPOINT", "breakpoint"},
	{0x80000004, "EXCEPTION_SINGLE_STEP", "single step"},
	{0xc0000005, "EXCEPTION_ACCESS_VIOLATION", "access violation"},
	{0xc0000006, "EXCEPTION_IN_PAGE_ERROR", "in-page error"},
	{0xc0000008, "EXCEPTION_INVALID_HANDLE", "invalid handle"},
	{0xc000000d, "STATUS_INVALID_PARAMETER", "invalid parameter"},
	{0xc0000017, "STATUS_NO_MEMORY", "out of memory"},
	{0xc000001d, "EXCEPTION_ILLEGAL_INSTRUCTION", "illegal instruction"},
	{0xc0000025, "EXCEPTION_NONCONTINUABLE_EXCEPTION", "execution went on after an exception that forbids it"},
	{0xc0000026, "EXCEPTION_INVALID_DISPOSITION", "an exception handler gave an invalid answer"},
	{0xc0000028, "STATUS_BAD_STACK", "broken stack while unwinding"},
	{0xc000008c, "EXCEPTION_ARRAY_BOUNDS_EXCEEDED", "array bounds exceeded"},
	{0xc000008d, "EXCEPTION_FLT_DENORMAL_OPERAND", "denormal floating-point operand"},
	{0xc000008e, "EXCEPTION_FLT_DIVIDE_BY_ZERO", "floating-point division by zero"},
	{0xc000008f, "EXCEPTION_FLT_INEXACT_RESULT", "inexact floating-point result"},
	{0xc0000090, "EXCEPTION_FLT_INVALID_OPERATION", "invalid floating-point operation"},
	{0xc0000091, "EXCEPTION_FLT_OVERFLOW", "floating-point overflow"},
	{0xc0000092, "EXCEPTION_FLT_STACK_CHECK", "floating-point stack overflow or underflow"},
	{0xc0000093, "EXCEPTION_FLT_UNDERFLOW", "floating-point underflow"},
	{0xc0000094, "EXCEPTION_INT_DIVIDE_BY_ZERO", "integer division by zero"},
	{0xc0000095, "EXCEPTION_INT_OVERFLOW", "integer overflow"},
	{0xc0000096, "EXCEPTION_PRIV_INSTRUCTION", "privileged instruction"},
	{0xc00000fd, "EXCEPTION_STACK_OVERFLOW", "stack overflow"},
	{0xc0000135, "STATUS_DLL_NOT_FOUND", "a DLL was not found"},
	{0xc0000138, "STATUS_ORDINAL_NOT_FOUND", "an ordinal was not found in a DLL"},
	{0xc0000139, "STATUS_ENTRYPOINT_NOT_FOUND", "a function was not found in a DLL"},
	{0xc000013a, "STATUS_CONTROL_C_EXIT", "ended by Ctrl-C"},
	{0xc0000142, "STATUS_DLL_INIT_FAILED", "a DLL could not start"},
	{0xc0000194, "EXCEPTION_POSSIBLE_DEADLOCK", "possible deadlock"},
	{0xc000027b, "STATUS_STOWED_EXCEPTION", "stowed exception of the Windows Runtime"},
	{0xc0000374, "STATUS_HEAP_CORRUPTION", "heap corruption"},
	{0xc0000409, "EXCEPTION_STACK_BUFFER_OVERRUN", "fail fast"},
	{0xc0000417, "STATUS_INVALID_CRUNTIME_PARAMETER", "invalid parameter to the C runtime"},
	{0xc0000420, "STATUS_ASSERTION_FAILURE", "assertion failed"},
	{0xc000041d, "STATUS_FATAL_USER_CALLBACK_EXCEPTION", "exception in a callback out of the kernel"},
	{0xc0000602, "STATUS_FAIL_FAST_EXCEPTION", "fail-fast exception"},
	{0xc06d007e, "VCPP_DELAYLOAD_MODULE", "a delay-loaded DLL was not found"},
	{0xc06d007f, "VCPP_DELAYLOAD_FUNCTION", "a function was not found in a delay-loaded DLL"},
	{0xe0000008, "OUT_OF_MEMORY", "out of memory"},
	{0xe0434352, "CLR_EXCEPTION", ".NET exception"},
	{0xe0434f4d, "CLR2_EXCEPTION", ".NET exception (runtime 2)"},
	{0xe06d7363, "Unhandled C++ Exception", "C++ exception"},
	{0x80131623, "COR_E_FAILFAST", ".NET fail fast (Environment.FailFast)"},
	{0x80131506, "COR_E_EXECUTIONENGINE", "internal error of the .NET runtime"},
};

static const struct code_name fast_fails[] = {
	{0, "FAST_FAIL_LEGACY_GS_VIOLATION", "stack buffer overrun"},
	{1, "FAST_FAIL_VTGUARD_CHECK_FAILURE", "virtual table overwritten"},
	{2, "FAST_FAIL_STACK_COOKIE_CHECK_FAILURE", "stack buffer overrun: the cookie is overwritten"},
	{3, "FAST_FAIL_CORRUPT_LIST_ENTRY", "corrupt list entry: freed twice or overwritten"},
	{4, "FAST_FAIL_INCORRECT_STACK", "stack pointer outside the stack"},
	{5, "FAST_FAIL_INVALID_ARG", "invalid argument"},
	{6, "FAST_FAIL_GS_COOKIE_INIT", "stack cookie could not be made"},
	{7, "FAST_FAIL_FATAL_APP_EXIT", "abort() or std::terminate()"},
	{8, "FAST_FAIL_RANGE_CHECK_FAILURE", "index out of range"},
	{9, "FAST_FAIL_UNSAFE_REGISTRY_ACCESS", "unsafe access to the registry"},
	{10, "FAST_FAIL_GUARD_ICALL_CHECK_FAILURE", "control flow guard: indirect call to no function"},
	{11, "FAST_FAIL_GUARD_WRITE_CHECK_FAILURE", "write guard"},
	{12, "FAST_FAIL_INVALID_FIBER_SWITCH", "invalid switch of fibers"},
	{13, "FAST_FAIL_INVALID_SET_OF_CONTEXT", "invalid context set"},
	{14, "FAST_FAIL_INVALID_REFERENCE_COUNT", "invalid reference count"},
	{18, "FAST_FAIL_INVALID_JUMP_BUFFER", "invalid jump buffer"},
	{19, "FAST_FAIL_MRDATA_MODIFIED", "read-only data modified"},
	{20, "FAST_FAIL_CERTIFICATION_FAILURE", "certification failed"},
	{21, "FAST_FAIL_INVALID_EXCEPTION_CHAIN", "corrupt chain of exception handlers"},
	{22, "FAST_FAIL_CRYPTO_LIBRARY", "cryptographic library failed"},
	{23, "FAST_FAIL_INVALID_CALL_IN_DLL_CALLOUT", "forbidden call while a DLL starts"},
	{24, "FAST_FAIL_INVALID_IMAGE_BASE", "invalid image base"},
	{25, "FAST_FAIL_DLOAD_PROTECTION_FAILURE", "delay load protection"},
	{26, "FAST_FAIL_UNSAFE_EXTENSION_CALL", "unsafe call of an extension"},
	{27, "FAST_FAIL_DEPRECATED_SERVICE_INVOKED", "deprecated service called"},
	{28, "FAST_FAIL_INVALID_BUFFER_ACCESS", "invalid buffer access"},
	{29, "FAST_FAIL_INVALID_BALANCED_TREE", "corrupt balanced tree"},
	{30, "FAST_FAIL_INVALID_NEXT_THREAD", "invalid next thread"},
	{31, "FAST_FAIL_GUARD_ICALL_CHECK_SUPPRESSED", "control flow guard: suppressed target"},
	{32, "FAST_FAIL_APCS_DISABLED", "asynchronous calls disabled"},
	{33, "FAST_FAIL_INVALID_IDLE_STATE", "invalid idle state"},
	{34, "FAST_FAIL_MRDATA_PROTECTION_FAILURE", "protection of read-only data failed"},
	{35, "FAST_FAIL_UNEXPECTED_HEAP_EXCEPTION", "exception inside the heap"},
	{36, "FAST_FAIL_INVALID_LOCK_STATE", "invalid lock state"},
	{37, "FAST_FAIL_GUARD_JUMPTABLE", "control flow guard: jump table"},
	{38, "FAST_FAIL_INVALID_LONGJUMP_TARGET", "invalid target of longjmp"},
	{39, "FAST_FAIL_INVALID_DISPATCH_CONTEXT", "invalid dispatch context"},
	{40, "FAST_FAIL_INVALID_THREAD", "invalid thread"},
	{41, "FAST_FAIL_INVALID_SYSCALL_NUMBER", "invalid system call"},
	{42, "FAST_FAIL_INVALID_FILE_OPERATION", "invalid file operation"},
	{43, "FAST_FAIL_LPAC_ACCESS_DENIED", "access denied to a confined app"},
	{44, "FAST_FAIL_GUARD_SS_FAILURE", "return flow guard"},
	{45, "FAST_FAIL_LOADER_CONTINUITY_FAILURE", "loader refused an unsigned image"},
	{46, "FAST_FAIL_GUARD_EXPORT_SUPPRESSION_FAILURE", "control flow guard: suppressed export"},
	{47, "FAST_FAIL_INVALID_CONTROL_STACK", "shadow stack: invalid control stack"},
	{48, "FAST_FAIL_SET_CONTEXT_DENIED", "setting a context denied"},
	{49, "FAST_FAIL_INVALID_IAT", "corrupt import table"},
	{50, "FAST_FAIL_HEAP_METADATA_CORRUPTION", "heap corruption"},
	{51, "FAST_FAIL_PAYLOAD_RESTRICTION_VIOLATION", "payload restriction violated"},
	{52, "FAST_FAIL_LOW_LABEL_ACCESS_DENIED", "access denied to a low label"},
	{53, "FAST_FAIL_ENCLAVE_CALL_FAILURE", "enclave call failed"},
	{54, "FAST_FAIL_UNHANDLED_LSS_EXCEPTON", "unhandled exception in a Linux subsystem process"},
	{55, "FAST_FAIL_ADMINLESS_ACCESS_DENIED", "access denied"},
	{56, "FAST_FAIL_UNEXPECTED_CALL", "unexpected call"},
	{57, "FAST_FAIL_CONTROL_INVALID_RETURN_ADDRESS", "shadow stack: invalid return address"},
	{58, "FAST_FAIL_UNEXPECTED_HOST_BEHAVIOR", "unexpected behaviour of the host"},
	{59, "FAST_FAIL_FLAGS_CORRUPTION", "corrupt flags"},
	{60, "FAST_FAIL_VEH_CORRUPTION", "corrupt list of vectored exception handlers"},
	{61, "FAST_FAIL_ETW_CORRUPTION", "corrupt event tracing"},
	{62, "FAST_FAIL_RIO_ABORT", "registered I/O gave up"},
	{63, "FAST_FAIL_INVALID_PFN", "invalid page frame"},
	{64, "FAST_FAIL_GUARD_ICALL_CHECK_FAILURE_XFG", "extended flow guard: indirect call of another type"},
	{65, "FAST_FAIL_CAST_GUARD", "cast to a type that the object is not"},
	{66, "FAST_FAIL_HOST_VISIBILITY_CHANGE", "visibility to the host changed"},
	{67, "FAST_FAIL_KERNEL_CET_SHADOW_STACK_ASSIST", "shadow stack of the kernel"},
	{68, "FAST_FAIL_PATCH_CALLBACK_FAILED", "hot patch failed"},
	{69, "FAST_FAIL_NTDLL_PATCH_FAILED", "patch of ntdll failed"},
	{70, "FAST_FAIL_INVALID_FLS_DATA", "corrupt fiber-local storage"},
	{72, "FAST_FAIL_DOTNET_NATIVEAOT", "fail fast of .NET NativeAOT: an unhandled exception or Environment.FailFast"},
};

static const struct code_name signals[] = {
	{1, "SIGHUP", "hangup"},
	{2, "SIGINT", "interrupt from the keyboard"},
	{3, "SIGQUIT", "quit"},
	{4, "SIGILL", "illegal instruction"},
	{5, "SIGTRAP", "trap or breakpoint"},
	{6, "SIGABRT", "abort"},
	{7, "SIGBUS", "bus error"},
	{8, "SIGFPE", "arithmetic error"},
	{9, "SIGKILL", "killed"},
	{10, "SIGUSR1", "user signal 1"},
	{11, "SIGSEGV", "invalid memory reference"},
	{12, "SIGUSR2", "user signal 2"},
	{13, "SIGPIPE", "write to a pipe without reader"},
	{14, "SIGALRM", "alarm clock"},
	{15, "SIGTERM", "request to end"},
	{16, "SIGSTKFLT", "coprocessor stack fault"},
	{24, "SIGXCPU", "CPU time limit exceeded"},
	{25, "SIGXFSZ", "file size limit exceeded"},
	{31, "SIGSYS", "forbidden system call"},
};

/* code: signal << 16 | si_code */
static const struct code_name signal_codes[] = {
	{4 << 16 | 1, "ILL_ILLOPC", "illegal opcode"},
	{4 << 16 | 2, "ILL_ILLOPN", "illegal operand"},
	{4 << 16 | 3, "ILL_ILLADR", "illegal addressing mode"},
	{4 << 16 | 4, "ILL_ILLTRP", "illegal trap"},
	{4 << 16 | 5, "ILL_PRVOPC", "privileged opcode"},
	{4 << 16 | 6, "ILL_PRVREG", "privileged register"},
	{4 << 16 | 7, "ILL_COPROC", "coprocessor error"},
	{4 << 16 | 8, "ILL_BADSTK", "internal stack error"},
	{5 << 16 | 1, "TRAP_BRKPT", "breakpoint"},
	{5 << 16 | 2, "TRAP_TRACE", "trace trap"},
	{5 << 16 | 3, "TRAP_BRANCH", "branch trap"},
	{5 << 16 | 4, "TRAP_HWBKPT", "hardware breakpoint"},
	{7 << 16 | 1, "BUS_ADRALN", "misaligned address"},
	{7 << 16 | 2, "BUS_ADRERR", "address that does not exist, such as a mapped file that became shorter"},
	{7 << 16 | 3, "BUS_OBJERR", "hardware error of an object"},
	{7 << 16 | 4, "BUS_MCEERR_AR", "memory failure"},
	{7 << 16 | 5, "BUS_MCEERR_AO", "memory failure"},
	{8 << 16 | 1, "FPE_INTDIV", "integer division by zero"},
	{8 << 16 | 2, "FPE_INTOVF", "integer overflow"},
	{8 << 16 | 3, "FPE_FLTDIV", "floating-point division by zero"},
	{8 << 16 | 4, "FPE_FLTOVF", "floating-point overflow"},
	{8 << 16 | 5, "FPE_FLTUND", "floating-point underflow"},
	{8 << 16 | 6, "FPE_FLTRES", "inexact floating-point result"},
	{8 << 16 | 7, "FPE_FLTINV", "invalid floating-point operation"},
	{8 << 16 | 8, "FPE_FLTSUB", "subscript out of range"},
	{11 << 16 | 1, "SEGV_MAPERR", "address not mapped"},
	{11 << 16 | 2, "SEGV_ACCERR", "no permission for the address"},
	{11 << 16 | 3, "SEGV_BNDERR", "bounds check failed"},
	{11 << 16 | 4, "SEGV_PKUERR", "protection key"},
};

static const struct code_name general_codes[] = {
	{0, "SI_USER", "sent by a process"},
	{0x80, "SI_KERNEL", "sent by the kernel: an address no pointer can have, or a forbidden instruction"},
	{0xffffffff, "SI_QUEUE", "sent by a process"},
	{0xfffffffa, "SI_TKILL", "sent by a thread, mostly the process itself"},
};

static const struct code_name mach[] = {
	{1, "EXC_BAD_ACCESS", "invalid memory reference"},
	{2, "EXC_BAD_INSTRUCTION", "illegal instruction"},
	{3, "EXC_ARITHMETIC", "arithmetic error"},
	{4, "EXC_EMULATION", "emulation"},
	{5, "EXC_SOFTWARE", "software exception"},
	{6, "EXC_BREAKPOINT", "breakpoint"},
	{10, "EXC_CRASH", "abnormal end"},
	{11, "EXC_RESOURCE", "resource limit exceeded"},
	{12, "EXC_GUARD", "guarded resource"},
	{0x43506e78, "Uncaught NSException", "uncaught NSException"},
	{0xdeadc0de, "Uncaught NSException", "uncaught NSException"},
};

static const struct code_name *
find(const struct code_name *list, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].code == code)
			return &list[i];
	return NULL;
}

#define FIND(list, code) find(list, sizeof(list) / sizeof *(list), code)

const struct code_name *
reason_exception(uint32_t code)
{
	return FIND(exceptions, code);
}

const struct code_name *
reason_fast_fail(uint64_t code)
{
	return code > UINT32_MAX ? NULL : FIND(fast_fails, (uint32_t)code);
}

const struct code_name *
reason_signal(uint32_t signal)
{
	return FIND(signals, signal);
}

const struct code_name *
reason_signal_code(uint32_t signal, uint32_t code)
{
	const struct code_name *known = signal < 64 && code < 0x80 ? FIND(signal_codes, signal << 16 | code) : NULL;
	return known != NULL ? known : FIND(general_codes, code);
}

const struct code_name *
reason_mach(uint32_t code)
{
	return FIND(mach, code);
}
