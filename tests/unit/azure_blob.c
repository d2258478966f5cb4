/* SPDX-License-Identifier: MIT */
/* Uploads against a blob service that does wrong on demand. */
#include "azure/blob.h"
#include "azure/blob_probe.h"

#include "base/stop.h"
#include "blob_peer.h"
#include "token_peer.h"
#include "says.h"
#include "unit.h"

#include <signal.h>

#define LANES 3
#define BLOCK (64 * 1024)
#define SLOTS 5

static struct blob_peer peer;
static struct memory memory;
static struct pool pool;
static struct crew crew;
static struct network network;
static struct blob_target target;
static struct blob_upload upload;
static struct fault fault;
static unsigned char dump[BLOCK * 12];

static struct identity login;
static struct token_peer tokens;

static void
begin(const char *sas)
{
	char url[128];
	snprintf(url, sizeof url, "http://127.0.0.1:%u/acct/dumps/pre", peer.port);
	fault_clear(&fault);
	CHECK(memory_open(&memory, pool_need(SLOTS, BLOCK) + crew_need(LANES, SLOTS), &fault));
	CHECK(pool_open(&pool, &memory, SLOTS, BLOCK, &fault));
	CHECK(crew_open(&crew, &memory, &network, LANES, SLOTS, &pool, &fault));
	CHECK(blob_target_parse(&target, url, sas, NULL, &login, false, &fault));
	if (sas == NULL) {
		token_peer_open(&tokens);
		CHECK(identity_open(&login, "managed", &network, cloud_of(""), &fault));
	}
	for (size_t i = 0; i < sizeof dump; i++)
		dump[i] = (unsigned char)(i * 2654435761u >> 13);
}

#define BEGIN() (blob_peer_open(&peer), begin("sp=rcwd&sig=x"))

/* All slots must be back: nothing may keep one. */
static void
end(void)
{
	size_t free_slots = 0;
	crew_close(&crew);
	if (target.login.kind == BLOB_BEARER)
		turn_peer_close(&tokens.turns);
	CHECK(crew.owners == NULL);
	for (struct slot *slot = pool.free; slot != NULL; slot = slot->next)
		free_slots++;
	CHECK(free_slots == SLOTS);
	blob_peer_close(&peer);
	memory_close(&memory);
}

static bool
open_upload(const struct blob_options *options)
{
	fault_clear(&fault);
	return blob_upload_open(&upload, &crew, &pool, &target, "d/x.dmp", options, &fault);
}

/* Writes in odd pieces, then finishes or abandons as flow does. */
static bool
send_up(size_t count)
{
	size_t piece = 10007;
	bool good = true;
	for (size_t at = 0; good && at < count; at += piece) {
		if (piece > count - at)
			piece = count - at;
		good = upload.sink.write(&upload.sink, dump + at, piece, &fault);
	}
	if (good && upload.sink.finish(&upload.sink, &fault))
		return true;
	upload.sink.abandon(&upload.sink);
	return false;
}

/* Whether the committed blocks are the first `count` bytes of the dump, each once and in order. */
static bool
is_whole(size_t count)
{
	size_t at = 0;
	if (!peer.exists || peer.length != count)
		return false;
	for (size_t i = 0; i < peer.committed; i++) {
		const struct blob_peer_block *block = blob_peer_find(&peer, peer.committed_ids[i]);
		if (block == NULL || at + block->size > count || block->crc != crc64_add(0, dump + at, block->size))
			return false;
		at += block->size;
	}
	return at == count;
}

static void
arrives_whole_at_all_sizes(void)
{
	static const size_t sizes[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 12 * BLOCK - 1, 12 * BLOCK};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		BEGIN();
		CHECK(open_upload(&(struct blob_options){.expected = sizes[i]}));
		CHECK(send_up(sizes[i]));
		CHECK(is_whole(sizes[i]));
		CHECK(peer.commits == 1 && peer.puts == (sizes[i] + BLOCK - 1) / BLOCK && peer.deletes == 0);
		end();
	}
}

