/* SPDX-License-Identifier: MIT */
#include "azure/blob_name.h"

#include "azure/blob_probe.h"

#include <string.h>

#define NAMES_MOST 99

/* NAME-2.dmp of NAME.dmp; false when that is too long. */
static bool
put_candidate(struct text *text, const struct blob_target *target, const char *name, unsigned number)
{
	struct span span = span_of(name);
	size_t stem = span.count;
	for (size_t i = span.count; i-- > 0 && span.at[i] != '/';)
		if (span.at[i] == '.') {
			stem = i > 0 && span.at[i - 1] != '/' ? i : span.count;
			break;
		}
	text_reset(text);
	text_put_span(text, span_first(span, stem));
	if (number > 1)
		text_printf(text, "-%u", number);
	text_put_span(text, span_from(span, stem));
	return !text->cut && text->used + strlen(target->url.path) - target->prefix < BLOB_NAME_MAX;
}

static bool
same_place(const struct blob_target *a, const struct blob_target *b)
{
	return url_same_origin(&a->url, &b->url) && strcmp(a->url.path, b->url.path) == 0;
}

/* Takes the name unless another open upload of this run has it. */
static bool
claim(struct blob_upload *upload, const char *name)
{
	struct crew *crew = upload->crew;
	bool taken = false;
	crew_lock(crew);
	for (struct blob_upload *other = crew->owners; other != NULL; other = other->next)
		if (other != upload && same_place(other->target, upload->target) && strcmp(other->name, name) == 0)
			taken = true;
	if (!taken && !text_keep(upload->name, sizeof upload->name, span_of(name)))
		taken = true;
	crew_unlock(crew);
	return !taken;
}

void
blob_name_enrol(struct blob_upload *upload)
{
	struct crew *crew = upload->crew;
	crew_lock(crew);
	upload->next = crew->owners;
	crew->owners = upload;
	crew_unlock(crew);
}

void
blob_name_strike_off(struct blob_upload *upload)
{
	struct crew *crew = upload->crew;
	crew_lock(crew);
	if (crew->owners == upload) {
		crew->owners = upload->next;
	} else {
		struct blob_upload *before = crew->owners;
		while (before != NULL && before->next != upload)
			before = before->next;
		if (before != NULL)
			before->next = upload->next;
	}
	crew_unlock(crew);
}

static bool
too_long(struct fault *fault)
{
	return fault_raise(fault, FAULT_BOUND, "the blob's name is longer than %d characters", BLOB_NAME_MAX);
}

/* What is to be found again later has its name, and its owner knows what is there. */
bool
blob_name_take(struct blob_upload *upload, const char *name, struct fault *fault)
{
	char candidate[BLOB_NAME_MAX + 1];
	struct text text = text_in(candidate, sizeof candidate);
	if (!put_candidate(&text, upload->target, name, 1))
		return too_long(fault);
	return claim(upload, name) || fault_raise(fault, FAULT_DENIED, "%s is being uploaded already", name);
}

/* Seen from the destination, before a byte has been sent. */
bool
blob_name_choose(struct blob_upload *upload, const char *name, struct fault *fault)
{
	char candidate[BLOB_NAME_MAX + 1];
	struct text text = text_in(candidate, sizeof candidate);
	const unsigned most = upload->options.exact ? 1 : NAMES_MOST;
	for (unsigned number = 1; number <= most; number++) {
		struct blob_look look;
		if (!put_candidate(&text, upload->target, name, number))
			return too_long(fault);
		if (!claim(upload, candidate))
			continue;
		if (!blob_find(upload->crew, upload->target, candidate, &look, fault))
			return false;
		upload->free_name = look.state == BLOB_FREE;
		if (look.state != BLOB_THERE || upload->options.overwrite)
			return true;
	}
	if (most == 1)
		fault_raise(fault, FAULT_DENIED, "a blob named %s exists already", name);
	else
		fault_raise(fault, FAULT_DENIED, "blobs named %s exist already, up to -%u", name, most);
	return fault_hint(fault, "give " BLOB_OTHER_NAME ", or --overwrite");
}
