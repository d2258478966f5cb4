/* SPDX-License-Identifier: MIT */
/* Which proxy for which host: the settings, NO_PROXY, and what never goes through a proxy. */
#include "http/proxy.h"

#include "base/encode.h"
#include "net/address.h"
#include "unit.h"

static struct proxy proxy;
static struct proxies proxies;
static struct url url;
static struct fault fault;

static bool
parse(const char *words)
{
	fault_clear(&fault);
	return proxy_parse(&proxy, span_of(words), true, &fault);
}

/* The login as it stands decoded in the header, "" when there is none. */
static const char *
login(void)
{
	static unsigned char room[1024];
	size_t count;
	if (strncmp(proxy.authorization, "Basic ", 6) != 0 ||
	    !decode_base64(span_of(proxy.authorization + 6), room, sizeof room - 1, &count))
		return "";
	room[count] = 0;
	return (const char *)room;
}

static void
reads_urls(void)
{
	static const struct {
		const char *words, *place, *login;
	} good[] = {
		{"http://proxy.corp:3128", "proxy.corp:3128", ""},
		{"HTTP://Proxy.Corp:3128/", "proxy.corp:3128", ""},
		{"  http://proxy:8080\t", "proxy:8080", ""},
		{"proxy:8080", "proxy:8080", ""},
		{"http://proxy", "proxy:80", ""},
		{"http://10.1.2.3:1", "10.1.2.3:1", ""},
		{"http://[FD00::1]:65535", "[fd00::1]:65535", ""},
		{"http://user:pass@proxy:80", "proxy:80", "user:pass"},
		{"user:pass@proxy:80", "proxy:80", "user:pass"},
		{"http://user@proxy:80", "proxy:80", "user:"},
		{"http://user:@proxy:80", "proxy:80", "user:"},
		{"http://:@proxy:80", "proxy:80", ":"},
		{"http://@proxy:80", "proxy:80", ":"},
		{"http://us%20er:p%40s%3As%2F%25@proxy:80", "proxy:80", "us er:p@s:s/%"},
		{"http://CORP\\jo:a@b:c@proxy:80", "proxy:80", "CORP\\jo:a@b:c"},
		{"http://j\xc3\xb6:%c3%a4@proxy:80", "proxy:80", "j\xc3\xb6:\xc3\xa4"},
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char room[300];
		struct text text = text_in(room, sizeof room);
		CHECK(parse(good[i].words));
		CHECK_TEXT(fault.text, "");
		proxy_put(&text, &proxy);
		CHECK_TEXT(room, good[i].place);
		CHECK_TEXT(login(), good[i].login);
	}
}

static void
refuses_urls(void)
{
	static const char *const bad[][2] = {
		{"https://proxy:443", "TLS to the proxy"}, {"socks5://proxy:1080", "SOCKS"}, {"socks5h://u:geheim@proxy", "SOCKS"},
		{"ftp://proxy", "only proxies with http"}, {"://proxy", "only"}, {"", "host"}, {"http://", "host"}, {"http://:3128", "host"},
		{"http://proxy:0", "port"}, {"http://proxy:65536", "port"}, {"http://proxy:", "port"}, {"http://proxy:geheim", "port"},
		{"http://proxy:80/geheim", "more than host"}, {"http://proxy:80?geheim", "more than host"}, {"http://proxy:80/#", "#"},
		{"http://u:ge/heim@proxy:80", "'/'"}, {"http://u:ge#heim@proxy:80", "'#'"}, {"http://u:ge?heim@proxy:80", "'?'"},
		{"http://u:1/geheim@proxy:80", "'/'"}, {"http://u:geheim%@proxy:80", "percent"}, {"http://u:geheim%4@proxy:80", "percent"},
		{"http://u:geheim%zz@proxy:80", "percent"}, {"http://u:geheim%00@proxy:80", "percent"},
		{"http://u:geheim%0a@proxy:80", "percent"}, {"http://u:geheim%0d%0aX:y@proxy:80", "percent"},
		{"http://u%3Av:geheim@proxy:80", "percent"}, {"http://u:geheim@pro xy:80", "blank"}, {"http://u:geheim@pro\nxy:80", "control"},
		{"http://u:geheim@127.1:80", "neither"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK(!parse(bad[i][0]) && fault.kind == FAULT_USAGE);
		if (strstr(fault.text, bad[i][1]) == NULL)
			CHECK_TEXT(fault.text, bad[i][1]);
		CHECK(strstr(fault.text, "geheim") == NULL && strstr(fault.hint, "geheim") == NULL);
	}
}

static void
bounds_the_login(void)
{
	char room[2 * PROXY_LOGIN_MAX];
	for (size_t count = PROXY_LOGIN_MAX - 1; count <= PROXY_LOGIN_MAX + 1; count++) {
		struct text text = text_in(room, sizeof room);
		text_put(&text, "http://u:"); /* two bytes of it */
		while (text.used < count + 7)
			text_put_byte(&text, 'p');
		text_put(&text, "@proxy:80");
		CHECK(parse(room) == (count <= PROXY_LOGIN_MAX));
		CHECK(count > PROXY_LOGIN_MAX || strlen(login()) == count);
	}
	memset(room, 'h', sizeof room - 1);
	room[sizeof room - 1] = 0;
	CHECK(!parse(room) && fault.kind == FAULT_USAGE);
}

static void
keeps_logins_out_of_arguments(void)
{
	fault_clear(&fault);
	CHECK(!proxy_parse(&proxy, span_of("http://u:geheim@proxy:80"), false, &fault));
	CHECK(strstr(fault.text, "process lists") != NULL && strstr(fault.hint, "HTTPS_PROXY") != NULL);
	CHECK(strstr(fault.text, "geheim") == NULL && strstr(fault.hint, "geheim") == NULL);
	fault_clear(&fault);
	CHECK(proxy_parse(&proxy, span_of("http://proxy:80"), false, &fault));
}

static void
clear_environment(void)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY",
	                                    "no_proxy", "NO_PROXY"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unsetenv(names[i]);
}

