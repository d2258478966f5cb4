/* SPDX-License-Identifier: MIT */
/* What a site is called, and what can be an instance's id: without a network. */
#include "azure/site.h"

#include "unit.h"

#define LABEL "a23456789012345678901234567890123456789012345678901234567890123" /* as long as one can be */

static const char *
name_of(const char *words)
{
	static char room[64];
	static struct url url;
	struct fault fault;
	fault_clear(&fault);
	CHECK(url_parse(&url, span_of(words), &fault));
	site_put_name(&url, room, sizeof room);
	return room;
}

static void
is_called_what_comes_before_scm(void)
{
	CHECK_TEXT(name_of("https://contoso.scm.azurewebsites.net"), "contoso");
	CHECK_TEXT(name_of("https://contoso-stage.scm.westeurope-01.azurewebsites.net"), "contoso-stage");
	CHECK_TEXT(name_of("https://contoso.scm.myase.p.azurewebsites.net"), "contoso");
	CHECK_TEXT(name_of("https://kudu.example.org:8443"), "kudu");
	CHECK_TEXT(name_of("http://localhost:8080"), "localhost");
	CHECK_TEXT(name_of("http://127.0.0.1:8080"), "127.0.0.1");
	CHECK_TEXT(name_of("http://[::1]:8080"), "::1");
	CHECK_TEXT(name_of("https://" LABEL ".scm.example"), LABEL);
}

static void
instances_have_hex_digits(void)
{
	char words[INSTANCE_MAX + 2];
	memset(words, 'a', sizeof words);
	words[INSTANCE_MAX + 1] = 0;
	CHECK(!site_is_instance_id(words) && site_is_instance_id(words + 1));
	CHECK(site_is_instance_id("0aF") && !site_is_instance_id("") && !site_is_instance_id("0x1") && !site_is_instance_id("all"));
}

int
main(void)
{
	UNIT_RUN(is_called_what_comes_before_scm);
	UNIT_RUN(instances_have_hex_digits);
	return unit_end();
}
