/* SPDX-License-Identifier: MIT */
#include "base/flow.h"

#include "base/stop.h"

#include <assert.h>

bool
flow(struct source *source, struct sink *sink, void *room, size_t size, struct fault *fault)
{
	for (;;) {
		size_t got;
		if (!stop_check(fault) || !source->read(source, room, size, &got, fault))
			break;
		if (got == 0) {
			if (sink->finish(sink, fault))
				return true;
			break;
		}
		if (!sink->write(sink, room, got, fault))
			break;
	}
	sink->abandon(sink);
	return false;
}

static void
drop(struct tee_leg *leg)
{
	leg->sink->abandon(leg->sink);
	leg->ended = true;
}

/* A sink that fails without saying why would pass for one that stands. */
static void
fell(struct tee *tee, struct tee_leg *leg)
{
	assert(leg->fault.kind != FAULT_NONE);
	drop(leg);
	if (tee->first == NULL)
		tee->first = leg;
}

/* True while a leg stands, or has finished well. */
static bool
any_good(const struct tee *tee, struct fault *fault)
{
	for (size_t i = 0; i < tee->count; i++)
		if (tee->legs[i].fault.kind == FAULT_NONE)
			return true;
	if (fault->kind == FAULT_NONE)
		*fault = tee->first->fault;
	return false;
}

static bool
tee_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct tee *tee = (struct tee *)sink;
	for (size_t i = 0; i < tee->count; i++) {
		struct tee_leg *leg = &tee->legs[i];
		if (!leg->ended && !leg->sink->write(leg->sink, from, count, &leg->fault))
			fell(tee, leg);
	}
	return any_good(tee, fault);
}

static bool
tee_finish(struct sink *sink, struct fault *fault)
{
	struct tee *tee = (struct tee *)sink;
	for (size_t i = 0; i < tee->count; i++) {
		struct tee_leg *leg = &tee->legs[i];
		if (leg->ended)
			continue;
		if (leg->sink->finish(leg->sink, &leg->fault))
			leg->ended = true;
		else
			fell(tee, leg);
	}
	return any_good(tee, fault);
}

static void
tee_abandon(struct sink *sink)
{
	struct tee *tee = (struct tee *)sink;
	for (size_t i = 0; i < tee->count; i++)
		if (!tee->legs[i].ended)
			drop(&tee->legs[i]);
}

void
tee_open(struct tee *tee, struct tee_leg *legs, size_t count)
{
	assert(count > 0);
	*tee = (struct tee){{tee_write, tee_finish, tee_abandon}, legs, count, NULL};
	for (size_t i = 0; i < count; i++) {
		fault_clear(&legs[i].fault);
		legs[i].ended = false;
	}
}

void
meter_add(struct meter *meter, uint64_t bytes)
{
	pthread_mutex_lock(&meter->lock);
	meter->bytes += bytes;
	pthread_mutex_unlock(&meter->lock);
}

static bool
meter_write(struct sink *sink, const void *from, size_t count, struct fault *fault)
{
	struct meter *meter = (struct meter *)sink;
	if (!meter->under->write(meter->under, from, count, fault))
		return false;
	meter_add(meter, count);
	return true;
}

static bool
meter_finish(struct sink *sink, struct fault *fault)
{
	struct meter *meter = (struct meter *)sink;
	return meter->under->finish(meter->under, fault);
}

static void
meter_abandon(struct sink *sink)
{
	struct meter *meter = (struct meter *)sink;
	meter->under->abandon(meter->under);
}

bool
meter_open(struct meter *meter, struct sink *under, struct fault *fault)
{
	meter->sink = (struct sink){meter_write, meter_finish, meter_abandon};
	meter->under = under;
	meter->bytes = 0;
	if (pthread_mutex_init(&meter->lock, NULL) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	return true;
}

uint64_t
meter_bytes(struct meter *meter)
{
	uint64_t bytes;
	pthread_mutex_lock(&meter->lock);
	bytes = meter->bytes;
	pthread_mutex_unlock(&meter->lock);
	return bytes;
}

void
meter_close(struct meter *meter)
{
	pthread_mutex_destroy(&meter->lock);
}
