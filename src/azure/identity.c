/* SPDX-License-Identifier: MIT */
#include "azure/identity.h"

#include "base/log.h"
#include "base/memory.h"

#include <string.h>

#define AHEAD_MS 300000 /* before the end of a token, or in the last fifth of a short one */

static bool
begin(struct identity *identity, const struct cloud *cloud, struct fault *fault)
{
	identity->count = identity->taker_count = 0;
	identity->busy = false;
	identity->cloud = cloud;
	if (pthread_mutex_init(&identity->lock, NULL) != 0 || pthread_cond_init(&identity->settled, NULL) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	return true;
}

bool
identity_open(struct identity *identity, const char *words, const struct network *network, const struct cloud *cloud,
              struct fault *fault)
{
	return begin(identity, cloud, fault) && token_source_open(&identity->source, words, network, cloud, fault);
}

bool
identity_open_given(struct identity *identity, const char *token, const struct network *network, const struct cloud *cloud,
                    struct fault *fault)
{
	identity->source = (struct token_source){.kind = TOKEN_GIVEN, .network = network, .secret = token};
	return begin(identity, cloud, fault);
}

static struct identity_held *
find(struct identity *identity, const char *resource)
{
	struct identity_held *held = identity->held;
	for (size_t i = 0; i < identity->count; i++, held++)
		if (strcmp(held->resource, resource) == 0)
			return held;
	if (identity->count == IDENTITY_RESOURCES)
		return NULL;
	identity->count++;
	memset(held, 0, sizeof *held);
	held->resource = resource;
	return held;
}

static bool
is_good(const struct identity_held *held, unsigned refused)
{
	return held->number != 0 && held->number != refused && clock_ms() < held->until_ms;
}

/* A token without a known end is good until it is refused; a file is looked at each time. The end is told in whole seconds:
 * it may come up to one sooner. */
static void
set_times(struct identity *identity, struct identity_held *held)
{
	int64_t left_ms = (identity->desk.lifetime_s - 1) * 1000 + 1, now_ms = clock_ms();
	held->until_ms = held->renew_ms = INT64_MAX;
	if (identity->source.kind == TOKEN_FILE)
		held->renew_ms = 0;
	if (identity->desk.lifetime_s == 0)
		return;
	held->until_ms = now_ms + left_ms;
	held->renew_ms = held->until_ms - (left_ms / 5 < AHEAD_MS ? left_ms / 5 : AHEAD_MS);
}

static bool
keep(struct identity *identity, struct identity_held *held, unsigned refused, struct fault *fault)
{
	bool same = held->number != 0 && strcmp(held->token, identity->desk.token) == 0;
	set_times(identity, held);
	if (same && held->number == refused) {
		char room[200];
		struct text why = text_in(room, sizeof room);
		token_claims_put(&why, &held->claims, clock_utc_s());
		fault_raise(fault, FAULT_DENIED, "the token has run out or was refused, and there is no newer one%s%s",
		            why.used > 0 ? ": " : "", room);
		return fault_hint(fault, "get a new one for %s", held->resource);
	}
	if (!same && !token_source_asks(&identity->source))
		token_claims_read(&held->claims, span_of(identity->desk.token), &identity->desk.json, identity->desk.form,
		                  sizeof identity->desk.form);
	if (!same) {
		memcpy(held->token, identity->desk.token, sizeof held->token);
		held->number++;
	}
	return true;
}

/* What a failure means: nothing yet while the old token is good. */
static bool
go_on(struct identity *identity, struct identity_held *held, unsigned refused, struct fault *fault)
{
	int64_t now_ms = clock_ms();
	if (is_good(held, refused) && fault->kind != FAULT_STOPPED) {
		log_verbose("%s; going on with the token there is", fault->text);
		fault_clear(fault);
		if (identity->source.kind != TOKEN_FILE)
			held->renew_ms = now_ms + (held->until_ms - now_ms) / 5;
		return true;
	}
	held->failures++;
	held->fault = *fault;
	return false;
}

/* With the lock held, which is let go meanwhile. */
static bool
renew(struct identity *identity, struct identity_held *held, unsigned refused, struct fault *fault)
{
	bool done;
	identity->busy = true;
	pthread_mutex_unlock(&identity->lock);
	done = token_source_get(&identity->source, held->resource, &identity->desk, fault);
	pthread_mutex_lock(&identity->lock);
	done = (done && keep(identity, held, refused, fault)) || go_on(identity, held, refused, fault);
	memory_wipe(&identity->desk, sizeof identity->desk);
	identity->busy = false;
	pthread_cond_broadcast(&identity->settled);
	return done;
}

/* With the lock held: until the token is good, by our own doing or another thread's, whose failure is ours too. */
static bool
settle(struct identity *identity, struct identity_held *held, unsigned refused, struct fault *fault)
{
	unsigned seen = held->failures;
	for (;;) {
		if (is_good(held, refused) && (identity->busy || clock_ms() < held->renew_ms))
			return true;
		if (!identity->busy)
			return renew(identity, held, refused, fault);
		pthread_cond_wait(&identity->settled, &identity->lock);
		if (held->failures == seen || is_good(held, refused))
			continue;
		*fault = held->fault;
		return false;
	}
}

bool
identity_token(struct identity *identity, const char *resource, unsigned refused, unsigned *given, struct text *into,
               struct fault *fault)
{
	struct identity_held *held;
	bool done;
	pthread_mutex_lock(&identity->lock);
	held = find(identity, resource);
	done = held != NULL ? settle(identity, held, refused, fault)
	                    : fault_raise(fault, FAULT_BOUND, "tokens for more than %d resources", IDENTITY_RESOURCES);
	if (done) {
		text_put(into, held->token);
		*given = held->number;
	}
	pthread_mutex_unlock(&identity->lock);
	return done;
}

void
identity_put_reason(struct identity *identity, const char *resource, struct text *text)
{
	struct identity_held *held;
	pthread_mutex_lock(&identity->lock);
	held = find(identity, resource);
	if (held != NULL)
		token_claims_put(text, &held->claims, clock_utc_s());
	pthread_mutex_unlock(&identity->lock);
}

static struct identity_taker *
find_taker(struct identity *identity, const void *who)
{
	for (size_t i = 0; i < identity->taker_count; i++)
		if (identity->takers[i].who == who)
			return &identity->takers[i];
	return NULL;
}

/* Beyond the bound nothing is noted: then an audience is tried once more than it need be. */
void
identity_note_taken(struct identity *identity, const void *who, const char *resource)
{
	struct identity_taker *taker;
	pthread_mutex_lock(&identity->lock);
	taker = find_taker(identity, who);
	if (taker == NULL && identity->taker_count < IDENTITY_TAKERS)
		taker = &identity->takers[identity->taker_count++];
	if (taker != NULL)
		*taker = (struct identity_taker){who, resource};
	pthread_mutex_unlock(&identity->lock);
}

const char *
identity_taken(struct identity *identity, const void *who, bool *own)
{
	const struct identity_taker *taker;
	const char *resource;
	pthread_mutex_lock(&identity->lock);
	taker = find_taker(identity, who);
	*own = taker != NULL;
	if (taker == NULL && identity->taker_count > 0)
		taker = &identity->takers[identity->taker_count - 1];
	resource = taker != NULL ? taker->resource : NULL;
	pthread_mutex_unlock(&identity->lock);
	return resource;
}

void
identity_close(struct identity *identity)
{
	memory_wipe(identity->held, identity->count * sizeof identity->held[0]);
	identity->count = 0;
}
