/* SPDX-License-Identifier: MIT */
#include "job/manifest.h"

#include "base/deadline.h"
#include "base/file_place.h"
#include "base/log.h"

#include <string.h>
#include <sys/stat.h>

#define LONGEST 65536 /* ours have less than 2048 bytes */

enum member { SITE, INSTANCE, MACHINE, PROCESS, PID, TYPE, ID, BYTES, SHA256, STARTED, ENDED, MEMBERS };

static const char *const members[MEMBERS] = {"site", "instance", "machine", "process", "pid", "type", "id", "bytes", "sha256",
                                             "started", "ended"};

static int64_t
read_time(const struct json_reader *reader, size_t member)
{
	char words[40];
	int64_t utc_s;
	return json_get_text(reader, member, words, sizeof words) && clock_read_iso(span_of(words), &utc_s) ? utc_s : 0;
}

/* The rest may be missing: --digest none writes no hash, some sites tell no machine. */
static bool
take_members(struct facts *facts, const struct json_reader *reader)
{
	int64_t type, bytes;
	(void)!json_get_text(reader, INSTANCE, facts->instance, sizeof facts->instance);
	(void)!json_get_text(reader, MACHINE, facts->machine, sizeof facts->machine);
	(void)!json_get_text(reader, SHA256, facts->sha256, sizeof facts->sha256);
	facts->started_s = read_time(reader, STARTED);
	facts->ended_s = read_time(reader, ENDED);
	if (!json_get_text(reader, SITE, facts->site, sizeof facts->site) ||
	    !json_get_text(reader, PROCESS, facts->process, sizeof facts->process) ||
	    !json_get_text(reader, ID, facts->id, sizeof facts->id) || !json_get_int(reader, PID, &facts->pid) ||
	    !json_get_int(reader, TYPE, &type) || !json_get_int(reader, BYTES, &bytes) || facts->started_s == 0 || bytes < 0 ||
	    type < 0 || type > INT32_MAX)
		return false;
	facts->type = (unsigned)type;
	facts->bytes = (uint64_t)bytes;
	return true;
}

static bool
read_members(struct facts *facts, struct manifest_desk *desk, struct fault *fault)
{
	bool more, good;
	if (!file_source_open(&desk->file, desk->path, fault))
		return false;
	json_open(&desk->reader, &desk->file.source, NULL, members, MEMBERS);
	good = json_next(&desk->reader, &more, fault) && more && take_members(facts, &desk->reader) &&
	       json_next(&desk->reader, &more, fault) && !more;
	file_source_close(&desk->file);
	return good || fault_raise(fault, FAULT_CORRUPT, "%s is no manifest of kudump's", file_shown(desk->path));
}

bool
manifest_read(struct facts *facts, const char *path, struct manifest_desk *desk)
{
	struct text beside = text_in(desk->path, sizeof desk->path);
	struct fault fault;
	struct stat there;
	memset(facts, 0, sizeof *facts);
	text_printf(&beside, "%s.json", path);
	if (beside.cut || stat(desk->path, &there) != 0 || !S_ISREG(there.st_mode) || there.st_size > LONGEST)
		return false;
	fault_clear(&fault);
	if (read_members(facts, desk, &fault))
		return true;
	log_verbose("%s", fault.text);
	memset(facts, 0, sizeof *facts);
	return false;
}
