/* SPDX-License-Identifier: MIT */
#include "cmd/cells.h"

void
cells_put(struct text *row, const char *words, size_t wide)
{
	char room[128];
	struct text cell = text_in(room, sizeof room);
	size_t shown = 0;
	text_put_tame(&cell, span_of(words[0] == 0 ? "-" : words));
	for (size_t i = 0; i < cell.used; i++)
		shown += (room[i] & 0xc0) != 0x80;
	text_put(row, room);
	do
		text_put_byte(row, ' ');
	while (shown++ < wide);
}
