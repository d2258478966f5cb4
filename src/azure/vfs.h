/* SPDX-License-Identifier: MIT */
/* Files of the site's own storage through Kudu's /api/vfs (facts: Kudu's VfsController). Paths are below %HOME%, made of
 * letters, digits and "._-/" only. All instances share that storage. */
#ifndef AZURE_VFS_H
#define AZURE_VFS_H

#include "azure/site.h"
#include "http/retry.h"

#define VFS_PATH_MAX 192
#define VFS_ETAG_MAX 64

struct vfs_entry {
	char name[96];
	uint64_t size; /* 0 of a folder */
	bool folder;
};

/* What stands in a folder and has a name that begins so, in any case; at most `limit`, what is beyond is passed over, as
 * are longer names. FAULT_MISSING: no such folder. */
bool vfs_list(struct site *, const char *folder, const char *begins, struct vfs_entry *room, size_t limit, size_t *count,
              struct fault *) MUST_CHECK;

/* The first bytes of a small text as a C string, and its ETag for vfs_delete. FAULT_MISSING also while it is locked. */
bool vfs_read(struct site *, const char *path, char *room, size_t size, char etag[VFS_ETAG_MAX], struct fault *) MUST_CHECK;

/* Size and ETag. */
bool vfs_stat(struct site *, const char *path, uint64_t *size, char etag[VFS_ETAG_MAX], struct fault *) MUST_CHECK;

/* A file only while its ETag is that one (FAULT_BUSY when not); a folder, with etag NULL, only when it is empty. What is
 * not there counts as deleted. */
bool vfs_delete(struct site *, const char *path, const char *etag, struct fault *) MUST_CHECK;

/* A file as a source that survives broken connections: it is asked on from where it stopped as long as its ETag is the
 * same. The site is its own until the end. FAULT_CORRUPT when the file changed. */
struct vfs_source {
	struct source source;
	struct site *site;
	uint64_t length, at; /* bytes of the file, and handed out */
	uint64_t skip;       /* sent again by a server that ignores Range */
	bool open;
	struct retry retry;
	char target[VFS_PATH_MAX + 16], etag[VFS_ETAG_MAX];
};

bool vfs_open(struct vfs_source *, struct site *, const char *path, struct fault *) MUST_CHECK;

#endif
