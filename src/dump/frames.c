/* SPDX-License-Identifier: MIT */
#include "dump/frames.h"

#include <string.h>

#define GROUP_MOST 16        /* frames of a repeating group */
#define REPEATS_LEAST 6      /* of a group before it is folded */

const char *
frame_trust_name(enum frame_trust trust)
{
	static const char *const names[] = {"context", "pdata", "cfi", "fp", "scan"};
	return names[trust];
}

static bool
same_place(const struct frame *a, const struct frame *b)
{
	return a->pc == b->pc;
}

/* Whether the last `size` frames equal those before them, `times` times. */
static bool
repeats(const struct frames *frames, size_t from, size_t size, size_t times)
{
	const struct frame *last = frames->list + frames->count;
	if (frames->count < from + size * (times + 1))
		return false;
	for (size_t i = 1; i <= size * times; i++)
		if (!same_place(last - i, last - i - size))
			return false;
	return true;
}

void
frames_fold(struct frames *frames)
{
	size_t from = frames->left_out > 0 ? FRAMES_TOP : 0;
	for (size_t size = 1; size <= GROUP_MOST; size++) {
		struct frame *group;
		size_t times = 1;
		if (frames->count < from + 2 * size)
			return;
		group = frames->list + frames->count - 2 * size;
		if (group->repeated == 0 || group->repeated_group != size)
			times = REPEATS_LEAST;
		if (!repeats(frames, from, size, times))
			continue;
		frames->count -= size * times;
		group = frames->list + frames->count - size;
		for (size_t i = 0; i < size; i++) {
			group[i].repeated += (uint32_t)times;
			group[i].repeated_group = (uint32_t)size;
		}
		return;
	}
}

struct frame *
frames_add(struct frames *frames)
{
	if (frames->count == FRAMES_MAX) {
		memmove(frames->list + FRAMES_TOP, frames->list + FRAMES_TOP + 1,
		        (FRAMES_MAX - FRAMES_TOP - 1) * sizeof frames->list[0]);
		frames->count--;
		frames->left_out++;
	}
	return &frames->list[frames->count++];
}
