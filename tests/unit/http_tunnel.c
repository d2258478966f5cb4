/* SPDX-License-Identifier: MIT */
/* CONNECT against a proxy that does what a script says; behind it stands a plain http origin, played by the same peer.
 * TLS through a tunnel is in the story. The origin's name is one that nobody can look up. */
#include "http/client.h"
#include "http/proxy.h"

#include "peer.h"
#include "unit.h"

#include <errno.h>

#define ASKED "CONNECT origin.invalid:8081 HTTP/1.1\r\nHost: origin.invalid:8081\r\nUser-Agent: " HTTP_USER_AGENT "\r\n"
#define OPEN "HTTP/1.1 200 Connection established\r\n\r\n"
#define HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static struct proxies proxies;
static struct network network = {.proxies = &proxies};
static struct http_client client;
static struct http_request request;
static struct fault fault;

/* What the proxy does. */
static const char *answer, *origin_answer;
static size_t piece;  /* so much of the answer at a time; 0: all */
static int pause_ms;  /* between pieces */
static int after_ms;  /* before it closes */
static bool eager, resets, orderly; /* the last: we read all it said before we closed */
static char asked[4096], origin_asked[4096];

static void
take_head(int fd, char *room, size_t size)
{
	size_t used = 0;
	while (used + 1 < size && recv(fd, room + used, 1, 0) == 1) {
		room[++used] = 0;
		if (used >= 4 && strcmp(room + used - 4, "\r\n\r\n") == 0)
			return;
	}
}

