/* SPDX-License-Identifier: MIT */
#include "azure/vfs.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TARGET_MAX (VFS_PATH_MAX + 16)

static void
put_target(char room[TARGET_MAX], const char *path, const char *end)
{
	struct text text = text_in(room, TARGET_MAX);
	text_printf(&text, "/api/vfs/%s%s", path, end);
}

static bool
read_entry(const struct json_reader *json, struct vfs_entry *entry)
{
	int64_t size;
	char mime[32];
	memset(entry, 0, sizeof *entry);
	if (!json_get_text(json, 0, entry->name, sizeof entry->name))
		return false;
	if (json_get_int(json, 1, &size) && size > 0)
		entry->size = (uint64_t)size;
	entry->folder = json_get_text(json, 2, mime, sizeof mime) && strcmp(mime, "inode/directory") == 0;
	return true;
}

bool
vfs_list(struct site *site, const char *folder, const char *begins, struct vfs_entry *room, size_t limit, size_t *count,
         struct fault *fault)
{
	static const char *const wanted[] = {"name", "size", "mime"};
	char target[TARGET_MAX];
	bool more = true, done;
	*count = 0;
	put_target(target, folder, "/");
	done = site_get_json(site, target, wanted, 3, fault);
	while (done && more) {
		done = json_next(&site->json, &more, fault);
		if (done && more && *count < limit && read_entry(&site->json, &room[*count]) &&
		    span_begins_nocase(span_of(room[*count].name), begins))
			(*count)++;
	}
	site_done(site);
	return done || fault_while(fault, "listing %s on the site's storage", folder);
}

static void
keep_etag(const struct site *site, char etag[VFS_ETAG_MAX])
{
	struct span value;
	if (!http_head_find(&site->client.head, "ETag", 0, &value) || !text_keep(etag, VFS_ETAG_MAX, value))
		etag[0] = 0;
}

bool
vfs_read(struct site *site, const char *path, char *room, size_t size, char etag[VFS_ETAG_MAX], struct fault *fault)
{
	char target[TARGET_MAX];
	put_target(target, path, "");
	if (!site_get(site, target, SITE_HARMLESS, 0, fault))
		return fault_while(fault, "reading %s on the site's storage", path);
	keep_etag(site, etag);
	http_client_peek(&site->client, room, size);
	site_done(site);
	return true;
}

bool
vfs_stat(struct site *site, const char *path, uint64_t *size, char etag[VFS_ETAG_MAX], struct fault *fault)
{
	char target[TARGET_MAX];
	const struct site_request ask = {.method = "HEAD", .target = target, .care = SITE_HARMLESS};
	put_target(target, path, "");
	if (!site_ask(site, &ask, fault))
		return fault_while(fault, "looking at %s on the site's storage", path);
	keep_etag(site, etag);
	*size = site->client.head.length;
	site_done(site);
	return true;
}

bool
vfs_delete(struct site *site, const char *path, const char *etag, struct fault *fault)
{
	char target[TARGET_MAX], headers[VFS_ETAG_MAX + 16];
	const struct site_request ask = {.method = "DELETE", .target = target, .care = SITE_HARMLESS,
	                                 .headers = etag != NULL ? headers : NULL, .also = 204};
	put_target(target, path, etag != NULL ? "" : "/");
	snprintf(headers, sizeof headers, "If-Match: %s\r\n", etag != NULL ? etag : "");
	if (site_ask(site, &ask, fault)) {
		site_done(site);
		return true;
	}
	if (fault->kind == FAULT_MISSING && fault->detail == 404) {
		fault_clear(fault);
		return true;
	}
	return fault_while(fault, "deleting %s on the site's storage", path);
}

static bool
is_changed(const struct vfs_source *file)
{
	char etag[VFS_ETAG_MAX];
	keep_etag(file->site, etag);
	return strcmp(etag, file->etag) != 0;
}

/* A server may ignore Range and send all of it once more. */
static bool
ask_on(struct vfs_source *file, struct fault *fault)
{
	char headers[96 + VFS_ETAG_MAX];
	const struct site_request ask = {.method = "GET", .target = file->target, .care = SITE_HARMLESS, .headers = headers,
	                                 .also = 206};
	const struct http_head *head = &file->site->client.head;
	uint64_t left = file->length - file->at;
	snprintf(headers, sizeof headers, "Range: bytes=%" PRIu64 "-\r\nIf-Range: %s\r\n", file->at, file->etag);
	if (!site_ask(file->site, &ask, fault))
		return false;
	file->open = true;
	file->skip = head->status == 206 ? 0 : file->at;
	if (is_changed(file) || head->framing != HTTP_LENGTH || head->length != left + file->skip)
		return fault_raise(fault, FAULT_CORRUPT, "the file changed on the site while it was downloaded");
	return true;
}

static void
drop(struct vfs_source *file)
{
	http_client_close(&file->site->client);
	file->open = false;
}

static bool
read_on(struct vfs_source *file, void *room, size_t size, size_t *got, struct fault *fault)
{
	struct source *body;
	if (!file->open && !ask_on(file, fault))
		return false;
	body = http_client_body(&file->site->client);
	while (file->skip > 0) {
		if (!body->read(body, room, file->skip < size ? (size_t)file->skip : size, got, fault))
			return false;
		file->skip -= *got;
	}
	return body->read(body, room, size, got, fault);
}

static bool
vfs_source_read(struct source *source, void *room, size_t size, size_t *got, struct fault *fault)
{
	struct vfs_source *file = (struct vfs_source *)source;
	*got = 0;
	if (file->at == file->length)
		return true;
	while (!read_on(file, room, size, got, fault)) {
		drop(file);
		log_verbose("%s: cut after %" PRIu64 " of %" PRIu64 " bytes, going on from there", file->target, file->at, file->length);
		if (!retry_again(&file->retry, fault->retry_after_s, fault))
			return fault_while(fault, "downloading %s after %" PRIu64 " bytes", file->target, file->at);
	}
	file->at += *got;
	retry_open(&file->retry);
	return true;
}

bool
vfs_open(struct vfs_source *file, struct site *site, const char *path, struct fault *fault)
{
	memset(file, 0, sizeof *file);
	file->source.read = vfs_source_read;
	file->site = site;
	retry_open(&file->retry);
	put_target(file->target, path, "");
	if (!site_get(site, file->target, SITE_HARMLESS, 0, fault))
		return fault_while(fault, "downloading %s", file->target);
	file->open = true;
	keep_etag(site, file->etag);
	file->length = site->client.head.length;
	if (site->client.head.framing == HTTP_LENGTH && file->etag[0] != 0)
		return true;
	drop(file);
	return fault_raise(fault, FAULT_CORRUPT, "the site's storage gives neither length nor ETag of %s", path);
}
