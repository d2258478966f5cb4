/* SPDX-License-Identifier: MIT */
#include "dump/reason.h"

#include "dump/reason_cpp.h"
#include "dump/reason_names.h"

#include <inttypes.h>

#define CODE_ACCESS 0xc0000005u
#define CODE_IN_PAGE 0xc0000006u
#define CODE_FAIL_FAST 0xc0000409u
#define CODE_CLR 0xe0434352u
#define SIGNAL_ABRT 6
#define SIGNAL_SEGV 11
#define SI_KERNEL 0x80
#define NULL_PAGES 0x10000   /* Windows and Linux map nothing there */
#define STACK_NEAR 0x20000   /* a frame that reached below its stack */

static bool
is_access(const struct crash *crash)
{
	return (crash->code == CODE_ACCESS || crash->code == CODE_IN_PAGE) && crash->parameter_count >= 2;
}

static const char *
access_name(const struct crash *crash)
{
	return crash->parameters[0] == 0 ? "READ" : crash->parameters[0] == 1 ? "WRITE" : crash->parameters[0] == 8 ? "EXEC" : NULL;
}

static const char *
access_words(const struct crash *crash)
{
	switch (crash->parameters[0]) {
	case 0:
		return "reading";
	case 1:
		return "writing";
	case 8:
		return "executing";
	default:
		return "touching";
	}
}

static void
put_back(struct text *text, size_t before)
{
	text->used = before;
	text->at[before] = 0;
}

static void
put_assertion(struct text *text, struct space *space)
{
	size_t before = text->used;
	text_put(text, ": ");
	if (!space_assertion(space, text))
		put_back(text, before);
}

static void
put_windows(struct text *text, struct space *space)
{
	const struct crash *crash = &space->crash;
	const struct code_name *known = reason_exception(crash->code), *fast;
	text_put(text, known == NULL ? "exception" : known->words);
	if (is_access(crash))
		text_printf(text, " %s 0x%" PRIx64, access_words(crash), crash->fault_address);
	if (crash->code == CODE_IN_PAGE && crash->parameter_count >= 3)
		text_printf(text, " (status %08" PRIx32 ")", (uint32_t)crash->parameters[2]);
	if (crash->code == CODE_FAIL_FAST && crash->parameter_count >= 1) {
		fast = reason_fast_fail(crash->parameters[0]);
		text_printf(text, " %" PRIu64 ": %s", crash->parameters[0], fast == NULL ? "unknown code" : fast->words);
	}
	if (crash->code == CODE_CLR && crash->parameter_count >= 1)
		text_printf(text, ", HRESULT %08" PRIx32, (uint32_t)crash->parameters[0]);
	if (known != NULL && (crash->code == 0xe06d7363u || crash->code == 0x20474343u)) {
		size_t before = text->used;
		text_put(text, " ");
		if (!reason_put_cpp(text, space))
			put_back(text, before);
	}
	put_assertion(text, space);
	text_printf(text, " (%08" PRIx32 ")", crash->code);
}

static void
put_linux(struct text *text, struct space *space)
{
	const struct crash *crash = &space->crash;
	const struct code_name *known = reason_signal(crash->code);
	const struct code_name *fine = reason_signal_code(crash->code, crash->flags);
	/* Breakpad of old wrote no si_code */
	bool has_code = space->is_core || crash->flags != 0;
	if (known == NULL)
		text_printf(text, "signal %" PRIu32, crash->code);
	else
		text_printf(text, "%s, %s", known->name, known->words);
	if (crash->has_fault_address)
		text_printf(text, " at 0x%" PRIx64, crash->fault_address);
	if (has_code && fine != NULL)
		text_printf(text, " (%s: %s)", fine->name, fine->words);
}

static void
put_mac(struct text *text, const struct crash *crash)
{
	const struct code_name *known = reason_mach(crash->code);
	if (known == NULL)
		text_printf(text, "exception %" PRIu32, crash->code);
	else
		text_printf(text, "%s, %s", known->name, known->words);
	if (crash->has_fault_address)
		text_printf(text, " at 0x%" PRIx64, crash->fault_address);
}

void
reason_put(struct text *text, struct space *space)
{
	if (!space->crash.recorded)
		text_put(text, "no crash recorded");
	else if (space->os == OS_LINUX)
		put_linux(text, space);
	else if (space->os == OS_MAC)
		put_mac(text, &space->crash);
	else
		put_windows(text, space);
}

static void
put_windows_type(struct text *text, const struct crash *crash)
{
	const struct code_name *known = reason_exception(crash->code);
	const struct code_name *fast = crash->code == CODE_FAIL_FAST && crash->parameter_count >= 1
	                               ? reason_fast_fail(crash->parameters[0]) : NULL;
	if (fast != NULL)
		text_put(text, fast->name);
	else if (known == NULL)
		text_printf(text, "0x%08" PRIx32 " / 0x%08" PRIx32, crash->code, crash->flags);
	else
		text_put(text, known->name);
	if (is_access(crash) && access_name(crash) != NULL)
		text_printf(text, "_%s", access_name(crash));
}

static void
put_linux_type(struct text *text, const struct crash *crash)
{
	const struct code_name *known = reason_signal(crash->code);
	const struct code_name *fine = reason_signal_code(crash->code, crash->flags);
	if (known == NULL)
		text_printf(text, "0x%08" PRIx32, crash->code);
	else
		text_put(text, known->name);
	if (crash->code == SIGNAL_ABRT)
		return; /* its code says only that somebody sent it */
	if (fine != NULL && crash->flags != 0)
		text_printf(text, " / %s", fine->name);
	else
		text_printf(text, " / 0x%08" PRIx32, crash->flags);
}

