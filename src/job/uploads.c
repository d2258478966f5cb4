/* SPDX-License-Identifier: MIT */
#include "job/uploads.h"

#include "base/stop.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void
upload_one(struct uploads *uploads, const char *file)
{
	struct fault fault;
	const char *name = uploads->name != NULL ? uploads->name : original_name(file);
	bool done;
	fault_clear(&fault);
	if (strcmp(file, "-") == 0)
		done = upload_stream(&uploads->upload, STDIN_FILENO, name, &fault);
	else
		done = upload_file(&uploads->upload, file, name, &fault);
	uploads->report(uploads->state, &uploads->upload, file, done ? &(struct fault){.kind = FAULT_NONE} : &fault);
}

static void *
work(void *state)
{
	struct uploads *uploads = state;
	while (uploads->next < uploads->count && stop_signal() == 0)
		upload_one(uploads, uploads->files[uploads->next++]);
	pthread_mutex_lock(&uploads->lock);
	uploads->done = true;
	pthread_cond_signal(&uploads->ended);
	pthread_mutex_unlock(&uploads->lock);
	return NULL;
}

bool
uploads_start(struct uploads *uploads, const struct upload_means *means, struct fault *fault)
{
	pthread_condattr_t how;
	pthread_attr_t size;
	int error;
	uploads->upload.means = means;
	if (!progress_open(&uploads->upload.progress, fault))
		return false;
	if (pthread_condattr_init(&how) != 0 || pthread_condattr_setclock(&how, CLOCK_MONOTONIC) != 0 ||
	    pthread_mutex_init(&uploads->lock, NULL) != 0 || pthread_cond_init(&uploads->ended, &how) != 0)
		return fault_raise(fault, FAULT_SYSTEM, "making a lock");
	error = pthread_attr_init(&size);
	if (error == 0)
		error = pthread_attr_setstacksize(&size, THREAD_STACK);
	if (error == 0)
		error = pthread_create(&uploads->thread, &size, work, uploads);
	return error == 0 || fault_errno(fault, FAULT_SYSTEM, error, "starting a thread");
}

bool
uploads_wait(struct uploads *uploads, int64_t ms)
{
	int64_t until = deadline_in(ms).at_ms;
	struct timespec at = {(time_t)(until / 1000), (long)(until % 1000) * 1000000};
	bool done;
	pthread_mutex_lock(&uploads->lock);
	while (!uploads->done && pthread_cond_timedwait(&uploads->ended, &uploads->lock, &at) != ETIMEDOUT)
		;
	done = uploads->done;
	pthread_mutex_unlock(&uploads->lock);
	return done;
}

void
uploads_join(struct uploads *uploads)
{
	pthread_join(uploads->thread, NULL);
}
