/* SPDX-License-Identifier: MIT */
/* Files on their way into a blob service that does wrong on demand, and manifests beside them. */
#include "job/upload.h"

#include "blob_peer.h"
#include "job/uploads.h"
#include "says.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK (64 * 1024)
#define SLOTS 3
#define SIZE (5 * BLOCK + 9)

static struct blob_peer peer;
static struct memory memory;
static struct pool pool;
static struct crew crew;
static struct network network;
static struct blob_target target;
static struct upload upload;
static struct upload_means means;
static struct fault fault;
static unsigned char content[SIZE];
static char folder[] = "/tmp/kudump-unit-XXXXXX", path[128], beside[160];

static void
write_file(const char *name, const void *bytes, size_t count, time_t changed_s)
{
	const struct timespec times[2] = {{changed_s, 0}, {changed_s, 123456789}};
	FILE *file = fopen(name, "w");
	if (file == NULL || fwrite(bytes, 1, count, file) != count || fclose(file) != 0 || utimensat(AT_FDCWD, name, times, 0) != 0)
		abort();
}

static void
manifest(const char *words)
{
	write_file(beside, words, strlen(words), 1);
}

static void
begin(void)
{
	char url[128];
	blob_peer_open(&peer);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/acct/dumps", peer.port);
	fault_clear(&fault);
	CHECK(memory_open(&memory, pool_need(SLOTS, BLOCK) + crew_need(2, SLOTS), &fault));
	CHECK(pool_open(&pool, &memory, SLOTS, BLOCK, &fault));
	CHECK(crew_open(&crew, &memory, &network, 2, SLOTS, &pool, &fault));
	CHECK(blob_target_parse(&target, url, "sp=rcw&sig=x", NULL, NULL, false, &fault));
	memset(&upload, 0, sizeof upload);
	means = (struct upload_means){&crew, &pool, &target, BLOCK, false, false, true, 0};
	upload.means = &means;
	CHECK(progress_open(&upload.progress, &fault));
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (unsigned char)(i * 2654435761u >> 11);
	write_file(path, content, SIZE, 1800000000);
	unlink(beside);
}

static void
end(void)
{
	size_t free_slots = 0;
	crew_close(&crew);
	CHECK(crew.owners == NULL);
	for (struct slot *slot = pool.free; slot != NULL; slot = slot->next)
		free_slots++;
	CHECK(free_slots == SLOTS);
	blob_peer_close(&peer);
	memory_close(&memory);
}

static bool
put(const char *file)
{
	fault_clear(&fault);
	return upload_file(&upload, file, original_name(file), &fault);
}

static void
names_are_the_last_part(void)
{
	CHECK_TEXT(original_name("a"), "a");
	CHECK_TEXT(original_name("/x/y/a.dmp"), "a.dmp");
	CHECK_TEXT(original_name("./-"), "-");
}

static void
arrives_once(void)
{
	begin();
	CHECK(put(path));
	CHECK(peer.exists && peer.length == SIZE && peer.puts == 6 && peer.commits == 1 && !upload.already && upload.resumed == 0);
	CHECK(upload.facts.bytes == SIZE && strlen(upload.facts.sha256) == 64 && strstr(upload.where, "/acct/dumps/x.dmp") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-meta-file: x.dmp\r\n") != NULL && strstr(peer.commit_head, "x-ms-meta-bytes: 327689\r\n") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-meta-mtime: 2027-01-15T08:00:00Z\r\n") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-meta-site") == NULL);
	CHECK(put(path) && upload.already && peer.puts == 6 && peer.commits == 1 && peer.lists == 1);
	end();
}

/* What is in the way of an upload: a change of any part of the file's identity, but not of its folder. */
static void
identity_is_name_size_and_time(void)
{
	char id[64], other[160];
	begin();
	CHECK(put(path));
	memcpy(id, upload.file.identity, sizeof upload.file.identity);
	snprintf(other, sizeof other, "%s/./x.dmp", folder);
	CHECK(put(other));
	CHECK_TEXT(upload.file.identity, id);
	write_file(path, content, SIZE, 1800000001);
	CHECK(!put(path) && fault_says(&fault, "exists already")); /* the peer tells no hash */
	CHECK(strcmp(upload.file.identity, id) != 0);
	write_file(path, content, SIZE - 1, 1800000000);
	CHECK(!put(path) && strcmp(upload.file.identity, id) != 0);
	snprintf(other, sizeof other, "%s/y.dmp", folder);
	write_file(other, content, SIZE, 1800000000);
	CHECK(!put(other) && strcmp(upload.file.identity, id) != 0);
	CHECK(peer.commits == 1 && peer.deletes == 0);
	end();
}