static void
put_mac_type(struct text *text, const struct crash *crash)
{
	const struct code_name *known = reason_mach(crash->code);
	if (known == NULL)
		text_printf(text, "0x%08" PRIx32 " / 0x%08" PRIx32, crash->code, crash->flags);
	else
		text_put(text, known->name);
	if (crash->code == 1 && (crash->flags == 1 || crash->flags == 2))
		text_put(text, crash->flags == 1 ? " / KERN_INVALID_ADDRESS" : " / KERN_PROTECTION_FAILURE");
}

void
reason_put_type(struct text *text, struct space *space)
{
	if (!space->crash.recorded)
		return;
	if (space->os == OS_LINUX)
		put_linux_type(text, &space->crash);
	else if (space->os == OS_MAC)
		put_mac_type(text, &space->crash);
	else
		put_windows_type(text, &space->crash);
}

/* What fills memory with such bytes; NULL: nothing known. Pointers with an offset of some pages count too. */
static const char *
poison_words(uint64_t value, unsigned pointer_size)
{
	static const struct {
		uint32_t pattern;
		const char *words;
	} known[] = {
		{0xcccccccc, "uninitialised stack memory of a debug build"},
		{0xcdcdcdcd, "uninitialised heap memory of a debug build"},
		{0xdddddddd, "freed heap memory of a debug build"},
		{0xfeeefeee, "freed heap memory"},
		{0xfdfdfdfd, "the guard behind a heap block of a debug build"},
		{0xfefefefe, "what the C runtime's checked functions fill a buffer with"},
		{0xabababab, "the guard behind a heap block"},
		{0xbaadf00d, "uninitialised heap memory"},
		{0xdeadbeef, "memory marked as dead"},
		{0xe5e5e5e5, "freed memory of jemalloc"},
		{0xa5a5a5a5, "uninitialised memory of jemalloc"},
		{0x41414141, "letters A, as a buffer overflow on purpose writes"},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		uint64_t whole = pointer_size == 8 ? (uint64_t)known[i].pattern << 32 | known[i].pattern : known[i].pattern;
		if (value - whole < 0x1000 || whole - value < 0x1000)
			return known[i].words;
	}
	return NULL;
}

static bool
is_canonical(uint64_t value)
{
	uint64_t top = value >> 47;
	return top == 0 || top == 0x1ffff;
}

static void
put_sentence(struct text *text, size_t before)
{
	if (text->used > before)
		text_put(text, "; ");
}

/* The processor does not say which address it was: the first register that no pointer can be. */
static void
put_wild_register(struct text *text, struct space *space, const struct registers *registers)
{
	static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	                                    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
	text_put(text, "probably an address that no pointer can have (not canonical)");
	if (space->arch != ARCH_X64)
		return;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *poison = poison_words(registers->r[i], 8);
		if (is_canonical(registers->r[i]))
			continue;
		text_printf(text, ": %s is 0x%" PRIx64, names[i], registers->r[i]);
		if (poison != NULL)
			text_printf(text, " (%s)", poison);
		return;
	}
}

static bool
is_wild(const struct space *space)
{
	const struct crash *crash = &space->crash;
	if (space->arch != ARCH_X64)
		return false;
	if (space->os == OS_LINUX)
		return crash->code == SIGNAL_SEGV && crash->flags == SI_KERNEL;
	return crash->code == CODE_ACCESS && crash->has_fault_address && crash->fault_address == UINT64_MAX;
}

static void
put_address_hint(struct text *text, const struct space *space)
{
	const struct crash *crash = &space->crash;
	uint64_t address = crash->fault_address;
	uint64_t negative = space->pointer_size == 8 ? 0 - address : (uint32_t)(0 - (uint32_t)address);
	const char *poison = poison_words(address, space->pointer_size);
	if (address == 0)
		text_put(text, "null pointer");
	else if (address < NULL_PAGES)
		text_printf(text, "null pointer + 0x%" PRIx64, address);
	else if (negative < 0x1000)
		text_printf(text, "null pointer - 0x%" PRIx64, negative);
	else if (poison != NULL)
		text_printf(text, "0x%" PRIx64 " looks like %s", address, poison);
}

/* A signal at an address just at or below the end of the stack's memory. */
static bool
is_stack_end(struct space *space, const struct registers *registers)
{
	const struct crash *crash = &space->crash;
	uint64_t address = crash->fault_address, start, size;
	if (space->os != OS_LINUX || !space->is_core || crash->code != SIGNAL_SEGV || !crash->has_fault_address)
		return false;
	if (address - registers->sp >= STACK_NEAR && registers->sp - address >= STACK_NEAR)
		return false;
	return !space_range_at(space, address, &start, &size) || start > address;
}

void
reason_put_hint(struct text *text, struct space *space)
{
	const struct crash *crash = &space->crash;
	const struct thread *thread = space_thread(space, crash->thread);
	struct registers registers;
	size_t before = text->used;
	bool has = thread != NULL && space_registers(space, thread, &registers);
	if (!crash->recorded)
		return;
	if (has && is_wild(space)) {
		put_wild_register(text, space, &registers);
		return;
	}
	if (crash->has_fault_address)
		put_address_hint(text, space);
	if (!has)
		return;
	if (registers.pc == 0) {
		put_sentence(text, before);
		text_put(text, "a call through a null pointer");
	} else if (crash->has_fault_address && registers.pc == crash->fault_address && space_module_at(space, registers.pc) == NULL) {
		put_sentence(text, before);
		text_put(text, "a jump to where no code is");
	} else if (is_stack_end(space, &registers)) {
		put_sentence(text, before);
		text_put(text, "stack overflow: the address is at the end of the stack");
	}
}
