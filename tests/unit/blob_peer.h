/* SPDX-License-Identifier: MIT */
/* A blob service for tests that does wrong on demand: plain HTTP on a loopback port, a thread a connection, blocking
 * calls. It keeps the size and CRC-64 of each block, and what a commit made of them. */
#ifndef BLOB_PEER_H
#define BLOB_PEER_H

#include "base/digest.h"
#include "base/encode.h"
#include "peer.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOB_PEER_BLOCKS 256
#define BLOB_PEER_CONNECTIONS 256

struct blob_peer_block {
	char id[64];
	size_t size;
	uint64_t crc;
};

struct blob_peer {
	int listener;
	uint16_t port;
	pthread_t acceptor, threads[BLOB_PEER_CONNECTIONS];
	int fds[BLOB_PEER_CONNECTIONS];
	size_t connections;
	pthread_mutex_t lock;
	/* what it has; one blob and its unfinished blocks, whatever the name */
	struct blob_peer_block blocks[BLOB_PEER_BLOCKS];
	size_t block_count;
	bool exists;
	uint64_t length;
	char upload_id[64], committed_ids[BLOB_PEER_BLOCKS][64];
	size_t committed;
	char commit_head[8192], last_target[1024];
	unsigned heads, puts, commits, deletes, lists;
	char paths[8192];       /* of HEAD requests, one a line */
	/* what it does wrong; numbers count down */
	unsigned busy;          /* answers 503 to that many blocks */
	unsigned retry_after_s; /* with each 503 */
	unsigned reset_blocks;  /* resets in the middle of that many */
	unsigned hang_up;       /* closes after that many blocks without an answer */
	unsigned wrong_crcs;    /* answers with a wrong checksum to that many */
	bool no_crc;            /* gives none at all */
	unsigned refuse_early;  /* 403 while that many blocks are still being sent */
	unsigned lose_commits;  /* does that many commits, then resets instead of answering */
	unsigned fail_commits;  /* answers 500 to that many without doing them */
	bool no_read;           /* HEAD is refused with AuthorizationPermissionMismatch */
	bool no_container;
	bool close_each;        /* closes the connection after each answer without saying so */
	const char *more_blocks; /* XML behind its own in a list of blocks; NULL: none */
	unsigned cut_lists;     /* resets in the middle of that many lists */
	bool no_list;           /* answers a page of something else */
	int refuse_status;      /* everything is refused so */
	const char *refuse_code;
	unsigned unauthorised;  /* 401 to that many */
	unsigned taken_names;   /* the first so many names that are asked for are taken */
	int delay_ms;           /* of each block */
	unsigned in_flight, most_in_flight;
	int64_t date_skew_s;
};

static inline bool
blob_peer_countdown(struct blob_peer *peer, unsigned *count)
{
	bool now;
	pthread_mutex_lock(&peer->lock);
	now = *count > 0;
	*count -= now;
	pthread_mutex_unlock(&peer->lock);
	return now;
}

/* Reads a head; 0 at the end of the connection. */
static inline size_t
blob_peer_head(int fd, char *room, size_t size)
{
	size_t used = 0;
	while (used + 1 < size && recv(fd, room + used, 1, 0) == 1) {
		room[++used] = 0;
		if (used >= 4 && memcmp(room + used - 4, "\r\n\r\n", 4) == 0)
			return used;
	}
	return 0;
}

