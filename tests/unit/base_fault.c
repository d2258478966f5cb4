/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/fault.h"

#include <errno.h>

static struct fault fault;
static char many[2000];

static void
test_first_cause_stays(void)
{
	fault_clear(&fault);
	CHECK(!fault_raise(&fault, FAULT_MISSING, "no process %d", 42));
	CHECK(!fault_raise(&fault, FAULT_SYSTEM, "later"));
	CHECK(!fault_errno(&fault, FAULT_SYSTEM, ENOSPC, "later"));
	CHECK(fault.kind == FAULT_MISSING && fault.detail == 0);
	CHECK_TEXT(fault.text, "no process 42");
	fault_clear(&fault);
	CHECK(fault.kind == FAULT_NONE && fault.text[0] == 0 && fault.hint[0] == 0);
}

static void
test_errno(void)
{
	char wanted[200];
	fault_clear(&fault);
	CHECK(!fault_errno(&fault, FAULT_SYSTEM, ENOSPC, "writing %s", "a.dmp"));
	snprintf(wanted, sizeof wanted, "writing a.dmp: %s", strerror(ENOSPC));
	wanted[15] = (char)(wanted[15] | 0x20); /* in the middle of a sentence */
	CHECK_TEXT(fault.text, wanted);
	CHECK(fault.detail == ENOSPC);
}

static void
test_while(void)
{
	fault_clear(&fault);
	fault_raise(&fault, FAULT_NETWORK, "connection reset");
	CHECK(!fault_while(&fault, "uploading block %d", 7));
	CHECK(!fault_while(&fault, "site %s", "contoso"));
	CHECK_TEXT(fault.text, "site contoso: uploading block 7: connection reset");
	CHECK(fault.kind == FAULT_NETWORK);
}

/* What is long is cut, and neither the cause nor the NUL is lost, for every length around the bounds. */
static void
test_long_texts(void)
{
	for (size_t before = 0; before < 700; before++) {
		memset(many, 'x', sizeof many);
		many[before] = 0;
		fault_clear(&fault);
		fault_raise(&fault, FAULT_NETWORK, "the cause");
		fault_while(&fault, "%s", many);
		CHECK(strlen(fault.text) < sizeof fault.text && strstr(fault.text, ": the cause") != NULL);
		fault_clear(&fault);
		fault_errno(&fault, FAULT_SYSTEM, EPIPE, "%s", many);
		CHECK(strlen(fault.text) < sizeof fault.text && fault.text[0] == (before == 0 ? ':' : 'x'));
		fault_while(&fault, "doing");
		CHECK(strncmp(fault.text, "doing: ", 7) == 0 && strlen(fault.text) < sizeof fault.text);
		fault_hint(&fault, "%s", many);
		CHECK(strlen(fault.hint) == (before < FAULT_HINT_MAX ? before : FAULT_HINT_MAX - 1));
	}
}

static void
test_tame(void)
{
	fault_clear(&fault);
	fault_raise(&fault, FAULT_NETWORK, "%s", "a\x1b[2Jb\r\n\x7f\xc2\x9b" "c\xd0\xb6\xc2\xa0");
	CHECK_TEXT(fault.text, "a?[2Jb?????c\xd0\xb6\xc2\xa0");
	fault_while(&fault, "\x07" "bell");
	CHECK(strncmp(fault.text, "?bell: a?", 9) == 0);
	fault_hint(&fault, "try\n%s", "\xc2");
	CHECK_TEXT(fault.hint, "try?\xc2");
}

static void
test_hint(void)
{
	fault_clear(&fault);
	fault_raise(&fault, FAULT_DENIED, "refused");
	CHECK(!fault_hint(&fault, "use --%s", "identity"));
	CHECK(!fault_hint(&fault, "another"));
	CHECK_TEXT(fault.hint, "use --identity");
}

static void
test_names(void)
{
	CHECK_TEXT(fault_kind_name(FAULT_NONE), "none");
	CHECK_TEXT(fault_kind_name(FAULT_CORRUPT), "corrupt");
	for (int kind = FAULT_NONE; kind <= FAULT_STOPPED; kind++) {
		CHECK(fault_kind_name((enum fault_kind)kind) != NULL);
		for (int other = FAULT_NONE; other < kind; other++)
			CHECK(strcmp(fault_kind_name((enum fault_kind)kind), fault_kind_name((enum fault_kind)other)) != 0);
	}
}

int
main(void)
{
	UNIT_RUN(test_first_cause_stays);
	UNIT_RUN(test_errno);
	UNIT_RUN(test_while);
	UNIT_RUN(test_long_texts);
	UNIT_RUN(test_tame);
	UNIT_RUN(test_hint);
	UNIT_RUN(test_names);
	return unit_end();
}
