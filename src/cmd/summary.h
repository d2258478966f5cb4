/* SPDX-License-Identifier: MIT */
/* What a run over many sites or instances came to, at its end. */
#ifndef CMD_SUMMARY_H
#define CMD_SUMMARY_H

#include "cmd/targets.h"

/* A table and one line on stderr, or with --json the object "dump.summary" on stdout. The board's threads have ended. */
void summary_print(const struct board *, const struct settings *, size_t done, size_t failed, int64_t took_ms);

#endif
