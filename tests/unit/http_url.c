/* SPDX-License-Identifier: MIT */
#include "http/url.h"

#include "unit.h"

static struct url url;
static struct fault fault;

static bool
parse(const char *words)
{
	fault_clear(&fault);
	return url_parse(&url, span_of(words), &fault);
}

static const char *
shown(void)
{
	static char room[2 * URL_MAX];
	struct text text = text_in(room, sizeof room);
	url_put(&text, &url);
	return room;
}

static const char *
host_shown(void)
{
	static char room[HOST_MAX + 16];
	struct text text = text_in(room, sizeof room);
	url_put_host(&text, &url);
	return room;
}

static void
splits(void)
{
	CHECK(parse("HTTPS://Shop.SCM.azurewebsites.net./api/processes/4292/dump?dumpType=2&sig=a%2Fb"));
	CHECK(url.secure && url.port == 443);
	CHECK_TEXT(url.host, "shop.scm.azurewebsites.net");
	CHECK_TEXT(url.path, "/api/processes/4292/dump");
	CHECK_TEXT(url.query, "dumpType=2&sig=a%2Fb");
	CHECK_TEXT(shown(), "https://shop.scm.azurewebsites.net/api/processes/4292/dump");
	CHECK(parse("http://127.0.0.1:10000/devstoreaccount1/dumps"));
	CHECK(!url.secure && url.port == 10000);
	CHECK_TEXT(host_shown(), "127.0.0.1:10000");
	CHECK(parse("http://[0:0::1]:26001"));
	CHECK_TEXT(url.host, "::1");
	CHECK_TEXT(url.path, "/");
	CHECK_TEXT(shown(), "http://[::1]:26001/");
	CHECK(parse("https://host?sv=1?2/3"));
	CHECK_TEXT(url.path, "/");
	CHECK_TEXT(url.query, "sv=1?2/3");
	CHECK(parse("https://host:443/"));
	CHECK_TEXT(host_shown(), "host");
	CHECK(parse("https://host:80/a@b:c/%41"));
	CHECK_TEXT(host_shown(), "host:80");
	CHECK(parse("https://a_b.x-y.1a/"));
	CHECK(parse("http://host:65535/") && url.port == 65535);
	CHECK(parse("http://host:1/") && url.port == 1);
}

static void
refuses(void)
{
	static const char *const bad[] = {
		"", "host", "host/path", "ftp://host/", "https:/host", "https:host", "//host/", "https//host", "javascript:x",
		"https://", "https:///path", "https://?q", "https://:443/", "https://.", "https://.host", "https://a..b/",
		"https://host../", "https://-a/", "https://a-.b/", "https://a b/", "https://a\tb/", "https://a\nb/", "https://a/\r\nX: y",
		"https://h\xc3\xb6st/", "https://host/\x7f", "https://host/#part", "https://host/%", "https://host/%4", "https://host/%zz",
		"https://host/%00", "https://host/?a=%0g", "https://host\\path", "https://host/<a>", "https://host/\"", "https://host/{date}",
		"https://host:/", "https://host:0/", "https://host:65536/", "https://host:99999999999/", "https://host:+80/", "https://host:0x50/",
		"https://host:80:80/", "https://ho%73t/", "https://ho,st/", "http://256.1.1.1/", "http://127.1/", "http://1.2.3.4.5/",
		"http://2130706433/", "http://0x7f.0.0.1/", "http://127.0.0.0x1/", "http://01.2.3.4/", "http://[::1/", "http://[::1]x/",
		"http://[]/", "http://[1.2.3.4]/", "http://[::1%25eth0]/", "http://[g::]/", "http://::1/", "http://[::1]]/", "http://]::1[/",
		"http://a.b.c.\xff/", "https://1.2.3.4/", "https://[::1]/", "https://user:pass@host/", "https://user@host/", "https://@host/",
		"https://host:443@evil/", "http://[1:2:3:4:5:6:7:8:9]/",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		bool taken = parse(bad[i]);
		if (taken || fault.kind != FAULT_USAGE)
			fprintf(stderr, "case %zu: %s: %s\n", i, bad[i], fault.text);
		CHECK(!taken && fault.kind == FAULT_USAGE);
	}
}

