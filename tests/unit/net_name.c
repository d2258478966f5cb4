/* SPDX-License-Identifier: MIT */
#include "net/name.h"

#include "base/stop.h"

#include "peer.h"
#include "unit.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* A DNS server of the test's own making, with its own idea of the protocol. Each instance answers as its script says. */
struct message {
	unsigned char at[6000];
	size_t count;
};

struct server;
/* Makes the answer in `m`, which holds the query; false: says nothing. */
typedef bool script(struct server *, struct message *m, const char *name, unsigned type, bool tcp);

struct server {
	const char *address;
	script *say;
	int udp, tcp; /* -1: not there */
	pthread_t threads[2];
	pthread_mutex_t lock;
	unsigned asked[2]; /* over UDP, over TCP */
	char names[24][300];
	unsigned name_count;
	bool edns; /* the last question had it */
	struct sockaddr_in from;
};

static uint16_t dns_port;
static char resolv_path[64], hosts_path[64];
static struct addresses found;
static struct fault fault;

static void
put(struct message *m, const void *bytes, size_t count)
{
	memcpy(m->at + m->count, bytes, count);
	m->count += count;
}

static void
put16(struct message *m, unsigned value)
{
	unsigned char two[2] = {(unsigned char)(value >> 8), (unsigned char)value};
	put(m, two, 2);
}

/* The query becomes an answer without records. */
static void
turn(struct message *m, unsigned rcode)
{
	size_t end = 12;
	while (m->at[end] != 0)
		end += m->at[end] + 1u;
	m->count = end + 5;
	m->at[2] = 0x81;
	m->at[3] = (unsigned char)(0x80 | rcode);
	memset(m->at + 6, 0, 6);
}

static void
put_record(struct message *m, unsigned owner, unsigned type, const void *data, size_t count)
{
	put16(m, 0xc000 | owner);
	put16(m, type);
	put16(m, 1);
	put16(m, 0);
	put16(m, 60);
	put16(m, (unsigned)count);
	put(m, data, count);
	m->at[7]++;
}

/* One address for the name asked: 10.0.0.`last` or fd00::`last`. */
static void
put_address(struct message *m, unsigned owner, unsigned type, unsigned char last)
{
	unsigned char four[4] = {10, 0, 0, last}, six[16] = {0xfd, [15] = last};
	put_record(m, owner, type, type == 1 ? four : six, type == 1 ? 4 : 16);
}

static void
note(struct server *server, const struct message *m, bool tcp, char name[300], unsigned *type)
{
	size_t at = 12, used = 0;
	name[0] = 0;
	while (at < m->count && m->at[at] != 0) {
		for (size_t i = 1; i <= m->at[at]; i++)
			name[used++] = (char)m->at[at + i];
		name[used++] = '.';
		name[used] = 0;
		at += m->at[at] + 1u;
	}
	*type = m->at[at + 2];
	pthread_mutex_lock(&server->lock);
	server->asked[tcp]++;
	server->edns = m->at[11] == 1;
	if (server->name_count < 24)
		snprintf(server->names[server->name_count++], 300, "%s%u", name, *type);
	pthread_mutex_unlock(&server->lock);
}

static void *
serve_udp(void *argument)
{
	struct server *server = argument;
	for (;;) {
		struct message m;
		char name[300];
		unsigned type;
		socklen_t size = sizeof server->from;
		ssize_t got = recvfrom(server->udp, m.at, sizeof m.at, 0, (struct sockaddr *)&server->from, &size);
		if (got == 1)
			return NULL;
		if (got < 12)
			continue;
		m.count = (size_t)got;
		note(server, &m, false, name, &type);
		if (server->say(server, &m, name, type, false))
			sendto(server->udp, m.at, m.count, 0, (struct sockaddr *)&server->from, sizeof server->from);
	}
}

