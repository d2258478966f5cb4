/* SPDX-License-Identifier: MIT */
/* UTF-8 (RFC 3629), strictly. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/span.h"

/* Bytes of the well-formed sequence at the start, 1 to 4; 0 when it is ill-formed, cut or empty. */
size_t utf8_length(struct span);

#endif