static void
says_what_it_is(void)
{
	char room[512];
	struct text text = text_in(room, sizeof room);
	BEGIN();
	CHECK(open_upload(&(struct blob_options){.content_md5 = true}));
	blob_upload_state(&upload, "site", "shop\r\nx-ms-evil: 1");
	blob_upload_state(&upload, "empty", "  ");
	blob_upload_state(&upload, "process", "w3wp\xc3\xa4");
	CHECK(send_up(100000));
	CHECK(strstr(peer.commit_head, "x-ms-blob-content-type: application/octet-stream\r\n") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-blob-content-disposition: attachment; filename=\"x.dmp\"\r\n") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-meta-site: shop??x-ms-evil: 1\r\n") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-meta-process: w3wp??\r\n") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-meta-empty") == NULL);
	CHECK(strstr(peer.commit_head, "x-ms-blob-content-md5: ") != NULL);
	CHECK(strstr(peer.commit_head, "If-None-Match: *\r\n") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-version: 2021-12-02\r\n") != NULL);
	CHECK(strlen(peer.upload_id) == 32);
	CHECK(strstr(peer.last_target, "&sp=rcwd&sig=x") != NULL);
	blob_upload_put(&text, &upload);
	CHECK(strstr(room, "/acct/dumps/pre/d/x.dmp") != NULL && strstr(room, "sig") == NULL);
	end();
}

static void
leaves_out_metadata_that_does_not_fit(void)
{
	char value[400];
	BEGIN();
	CHECK(open_upload(&(struct blob_options){0}));
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = 0;
	for (int i = 0; i < 30; i++)
		blob_upload_state(&upload, "long", value);
	CHECK(strlen(upload.metadata) < METADATA_MAX && upload.metadata[strlen(upload.metadata) - 1] == '\n');
	CHECK(send_up(10));
	end();
}

static void
sends_several_blocks_at_once(void)
{
	BEGIN();
	peer.delay_ms = 30;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(sizeof dump) && is_whole(sizeof dump));
	CHECK(peer.most_in_flight == LANES);
	end();
}

static void
tries_again_when_busy(void)
{
	BEGIN();
	peer.busy = 2;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(3 * BLOCK) && is_whole(3 * BLOCK));
	CHECK(peer.puts == 5);
	end();
}

static void
waits_as_long_as_it_is_told(void)
{
	int64_t before = clock_ms();
	BEGIN();
	peer.busy = 1;
	peer.retry_after_s = 1;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(BLOCK) && is_whole(BLOCK));
	CHECK(clock_ms() - before >= 1000);
	end();
}

static void
gives_up_on_too_long_a_wait(void)
{
	BEGIN();
	peer.busy = 1;
	peer.retry_after_s = RETRY_AFTER_MOST_S + 1;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(!send_up(BLOCK) && !peer.exists && fault_says(&fault, "patience"));
	end();
}

static void
survives_broken_connections(void)
{
	BEGIN();
	peer.reset_blocks = 2;
	peer.hang_up = 1;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(8 * BLOCK) && is_whole(8 * BLOCK));
	end();
}

static void
survives_idle_closes(void)
{
	BEGIN();
	peer.close_each = true;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(8 * BLOCK) && is_whole(8 * BLOCK));
	end();
}

static void
sends_damaged_blocks_again(void)
{
	BEGIN();
	peer.wrong_crcs = 2;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(BLOCK) && is_whole(BLOCK) && peer.puts == 3);
	end();
	BEGIN();
	peer.wrong_crcs = 3;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(!send_up(BLOCK) && !peer.exists && peer.puts == 3 && fault.kind == FAULT_CORRUPT && fault_says(&fault, "checksum"));
	end();
	BEGIN();
	peer.no_crc = true;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(BLOCK) && is_whole(BLOCK));
	end();
}

static void
hears_a_refusal_while_sending(void)
{
	BEGIN();
	peer.refuse_early = 100;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(!send_up(sizeof dump) && !peer.exists);
	CHECK(fault.kind == FAULT_DENIED && fault_says(&fault, "uploading block") && fault_says(&fault, "firewall"));
	end();
}

