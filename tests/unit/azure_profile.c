/* SPDX-License-Identifier: MIT */
/* Publish profiles as the portal makes them, and as nobody should. */
#include "azure/profile.h"

#include "unit.h"

#define ZIP "<publishProfile profileName=\"contoso - Zip Deploy\" publishMethod=\"ZipDeploy\" publishUrl=\"contoso.scm.azurewebsites.net:443\" " \
	"userName=\"$contoso\" userPWD=\"zip&amp;&lt;&#x41;&#66;&apos;\" destinationAppUrl=\"http://contoso.azurewebsites.net\" " \
	"SQLServerDBConnectionString=\"geheim\" mySQLDBConnectionString=\"\" webSystem=\"WebSites\"><databases /></publishProfile>"
#define MS "<publishProfile publishMethod='MSDeploy' publishUrl='ms.scm.azurewebsites.net:443' msdeploySite=\"contoso\" userName='$contoso' userPWD='ms'/>"
#define OLD "<publishProfile publishMethod=\"MSDeploy\" publishUrl=\"waws-prod-am2-001.publish.azurewebsites.windows.net:443\" userName=\"$contoso__stage\" userPWD=\"old\" />"
#define FTP "<publishProfile publishMethod=\"FTP\" publishUrl=\"ftps://waws/site\" userName=\"contoso\\$contoso\" userPWD=\"ftp\" />"

static struct profile profile;
static struct fault fault;

static bool
reads(const char *xml)
{
	fault_clear(&fault);
	return profile_read(&profile, span_of(xml), &fault);
}

static void
is(const char *xml, const char *scm, const char *user, const char *password)
{
	bool good = reads(xml);
	CHECK(good);
	if (!good)
		fprintf(stderr, "%s: %s\n", xml, fault.text);
	CHECK_TEXT(profile.scm, scm);
	CHECK_TEXT(profile.user, user);
	CHECK_TEXT(profile.password, password);
}

static void
chooses_the_entry(void)
{
	is("<publishData>" FTP MS ZIP OLD "</publishData>", "https://contoso.scm.azurewebsites.net", "$contoso", "zip&<AB'");
	is("<publishData>" FTP OLD MS "</publishData>", "https://ms.scm.azurewebsites.net", "$contoso", "ms");
	is("<publishData>" OLD FTP "</publishData>", "https://contoso-stage.scm.azurewebsites.net", "$contoso__stage", "old");
	CHECK(!reads("<publishData>" FTP "</publishData>") && strstr(fault.text, "no entry") != NULL);
	CHECK(!reads("<publishData/>") && strstr(fault.text, "no entry") != NULL);
}

static void
takes_any_xml(void)
{
	is("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<!-- a <publishProfile> -->\n<publishData a = \"b\" >\n text <x><![CDATA[ <publishProfile ]]></x>" MS
	   "\n</publishData >\n<!-- end -->", "https://ms.scm.azurewebsites.net", "$contoso", "ms");
	is("<publishData><publishProfile publishMethod=\"ZipDeploy\" publishUrl=\"https://h.scm.example:8443/x\" userName=\"&#228;\" userPWD=\"&quot;&gt;\"/></publishData>",
	   "https://h.scm.example:8443", "\xc3\xa4", "\">");
}

static void
bad(const char *xml, const char *words)
{
	bool refused = !reads(xml);
	CHECK(refused && fault.kind == FAULT_USAGE);
	if (!refused || strstr(fault.text, words) == NULL)
		fprintf(stderr, "%s: %s\n", xml, fault.text);
	CHECK(strstr(fault.text, words) != NULL && strstr(fault.text, "geheim") == NULL);
	CHECK(profile.password[0] == 0 && profile.user[0] == 0);
}

static void
refuses_what_is_none(void)
{
	bad("", "empty");
	bad("{\"json\":1}", "not XML (line 1, character 1)");
	bad("\xff\xfe<\0", "UTF-16");
	bad("<html></html>", "no publish profile");
	bad("<publishData></publishData><publishData/>", "no publish profile");
	bad("<publishData>" MS, "ends too early");
	bad("<publishData>\n" MS "\n</publishdata>", "closed that is not open (line 3");
	bad("</publishData>", "closed that is not open");
	bad("<publishData>\n\n  <publishProfile publishMethod=MSDeploy/></publishData>", "quotes (line 3, character 33)");
	bad("<publishData><publishProfile userPWD=\"geheim", "no end");
	bad("<publishData><publishProfile userPWD=\"geheim<\"/></publishData>", "'<'");
	bad("<publishData><publishProfile userPWD=\"geheim&nbsp;\"/></publishData>", "entity");
	bad("<publishData><publishProfile userPWD=\"geheim&amp\"/></publishData>", "entity");
	bad("<publishData><publishProfile userPWD=\"&#0;\"/></publishData>", "entity");
	bad("<publishData><publishProfile userPWD=\"&#xd800;\"/></publishData>", "entity");
	bad("<publishData><publishProfile userPWD=\"&#x110000;\"/></publishData>", "entity");
	bad("<publishData><publishProfile userPWD=\"&#x;\"/></publishData>", "entity");
	bad("<publishData><publishProfile userPWD=\"&#1a;\"/></publishData>", "entity");
	bad("<publishData><publishProfile userPWD=\"geheim\" userPWD=\"b\"/></publishData>", "twice");
	bad("<publishData><publishProfile a=\"1\"b=\"2\"/></publishData>", "blank is missing");
	bad("<publishData><publishProfile a/></publishData>", "'=' is missing");
	bad("<publishData><publishProfile a=\"1\"/ ></publishData>", "'>' is missing");
	bad("<publishData><publishProfile a=\"\x01\"/></publishData>", "control character");
	bad("<!DOCTYPE a [<!ENTITY x \"y\">]><publishData/>", "declaration");
	bad("<publishData><!-- ", "comment");
	bad("<?xml ", "instruction");
	bad("<publishData><![CDATA[", "CDATA");
	bad("<publishData><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", "too deeply");
}

static void
keeps_bounds(void)
{
	char xml[2048];
	char long_word[600];
	memset(long_word, 'x', sizeof long_word);
	for (int more = 0; more < 2; more++) {
		long_word[sizeof profile.password - 1 + (size_t)more] = 0;
		snprintf(xml, sizeof xml, "<publishData><publishProfile publishMethod=\"ZipDeploy\" publishUrl=\"h.scm.x:443\" userName=\"u\" userPWD=\"%s\"/></publishData>", long_word);
		CHECK(reads(xml) == (more == 0));
		memset(long_word, 'x', sizeof long_word);
	}
	CHECK(strstr(fault.text, "too long") != NULL);
}

static void
explains_redacted(void)
{
	bad("<publishData><publishProfile publishMethod=\"ZipDeploy\" publishUrl=\"h.scm.x:443\" userName=\"REDACTED\" userPWD=\"REDACTED\"/></publishData>", "REDACTED");
	CHECK(strstr(fault.hint, "Basic Auth") != NULL && strstr(fault.hint, "--identity") != NULL);
	bad("<publishData><publishProfile publishMethod=\"ZipDeploy\" publishUrl=\"h.scm.x:443\" userName=\"u\" userPWD=\"\"/></publishData>", "no password");
}

int
main(void)
{
	UNIT_RUN(chooses_the_entry);
	UNIT_RUN(takes_any_xml);
	UNIT_RUN(refuses_what_is_none);
	UNIT_RUN(keeps_bounds);
	UNIT_RUN(explains_redacted);
	return unit_end();
}
