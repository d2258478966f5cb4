/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A server's words must not move the cursor, ring or recolour the terminal they end up on. C1 controls are
 * C2 80 to C2 9F in UTF-8. */
static void
tame(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at != 0; at++) {
		if (*at < 0x20 || *at == 0x7f)
			*at = '?';
		else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
			at[0] = at[1] = '?';
	}
}

PRINTF_LIKE(3, 0)
static void
record(struct fault *fault, enum fault_kind kind, const char *format, va_list words)
{
	fault->kind = kind;
	vsnprintf(fault->text, sizeof fault->text, format, words);
	tame(fault->text);
}

bool
fault_raise(struct fault *fault, enum fault_kind kind, const char *format, ...)
{
	va_list words;
	if (fault->kind != FAULT_NONE)
		return false;
	va_start(words, format);
	record(fault, kind, format, words);
	va_end(words);
	return false;
}

/* "No such file" reads on as "no such file"; "RPC …" would not. */
static void
uncapitalise(char *words)
{
	if (words[0] >= 'A' && words[0] <= 'Z' && words[1] >= 'a' && words[1] <= 'z')
		words[0] = (char)(words[0] + 32);
}

bool
fault_errno(struct fault *fault, enum fault_kind kind, int error, const char *format, ...)
{
	va_list words;
	size_t used;
	if (fault->kind != FAULT_NONE)
		return false;
	va_start(words, format);
	record(fault, kind, format, words);
	va_end(words);
	fault->detail = error;
	used = strlen(fault->text);
	snprintf(fault->text + used, sizeof fault->text - used, ": %s", strerror(error));
	if (used + 3 < sizeof fault->text)
		uncapitalise(fault->text + used + 2);
	return false;
}

bool
fault_while(struct fault *fault, const char *format, ...)
{
	char before[FAULT_TEXT_MAX / 2]; /* long names of what was being done must not push out the cause */
	va_list words;
	int used;
	size_t tail;
	va_start(words, format);
	used = vsnprintf(before, sizeof before - 2, format, words);
	va_end(words);
	if (used < 0)
		return false;
	tame(before);
	used = (int)strlen(before);
	memcpy(before + used, ": ", 3);
	used += 2;
	/* when both do not fit, the end of the cause goes, not its beginning */
	tail = sizeof fault->text - 1 - (size_t)used;
	if (tail > strlen(fault->text))
		tail = strlen(fault->text);
	memmove(fault->text + used, fault->text, tail);
	fault->text[(size_t)used + tail] = 0;
	memcpy(fault->text, before, (size_t)used);
	return false;
}

bool
fault_hint(struct fault *fault, const char *format, ...)
{
	va_list words;
	if (fault->hint[0] != 0)
		return false;
	va_start(words, format);
	vsnprintf(fault->hint, sizeof fault->hint, format, words);
	va_end(words);
	tame(fault->hint);
	return false;
}

void
fault_clear(struct fault *fault)
{
	memset(fault, 0, sizeof *fault);
}

const char *
fault_kind_name(enum fault_kind kind)
{
	static const char *const names[] = {
		[FAULT_NONE] = "none", [FAULT_USAGE] = "usage", [FAULT_SYSTEM] = "system", [FAULT_NETWORK] = "network",
		[FAULT_TLS] = "tls", [FAULT_TIMEOUT] = "timeout", [FAULT_DENIED] = "denied", [FAULT_MISSING] = "missing",
		[FAULT_BUSY] = "busy", [FAULT_CORRUPT] = "corrupt", [FAULT_BOUND] = "bound", [FAULT_UNABLE] = "unable",
		[FAULT_STOPPED] = "stopped",
	};
	return names[kind];
}
