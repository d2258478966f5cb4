/* SPDX-License-Identifier: MIT */
#include "dump/view.h"

#include "base/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETS (VIEW_PAGES / VIEW_WAYS)
#define PAST_CACHE (4 * VIEW_PAGE) /* from here on a read of its own is cheaper than its pages */

size_t
view_need(void)
{
	return memory_need((size_t)VIEW_PAGES * VIEW_PAGE, VIEW_PAGE);
}

static void
start(struct view *view, struct memory *memory)
{
	memset(view, 0, sizeof *view);
	view->fd = -1;
	view->budget = VIEW_BUDGET;
	view->room = memory_take(memory, (size_t)VIEW_PAGES * VIEW_PAGE, VIEW_PAGE);
}

static bool
look_at(struct view *view, const char *path, struct fault *fault)
{
	struct stat about;
	if (fstat(view->fd, &about) != 0)
		return fault_errno(fault, FAULT_SYSTEM, errno, "reading %s", path);
	if (!S_ISREG(about.st_mode))
		return fault_raise(fault, FAULT_CORRUPT, "reading %s: it is no regular file", path);
	view->size = about.st_size < 0 ? 0 : (uint64_t)about.st_size;
	return true;
}

bool
view_open(struct view *view, struct memory *memory, const char *path, struct fault *fault)
{
	start(view, memory);
	view->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (view->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return fault_errno(fault, FAULT_MISSING, errno, "opening %s", path);
	if (view->fd < 0)
		return fault_errno(fault, FAULT_SYSTEM, errno, "opening %s", path);
	if (look_at(view, path, fault))
		return true;
	view_close(view);
	return false;
}

void
view_of_bytes(struct view *view, struct memory *memory, struct span bytes)
{
	start(view, memory);
	view->bytes = bytes;
	view->size = bytes.count;
}

void
view_close(struct view *view)
{
	if (view->fd >= 0)
		close(view->fd);
	view->fd = -1;
	view->bytes = (struct span){NULL, 0};
	view->size = 0;
}

bool
view_exhausted(const struct view *view)
{
	return view->budget == 0;
}

static bool
spend(struct view *view, uint64_t cost)
{
	if (cost < VIEW_COST_LEAST)
		cost = VIEW_COST_LEAST;
	if (cost > view->budget) {
		view->budget = 0;
		return false;
	}
	view->budget -= cost;
	return true;
}

/* From the file itself; the range lies within its size as it was at opening. */
static bool
fetch(struct view *view, uint64_t offset, unsigned char *room, size_t size)
{
	if (view->fd < 0) {
		memcpy(room, view->bytes.at + offset, size);
		return true;
	}
	while (size > 0) {
		ssize_t got = pread(view->fd, room, size, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		room += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return true;
}

/* The place in its set that a page has, or shall have: the least recently used. */
static size_t
place_of(const struct view *view, uint64_t number)
{
	size_t first = (size_t)(number % SETS) * VIEW_WAYS, oldest = first;
	for (size_t i = first; i < first + VIEW_WAYS; i++) {
		if (view->pages[i].number == number + 1)
			return i;
		if (view->pages[i].age < view->pages[oldest].age)
			oldest = i;
	}
	return oldest;
}

static const unsigned char *
page(struct view *view, uint64_t number)
{
	size_t place = place_of(view, number);
	struct view_page *about = &view->pages[place];
	unsigned char *room = view->room + place * VIEW_PAGE;
	if (about->number != number + 1) {
		uint64_t left = view->size - number * VIEW_PAGE;
		about->number = 0;
		about->age = 0;
		about->used = left < VIEW_PAGE ? (uint32_t)left : VIEW_PAGE;
		if (!spend(view, VIEW_PAGE) || !fetch(view, number * VIEW_PAGE, room, about->used))
			return NULL;
		about->number = number + 1;
	}
	about->age = ++view->clock;
	return room;
}

bool
view_read(struct view *view, uint64_t offset, void *room, size_t size)
{
	unsigned char *to = room;
	if (offset > view->size || size > view->size - offset || !spend(view, size))
		return false;
	if (size >= PAST_CACHE)
		return fetch(view, offset, to, size);
	while (size > 0) {
		size_t within = (size_t)(offset % VIEW_PAGE), take = VIEW_PAGE - within;
		const unsigned char *from = page(view, offset / VIEW_PAGE);
		if (from == NULL)
			return false;
		if (take > size)
			take = size;
		memcpy(to, from + within, take);
		to += take;
		offset += take;
		size -= take;
	}
	return true;
}

bool
view_u32(struct view *view, uint64_t offset, uint32_t *value)
{
	unsigned char bytes[4];
	return view_read(view, offset, bytes, sizeof bytes) && span_u32((struct span){bytes, sizeof bytes}, 0, value);
}
