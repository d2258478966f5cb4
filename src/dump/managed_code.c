/* SPDX-License-Identifier: MIT */
#include "dump/managed_inside.h"

#include "dump/clr_code.h"

#include <string.h>

bool
managed_has_names(const struct managed_exception *exception)
{
	for (size_t i = 0; i < exception->frame_count; i++)
		if (exception->frames[i].method[0] != '\0')
			return true;
	return false;
}

void
managed_drop_nameless(struct managed *managed)
{
	for (size_t i = 0; i < managed->findings->exception_count; i++) {
		struct managed_exception *exception = &managed->findings->exceptions[i];
		if (exception->type_unsure && !managed_has_names(exception))
			exception->frame_count = exception->frames_left_out = 0;
	}
}

/* A trace holds the address before the return address, or of a fault the instruction itself; the walk asks for the one
 * before either. */
const char *
managed_find_in_trace(const struct managed_exception *exception, uint64_t pc)
{
	for (size_t i = 0; i < exception->frame_count; i++)
		if (exception->frames[i].pc - pc <= 1 && exception->frames[i].method[0] != '\0')
			return exception->frames[i].method;
	return NULL;
}

static bool
name_by_code(struct managed *managed, uint64_t pc, struct text *text, uint64_t *start)
{
	struct clr_code code;
	if (clr_code_at(&managed->clr, pc, &code) && code.method != 0 && clr_put_method(&managed->clr, code.method, text)) {
		*start = code.start;
		return true;
	}
	text_reset(text);
	return clr_r2r_put_method(&managed->r2r, managed->clr.space, pc, text, start);
}

static void
name_frame(struct managed *managed, struct managed_frame *frame)
{
	struct text text = text_in(frame->method, sizeof frame->method);
	uint64_t start;
	if (!name_by_code(managed, frame->pc, &text, &start))
		text_reset(&text);
}

void
managed_name_traces(struct managed *managed)
{
	for (size_t i = 0; i < managed->findings->exception_count; i++)
		for (size_t k = 0; k < managed->findings->exceptions[i].frame_count; k++) {
			struct managed_frame *frame = &managed->findings->exceptions[i].frames[k];
			if (frame->method[0] == '\0')
				name_frame(managed, frame);
		}
}

/* Where no code can be read, the exception's own trace and createdump's report name at least their frames (but not where
 * their methods start). */
static bool
name_at(struct code_source *source, struct space *space, uint64_t pc, char name[FRAME_NAME_MAX], uint64_t *start)
{
	struct managed *managed = (struct managed *)source;
	struct text text = text_in(name, FRAME_NAME_MAX);
	const char *found = NULL;
	(void)space;
	if (name_by_code(managed, pc, &text, start))
		return true;
	for (size_t i = 0; i < managed->findings->exception_count && found == NULL; i++)
		found = managed_find_in_trace(&managed->findings->exceptions[i], pc);
	if (found == NULL && (found = managed_find_in_trace(&managed->report, pc)) == NULL)
		return false;
	memcpy(name, found, FRAME_NAME_MAX);
	*start = 0;
	return true;
}

static bool
unwind_at(struct code_source *source, struct space *space, uint64_t pc, uint64_t *base, uint32_t entry[3])
{
	struct managed *managed = (struct managed *)source;
	struct clr_code code;
	(void)space;
	if (!clr_code_at(&managed->clr, pc, &code) || !clr_code_unwind(&managed->clr, pc, &code, entry))
		return false;
	*base = code.base;
	return true;
}

const struct code_source managed_code_source = {unwind_at, name_at};
