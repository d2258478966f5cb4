/* SPDX-License-Identifier: MIT */
#include "azure/sas.h"

#include "base/deadline.h"
#include "unit.h"

#define GOOD "sv=2021-12-02&st=2026-11-21T13%3A00%3A00Z&se=2026-11-21T15%3A00%3A00Z&sr=c&sp=rcwl&spr=https&sig=a%2Bb%2F%3D"
#define NOON 1795269600 /* 2026-11-21T14:00:00Z */

static struct fault fault;
static struct sas sas;

static bool
reads(const char *query)
{
	fault_clear(&fault);
	return sas_read(&sas, span_of(query), &fault);
}

/* Whether it can write at NOON over https; the words are in fault. */
static bool
writes(const char *query)
{
	return reads(query) && sas_check(&sas, true, NOON, &fault);
}

static void
reads_what_it_says(void)
{
	CHECK(reads(GOOD));
	CHECK_TEXT(sas.rights, "rcwl");
	CHECK_TEXT(sas.resource, "c");
	CHECK(sas.https_only);
	CHECK(sas.starts_s == NOON - 3600);
	CHECK(sas.ends_s == NOON + 3600);
	CHECK(sas_allows(&sas, 'r') && !sas_allows(&sas, 'd'));
	CHECK(sas_check(&sas, true, NOON, &fault));
}

static void
says_when_it_is_cut(void)
{
	CHECK(!reads("sv=2021-12-02") && fault.kind == FAULT_USAGE && strstr(fault.hint, "quotes") != NULL);
	CHECK(!reads("sv=2021-12-02&sig="));
	CHECK(!reads("sv=2021-12-02&notsig=1"));
	CHECK(!reads(""));
}

static void
refuses_what_cannot_stand_in_a_url(void)
{
	CHECK(!reads("sv=1&sig=a b"));
	CHECK(!reads("sv=1&sig=a\r\nHost: x"));
	CHECK(!reads("sv=1&sig=a#b"));
	CHECK(!reads("sv=1&sig=\xc3\xa4"));
	CHECK(strstr(fault.text, "sig=") == NULL);
}

static void
knows_the_time(void)
{
	CHECK(reads(GOOD));
	CHECK(sas_check(&sas, true, sas.ends_s - 1, &fault));
	CHECK(!sas_check(&sas, true, sas.ends_s, &fault));
	CHECK(fault.kind == FAULT_DENIED);
	CHECK_TEXT(fault.text, "the SAS expired at 2026-11-21T15:00:00Z; it is 2026-11-21T15:00:00Z now");
	fault_clear(&fault);
	CHECK(sas_check(&sas, true, sas.starts_s - 900, &fault));
	CHECK(!sas_check(&sas, true, sas.starts_s - 901, &fault));
	CHECK(strstr(fault.text, "valid from 2026-11-21T13:00:00Z") != NULL);
}

static void
takes_times_in_all_their_forms(void)
{
	CHECK(reads("se=2026-11-21&sig=x") && sas.ends_s == NOON - 14 * 3600);
	CHECK(reads("se=2026-11-21T14:00Z&sig=x") && sas.ends_s == NOON);
	CHECK(reads("se=2026-11-21T14:00:00.0000000Z&sig=x") && sas.ends_s == NOON);
	CHECK(reads("se=never&sig=x") && sas.ends_s == 0);
	CHECK(reads("se=%&sig=x") && sas.ends_s == 0);
}

static void
knows_the_rights(void)
{
	CHECK(writes("sp=cw&sr=c&sig=x"));
	CHECK(writes("sp=w&sr=c&sig=x"));
	CHECK(writes("sp=c&sr=c&sig=x"));
	CHECK(writes("si=policy&sr=c&sig=x"));
	CHECK(sas_allows(&sas, 'w') && sas_allows(&sas, 'd'));
	CHECK(!writes("sp=rl&sr=c&sig=x") && strstr(fault.text, "sp=rl") != NULL && fault.kind == FAULT_DENIED);
}

static void
knows_its_kind(void)
{
	CHECK(writes("sp=cw&sr=b&sig=x") && sas_is_for_one_blob(&sas));
	CHECK(writes("sp=cw&sr=c&sig=x") && !sas_is_for_one_blob(&sas));
	CHECK(writes("sp=cw&ss=b&srt=o&sig=x") && !sas_is_for_one_blob(&sas));
	CHECK(writes("sp=cw&sr=d&sdd=1&sig=x"));
	CHECK(writes("sp=cw&ss=bf&srt=sco&sig=x"));
	CHECK(!writes("sp=cw&ss=fq&srt=sco&sig=x") && strstr(fault.text, "ss=fq") != NULL);
	CHECK(!writes("sp=cw&ss=b&srt=sc&sig=x") && strstr(fault.text, "srt=sc") != NULL);
}

static void
keeps_https_to_itself(void)
{
	CHECK(reads(GOOD));
	CHECK(!sas_check(&sas, false, NOON, &fault) && strstr(fault.text, "spr=https") != NULL);
	CHECK(reads("sp=cw&spr=https,http&sr=c&sig=x"));
	CHECK(sas_check(&sas, false, NOON, &fault));
}

static void
bears_long_values(void)
{
	char query[400] = "sig=x&sp=";
	memset(query + 9, 'w', 300);
	query[309] = 0;
	CHECK(reads(query));
	CHECK_TEXT(sas.rights, "");
}

int
main(void)
{
	UNIT_RUN(reads_what_it_says);
	UNIT_RUN(says_when_it_is_cut);
	UNIT_RUN(refuses_what_cannot_stand_in_a_url);
	UNIT_RUN(knows_the_time);
	UNIT_RUN(takes_times_in_all_their_forms);
	UNIT_RUN(knows_the_rights);
	UNIT_RUN(knows_its_kind);
	UNIT_RUN(keeps_https_to_itself);
	UNIT_RUN(bears_long_values);
	return unit_end();
}
