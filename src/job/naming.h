/* SPDX-License-Identifier: MIT */
/* Words for what a dump says in numbers, the same in every report. */
#ifndef JOB_NAMING_H
#define JOB_NAMING_H

#include "dump/managed.h"

const char *naming_os(enum space_os);           /* Windows */
const char *naming_os_schema(enum space_os);    /* Windows NT: as rust-minidump's JSON has it; NULL: unknown */
const char *naming_arch(enum space_arch);       /* x64 */
const char *naming_arch_schema(enum space_arch);/* amd64; NULL: unknown */

/* Of struct registers: r[i] and pc. NULL: there is no such register. */
const char *naming_register(enum space_arch, unsigned i);
const char *naming_pc(enum space_arch);

const char *naming_last_error(uint32_t); /* GetLastError's code in words; NULL: not one of the usual ones */

const char *naming_source(enum managed_source);       /* descriptor; NULL for none */
const char *naming_source_words(enum managed_source); /* the runtime's contract descriptor */

#endif