static void
says_why(void)
{
	CHECK(!parse("https://$shop:s3cret@shop.scm.azurewebsites.net/"));
	CHECK(strstr(fault.text, "s3cret") == NULL && strstr(fault.hint, "process lists") != NULL);
	CHECK(!parse("https://host:s3cret/"));
	CHECK(strstr(fault.text, "s3cret") == NULL);
	CHECK(!parse("https://h ost/?sig=s3cret"));
	CHECK(strstr(fault.text, "s3cret") == NULL);
	CHECK(!parse("https://10.0.0.4/"));
	CHECK(strstr(fault.hint, "--resolve NAME:10.0.0.4") != NULL);
}

static void
fill(char *room, const char *before, char with, size_t count, const char *behind)
{
	size_t start = strlen(before);
	memcpy(room, before, start);
	memset(room + start, with, count);
	memcpy(room + start + count, behind, strlen(behind) + 1);
}

static void
measures(void)
{
	static char room[3 * URL_MAX];
	fill(room, "https://h", '/', URL_MAX - 1, "");
	CHECK(parse(room));
	fill(room, "https://h", '/', URL_MAX, "");
	CHECK(!parse(room) && fault.kind == FAULT_BOUND);
	fill(room, "https://h?", 'q', URL_MAX - 1, "");
	CHECK(parse(room));
	fill(room, "https://h?", 'q', URL_MAX, "");
	CHECK(!parse(room) && fault.kind == FAULT_BOUND);
	fill(room, "https://", 'h', 63, "/");
	CHECK(parse(room));
	fill(room, "https://", 'h', 64, "/");
	CHECK(!parse(room) && fault.kind == FAULT_USAGE);
	fill(room, "https://", 'h', 50, "");
	for (int i = 0; i < 4; i++)
		fill(room + strlen(room), ".", 'h', i < 3 ? 50 : 49, "");
	CHECK(parse(room)); /* 50 + 3 * 51 + 50 = 253 */
	fill(room + strlen(room), "", 'h', 1, "");
	CHECK(!parse(room) && fault.kind == FAULT_BOUND);
}

static void
same_origins(void)
{
	static struct url other;
	CHECK(parse("https://host/a"));
	other = url;
	CHECK(parse("https://HOST:443/b?c") && url_same_origin(&url, &other));
	CHECK(parse("http://host:443/a") && !url_same_origin(&url, &other));
	CHECK(parse("https://host:444/a") && !url_same_origin(&url, &other));
	CHECK(parse("https://host.evil/a") && !url_same_origin(&url, &other));
}

static void
finds_parameters(void)
{
	struct span query = span_of("sv=2024&sig=a%3D=&&empty=&flag&sv=2"), value;
	CHECK(url_query_find(query, "sv", &value) && span_is(value, "2024"));
	CHECK(url_query_find(query, "sig", &value) && span_is(value, "a%3D="));
	CHECK(url_query_find(query, "empty", &value) && value.count == 0);
	CHECK(url_query_find(query, "flag", &value) && value.count == 0);
	CHECK(!url_query_find(query, "si", &value));
	CHECK(!url_query_find(query, "SIG", &value));
	CHECK(!url_query_find(query, "2024", &value));
	CHECK(!url_query_find(span_of(""), "sv", &value));
	CHECK(!url_query_find(span_of("=x"), "sv", &value));
}

int
main(void)
{
	UNIT_RUN(splits);
	UNIT_RUN(refuses);
	UNIT_RUN(says_why);
	UNIT_RUN(measures);
	UNIT_RUN(same_origins);
	UNIT_RUN(finds_parameters);
	return unit_end();
}
