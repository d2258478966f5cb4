/* SPDX-License-Identifier: MIT */
#include "http/tunnel.h"

#include "base/memory.h"
#include "http/retry.h"

#include <errno.h>
#include <string.h>

#define REFUSAL_MS 2000  /* for the page that comes with a refusal */
#define REFUSAL_ROOM 1024
#define REASON_MAX 80

/* One CONNECT on its way. */
struct call {
	struct conn *conn;
	const struct proxy *proxy;
	const struct url *origin;
	struct tunnel_room room;
	struct http_head head;
	struct deadline deadline;
	bool asked; /* all of it went out */
};

/* The origin as CONNECT wants it: always with its port. */
static void
put_origin(struct text *text, const struct url *origin)
{
	text_printf(text, strchr(origin->host, ':') != NULL ? "[%s]:%u" : "%s:%u", origin->host, (unsigned)origin->port);
}

static bool
send_call(struct call *call, struct fault *fault)
{
	struct text text = text_in((char *)call->room.head, HEAD_MAX);
	size_t sent;
	bool good;
	text_put(&text, "CONNECT ");
	put_origin(&text, call->origin);
	text_put(&text, " HTTP/1.1\r\nHost: ");
	put_origin(&text, call->origin);
	text_put(&text, "\r\nUser-Agent: " HTTP_USER_AGENT "\r\n");
	if (call->proxy->authorization[0] != 0)
		text_printf(&text, "Proxy-Authorization: %s\r\n", call->proxy->authorization);
	text_put(&text, "\r\n");
	good = conn_write(call->conn, text.at, text.used, &sent, deadline_left_ms(call->deadline), call->deadline, fault);
	call->asked = good && sent == text.used;
	memory_wipe(text.at, text.used);
	return good;
}

static bool
too_late(struct fault *fault)
{
	fault_clear(fault);
	fault_raise(fault, FAULT_TIMEOUT, "the proxy did not answer in time");
	fault->detail = ETIMEDOUT;
	return fault_hint(fault, "a proxy that cannot reach the host often stays silent: can it, and may it?");
}

static bool
not_http(const struct call *call, struct fault *fault)
{
	fault_raise(fault, FAULT_NETWORK, "what answers there is no HTTP proxy");
	if (call->room.head[0] == 0x15) /* a TLS alert */
		fault_hint(fault, "it seems to want TLS itself, which is not supported: is there a plain port?");
	return false;
}

/* A byte at a time: what stands behind the head is the origin's. */
static bool
read_byte(struct call *call, size_t used, struct fault *fault)
{
	struct http_wire *wire = call->room.wire;
	size_t got;
	if (used == HEAD_MAX)
		return fault_raise(fault, FAULT_BOUND, "the head of the proxy's answer is longer than %zu bytes", used);
	if (deadline_passed(call->deadline))
		return too_late(fault);
	if (!wire->read(wire, call->room.head + used, 1, &got, call->deadline, fault))
		return fault->kind == FAULT_TIMEOUT ? too_late(fault) : false;
	if (got > 0)
		return true;
	fault_raise(fault, FAULT_NETWORK, "the proxy closed the connection %s",
	            used == 0 ? "without an answer" : "in the middle of its answer");
	fault->detail = ECONNRESET;
	return false;
}

static bool
read_head(struct call *call, struct fault *fault)
{
	struct span bytes = {call->room.head, 0};
	size_t seen = 0; /* no head ends in these */
	while (http_head_end(span_from(bytes, seen)) == 0) {
		seen = bytes.count > 2 ? bytes.count - 2 : 0;
		if (!read_byte(call, bytes.count, fault))
			return false;
		bytes.count++;
		if (!http_head_begins(bytes))
			return not_http(call, fault);
	}
	return http_head_parse(&call->head, bytes, false, fault) || fault_while(fault, "the proxy's answer");
}