static void
settles_a_lost_commit(void)
{
	BEGIN();
	peer.lose_commits = 1;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(3 * BLOCK) && is_whole(3 * BLOCK));
	CHECK(peer.heads >= 2);
	end();
}

static void
settles_a_lost_commit_without_reading(void)
{
	BEGIN();
	peer.lose_commits = 1;
	peer.no_read = true;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(3 * BLOCK) && is_whole(3 * BLOCK));
	end();
}

static void
does_not_take_another_blob_for_its_own(void)
{
	BEGIN();
	CHECK(open_upload(&(struct blob_options){0}));
	peer.exists = true; /* somebody was faster */
	peer.length = 3 * BLOCK;
	memcpy(peer.upload_id, "0123", 5);
	CHECK(!send_up(3 * BLOCK) && fault_says(&fault, "exists already") && fault_says(&fault, "committing d/x.dmp"));
	CHECK(peer.deletes == 0);
	end();
	BEGIN();
	peer.no_read = true;
	CHECK(open_upload(&(struct blob_options){0}));
	peer.exists = true;
	CHECK(!send_up(3 * BLOCK) && fault_says(&fault, "exists already"));
	CHECK(peer.deletes == 0 && peer.committed == 0);
	end();
}

static void
commits_again_after_a_failure(void)
{
	BEGIN();
	peer.fail_commits = 1;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(send_up(3 * BLOCK) && is_whole(3 * BLOCK) && peer.commits == 2);
	end();
}

static void
chooses_another_name(void)
{
	BEGIN();
	peer.taken_names = 2;
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK_TEXT(upload.name, "d/x-3.dmp");
	CHECK_TEXT(peer.paths, "/acct/dumps/pre/d/x.dmp?sp=rcwd&sig=x\n/acct/dumps/pre/d/x-2.dmp?sp=rcwd&sig=x\n"
	                       "/acct/dumps/pre/d/x-3.dmp?sp=rcwd&sig=x\n");
	CHECK(send_up(10));
	end();
	BEGIN();
	peer.taken_names = 1;
	CHECK(open_upload(&(struct blob_options){.overwrite = true}));
	CHECK_TEXT(upload.name, "d/x.dmp");
	CHECK(send_up(10) && strstr(peer.commit_head, "If-None-Match") == NULL);
	end();
	BEGIN();
	peer.taken_names = 99;
	CHECK(!open_upload(&(struct blob_options){0}) && fault_says(&fault, "exist already"));
	CHECK(peer.heads == 99);
	end();
}

static void
two_uploads_do_not_share_a_name(void)
{
	static struct blob_upload other, third;
	BEGIN();
	CHECK(open_upload(&(struct blob_options){.overwrite = true}));
	CHECK(blob_upload_open(&other, &crew, &pool, &target, "d/x.dmp", &(struct blob_options){.overwrite = true}, &fault));
	CHECK_TEXT(other.name, "d/x-2.dmp");
	CHECK(blob_upload_open(&third, &crew, &pool, &target, "d/x.dmp", &(struct blob_options){0}, &fault));
	CHECK_TEXT(third.name, "d/x-3.dmp");
	other.sink.abandon(&other.sink);
	upload.sink.abandon(&upload.sink);
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK_TEXT(upload.name, "d/x.dmp");
	third.sink.abandon(&third.sink);
	upload.sink.abandon(&upload.sink);
	end();
}

static void
removes_what_it_abandons(void)
{
	BEGIN();
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(upload.sink.write(&upload.sink, dump, 3 * BLOCK + 5, &fault));
	blob_peer_await(&peer, 3);
	upload.sink.abandon(&upload.sink);
	CHECK(peer.deletes == 1 && !peer.exists && peer.commits == 0);
	end();
	/* never what was there before */
	BEGIN();
	peer.exists = true;
	CHECK(open_upload(&(struct blob_options){.overwrite = true}));
	CHECK(upload.sink.write(&upload.sink, dump, 3 * BLOCK + 5, &fault));
	blob_peer_await(&peer, 3);
	upload.sink.abandon(&upload.sink);
	CHECK(peer.deletes == 0);
	end();
	/* nor what came meanwhile */
	BEGIN();
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(upload.sink.write(&upload.sink, dump, 3 * BLOCK + 5, &fault));
	blob_peer_await(&peer, 3);
	peer.exists = true;
	upload.sink.abandon(&upload.sink);
	CHECK(peer.deletes == 0);
	end();
	/* nothing was sent */
	BEGIN();
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(upload.sink.write(&upload.sink, dump, 5, &fault));
	upload.sink.abandon(&upload.sink);
	CHECK(peer.deletes == 0);
	end();
}

