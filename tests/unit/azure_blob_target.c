/* SPDX-License-Identifier: MIT */
#include "azure/blob_target.h"

#include "base/deadline.h"
#include "unit.h"

#define SAS "sv=2021-12-02&se=2999-01-01&sr=c&sp=cw&sig=geheim"
#define KEY "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

static struct fault fault;
static struct blob_target target;
static struct identity identity;

static bool
parses(const char *url)
{
	fault_clear(&fault);
	return blob_target_parse(&target, url, NULL, NULL, &identity, false, &fault);
}

/* Host style and path style, container, prefix and a blob's path. */
static void
splits(const char *url, const char *account, const char *container, const char *path)
{
	char room[256];
	struct text text = text_in(room, sizeof room);
	bool good = parses(url);
	CHECK(good);
	if (!good)
		fprintf(stderr, "%s: %s\n", url, fault.text);
	CHECK_TEXT(target.account, account);
	CHECK_TEXT(target.container, container);
	blob_target_put_path(&text, &target, "d/x y.dmp");
	CHECK_TEXT(room, path);
}

static void
takes_the_account_from_the_host(void)
{
	splits("https://acct.blob.core.windows.net/dumps", "acct", "dumps", "/dumps/d/x%20y.dmp");
	splits("https://acct.blob.core.windows.net/dumps/", "acct", "dumps", "/dumps/d/x%20y.dmp");
	splits("https://acct.blob.core.windows.net/dumps/a/b%20c/", "acct", "dumps", "/dumps/a/b%20c/d/x%20y.dmp");
	splits("https://ACCT.blob.core.usgovcloudapi.net/dumps", "acct", "dumps", "/dumps/d/x%20y.dmp");
	splits("https://acct.blob.core.chinacloudapi.cn/dumps", "acct", "dumps", "/dumps/d/x%20y.dmp");
	splits("https://acct.z07.blob.storage.azure.net/dumps", "acct", "dumps", "/dumps/d/x%20y.dmp");
	splits("https://acct.privatelink.blob.core.windows.net/dumps", "acct", "dumps", "/dumps/d/x%20y.dmp");
	splits("https://acct.blob.local.azurestack.external:8443/dumps", "acct", "dumps", "/dumps/d/x%20y.dmp");
	splits("http://devstoreaccount1.blob.localhost:10000/dumps", "devstoreaccount1", "dumps", "/dumps/d/x%20y.dmp");
	splits("https://acct.blob.core.windows.net/$web", "acct", "$web", "/$web/d/x%20y.dmp");
}

static void
takes_the_account_from_the_path(void)
{
	splits("http://127.0.0.1:10000/devstoreaccount1/dumps", "devstoreaccount1", "dumps", "/devstoreaccount1/dumps/d/x%20y.dmp");
	splits("http://127.0.0.1/acct/dumps/p", "acct", "dumps", "/acct/dumps/p/d/x%20y.dmp");
	splits("http://[::1]:10000/acct/dumps", "acct", "dumps", "/acct/dumps/d/x%20y.dmp");
	splits("https://localhost:10000/acct/dumps", "acct", "dumps", "/acct/dumps/d/x%20y.dmp");
	splits("https://azurite/acct/dumps", "acct", "dumps", "/acct/dumps/d/x%20y.dmp");
	splits("https://azurite.test:10000/acct/dumps", "acct", "dumps", "/acct/dumps/d/x%20y.dmp");
}

static void
takes_a_custom_domain(void)
{
	splits("https://dumps.example.com/dumps/p", "", "dumps", "/dumps/p/d/x%20y.dmp");
	fault_clear(&fault);
	CHECK(!blob_target_parse(&target, "https://dumps.example.com/dumps", NULL, KEY, NULL, false, &fault));
	CHECK(fault.kind == FAULT_USAGE && strstr(fault.text, "which account") != NULL);
}