static void
say(int fd, const char *words)
{
	size_t left = strlen(words);
	while (left > 0) {
		size_t count = piece > 0 && piece < left ? piece : left;
		ssize_t sent = send(fd, words, count, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		words += sent;
		left -= (size_t)sent;
		if (pause_ms > 0)
			peer_sleep_ms(pause_ms);
	}
}

static void
serve(int fd)
{
	char rest[4096];
	ssize_t got;
	asked[0] = origin_asked[0] = 0;
	if (!eager)
		take_head(fd, asked, sizeof asked);
	say(fd, answer);
	if (origin_answer != NULL) {
		take_head(fd, origin_asked, sizeof origin_asked);
		say(fd, origin_answer);
	}
	if (after_ms > 0)
		peer_sleep_ms(after_ms);
	if (resets)
		peer_reset(fd);
	else
		shutdown(fd, SHUT_WR);
	do
		got = resets ? 0 : recv(fd, rest, sizeof rest, 0);
	while (got > 0);
	orderly = got == 0;
}

static struct peer peer;

static void
start(const char *words, const char *behind)
{
	static struct url url;
	char place[64];
	struct text text = text_in(place, sizeof place);
	answer = words;
	origin_answer = behind;
	piece = 0;
	pause_ms = after_ms = 0;
	eager = resets = false;
	peer_open(&peer, serve);
	text_printf(&text, "http://127.0.0.1:%u", peer.port);
	fault_clear(&fault);
	CHECK(proxy_parse(&proxies.http, span_of(place), true, &fault));
	CHECK(url_parse(&url, span_of("http://origin.invalid:8081"), &fault));
	http_client_open(&client, &network, &url);
	request = (struct http_request){.method = "GET", .target = "/a", .times = {.connect = 5000}};
}

static void
log_in(const char *user_info)
{
	char place[128];
	struct text text = text_in(place, sizeof place);
	text_printf(&text, "http://%s@127.0.0.1:%u", user_info, peer.port);
	CHECK(proxy_parse(&proxies.http, span_of(place), true, &fault));
}

static bool
ask(void)
{
	fault_clear(&fault);
	return http_client_ask(&client, &request, &fault);
}

static void
finish(void)
{
	http_client_close(&client);
	peer_close(&peer);
}

static const char *
body(void)
{
	static char room[100];
	http_client_peek(&client, room, sizeof room);
	return room;
}

static void
goes_through(void)
{
	start(OPEN, HI);
	CHECK(ask() && client.head.status == 200);
	CHECK_TEXT(body(), "hi");
	CHECK_TEXT(asked, ASKED "\r\n");
	CHECK_TEXT(origin_asked, "GET /a HTTP/1.1\r\nHost: origin.invalid:8081\r\nUser-Agent: " HTTP_USER_AGENT "\r\n\r\n");
	finish();
	start(OPEN, HI);
	log_in("Aladdin:open%20sesame");
	CHECK(ask());
	CHECK_TEXT(body(), "hi");
	CHECK_TEXT(asked, ASKED "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"); /* RFC 2617 section 2 */
	CHECK(strstr(origin_asked, "Authorization") == NULL);
	finish();
}

/* Every one is a yes (RFC 9110 section 9.3.6), whatever its framing says. */
static void
takes_any_yes(void)
{
	static const char *const yes[] = {
		OPEN, "HTTP/1.0 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
		"HTTP/1.1 299 Odd\r\nVia: x\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" OPEN, "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Wait\r\n\r\n" OPEN};
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		for (size_t each = 0; each < 4; each++) {
			start(yes[i], HI);
			piece = each;
			CHECK(ask() && client.head.status == 200 && client.head.keep_alive);
			CHECK_TEXT(fault.text, "");
			CHECK_TEXT(body(), "hi");
			finish();
		}
}

/* What comes with the head is the origin's, to the byte: here its answer, sent before the question. */
static void
loses_nothing_behind_the_head(void)
{
	start(OPEN HI, NULL);
	after_ms = 50;
	CHECK(ask() && client.head.status == 200);
	CHECK_TEXT(body(), "hi");
	finish();
	CHECK(strstr(asked, "CONNECT") != NULL);
}

static const char *
refused(enum fault_kind kind, int detail)
{
	if (ask() || fault.kind != kind || fault.detail != detail) {
		CHECK_TEXT(fault.text, "as expected");
		CHECK(fault.kind == kind && fault.detail == detail);
	}
	CHECK(!client.open && strstr(fault.text, "connecting to origin.invalid:8081 through the proxy 127.0.0.1:") == fault.text);
	CHECK(strstr(fault.text, "geheim") == NULL && strstr(fault.hint, "geheim") == NULL);
	CHECK_TEXT(body(), ""); /* the proxy's page is nobody's answer */
	return strstr(fault.text, "the proxy ") == NULL ? "" : fault.text;
}

#define AUTH "Proxy-Authenticate: "

static void
explains_logins(void)
{
	static const struct {
		const char *answer, *user_info, *words, *hint;
	} table[] = {
		{"HTTP/1.1 407 Auth\r\n" AUTH "Basic realm=\"x\"\r\nContent-Length: 9\r\n\r\n<p>no</p>", NULL, "wants a login (HTTP 407, offered: Basic)", "HTTPS_PROXY=http://USER"},
		{"HTTP/1.0 407 Auth\r\n" AUTH "basic\r\n\r\nuntil close", NULL, "wants a login (HTTP 407, offered: Basic)", "HTTPS_PROXY=http://USER"},
		{"HTTP/1.1 407 Auth\r\n" AUTH "Basic realm=x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "u:geheim", "refused user and password (HTTP 407)", "percent-encoded"},
		{"HTTP/1.1 407 Auth\r\n" AUTH "Negotiate\r\n" AUTH "NTLM\r\nContent-Length: 0\r\n\r\n", NULL, "offered: Negotiate, NTLM)", "cntlm or px"},
		{"HTTP/1.1 407 Auth\r\n" AUTH "Negotiate\r\n" AUTH "NTLM\r\nContent-Length: 0\r\n\r\n", "u:geheim", "wants a login (HTTP 407, offered: Negotiate, NTLM)", "cntlm or px"},
		{"HTTP/1.1 407 Auth\r\n" AUTH "NTLM, Negotiate, Basic realm=\"a\"\r\n\r\n", NULL, "offered: Basic, Negotiate, NTLM)", "HTTPS_PROXY=http://USER"},
		{"HTTP/1.1 407 Auth\r\n" AUTH "Digest realm=\"Basic\", nonce=\"geheim\", qop=\"auth\"\r\n\r\n", NULL, "offered: Digest)", "cntlm or px"},
		{"HTTP/1.1 407 Auth\r\n" AUTH "Bearer realm=x\r\n\r\n", NULL, "wants a login (HTTP 407)", "cntlm or px"},
		{"HTTP/1.1 407 Auth\r\n\r\n", "u:geheim", "refused user and password", "percent"},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		start(table[i].answer, NULL);
		if (table[i].user_info != NULL)
			log_in(table[i].user_info);
		if (strstr(refused(FAULT_DENIED, 407), table[i].words) == NULL)
			CHECK_TEXT(fault.text, table[i].words);
		if (strstr(fault.hint, table[i].hint) == NULL)
			CHECK_TEXT(fault.hint, table[i].hint);
		finish();
	}
	start("HTTP/1.1 401 Who\r\n\r\n", NULL);
	CHECK(strstr(refused(FAULT_DENIED, 401), "wants a login (HTTP 401)") != NULL && strstr(fault.hint, "USER") != NULL);
	finish();
}

static void
explains_refusals(void)
{
	static const struct {
		const char *answer;
		enum fault_kind kind;
		int detail;
		const char *words;
	} table[] = {
		{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", FAULT_DENIED, 403, "does not allow it (HTTP 403: Forbidden)"},
		{"HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n<title>x</title>", FAULT_DENIED, 403, "(HTTP 403: ERR_ACCESS_DENIED 0)"},
		{"HTTP/1.0 403 Access violation\r\n\r\n<html><title>403 Not for\tyou\x1b[2J</title>", FAULT_DENIED, 403, "(HTTP 403: Not for?you?[2J)"},
		{"HTTP/1.1 403 F\r\n\r\n<title>cut", FAULT_DENIED, 403, "(HTTP 403: F)"},
		{"HTTP/1.1 403\r\n\r\n", FAULT_DENIED, 403, "(HTTP 403)"},
		{"HTTP/1.1 500 E\r\n\r\n", FAULT_NETWORK, ECONNREFUSED, "could not reach it (HTTP 500: E)"},
		{"HTTP/1.1 502 Bad Gateway\r\n\r\n", FAULT_NETWORK, ECONNREFUSED, "could not reach it (HTTP 502"},
		{"HTTP/1.1 503 S\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n", FAULT_NETWORK, ECONNREFUSED, "(HTTP 503: ERR_DNS_FAIL 0)"},
		{"HTTP/1.1 504 G\r\n\r\n", FAULT_TIMEOUT, ETIMEDOUT, "could not reach it (HTTP 504: G)"},
		{"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n\r\n", FAULT_NETWORK, EAGAIN, "could not reach it (HTTP 429: Slow)"},
		{"HTTP/1.1 405 Not Allowed\r\n\r\n", FAULT_NETWORK, 0, "opened no tunnel (HTTP 405: Not Allowed)"},
		{"HTTP/1.1 302 Found\r\nLocation: http://login.example/?geheim\r\n\r\n", FAULT_NETWORK, 0, "opened no tunnel (HTTP 302: Found)"},
		{"HTTP/1.1 101 Switching\r\n\r\n", FAULT_NETWORK, 0, "opened no tunnel (HTTP 101: Switching)"},
		{"HTTP/1.1 999 ?\r\n\r\n", FAULT_NETWORK, 0, "opened no tunnel (HTTP 999: ?)"},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		start(table[i].answer, NULL);
		if (strstr(refused(table[i].kind, table[i].detail), table[i].words) == NULL)
			CHECK_TEXT(fault.text, table[i].words);
		CHECK(fault.hint[0] != 0 && (table[i].detail != EAGAIN || fault.retry_after_s == 7));
		finish();
	}
}

static void
keeps_the_login_to_itself(void)
{
	start("HTTP/1.1 403 No\r\n\r\n<title>you sent Basic dTpnZWhlaW0=</title>", NULL);
	log_in("u:geheim");
	CHECK(strstr(refused(FAULT_DENIED, 403), "(HTTP 403)") != NULL && strstr(fault.text, "dTpn") == NULL);
	finish();
	start("HTTP/1.1 403 Basic dTpnZWhlaW0=\r\n\r\n", NULL);
	log_in("u:geheim");
	CHECK(strstr(refused(FAULT_DENIED, 403), "(HTTP 403)") != NULL);
	finish();
}

static void
drains_the_page(void)
{
	static char page[100 * 1024];
	struct text text = text_in(page, sizeof page);
	text_put(&text, "HTTP/1.1 407 Auth\r\n" AUTH "Basic\r\nContent-Length: 80000\r\n\r\n");
	for (size_t i = 0; i < 80000; i++)
		text_put_byte(&text, 'x');
	start(page, NULL);
	refused(FAULT_DENIED, 407);
	finish();
	CHECK(orderly);
	/* one that comes to a stop does not hold us up */
	start("HTTP/1.1 407 Auth\r\n" AUTH "Basic\r\nContent-Length: 80000\r\n\r\nxxx", NULL);
	after_ms = 2600;
	{
		int64_t begin = clock_ms();
		refused(FAULT_DENIED, 407);
		CHECK(clock_ms() - begin < 2500);
	}
	finish();
}

static void
survives_hostile_proxies(void)
{
	static const struct {
		const char *answer;
		enum fault_kind kind;
		int detail;
		const char *words;
	} table[] = {
		{"", FAULT_NETWORK, ECONNRESET, "without an answer"}, {"HTTP/1.1 200 OK\r\n", FAULT_NETWORK, ECONNRESET, "in the middle"},
		{"HTTP/1.1 200 OK\r\n\r", FAULT_NETWORK, ECONNRESET, "in the middle"}, {"HTTP/1.1 100 C\r\n\r\n", FAULT_NETWORK, ECONNRESET, "without an answer"},
		{"SSH-2.0-OpenSSH\r\n", FAULT_NETWORK, 0, "no HTTP proxy"}, {"\x15\x03\x01", FAULT_NETWORK, 0, "no HTTP proxy"},
		{"HTTP/2.0 200 OK\r\n\r\n", FAULT_NETWORK, 0, "no HTTP proxy"}, {"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", FAULT_NETWORK, 0, "no HTTP proxy"},
		{"HTTP/1.1 200 OK\n\n", FAULT_NETWORK, 0, "bare line feed"}, {"HTTP/1.1 0 OK\r\n\r\n", FAULT_NETWORK, 0, "status"},
		{"HTTP/1.1 200 OK\r\n folded\r\n\r\n", FAULT_NETWORK, 0, "folded"}, {"HTTP/1.1 407 A\r\nContent-Length: x\r\n\r\n", FAULT_NETWORK, 0, "Content-Length"},
		{"HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n", FAULT_NETWORK, 0, "control"},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		start(table[i].answer, NULL);
		refused(table[i].kind, table[i].detail);
		if (strstr(fault.text, table[i].words) == NULL)
			CHECK_TEXT(fault.text, table[i].words);
		finish();
	}
	start("", NULL);
	resets = true;
	refused(FAULT_NETWORK, ECONNRESET);
	finish();
	start(OPEN, NULL); /* a yes to a question not yet asked is an answer to somebody else's */
	eager = true;
	after_ms = 300;
	ask();
	CHECK(fault.kind == FAULT_NETWORK);
	finish();
}

static void
bounds_heads(void)
{
	static char room[HEAD_MAX + 100];
	for (size_t count = HEAD_MAX - 1; count <= HEAD_MAX + 1; count++) {
		struct text text = text_in(room, sizeof room);
		text_put(&text, "HTTP/1.1 200 OK\r\nX: ");
		while (text.used < count - 4)
			text_put_byte(&text, 'x');
		text_put(&text, "\r\n\r\n");
		start(room, count <= HEAD_MAX ? HI : NULL);
		if (count <= HEAD_MAX) {
			CHECK(ask());
			CHECK_TEXT(body(), "hi");
		} else {
			refused(FAULT_BOUND, 0);
		}
		finish();
	}
	{
		struct text text = text_in(room, sizeof room);
		for (unsigned i = 0; i <= INTERIM_MAX; i++)
			text_put(&text, "HTTP/1.1 100 C\r\n\r\n");
		text_put(&text, OPEN);
		start(room, NULL);
		refused(FAULT_NETWORK, 0);
		finish();
		start(room + strlen("HTTP/1.1 100 C\r\n\r\n"), HI);
		CHECK(ask());
		finish();
	}
}

static void
keeps_the_deadline(void)
{
	int64_t begin = clock_ms();
	start("", NULL);
	after_ms = 600;
	request.times.connect = 200;
	refused(FAULT_TIMEOUT, ETIMEDOUT);
	CHECK(strstr(fault.text, "did not answer in time") != NULL && clock_ms() - begin < 500);
	finish();
	begin = clock_ms();
	start(OPEN OPEN, NULL);
	piece = 1;
	pause_ms = 20;
	request.times.connect = 300;
	refused(FAULT_TIMEOUT, ETIMEDOUT);
	CHECK(clock_ms() - begin < 700);
	finish();
}

static void
names_a_proxy_that_is_not_there(void)
{
	start("", NULL);
	http_client_close(&client);
	CHECK(!ask()); /* uses the peer up */
	peer_close(&peer);
	CHECK(!ask() && fault.kind == FAULT_NETWORK && fault.detail == ECONNREFUSED);
	CHECK(strstr(fault.text, "through the proxy") != NULL && strstr(fault.hint, "NO_PROXY=origin.invalid") != NULL);
}

int
main(void)
{
	UNIT_RUN(goes_through);
	UNIT_RUN(takes_any_yes);
	UNIT_RUN(loses_nothing_behind_the_head);
	UNIT_RUN(explains_logins);
	UNIT_RUN(explains_refusals);
	UNIT_RUN(keeps_the_login_to_itself);
	UNIT_RUN(drains_the_page);
	UNIT_RUN(survives_hostile_proxies);
	UNIT_RUN(bounds_heads);
	UNIT_RUN(keeps_the_deadline);
	UNIT_RUN(names_a_proxy_that_is_not_there);
	return unit_end();
}