static void
does_not_commit_less_than_announced(void)
{
	BEGIN();
	CHECK(open_upload(&(struct blob_options){.expected = 3 * BLOCK}));
	CHECK(!send_up(3 * BLOCK - 1) && fault.kind == FAULT_CORRUPT && fault_says(&fault, "not committed"));
	CHECK(!peer.exists && peer.commits == 0);
	end();
}

static void
knows_the_largest_size_before(void)
{
	BEGIN();
	CHECK(open_upload(&(struct blob_options){.expected = (uint64_t)BLOCK * BLOCKS_MAX}));
	upload.sink.abandon(&upload.sink);
	CHECK(!open_upload(&(struct blob_options){.expected = (uint64_t)BLOCK * BLOCKS_MAX + 1}));
	CHECK(fault.kind == FAULT_BOUND && fault_says(&fault, "--block-size"));
	end();
}

static void
stops_at_the_last_block(void)
{
	BEGIN();
	CHECK(open_upload(&(struct blob_options){0}));
	upload.blocks = BLOCKS_MAX; /* as after hours */
	CHECK(!upload.sink.write(&upload.sink, dump, 1, &fault) && fault.kind == FAULT_BOUND);
	upload.sink.abandon(&upload.sink);
	end();
}

static void
fetches_a_new_token(void)
{
	blob_peer_open(&peer);
	begin(NULL);
	CHECK(open_upload(&(struct blob_options){0}));
	peer.unauthorised = 1;
	CHECK(send_up(2 * BLOCK) && is_whole(2 * BLOCK));
	CHECK(tokens.turns.asked == 2);
	end();
	blob_peer_open(&peer);
	begin(NULL);
	CHECK(open_upload(&(struct blob_options){0}));
	peer.unauthorised = 100;
	CHECK(!send_up(BLOCK) && fault.kind == FAULT_DENIED);
	end();
}

static void
probes(void)
{
	BEGIN();
	CHECK(blob_probe(&crew, &target, &fault));
	CHECK(strstr(peer.paths, "/acct/dumps/pre/.kudump-probe?") == peer.paths);
	peer.no_read = true;
	CHECK(blob_probe(&crew, &target, &fault));
	peer.no_read = false;
	peer.no_container = true;
	CHECK(!blob_probe(&crew, &target, &fault) && fault.kind == FAULT_MISSING && fault_says(&fault, "container does not exist"));
	CHECK(fault_says(&fault, "/acct/dumps: ") && strstr(fault.text, "sig=") == NULL);
	end();
	/* a clock that is wrong matters where the date is signed */
	blob_peer_open(&peer);
	begin(NULL);
	peer.refuse_status = 403;
	peer.refuse_code = "AuthenticationFailed";
	peer.date_skew_s = 3600;
	CHECK(!blob_probe(&crew, &target, &fault) && fault_says(&fault, "60 minutes behind"));
	end();
}

static void
a_reader_waits_for_nobody_once_it_failed(void)
{
	int64_t before = clock_ms();
	bool good = true;
	BEGIN();
	CHECK(open_upload(&(struct blob_options){0}));
	peer.refuse_status = 403;
	peer.refuse_code = "AccountIsDisabled";
	for (int i = 0; good && i < 1000; i++)
		good = upload.sink.write(&upload.sink, dump, sizeof dump, &fault);
	CHECK(!good && fault_says(&fault, "disabled"));
	CHECK(clock_ms() - before < 5000);
	upload.sink.abandon(&upload.sink);
	end();
}