static void
knows_where_names_begin(void)
{
	CHECK(parses("https://acct.blob.core.windows.net/dumps"));
	CHECK_TEXT(target.url.path + target.prefix, "");
	CHECK(parses("https://acct.blob.core.windows.net/dumps/a/b/"));
	CHECK_TEXT(target.url.path + target.prefix, "a/b");
	CHECK(parses("http://127.0.0.1:1/acct/dumps/a"));
	CHECK_TEXT(target.url.path + target.prefix, "a");
}

static void
refuses(const char *url, const char *words)
{
	CHECK(!parses(url));
	CHECK(fault.kind == FAULT_USAGE);
	CHECK(strstr(fault.text, words) != NULL || strstr(fault.hint, words) != NULL);
	CHECK(target.login.kind == 0 && target.url.host[0] == 0);
}

static void
refuses_what_is_no_container(void)
{
	refuses("https://acct.blob.core.windows.net", "no container");
	refuses("https://acct.blob.core.windows.net/", "no container");
	refuses("https://acct.blob.core.windows.net///", "no container");
	refuses("https://acct.blob.core.windows.net//dumps", "no container");
	refuses("http://127.0.0.1:10000/", "no account");
	refuses("http://127.0.0.1:10000/acct", "no container");
	refuses("https://acct.blob.core.windows.net/Dumps", "'Dumps'");
	refuses("https://acct.blob.core.windows.net/du", "'du'");
	refuses("https://acct.blob.core.windows.net/-dumps", "container");
	refuses("https://acct.blob.core.windows.net/dumps-", "container");
	refuses("https://acct.blob.core.windows.net/du--mps", "container");
	refuses("https://acct.blob.core.windows.net/du_mps", "container");
	refuses("https://acct.blob.core.windows.net/a123456789012345678901234567890123456789012345678901234567890123", "63");
	refuses("https://acct.dfs.core.windows.net/dumps", "not a blob service");
	refuses("ftp://acct.blob.core.windows.net/dumps", "neither");
	refuses("https://user:pass@acct.blob.core.windows.net/dumps", "user or password");
	refuses("https://127.0.0.1/acct/dumps", "certificate");
}

static void
keeps_secrets_off_plain_http(void)
{
	refuses("http://acct.blob.core.windows.net/dumps", "plain http");
	refuses("http://192.0.2.7:10000/acct/dumps", "plain http");
	fault_clear(&fault);
	CHECK(blob_target_parse(&target, "http://192.0.2.7:10000/acct/dumps", NULL, NULL, &identity, true, &fault));
}

static void
chooses_the_login(void)
{
	const char *url = "https://acct.blob.core.windows.net/dumps";
	char room[400];
	struct text text = text_in(room, sizeof room);
	fault_clear(&fault);
	CHECK(blob_target_parse(&target, "https://acct.blob.core.windows.net/dumps?" SAS, "sp=cw&sig=other", KEY, &identity, false, &fault));
	CHECK(target.login.kind == BLOB_SAS);
	CHECK_TEXT(target.login.query, SAS);
	CHECK(target.url.query[0] == 0);
	blob_target_put(&text, &target);
	CHECK_TEXT(room, "https://acct.blob.core.windows.net/dumps");
	CHECK(blob_target_parse(&target, url, "?sp=cw&sig=other\n", KEY, &identity, false, &fault));
	CHECK(target.login.kind == BLOB_SAS);
	CHECK_TEXT(target.login.query, "sp=cw&sig=other");
	CHECK(blob_target_parse(&target, url, "", KEY, &identity, false, &fault));
	CHECK(target.login.kind == BLOB_SHARED_KEY);
	CHECK_TEXT(target.login.key.account, "acct");
	CHECK(blob_target_parse(&target, url, NULL, "", &identity, false, &fault));
	CHECK(target.login.kind == BLOB_BEARER);
	CHECK(!blob_target_parse(&target, url, NULL, NULL, NULL, false, &fault));
	CHECK(fault.kind == FAULT_USAGE && strstr(fault.hint, "KUDUMP_BLOB_SAS") != NULL);
}

