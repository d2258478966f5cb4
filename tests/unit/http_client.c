/* SPDX-License-Identifier: MIT */
/* The client against a server that does exactly what a script says: a thread on a socket of the loopback. */
#include "http/client.h"

#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BIG (4 * 1024 * 1024)

enum act {
	END,     /* closes and ends the thread */
	ACCEPT,  /* the next connection; the one before is closed */
	HEAD,    /* reads a request's head, kept in heard */
	BODY,    /* reads `count` bytes of body, summed up */
	SEND,
	DRIP,    /* SEND, a byte each `count` ms */
	HEADER_FILLER, /* sends `count` bytes of header lines, each under 1 KiB */
	PAUSE,   /* `count` ms */
	HANG,    /* reads nothing for `count` ms, then whatever comes until the client closes */
	CLOSE,   /* in order */
	RESET
};

struct step {
	enum act act;
	const char *words;
	size_t count;
};

static int listener = -1, peer = -1;
static uint16_t port;
static pthread_t thread;
static const struct step *script;
static char heard[65536];
static size_t heard_count, requests, body_count;
static unsigned body_sum;

static void
serve_head(void)
{
	unsigned matched = 0;
	while (matched < 4 && heard_count + 1 < sizeof heard && recv(peer, heard + heard_count, 1, 0) == 1) {
		matched = heard[heard_count] == "\r\n\r\n"[matched] ? matched + 1 : heard[heard_count] == '\r';
		heard_count++;
	}
	heard[heard_count] = 0;
	requests += matched == 4;
}

static void
serve_body(size_t count)
{
	static unsigned char room[65536];
	while (count > 0) {
		ssize_t got = recv(peer, room, count < sizeof room ? count : sizeof room, 0);
		if (got <= 0)
			return;
		for (ssize_t i = 0; i < got; i++)
			body_sum = body_sum * 31 + room[i];
		body_count += (size_t)got;
		count -= (size_t)got;
	}
}

static void
pause_ms(size_t ms)
{
	struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	nanosleep(&time, NULL);
}

static void
serve_bytes(const char *words, size_t each, size_t ms)
{
	size_t left = strlen(words);
	for (; left > 0; words += each) {
		ssize_t sent = send(peer, words, each = each < left ? each : left, MSG_NOSIGNAL);
		left = sent < 0 ? 0 : left - each;
		if (ms > 0)
			pause_ms(ms);
	}
}

static void
serve_filler(size_t count)
{
	static char line[1024];
	while (count > 0) {
		size_t size = count > 1020 ? 1000 : count;
		memset(line, 'x', size);
		line[1] = ':';
		memcpy(line + size - 2, "\r\n", 3);
		serve_bytes(line, size, 0);
		count -= size;
	}
}

static void
serve_accept(void)
{
	struct timeval patience = {5, 0};
	if (peer >= 0)
		close(peer);
	peer = accept(listener, NULL, NULL);
	if (peer >= 0)
		setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static void
serve_reset(void)
{
	struct linger hard = {1, 0};
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(peer);
	peer = -1;
}

static void
serve_hang(size_t ms)
{
	static unsigned char room[65536];
	pause_ms(ms);
	while (recv(peer, room, sizeof room, 0) > 0)
		;
}

static void
serve_step(const struct step *step)
{
	switch (step->act) {
	case END: break;
	case ACCEPT: serve_accept(); break;
	case HEAD: serve_head(); break;
	case BODY: serve_body(step->count); break;
	case SEND: serve_bytes(step->words, strlen(step->words), 0); break;
	case DRIP: serve_bytes(step->words, 1, step->count); break;
	case HEADER_FILLER: serve_filler(step->count); break;
	case PAUSE: pause_ms(step->count); break;
	case HANG: serve_hang(step->count); break;
	case CLOSE: close(peer); peer = -1; break;
	case RESET: serve_reset(); break;
	}
}

static void *
serve(void *ignored)
{
	for (const struct step *step = script; step->act != END; step++)
		serve_step(step);
	if (peer >= 0)
		close(peer);
	peer = -1;
	return ignored;
}

static struct http_client client;
static struct network network;
static struct fault fault;
static struct http_request request;
static char room[65536];

static void
listen_somewhere(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	struct timeval patience = {5, 0};
	int one = 1, little = 65536;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof little); /* so that much stays unsent when nobody reads */
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	for (port = 26000; port < 26100; port++) {
		at.sin_port = htons(port);
		if (bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 16) == 0)
			return;
	}
	CHECK(port < 26100);
}