static void *
serve_tcp(void *argument)
{
	struct server *server = argument;
	for (;;) {
		struct message m, framed = {.count = 0};
		char name[300];
		unsigned type;
		unsigned char length[2];
		int fd = accept(server->tcp, NULL, NULL);
		if (fd < 0)
			return NULL;
		if (recv(fd, length, 2, MSG_WAITALL) != 2) {
			close(fd);
			return NULL;
		}
		m.count = (size_t)length[0] << 8 | length[1];
		if (recv(fd, m.at, m.count, MSG_WAITALL) == (ssize_t)m.count) {
			note(server, &m, true, name, &type);
			if (server->say(server, &m, name, type, true)) {
				put16(&framed, (unsigned)m.count);
				put(&framed, m.at, m.count < 5000 ? m.count : 5000);
				/* in two pieces, as TCP may */
				send(fd, framed.at, 1, MSG_NOSIGNAL);
				peer_sleep_ms(5);
				send(fd, framed.at + 1, framed.count - 1, MSG_NOSIGNAL);
			}
		}
		close(fd);
	}
}

static void
server_open(struct server *server, const char *address, script *say, bool with_tcp)
{
	int fd = -1;
	memset(server, 0, sizeof *server);
	pthread_mutex_init(&server->lock, NULL);
	server->address = address;
	server->say = say;
	server->tcp = -1;
	server->udp = peer_socket(SOCK_DGRAM, address, &dns_port);
	pthread_create(&server->threads[0], NULL, serve_udp, server);
	if (with_tcp) {
		fd = server->tcp = peer_socket(SOCK_STREAM, address, &dns_port);
		listen(fd, 8);
		pthread_create(&server->threads[1], NULL, serve_tcp, server);
	}
	if (server->udp < 0 || (with_tcp && fd < 0)) {
		fprintf(stderr, "cannot bind port %u\n", dns_port);
		exit(1);
	}
}

static void
server_close(struct server *server)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(dns_port)};
	inet_pton(AF_INET, server->address, &at.sin_addr);
	sendto(server->udp, "q", 1, 0, (struct sockaddr *)&at, sizeof at);
	pthread_join(server->threads[0], NULL);
	close(server->udp);
	if (server->tcp >= 0) {
		close(peer_connect(server->address, dns_port));
		pthread_join(server->threads[1], NULL);
		close(server->tcp);
	}
}

static void
write_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");
	fputs(content, file);
	fclose(file);
}

static bool
resolve_until(const char *host, int64_t ms)
{
	struct name_files files = {hosts_path, resolv_path, dns_port};
	fault_clear(&fault);
	return name_resolve(host, 443, NULL, 0, files, deadline_in(ms), &found, &fault);
}

static bool
resolve(const char *host)
{
	return resolve_until(host, 8000);
}

/* What was found, in one line. */
static const char *
listed(void)
{
	static char room[1024];
	struct text text = text_in(room, sizeof room);
	for (size_t i = 0; i < found.count; i++) {
		text_put(&text, i == 0 ? "" : " ");
		address_put_port(&text, &found.list[i]);
	}
	return room;
}

static const char one_server[] = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";
static const char two_servers[] = "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:1 attempts:1\n";

/* ---- without DNS ---- */

static void
literals(void)
{
	write_file(hosts_path, "");
	CHECK(resolve("10.0.0.4"));
	CHECK_TEXT(listed(), "10.0.0.4:443");
	CHECK(resolve("fd00::4"));
	CHECK_TEXT(listed(), "[fd00::4]:443");
	CHECK(resolve("[FD00::4]"));
	CHECK_TEXT(listed(), "[fd00::4]:443");
	CHECK(resolve("fe80::1%1"));
	CHECK_TEXT(listed(), "[fe80::1%1]:443");
	CHECK(resolve("fe80::1%lo"));
	CHECK_TEXT(listed(), "[fe80::1%1]:443");
	CHECK(name_is_literal("1.2.3.4") && name_is_literal("::") && name_is_literal("[::]"));
	CHECK(!name_is_literal("1.2.3") && !name_is_literal("1.2.3.4.5") && !name_is_literal("1.2.3.256"));
	CHECK(!name_is_literal("0x7f.0.0.1") && !name_is_literal("[::") && !name_is_literal("") && !name_is_literal("[]"));
	CHECK(!name_is_literal("fe80::1%nowhere0") && !name_is_literal("fe80::1%") && !name_is_literal("[1.2.3.4]"));
	CHECK(!name_is_literal("fe80::1%4294967296"));
}

