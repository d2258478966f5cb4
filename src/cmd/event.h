/* SPDX-License-Identifier: MIT */
/* What the JSON events of all commands have in common. */
#ifndef CMD_EVENT_H
#define CMD_EVENT_H

#include "base/text.h"

/* "kind":…,"error":…[,"hint":…] */
void event_put_fault(struct text *, const struct fault *);

#endif