static bool
read_answer(struct call *call, struct fault *fault)
{
	unsigned interims = 0;
	do {
		if (interims++ > INTERIM_MAX)
			return fault_raise(fault, FAULT_NETWORK, "the proxy sent more than %d interim answers", INTERIM_MAX);
		if (!read_head(call, fault))
			return false;
	} while (call->head.status < 200 && call->head.status != 101);
	return true;
}

/* Reads the page to its end, so that the proxy sees an orderly one; its beginning stays in `room`. */
static void
read_page(struct call *call, char *room, size_t size)
{
	struct http_body *body = call->room.body;
	struct deadline deadline = deadline_sooner(call->deadline, deadline_in(REFUSAL_MS));
	struct source *source = &body->source;
	char rest[512];
	size_t used = 0, got = 1;
	struct fault ignored;
	fault_clear(&ignored);
	http_body_open(body, call->room.wire, &call->head, (struct span){NULL, 0}, REFUSAL_MS);
	while (got > 0 && body->given < DRAIN_MAX && !deadline_passed(deadline)) {
		bool keep = used + 1 < size;
		if (!source->read(source, keep ? room + used : rest, keep ? size - 1 - used : sizeof rest, &got, &ignored))
			break;
		used += keep ? got : 0;
	}
	body->failed = true; /* it is no answer of the origin's */
	room[used] = 0;
}

/* Squid's own word for it, the title of the page, or what stands behind the status. */
static void
put_reason(struct call *call, struct text *text)
{
	char page[REFUSAL_ROOM];
	struct span said = {NULL, 0};
	const char *from, *to;
	uint64_t again; /* titles like to begin with the status */
	read_page(call, page, sizeof page);
	from = strstr(page, "<title>");
	to = from == NULL ? NULL : strstr(from, "</");
	if (!http_head_find(&call->head, "X-Squid-Error", 0, &said))
		said = to == NULL ? call->head.reason : span_first(span_of(from + 7), (size_t)(to - from) - 7);
	if (span_decimal(span_first(said, 3), &again) && again == (uint64_t)call->head.status)
		said = span_trim(span_from(said, 3));
	/* some show the request in their pages */
	if (call->proxy->authorization[0] != 0 && http_head_tells(said, span_of(call->proxy->authorization + strlen("Basic "))))
		said.count = 0;
	text_printf(text, "HTTP %d", call->head.status);
	if (said.count > 0)
		text_put(text, ": ");
	text_put_tame(text, span_first(said, REASON_MAX));
}

/* Several in one header line, too: each begins the value or stands behind a comma (RFC 9110 section 11.6.1). */
static bool
offers(const struct http_head *head, const char *scheme)
{
	struct span value, part, word;
	for (size_t n = 0; http_head_find(head, "Proxy-Authenticate", n, &value); n++)
		while (span_cut(&value, ',', &part)) {
			part = span_trim(part);
			if (span_cut(&part, ' ', &word) && span_is_nocase(word, scheme))
				return true;
		}
	return false;
}

static bool
want_login(struct call *call, struct fault *fault)
{
	static const char *const schemes[] = {"Basic", "Negotiate", "Kerberos", "NTLM", "Digest"};
	char words[64], page[REFUSAL_ROOM];
	struct text list = text_in(words, sizeof words);
	struct span any;
	const bool given = call->proxy->authorization[0] != 0;
	/* tinyproxy answers a wrong password with a 401 that offers nothing */
	const bool basic = offers(&call->head, "Basic") || !http_head_find(&call->head, "Proxy-Authenticate", 0, &any);
	const int status = call->head.status;
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (offers(&call->head, schemes[i]))
			text_printf(&list, "%s%s", list.used > 0 ? ", " : ", offered: ", schemes[i]);
	read_page(call, page, sizeof page);
	if (given && basic)
		fault_raise(fault, FAULT_DENIED, "the proxy refused user and password (HTTP %d)", status);
	else
		fault_raise(fault, FAULT_DENIED, "the proxy wants a login (HTTP %d%s)", status, words);
	fault->detail = status;
	if (!basic)
		return fault_hint(fault, "only Basic is spoken here: run cntlm or px on this machine, which log in by NTLM or Kerberos, and "
		                         "name it as the proxy; or have this machine let through without a login");
	return fault_hint(fault, given ? "is everything but letters and digits in them percent-encoded, as in %%40 for @?"
	                               : "set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT, percent-encoded");
}