static void
loopback(void)
{
	write_file(hosts_path, "# nothing\n");
	CHECK(resolve("localhost"));
	CHECK_TEXT(listed(), "127.0.0.1:443 [::1]:443");
	CHECK(resolve("LocalHost."));
	CHECK_TEXT(listed(), "127.0.0.1:443 [::1]:443");
	CHECK(resolve("blob.localhost"));
	CHECK_TEXT(listed(), "127.0.0.1:443 [::1]:443");
	write_file(hosts_path, "127.0.0.9 localhost\n");
	CHECK(resolve("localhost"));
	CHECK_TEXT(listed(), "127.0.0.9:443");
	CHECK(name_is_loopback("localhost") && name_is_loopback("a.LOCALHOST") && name_is_loopback("localhost."));
	CHECK(name_is_loopback("127.0.0.1") && name_is_loopback("127.255.1.2") && name_is_loopback("::1"));
	CHECK(name_is_loopback("[::1]") && name_is_loopback("::ffff:127.0.0.1"));
	CHECK(!name_is_loopback("128.0.0.1") && !name_is_loopback("126.255.255.255") && !name_is_loopback("::2"));
	CHECK(!name_is_loopback("::ffff:10.0.0.1") && !name_is_loopback("localhost.example") && !name_is_loopback("::"));
	CHECK(!name_is_loopback("xlocalhost") && !name_is_loopback(".localhost") && !name_is_loopback("127.1"));
	CHECK(!name_is_loopback("") && !name_is_loopback("127.0.0.1.example"));
}

static void
hosts_file(void)
{
	char line[6000];
	struct text text = text_in(line, sizeof line);
	write_file(hosts_path, "10.1.1.1\tone.example one # two.example\r\n"
	                       "fd00::1 ONE.example\n10.1.1.2 one.example\n"
	                       "junk three.example\n10.1.1.3 three.example.org three.example");
	CHECK(resolve("one.example"));
	CHECK_TEXT(listed(), "[fd00::1]:443 10.1.1.1:443 10.1.1.2:443");
	CHECK(resolve("One."));
	CHECK_TEXT(listed(), "10.1.1.1:443");
	CHECK(resolve("three.example"));
	CHECK_TEXT(listed(), "10.1.1.3:443");
	/* a line longer than is read: its end is lost, the half of a name is no name, the next line is whole */
	text_put(&text, "10.2.2.1 ");
	while (text.used < 2040)
		text_put(&text, "x ");
	text_put(&text, "half.example.org");
	while (text.used < 5000)
		text_put(&text, " y");
	text_put(&text, "\n10.2.2.2 next.example half.ex\n");
	write_file(hosts_path, line);
	CHECK(resolve("x"));
	CHECK_TEXT(listed(), "10.2.2.1:443");
	for (size_t i = 1; i < 12; i++) {
		char half[12];
		snprintf(half, sizeof half, "%.*s", (int)i, "half.example.org");
		if (strcmp(half, "half.ex") != 0)
			CHECK(!resolve_until(half, 0) || strcmp(listed(), "10.2.2.1:443") != 0);
	}
	CHECK(resolve("half.ex"));
	CHECK_TEXT(listed(), "10.2.2.2:443");
	CHECK(resolve("next.example"));
	CHECK_TEXT(listed(), "10.2.2.2:443");
}

