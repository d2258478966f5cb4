/* SPDX-License-Identifier: MIT */
#include "cmd/progress_line.h"

#include "base/deadline.h"
#include "base/linux.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_ROOM 512
#define DRAW_MS 250
#define SMOOTH 0.2 /* weight of the newest rate */

/* Per worker: what was seen last, for the rate. */
struct seen {
	uint64_t bytes;
	int64_t at_ms;
	double rate; /* bytes a ms */
};

static struct {
	struct progress_view (*look)(void *state, unsigned i);
	void *state;
	unsigned count;
	unsigned drawn; /* lines on the screen */
	struct seen seen[JOBS_MAX];
} shown;

static bool
is_possible(void)
{
	const char *kind = getenv("TERM");
	return isatty(STDERR_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0;
}

static void
put_clock(struct text *text, int64_t ms)
{
	int64_t s = ms / 1000;
	if (s >= 3600)
		text_printf(text, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
	else
		text_printf(text, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

static void
follow(struct seen *seen, const struct progress_view *view)
{
	int64_t now = clock_ms(), passed = now - seen->at_ms;
	if (view->bytes < seen->bytes || view->bytes == 0) {
		*seen = (struct seen){view->bytes, now, 0};
	} else if (passed >= 200) {
		double newest = (double)(view->bytes - seen->bytes) / (double)passed;
		seen->rate = seen->rate == 0 ? newest : seen->rate * (1 - SMOOTH) + newest * SMOOTH;
		seen->bytes = view->bytes;
		seen->at_ms = now;
	}
}

static void
put_streaming(struct text *text, const struct progress_view *view, double rate)
{
	text_put_size(text, view->bytes);
	if (view->length > 0) {
		text_put(text, " of ");
		text_put_size(text, view->length);
		text_printf(text, "  %.0f %%", 100.0 * (double)view->bytes / (double)view->length);
	}
	if (view->length > 0 && view->bytes >= view->length) {
		text_put(text, "  making it durable");
		return;
	}
	text_put(text, "  ");
	text_put_size(text, (uint64_t)(rate * 1000));
	text_put(text, "/s");
	if (view->length > view->bytes && rate > 0) {
		text_put(text, "  ");
		put_clock(text, (int64_t)((double)(view->length - view->bytes) / rate));
		text_put(text, " left");
	}
}

static void
put_line(struct text *text, const struct progress_view *view, double rate)
{
	text_put_tame(text, span_of(view->label));
	text_put(text, "  ");
	switch (view->phase) {
	case PHASE_IDLE:
		break;
	case PHASE_LISTING:
		text_put(text, "finding the processes");
		break;
	case PHASE_CHECKING:
		text_put(text, "asking the destination");
		break;
	case PHASE_WRITING:
		text_put(text, "kudu is writing the dump (");
		put_clock(text, view->for_ms);
		text_put(text, ")");
		break;
	case PHASE_STREAMING:
		put_streaming(text, view, rate);
		break;
	}
}

/* No more than fits, counted in characters. */
static void
cut_to(struct text *text, unsigned columns)
{
	unsigned wide = 0;
	for (size_t i = 0; i < text->used; i++)
		if ((text->at[i] & 0xc0) != 0x80 && ++wide > columns) {
			text->used = i;
			text->at[i] = 0;
			return;
		}
}

static void
emit(const struct text *text)
{
	ssize_t done = write(STDERR_FILENO, text->at, text->used);
	(void)done; /* a terminal that is gone need not be told */
}

static void
erase(void)
{
	char room[64];
	struct text text = text_in(room, sizeof room);
	if (shown.drawn == 0)
		return;
	text_put(&text, "\r");
	if (shown.drawn > 1)
		text_printf(&text, "\033[%uA", shown.drawn - 1);
	text_put(&text, "\033[J");
	emit(&text);
	shown.drawn = 0;
}

static void
draw(void)
{
	unsigned columns = terminal_columns(STDERR_FILENO);
	erase();
	for (unsigned i = 0; i < shown.count; i++) {
		char room[LINE_ROOM];
		struct text text = text_in(room, sizeof room);
		struct progress_view view = shown.look(shown.state, i);
		follow(&shown.seen[i], &view);
		if (view.phase == PHASE_IDLE)
			continue;
		put_line(&text, &view, shown.seen[i].rate);
		cut_to(&text, columns - 1);
		if (shown.drawn++ > 0)
			emit(&(struct text){"\n", 1, 2, false});
		emit(&text);
	}
}

void
progress_line_hide(void)
{
	log_locked(erase);
}

static void
begin(const struct progress_subject *subject)
{
	memset(&shown, 0, sizeof shown);
	shown.look = subject->look;
	shown.state = subject->state;
	shown.count = subject->count < JOBS_MAX ? subject->count : JOBS_MAX;
	log_around(erase, draw);
}

void
progress_line_follow(const struct progress_subject *subject, bool wanted)
{
	bool draws = wanted && is_possible();
	if (draws)
		begin(subject);
	while (!subject->wait(subject->state, DRAW_MS))
		if (draws)
			log_locked(draw);
	if (draws) {
		log_around(NULL, NULL);
		erase();
	}
}
