/* SPDX-License-Identifier: MIT */
#include "net/lookup.h"

#include "base/linux.h"
#include "base/stop.h"
#include "net/dns.h"
#include "net/tcp.h"
#include "net/wait.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define IPV6_GRACE_MS 300 /* for the IPv6 addresses once there are IPv4 ones: some networks drop these questions */

/* One of the two questions, for A and for AAAA. */
struct query {
	enum dns_type type;
	struct dns_question question;
	struct dns_answer answer;
	bool answered, missing;
	bool given_up; /* with the server at hand */
};

struct lookup {
	const char *name;
	struct query queries[2];
	bool heard; /* some server said something */
	unsigned char room[DNS_ANSWER_MAX]; /* for the message at hand */
};

static bool
write_question(struct lookup *lookup, struct query *query, bool edns, struct fault *fault)
{
	uint16_t id;
	if (!random_bytes(&id, sizeof id, fault))
		return false;
	if (!dns_write(&query->question, lookup->name, query->type, id, edns))
		return fault_raise(fault, FAULT_USAGE, "\"%s\" is no host name", lookup->name);
	return true;
}

static bool
is_open(const struct query *query)
{
	return !query->answered && !query->given_up;
}

static void
keep_answer(struct query *query, const struct dns_answer *answer, bool missing)
{
	query->answer = *answer;
	query->answered = true;
	query->missing = missing;
}

/* Exactly `count` bytes. */
static bool
read_all(int fd, unsigned char *room, size_t count, struct deadline deadline, struct fault *fault)
{
	while (count > 0) {
		size_t got;
		if (!tcp_read(fd, room, count, &got, deadline, fault))
			return false;
		if (got == 0)
			return fault_raise(fault, FAULT_NETWORK, "the DNS server closed the connection");
		room += got;
		count -= got;
	}
	return true;
}

static bool
write_all(int fd, const unsigned char *from, size_t count, struct deadline deadline, struct fault *fault)
{
	while (count > 0) {
		size_t sent;
		if (!tcp_write(fd, from, count, &sent, NULL, deadline, fault))
			return false;
		from += sent;
		count -= sent;
	}
	return true;
}

/* RFC 1035 4.2.2: a length of two bytes before each message. Of a longer answer than the room, its beginning. */
static bool
exchange(struct lookup *lookup, int fd, const struct dns_question *question, struct span *message, bool *partial,
         struct deadline deadline, struct fault *fault)
{
	unsigned char wire[2 + DNS_QUERY_MAX];
	size_t count;
	wire[0] = (unsigned char)(question->count >> 8);
	wire[1] = (unsigned char)question->count;
	memcpy(wire + 2, question->wire, question->count);
	if (!write_all(fd, wire, 2 + question->count, deadline, fault) || !read_all(fd, wire, 2, deadline, fault))
		return false;
	count = (size_t)wire[0] << 8 | wire[1];
	*partial = count > sizeof lookup->room;
	*message = (struct span){lookup->room, *partial ? sizeof lookup->room : count};
	return read_all(fd, lookup->room, message->count, deadline, fault);
}

/* Asks again over TCP. `cut` holds the addresses of an answer that was cut: better than none where a firewall lets no
 * TCP through. A server that does not answer is no fault, only a signal is. */
static bool
ask_over_tcp(struct lookup *lookup, struct query *query, const struct address *server, const struct dns_answer *cut,
             struct deadline deadline, struct fault *fault)
{
	struct addresses only = {.count = 0};
	struct fault quiet = {.kind = FAULT_NONE};
	enum dns_verdict verdict = DNS_FOREIGN;
	struct dns_answer answer;
	struct span message;
	bool partial;
	int fd;
	if (!write_question(lookup, query, query->question.edns, fault))
		return false;
	addresses_add(&only, server);
	if (tcp_connect(&only, deadline, &fd, &quiet)) {
		if (exchange(lookup, fd, &query->question, &message, &partial, deadline, &quiet))
			verdict = dns_judge(&query->question, message, partial, &answer);
		tcp_close(fd);
	}
	if (!stop_check(fault))
		return false;
	if (verdict == DNS_ANSWERED || verdict == DNS_MISSING || (verdict == DNS_CUT && answer.count > 0))
		keep_answer(query, &answer, verdict == DNS_MISSING);
	else if (cut->count > 0)
		keep_answer(query, cut, false);
	else
		query->given_up = true;
	return true;
}

/* A socket of its own for each server and try, so that its port cannot be guessed; connected, so that only this server
 * can answer and a closed port is told. -1: there is no way to this server. */