static void
overrides(void)
{
	struct name_override list[4];
	struct name_files files = {hosts_path, resolv_path, 0};
	struct deadline deadline = deadline_in(1000);
	fault_clear(&fault);
	write_file(hosts_path, "10.1.1.1 a.example\n");
	CHECK(name_override_parse("a.example:10.9.9.9", &list[0], &fault));
	CHECK(name_override_parse("a.example.:[fd00::9]", &list[1], &fault));
	CHECK(name_override_parse("b.example:fd00::8", &list[2], &fault));
	CHECK(name_override_parse("10.0.0.4:127.0.0.1", &list[3], &fault));
	CHECK(name_resolve("A.example", 80, list, 4, files, deadline, &found, &fault));
	CHECK_TEXT(listed(), "10.9.9.9:80 [fd00::9]:80");
	CHECK(name_resolve("b.example.", 80, list, 4, files, deadline, &found, &fault));
	CHECK_TEXT(listed(), "[fd00::8]:80");
	CHECK(name_resolve("10.0.0.4", 80, list, 4, files, deadline, &found, &fault));
	CHECK_TEXT(listed(), "127.0.0.1:80");
	static const char *const bad[] = {"", ":", "a", "a:", ":10.0.0.1", "a:443:10.0.0.1", "a:b", "a b:10.0.0.1",
	                                  "a:10.0.0.1 ", "a:[10.0.0.1]", "a:10.0.0.1:443", "a..b:10.0.0.1"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		fault_clear(&fault);
		CHECK(!name_override_parse(bad[i], &list[0], &fault) && fault.kind == FAULT_USAGE && fault.hint[0] != 0);
	}
}

static void
no_names(void)
{
	char label[130], name[300];
	memset(label, 'a', 64);
	strcpy(label + 64, ".example");
	memset(name, 'a', sizeof name);
	for (size_t i = 40; i < sizeof name; i += 40)
		name[i] = '.';
	name[254] = 0;
	const char *const bad[] = {"", ".", "..", "a..b", ".a", "a b", "a/b", "a:b", "a\n.example", "h\xc3\xa9.example", label, name, "a.."};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK(!resolve(bad[i]));
		CHECK(fault.kind == FAULT_USAGE && strstr(fault.text, "is no host name") != NULL);
	}
}

/* ---- with DNS ---- */

static bool
both(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	(void)server;
	(void)name;
	(void)tcp;
	turn(m, 0);
	put_address(m, 12, type, 4);
	put_address(m, 12, type, 5);
	return true;
}

static void
two_families(void)
{
	struct server server;
	server_open(&server, "127.0.0.1", both, false);
	write_file(resolv_path, one_server);
	CHECK(resolve("kudu.example"));
	CHECK_TEXT(listed(), "[fd00::4]:443 10.0.0.4:443 [fd00::5]:443 10.0.0.5:443");
	server_close(&server);
	CHECK(server.asked[0] == 2 && server.asked[1] == 0 && server.edns);
	CHECK_TEXT(server.names[0], "kudu.example.1");
	CHECK_TEXT(server.names[1], "kudu.example.28");
}

/* As a front end of Azure answers: a chain of names, compressed, and one address at its end; no AAAA. */
static bool
chained(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	static const unsigned char first[] = "\4waws\xc0\x0c", second[] = "\5front\3prd\10cloudapp\xc0\x11";
	unsigned at;
	(void)server;
	(void)name;
	(void)tcp;
	turn(m, 0);
	put_record(m, 12, 5, first, sizeof first - 1);
	at = (unsigned)m->count - 7;
	put_record(m, at, 5, second, sizeof second - 1);
	at = (unsigned)m->count - (unsigned)sizeof second + 1;
	if (type == 1)
		put_address(m, at, type, 7);
	return true;
}

static void
chains(void)
{
	struct server server;
	server_open(&server, "127.0.0.1", chained, false);
	write_file(resolv_path, one_server);
	CHECK(resolve("kudu.example"));
	CHECK_TEXT(listed(), "10.0.0.7:443");
	server_close(&server);
}

static bool
cut_unless_tcp(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	if (tcp)
		return both(server, m, name, type, tcp);
	turn(m, 0);
	m->at[2] |= 2;
	return true;
}

static bool
cut_with_one(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	cut_unless_tcp(server, m, name, type, tcp);
	put_address(m, 12, type, 9);
	return true;
}

static bool
cut_always(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	return cut_unless_tcp(server, m, name, type, tcp && false);
}