static void
long_names_do_not_break_the_commit(void)
{
	char name[BLOB_NAME_MAX + 2];
	size_t most = BLOB_NAME_MAX - strlen("pre") - 1;
	BEGIN();
	fault_clear(&fault);
	memset(name, 'n', sizeof name);
	name[most + 1] = 0;
	CHECK(!blob_upload_open(&upload, &crew, &pool, &target, name, &(struct blob_options){0}, &fault));
	CHECK(fault.kind == FAULT_BOUND);
	fault_clear(&fault);
	name[most] = 0;
	CHECK(blob_upload_open(&upload, &crew, &pool, &target, name, &(struct blob_options){.content_md5 = true}, &fault));
	for (int i = 0; i < 40; i++)
		blob_upload_state(&upload, "long", name);
	CHECK(send_up(BLOCK + 1) && is_whole(BLOCK + 1));
	end();
}

/* --- going on */

static struct blob_resume resume;

static bool
open_resumed(const char *identity, size_t count, size_t block)
{
	fault_clear(&fault);
	resume.identity = identity;
	return blob_upload_open(&upload, &crew, &pool, &target, "d/x.dmp",
	                        &(struct blob_options){.expected = count, .block = block, .resume = &resume}, &fault);
}

#define ONE "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdee"

/* Sends the first `sent` bytes of an upload of `count`, then gives up. */
static void
leave(const char *identity, size_t count, size_t sent, size_t block)
{
	unsigned before = peer.puts;
	CHECK(open_resumed(identity, count, block));
	CHECK(upload.sink.write(&upload.sink, dump, sent, &fault));
	blob_peer_await(&peer, before + (unsigned)(sent / block));
	upload.sink.abandon(&upload.sink);
	CHECK(!peer.exists && peer.deletes == 0);
}

static void
goes_on_where_it_stopped(void)
{
	static const size_t sizes[] = {1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK, 12 * BLOCK - 1, 12 * BLOCK};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t blocks = (sizes[i] + BLOCK - 1) / BLOCK, sent = sizes[i] / BLOCK / 2 * BLOCK;
		BEGIN();
		leave(ONE, sizes[i], sent, BLOCK);
		CHECK(open_resumed(ONE, sizes[i], BLOCK));
		CHECK(resume.readable && resume.found == sent && resume.strangers == 0);
		CHECK(send_up(sizes[i]) && is_whole(sizes[i]));
		CHECK(resume.bytes == sent && peer.puts == blocks && peer.commits == 1);
		CHECK_TEXT(peer.upload_id, ONE);
		end();
	}
}

static void
takes_over_all_of_it(void)
{
	BEGIN();
	CHECK(open_resumed(ONE, 5 * BLOCK + 7, BLOCK));
	peer.exists = true;
	CHECK(!send_up(5 * BLOCK + 7) && peer.puts == 6 && fault_says(&fault, "exists already") && peer.deletes == 0);
	peer.exists = false;
	CHECK(open_resumed(ONE, 5 * BLOCK + 7, BLOCK));
	CHECK(send_up(5 * BLOCK + 7) && is_whole(5 * BLOCK + 7));
	CHECK(peer.puts == 6 && resume.bytes == 5 * BLOCK + 7);
	end();
}

static void
takes_nothing_of_others(void)
{
	BEGIN();
	leave(OTHER, 6 * BLOCK, 3 * BLOCK, BLOCK); /* another file */
	leave(ONE, 6 * BLOCK, 3 * BLOCK, BLOCK / 2); /* other blocks */
	CHECK(open_resumed(ONE, 6 * BLOCK, BLOCK));
	CHECK(resume.found == 0 && resume.strangers == 9);
	CHECK(send_up(6 * BLOCK) && is_whole(6 * BLOCK) && resume.bytes == 0);
	end();
	/* the same name for what was a stream before */
	BEGIN();
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(upload.sink.write(&upload.sink, dump, 2 * BLOCK, &fault));
	blob_peer_await(&peer, 2);
	peer.exists = true; /* so that they stay */
	upload.sink.abandon(&upload.sink);
	peer.exists = false;
	CHECK(open_resumed(ONE, 2 * BLOCK, BLOCK) && resume.strangers == 2);
	CHECK(send_up(2 * BLOCK) && is_whole(2 * BLOCK));
	end();
}

