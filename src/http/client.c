/* SPDX-License-Identifier: MIT */
#include "http/client.h"

#include "base/log.h"
#include "http/tunnel.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define DRAIN_MS 2000

/* One request on its way. */
struct turn {
	const struct http_request *request;
	struct http_times times;
	uint64_t length, taken; /* of the body: in all; out of our hands or staged */
	struct deadline until;  /* for the answer's head; counts from all_sent on */
	bool all_sent;
	bool ours;              /* the fault is the body's source's, not the connection's */
	unsigned interims;
};

static bool
wire_read(struct http_wire *wire, void *room, size_t size, size_t *got, struct deadline deadline, struct fault *fault)
{
	struct http_client_wire *under = (struct http_client_wire *)wire;
	if (deadline_passed(under->limit))
		return fault_raise(fault, FAULT_TIMEOUT, "the rest of the answer took too long");
	return conn_read(under->conn, room, size, got, deadline_sooner(deadline, under->limit), fault);
}

/* What http_client_body gives: the answer's body, or an empty one when there is no answer. */
static void
open_body(struct http_client *client, struct span ahead, int64_t stall_ms)
{
	client->wire.limit = deadline_never();
	http_body_open(&client->body, &client->wire.wire, &client->head, ahead, stall_ms);
}

void
http_client_open(struct http_client *client, const struct network *network, const struct url *origin)
{
	client->network = network;
	client->origin = *origin;
	client->session.valid = false;
	client->conn.fd = -1;
	client->open = client->used = false;
	client->wire.wire.read = wire_read;
	client->wire.conn = &client->conn;
	client->unsent = client->room_used = 0;
	client->connects = 0;
	memset(&client->head, 0, sizeof client->head);
	open_body(client, (struct span){NULL, 0}, STALL_MS);
}

void
http_client_close(struct http_client *client)
{
	if (client->open)
		conn_close(&client->conn);
	client->open = client->used = false;
	client->body.failed = client->body.failed || !client->body.ended;
}

static void
tell_way(const struct http_client *client, const struct proxy *proxy)
{
	char words[HOST_MAX + 16];
	struct text text = text_in(words, sizeof words);
	if (client->connects > 0 || client->network->proxies == NULL)
		return;
	if (proxy != NULL)
		proxy_put(&text, proxy);
	log_verbose("%s:%u is reached %s%s", client->origin.host, (unsigned)client->origin.port,
	            proxy != NULL ? "through the proxy " : "directly", words);
}

static bool
connect_if_needed(struct http_client *client, const struct turn *turn, struct fault *fault)
{
	const struct url *to = &client->origin;
	const struct proxy *proxy = proxy_for(client->network->proxies, to);
	const struct tunnel_room room = {&client->wire.wire, &client->body, client->room};
	const struct deadline deadline = deadline_in(turn->times.connect);
	bool good;
	if (client->open)
		return true;
	tell_way(client, proxy);
	client->wire.limit = deadline; /* the last one may have been of a drain */
	good = proxy != NULL ? tunnel_open(&client->conn, client->network, proxy, to, &client->session, room, deadline, fault)
	                     : conn_open(&client->conn, client->network, to->host, to->port, to->secure, &client->session,
	                                 deadline, fault);
	if (!good)
		return false;
	client->open = true;
	client->used = false;
	client->connects++;
	return true;
}

static bool
stage_head(struct http_client *client, struct turn *turn, struct fault *fault)
{
	const struct http_request *request = turn->request;
	struct text text = text_in((char *)client->room, HTTP_STAGE);
	text_printf(&text, "%s %s HTTP/1.1\r\nHost: ", request->method, request->target);
	url_put_host(&text, &client->origin);
	text_put(&text, "\r\nUser-Agent: " HTTP_USER_AGENT "\r\n");
	if (request->headers != NULL)
		text_put(&text, request->headers);
	if (request->has_body || request->from != NULL)
		text_printf(&text, "Content-Length: %" PRIu64 "\r\n", turn->length);
	text_put(&text, "\r\n");
	client->unsent = text.used;
	client->room_used = 0;
	turn->taken = 0;
	turn->interims = 0;
	turn->all_sent = false;
	if (text.cut)
		return fault_raise(fault, FAULT_BOUND, "the head of the request is longer than %u bytes", HTTP_STAGE - 1);
	return true;
}

