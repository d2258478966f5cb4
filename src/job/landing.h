/* SPDX-License-Identifier: MIT */
/* Where dumps go, and one dump on its way there: a folder (with a manifest beside the dump) or a block blob (with the same
 * facts as metadata). */
#ifndef JOB_LANDING_H
#define JOB_LANDING_H

#include "azure/blob.h"
#include "base/file.h"
#include "job/aftermath.h"
#include "job/facts.h"

enum destination_kind { DESTINATION_FOLDER, DESTINATION_BLOB };

struct destination {
	enum destination_kind kind;
	char folder[PATH_BYTES_MAX / 2];
	struct blob_target blob;
	char shown[URL_MAX]; /* without secrets */
};

struct destination_secrets { /* each NULL: not given; strings also empty */
	const char *blob_sas, *storage_key;
	struct identity *identity;
	bool one_blob; /* a SAS of one blob will do, as its name is known */
};

/* A folder's path or a container's URL. FAULT_USAGE says what is wrong with it. */
bool destination_parse(struct destination *, const char *words, const struct destination_secrets *, bool allow_plain_http,
                       struct fault *) MUST_CHECK;
void destination_close(struct destination *);

/* What all landings of a run share. */
struct landing_means {
	struct crew *crew;
	struct pool *pool;
	size_t block; /* bytes of a block to begin with */
	bool overwrite, content_md5;
	int64_t stall_ms;
	struct aftermath *aftermath; /* --analyze; NULL: not wanted */
};

struct landing {
	struct sink sink;              /* once opened */
	const struct destination *destination;
	const struct landing_means *means;
	struct facts *facts;
	char where[URL_MAX + PATH_BYTES_MAX]; /* path or URL of the dump, after finish */
	unsigned char *room;           /* of a folder: DISK_BYTES */
	size_t room_size;
	struct file_sink file;
	struct blob_upload upload;
	struct aftermath_result report; /* of a folder, after landing_report */
};

/* Once, before its first dump. `room` is page aligned, NULL for a blob. */
void landing_aim(struct landing *, const struct destination *, const struct landing_means *, void *room, size_t size);

/* Whether the destination would take a dump, found out without leaving anything there. */
bool landing_check(struct landing *, struct fault *) MUST_CHECK;

/* The same by writing and deleting a small file, where there is room for 1 MiB, or an empty blob; what was done is put
 * into the text. */
bool landing_try(struct landing *, struct text *said, struct fault *) MUST_CHECK;

/* Opens the sink for one dump. `length` 0: unknown. The facts are read at finish. */
bool landing_open(struct landing *, const char *name, uint64_t length, struct facts *, struct fault *) MUST_CHECK;

/* After a finish that was true: with an aftermath and in a folder, the report beside the dump, and the manifest once more
 * with its name. What went wrong with it is in landing.report.fault: the dump is whole all the same. */
void landing_report(struct landing *);

#endif
