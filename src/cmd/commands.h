/* SPDX-License-Identifier: MIT */
/* The commands of main's table. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "cmd/options.h"

extern const struct command command_ps, command_doctor, command_dump, command_put, command_analyze;

#endif
