/* SPDX-License-Identifier: MIT */
/* Fills a space from an ELF core of x86-64 or arm64 Linux, written by the kernel, gdb or createdump. */
#ifndef DUMP_CORE_H
#define DUMP_CORE_H

#include "dump/space.h"

/* The space has its view, modules and threads; the file begins with the ELF magic. FAULT_CORRUPT for what is no core or
 * cut in its header, FAULT_UNABLE for other machines. */
bool core_read(struct space *, struct memory *, struct fault *) MUST_CHECK;

#endif