static bool
read_settings(const char *option, bool plain)
{
	fault_clear(&fault);
	return proxies_read(&proxies, option, plain, &fault);
}

/* The port tells which variable it came from. */
static unsigned
chosen(const char *origin)
{
	const struct proxy *found;
	fault_clear(&fault);
	CHECK(url_parse(&url, span_of(origin), &fault));
	found = proxy_for(&proxies, &url);
	return found == NULL ? 0 : found->at.port;
}

static void
reads_the_environment(void)
{
	clear_environment();
	CHECK(proxy_for(NULL, &url) == NULL);
	CHECK(read_settings(NULL, true) && chosen("https://a.test") == 0 && chosen("http://a.test") == 0);
	setenv("HTTP_PROXY", "http://p:9", 1); /* httpoxy */
	CHECK(read_settings(NULL, true) && chosen("https://a.test") == 0 && chosen("http://a.test") == 0);
	setenv("ALL_PROXY", "http://p:1", 1);
	CHECK(read_settings(NULL, true) && chosen("https://a.test") == 1 && chosen("http://a.test") == 1);
	CHECK(read_settings(NULL, false) && chosen("https://a.test") == 1 && chosen("http://a.test") == 0);
	setenv("all_proxy", "http://p:2", 1);
	CHECK(read_settings(NULL, true) && chosen("https://a.test") == 2);
	setenv("HTTPS_PROXY", "http://p:3", 1);
	CHECK(read_settings(NULL, true) && chosen("https://a.test") == 3 && chosen("http://a.test") == 2);
	setenv("https_proxy", "", 1);
	CHECK(read_settings(NULL, true) && chosen("https://a.test") == 3);
	setenv("https_proxy", "http://p:4", 1);
	setenv("http_proxy", "http://p:5", 1);
	CHECK(read_settings(NULL, true) && chosen("https://a.test") == 4 && chosen("http://a.test") == 5);
	CHECK(read_settings("http://p:6", false) && chosen("https://a.test") == 6 && chosen("http://a.test") == 6);
	CHECK(read_settings("", true) && chosen("https://a.test") == 0 && chosen("http://a.test") == 0);
	setenv("NO_PROXY", "a.test", 1);
	CHECK(read_settings("http://p:6", false) && chosen("https://a.test") == 0 && chosen("https://b.test") == 6);
	setenv("no_proxy", "b.test", 1);
	CHECK(read_settings(NULL, false) && chosen("https://a.test") == 4 && chosen("https://b.test") == 0);
	setenv("http_proxy", "http://u:geheim@p:x", 1);
	CHECK(read_settings(NULL, false));
	CHECK(!read_settings(NULL, true) && strncmp(fault.text, "http_proxy: ", 12) == 0 && strstr(fault.text, "geheim") == NULL);
	CHECK(!read_settings("http://p:x", false) && strncmp(fault.text, "--proxy: ", 9) == 0);
	clear_environment();
}

static void
leaves_near_hosts_alone(void)
{
	static const char *const near[] = {"http://127.0.0.1:10000", "http://127.8.9.1", "http://[::1]:80", "http://localhost", "https://localhost",
	                                   "https://a.localhost", "http://169.254.169.254", "http://169.254.0.1:8081", "http://[fe80::1]",
	                                   "http://[::ffff:127.0.0.1]", "http://[::ffff:169.254.169.254]"};
	CHECK(read_settings("http://p:6", true));
	for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
		CHECK(chosen(near[i]) == 0);
	CHECK(chosen("http://169.253.169.254") == 6 && chosen("http://169.255.0.1") == 6 && chosen("http://128.0.0.1") == 6);
	CHECK(chosen("http://[fec0::1]") == 6 && chosen("http://[::2]") == 6 && chosen("https://localhost.test") == 6);
	proxies_close(&proxies);
}