static void
refuses_what_is_no_file(void)
{
	char other[160];
	begin();
	CHECK(!put(folder) && fault.kind == FAULT_USAGE && upload.source_failed && fault_says(&fault, "a folder"));
	snprintf(other, sizeof other, "%s/nosuch", folder);
	CHECK(!put(other) && fault.kind == FAULT_MISSING && upload.source_failed);
	snprintf(other, sizeof other, "%s/x.dmp/y", folder);
	CHECK(!put(other) && fault.kind == FAULT_MISSING);
	snprintf(other, sizeof other, "%s/fifo", folder);
	CHECK(mkfifo(other, 0600) == 0);
	CHECK(!put(other) && fault.kind == FAULT_USAGE && fault_says(&fault, "no plain file") && fault_says(&fault, "stdin"));
	CHECK(peer.heads == 0 && peer.puts == 0);
	end();
}

#define OURS "\"site\":\"contoso\",\"instance\":\"a1\",\"machine\":\"RD1\",\"pid\":42,\"process\":\"w3wp\",\"type\":2,\"started\":\"2026-11-21T05:57:47Z\"," \
             "\"ended\":\"2026-11-21T05:57:49Z\",\"id\":\"bdc1277af3fb3538\""

static void
manifests_are_held_against_it(void)
{
	char words[1024];
	begin();
	CHECK(put(path));
	snprintf(words, sizeof words, "{" OURS ",\"bytes\":%d,\"sha256\":\"%s\"}", SIZE, upload.facts.sha256);
	manifest(words);
	peer.exists = false;
	CHECK(put(path) && peer.commits == 2);
	CHECK(strstr(peer.commit_head, "x-ms-meta-site: contoso\r\n") != NULL && strstr(peer.commit_head, "x-ms-meta-pid: 42\r\n") != NULL);
	CHECK(strstr(peer.commit_head, "x-ms-meta-started: 2026-11-21T05:57:47Z\r\n") != NULL);
	peer.exists = false;
	words[strlen(words) - 3] ^= 1;
	manifest(words);
	CHECK(!put(path) && fault.kind == FAULT_CORRUPT && upload.source_failed && fault_says(&fault, "SHA-256") && fault_says(&fault, "x.dmp.json says"));
	means.digest = false; /* who wants no hash gets none */
	CHECK(put(path) && peer.commits == 3 && strstr(peer.commit_head, "sha256") == NULL);
	manifest("{" OURS ",\"bytes\":5}");
	peer.exists = false;
	CHECK(!put(path) && fault.kind == FAULT_CORRUPT && fault_says(&fault, "but x.dmp.json says 5") && peer.commits == 3);
	end();
}

static bool
reads(const char *words)
{
	struct facts facts;
	manifest(words);
	return manifest_read(&facts, path, &upload.desk);
}

static void
only_ours_is_a_manifest(void)
{
	struct facts facts;
	static char large[70000];
	begin();
	CHECK(!manifest_read(&facts, path, &upload.desk));
	CHECK(reads("{" OURS ",\"bytes\":1}") && reads("{\"file\":\"other\"," OURS ",\"bytes\":0,\"more\":[1,{}]}"));
	CHECK(!reads("") && !reads("{") && !reads("[]") && !reads("7") && !reads("{\"name\":\"package\"}"));
	CHECK(!reads("{" OURS ",\"bytes\":-1}") && !reads("{" OURS ",\"bytes\":\"1\"}") && !reads("{" OURS "}"));
	CHECK(!reads("{" OURS ",\"bytes\":1}{}") && !reads("{" OURS ",\"bytes\":1,\"type\":4294967297}"));
	CHECK(!reads("[{" OURS ",\"bytes\":1},{" OURS ",\"bytes\":1}]"));
	CHECK(!reads("{" OURS ",\"bytes\":1,\"site\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}"));
	CHECK(!reads("{" OURS ",\"bytes\":1,\"started\":\"yesterday\"}"));
	memset(large, ' ', sizeof large);
	memcpy(large, "{" OURS ",\"bytes\":1}", strlen("{" OURS ",\"bytes\":1}"));
	large[sizeof large - 1] = 0;
	CHECK(!reads(large));
	unlink(beside);
	CHECK(mkfifo(beside, 0600) == 0 && !manifest_read(&facts, path, &upload.desk));
	end();
}

static void
who_may_not_read_sends_all_of_it(void)
{
	begin();
	CHECK(put(path));
	peer.exists = false;
	peer.no_read = true;
	CHECK(put(path) && upload.resumed == 0 && !upload.already && peer.puts == 12);
	end();
}

static void
remove_all(void)
{
	static const char *const names[] = {"x.dmp", "y.dmp", "fifo", "x.dmp.json"};
	char name[160];
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(name, sizeof name, "%s/%s", folder, names[i]);
		unlink(name);
	}
	rmdir(folder);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/x.dmp", folder);
	snprintf(beside, sizeof beside, "%s.json", path);
	UNIT_RUN(names_are_the_last_part);
	UNIT_RUN(arrives_once);
	UNIT_RUN(identity_is_name_size_and_time);
	UNIT_RUN(refuses_what_is_no_file);
	UNIT_RUN(manifests_are_held_against_it);
	UNIT_RUN(only_ours_is_a_manifest);
	UNIT_RUN(who_may_not_read_sends_all_of_it);
	remove_all();
	return unit_end();
}