static void
start(const struct step *steps)
{
	static struct url origin;
	char words[64];
	struct text text = text_in(words, sizeof words);
	listen_somewhere();
	text_printf(&text, "http://127.0.0.1:%u/", (unsigned)port);
	fault_clear(&fault);
	CHECK(url_parse(&origin, text_span(&text), &fault));
	script = steps;
	heard_count = requests = body_count = body_sum = 0;
	heard[0] = 0;
	CHECK(pthread_create(&thread, NULL, serve, NULL) == 0);
	http_client_open(&client, &network, &origin);
	memset(&request, 0, sizeof request);
	request.method = "GET";
	request.target = "/a?sig=s3cret";
}

static void
finish(void)
{
	http_client_close(&client);
	pthread_join(thread, NULL);
	close(listener);
}

static bool
ask(void)
{
	fault_clear(&fault);
	return http_client_ask(&client, &request, &fault);
}

/* The whole body as text; with a fault what came before it. */
static const char *
body(void)
{
	size_t used = 0, got = 1;
	while (got > 0 && used < sizeof room - 1 &&
	       client.body.source.read(http_client_body(&client), room + used, sizeof room - 1 - used, &got, &fault))
		used += got;
	room[used] = 0;
	return room;
}

static bool
ask_for(int status, const char *words)
{
	bool good = ask() && client.head.status == status && strcmp(body(), words) == 0 && fault.kind == FAULT_NONE;
	if (!good)
		fprintf(stderr, "connects %d status %d body \"%.60s\" fault %s\n", (int)client.connects, client.head.status, room, fault.text);
	return good;
}

static bool
refused(enum fault_kind kind, const char *why)
{
	bool good = !ask() && fault.kind == kind && strstr(fault.text, why) != NULL && strstr(fault.text, "s3cret") == NULL &&
	            !client.open;
	if (!good)
		fprintf(stderr, "kind %s: %s\n", fault_kind_name(fault.kind), fault.text);
	return good;
}

#define OK "HTTP/1.1 200 OK\r\n"
#define HI OK "Content-Length: 2\r\n\r\nhi"
#define HO OK "Transfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\nX: y\r\n\r\n"

static void
asks_in_the_right_words(void)
{
	static const struct step steps[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {BODY, 0, 4}, {SEND, HI, 0},
	                                    {HEAD, 0, 0}, {SEND, HI, 0}, {END, 0, 0}};
	char want[1000];
	struct text text = text_in(want, sizeof want);
	start(steps);
	CHECK(ask_for(200, "hi"));
	request.method = "PUT";
	request.target = "/b";
	request.headers = "Cookie: a=b\r\nX: y\r\n";
	request.body = span_of("body");
	request.has_body = true;
	CHECK(ask_for(200, "hi"));
	request.headers = NULL;
	request.body = span_of("");
	CHECK(ask_for(200, "hi"));
	finish();
	text_printf(&text, "GET /a?sig=s3cret HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: " HTTP_USER_AGENT "\r\n\r\n", port);
	text_printf(&text, "PUT /b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: " HTTP_USER_AGENT "\r\n", port);
	text_put(&text, "Cookie: a=b\r\nX: y\r\nContent-Length: 4\r\n\r\n");
	text_printf(&text, "PUT /b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: " HTTP_USER_AGENT "\r\n", port);
	text_put(&text, "Content-Length: 0\r\n\r\n");
	CHECK_TEXT(heard, want);
	CHECK(client.connects == 1 && requests == 3 && body_count == 4);
}

