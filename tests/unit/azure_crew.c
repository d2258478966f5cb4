/* SPDX-License-Identifier: MIT */
#include "azure/crew.h"

#include "peer.h"
#include "unit.h"

#define LANES 4
#define QUEUE 3
#define PUSHERS 6
#define EACH 200

static struct memory memory;
static struct crew crew;
static struct network network;
static struct fault fault;
static unsigned long done, sum;

static void
begin(unsigned lanes)
{
	fault_clear(&fault);
	CHECK(memory_open(&memory, crew_need(lanes, QUEUE), &fault));
	CHECK(crew_open(&crew, &memory, &network, lanes, QUEUE, NULL, &fault));
	CHECK(memory.used <= memory.size);
	done = sum = 0;
}

static void
end(void)
{
	crew_close(&crew);
	memory_close(&memory);
}

static void
add(struct crew_lane *lane, struct crew_job *job)
{
	crew_lock(lane->crew);
	done++;
	sum += job->number;
	crew_tell(lane->crew);
	crew_unlock(lane->crew);
}

static void *
push_many(void *argument)
{
	(void)argument;
	for (uint32_t i = 1; i <= EACH; i++)
		crew_push(&crew, (struct crew_job){add, NULL, NULL, i});
	return NULL;
}

/* More than the queue holds, from more threads than there are lanes. */
static void
runs_every_job_once(void)
{
	pthread_t threads[PUSHERS];
	begin(LANES);
	for (int i = 0; i < PUSHERS; i++)
		CHECK(pthread_create(&threads[i], NULL, push_many, NULL) == 0);
	for (int i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	crew_lock(&crew);
	while (done < PUSHERS * EACH)
		crew_wait(&crew);
	crew_unlock(&crew);
	CHECK(sum == PUSHERS * EACH * (EACH + 1) / 2);
	end();
}

static void
keeps_the_order_with_one_lane(void)
{
	begin(1);
	(void)push_many(NULL);
	end(); /* does what is left first */
	CHECK(done == EACH);
}

static bool
answer(struct crew_lane *lane, void *state, struct fault *why)
{
	CHECK(lane->number < LANES);
	if (*(int *)state == 7)
		return true;
	return fault_raise(why, FAULT_MISSING, "no %d", *(int *)state);
}

static void
brings_results_and_faults_back(void)
{
	int seven = 7, eight = 8;
	begin(LANES);
	CHECK(crew_call(&crew, answer, &seven, &fault));
	CHECK(!crew_call(&crew, answer, &eight, &fault) && fault.kind == FAULT_MISSING);
	CHECK_TEXT(fault.text, "no 8");
	end();
}

static void
ends_without_a_job(void)
{
	begin(LANES);
	end();
	CHECK(done == 0);
}

static void
answer_twice(int fd)
{
	static const char words[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	char byte;
	for (int line_ends = 0; recv(fd, &byte, 1, 0) == 1;) {
		line_ends = byte == '\n' ? line_ends + 1 : byte == '\r' ? line_ends : 0;
		if (line_ends == 2 && send(fd, words, sizeof words - 1, MSG_NOSIGNAL) < 0)
			return;
	}
}

static bool
ask(struct crew_lane *lane, void *state, struct fault *why)
{
	return crew_ask(lane, state, &(struct http_request){.method = "GET", .target = "/"}, why);
}

/* One connection for as long as it is one origin. */
static void
keeps_its_connection(void)
{
	static struct url first, second;
	struct peer peers[2];
	char words[64];
	begin(1);
	for (int i = 0; i < 2; i++) {
		peer_open(&peers[i], answer_twice);
		snprintf(words, sizeof words, "http://127.0.0.1:%u/", peers[i].port);
		CHECK(url_parse(i == 0 ? &first : &second, span_of(words), &fault));
	}
	CHECK(crew_call(&crew, ask, &first, &fault) && crew_call(&crew, ask, &first, &fault));
	CHECK(crew.lanes[0].client.connects == 1);
	CHECK(crew_call(&crew, ask, &second, &fault));
	CHECK(crew.lanes[0].client.connects == 1);
	CHECK(url_same_origin(&crew.lanes[0].client.origin, &second));
	end();
	peer_close(&peers[0]);
	peer_close(&peers[1]);
}

int
main(void)
{
	UNIT_RUN(runs_every_job_once);
	UNIT_RUN(keeps_the_order_with_one_lane);
	UNIT_RUN(brings_results_and_faults_back);
	UNIT_RUN(ends_without_a_job);
	UNIT_RUN(keeps_its_connection);
	return unit_end();
}