static int
udp_open(const struct address *server)
{
	int fd = socket(server->at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&server->at, server->size) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
give_up(struct lookup *lookup)
{
	for (size_t i = 0; i < 2; i++)
		lookup->queries[i].given_up = true;
}

/* For lack of room a datagram is as good as lost; any other error (the port's being closed may be told here, about the
 * question before) is about this server. */
static void
udp_send(struct lookup *lookup, const struct query *query, int fd)
{
	if (send(fd, query->question.wire, query->question.count, MSG_NOSIGNAL) < 0 && errno != EINTR && errno != EAGAIN &&
	    errno != ENOBUFS)
		give_up(lookup);
}

/* Draws the conclusion from an answer to `query`. */
static bool
act_on(struct lookup *lookup, struct query *query, enum dns_verdict verdict, const struct dns_answer *answer, int fd,
       const struct address *server, struct deadline deadline, struct fault *fault)
{
	lookup->heard = true;
	switch (verdict) {
	case DNS_FOREIGN:
		break;
	case DNS_ANSWERED:
	case DNS_MISSING:
		keep_answer(query, answer, verdict == DNS_MISSING);
		break;
	case DNS_REFUSED:
		query->given_up = true;
		break;
	case DNS_PLAIN:
		if (!write_question(lookup, query, false, fault))
			return false;
		udp_send(lookup, query, fd);
		break;
	case DNS_CUT:
	case DNS_BROKEN:
		return ask_over_tcp(lookup, query, server, answer, deadline, fault);
	}
	return true;
}

static bool
any_open(const struct lookup *lookup)
{
	return is_open(&lookup->queries[0]) || is_open(&lookup->queries[1]);
}

static bool
receive(struct lookup *lookup, int fd, const struct address *server, struct deadline deadline, struct fault *fault)
{
	ssize_t got = recv(fd, lookup->room, sizeof lookup->room, 0);
	if (got < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			give_up(lookup);
		return true;
	}
	for (size_t i = 0; i < 2; i++) {
		struct query *query = &lookup->queries[i];
		struct span message = {lookup->room, (size_t)got};
		struct dns_answer answer;
		enum dns_verdict verdict = DNS_FOREIGN;
		if (is_open(query))
			verdict = dns_judge(&query->question, message, message.count == sizeof lookup->room, &answer);
		if (verdict != DNS_FOREIGN)
			return act_on(lookup, query, verdict, &answer, fd, server, deadline, fault);
	}
	return true;
}

/* IPv4 addresses, or the word that there is no such name. */
static bool
ipv4_settles(const struct lookup *lookup)
{
	const struct query *ipv4 = &lookup->queries[0];
	return ipv4->answered && (ipv4->answer.count > 0 || ipv4->missing);
}

/* All that one server says within its time. */
static bool
listen_to(struct lookup *lookup, int fd, const struct address *server, struct deadline deadline, struct fault *fault)
{
	bool hurried = false;
	while (any_open(lookup) && !deadline_passed(deadline)) {
		struct fault quiet = {.kind = FAULT_NONE};
		if (ipv4_settles(lookup) && !hurried) {
			deadline = deadline_sooner(deadline, deadline_in(IPV6_GRACE_MS));
			hurried = true;
		}
		if (!wait_readable(fd, deadline, &quiet)) {
			if (quiet.kind == FAULT_TIMEOUT)
				return true;
			*fault = quiet;
			return false;
		}
		if (!receive(lookup, fd, server, deadline, fault))
			return false;
	}
	return true;
}

static bool
ask_server(struct lookup *lookup, const struct address *server, struct deadline deadline, struct fault *fault)
{
	int fd = udp_open(server);
	bool going = true;
	if (fd < 0)
		return true;
	lookup->queries[0].given_up = lookup->queries[1].given_up = false;
	for (size_t i = 0; i < 2 && going; i++)
		if (is_open(&lookup->queries[i]) && (going = write_question(lookup, &lookup->queries[i], true, fault)))
			udp_send(lookup, &lookup->queries[i], fd);
	going = going && listen_to(lookup, fd, server, deadline, fault);
	close(fd);
	return going;
}

/* Enough is known: both families, or of IPv4 what makes IPv6 a luxury. */
static bool
is_settled(const struct lookup *lookup)
{
	return ipv4_settles(lookup) || (lookup->queries[0].answered && lookup->queries[1].answered);
}

static bool
ask_all(struct lookup *lookup, const struct resolv *resolv, struct deadline deadline, struct fault *fault)
{
	for (unsigned attempt = 0; attempt < resolv->attempts; attempt++)
		for (size_t i = 0; i < resolv->count; i++) {
			struct deadline turn = deadline_sooner(deadline, deadline_in((int64_t)resolv->timeout_s * 1000));
			if (!ask_server(lookup, &resolv->servers[i], turn, fault))
				return false;
			if (is_settled(lookup))
				return true;
			if (deadline_passed(deadline))
				return lookup->queries[1].answer.count > 0 ||
				       fault_raise(fault, FAULT_TIMEOUT, "no DNS server answered in time");
		}
	return true;
}

static void
add_answer(const struct query *query, size_t i, uint16_t port, struct addresses *found)
{
	struct address address;
	if (!query->answered || i >= query->answer.count)
		return;
	address_from_bytes(&address, query->answer.bytes[i], query->type == DNS_A ? 4 : 16, port);
	addresses_add(found, &address);
}

static enum lookup_result
result_of(const struct lookup *lookup, const struct addresses *found)
{
	const struct query *ipv4 = &lookup->queries[0], *ipv6 = &lookup->queries[1];
	if (found->count > 0)
		return LOOKUP_FOUND;
	if (ipv4->missing || ipv6->missing)
		return LOOKUP_MISSING;
	if (ipv4->answered && ipv6->answered)
		return LOOKUP_EMPTY;
	return lookup->heard ? LOOKUP_REFUSED : LOOKUP_SILENT;
}

bool
lookup_name(const struct resolv *resolv, const char *name, uint16_t port, struct deadline deadline,
            enum lookup_result *result, struct addresses *found, struct fault *fault)
{
	struct lookup lookup = {.name = name, .queries = {{.type = DNS_A}, {.type = DNS_AAAA}}};
	found->count = 0;
	if (!ask_all(&lookup, resolv, deadline, fault))
		return false;
	for (size_t i = 0; i < ADDRESSES_MAX; i++) {
		add_answer(&lookup.queries[1], i, port, found);
		add_answer(&lookup.queries[0], i, port, found);
	}
	*result = result_of(&lookup, found);
	return true;
}
