/* SPDX-License-Identifier: MIT */
/* The managed side of a dump as its own rooms see it: dump/managed finds the exception, dump/managed_report adds what
 * createdump's report says, dump/managed_code knows the methods that addresses belong to. */
#ifndef DUMP_MANAGED_INSIDE_H
#define DUMP_MANAGED_INSIDE_H

#include "dump/clr.h"
#include "dump/clr_r2r.h"

struct managed {
	struct code_source source; /* first: the walk hands it back to us */
	struct clr clr;
	struct clr_r2r r2r;
	struct managed_findings *findings;
	bool descriptor_there; /* one of the runtimes has one, though the dump may lack its text */
	char text[CLR_DESCRIPTOR_BYTES];
	struct managed_frame frames[MANAGED_INNER_MAX][MANAGED_FRAMES_MAX];
	struct managed_exception report; /* what createdump's report says */
	struct managed_frame report_frames[MANAGED_FRAMES_MAX];
};

/* Reads an exception and its inner ones into the findings; as clr_read_chain. */
void managed_read_chain(struct managed *, uint64_t object, uint32_t thread, enum managed_source, bool typed);

bool managed_has_names(const struct managed_exception *);

/* Looks for createdump's report beside the dump at path, which may be NULL, and takes from it what is missing. */
void managed_read_report(struct managed *, const char *path);

/* Names the methods of traces by their addresses, where their MethodDesc could not. */
void managed_name_traces(struct managed *);

/* Of objects without types a trace of mere addresses may be none: it goes. */
void managed_drop_nameless(struct managed *);

/* The method of a trace's frame before the return address pc + 1, or at pc; NULL: none. */
const char *managed_find_in_trace(const struct managed_exception *, uint64_t pc);

extern const struct code_source managed_code_source;

#endif
