/* SPDX-License-Identifier: MIT */
#include "http/retry.h"

#include "base/linux.h"
#include "base/log.h"
#include "http/body.h"
#include "net/wait.h"

#include <errno.h>
#include <limits.h>

void
retry_open(struct retry *retry)
{
	*retry = (struct retry){0, RETRY_TRIES, RETRY_FIRST_MS, RETRY_MOST_MS, 0};
}

bool
retry_status_is_transient(int status)
{
	return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

bool
retry_is_transient(const struct fault *fault)
{
	if (fault->kind == FAULT_TIMEOUT)
		return true;
	if (fault->kind == FAULT_CORRUPT)
		return fault->detail == ECONNRESET;
	if (fault->kind == FAULT_BUSY)
		return fault->detail == 429; /* too many requests */
	if (fault->kind != FAULT_NETWORK)
		return false;
	/* Linux's numbers of errors end below 200, where final statuses begin */
	return fault->detail >= 200 ? retry_status_is_transient(fault->detail) : fault->detail != 0;
}

/* Between half of it and all of it, so that many clients that failed together do not come back together. */
static int64_t
jittered(int64_t ms)
{
	struct fault ignored;
	uint32_t random;
	fault_clear(&ignored);
	if (!random_bytes(&random, sizeof random, &ignored))
		random = (uint32_t)clock_ms() * 2654435761u;
	return ms / 2 + (int64_t)(random % (uint32_t)(ms - ms / 2 + 1));
}

static int64_t
next_wait_ms(const struct retry *retry, unsigned wish_s)
{
	int64_t ms = retry->first_ms;
	int64_t wish_ms = (int64_t)wish_s * 1000;
	for (unsigned i = 1; i < retry->tries && ms < retry->most_ms; i++)
		ms *= 2;
	if (ms > retry->most_ms)
		ms = retry->most_ms;
	ms = jittered(ms);
	return ms > wish_ms ? ms : wish_ms;
}

bool
retry_again(struct retry *retry, unsigned wish_s, struct fault *fault)
{
	char words[32];
	struct text time = text_in(words, sizeof words);
	int64_t ms;
	retry->tries++;
	if (!retry_is_transient(fault))
		return false;
	if (retry->tries >= retry->most)
		return retry->tries == 1 ? false : fault_while(fault, "given up after %u tries", retry->tries);
	if (wish_s > RETRY_AFTER_MOST_S)
		return fault_while(fault, "given up, as the server wants %u s of patience", wish_s);
	ms = next_wait_ms(retry, wish_s);
	http_put_ms(&time, ms);
	log_verbose("%s; trying again in %s", fault->text, words);
	retry->waited_ms += ms;
	fault_clear(fault);
	return wait_until(deadline_in(ms), fault);
}

unsigned
retry_after_s(const struct http_head *head)
{
	struct span value;
	uint64_t seconds;
	int64_t at_s, now_s = clock_utc_s();
	if (!http_head_find(head, "Retry-After", 0, &value))
		return 0;
	if (clock_read_http(value, &at_s))
		seconds = at_s > now_s ? (uint64_t)(at_s - now_s) : 0;
	else if (!span_decimal(value, &seconds))
		return 0;
	return seconds > UINT_MAX ? UINT_MAX : (unsigned)seconds;
}
