/* SPDX-License-Identifier: MIT */
/* Why a process crashed, in words: the exception or signal with what refines it. Numbers and names by ntstatus.h, winnt.h
 * (FAST_FAIL_…) and Linux' siginfo. What is put is well-formed UTF-8 but not tamed. */
#ifndef DUMP_REASON_H
#define DUMP_REASON_H

#include "dump/space.h"

/* "access violation reading 0x24 (c0000005)"; "no crash recorded" when there is none. */
void reason_put(struct text *, struct space *);

/* The name that Breakpad and rust-minidump use: EXCEPTION_ACCESS_VIOLATION_READ, "SIGSEGV / SEGV_MAPERR"; nothing when no
 * crash is recorded. */
void reason_put_type(struct text *, struct space *);

/* What the address tells: null, poison, not canonical, end of the stack. Nothing when there is nothing to say. */
void reason_put_hint(struct text *, struct space *);

#endif
