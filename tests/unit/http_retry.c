/* SPDX-License-Identifier: MIT */
#include "http/retry.h"

#include "base/stop.h"

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>

static struct fault fault;
static struct retry retry;

static void
fail(enum fault_kind kind, int detail)
{
	fault_clear(&fault);
	fault_raise(&fault, kind, "reset by peer");
	fault.detail = detail;
}

static void
knows_statuses(void)
{
	static const int passing[] = {408, 429, 500, 502, 503, 504};
	int found = 0;
	for (int status = 0; status <= 1000; status++)
		for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
			found += status == passing[i] && retry_status_is_transient(status);
	CHECK(found == 6);
	for (int status = 0; status <= 1000; status++)
		found -= retry_status_is_transient(status) ? 1 : 0;
	CHECK(found == 0);
}

static bool
is_transient(enum fault_kind kind, int detail)
{
	fail(kind, detail);
	return retry_is_transient(&fault);
}

static void
knows_faults(void)
{
	CHECK(is_transient(FAULT_NETWORK, ECONNRESET) && is_transient(FAULT_NETWORK, ECONNREFUSED));
	CHECK(is_transient(FAULT_NETWORK, EPIPE) && is_transient(FAULT_NETWORK, EHOSTUNREACH));
	CHECK(is_transient(FAULT_NETWORK, 503) && is_transient(FAULT_NETWORK, 500) && is_transient(FAULT_TIMEOUT, 0));
	CHECK(is_transient(FAULT_CORRUPT, ECONNRESET) && is_transient(FAULT_BUSY, 429));
	CHECK(!is_transient(FAULT_NETWORK, 0) && !is_transient(FAULT_NETWORK, 501) && !is_transient(FAULT_NETWORK, 404));
	CHECK(!is_transient(FAULT_CORRUPT, 0) && !is_transient(FAULT_BUSY, 500) && !is_transient(FAULT_BUSY, 503));
	CHECK(!is_transient(FAULT_TLS, 62) && !is_transient(FAULT_STOPPED, SIGINT) && !is_transient(FAULT_DENIED, 403));
	CHECK(!is_transient(FAULT_MISSING, 404) && !is_transient(FAULT_USAGE, 0) && !is_transient(FAULT_BOUND, 0));
	CHECK(!is_transient(FAULT_SYSTEM, ENOSPC) && !is_transient(FAULT_UNABLE, 0) && !is_transient(FAULT_NONE, 0));
}

static void
waits_and_gives_up(void)
{
	int64_t start = clock_ms();
	retry_open(&retry);
	CHECK(retry.most == RETRY_TRIES && retry.first_ms == RETRY_FIRST_MS && retry.most_ms == RETRY_MOST_MS);
	retry.first_ms = 20;
	retry.most_ms = 50;
	for (unsigned i = 1; i < RETRY_TRIES; i++) {
		static const int64_t whole[] = {20, 40, 50, 50, 50};
		int64_t before = retry.waited_ms, waited;
		fail(FAULT_NETWORK, ECONNRESET);
		CHECK(retry_again(&retry, 0, &fault));
		CHECK(fault.kind == FAULT_NONE && retry.tries == i);
		waited = retry.waited_ms - before;
		CHECK(waited >= whole[i - 1] / 2 && waited <= whole[i - 1]);
	}
	CHECK(clock_ms() - start >= retry.waited_ms);
	fail(FAULT_NETWORK, ECONNRESET);
	CHECK(!retry_again(&retry, 0, &fault));
	CHECK_TEXT(fault.text, "given up after 6 tries: reset by peer");
	CHECK(fault.kind == FAULT_NETWORK && fault.detail == ECONNRESET);
}