static void
bytes_that_changed_are_sent_again(void)
{
	BEGIN();
	leave(ONE, 6 * BLOCK, 4 * BLOCK, BLOCK);
	dump[BLOCK + 5] ^= 1;
	CHECK(open_resumed(ONE, 6 * BLOCK, BLOCK) && resume.found == 4 * BLOCK);
	CHECK(send_up(6 * BLOCK) && is_whole(6 * BLOCK));
	CHECK(resume.bytes == 3 * BLOCK && peer.puts == 4 + 3);
	end();
}

/* What a service could list: sizes that do not fit, places that are none, ids twice, no ids, nothing. */
static void
believes_no_odd_lists(void)
{
	char xml[4096], id[64];
	struct text text = text_in(xml, sizeof xml), words = text_in(id, sizeof id);
	static uint32_t marks[3];
	struct blob_ids ids = {.marks = marks};
	BEGIN();
	CHECK(open_resumed(ONE, 2 * BLOCK + 5, BLOCK));
	memcpy(ids.prefix, upload.ids.prefix, sizeof ids.prefix);
	upload.sink.abandon(&upload.sink);
	for (uint32_t number = 0; number < 3; number++)
		for (int size = 0; size < 3; size++) {
			static const char *const sizes[] = {"0", "65537", "99999999999999999999"};
			text_reset(&words);
			blob_ids_put(&words, &ids, number);
			text_printf(&text, "<Block><Name>%s</Name><Size>%s</Size></Block>", id, sizes[size]);
		}
	text_printf(&text, "<Block><Name>%s</Name></Block><Block><Size>65536</Size></Block><Block><Name></Name><Size>65536</Size></Block>", id);
	text_put(&text, "<Block><Name>AAAA</Name><Size>65536</Size></Block><Block/><Name>x</Name>");
	CHECK(!text.cut);
	peer.more_blocks = xml;
	CHECK(open_resumed(ONE, 2 * BLOCK + 5, BLOCK));
	CHECK(resume.found == 0);
	CHECK(send_up(2 * BLOCK + 5) && is_whole(2 * BLOCK + 5) && resume.bytes == 0 && peer.puts == 3);
	end();
}

static void
asks_again_for_a_list_that_broke_off(void)
{
	BEGIN();
	leave(ONE, 6 * BLOCK, 4 * BLOCK, BLOCK);
	peer.cut_lists = 2;
	CHECK(open_resumed(ONE, 6 * BLOCK, BLOCK) && resume.found == 4 * BLOCK && peer.lists == 4);
	CHECK(send_up(6 * BLOCK) && is_whole(6 * BLOCK) && peer.puts == 6);
	end();
	BEGIN();
	leave(ONE, 6 * BLOCK, 4 * BLOCK, BLOCK);
	peer.no_list = true;
	CHECK(!open_resumed(ONE, 6 * BLOCK, BLOCK) && fault.kind == FAULT_NETWORK && fault_says(&fault, "no list of blocks"));
	end();
}

static void
goes_without_the_right_to_read(void)
{
	BEGIN();
	leave(ONE, 4 * BLOCK, 2 * BLOCK, BLOCK);
	peer.no_read = true; /* which the SAS does not tell */
	CHECK(open_resumed(ONE, 4 * BLOCK, BLOCK) && !resume.readable && resume.found == 0);
	CHECK(send_up(4 * BLOCK) && is_whole(4 * BLOCK) && resume.bytes == 0 && peer.puts == 6);
	end();
	blob_peer_open(&peer);
	begin("sp=cw&sig=x");
	CHECK(open_resumed(ONE, 4 * BLOCK, BLOCK) && !resume.readable && peer.lists == 0);
	CHECK(send_up(4 * BLOCK) && is_whole(4 * BLOCK));
	end();
}

static void
exact_names_are_not_numbered(void)
{
	BEGIN();
	peer.taken_names = 1;
	CHECK(!open_upload(&(struct blob_options){.exact = true}) && fault.kind == FAULT_DENIED && fault_says(&fault, "d/x.dmp exists already"));
	CHECK(open_upload(&(struct blob_options){.exact = true}));
	CHECK(send_up(10));
	end();
}