static bool
take_body(struct turn *turn, unsigned char *room, size_t size, size_t *got, struct fault *fault)
{
	struct source *from = turn->request->from;
	uint64_t left = turn->length - turn->taken;
	if (size > left)
		size = (size_t)left;
	if (from == NULL) {
		memcpy(room, turn->request->body.at + (size_t)turn->taken, size);
		*got = size;
		return true;
	}
	turn->ours = true;
	if (!from->read(from, room, size, got, fault))
		return false;
	if (*got == 0)
		return fault_raise(fault, FAULT_CORRUPT, "what was to be sent ended after %" PRIu64 " of %" PRIu64 " bytes",
		                   turn->taken, turn->length);
	turn->ours = false;
	return true;
}

/* As much of the body as fits goes out with what is staged already. */
static bool
stage_body(struct http_client *client, struct turn *turn, struct fault *fault)
{
	while (client->unsent < HTTP_STAGE && turn->taken < turn->length) {
		size_t got;
		if (!take_body(turn, client->room + client->unsent, HTTP_STAGE - client->unsent, &got, fault))
			return false;
		client->unsent += got;
		turn->taken += got;
	}
	return true;
}

/* TLS has no errno when its close was missing; whoever asks again wants to know that the connection broke. */
static bool
broken(struct fault *fault)
{
	if (fault->kind == FAULT_NETWORK && fault->detail == 0)
		fault->detail = ECONNRESET;
	return false;
}

static bool
send_bytes(struct http_client *client, const struct turn *turn, const void *from, size_t count, size_t *sent,
           struct fault *fault)
{
	char words[32];
	struct text time = text_in(words, sizeof words);
	*sent = 0;
	if (conn_write(&client->conn, from, count, sent, turn->times.stall, deadline_never(), fault))
		return true;
	if (fault->kind != FAULT_TIMEOUT)
		return broken(fault);
	http_put_ms(&time, turn->times.stall);
	fault_clear(fault);
	fault_raise(fault, FAULT_TIMEOUT, "the server took nothing of the request for %s", words);
	fault->detail = ETIMEDOUT;
	return false;
}

/* The stage first, a large body straight from where it lies. */
static bool
send_some(struct http_client *client, struct turn *turn, bool *early, struct fault *fault)
{
	bool staged = client->unsent > 0 || turn->request->from != NULL;
	const unsigned char *from = client->room;
	size_t count, sent;
	if (staged && !stage_body(client, turn, fault))
		return false;
	if (!staged)
		from = turn->request->body.at + (size_t)turn->taken;
	count = staged ? client->unsent : (size_t)(turn->length - turn->taken);
	if (!send_bytes(client, turn, from, count, &sent, fault))
		return false;
	*early = sent < count;
	if (!staged) {
		turn->taken += sent;
		return true;
	}
	client->unsent -= sent;
	memmove(client->room, client->room + sent, client->unsent);
	return true;
}

/* Sends until all is out or the server speaks. The time for the answer begins when either has happened first. */
static bool
send_request(struct http_client *client, struct turn *turn, struct fault *fault)
{
	bool early = false;
	if (turn->all_sent)
		return true;
	while (!early && (client->unsent > 0 || turn->taken < turn->length))
		if (!send_some(client, turn, &early, fault))
			return false;
	turn->all_sent = !early;
	turn->until = deadline_in(turn->times.first_byte);
	return true;
}

static bool
too_late(const struct http_client *client, const struct turn *turn, struct fault *fault)
{
	char words[32];
	struct text time = text_in(words, sizeof words);
	http_put_ms(&time, turn->times.first_byte);
	fault_clear(fault);
	if (client->room_used == 0)
		fault_raise(fault, FAULT_TIMEOUT, "no answer within %s", words);
	else
		fault_raise(fault, FAULT_TIMEOUT, "the head of the answer was not complete within %s", words);
	fault->detail = ETIMEDOUT;
	return false;
}

static bool
closed_early(const struct http_client *client, struct fault *fault)
{
	fault_raise(fault, FAULT_NETWORK, "the server closed the connection %s",
	            client->room_used == 0 ? "without an answer" : "in the middle of an answer");
	fault->detail = ECONNRESET;
	return false;
}

