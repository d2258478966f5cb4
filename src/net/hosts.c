/* SPDX-License-Identifier: MIT */
#include "net/hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };
enum { TIMEOUT_S = 5, TIMEOUT_MOST_S = 30, ATTEMPTS = 2, ATTEMPTS_MOST = 5, NDOTS = 1, NDOTS_MOST = 15 };

/* A text file line by line, without a stream of stdio, which would take memory. */
struct lines {
	int fd;
	unsigned char room[LINE_BYTES];
	size_t start, end; /* what is unread in room */
	bool ended, skipping;
};

static void
lines_open(struct lines *lines, const char *path)
{
	lines->fd = open(path, O_RDONLY | O_CLOEXEC);
	lines->start = lines->end = 0;
	lines->ended = lines->fd < 0;
	lines->skipping = false;
}

static void
lines_close(struct lines *lines)
{
	if (lines->fd >= 0)
		close(lines->fd);
}

static void
fill(struct lines *lines)
{
	ssize_t got;
	memmove(lines->room, lines->room + lines->start, lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	do
		got = read(lines->fd, lines->room + lines->end, sizeof lines->room - lines->end);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		lines->end += (size_t)got;
	else
		lines->ended = true;
}

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next line out of what is unread. False: it is not whole yet. */
static bool
take_line(struct lines *lines, struct span *line)
{
	struct span unread = {lines->room + lines->start, lines->end - lines->start};
	const bool full = unread.count == sizeof lines->room;
	size_t place;
	*line = unread;
	if (span_find_byte(unread, '\n', &place)) {
		*line = span_first(unread, place);
		lines->start += place + 1;
		return true;
	}
	if (!full && !lines->ended)
		return false;
	lines->start = lines->end;
	/* the last word of what fits may be the half of a longer one */
	while (full && line->count > 0 && !is_blank(line->at[line->count - 1]))
		line->count--;
	return true;
}

static bool
lines_next(struct lines *lines, struct span *line)
{
	for (;;) {
		bool rest = lines->skipping;
		if (lines->ended && lines->start == lines->end)
			return false;
		if (!take_line(lines, line)) {
			fill(lines);
			continue;
		}
		lines->skipping = lines->start == lines->end && !lines->ended && lines->room[lines->end - 1] != '\n';
		if (!rest)
			return true;
	}
}

/* The next word of a line; empty at its end. */
static struct span
next_word(struct span *line)
{
	struct span word;
	size_t count = 0;
	while (line->count > 0 && is_blank(line->at[0]))
		*line = span_from(*line, 1);
	while (count < line->count && !is_blank(line->at[count]))
		count++;
	word = span_first(*line, count);
	*line = span_from(*line, count);
	return word;
}

static bool
names_host(struct span line, const char *host)
{
	struct span word = next_word(&line);
	while (word.count > 0 && !span_is_nocase(word, host))
		word = next_word(&line);
	return word.count > 0;
}

void
hosts_find(const char *path, const char *host, uint16_t port, struct addresses *found)
{
	struct addresses ipv6 = {.count = 0}, ipv4 = {.count = 0};
	struct address address;
	struct lines lines;
	struct span line;
	size_t mark;
	lines_open(&lines, path);
	while (lines_next(&lines, &line)) {
		struct span literal;
		if (span_find_byte(line, '#', &mark))
			line = span_first(line, mark);
		literal = next_word(&line);
		if (names_host(line, host) && address_read(literal, port, &address))
			addresses_add(address_is_ipv6(&address) ? &ipv6 : &ipv4, &address);
	}
	lines_close(&lines);
	addresses_alternate(found, &ipv6, &ipv4);
}

static void
read_number(struct span word, const char *name, unsigned most, unsigned *value)
{
	uint64_t number;
	if (span_begins(word, name) && span_decimal(span_from(word, strlen(name)), &number))
		*value = number > most ? most : (unsigned)number;
}

static void
read_options(struct span line, struct resolv *resolv)
{
	for (struct span word = next_word(&line); word.count > 0; word = next_word(&line)) {
		read_number(word, "timeout:", TIMEOUT_MOST_S, &resolv->timeout_s);
		read_number(word, "attempts:", ATTEMPTS_MOST, &resolv->attempts);
		read_number(word, "ndots:", NDOTS_MOST, &resolv->ndots);
	}
}

/* A later line replaces an earlier one. */
static void
read_search(struct span line, struct resolv *resolv)
{
	resolv->search_count = 0;
	for (struct span word = next_word(&line); word.count > 0; word = next_word(&line)) {
		if (word.at[word.count - 1] == '.')
			word.count--;
		if (word.count > 0 && resolv->search_count < RESOLV_SEARCH_MAX &&
		    text_keep(resolv->search[resolv->search_count], sizeof resolv->search[0], word))
			resolv->search_count++;
	}
}

static void
read_line(struct span line, uint16_t port, struct resolv *resolv)
{
	struct span key = next_word(&line);
	if (span_is(key, "nameserver") && resolv->count < RESOLV_SERVERS_MAX &&
	    address_read(next_word(&line), port, &resolv->servers[resolv->count]))
		resolv->count++;
	else if (span_is(key, "search") || span_is(key, "domain"))
		read_search(line, resolv);
	else if (span_is(key, "options"))
		read_options(line, resolv);
}

void
resolv_read(const char *path, uint16_t port, struct resolv *resolv)
{
	static const unsigned char own[4] = {127, 0, 0, 1};
	struct lines lines;
	struct span line;
	memset(resolv, 0, sizeof *resolv);
	resolv->timeout_s = TIMEOUT_S;
	resolv->attempts = ATTEMPTS;
	resolv->ndots = NDOTS;
	lines_open(&lines, path);
	while (lines_next(&lines, &line))
		read_line(line, port, resolv);
	lines_close(&lines);
	resolv->is_default = resolv->count == 0;
	if (resolv->is_default)
		address_from_bytes(&resolv->servers[resolv->count++], own, sizeof own, port);
	if (resolv->timeout_s == 0)
		resolv->timeout_s = 1;
	if (resolv->attempts == 0)
		resolv->attempts = 1;
}
