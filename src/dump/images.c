/* SPDX-License-Identifier: MIT */
#include "dump/images.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUDGET (2ull << 30) /* bytes read in all */
#define NOTE_MOST 65536
#define PHDR_BYTES 56       /* Elf64_Phdr */
#define SECTION_BYTES 40    /* IMAGE_SECTION_HEADER */

/* Why files with a module's name were not used. */
struct mismatch {
	bool other;   /* one is of another build */
	bool unknown; /* the dump, or the file, does not tell its build */
};

struct place {
	struct images *images;
	int fd;
};

size_t
images_need(void)
{
	return memory_need(IMAGES_PAGES * IMAGES_PAGE, 4096);
}

/* The slot that holds a page of a file, filled if it was not. NULL: unreadable or the budget is used up. */
static struct image_page *
page_of(struct images *images, int fd, uint64_t number)
{
	struct image_page *oldest = &images->pages[0];
	ssize_t got;
	for (size_t i = 0; i < IMAGES_PAGES; i++) {
		struct image_page *page = &images->pages[i];
		if (page->fd == fd && page->number == number) {
			page->age = ++images->clock;
			return page;
		}
		if (page->age < oldest->age)
			oldest = page;
	}
	if (images->budget < IMAGES_PAGE)
		return NULL;
	images->budget -= IMAGES_PAGE;
	oldest->fd = -1;
	got = pread(fd, images->room + (size_t)(oldest - images->pages) * IMAGES_PAGE, IMAGES_PAGE, (off_t)(number * IMAGES_PAGE));
	if (got < 0)
		return NULL;
	*oldest = (struct image_page){number, (uint32_t)got, ++images->clock, fd};
	return oldest;
}

static bool
read_file(struct images *images, int fd, uint64_t offset, void *room, size_t size)
{
	unsigned char *to = room;
	if (offset > INT64_MAX - size)
		return false;
	while (size > 0) {
		const struct image_page *page = page_of(images, fd, offset / IMAGES_PAGE);
		size_t within = (size_t)(offset % IMAGES_PAGE), take;
		if (page == NULL || page->used <= within)
			return false;
		take = page->used - within < size ? page->used - within : size;
		memcpy(to, images->room + (size_t)(page - images->pages) * IMAGES_PAGE + within, take);
		to += take;
		offset += take;
		size -= take;
	}
	return true;
}

static bool
read_place(const struct place *place, uint64_t offset, void *room, size_t size)
{
	return read_file(place->images, place->fd, offset, room, size);
}

static uint32_t
u16_at(const unsigned char *at)
{
	uint16_t value = 0;
	(void)span_u16((struct span){at, 2}, 0, &value);
	return value;
}

static uint32_t
u32_at(const unsigned char *at)
{
	uint32_t value = 0;
	(void)span_u32((struct span){at, 4}, 0, &value);
	return value;
}

static uint64_t
u64_at(const unsigned char *at)
{
	uint64_t value = 0;
	(void)span_u64((struct span){at, 8}, 0, &value);
	return value;
}

/* One PT_NOTE of a file: is NT_GNU_BUILD_ID (3, name "GNU") in it? */
static size_t
find_build_id(const struct place *place, uint64_t at, uint64_t size, unsigned char id[SPACE_BUILD_ID_MAX])
{
	uint64_t end = at + (size < NOTE_MOST ? size : NOTE_MOST);
	unsigned char head[16];
	if (end < at)
		return 0;
	while (end - at >= sizeof head && read_place(place, at, head, sizeof head)) {
		uint64_t name = u32_at(head), described = u32_at(head + 4);
		uint64_t body = at + 12 + (name + 3) / 4 * 4;
		if (u32_at(head + 8) == 3 && name == 4 && memcmp(head + 12, "GNU", 4) == 0) {
			if (described == 0 || described > SPACE_BUILD_ID_MAX || !read_place(place, body, id, (size_t)described))
				return 0;
			return (size_t)described;
		}
		at = body + (described + 3) / 4 * 4;
		if (at > end)
			return 0;
	}
	return 0;
}

static size_t
read_build_id(const struct place *place, unsigned char id[SPACE_BUILD_ID_MAX])
{
	unsigned char head[64], segment[PHDR_BYTES];
	uint64_t at;
	if (!read_place(place, 0, head, sizeof head) || memcmp(head, "\x7f" "ELF\x02\x01", 6) != 0 || u16_at(head + 54) != PHDR_BYTES)
		return 0;
	at = u64_at(head + 32);
	for (uint32_t i = 0; i < u16_at(head + 56) && i < IMAGES_SECTIONS; i++) {
		size_t found;
		if (at > UINT32_MAX || !read_place(place, at + (uint64_t)i * PHDR_BYTES, segment, sizeof segment))
			return 0;
		if (u32_at(segment) != 4)
			continue;
		found = find_build_id(place, u64_at(segment + 8), u64_at(segment + 32), id);
		if (found > 0)
			return found;
	}
	return 0;
}