static void
keeps_the_connection(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {SEND, HO, 0}, {HEAD, 0, 0}, {SEND, "HTTP/1.1 204 No\r\n\r\n", 0},
		{HEAD, 0, 0}, {SEND, OK "Content-Length: 70\r\n\r\n", 0}, {HEAD, 0, 0}, {SEND, "HTTP/1.1 304 Same\r\n\r\n", 0},
		{HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {SEND, HO, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {END, 0, 0}};
	start(steps);
	CHECK(ask_for(200, "hi") && client.head.keep_alive);
	CHECK(ask_for(200, "ho"));
	CHECK(ask_for(204, ""));
	request.method = "HEAD";
	CHECK(ask_for(200, "") && client.head.length == 70);
	request.method = "GET";
	CHECK(ask_for(304, ""));
	CHECK(ask()); /* not read: drained by the next */
	CHECK(ask());
	http_client_done(&client);
	http_client_done(&client);
	CHECK(client.open && client.body.ended);
	CHECK(ask_for(200, "hi") && client.connects == 1);
	finish();
	CHECK(requests == 8);
}

static void
replaces_what_cannot_be_kept(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "\r\nuntil the end", 0}, {CLOSE, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "Content-Length: 2\r\nConnection: close\r\n\r\nhi", 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "Content-Length: 99999999\r\n\r\nhi", 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI "HTTP/1.1 200 Smuggled\r\nContent-Length: 4\r\n\r\nevil", 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "Content-Length: 3\r\n\r\nhi", 0}, {CLOSE, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nx\r\n", 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {END, 0, 0}};
	start(steps);
	CHECK(ask_for(200, "until the end") && !client.head.keep_alive);
	CHECK(ask_for(200, "hi") && client.connects == 2);
	CHECK(ask_for(200, "hi") && client.connects == 3);
	CHECK(ask() && client.connects == 4); /* too long to drain */
	http_client_done(&client);
	CHECK(!client.open);
	CHECK(ask_for(200, "hi") && client.connects == 5);
	http_client_done(&client);
	CHECK(!client.open);
	CHECK(ask());
	CHECK_TEXT(body(), "hi");
	CHECK(fault.kind == FAULT_CORRUPT && strstr(fault.text, "2 of 3 bytes") != NULL);
	CHECK(ask());
	CHECK_TEXT(body(), "");
	CHECK(fault.kind == FAULT_CORRUPT);
	CHECK(ask_for(200, "hi") && client.connects == 8);
	finish();
}

static void
drains_within_its_limits(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "Content-Length: 8\r\n\r\nhi", 0}, {PAUSE, 0, 50}, {SEND, "there.", 0},
		{HEAD, 0, 0}, {SEND, OK "Content-Length: 100\r\n\r\n", 0}, {HANG, 0, 0}, {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {END, 0, 0}};
	int64_t begun;
	start(steps);
	CHECK(ask());
	http_client_done(&client);
	CHECK(client.open);
	CHECK(ask() && client.connects == 1);
	begun = clock_ms();
	http_client_done(&client);
	CHECK(!client.open && clock_ms() - begun < 4000);
	CHECK(ask_for(200, "hi") && client.connects == 2);
	finish();
}

#define C100 "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
#define C102 "HTTP/1.1 102 Processing\r\n\r\n"
#define C4 C102 C102 C102 C102

static void
passes_interim_answers(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, C100 HI, 0}, {HEAD, 0, 0}, {DRIP, C100 C102 HI, 0}, {HEAD, 0, 0}, {SEND, C4 C4 C4 C4 HI, 0},
		{HEAD, 0, 0}, {SEND, C4 C4 C4 C4 C102 HI, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, C100, 0}, {END, 0, 0}};
	start(steps);
	CHECK(ask_for(200, "hi"));
	CHECK(ask_for(200, "hi"));
	CHECK(ask_for(200, "hi") && client.connects == 1);
	CHECK(refused(FAULT_NETWORK, "more than 16 interim answers"));
	CHECK(refused(FAULT_NETWORK, "switched protocols"));
	CHECK(refused(FAULT_NETWORK, "without an answer") && fault.detail == ECONNRESET);
	finish();
}