static bool
not_http(struct span bytes, struct fault *fault)
{
	char words[64];
	struct text text = text_in(words, sizeof words);
	text_put_tame(&text, span_first(bytes, 16));
	fault_raise(fault, FAULT_NETWORK, "the answer is not HTTP/1.1; it begins with '%s'", words);
	if (bytes.at[0] == 0x15 || bytes.at[0] == 0x16) /* TLS records: alert, handshake */
		fault_hint(fault, "this port seems to speak TLS: use https://");
	return false;
}

static bool
read_more(struct http_client *client, const struct turn *turn, struct fault *fault)
{
	size_t place = client->unsent + client->room_used, got;
	if (place == HEAD_MAX)
		return fault_raise(fault, FAULT_BOUND, "the head of the answer is longer than %zu bytes", client->room_used);
	/* a peer that always has one more byte ready must not outrun the deadline */
	if (client->room_used > 0 && deadline_passed(turn->until))
		return too_late(client, turn, fault);
	if (!conn_read(&client->conn, client->room + place, HEAD_MAX - place, &got, turn->until, fault))
		return fault->kind == FAULT_TIMEOUT ? too_late(client, turn, fault) : broken(fault);
	if (got == 0)
		return closed_early(client, fault);
	client->room_used += got;
	return true;
}

/* Reads until a whole head stands at the start of the answer's room; *end is its size. */
static bool
read_head(struct http_client *client, const struct turn *turn, size_t *end, struct fault *fault)
{
	size_t seen = 0; /* no head ends in these */
	for (;;) {
		struct span bytes = {client->room + client->unsent, client->room_used};
		if (!http_head_begins(bytes))
			return not_http(bytes, fault);
		*end = http_head_end(span_from(bytes, seen));
		if (*end > 0) {
			*end += seen;
			return true;
		}
		seen = bytes.count > 2 ? bytes.count - 2 : 0;
		if (!read_more(client, turn, fault))
			return false;
	}
}

static bool
pass_interim(struct http_client *client, struct turn *turn, size_t end, struct fault *fault)
{
	unsigned char *answer = client->room + client->unsent;
	if (client->head.status == 101)
		return fault_raise(fault, FAULT_NETWORK, "the server switched protocols unasked");
	if (++turn->interims > INTERIM_MAX)
		return fault_raise(fault, FAULT_NETWORK, "more than %d interim answers", INTERIM_MAX);
	/* tls_write does not tell how much of a piece it has taken, so there is no place to go on from */
	if (!turn->all_sent && client->conn.secure) {
		fault_raise(fault, FAULT_NETWORK, "an interim answer came unasked while the request was being sent");
		return broken(fault);
	}
	client->room_used -= end;
	memmove(answer, answer + end, client->room_used);
	return true;
}

/* One head, interim or final. */
static bool
read_answer(struct http_client *client, struct turn *turn, struct fault *fault)
{
	bool head_request = strcmp(turn->request->method, "HEAD") == 0;
	struct span bytes;
	size_t end;
	if (!read_head(client, turn, &end, fault))
		return false;
	bytes = (struct span){client->room + client->unsent, client->room_used};
	if (!http_head_parse(&client->head, span_first(bytes, end), head_request, fault))
		return false;
	if (client->head.status < 200)
		return pass_interim(client, turn, end, fault);
	if (!turn->all_sent)
		client->head.keep_alive = false;
	open_body(client, span_from(bytes, end), turn->times.stall);
	return true;
}

static bool
exchange(struct http_client *client, struct turn *turn, struct fault *fault)
{
	if (!stage_head(client, turn, fault))
		return false;
	do {
		/* what stands behind an interim answer is read before more is sent */
		if ((client->room_used == 0 && !send_request(client, turn, fault)) || !read_answer(client, turn, fault))
			return false;
	} while (client->head.status < 200);
	client->used = true;
	return true;
}

static bool
may_repeat(const struct http_client *client, const struct turn *turn, const struct fault *fault)
{
	const struct http_request *request = turn->request;
	return request->repeatable && (request->from == NULL || request->rewind != NULL) && fault->kind == FAULT_NETWORK &&
	       !turn->ours && turn->interims == 0 && client->room_used == 0;
}

