/* SPDX-License-Identifier: MIT */
/* How one dump, or why none, is told: on stdout for people or as an event, on stderr, and as an exit status. */
#ifndef CMD_DUMP_RESULT_H
#define CMD_DUMP_RESULT_H

#include "job/fleet.h"

#define DUMP_RESULT_MAX (24u * KIB) /* DESTINATIONS_MAX addresses and faults */

/* On stdout a line for each place the dump has come to, or with `json` the event dump.done or dump.failed. `room` has
 * DUMP_RESULT_MAX bytes. */
void dump_result_print(const struct fleet_report *, bool json, struct text *room);

/* On stderr why there is no dump, or which destinations and reports failed. `stopped`: a signal was told already. */
void dump_result_log(const struct fleet_report *, bool stopped);

/* Destinations that failed make 6 whatever their reason was. */
int dump_result_status(const struct fleet_report *);

#endif
