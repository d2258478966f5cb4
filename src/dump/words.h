/* SPDX-License-Identifier: MIT */
/* Text as dumps hold it, made well-formed UTF-8: ill-formed parts become U+FFFD. */
#ifndef DUMP_WORDS_H
#define DUMP_WORDS_H

#include "base/text.h"
#include "dump/view.h"

/* Half a surrogate pair between two pieces; zero at first. */
struct utf16 {
	uint16_t high;
};

/* UTF-16LE; stops at a NUL unit (false) and never cuts a character in half. */
bool words_put_utf16(struct text *, struct utf16 *, struct span) MUST_CHECK;

/* UTF-8 or what passes for it; stops at a NUL byte. */
void words_put_utf8(struct text *, struct span);

/* `bytes` of UTF-16LE, or UTF-8 up to a NUL, at a place of the file. */
void words_put_utf16_at(struct text *, struct view *, uint64_t place, uint64_t bytes);
void words_put_utf8_at(struct text *, struct view *, uint64_t place, uint64_t bytes);

/* A MINIDUMP_STRING at a place of the file: u32 bytes, then UTF-16LE. */
void words_put_string_at(struct text *, struct view *, uint64_t place);

#endif
