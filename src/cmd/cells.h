/* SPDX-License-Identifier: MIT */
/* Cells of a table on a terminal. */
#ifndef CMD_CELLS_H
#define CMD_CELLS_H

#include "base/text.h"

/* Tame, filled up to its column and a blank; "-" when there is nothing. */
void cells_put(struct text *row, const char *words, size_t wide);

#endif