/* A connection that was closed while idle is seen before anything is sent: even a dump may go on a new one. */
static void
sees_a_stale_connection(void)
{
	static const struct step steps[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {CLOSE, 0, 0}, {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0},
	                                    {RESET, 0, 0}, {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {PAUSE, 0, 20}, {SEND, "HTTP/1.1 200 Late\r\n", 0},
	                                    {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {END, 0, 0}};
	start(steps);
	for (unsigned i = 1; i <= 4; i++) {
		CHECK(ask() && client.connects == i);
		CHECK_TEXT(http_client_peek(&client, room, sizeof room) == 2 ? room : "", "hi");
		pause_ms(60);
	}
	finish();
	CHECK(requests == 4);
}

/* The server read the request and went: whether to ask again is the request's to say, and only on a reused connection. */
static void
repeats_what_may_be_repeated(void)
{
	static const struct step closes[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {CLOSE, 0, 0},
	                                     {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {RESET, 0, 0},
	                                     {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {CLOSE, 0, 0},
	                                     {ACCEPT, 0, 0}, {HEAD, 0, 0}, {CLOSE, 0, 0}, {END, 0, 0}};
	start(closes);
	request.repeatable = true;
	CHECK(ask_for(200, "hi") && client.connects == 1);
	CHECK(ask_for(200, "hi") && client.connects == 2);
	CHECK(ask_for(200, "hi") && client.connects == 3);
	CHECK(refused(FAULT_NETWORK, "without an answer") && client.connects == 4); /* once, not twice */
	finish();
	CHECK(requests == 7);
}

static void
never_repeats_the_rest(void)
{
	static const struct step steps[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {CLOSE, 0, 0},
	                                    {ACCEPT, 0, 0}, {HEAD, 0, 0}, {CLOSE, 0, 0},
	                                    {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {SEND, "HTTP/1", 0}, {CLOSE, 0, 0},
	                                    {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {SEND, C100, 0}, {CLOSE, 0, 0}, {END, 0, 0}};
	start(steps);
	CHECK(ask_for(200, "hi"));
	CHECK(refused(FAULT_NETWORK, "GET http://127.0.0.1:") && client.connects == 1 && fault.detail == ECONNRESET);
	request.repeatable = true;
	CHECK(refused(FAULT_NETWORK, "without an answer") && client.connects == 2); /* a fresh one: not the idle close */
	CHECK(ask_for(200, "hi"));
	CHECK(refused(FAULT_NETWORK, "in the middle of an answer") && client.connects == 3 && fault.detail == ECONNRESET);
	CHECK(ask_for(200, "hi"));
	CHECK(refused(FAULT_NETWORK, "without an answer") && client.connects == 4);
	finish();
	CHECK(requests == 7);
}

static void
keeps_its_deadlines(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {HANG, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {DRIP, OK "A: this head would take a second or so to come in whole\r\n\r\n", 20},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {DRIP, C100 C100 C100 C100, 20},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "Content-Length: 9\r\n\r\nhi", 0}, {HANG, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {DRIP, OK "Content-Length: 9\r\n\r\nnine more", 10}, {END, 0, 0}};
	int64_t begun = clock_ms();
	start(steps);
	request.times.first_byte = 200;
	CHECK(refused(FAULT_TIMEOUT, "no answer within 200 ms") && fault.detail == ETIMEDOUT);
	CHECK(refused(FAULT_TIMEOUT, "the head of the answer was not complete within 200 ms"));
	CHECK(refused(FAULT_TIMEOUT, "within 200 ms"));
	request.times.stall = 150;
	CHECK(ask());
	CHECK_TEXT(body(), "hi");
	CHECK(fault.kind == FAULT_TIMEOUT && strstr(fault.text, "nothing came for 150 ms, after 2 of 9 bytes") != NULL);
	http_client_close(&client);
	CHECK(clock_ms() - begun < 3500);
	request.times = (struct http_times){0, 1000, 150};
	CHECK(ask_for(200, "nine more")); /* slow, but never silent for long */
	finish();
}

static unsigned char big[BIG];
static unsigned char huge[4 * BIG]; /* more than both sockets hold */

/* Returns what the server should have summed up of `count` bytes. */
static unsigned
fill(unsigned char *bytes, size_t count)
{
	unsigned sum = 0;
	for (size_t i = 0; i < count; i++) {
		bytes[i] = (unsigned char)(i * 2654435761u >> 24);
		sum = sum * 31 + bytes[i];
	}
	return sum;
}

static void
put_big(void)
{
	request.method = "PUT";
	request.body = (struct span){big, sizeof big};
	request.has_body = true;
}

#define NO "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno.\n"

static void
sends_large_bodies(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {BODY, 0, BIG}, {SEND, HI, 0},
		{HEAD, 0, 0}, {SEND, C100, 0}, {PAUSE, 0, 50}, {BODY, 0, BIG / 2}, {SEND, C102 C102, 0}, {PAUSE, 0, 50}, {BODY, 0, BIG / 2}, {SEND, HI, 0},
		{HEAD, 0, 0}, {SEND, HI, 0}, {END, 0, 0}};
	unsigned sum = fill(big, sizeof big);
	start(steps);
	put_big();
	CHECK(ask_for(200, "hi"));
	CHECK(body_count == BIG && body_sum == sum);
	body_count = body_sum = 0;
	CHECK(ask_for(200, "hi"));
	CHECK(body_count == BIG && body_sum == sum && client.head.keep_alive);
	request.has_body = false;
	CHECK(ask_for(200, "hi") && client.connects == 1);
	finish();
}

static void
hears_an_early_refusal(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, NO, 0}, {HANG, 0, 250},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {BODY, 0, 1000}, {SEND, NO, 0}, {PAUSE, 0, 50}, {CLOSE, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, C100 NO, 0}, {HANG, 0, 250},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {PAUSE, 0, 20}, {SEND, C100, 0}, {PAUSE, 0, 20}, {SEND, NO, 0}, {HANG, 0, 250},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {BODY, 0, sizeof huge}, {SEND, HI, 0}, {END, 0, 0}};
	start(steps);
	put_big();
	request.body = (struct span){huge, sizeof huge};
	for (unsigned i = 1; i <= 4; i++) {
		CHECK(ask_for(403, "no.\n") && client.connects == i && !client.head.keep_alive);
		http_client_done(&client);
		CHECK(!client.open);
	}
	CHECK(ask_for(200, "hi") && client.connects == 5);
	finish();
}

static void
does_not_send_for_ever(void)
{
	static const struct step steps[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {HANG, 0, 250}, {ACCEPT, 0, 0}, {HEAD, 0, 0}, {RESET, 0, 0}, {END, 0, 0}};
	start(steps);
	put_big();
	request.body = (struct span){huge, sizeof huge};
	request.times.stall = 150;
	CHECK(refused(FAULT_TIMEOUT, "the server took nothing of the request for 150 ms") && fault.detail == ETIMEDOUT);
	request.times.stall = 5000; /* the server is still busy with the first */
	CHECK(refused(FAULT_NETWORK, "PUT http://127.0.0.1:") && fault.detail != 0);
	finish();
}

struct counter {
	struct source source;
	uint64_t given, most;
	size_t piece;
	unsigned rewinds;
};

static bool
counter_read(struct source *source, void *into, size_t size, size_t *got, struct fault *why)
{
	struct counter *own = (struct counter *)source;
	if (own->most == 666 && own->given >= 600)
		return fault_errno(why, FAULT_NETWORK, ECONNRESET, "reading elsewhere");
	*got = size < own->piece ? size : own->piece;
	if (*got > own->most - own->given)
		*got = (size_t)(own->most - own->given);
	if (*got > 0)
		memcpy(into, huge + own->given, *got);
	own->given += *got;
	return true;
}

static void
counter_rewind(struct source *source)
{
	struct counter *own = (struct counter *)source;
	own->given = 0;
	own->rewinds++;
}

static void
sends_from_a_source(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {BODY, 0, BIG}, {SEND, HI, 0}, {HEAD, 0, 0}, {BODY, 0, 1000}, {RESET, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {BODY, 0, BIG}, {SEND, HI, 0}, {HEAD, 0, 0}, {SEND, HI, 0},
		{HEAD, 0, 0}, {HANG, 0, 0}, {ACCEPT, 0, 0}, {HEAD, 0, 0}, {HANG, 0, 0}, {END, 0, 0}};
	struct counter counter = {{counter_read}, 0, BIG, 5000, 0};
	unsigned sum = fill(huge, BIG);
	start(steps);
	request.method = "PUT";
	request.from = &counter.source;
	request.rewind = counter_rewind;
	request.length = BIG;
	request.repeatable = true;
	CHECK(ask_for(200, "hi") && body_count == BIG && body_sum == sum && counter.rewinds == 0);
	CHECK(strstr(heard, "Content-Length: 4194304\r\n") != NULL);
	counter.given = body_count = body_sum = 0;
	CHECK(ask_for(200, "hi") && client.connects == 2 && counter.rewinds == 1);
	CHECK(counter.given == BIG && body_count == BIG + 1000);
	request.length = 0;
	CHECK(ask_for(200, "hi"));
	/* the source's own faults are not those of the connection: nothing is repeated */
	counter = (struct counter){{counter_read}, 0, 666, 100, 0};
	request.length = 666;
	CHECK(!ask() && fault.kind == FAULT_NETWORK && strstr(fault.text, "reading elsewhere") != NULL && counter.rewinds == 0);
	CHECK(client.connects == 2);
	counter = (struct counter){{counter_read}, 0, 50, 100, 0};
	request.length = 51;
	CHECK(!ask() && fault.kind == FAULT_CORRUPT && client.connects == 3 && counter.rewinds == 0);
	CHECK(strstr(fault.text, "what was to be sent ended after 50 of 51 bytes") != NULL);
	finish();
}

/* An interim answer while the socket is full: what was staged and not sent is kept, and nothing is sent twice. */
static void
goes_on_from_a_source(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {PAUSE, 0, 100}, {SEND, C100, 0}, {PAUSE, 0, 50}, {BODY, 0, 3000001}, {SEND, C102, 0}, {PAUSE, 0, 50},
		{SEND, C102, 0}, {BODY, 0, 7000001}, {SEND, C102, 0}, {PAUSE, 0, 50}, {BODY, 0, sizeof huge - 10000002}, {SEND, HI, 0}, {END, 0, 0}};
	struct counter counter = {{counter_read}, 0, sizeof huge, 7001, 0};
	unsigned sum = fill(huge, sizeof huge);
	start(steps);
	request.method = "PUT";
	request.from = &counter.source;
	request.length = sizeof huge;
	CHECK(ask_for(200, "hi") && body_count == sizeof huge && body_sum == sum && client.head.keep_alive);
	finish();
}

static void
refuses_what_is_not_http(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {SEND, "SSH-2.0-OpenSSH_9.2\r\n", 0}, {HANG, 0, 0}, {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, "\x15\x03\x03", 0}, {HANG, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, "<html>hello", 0}, {HANG, 0, 0}, {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, "HTTP/2.0 200\r\n\r\n", 0}, {HANG, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "A: b\n\n", 0}, {HANG, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 0}, {HANG, 0, 0}, {END, 0, 0}};
	int64_t begun = clock_ms();
	start(steps);
	CHECK(refused(FAULT_NETWORK, "it begins with 'SSH-2.0-OpenSSH_'"));
	CHECK(refused(FAULT_NETWORK, "it begins with '\?\?\?'") && strstr(fault.hint, "https://") != NULL);
	CHECK(refused(FAULT_NETWORK, "it begins with '<html>hello'"));
	CHECK(refused(FAULT_NETWORK, "it begins with 'HTTP/2.0 200"));
	CHECK(refused(FAULT_NETWORK, "bare line feed"));
	CHECK(refused(FAULT_NETWORK, "two different Content-Lengths") && fault.detail == 0);
	CHECK(clock_ms() - begun < 6000);
	finish();
}

static void
bounds_heads(void)
{
	static const char first[] = OK, last[] = "Content-Length: 0\r\n\r\n";
	const size_t fits = HEAD_MAX - (sizeof first - 1) - (sizeof last - 1);
	const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, first, 0}, {HEADER_FILLER, 0, fits}, {SEND, last, 0},
		{HEAD, 0, 0}, {SEND, first, 0}, {HEADER_FILLER, 0, fits + 1}, {SEND, last, 0}, {ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {END, 0, 0}};
	start(steps);
	CHECK(ask_for(200, "") && client.room_used == HEAD_MAX);
	CHECK(refused(FAULT_BOUND, "the head of the answer is longer than 32768 bytes"));
	CHECK(ask_for(200, "hi"));
	finish();
}

