/* SPDX-License-Identifier: MIT */
/* What .eh_frame (Linux Standard Base, DWARF 5 section 6.4) says about the frame at an address: by which rules the
 * caller's registers come from those there. dump/unwind_elf applies them. */
#ifndef DUMP_UNWIND_CFI_H
#define DUMP_UNWIND_CFI_H

#include "dump/elf.h"

#define CFI_REGISTERS 33

enum cfi_rule_kind {
	RULE_UNSET, RULE_SAME, RULE_UNDEFINED, RULE_AT_CFA, RULE_CFA_PLUS, RULE_REGISTER, RULE_AT_EXPRESSION, RULE_EXPRESSION
};

struct cfi_rule {
	uint8_t kind;
	uint8_t size;      /* of the expression is at most 255 bytes here */
	int64_t value;     /* offset, register, or address of the expression */
};

struct cfi_rules {
	struct cfi_rule of[CFI_REGISTERS];
	bool cfa_is_expression;
	uint8_t cfa_size;
	unsigned cfa_register;
	int64_t cfa_offset; /* or the address of the expression */
};

struct cfi_frame {
	unsigned return_register;
	bool signal;        /* the kernel's frame of a signal: what is above was interrupted */
	uint64_t begin;     /* of the function */
	struct cfi_rules rules;
};

/* The rules that hold right before or, with `exact`, at pc; false: the data is missing or senseless. */
bool cfi_find(const struct elf *, struct space *, uint64_t pc, bool exact, struct cfi_frame *) MUST_CHECK;

#endif
