/* SPDX-License-Identifier: MIT */
#include "azure/blob_probe.h"

#include "base/encode.h"
#include "base/linux.h"

#define PROBE_NAME ".kudump-probe"

struct look {
	const struct blob_target *target;
	const char *name;
	struct blob_look result;
};

static bool
look_on_lane(struct crew_lane *lane, void *state, struct fault *fault)
{
	struct look *look = state;
	return blob_look(lane, look->target, look->name, false, &look->result, fault);
}

bool
blob_probe(struct crew *crew, const struct blob_target *target, struct fault *fault)
{
	struct look look = {.target = target, .name = PROBE_NAME};
	return crew_call(crew, look_on_lane, &look, fault) || fault_while(fault, "checking the container");
}

bool
blob_find(struct crew *crew, const struct blob_target *target, const char *name, struct blob_look *result, struct fault *fault)
{
	struct look look = {.target = target, .name = name};
	if (!crew_call(crew, look_on_lane, &look, fault))
		return fault_while(fault, "asking whether %s is there", name);
	*result = look.result;
	return true;
}

static bool
try_on_lane(struct crew_lane *lane, void *state, struct fault *fault)
{
	struct look *look = state;
	if (!blob_put_empty(lane, look->target, look->name, fault))
		return false;
	look->result.state = BLOB_THERE;
	return blob_delete(lane, look->target, look->name, fault);
}

bool
blob_try(struct crew *crew, const struct blob_target *target, struct text *said, struct fault *fault)
{
	unsigned char random[4];
	char name[sizeof PROBE_NAME + 1 + 2 * sizeof random] = PROBE_NAME "-";
	struct text hex = text_in(name + sizeof PROBE_NAME, sizeof name - sizeof PROBE_NAME);
	struct look look = {.target = target, .name = name};
	if (!random_bytes(random, sizeof random, fault))
		return false;
	encode_hex(&hex, (struct span){random, sizeof random});
	if (crew_call(crew, try_on_lane, &look, fault)) {
		text_put(said, "an empty blob was written and deleted");
		return true;
	}
	if (look.result.state != BLOB_THERE || fault->kind != FAULT_DENIED)
		return false;
	fault_clear(fault);
	text_printf(said, "an empty blob was written; it stays, as %s, since this login may not delete", name);
	return true;
}
