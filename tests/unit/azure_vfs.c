/* SPDX-License-Identifier: MIT */
/* Files of a site: lists with odd things in them, and a download that goes on where it was cut as long as it is the same file. */
#include "azure/vfs.h"

#include "site_peer.h"
#include "unit.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define PART "HTTP/1.1 206 Partial Content\r\n"
#define TAG "ETag: \"e1\"\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n\r\n"
#define FILE_OF_10 OK TAG LENGTH(10) "0123456789"
#define JSON(n) OK "Content-Type: application/json\r\n" LENGTH(n)

static struct site_peer peer;
static struct network network;
static struct login login;
static struct site site;
static struct fault fault;
static char got[64];

static void
begin(void)
{
	char words[64];
	struct url url;
	fault_clear(&fault);
	site_peer_open(&peer);
	login_none(&login);
	snprintf(words, sizeof words, "http://127.0.0.1:%u", peer.turns.port);
	CHECK(url_parse(&url, span_of(words), &fault) && site_open(&site, &network, &url, &login, NULL, &fault));
}

static void
end(void)
{
	site_close(&site);
	turn_peer_close(&peer.turns);
}

static void
say(const struct site_answer *answers, size_t count)
{
	fault_clear(&fault);
	site_peer_say(&peer, answers, count);
}

/* All of the file, at most `step` bytes at a time, into `got`. */
static bool
download(size_t step)
{
	static struct vfs_source file;
	size_t used = 0, count = 1;
	memset(got, 0, sizeof got);
	if (!vfs_open(&file, &site, "LogFiles/kudump/x.dmp", &fault))
		return false;
	while (count > 0) {
		if (!file.source.read(&file.source, got + used, step < sizeof got - used ? step : sizeof got - used, &count, &fault))
			return false;
		used += count;
	}
	got[used] = 0; /* what is behind it was room */
	http_client_close(&site.client);
	return true;
}

static void
downloads(void)
{
	begin();
	say(&(struct site_answer){FILE_OF_10, 0}, 1);
	for (size_t step = 1; step < 12; step++) {
		CHECK(download(step));
		CHECK_TEXT(got, "0123456789");
	}
	CHECK(strstr(peer.heads[0], "GET /api/vfs/LogFiles/kudump/x.dmp HTTP/1.1\r\n") == peer.heads[0]);
	CHECK(strstr(peer.heads[0], "Range:") == NULL);
	say(&(struct site_answer){OK TAG LENGTH(0), 0}, 1);
	CHECK(download(8));
	CHECK_TEXT(got, "");
	end();
}

static void
goes_on_where_it_was_cut(void)
{
	begin();
	say((struct site_answer[]){{FILE_OF_10, 4}, {PART TAG LENGTH(6) "456789", 5}, {PART TAG LENGTH(1) "9", 0}}, 3);
	CHECK(download(3));
	CHECK_TEXT(got, "0123456789");
	CHECK(strstr(peer.heads[1], "\r\nRange: bytes=4-\r\nIf-Range: \"e1\"\r\n") != NULL);
	CHECK(strstr(peer.heads[2], "\r\nRange: bytes=9-\r\n") != NULL);
	end();
}

static void
passes_over_what_it_has(void)
{
	begin();
	say((struct site_answer[]){{FILE_OF_10, 4}, {FILE_OF_10, 0}}, 2);
	CHECK(download(3));
	CHECK_TEXT(got, "0123456789");
	/* cut again before it is as far as it was */
	say((struct site_answer[]){{FILE_OF_10, 6}, {FILE_OF_10, 2}, {FILE_OF_10, 0}}, 3);
	CHECK(download(64));
	CHECK_TEXT(got, "0123456789");
	end();
}

static void
another_file_is_none(void)
{
	static const char *const others[] = {
		PART "ETag: \"e2\"\r\n" LENGTH(6) "456789", OK "ETag: \"e2\"\r\n" LENGTH(10) "0123456789", PART LENGTH(6) "456789",
		PART TAG LENGTH(5) "45678", PART TAG LENGTH(7) "456789x", OK TAG LENGTH(11) "0123456789x"};
	begin();
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		say((struct site_answer[]){{FILE_OF_10, 4}, {others[i], 0}}, 2);
		CHECK(!download(64) && fault.kind == FAULT_CORRUPT && strstr(fault.text, "changed") != NULL);
		CHECK(turn_peer_asked(&peer.turns) == 2);
	}
	say((struct site_answer[]){{FILE_OF_10, 4}, {"HTTP/1.1 404 Not Found\r\n" LENGTH(0), 0}}, 2);
	CHECK(!download(64) && fault.kind == FAULT_MISSING);
	say((struct site_answer[]){{FILE_OF_10, 4}, {"HTTP/1.1 416 Range Not Satisfiable\r\n" LENGTH(0), 0}}, 2);
	CHECK(!download(64) && strstr(fault.text, "416") != NULL);
	end();
}

static void
a_file_needs_length_and_tag(void)
{
	static const char *const others[] = {OK LENGTH(2) "xy", OK TAG "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", OK TAG "\r\nxy",
	                                     OK "ETag: \"0123456789012345678901234567890123456789012345678901234567890123456789\"\r\n" LENGTH(2) "xy"};
	begin();
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		say(&(struct site_answer){others[i], others[i][strlen(others[i]) - 1] == 'y' && i == 2 ? 2 : 0}, 1);
		CHECK(!download(64) && fault.kind == FAULT_CORRUPT && strstr(fault.text, "ETag") != NULL);
	}
	end();
}

