/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level level = LOG_NORMAL;
static void (*erase)(void), (*redraw)(void);

void
log_open(enum log_level wanted)
{
	level = wanted;
}

bool
log_is_verbose(void)
{
	return level == LOG_VERBOSE;
}

void
log_around(void (*before)(void), void (*after)(void))
{
	pthread_mutex_lock(&lock);
	erase = before;
	redraw = after;
	pthread_mutex_unlock(&lock);
}

void
log_locked(void (*draw)(void))
{
	pthread_mutex_lock(&lock);
	draw();
	pthread_mutex_unlock(&lock);
}

static void
emit(const char *before, const char *words)
{
	char line[FAULT_TEXT_MAX + 64];
	struct text text = text_in(line, sizeof line - 1);
	text_put(&text, before);
	text_put_tame(&text, span_of(words));
	line[text.used] = '\n';
	for (size_t at = 0; at <= text.used;) {
		ssize_t put = write(STDERR_FILENO, line + at, text.used + 1 - at);
		if (put > 0)
			at += (size_t)put;
		else if (put == 0 || errno != EINTR)
			return; /* nobody is left to be told */
	}
}

PRINTF_LIKE(1, 0)
static void
say(const char *format, va_list words)
{
	char line[FAULT_TEXT_MAX];
	vsnprintf(line, sizeof line, format, words);
	pthread_mutex_lock(&lock);
	if (erase != NULL)
		erase();
	emit("kudump: ", line);
	if (redraw != NULL)
		redraw();
	pthread_mutex_unlock(&lock);
}

void
log_note(const char *format, ...)
{
	va_list words;
	if (level == LOG_QUIET)
		return;
	va_start(words, format);
	say(format, words);
	va_end(words);
}

void
log_verbose(const char *format, ...)
{
	va_list words;
	if (level != LOG_VERBOSE)
		return;
	va_start(words, format);
	say(format, words);
	va_end(words);
}

void
log_fault(const struct fault *fault)
{
	pthread_mutex_lock(&lock);
	if (erase != NULL)
		erase();
	emit("kudump: ", fault->text);
	if (fault->hint[0] != 0)
		emit("hint: ", fault->hint);
	if (redraw != NULL)
		redraw();
	pthread_mutex_unlock(&lock);
}
