/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/deadline.h"

#include <time.h>

static void
test_deadlines(void)
{
	struct deadline soon = deadline_in(5000), later = deadline_in(9000);
	int64_t left = deadline_left_ms(soon);
	CHECK(left > 4000 && left <= 5000 && !deadline_passed(soon));
	CHECK(deadline_sooner(soon, later).at_ms == soon.at_ms && deadline_sooner(later, soon).at_ms == soon.at_ms);
	CHECK(deadline_sooner(deadline_never(), soon).at_ms == soon.at_ms);
	CHECK(deadline_passed(deadline_in(0)) && deadline_passed(deadline_in(-1)) && deadline_left_ms(deadline_in(-5000)) == 0);
	CHECK(!deadline_passed(deadline_never()) && deadline_left_ms(deadline_never()) > INT64_MAX / 2);
	CHECK(deadline_in(INT64_MAX).at_ms == INT64_MAX && deadline_in(INT64_MAX - 1).at_ms == INT64_MAX);
}

static void
test_passes(void)
{
	struct deadline deadline = deadline_in(20);
	int64_t from = clock_ms();
	struct timespec pause = {0, 5000000};
	while (!deadline_passed(deadline))
		nanosleep(&pause, NULL);
	CHECK(clock_ms() - from >= 19 && deadline_left_ms(deadline) == 0);
}

static const char *
put(void (*form)(struct text *, int64_t), int64_t utc_s)
{
	static char room[64];
	struct text text = text_in(room, sizeof room);
	form(&text, utc_s);
	return room;
}

static void
test_forms(void)
{
	CHECK_TEXT(put(clock_put_http, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT"); /* the RFC's own */
	CHECK_TEXT(put(clock_put_iso, 0), "1970-01-01T00:00:00Z");
	CHECK_TEXT(put(clock_put_iso, 1795269933), "2026-11-21T14:05:33Z");
	CHECK_TEXT(put(clock_put_date, 1795269933), "2026-11-21");
	CHECK_TEXT(put(clock_put_time, 1795269933), "140533Z");
	CHECK_TEXT(put(clock_put_iso, 4294967296), "2106-02-07T06:28:16Z");
}

/* About every 11 hours from 1900 to 2200, there and back, and against the C library's calendar on the way. */
static void
test_there_and_back(void)
{
	for (int64_t at = -2208988800; at < 7258118400; at += 40009) {
		int64_t iso = 0, http = 0;
		bool read = clock_read_iso(span_of(put(clock_put_iso, at)), &iso) && clock_read_http(span_of(put(clock_put_http, at)), &http);
		if (!read || iso != at || http != at) {
			CHECK(read && iso == at && http == at);
			return;
		}
	}
}

static bool
http(const char *words, int64_t wanted)
{
	int64_t got = -1;
	return clock_read_http(span_of(words), &got) && got == wanted;
}

static bool
iso(const char *words, int64_t wanted)
{
	int64_t got = -1;
	return clock_read_iso(span_of(words), &got) && got == wanted;
}

static void
test_read(void)
{
	CHECK(http("Sun, 06 Nov 1994 08:49:37 GMT", 784111777));
	CHECK(http("Thu, 29 Feb 2024 23:59:60 GMT", 1709251200));
	CHECK(iso("2024-09-04T09:12:44.1873214Z", 1725441164));
	CHECK(iso("2024-09-04T09:12:44Z", 1725441164));
	CHECK(iso("2024-09-04T09:12Z", 1725441120));
	CHECK(iso("2024-09-04T09:12:44+00:00", 1725441164));
	CHECK(iso("2024-09-04", 1725408000));
	CHECK(iso("2000-02-29", 951782400));
	CHECK(iso("0001-01-01T00:00:00", -1) == false && iso("0001-01-01T00:00:00Z", -62135596800));
}

static void
test_refused(void)
{
	static const char *const https[] = {"", ",", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 -8:49:37 GMT", "Sun, 06 N"};
	static const char *const isos[] = {"", "2024", "2024-9-04", "2024-13-01", "2024-00-10", "2024-02-30", "2023-02-29", "1900-02-29", "2024-04-31",
		"2024-09-04T", "2024-09-04T09", "2024-09-04T09:12:44", "2024-09-04T09:12:44z", "2024-09-04T09:12:44+01:00", "2024-09-04T24:00:00Z",
		"2024-09-04T09:12:44Z ", "2024-09-04 09:12:44Z", "0000-01-01", "2024-09-04T09:12:44.Z", "20240904", "2024-09-04Z"};
	int64_t got;
	for (size_t i = 0; i < sizeof https / sizeof https[0]; i++) {
		bool read = clock_read_http(span_of(https[i]), &got);
		if (read)
			fprintf(stderr, "read: %s\n", https[i]);
		CHECK(!read);
	}
	for (size_t i = 0; i < sizeof isos / sizeof isos[0]; i++) {
		bool read = clock_read_iso(span_of(isos[i]), &got);
		if (read)
			fprintf(stderr, "read: %s\n", isos[i]);
		CHECK(!read);
	}
	CHECK(!clock_read_iso((struct span){NULL, 0}, &got) && !clock_read_http((struct span){NULL, 0}, &got));
}

static void
test_now(void)
{
	CHECK(clock_utc_s() > 1700000000 && clock_ms() >= 0);
}

int
main(void)
{
	UNIT_RUN(test_deadlines);
	UNIT_RUN(test_passes);
	UNIT_RUN(test_forms);
	UNIT_RUN(test_there_and_back);
	UNIT_RUN(test_read);
	UNIT_RUN(test_refused);
	UNIT_RUN(test_now);
	return unit_end();
}
