/* SPDX-License-Identifier: MIT */
/* What a room hands out as text must be whole UTF-8 and end within its array, whatever the input was. */
#ifndef FUZZ_WHOLE_TEXT_H
#define FUZZ_WHOLE_TEXT_H

#include "base/span.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

static inline void
check_text(const char *text, size_t size)
{
	struct span rest = {(const unsigned char *)text, strnlen(text, size)};
	size_t length;
	if (rest.count == size)
		abort();
	for (; rest.count > 0; rest = span_from(rest, length))
		if ((length = utf8_length(rest)) == 0)
			abort();
}

#endif