/* Whoever asks again looks at detail: an errno may pass, a status of the proxy's could be mistaken for the origin's. */
static bool
refuse_others(struct call *call, struct fault *fault)
{
	char words[REASON_MAX + 32];
	struct text reason = text_in(words, sizeof words);
	const int status = call->head.status;
	put_reason(call, &reason);
	if (status == 403) {
		fault_raise(fault, FAULT_DENIED, "the proxy does not allow it (%s)", words);
		fault->detail = status;
		return fault_hint(fault, "its rules must allow CONNECT to %s:%u; or, if there is a direct way, NO_PROXY=%s",
		                  call->origin->host, (unsigned)call->origin->port, call->origin->host);
	}
	if (!retry_status_is_transient(status)) {
		fault_raise(fault, FAULT_NETWORK, "the proxy opened no tunnel (%s)", words);
		return fault_hint(fault, "is that the port of a proxy that allows CONNECT?");
	}
	fault_raise(fault, status == 504 ? FAULT_TIMEOUT : FAULT_NETWORK, "the proxy could not reach it (%s)", words);
	fault->detail = status == 504 ? ETIMEDOUT : status == 429 ? EAGAIN : ECONNREFUSED;
	fault->retry_after_s = retry_after_s(&call->head);
	return fault_hint(fault, "does the proxy know the name, and may it go there? If this machine can: NO_PROXY=%s",
	                  call->origin->host);
}

static bool
judge(struct call *call, struct fault *fault)
{
	const int status = call->head.status;
	if (status >= 200 && status < 300)
		return call->asked || fault_raise(fault, FAULT_NETWORK, "the proxy answered before it was asked");
	return status == 401 || status == 407 ? want_login(call, fault) : refuse_others(call, fault);
}

bool
tunnel_reach(struct conn *conn, const struct network *network, const struct proxy *proxy, const struct url *origin,
             struct deadline deadline, struct fault *fault)
{
	if (conn_open(conn, network, proxy->at.host, proxy->at.port, false, NULL, deadline, fault))
		return true;
	if (fault->kind == FAULT_STOPPED)
		return false;
	fault->hint[0] = 0;
	return fault_hint(fault, "check the proxy's address in --proxy or HTTPS_PROXY; if it is not needed: NO_PROXY=%s", origin->host);
}

static bool
run(struct call *call, const struct network *network, struct tls_session *session, struct fault *fault)
{
	const struct url *origin = call->origin;
	if (!tunnel_reach(call->conn, network, call->proxy, origin, call->deadline, fault))
		return false;
	if (!send_call(call, fault) || !read_answer(call, fault) || !judge(call, fault)) {
		conn_close(call->conn);
		return fault->kind == FAULT_NETWORK ? fault_hint(fault, "is that the port of an HTTP proxy?") : false;
	}
	return !origin->secure || conn_secure(call->conn, network, origin->host, session, call->deadline, fault);
}

bool
tunnel_open(struct conn *conn, const struct network *network, const struct proxy *proxy, const struct url *origin,
            struct tls_session *session, struct tunnel_room room, struct deadline deadline, struct fault *fault)
{
	struct call call = {.conn = conn, .proxy = proxy, .origin = origin, .room = room, .deadline = deadline};
	char to[HOST_MAX + 16], by[HOST_MAX + 16];
	struct text to_text = text_in(to, sizeof to), by_text = text_in(by, sizeof by);
	if (run(&call, network, session, fault))
		return true;
	put_origin(&to_text, origin);
	proxy_put(&by_text, proxy);
	return fault_while(fault, "connecting to %s through the proxy %s", to, by);
}