static inline void
blob_peer_send(int fd, const char *words)
{
	size_t count = strlen(words);
	while (count > 0) {
		ssize_t sent = send(fd, words, count, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		words += sent;
		count -= (size_t)sent;
	}
}

static inline void
blob_peer_answer(struct blob_peer *peer, int fd, int status, const char *code, const char *more, bool head)
{
	char room[1024], date[64], body[256] = "";
	struct text text = text_in(date, sizeof date);
	clock_put_http(&text, clock_utc_s() + peer->date_skew_s);
	if (code != NULL && !head)
		snprintf(body, sizeof body, "\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>%s</Code></Error>", code);
	snprintf(room, sizeof room, "HTTP/1.1 %d Words\r\nDate: %s\r\nx-ms-request-id: 7-7\r\n%s%s%s%s", status, date,
	         code != NULL && head ? "x-ms-error-code: " : "", code != NULL && head ? code : "", code != NULL && head ? "\r\n" : "", more);
	blob_peer_send(fd, room);
	if (strstr(more, "Content-Length") == NULL) {
		snprintf(room, sizeof room, "Content-Length: %zu\r\n", strlen(body));
		blob_peer_send(fd, room);
	}
	blob_peer_send(fd, "\r\n");
	blob_peer_send(fd, body);
}

static inline bool
blob_peer_body(int fd, size_t length, size_t most, uint64_t *crc, char *keep, size_t keep_size)
{
	char room[8192];
	size_t kept = 0;
	*crc = 0;
	while (length > 0 && most > 0) {
		size_t want = length < sizeof room ? length : sizeof room;
		ssize_t got = recv(fd, room, want < most ? want : most, 0);
		if (got <= 0)
			return false;
		*crc = crc64_add(*crc, room, (size_t)got);
		for (ssize_t i = 0; i < got && kept + 1 < keep_size; i++)
			keep[kept++] = room[i];
		length -= (size_t)got;
		most -= (size_t)got;
	}
	if (keep_size > 0)
		keep[kept] = 0;
	return true;
}

static inline void
blob_peer_keep_block(struct blob_peer *peer, const char *target, size_t size, uint64_t crc)
{
	char id[64] = "";
	const char *at = strstr(target, "blockid=");
	size_t i = 0;
	if (at != NULL)
		sscanf(at + 8, "%63[^& ]", id);
	pthread_mutex_lock(&peer->lock);
	while (i < peer->block_count && strcmp(peer->blocks[i].id, id) != 0)
		i++;
	if (i < BLOB_PEER_BLOCKS) {
		if (i == peer->block_count)
			peer->block_count++;
		snprintf(peer->blocks[i].id, sizeof peer->blocks[i].id, "%s", id);
		peer->blocks[i].size = size;
		peer->blocks[i].crc = crc;
	}
	pthread_mutex_unlock(&peer->lock);
}

/* False: the connection is over. */
static inline bool
blob_peer_block(struct blob_peer *peer, int fd, const char *target, size_t length)
{
	char more[128] = "", bytes[8], digits[32];
	struct text base64 = text_in(digits, sizeof digits);
	uint64_t crc;
	bool drawn;
	if (blob_peer_countdown(peer, &peer->refuse_early)) {
		(void)blob_peer_body(fd, length, length / 4, &crc, NULL, 0);
		blob_peer_answer(peer, fd, 403, "AuthorizationFailure", "Connection: close\r\n", false);
		shutdown(fd, SHUT_WR);
		while (recv(fd, more, sizeof more, 0) > 0)
			;
		return false;
	}
	if (blob_peer_countdown(peer, &peer->reset_blocks)) {
		(void)blob_peer_body(fd, length, length / 2, &crc, NULL, 0);
		peer_reset(fd);
		return false;
	}
	if (!blob_peer_body(fd, length, length, &crc, NULL, 0))
		return false;
	pthread_mutex_lock(&peer->lock);
	peer->puts++;
	if (++peer->in_flight > peer->most_in_flight)
		peer->most_in_flight = peer->in_flight;
	pthread_mutex_unlock(&peer->lock);
	if (peer->delay_ms > 0)
		peer_sleep_ms(peer->delay_ms);
	pthread_mutex_lock(&peer->lock);
	peer->in_flight--;
	pthread_mutex_unlock(&peer->lock);
	if (blob_peer_countdown(peer, &peer->hang_up))
		return false;
	if (blob_peer_countdown(peer, &peer->busy)) {
		if (peer->retry_after_s > 0)
			snprintf(more, sizeof more, "Retry-After: %u\r\n", peer->retry_after_s);
		blob_peer_answer(peer, fd, 503, "ServerBusy", more, false);
		return true;
	}
	blob_peer_keep_block(peer, target, length, crc);
	drawn = blob_peer_countdown(peer, &peer->wrong_crcs);
	for (int i = 0; i < 8; i++)
		bytes[i] = (char)(unsigned char)((drawn ? crc ^ 1 : crc) >> 8 * i);
	encode_base64(&base64, (struct span){(unsigned char *)bytes, 8});
	if (!peer->no_crc)
		snprintf(more, sizeof more, "x-ms-content-crc64: %s\r\n", digits);
	blob_peer_answer(peer, fd, 201, NULL, more, false);
	return true;
}

static inline const struct blob_peer_block *
blob_peer_find(const struct blob_peer *peer, const char *id)
{
	for (size_t i = 0; i < peer->block_count; i++)
		if (strcmp(peer->blocks[i].id, id) == 0)
			return &peer->blocks[i];
	return NULL;
}

/* With the lock held; NULL: done, else the code of the refusal. */
static inline const char *
blob_peer_commit_locked(struct blob_peer *peer, const char *head, const char *xml)
{
	bool again = strstr(xml, "<Committed>") != NULL;
	const char *open = again ? "<Committed>" : "<Latest>", *meta = strstr(head, "x-ms-meta-uploadid: ");
	size_t count = 0;
	uint64_t length = 0;
	if (peer->exists && strstr(head, "If-None-Match: *") != NULL)
		return "BlobAlreadyExists";
	for (const char *at = strstr(xml, open); at != NULL; at = strstr(at + 1, open)) {
		const struct blob_peer_block *block;
		char id[64] = "";
		sscanf(at + strlen(open), "%63[^<]", id);
		block = blob_peer_find(peer, id);
		if (block == NULL || (again && (count >= peer->committed || strcmp(peer->committed_ids[count], id) != 0)))
			return "InvalidBlockList";
		length += block->size;
		snprintf(peer->committed_ids[count++], sizeof peer->committed_ids[0], "%s", id);
	}
	peer->exists = true;
	peer->length = length;
	peer->committed = count;
	snprintf(peer->commit_head, sizeof peer->commit_head, "%.8000s", head);
	peer->upload_id[0] = 0;
	if (meta != NULL)
		sscanf(meta + 20, "%63[0-9a-f]", peer->upload_id);
	return NULL;
}

static inline bool
blob_peer_commit(struct blob_peer *peer, int fd, const char *head, size_t length)
{
	char xml[16384];
	const char *code;
	uint64_t crc;
	if (!blob_peer_body(fd, length, length, &crc, xml, sizeof xml))
		return false;
	pthread_mutex_lock(&peer->lock);
	peer->commits++;
	pthread_mutex_unlock(&peer->lock);
	if (blob_peer_countdown(peer, &peer->fail_commits)) {
		blob_peer_answer(peer, fd, 500, "InternalError", "", false);
		return true;
	}
	pthread_mutex_lock(&peer->lock);
	code = blob_peer_commit_locked(peer, head, xml);
	pthread_mutex_unlock(&peer->lock);
	if (code == NULL && blob_peer_countdown(peer, &peer->lose_commits)) {
		peer_reset(fd);
		return false;
	}
	blob_peer_answer(peer, fd, code == NULL ? 201 : strcmp(code, "BlobAlreadyExists") == 0 ? 409 : 400, code, "", false);
	return true;
}

static inline void
blob_peer_look(struct blob_peer *peer, int fd, const char *target)
{
	char more[256];
	size_t used;
	bool taken;
	pthread_mutex_lock(&peer->lock);
	peer->heads++;
	used = strlen(peer->paths);
	snprintf(peer->paths + used, sizeof peer->paths - used, "%s\n", target);
	pthread_mutex_unlock(&peer->lock);
	taken = blob_peer_countdown(peer, &peer->taken_names);
	if (peer->no_read)
		blob_peer_answer(peer, fd, 403, "AuthorizationPermissionMismatch", "", true);
	else if (peer->no_container)
		blob_peer_answer(peer, fd, 404, "ContainerNotFound", "", true);
	else if (!peer->exists && !taken)
		blob_peer_answer(peer, fd, 404, "BlobNotFound", "", true);
	else {
		snprintf(more, sizeof more, "Content-Length: %llu\r\nx-ms-meta-uploadid: %s\r\n", (unsigned long long)peer->length, peer->upload_id);
		blob_peer_answer(peer, fd, 200, NULL, more, true);
	}
}

/* The list of unfinished blocks; all of them count as such. False: the connection is over. */
static inline bool
blob_peer_list(struct blob_peer *peer, int fd)
{
	static const char begin[] = "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BlockList>\n <CommittedBlocks />\n <UncommittedBlocks>\n";
	static const char end[] = "</UncommittedBlocks>\n</BlockList>\n";
	char line[256], more[64];
	const char *tail = peer->more_blocks != NULL ? peer->more_blocks : "";
	size_t length = strlen(begin) + strlen(tail) + strlen(end);
	bool cut = blob_peer_countdown(peer, &peer->cut_lists);
	pthread_mutex_lock(&peer->lock);
	peer->lists++;
	pthread_mutex_unlock(&peer->lock);
	if (peer->no_read || peer->no_list) {
		blob_peer_answer(peer, fd, peer->no_read ? 403 : 200, peer->no_read ? "AuthorizationPermissionMismatch" : "Other", "", false);
		return true;
	}
	if (peer->block_count == 0 && peer->more_blocks == NULL) {
		blob_peer_answer(peer, fd, 404, "BlobNotFound", "", false);
		return true;
	}
#define BLOB_PEER_LINE(i) snprintf(line, sizeof line, "  <Block>\n   <Name>%s</Name>\n   <Size>%zu</Size>\n  </Block>\n", \
                                   peer->blocks[i].id, peer->blocks[i].size)
	for (size_t i = 0; i < peer->block_count; i++)
		length += (size_t)BLOB_PEER_LINE(i);
	snprintf(more, sizeof more, "Content-Length: %zu\r\n", length);
	blob_peer_answer(peer, fd, 200, NULL, more, false);
	blob_peer_send(fd, begin);
	if (cut) {
		peer_reset(fd);
		return false;
	}
	for (size_t i = 0; i < peer->block_count; i++) {
		BLOB_PEER_LINE(i);
		blob_peer_send(fd, line);
	}
#undef BLOB_PEER_LINE
	blob_peer_send(fd, tail);
	blob_peer_send(fd, end);
	return true;
}

