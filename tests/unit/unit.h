/* SPDX-License-Identifier: MIT */
/* The whole test framework: CHECK counts and goes on; a test is a function that UNIT_RUN names; the last line says
 * "N passed, N failed, N skipped" in tests, and the exit status is 1 when one failed. */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int unit_bad, unit_passed, unit_failed, unit_skipped;
static const char *unit_skip_reason;

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			unit_bad++; \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
		} \
	} while (0)

#define CHECK_TEXT(got, wanted) \
	do { \
		const char *unit_got = (got), *unit_wanted = (wanted); \
		if (strcmp(unit_got, unit_wanted) != 0) { \
			unit_bad++; \
			fprintf(stderr, "%s:%d: \"%s\" is not \"%s\"\n", __FILE__, __LINE__, unit_got, unit_wanted); \
		} \
	} while (0)

/* Inside a test, before its checks: `SKIP("why"); return;` */
#define SKIP(why) (unit_skip_reason = (why))

static inline void
unit_run(const char *name, void (*test)(void))
{
	unit_bad = 0;
	unit_skip_reason = NULL;
	test();
	if (unit_skip_reason != NULL) {
		unit_skipped++;
		printf("skipped %s: %s\n", name, unit_skip_reason);
	} else if (unit_bad == 0) {
		unit_passed++;
	} else {
		unit_failed++;
		printf("FAILED %s\n", name);
	}
}

#define UNIT_RUN(test) unit_run(#test, test)

static inline int
unit_end(void)
{
	printf("%d passed, %d failed, %d skipped\n", unit_passed, unit_failed, unit_skipped);
	return unit_failed == 0 ? 0 : 1;
}

#endif
