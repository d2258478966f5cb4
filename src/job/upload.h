/* SPDX-License-Identifier: MIT */
/* One file that is already here on its way into a block blob, going on where an earlier try stopped; or a stream, which
 * cannot. A file that changes while it is read is never committed. */
#ifndef JOB_UPLOAD_H
#define JOB_UPLOAD_H

#include "azure/blob.h"
#include "job/manifest.h"
#include "job/original.h"
#include "job/progress.h"

struct upload_means {
	struct crew *crew;
	struct pool *pool;
	const struct blob_target *target;
	size_t block; /* bytes, as far as 50,000 of them will do */
	bool overwrite, content_md5, digest;
	int64_t stall_ms;
};

/* For one thread, again and again; zeroed memory at first, and the progress opened. */
struct upload {
	struct progress progress;
	const struct upload_means *means;
	/* of the last one: */
	struct facts facts;   /* of the dump's manifest, if there is one; bytes, sha256 and began_ms to ended_ms always */
	char where[URL_MAX + PATH_BYTES_MAX]; /* without secrets */
	uint64_t resumed;     /* bytes that were there from an earlier try */
	bool already;         /* the blob was there, nothing was sent */
	bool source_failed;   /* the fault is the file's, not the destination's */
	/* the room's own */
	const char *name;
	struct original file; /* of a stream only the descriptor */
	char stated[2 * SHA256_BYTES + 1]; /* the manifest's hash; empty: none */
	struct sha256 hash;
	struct meter meter;
	struct manifest_desk desk;
	struct blob_upload blob;
	struct blob_resume resume;
};

/* Uploads the file under this name within the target. A blob that is there already and is this file is success; another
 * one is FAULT_DENIED without `overwrite`. FAULT_MISSING: no such file; FAULT_USAGE: no plain file; FAULT_CORRUPT with
 * source_failed: it changed, or is not what its manifest says. After a failure the blocks that were sent stay. */
bool upload_file(struct upload *, const char *path, const char *name, struct fault *) MUST_CHECK;

/* The same for what comes from a descriptor, up to its end; after a failure nothing is left. */
bool upload_stream(struct upload *, int fd, const char *name, struct fault *) MUST_CHECK;

#endif
