/* SPDX-License-Identifier: MIT */
/* --images DIR: bytes of modules that a small dump left out, from PE and ELF files of a folder. A file is found by the
 * module's name (DIR/name, DIR/lower case, DIR/name/TIMESTAMPSIZE/name as a symbol store has it, DIR/whole/path of ELF
 * files) and used only if its id is the module's: time stamp and size of image, or the GNU build id. */
#ifndef DUMP_IMAGES_H
#define DUMP_IMAGES_H

#include "dump/space.h"

#define IMAGES_FILES 32       /* open at once */
#define IMAGES_SECTIONS 96    /* of a file; further ones are not read */
#define IMAGES_PAGE 4096
#define IMAGES_PAGES 64

struct image_section {
	uint32_t rva, size;      /* of the bytes that are in the file */
	uint64_t offset;
};

struct image_file {
	uint64_t base;           /* of the module; the slot is empty without `known` */
	uint32_t age;
	bool known, found;       /* asked for before; fd is its file */
	int fd;
	uint64_t size;
	size_t section_count;
	struct image_section sections[IMAGES_SECTIONS];
};

struct image_page {
	uint64_t number; /* in the file */
	uint32_t used, age;
	int fd;          /* -1: empty */
};

struct images {
	struct space_images as_images; /* for space.images */
	/* the room's own */
	char folder[PATH_BYTES_MAX / 2];
	struct image_file files[IMAGES_FILES];
	struct image_page pages[IMAGES_PAGES];
	unsigned char *room;
	uint64_t budget;
	uint32_t clock;
	bool busy;       /* reading ids out of the dump must not come back here */
	/* for the report: how many modules a file was used for, how many had one of another id, or one whose id or their own
	 * is not known */
	unsigned found, other_id, unknown_id;
	char other_name[64], unknown_name[64]; /* of the first each */
};

size_t images_need(void); /* bytes that images_open takes of a memory */

/* FAULT_MISSING when there is no such folder, FAULT_USAGE when it is none or its path is too long. */
bool images_open(struct images *, struct memory *, const char *folder, struct fault *) MUST_CHECK;
void images_close(struct images *);

/* Names come from the dump: none may lead out of the folder. */
bool images_is_inside(const char *name);
void images_put_lower(struct text *, const char *words);

#endif
