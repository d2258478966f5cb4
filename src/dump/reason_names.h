/* SPDX-License-Identifier: MIT */
/* Tables of codes, for dump/reason. */
#ifndef DUMP_REASON_NAMES_H
#define DUMP_REASON_NAMES_H

#include <stdint.h>

struct code_name {
	uint32_t code;
	const char *name;  /* as the system's headers have it, or Breakpad prints it */
	const char *words;
};

/* NULL: unknown. */
const struct code_name *reason_exception(uint32_t code);       /* Windows */
const struct code_name *reason_fast_fail(uint64_t code);
const struct code_name *reason_signal(uint32_t signal);        /* Linux */
const struct code_name *reason_signal_code(uint32_t signal, uint32_t code);
const struct code_name *reason_mach(uint32_t code);            /* macOS */

#endif
