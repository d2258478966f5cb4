/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

size_t
utf8_length(struct span span)
{
	unsigned char c;
	size_t size;
	uint32_t point;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (span.count == 0)
		return 0;
	c = span.at[0];
	if (c < 0x80)
		return 1;
	size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || span.count < size)
		return 0;
	point = c & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((span.at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (span.at[i] & 0x3f);
	}
	if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return 0;
	return size;
}