static inline bool
blob_peer_one(struct blob_peer *peer, int fd)
{
	char head[16384];
	char method[16], target[4096];
	const char *at;
	size_t length = 0;
	uint64_t crc;
	if (blob_peer_head(fd, head, sizeof head) == 0 || sscanf(head, "%15s %4095s", method, target) != 2)
		return false;
	at = strstr(head, "Content-Length: ");
	if (at != NULL)
		length = (size_t)strtoull(at + 16, NULL, 10);
	pthread_mutex_lock(&peer->lock);
	snprintf(peer->last_target, sizeof peer->last_target, "%.1000s", target);
	pthread_mutex_unlock(&peer->lock);
	if (peer->refuse_status != 0 || blob_peer_countdown(peer, &peer->unauthorised)) {
		if (!blob_peer_body(fd, length, length, &crc, NULL, 0))
			return false;
		blob_peer_answer(peer, fd, peer->refuse_status != 0 ? peer->refuse_status : 401,
		                 peer->refuse_status != 0 ? peer->refuse_code : "InvalidAuthenticationInfo", "", strcmp(method, "HEAD") == 0);
		return true;
	}
	if (strcmp(method, "HEAD") == 0) {
		blob_peer_look(peer, fd, target);
		return true;
	}
	if (strcmp(method, "DELETE") == 0) {
		pthread_mutex_lock(&peer->lock);
		peer->deletes++;
		peer->block_count = 0;
		pthread_mutex_unlock(&peer->lock);
		blob_peer_answer(peer, fd, 202, NULL, "", false);
		return true;
	}
	if (strcmp(method, "GET") == 0)
		return blob_peer_list(peer, fd);
	if (strstr(target, "comp=blocklist") != NULL)
		return blob_peer_commit(peer, fd, head, length);
	return blob_peer_block(peer, fd, target, length);
}