/* Closes what cannot be trusted any more and says which request it was; the query may hold secrets. */
static bool
give_up(struct http_client *client, const struct turn *turn, struct fault *fault)
{
	char words[200];
	struct text text = text_in(words, sizeof words);
	struct span target = span_of(turn->request->target), path;
	http_client_close(client);
	if (fault->kind == FAULT_NETWORK && fault->detail != 0 && proxy_for(client->network->proxies, &client->origin) != NULL)
		fault_hint(fault, "the proxy may have cut it: some end what is silent for a while, as a dump is while Kudu writes it");
	text_put(&text, client->origin.secure ? "https://" : "http://");
	url_put_host(&text, &client->origin);
	if (span_cut(&target, '?', &path))
		text_put_span(&text, path);
	return fault_while(fault, "%s %s", turn->request->method, words);
}

static void
check_promises(const struct http_request *request)
{
	assert(request->method[0] != 0 && request->target[0] == '/');
	for (const char *at = request->method; *at != 0; at++)
		assert(http_is_token_byte((unsigned char)*at));
	for (const char *at = request->target; *at != 0; at++)
		assert((unsigned char)*at > ' ' && (unsigned char)*at < 0x7f);
	assert(request->from == NULL || !request->has_body);
}

/* Values may come from files and the environment of the user. */
static bool
check_headers(const struct http_request *request, struct fault *fault)
{
	struct fault why;
	fault_clear(&why);
	if (request->headers == NULL || http_head_check_lines(span_of(request->headers), &why))
		return true;
	return fault_raise(fault, FAULT_USAGE, "a header line of the request is not in order: %s", why.text);
}

static struct turn
begin_turn(const struct http_request *request)
{
	struct turn turn;
	memset(&turn, 0, sizeof turn);
	turn.request = request;
	turn.length = request->from != NULL ? request->length : request->has_body ? request->body.count : 0;
	turn.times.connect = request->times.connect > 0 ? request->times.connect : CONNECT_MS;
	turn.times.first_byte = request->times.first_byte > 0 ? request->times.first_byte : ANSWER_MS;
	turn.times.stall = request->times.stall > 0 ? request->times.stall : STALL_MS;
	return turn;
}

bool
http_client_ask(struct http_client *client, const struct http_request *request, struct fault *fault)
{
	struct turn turn = begin_turn(request);
	bool reused;
	check_promises(request);
	if (!check_headers(request, fault))
		return false;
	http_client_done(client);
	if (client->open && conn_is_stale(&client->conn))
		http_client_close(client);
	reused = client->open;
	client->body.failed = true; /* until there is an answer, none can be read */
	if (!connect_if_needed(client, &turn, fault))
		return false;
	if (exchange(client, &turn, fault))
		return true;
	if (!reused || !may_repeat(client, &turn, fault))
		return give_up(client, &turn, fault);
	fault_clear(fault);
	http_client_close(client);
	if (request->from != NULL)
		request->rewind(request->from);
	if (!connect_if_needed(client, &turn, fault))
		return false;
	return exchange(client, &turn, fault) || give_up(client, &turn, fault);
}

struct source *
http_client_body(struct http_client *client)
{
	return &client->body.source;
}

size_t
http_client_peek(struct http_client *client, char *room, size_t size)
{
	struct source *body = http_client_body(client);
	size_t used = 0, got = 1;
	struct fault ignored;
	assert(size > 0);
	fault_clear(&ignored);
	client->wire.limit = deadline_in(client->body.stall_ms);
	while (used < size - 1 && got > 0 && body->read(body, room + used, size - 1 - used, &got, &ignored))
		used += got;
	client->wire.limit = deadline_never();
	room[used] = 0;
	return used;
}

/* Whether the connection can carry another request, once the rest of a short body has been read. */
static bool
drain(struct http_client *client)
{
	unsigned char room[2048];
	struct http_body *body = &client->body;
	uint64_t start = body->given;
	struct fault ignored;
	size_t got;
	if (!client->head.keep_alive || body->failed)
		return false;
	if (body->framing == HTTP_LENGTH && body->length - body->given > DRAIN_MAX)
		return false;
	fault_clear(&ignored);
	client->wire.limit = deadline_in(DRAIN_MS);
	while (!body->ended && body->given - start <= DRAIN_MAX)
		if (!body->source.read(&body->source, room, sizeof room, &got, &ignored))
			return false;
	return http_body_is_clean(body);
}

void
http_client_done(struct http_client *client)
{
	if (client->open && !drain(client))
		http_client_close(client);
}
