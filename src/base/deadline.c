/* SPDX-License-Identifier: MIT */
#include "base/deadline.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int64_t
clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct deadline
deadline_in(int64_t ms)
{
	int64_t now = clock_ms();
	return (struct deadline){ms < INT64_MAX - now ? now + ms : INT64_MAX};
}

struct deadline
deadline_never(void)
{
	return (struct deadline){INT64_MAX};
}

struct deadline
deadline_sooner(struct deadline a, struct deadline b)
{
	return a.at_ms < b.at_ms ? a : b;
}

int64_t
deadline_left_ms(struct deadline deadline)
{
	int64_t now = clock_ms();
	return deadline.at_ms > now ? deadline.at_ms - now : 0;
}

bool
deadline_passed(struct deadline deadline)
{
	return deadline_left_ms(deadline) == 0;
}

int64_t
clock_utc_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

struct date {
	int64_t year;
	int month, day, weekday, hour, minute, second; /* month and day from 1, weekday from Sunday = 0 */
};

/* The inverse of days_of. (gmtime_r would bring musl's time zones into the program.) */
static struct date
broken_down(int64_t utc_s)
{
	int64_t days = utc_s / 86400, second = utc_s % 86400, era, in_era, year, in_year, month;
	if (second < 0) {
		second += 86400;
		days--;
	}
	era = days + 719468; /* days since 1 March of the year 0 */
	in_era = (era % 146097 + 146097) % 146097;
	year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	in_year = in_era - (365 * year + year / 4 - year / 100);
	month = (5 * in_year + 2) / 153;
	return (struct date){
		year + (era - in_era) / 146097 * 400 + (month >= 10), (int)(month < 10 ? month + 3 : month - 9),
		(int)(in_year - (153 * month + 2) / 5 + 1), (int)((days % 7 + 11) % 7), (int)(second / 3600),
		(int)(second / 60 % 60), (int)(second % 60)};
}

void
clock_put_http(struct text *text, int64_t utc_s)
{
	struct date t = broken_down(utc_s);
	text_printf(text, "%s, %02d %s %04" PRId64 " %02d:%02d:%02d GMT", weekdays[t.weekday], t.day, months[t.month - 1], t.year,
	            t.hour, t.minute, t.second);
}

void
clock_put_iso(struct text *text, int64_t utc_s)
{
	struct date t = broken_down(utc_s);
	text_printf(text, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02dZ", t.year, t.month, t.day, t.hour, t.minute, t.second);
}

void
clock_put_date(struct text *text, int64_t utc_s)
{
	struct date t = broken_down(utc_s);
	text_printf(text, "%04" PRId64 "-%02d-%02d", t.year, t.month, t.day);
}

void
clock_put_time(struct text *text, int64_t utc_s)
{
	struct date t = broken_down(utc_s);
	text_printf(text, "%02d%02d%02dZ", t.hour, t.minute, t.second);
}

/* Days since 1970 of a Gregorian date; the year begins in March so that the leap day is its last. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;
	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

/* `digits` decimal digits at *rest, moved behind them. */
static bool
number(struct span *rest, size_t digits, int64_t *value)
{
	uint64_t wide;
	if (rest->count < digits || !span_decimal(span_first(*rest, digits), &wide))
		return false;
	*value = (int64_t)wide;
	*rest = span_from(*rest, digits);
	return true;
}

static bool
skip(struct span *rest, const char *words)
{
	if (!span_begins(*rest, words))
		return false;
	*rest = span_from(*rest, strlen(words));
	return true;
}

/* At least one. */
static bool
skip_digits(struct span *rest)
{
	size_t before = rest->count;
	while (rest->count > 0 && rest->at[0] >= '0' && rest->at[0] <= '9')
		*rest = span_from(*rest, 1);
	return rest->count < before;
}

static int64_t
days_in(int64_t year, int64_t month)
{
	return month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

static bool
assemble(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute, int64_t second, int64_t *utc_s)
{
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*utc_s = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}

bool
clock_read_http(struct span from, int64_t *utc_s)
{
	int64_t day, month = 0, year, hour, minute, second;
	size_t comma;
	if (!span_find_byte(from, ',', &comma))
		return false;
	from = span_from(from, comma + 1);
	if (!skip(&from, " ") || !number(&from, 2, &day) || !skip(&from, " "))
		return false;
	for (int64_t i = 0; i < 12; i++)
		if (span_begins(from, months[i]))
			month = i + 1;
	from = span_from(from, 3);
	return month != 0 && skip(&from, " ") && number(&from, 4, &year) && skip(&from, " ") && number(&from, 2, &hour) &&
	       skip(&from, ":") && number(&from, 2, &minute) && skip(&from, ":") && number(&from, 2, &second) &&
	       skip(&from, " GMT") && from.count == 0 && assemble(year, month, day, hour, minute, second, utc_s);
}

bool
clock_read_iso(struct span from, int64_t *utc_s)
{
	int64_t year, month, day, hour = 0, minute = 0, second = 0;
	if (!number(&from, 4, &year) || !skip(&from, "-") || !number(&from, 2, &month) || !skip(&from, "-") ||
	    !number(&from, 2, &day))
		return false;
	if (skip(&from, "T")) {
		if (!number(&from, 2, &hour) || !skip(&from, ":") || !number(&from, 2, &minute))
			return false;
		if (skip(&from, ":") && !number(&from, 2, &second))
			return false;
		if (skip(&from, ".") && !skip_digits(&from))
			return false;
		if (!skip(&from, "Z") && !skip(&from, "+00:00"))
			return false;
	}
	return from.count == 0 && assemble(year, month, day, hour, minute, second, utc_s);
}