struct blob_peer_connection {
	struct blob_peer *peer;
	int fd;
};

static inline void *
blob_peer_serve(void *argument)
{
	struct blob_peer_connection connection = *(struct blob_peer_connection *)argument;
	free(argument);
	while (blob_peer_one(connection.peer, connection.fd))
		if (connection.peer->close_each)
			break;
	shutdown(connection.fd, SHUT_WR);
	close(connection.fd);
	return NULL;
}

static inline void *
blob_peer_accept(void *argument)
{
	struct blob_peer *peer = argument;
	while (peer->connections < BLOB_PEER_CONNECTIONS) {
		struct blob_peer_connection *connection;
		struct timeval ten_s = {10, 0};
		int fd = accept(peer->listener, NULL, NULL), one = 1;
		if (fd < 0)
			break;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten_s, sizeof ten_s);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		connection = malloc(sizeof *connection);
		if (connection == NULL)
			break;
		*connection = (struct blob_peer_connection){peer, fd};
		if (pthread_create(&peer->threads[peer->connections], NULL, blob_peer_serve, connection) != 0)
			break;
		peer->connections++;
	}
	return NULL;
}

static inline void
blob_peer_open(struct blob_peer *peer)
{
	struct timeval never = {0, 0};
	memset(peer, 0, sizeof *peer);
	pthread_mutex_init(&peer->lock, NULL);
	peer->listener = peer_socket(SOCK_STREAM, "127.0.0.1", &peer->port);
	setsockopt(peer->listener, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never);
	listen(peer->listener, 64);
	pthread_create(&peer->acceptor, NULL, blob_peer_accept, peer);
}

/* Waits until so many blocks have come. */
static inline void
blob_peer_await(struct blob_peer *peer, unsigned blocks)
{
	for (int tries = 0; tries < 1000; tries++) {
		bool there;
		pthread_mutex_lock(&peer->lock);
		there = peer->puts >= blocks;
		pthread_mutex_unlock(&peer->lock);
		if (there)
			return;
		peer_sleep_ms(5);
	}
}

/* Once the clients are closed. */
static inline void
blob_peer_close(struct blob_peer *peer)
{
	shutdown(peer->listener, SHUT_RDWR);
	pthread_join(peer->acceptor, NULL);
	for (size_t i = 0; i < peer->connections; i++)
		pthread_join(peer->threads[i], NULL);
	close(peer->listener);
	pthread_mutex_destroy(&peer->lock);
}

#endif