static void
bounds_requests(void)
{
	static char target[2 * HTTP_STAGE];
	static const struct step steps[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {ACCEPT, 0, 0}, {END, 0, 0}};
	size_t around;
	start(steps);
	CHECK(ask_for(200, "hi"));
	around = heard_count - strlen(request.target);
	http_client_close(&client);
	request.target = target;
	memset(target, '/', HTTP_STAGE - around);
	CHECK(refused(FAULT_BOUND, "the head of the request is longer"));
	finish();
	CHECK(requests == 1);
}

static void
refuses_odd_header_lines(void)
{
	static const char *const odd[] = {"A: b", "A: b\n", "A: b\r\n\r\n", "\r\n", "A b\r\n", "A: b\r\n c\r\n", "A: b\rc\r\n", "A: \x01\r\n", "A : b\r\n"};
	static const struct step steps[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {END, 0, 0}};
	start(steps);
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		request.headers = odd[i];
		CHECK(!ask() && fault.kind == FAULT_USAGE && client.connects == 0);
	}
	request.headers = "";
	CHECK(ask_for(200, "hi"));
	finish();
}

static void
peeks(void)
{
	static const struct step steps[] = {
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HO, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {HEAD, 0, 0}, {SEND, OK "Content-Length: 9\r\n\r\nhi", 0}, {CLOSE, 0, 0},
		{ACCEPT, 0, 0}, {HEAD, 0, 0}, {DRIP, OK "Content-Length: 99\r\n\r\n012345678901234567890123456789012345678901234567890123456789", 12}, {END, 0, 0}};
	int64_t begun;
	start(steps);
	CHECK(ask() && http_client_peek(&client, room, 2) == 1);
	CHECK_TEXT(room, "h");
	CHECK(http_client_peek(&client, room, 99) == 1);
	CHECK_TEXT(room, "o");
	CHECK(http_client_peek(&client, room, 99) == 0 && ask() && client.connects == 1);
	CHECK(http_client_peek(&client, room, 1) == 0 && http_client_peek(&client, room, 3) == 2);
	CHECK(ask() && http_client_peek(&client, room, 99) == 2);
	CHECK_TEXT(room, "hi");
	request.times.stall = 200;
	CHECK(ask());
	begun = clock_ms();
	CHECK(http_client_peek(&client, room, 99) > 0); /* each byte in time, but not all of them */
	CHECK(clock_ms() - begun < 500);
	finish();
}