static struct vfs_entry room[3];
static size_t count;

static bool
list(const char *words, const char *begins)
{
	say(&(struct site_answer){words, 0}, 1);
	return vfs_list(&site, "LogFiles", begins, room, 3, &count, &fault);
}

static void
lists(void)
{
	begin();
	CHECK(list(JSON(87) "[{\"name\":\"Kudump-a\",\"size\":7,\"mime\":\"x\"},{\"name\":\"kudump-b\",\"mime\":\"inode/directory\"}]\n", "kuDUMP-") && count == 2);
	CHECK_TEXT(room[0].name, "Kudump-a");
	CHECK(room[0].size == 7 && !room[0].folder && room[1].size == 0 && room[1].folder);
	CHECK(strstr(peer.heads[0], "GET /api/vfs/LogFiles/ HTTP/1.1\r\n") == peer.heads[0]);
	CHECK(list(JSON(2) "[]", "") && count == 0);
	CHECK(list(JSON(27) "[{\"name\":\"a\"},{\"name\":\"b\"}]", "b") && count == 1);
	CHECK_TEXT(room[0].name, "b");
	CHECK(list(JSON(54) "[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"d\"}] ", "") && count == 3);
	end();
}

static void
odd_lists(void)
{
	begin();
	/* no name, a name that is none, and sizes that are none */
	CHECK(list(JSON(40) "[{\"size\":1},{\"name\":7},{\"name\":null},{}]", "") && count == 0);
	CHECK(list(JSON(37) "[{\"name\":\"a\",\"size\":-1,\"mime\":[1,2]}]", "") && count == 1 && room[0].size == 0 && !room[0].folder);
	CHECK(list(JSON(30) "[{\"name\":\"a\",\"size\":\"9\"},1,[]]", "") && count == 1);
	CHECK(list(JSON(39) "[{\"name\":\"a\",\"size\":99999999999999999}]", "") && count == 1);
	CHECK(list(JSON(48) "[{\"name\":\"a\",\"size\":99999999999999999999999999}]", "") && count == 1 && room[0].size == 0);
	CHECK(list(JSON(33) "[{\"name\":\"..\\/..\\/x\",\"name\":\"k\"}]", "k") && count == 1);
	CHECK(!list(JSON(13) "[{\"name\":\"a\"}", "") && fault.kind == FAULT_CORRUPT);
	CHECK(!list(JSON(1) "{", "") && fault.kind == FAULT_CORRUPT);
	CHECK(!list(OK "Content-Type: text/html\r\n" LENGTH(6) "<html>", "") && fault.kind == FAULT_DENIED);
	CHECK(!list("HTTP/1.1 404 Not Found\r\n" LENGTH(0), "") && fault.kind == FAULT_MISSING);
	end();
}

static bool
delete(const char *words, const char *etag)
{
	say(&(struct site_answer){words, 0}, 1);
	return vfs_delete(&site, "LogFiles/x", etag, &fault);
}

static void
deletes_what_it_knows(void)
{
	begin();
	CHECK(delete("HTTP/1.1 200 OK\r\n" LENGTH(0), "\"e1\""));
	CHECK(strstr(peer.heads[0], "DELETE /api/vfs/LogFiles/x HTTP/1.1\r\n") == peer.heads[0]);
	CHECK(strstr(peer.heads[0], "\r\nIf-Match: \"e1\"\r\n") != NULL);
	CHECK(delete("HTTP/1.1 204 No Content\r\n\r\n", "\"e1\"") && delete("HTTP/1.1 404 Not Found\r\n" LENGTH(0), "\"e1\""));
	CHECK(!delete("HTTP/1.1 412 Precondition Failed\r\n" LENGTH(0), "\"e1\"") && fault.kind == FAULT_BUSY && turn_peer_asked(&peer.turns) == 1);
	CHECK(delete("HTTP/1.1 200 OK\r\n" LENGTH(0), NULL));
	CHECK(strstr(peer.heads[0], "DELETE /api/vfs/LogFiles/x/ HTTP/1.1\r\n") == peer.heads[0] && strstr(peer.heads[0], "If-Match") == NULL);
	CHECK(!delete("HTTP/1.1 409 Conflict\r\n" LENGTH(0), NULL));
	end();
}

static void
reads_beginnings(void)
{
	char etag[VFS_ETAG_MAX], text[6];
	uint64_t size = 0;
	begin();
	say(&(struct site_answer){FILE_OF_10, 0}, 1);
	CHECK(vfs_read(&site, "x", text, sizeof text, etag, &fault));
	CHECK_TEXT(text, "01234");
	CHECK_TEXT(etag, "\"e1\"");
	say(&(struct site_answer){OK TAG LENGTH(7000000000), 0}, 1);
	CHECK(vfs_stat(&site, "x", &size, etag, &fault) && size == 7000000000u);
	CHECK(strstr(peer.heads[0], "HEAD ") == peer.heads[0]);
	end();
}

int
main(void)
{
	UNIT_RUN(downloads);
	UNIT_RUN(goes_on_where_it_was_cut);
	UNIT_RUN(passes_over_what_it_has);
	UNIT_RUN(another_file_is_none);
	UNIT_RUN(a_file_needs_length_and_tag);
	UNIT_RUN(lists);
	UNIT_RUN(odd_lists);
	UNIT_RUN(deletes_what_it_knows);
	UNIT_RUN(reads_beginnings);
	return unit_end();
}