static void
refuses_a_bad_login(void)
{
	const char *url = "https://acct.blob.core.windows.net/dumps";
	fault_clear(&fault);
	CHECK(!blob_target_parse(&target, "https://acct.blob.core.windows.net/dumps?sv=2021-12-02", NULL, KEY, NULL, false, &fault));
	CHECK(strstr(fault.hint, "quotes") != NULL);
	fault_clear(&fault);
	CHECK(!blob_target_parse(&target, url, "se=2020-01-01&sp=cw&sig=geheim", NULL, NULL, false, &fault));
	CHECK(fault.kind == FAULT_DENIED && strstr(fault.text, "expired") != NULL && strstr(fault.text, "geheim") == NULL);
	fault_clear(&fault);
	CHECK(!blob_target_parse(&target, url, NULL, "kein Schluessel", NULL, false, &fault));
	CHECK(fault.kind == FAULT_USAGE && strstr(fault.text, "Schluessel") == NULL);
}

static void
warns_of_a_short_sas(void)
{
	char url[256], room[400];
	struct text text = text_in(url, sizeof url), warning = text_in(room, sizeof room);
	text_put(&text, "https://acct.blob.core.windows.net/dumps?sp=cw&sig=geheim&se=");
	clock_put_iso(&text, clock_utc_s() + 600);
	CHECK(parses(url));
	blob_target_put_warning(&warning, &target);
	CHECK(strstr(room, "ends at") != NULL && strstr(room, "geheim") == NULL);
	text_reset(&warning);
	CHECK(parses("https://acct.blob.core.windows.net/dumps?" SAS));
	blob_target_put_warning(&warning, &target);
	CHECK_TEXT(room, "");
}

static void
overwrites_secrets(void)
{
	const unsigned char *bytes = (const unsigned char *)&target;
	size_t left = 0;
	CHECK(parses("https://acct.blob.core.windows.net/dumps?" SAS));
	blob_target_close(&target);
	for (size_t i = 0; i < sizeof target; i++)
		left += bytes[i] != 0;
	CHECK(left == 0);
}

static bool
names(const char *name)
{
	fault_clear(&fault);
	return blob_name_check(name, &fault) || fault.kind != FAULT_USAGE;
}

static void
knows_what_names_a_blob(void)
{
	static const char *const good[] = {"a", "a/b", "a b#c?d%41&+'\"", "\xc3\xa9", ".a", "...", "a/.b", "a\\b", " "};
	static const char *const bad[] = {"", "/", "a/", "/a", "a//b", ".", "..", "a/..", "./a", "\xff", "a\nb", "a\x7f", "\xc3", "\xed\xa0\x80"};
	char room[BLOB_NAME_MAX + 2];
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK(names(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!names(bad[i]));
	memset(room, 'n', sizeof room);
	room[BLOB_NAME_MAX + 1] = 0;
	CHECK(!names(room) && strstr(fault.text, "1024") != NULL);
	room[BLOB_NAME_MAX] = 0;
	CHECK(names(room));
}

static void
checks_an_address_alone(void)
{
	fault_clear(&fault);
	CHECK(blob_target_check(&target, "https://acct.blob.core.windows.net/dumps/in/here", &fault) && target.url.host[0] == 0);
	CHECK(!blob_target_check(&target, "https://acct.blob.core.windows.net", &fault) && fault.kind == FAULT_USAGE);
}

int
main(void)
{
	UNIT_RUN(takes_the_account_from_the_host);
	UNIT_RUN(takes_the_account_from_the_path);
	UNIT_RUN(takes_a_custom_domain);
	UNIT_RUN(knows_where_names_begin);
	UNIT_RUN(refuses_what_is_no_container);
	UNIT_RUN(keeps_secrets_off_plain_http);
	UNIT_RUN(chooses_the_login);
	UNIT_RUN(refuses_a_bad_login);
	UNIT_RUN(warns_of_a_short_sas);
	UNIT_RUN(overwrites_secrets);
	UNIT_RUN(knows_what_names_a_blob);
	UNIT_RUN(checks_an_address_alone);
	return unit_end();
}