/* Over TCP it accepts, reads and says nothing for a while. */
static bool
stuck_over_tcp(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	if (tcp)
		peer_sleep_ms(400);
	return !tcp && cut_unless_tcp(server, m, name, type, tcp);
}

static void
truncation(void)
{
	struct server server;
	write_file(resolv_path, one_server);
	server_open(&server, "127.0.0.1", cut_unless_tcp, true);
	CHECK(resolve("kudu.example"));
	CHECK_TEXT(listed(), "[fd00::4]:443 10.0.0.4:443 [fd00::5]:443 10.0.0.5:443");
	server_close(&server);
	CHECK(server.asked[0] == 2 && server.asked[1] == 2);
	/* no TCP: what was in the cut answer has to do */
	server_open(&server, "127.0.0.1", cut_with_one, false);
	CHECK(resolve("kudu.example"));
	CHECK_TEXT(listed(), "[fd00::9]:443 10.0.0.9:443");
	server_close(&server);
	server_open(&server, "127.0.0.1", cut_unless_tcp, false);
	CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
	server_close(&server);
	server_open(&server, "127.0.0.1", cut_always, true);
	CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
	server_close(&server);
}

/* Over TCP more than is read of it; the address comes early. */
static bool
huge(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	static const unsigned char zeros[900];
	cut_unless_tcp(server, m, name, type, tcp);
	for (int i = 0; i < 5 && tcp; i++)
		put_record(m, 12, 16, zeros, sizeof zeros);
	return true;
}

static void
more_than_is_read(void)
{
	struct server server;
	write_file(resolv_path, one_server);
	server_open(&server, "127.0.0.1", huge, true);
	CHECK(resolve("kudu.example"));
	CHECK_TEXT(listed(), "[fd00::4]:443 10.0.0.4:443 [fd00::5]:443 10.0.0.5:443");
	server_close(&server);
}

/* First what a forger would send, then the answer. */
static bool
forged_first(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	struct message forged = *m;
	turn(&forged, 0);
	put_address(&forged, 12, type, 66);
	forged.at[0] ^= 0x55;
	sendto(server->udp, forged.at, forged.count, 0, (struct sockaddr *)&server->from, sizeof server->from);
	forged.at[0] ^= 0x55;
	forged.at[14] ^= 1;
	sendto(server->udp, forged.at, forged.count, 0, (struct sockaddr *)&server->from, sizeof server->from);
	sendto(server->udp, forged.at, 7, 0, (struct sockaddr *)&server->from, sizeof server->from);
	sendto(server->udp, forged.at, 0, 0, (struct sockaddr *)&server->from, sizeof server->from);
	both(server, m, name, type, tcp);
	m->at[13] ^= 0x20; /* in another case, which is the same name */
	return true;
}

static void
forgeries(void)
{
	struct server server;
	write_file(resolv_path, one_server);
	server_open(&server, "127.0.0.1", forged_first, false);
	CHECK(resolve("kudu.example"));
	CHECK_TEXT(listed(), "[fd00::4]:443 10.0.0.4:443 [fd00::5]:443 10.0.0.5:443");
	server_close(&server);
}

static bool
silent(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	(void)server;
	(void)m;
	(void)name;
	(void)type;
	(void)tcp;
	return false;
}

static bool
servfail(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	(void)server;
	(void)name;
	(void)type;
	(void)tcp;
	turn(m, 2);
	return true;
}

static bool
refused(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	(void)server;
	(void)name;
	(void)type;
	(void)tcp;
	turn(m, 5);
	return true;
}

static void
next_server(void)
{
	script *const first[] = {servfail, refused, silent};
	struct server one, two;
	write_file(resolv_path, two_servers);
	for (size_t i = 0; i < 3; i++) {
		int64_t start = clock_ms(), ms;
		server_open(&one, "127.0.0.1", first[i], false);
		server_open(&two, "127.0.0.2", both, false);
		CHECK(resolve("kudu.example") && found.count == 4);
		ms = clock_ms() - start;
		CHECK(first[i] == silent ? ms >= 1000 && ms < 3000 : ms < 900);
		server_close(&one);
		server_close(&two);
	}
	/* nobody listens at the first, or there is no way to it */
	write_file(resolv_path, "nameserver 255.255.255.255\nnameserver 127.0.0.1\nnameserver 127.0.0.2\n"
	                        "options timeout:0 attempts:0\n");
	server_open(&two, "127.0.0.2", both, false);
	int64_t start = clock_ms();
	CHECK(resolve("kudu.example") && found.count == 4);
	CHECK(clock_ms() - start < 900);
	server_close(&two);
}