static void
bytes_can_be_put_in_place(void)
{
	unsigned char *at;
	size_t size, given = 0;
	BEGIN();
	CHECK(open_upload(&(struct blob_options){.content_md5 = true}));
	while (given < 5 * BLOCK + 3 && blob_upload_room(&upload, &at, &size, &fault)) {
		CHECK(size > 0 && size <= BLOCK);
		size = size < 40000 ? size : 40000;
		size = size < 5 * BLOCK + 3 - given ? size : 5 * BLOCK + 3 - given;
		memcpy(at, dump + given, size);
		blob_upload_filled(&upload, size);
		given += size;
	}
	CHECK(upload.sink.finish(&upload.sink, &fault) && is_whole(5 * BLOCK + 3));
	end();
}

/* The last test: a stop stays. */
static void
a_stop_ends_it_at_once(void)
{
	int64_t before;
	BEGIN();
	CHECK(stop_install(&fault));
	CHECK(open_upload(&(struct blob_options){0}));
	CHECK(upload.sink.write(&upload.sink, dump, BLOCK, &fault));
	blob_peer_await(&peer, 1);
	peer.delay_ms = 2500;
	CHECK(upload.sink.write(&upload.sink, dump, 4 * BLOCK, &fault));
	before = clock_ms();
	raise(SIGTERM);
	CHECK(!upload.sink.write(&upload.sink, dump, sizeof dump, &fault));
	CHECK(fault.kind == FAULT_STOPPED && fault.detail == SIGTERM);
	upload.sink.abandon(&upload.sink);
	CHECK(clock_ms() - before < 1500);
	CHECK(!peer.exists && peer.deletes == 0 && peer.commits == 0);
	fault_clear(&fault);
	CHECK(!open_upload(&(struct blob_options){0}) && fault.kind == FAULT_STOPPED);
	end();
}

int
main(void)
{
	UNIT_RUN(arrives_whole_at_all_sizes);
	UNIT_RUN(says_what_it_is);
	UNIT_RUN(leaves_out_metadata_that_does_not_fit);
	UNIT_RUN(sends_several_blocks_at_once);
	UNIT_RUN(tries_again_when_busy);
	UNIT_RUN(waits_as_long_as_it_is_told);
	UNIT_RUN(gives_up_on_too_long_a_wait);
	UNIT_RUN(survives_broken_connections);
	UNIT_RUN(survives_idle_closes);
	UNIT_RUN(sends_damaged_blocks_again);
	UNIT_RUN(hears_a_refusal_while_sending);
	UNIT_RUN(settles_a_lost_commit);
	UNIT_RUN(settles_a_lost_commit_without_reading);
	UNIT_RUN(does_not_take_another_blob_for_its_own);
	UNIT_RUN(commits_again_after_a_failure);
	UNIT_RUN(chooses_another_name);
	UNIT_RUN(two_uploads_do_not_share_a_name);
	UNIT_RUN(removes_what_it_abandons);
	UNIT_RUN(does_not_commit_less_than_announced);
	UNIT_RUN(knows_the_largest_size_before);
	UNIT_RUN(stops_at_the_last_block);
	UNIT_RUN(fetches_a_new_token);
	UNIT_RUN(probes);
	UNIT_RUN(a_reader_waits_for_nobody_once_it_failed);
	UNIT_RUN(long_names_do_not_break_the_commit);
	UNIT_RUN(goes_on_where_it_stopped);
	UNIT_RUN(takes_over_all_of_it);
	UNIT_RUN(takes_nothing_of_others);
	UNIT_RUN(bytes_that_changed_are_sent_again);
	UNIT_RUN(believes_no_odd_lists);
	UNIT_RUN(asks_again_for_a_list_that_broke_off);
	UNIT_RUN(goes_without_the_right_to_read);
	UNIT_RUN(exact_names_are_not_numbered);
	UNIT_RUN(bytes_can_be_put_in_place);
	UNIT_RUN(a_stop_ends_it_at_once);
	return unit_end();
}