static void
bypasses(void)
{
	static const struct {
		const char *list, *origin;
		bool direct;
	} table[] = {
		{"", "https://a.test", false}, {" , ,", "https://a.test", false}, {"*", "https://a.test", true}, {"x, *", "http://10.0.0.1", true},
		{"a.test", "https://a.test", true}, {"A.Test", "https://a.test", true}, {"a.test.", "https://a.test", true},
		{"a.test", "https://b.a.test", true}, {".a.test", "https://b.a.test", true}, {".a.test", "https://a.test", true},
		{"*.a.test", "https://b.a.test", true}, {"a.test", "https://ba.test", false}, {"a.test", "https://a.test.evil", false},
		{"b.a.test", "https://a.test", false}, {"test", "https://a.test", true}, {".", "https://a.test", false}, {"*.", "https://a.test", false},
		{"est", "https://a.test", false}, {"a*", "https://a.test", false}, {"a.*", "https://a.test", false},
		{"x,a.test", "https://a.test", true}, {"x a.test y", "https://a.test", true}, {"x\ta.test", "https://a.test", true},
		{"a.test:443", "https://a.test", true}, {"a.test:444", "https://a.test", false}, {"a.test:444", "https://a.test:444", true},
		{"a.test:80", "http://a.test", true}, {"a.test:", "https://a.test", false}, {"a.test:x", "https://a.test", false},
		{".a.test:443", "https://b.a.test", true}, {"*:443", "https://a.test", true}, {"*:80", "https://a.test", false}, {":443", "https://a.test", false},
		{"10.0.0.4", "http://10.0.0.4", true}, {"10.0.0.4", "http://10.0.0.5", false}, {"0.0.4", "http://10.0.0.4", false},
		{".0.4", "http://10.0.0.4", false}, {"10.0.0.4:80", "http://10.0.0.4", true}, {"10.0.0.4:81", "http://10.0.0.4", false},
		{"10.0.0.0/8", "http://10.255.255.255", true}, {"10.0.0.0/8", "http://11.0.0.0", false}, {"10.0.0.0/8", "https://a.test", false},
		{"10.0.0.8/30", "http://10.0.0.11", true}, {"10.0.0.8/30", "http://10.0.0.12", false}, {"10.0.0.8/29", "http://10.0.0.12", true},
		{"10.0.0.8/32", "http://10.0.0.8", true}, {"10.0.0.8/32", "http://10.0.0.9", false}, {"10.0.0.8/33", "http://10.0.0.8", false},
		{"10.0.0.8/0", "http://1.2.3.4", true}, {"0.0.0.0/0", "http://[fd00::1]", false}, {"10.0.0.8/", "http://10.0.0.8", false},
		{"10.0.0.8/-1", "http://10.0.0.8", false}, {"10.0.0.8/8x", "http://10.0.0.8", false}, {"10.0.0.0/8:80", "http://10.1.1.1", true},
		{"10.0.0.0/8:81", "http://10.1.1.1", false}, {"fd00::1", "http://[fd00::1]", true}, {"[fd00::1]", "http://[fd00::1]", true},
		{"FD00:0::1", "http://[fd00::1]", true}, {"[fd00::1]:80", "http://[fd00::1]", true}, {"[fd00::1]:81", "http://[fd00::1]", false},
		{"fd00::/8", "http://[fdff::9]", true}, {"fd00::/8", "http://[fc00::9]", false}, {"fc00::/7", "http://[fdff::9]", true},
		{"fd00::/128", "http://[fd00::]", true}, {"fd00::/129", "http://[fd00::]", false}, {"fd00::1", "http://10.0.0.1", false},
		{"10.0.0.0/8", "http://[::ffff:10.1.1.1]", true}, {"[", "http://[fd00::1]", false},
		{"]:80", "http://[fd00::1]", false}, {":", "http://a.test", false}, {"::", "http://a.test", false}, {"/", "http://10.0.0.1", false},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		fault_clear(&fault);
		CHECK(url_parse(&url, span_of(table[i].origin), &fault));
		if (proxy_is_bypassed(table[i].list, &url) != table[i].direct)
			CHECK_TEXT(table[i].list, table[i].origin);
	}
}

int
main(void)
{
	UNIT_RUN(reads_urls);
	UNIT_RUN(refuses_urls);
	UNIT_RUN(bounds_the_login);
	UNIT_RUN(keeps_logins_out_of_arguments);
	UNIT_RUN(reads_the_environment);
	UNIT_RUN(leaves_near_hosts_alone);
	UNIT_RUN(bypasses);
	return unit_end();
}