static void
no_usable_server(void)
{
	struct server server;
	char wanted[200];
	write_file(resolv_path, one_server);
	server_open(&server, "127.0.0.1", silent, false);
	CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
	snprintf(wanted, sizeof wanted, "no DNS server of %s answered for kudu.example", resolv_path);
	CHECK_TEXT(fault.text, wanted);
	CHECK(strstr(fault.hint, "--resolve kudu.example:ADDR") != NULL);
	CHECK(!resolve_until("kudu.example", 200) && fault.kind == FAULT_TIMEOUT);
	CHECK(strstr(fault.text, "looking up kudu.example: ") == fault.text && strstr(fault.hint, "--resolve") != NULL);
	server_close(&server);
	server_open(&server, "127.0.0.1", servfail, false);
	CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
	snprintf(wanted, sizeof wanted, "no DNS server of %s could tell the address of kudu.example", resolv_path);
	CHECK_TEXT(fault.text, wanted);
	server_close(&server);
}

static bool
missing(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	(void)server;
	(void)name;
	(void)type;
	(void)tcp;
	turn(m, 3);
	return true;
}

static bool
empty(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	(void)server;
	(void)name;
	(void)type;
	(void)tcp;
	turn(m, 0);
	return true;
}

static void
missing_names(void)
{
	struct server one, two;
	write_file(resolv_path, two_servers);
	server_open(&one, "127.0.0.1", missing, false);
	server_open(&two, "127.0.0.2", both, false);
	CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
	CHECK_TEXT(fault.text, "no such host kudu.example");
	CHECK_TEXT(fault.hint, "if you know its address: --resolve kudu.example:ADDR");
	server_close(&one);
	server_close(&two);
	CHECK(two.asked[0] == 0);
	server_open(&one, "127.0.0.1", empty, false);
	CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
	CHECK_TEXT(fault.text, "the name kudu.example has no address");
	server_close(&one);
}

static bool
no_edns(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	if (m->at[11] == 0)
		return both(server, m, name, type, tcp);
	turn(m, type == 1 ? 1 : 4);
	if (type == 1) {
		m->at[5] = 0;
		m->count = 12;
	}
	return true;
}

static bool
formerr_always(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	servfail(server, m, name, type, tcp);
	m->at[3] = 0x81;
	return true;
}

static void
without_edns(void)
{
	struct server server;
	write_file(resolv_path, one_server);
	server_open(&server, "127.0.0.1", no_edns, false);
	CHECK(resolve("kudu.example") && found.count == 4);
	server_close(&server);
	CHECK(server.asked[0] == 4 && !server.edns);
	server_open(&server, "127.0.0.1", formerr_always, false);
	CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
	server_close(&server);
	CHECK(server.asked[0] == 4);
}

static bool
silent_for_ipv6(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	return type == 1 && both(server, m, name, type, tcp);
}

static bool
servfail_for_ipv6(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	return type == 1 ? both(server, m, name, type, tcp) : servfail(server, m, name, type, tcp);
}

static bool
missing_for_ipv6(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	return type == 1 ? both(server, m, name, type, tcp) : missing(server, m, name, type, tcp);
}

static bool
only_ipv6(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	return type == 28 ? both(server, m, name, type, tcp) : servfail(server, m, name, type, tcp);
}

