/* SPDX-License-Identifier: MIT */
#include "job/metadata.h"

#include "base/deadline.h"

#include <inttypes.h>

static void
state_number(struct blob_upload *upload, const char *name, int64_t number)
{
	char room[32];
	struct text text = text_in(room, sizeof room);
	text_printf(&text, "%" PRId64, number);
	blob_upload_state(upload, name, room);
}

static void
state_time(struct blob_upload *upload, const char *name, int64_t utc_s)
{
	char room[32];
	struct text text = text_in(room, sizeof room);
	clock_put_iso(&text, utc_s);
	blob_upload_state(upload, name, room);
}

static void
state_process(struct blob_upload *upload, const struct facts *facts)
{
	blob_upload_state(upload, "site", facts->site);
	blob_upload_state(upload, "instance", facts->instance);
	blob_upload_state(upload, "machine", facts->machine);
	blob_upload_state(upload, "process", facts->process);
	state_number(upload, "pid", facts->pid);
	state_number(upload, "dumptype", facts->type);
	state_time(upload, "started", facts->started_s);
	state_time(upload, "ended", facts->ended_s);
}

/* Metadata names are letters and digits only, so that SharedKey's order of headers is plain byte order. */
void
metadata_state(struct blob_upload *upload, const struct facts *facts)
{
	if (facts->started_s != 0)
		state_process(upload, facts);
	blob_upload_state(upload, "sha256", facts->sha256);
	blob_upload_state(upload, "tool", "kudump " KUDUMP_VERSION);
}
