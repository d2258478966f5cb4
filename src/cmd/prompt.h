/* SPDX-License-Identifier: MIT */
/* A password asked for at the terminal. */
#ifndef CMD_PROMPT_H
#define CMD_PROMPT_H

#include "base/text.h"

/* Asks at the terminal of this process, whatever stdin is, without showing what is typed. Waits for a line; a signal of
 * stop.h ends it with FAULT_STOPPED. The terminal is as before afterwards. FAULT_USAGE when there is no terminal or nothing
 * was typed. */
bool prompt_secret(const char *question, char *room, size_t size, struct fault *) MUST_CHECK;

#endif