static void
one_family_fails(void)
{
	script *const scripts[] = {silent_for_ipv6, servfail_for_ipv6, missing_for_ipv6};
	struct server server;
	write_file(resolv_path, "nameserver 127.0.0.1\n");
	for (size_t i = 0; i < 3; i++) {
		int64_t start = clock_ms();
		server_open(&server, "127.0.0.1", scripts[i], false);
		CHECK(resolve("kudu.example"));
		CHECK_TEXT(listed(), "10.0.0.4:443 10.0.0.5:443");
		CHECK(clock_ms() - start < 1000);
		server_close(&server);
	}
	server_open(&server, "127.0.0.1", only_ipv6, false);
	CHECK(resolve("kudu.example"));
	CHECK_TEXT(listed(), "[fd00::4]:443 [fd00::5]:443");
	server_close(&server);
}

static bool
looping(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	(void)server;
	(void)name;
	(void)tcp;
	turn(m, 0);
	put_address(m, (unsigned)m->count, type, 4);
	return true;
}

static bool
circular(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	(void)server;
	(void)name;
	(void)tcp;
	turn(m, 0);
	put_record(m, 12, 5, "\xc0\x0c", 2);
	put_address(m, 12, type, 4);
	return true;
}

static bool
odd_over_udp(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	return tcp ? both(server, m, name, type, tcp) : looping(server, m, name, type, tcp);
}

static void
broken_answers(void)
{
	script *const scripts[] = {looping, circular};
	struct server server;
	write_file(resolv_path, one_server);
	for (size_t i = 0; i < 2; i++) {
		server_open(&server, "127.0.0.1", scripts[i], true);
		CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
		server_close(&server);
		CHECK(server.asked[1] == 2);
	}
	server_open(&server, "127.0.0.1", odd_over_udp, true);
	CHECK(resolve("kudu.example") && found.count == 4);
	server_close(&server);
}

/* A stream of answers to somebody else does not hold us beyond the time of a server. */
static bool
flooding(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	int64_t end = clock_ms() + 1300;
	both(server, m, name, type, tcp);
	m->at[0] ^= 0x55;
	peer_sleep_ms(950);
	while (clock_ms() < end)
		sendto(server->udp, m->at, m->count, 0, (struct sockaddr *)&server->from, sizeof server->from);
	return false;
}

static void
a_flood(void)
{
	struct server server;
	int64_t start = clock_ms();
	write_file(resolv_path, one_server);
	server_open(&server, "127.0.0.1", flooding, false);
	CHECK(!resolve("kudu.example") && fault.kind == FAULT_NETWORK);
	CHECK(clock_ms() - start < 1250);
	server_close(&server);
}

/* Only names below b.example are there. */
static bool
below_b(struct server *server, struct message *m, const char *name, unsigned type, bool tcp)
{
	const char *tail = strstr(name, ".b.example.");
	return (tail != NULL && strlen(tail) == 11 ? both : missing)(server, m, name, type, tcp);
}

static void
check_names(const struct server *server, const char *const *wanted, size_t count)
{
	CHECK(server->name_count == 2 * count);
	for (size_t i = 0; i < count && 2 * i < server->name_count; i++)
		CHECK_TEXT(server->names[2 * i], wanted[i]);
}

static void
search_with(const char *options, const char *host, bool good, const char *const *wanted, size_t count)
{
	struct server server;
	char file[1000];
	snprintf(file, sizeof file, "; comment\nnameserver 127.0.0.1\nsearch gone.example\nsearch a.example b..d b.example. %s\n",
	         options);
	write_file(resolv_path, file);
	server_open(&server, "127.0.0.1", below_b, false);
	CHECK(resolve(host) == good);
	server_close(&server);
	check_names(&server, wanted, count);
}

static void
search_domains(void)
{
	static const char *const short_name[] = {"jump.a.example.1", "jump.b.example.1"};
	static const char *const as_is_first[] = {"jump.1", "jump.a.example.1", "jump.b.example.1"};
	static const char *const full_name[] = {"jump.example.1"};
	static const char *const dotted[] = {"jump.x.1", "jump.x.a.example.1", "jump.x.b.example.1"};
	static const char *const absolute[] = {"jump.1"};
	search_with("", "jump", true, short_name, 2);
	search_with("\noptions ndots:0", "jump", true, as_is_first, 3);
	search_with("", "jump.example", false, full_name, 1);
	search_with("\noptions ndots:5 rotate", "jump.x", true, dotted, 3);
	search_with("", "jump.", false, absolute, 1);
	CHECK_TEXT(fault.text, "no such host jump");
}