static void
add_section(struct image_file *file, uint64_t rva, uint64_t size, uint64_t offset)
{
	if (file->section_count == IMAGES_SECTIONS || size == 0 || rva > UINT32_MAX || size > UINT32_MAX)
		return;
	file->sections[file->section_count++] = (struct image_section){(uint32_t)rva, (uint32_t)size, offset};
}

static bool
read_pe_sections(const struct place *place, struct image_file *file, uint64_t at, uint32_t count, uint32_t headers)
{
	unsigned char section[SECTION_BYTES];
	add_section(file, 0, headers, 0);
	for (uint32_t i = 0; i < count && i < IMAGES_SECTIONS - 1; i++) {
		uint32_t size, raw;
		if (!read_place(place, at + (uint64_t)i * SECTION_BYTES, section, sizeof section))
			return false;
		size = u32_at(section + 8);
		raw = u32_at(section + 16);
		add_section(file, u32_at(section + 12), size != 0 && size < raw ? size : raw, u32_at(section + 20));
	}
	return true;
}

/* Time stamp and size of image are what symbol servers know a PE by; of one that is mapped as its file is, the size is the
 * file's. A core tells whole pages, and the size of a ReadyToRun image need not be such. In a core without a PE's headers there
 * is no stamp, and so nothing to know its file by. */
static bool
match_pe(const struct place *place, struct image_file *file, const struct module *module, struct mismatch *why)
{
	unsigned char dos[64], head[88];
	uint64_t at, size;
	if (!read_place(place, 0, dos, sizeof dos) || memcmp(dos, "MZ", 2) != 0)
		return false;
	at = u32_at(dos + 60);
	if (!read_place(place, at, head, sizeof head) || memcmp(head, "PE\0", 4) != 0)
		return false;
	size = module->is_flat ? file->size : u32_at(head + 24 + 56);
	if (u32_at(head + 8) != module->timestamp || (size != module->size && ((size + 0xfff) & ~0xfffull) != module->size)) {
		*(module->timestamp != 0 ? &why->other : &why->unknown) = true;
		return false;
	}
	if (module->is_flat) {
		add_section(file, 0, file->size, 0);
		return file->section_count > 0;
	}
	return read_pe_sections(place, file, at + 24 + u16_at(head + 20), u16_at(head + 6), u32_at(head + 24 + 60));
}

static bool
read_elf_segments(const struct place *place, struct image_file *file)
{
	unsigned char head[64], segment[PHDR_BYTES];
	uint64_t at, first = UINT64_MAX;
	if (!read_place(place, 0, head, sizeof head))
		return false;
	at = u64_at(head + 32);
	for (uint32_t i = 0; i < u16_at(head + 56) && i < IMAGES_SECTIONS; i++) {
		uint64_t address;
		if (at > UINT32_MAX || !read_place(place, at + (uint64_t)i * PHDR_BYTES, segment, sizeof segment))
			return false;
		if (u32_at(segment) != 1)
			continue;
		address = u64_at(segment + 16);
		if (first == UINT64_MAX)
			first = address & ~(uint64_t)0xfff;
		if (address >= first)
			add_section(file, address - first, u64_at(segment + 32), u64_at(segment + 8));
	}
	return file->section_count > 0;
}

static bool
match_elf(const struct place *place, struct image_file *file, struct space *space, const struct module *module, struct mismatch *why)
{
	unsigned char wanted[SPACE_BUILD_ID_MAX], got[SPACE_BUILD_ID_MAX];
	size_t want = space_build_id(space, module, wanted), have = read_build_id(place, got);
	if (have == 0 || want != have || memcmp(wanted, got, have) != 0) {
		*(want != 0 && have != 0 ? &why->other : &why->unknown) = true;
		return false;
	}
	return read_elf_segments(place, file);
}

static bool
is_elf(struct images *images, int fd)
{
	unsigned char magic[4];
	return read_file(images, fd, 0, magic, sizeof magic) && memcmp(magic, "\x7f" "ELF", 4) == 0;
}

/* A file number may come back for another file. */
static void
forget_pages(struct images *images, int fd)
{
	for (size_t i = 0; i < IMAGES_PAGES; i++)
		if (images->pages[i].fd == fd)
			images->pages[i] = (struct image_page){0, 0, 0, -1};
}

static void
drop(struct images *images, int fd)
{
	forget_pages(images, fd);
	close(fd);
}

