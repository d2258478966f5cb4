/* SPDX-License-Identifier: MIT */
#include "cmd/event.h"

void
event_put_fault(struct text *event, const struct fault *fault)
{
	text_printf(event, "\"kind\":\"%s\",\"error\":", fault_kind_name(fault->kind));
	text_put_json(event, span_of(fault->text));
	if (fault->hint[0] != 0) {
		text_put(event, ",\"hint\":");
		text_put_json(event, span_of(fault->hint));
	}
}