static void
short_name_at_last(void)
{
	struct server server;
	static const char *const wanted[] = {"jump.a.example.1", "jump.1"};
	write_file(resolv_path, "nameserver 127.0.0.1\ndomain a.example\noptions ndots:99999999999999999999999 timeout:x attempts:\n");
	server_open(&server, "127.0.0.1", missing, false);
	CHECK(!resolve("jump"));
	CHECK_TEXT(fault.text, "no such host jump");
	server_close(&server);
	check_names(&server, wanted, 2);
}

static void
without_resolv_conf(void)
{
	struct server server;
	unlink(resolv_path);
	server_open(&server, "127.0.0.1", both, false);
	CHECK(resolve("kudu.example") && found.count == 4);
	server_close(&server);
	int64_t start = clock_ms();
	CHECK(!resolve("kudu.example") && strstr(fault.text, "no DNS server at 127.0.0.1 (") == fault.text);
	CHECK(clock_ms() - start < 900);
}

static int
stopped_child(int go)
{
	int64_t start;
	char byte;
	fault_clear(&fault);
	if (!stop_install(&fault) || read(go, &byte, 1) != 1)
		return 2;
	start = clock_ms();
	if (resolve("kudu.example") || fault.kind != FAULT_STOPPED)
		return 3;
	return clock_ms() - start < 3000 ? 0 : 4;
}

/* The flag of base/stop cannot be taken back, so this goes on in a child; it is made before there are threads. */
static void
a_signal_to_stop(void)
{
	script *const scripts[] = {silent, stuck_over_tcp};
	write_file(resolv_path, "nameserver 127.0.0.1\n");
	for (size_t i = 0; i < 2; i++) {
		struct server server;
		int go[2], status = -1;
		pid_t child;
		CHECK(pipe(go) == 0);
		fflush(NULL);
		child = fork();
		if (child == 0)
			_exit(stopped_child(go[0]));
		server_open(&server, "127.0.0.1", scripts[i], true);
		CHECK(write(go[1], "g", 1) == 1);
		peer_sleep_ms(150);
		kill(child, SIGTERM);
		CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
		close(go[0]);
		close(go[1]);
		server_close(&server);
	}
}

int
main(void)
{
	int udp, tcp = -1;
	snprintf(resolv_path, sizeof resolv_path, "/tmp/kudump-unit-resolv-%ld", (long)getpid());
	snprintf(hosts_path, sizeof hosts_path, "/tmp/kudump-unit-hosts-%ld", (long)getpid());
	/* one port that is free for both kinds */
	for (int i = 0; i < 50 && tcp < 0; i++) {
		dns_port = 0;
		udp = peer_socket(SOCK_DGRAM, "0.0.0.0", &dns_port);
		tcp = peer_socket(SOCK_STREAM, "0.0.0.0", &dns_port);
		close(udp);
	}
	close(tcp);
	write_file(resolv_path, "");
	UNIT_RUN(literals);
	UNIT_RUN(loopback);
	UNIT_RUN(hosts_file);
	UNIT_RUN(overrides);
	UNIT_RUN(no_names);
	write_file(hosts_path, "");
	UNIT_RUN(two_families);
	UNIT_RUN(chains);
	UNIT_RUN(truncation);
	UNIT_RUN(more_than_is_read);
	UNIT_RUN(forgeries);
	UNIT_RUN(next_server);
	UNIT_RUN(no_usable_server);
	UNIT_RUN(missing_names);
	UNIT_RUN(without_edns);
	UNIT_RUN(one_family_fails);
	UNIT_RUN(broken_answers);
	UNIT_RUN(a_flood);
	UNIT_RUN(search_domains);
	UNIT_RUN(short_name_at_last);
	UNIT_RUN(without_resolv_conf);
	UNIT_RUN(a_signal_to_stop);
	unlink(resolv_path);
	unlink(hosts_path);
	return unit_end();
}