static void
does_not_wait_in_vain(void)
{
	int64_t start = clock_ms();
	retry_open(&retry);
	fail(FAULT_DENIED, 403);
	CHECK(!retry_again(&retry, 0, &fault));
	CHECK_TEXT(fault.text, "reset by peer");
	retry_open(&retry);
	retry.most = 1;
	fail(FAULT_NETWORK, 503);
	CHECK(!retry_again(&retry, 0, &fault));
	CHECK_TEXT(fault.text, "reset by peer");
	retry_open(&retry);
	fail(FAULT_NETWORK, 503);
	CHECK(!retry_again(&retry, RETRY_AFTER_MOST_S + 1, &fault));
	CHECK_TEXT(fault.text, "given up, as the server wants 301 s of patience: reset by peer");
	CHECK(clock_ms() - start < 500 && retry.waited_ms == 0);
}

static void
obeys_the_server(void)
{
	int64_t start = clock_ms();
	retry_open(&retry);
	retry.first_ms = retry.most_ms = 1;
	fail(FAULT_NETWORK, 503);
	CHECK(retry_again(&retry, 1, &fault));
	CHECK(clock_ms() - start >= 1000 && clock_ms() - start < 3000);
}

static void
spreads(void)
{
	int64_t low = INT64_MAX, high = 0;
	for (int i = 0; i < 40; i++) {
		retry_open(&retry);
		retry.first_ms = 8;
		fail(FAULT_TIMEOUT, 0);
		CHECK(retry_again(&retry, 0, &fault));
		low = retry.waited_ms < low ? retry.waited_ms : low;
		high = retry.waited_ms > high ? retry.waited_ms : high;
	}
	CHECK(low >= 4 && high <= 8 && low < high);
}

static unsigned
after(const char *lines)
{
	struct http_head head;
	memset(&head, 0, sizeof head);
	head.lines = span_of(lines);
	return retry_after_s(&head);
}

static void
reads_retry_after(void)
{
	char room[80];
	struct text text = text_in(room, sizeof room);
	unsigned seconds;
	CHECK(after("Retry-After: 7\r\n") == 7);
	CHECK(after("A: b\r\nretry-after:\t120 \r\n") == 120);
	CHECK(after("Retry-After: 0\r\n") == 0);
	CHECK(after("Retry-After: -1\r\n") == 0 && after("Retry-After: +1\r\n") == 0 && after("Retry-After: 1.5\r\n") == 0);
	CHECK(after("Retry-After:\r\n") == 0 && after("Retry-After: soon\r\n") == 0 && after("A: b\r\n") == 0 && after("") == 0);
	CHECK(after("Retry-After: 4294967295\r\n") == UINT_MAX && after("Retry-After: 4294967296\r\n") == UINT_MAX);
	CHECK(after("Retry-After: 9999999999999999999\r\n") == UINT_MAX);
	CHECK(after("Retry-After: 99999999999999999999\r\n") == 0);
	CHECK(after("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n") == 0);
	text_put(&text, "Retry-After: ");
	clock_put_http(&text, clock_utc_s() + 100);
	text_put(&text, "\r\n");
	seconds = after(room);
	CHECK(seconds >= 98 && seconds <= 100);
}

/* Last: the signal stays. */
static void
a_signal_ends_the_wait(void)
{
	int64_t start = clock_ms();
	fault_clear(&fault);
	CHECK(stop_install(&fault));
	raise(SIGTERM);
	retry_open(&retry);
	fail(FAULT_NETWORK, ECONNRESET);
	CHECK(!retry_again(&retry, 60, &fault));
	CHECK(fault.kind == FAULT_STOPPED && fault.detail == SIGTERM && clock_ms() - start < 1000);
}

int
main(void)
{
	UNIT_RUN(knows_statuses);
	UNIT_RUN(knows_faults);
	UNIT_RUN(waits_and_gives_up);
	UNIT_RUN(does_not_wait_in_vain);
	UNIT_RUN(obeys_the_server);
	UNIT_RUN(spreads);
	UNIT_RUN(reads_retry_after);
	UNIT_RUN(a_signal_ends_the_wait);
	return unit_end();
}
