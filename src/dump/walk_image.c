/* SPDX-License-Identifier: MIT */
#include "dump/walk.h"

#include "dump/unwind_arm64.h"
#include "dump/unwind_x64.h"

const struct image *
walk_image(struct walker *walker, const struct module *module)
{
	struct image *image;
	for (unsigned i = 0; i < IMAGES_KEPT; i++)
		if (walker->images[i].module == module)
			return &walker->images[i];
	image = &walker->images[walker->next_image++ % IMAGES_KEPT];
	image->module = module;
	image->kind = IMAGE_NOT_READ;
	if (pe_open(&image->pe, walker->space, module->base))
		image->kind = IMAGE_PE;
	else if (elf_open(&image->elf, walker->space, module->base))
		image->kind = IMAGE_ELF;
	return image;
}

enum pe_found
walk_find(const struct pe *pe, struct space *space, uint32_t rva, struct pe_entry *entry, uint32_t *gap)
{
	return (space->arch == ARCH_ARM64 ? arm64_find : x64_find)(pe, space, rva, entry, gap);
}