static bool
try_path(struct images *images, struct image_file *file, struct space *space, const struct module *module, const char *path,
         struct mismatch *why)
{
	struct stat about;
	struct place place = {images, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	if (place.fd < 0)
		return false;
	file->section_count = 0;
	if (fstat(place.fd, &about) == 0 && S_ISREG(about.st_mode)) {
		file->size = (uint64_t)about.st_size;
		file->fd = place.fd;
		if (is_elf(images, place.fd) ? match_elf(&place, file, space, module, why) : match_pe(&place, file, module, why))
			return true;
	}
	file->fd = -1;
	drop(images, place.fd);
	return false;
}

bool
images_is_inside(const char *name)
{
	struct span rest = span_of(name), part;
	if (name[0] == 0 || strchr(name, '\\') != NULL)
		return false;
	while (span_cut(&rest, '/', &part))
		if (span_is(part, "..") || span_is(part, "."))
			return false;
	return true;
}

void
images_put_lower(struct text *text, const char *words)
{
	for (; *words != 0; words++)
		text_put_byte(text, *words >= 'A' && *words <= 'Z' ? (char)(*words + 32) : *words);
}

static bool
find_file(struct images *images, struct image_file *file, struct space *space, const struct module *module)
{
	char name[SPACE_NAME_MAX], path[PATH_BYTES_MAX];
	const char *last;
	struct mismatch why = {false, false};
	space_module_name(space, module, name);
	last = space_short_name(name);
	if (!images_is_inside(last))
		return false;
	for (unsigned way = 0; way < 5; way++) {
		struct text text = text_in(path, sizeof path);
		text_printf(&text, "%s/", images->folder);
		if (way == 0)
			text_put(&text, last);
		else if (way == 1)
			images_put_lower(&text, last);
		else if (way == 2)
			text_printf(&text, "%s/%08" PRIX32 "%" PRIx64 "/%s", last, module->timestamp, module->size, last);
		else if (way == 3)
			text_printf(&text, "%s/%08" PRIx32 "%" PRIx64 "/%s", last, module->timestamp, module->size, last);
		else if (name[0] == '/' && images_is_inside(name))
			text_put(&text, name);
		else
			continue;
		if (!text.cut && try_path(images, file, space, module, path, &why))
			return true;
	}
	if (why.other && images->other_id++ == 0)
		snprintf(images->other_name, sizeof images->other_name, "%.63s", last);
	else if (why.unknown && !why.other && images->unknown_id++ == 0)
		snprintf(images->unknown_name, sizeof images->unknown_name, "%.63s", last);
	return false;
}

static struct image_file *
file_of(struct images *images, struct space *space, const struct module *module)
{
	struct image_file *oldest = &images->files[0];
	for (size_t i = 0; i < IMAGES_FILES; i++) {
		struct image_file *file = &images->files[i];
		if (file->known && file->base == module->base) {
			file->age = ++images->clock;
			return file;
		}
		if (file->age < oldest->age)
			oldest = file;
	}
	if (oldest->found)
		drop(images, oldest->fd);
	*oldest = (struct image_file){.base = module->base, .age = ++images->clock, .known = true, .fd = -1};
	oldest->found = find_file(images, oldest, space, module);
	images->found += oldest->found;
	return oldest;
}

/* Sections need not adjoin in the file; what lies in none of them is not in the file either. */
static bool
read_sections(struct images *images, const struct image_file *file, uint64_t rva, void *room, size_t size)
{
	unsigned char *to = room;
	while (size > 0) {
		const struct image_section *section = NULL;
		size_t take;
		for (size_t i = 0; i < file->section_count && section == NULL; i++)
			if (rva >= file->sections[i].rva && rva - file->sections[i].rva < file->sections[i].size)
				section = &file->sections[i];
		if (section == NULL)
			return false;
		take = section->size - (size_t)(rva - section->rva);
		if (take > size)
			take = size;
		if (!read_file(images, file->fd, section->offset + (rva - section->rva), to, take))
			return false;
		to += take;
		rva += take;
		size -= take;
	}
	return true;
}

static bool
images_read(struct space_images *as_images, struct space *space, const struct module *module, uint64_t rva, void *room, size_t size)
{
	struct images *images = (struct images *)as_images;
	const struct image_file *file;
	if (images->busy || size > module->size || rva > module->size - size)
		return false;
	images->busy = true;
	file = file_of(images, space, module);
	images->busy = false;
	return file->found && read_sections(images, file, rva, room, size);
}

bool
images_open(struct images *images, struct memory *memory, const char *folder, struct fault *fault)
{
	struct stat about;
	memset(images, 0, sizeof *images);
	images->as_images.read = images_read;
	images->budget = BUDGET;
	images->room = memory_take(memory, IMAGES_PAGES * IMAGES_PAGE, 4096);
	for (size_t i = 0; i < IMAGES_PAGES; i++)
		images->pages[i].fd = -1;
	if (!text_keep(images->folder, sizeof images->folder, span_of(folder)))
		return fault_raise(fault, FAULT_USAGE, "--images: the folder's path is too long");
	if (stat(folder, &about) != 0)
		return fault_errno(fault, errno == ENOENT ? FAULT_MISSING : FAULT_SYSTEM, errno, "--images: opening %s", folder);
	if (!S_ISDIR(about.st_mode))
		return fault_raise(fault, FAULT_USAGE, "--images: %s is no folder", folder);
	return true;
}

void
images_close(struct images *images)
{
	for (size_t i = 0; i < IMAGES_FILES; i++)
		if (images->files[i].found)
			drop(images, images->files[i].fd);
	memset(images, 0, sizeof *images);
}