static void
says_when_nobody_is_there(void)
{
	static const struct step steps[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, HI, 0}, {CLOSE, 0, 0}, {END, 0, 0}};
	start(steps);
	CHECK(ask_for(200, "hi"));
	pthread_join(thread, NULL);
	close(listener);
	pause_ms(20);
	CHECK(refused(FAULT_NETWORK, "refused") && fault.detail == ECONNREFUSED && client.connects == 1);
	/* and there is no body that could be taken for an answer */
	fault_clear(&fault);
	CHECK_TEXT(body(), "");
	CHECK(fault.kind == FAULT_CORRUPT);
}

/* Each place where an answer can be cut, by an end and by a reset: never a success. */
static void
is_never_fooled_by_a_cut(void)
{
	static const char whole[] = OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n";
	static const char counted[] = OK "Content-Length: 5\r\n\r\nhello";
	static char part[sizeof whole];
	static struct step steps[] = {{ACCEPT, 0, 0}, {HEAD, 0, 0}, {SEND, part, 0}, {PAUSE, 0, 1}, {CLOSE, 0, 0}, {END, 0, 0}};
	for (size_t cut = 0; cut < 2 * (sizeof whole + sizeof counted) - 4; cut++) {
		size_t place = cut / 2;
		const char *from = place < sizeof whole - 1 ? whole : counted;
		if (from == counted)
			place -= sizeof whole - 1;
		memcpy(part, from, place);
		part[place] = 0;
		steps[4].act = cut % 2 == 0 ? CLOSE : RESET;
		start(steps);
		if (ask())
			(void)body();
		if (fault.kind != FAULT_NETWORK && fault.kind != FAULT_CORRUPT)
			fprintf(stderr, "cut at %zu\n", cut);
		CHECK(fault.kind == FAULT_NETWORK || fault.kind == FAULT_CORRUPT);
		CHECK(fault.detail == ECONNRESET);
		finish();
	}
}

int
main(void)
{
	UNIT_RUN(asks_in_the_right_words);
	UNIT_RUN(keeps_the_connection);
	UNIT_RUN(replaces_what_cannot_be_kept);
	UNIT_RUN(drains_within_its_limits);
	UNIT_RUN(passes_interim_answers);
	UNIT_RUN(sees_a_stale_connection);
	UNIT_RUN(repeats_what_may_be_repeated);
	UNIT_RUN(never_repeats_the_rest);
	UNIT_RUN(keeps_its_deadlines);
	UNIT_RUN(sends_large_bodies);
	UNIT_RUN(hears_an_early_refusal);
	UNIT_RUN(does_not_send_for_ever);
	UNIT_RUN(sends_from_a_source);
	UNIT_RUN(goes_on_from_a_source);
	UNIT_RUN(refuses_what_is_not_http);
	UNIT_RUN(bounds_heads);
	UNIT_RUN(bounds_requests);
	UNIT_RUN(refuses_odd_header_lines);
	UNIT_RUN(peeks);
	UNIT_RUN(says_when_nobody_is_there);
	UNIT_RUN(is_never_fooled_by_a_cut);
	return unit_end();
}
