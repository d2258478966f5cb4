/* SPDX-License-Identifier: MIT */
/* Identities of modules. CodeView records: 'RSDS' GUID age path, 'NB10' offset time age path, and Breakpad's 'BpEL' with a
 * build id; the GNU build id is an ELF note (type 3, name GNU). */
#include "dump/space.h"
#include "dump/words.h"

#include "base/encode.h"

#include <inttypes.h>
#include <string.h>

#define RSDS 0x53445352u
#define NB10 0x3031424eu
#define BPEL 0x4270454cu
#define PHDRS_MOST 64
#define NOTES_MOST 32
#define PT_NOTE 4
#define BUILD_ID_NOTE 3

static uint32_t
codeview_kind(struct space *space, const struct module *module)
{
	uint32_t kind;
	if (module->codeview_at == 0 || module->codeview_size < 4 || !view_u32(&space->view, module->codeview_at, &kind))
		return 0;
	return kind;
}

/* The bytes of a GUID as Breakpad prints them: the first three fields are numbers. */
static void
put_guid(struct text *text, const unsigned char guid[16])
{
	static const unsigned char order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	for (size_t i = 0; i < sizeof order; i++)
		text_printf(text, "%02X", guid[order[i]]);
}

static bool
find_build_note(struct space *space, uint64_t at, uint64_t size, unsigned char room[SPACE_BUILD_ID_MAX], size_t *count)
{
	for (unsigned i = 0; i < NOTES_MOST && size >= 16; i++) {
		uint32_t name, desc, type, word;
		uint64_t whole;
		if (!space_u32(space, at, &name) || !space_u32(space, at + 4, &desc) || !space_u32(space, at + 8, &type)
		    || !space_u32(space, at + 12, &word))
			return false;
		if (type == BUILD_ID_NOTE && name == 4 && word == 0x554e47) {
			*count = desc < SPACE_BUILD_ID_MAX ? desc : SPACE_BUILD_ID_MAX;
			return desc > 0 && space_read(space, at + 16, room, *count);
		}
		whole = 12 + (((uint64_t)name + 3) & ~3ull) + (((uint64_t)desc + 3) & ~3ull);
		if (whole > size)
			return false;
		at += whole;
		size -= whole;
	}
	return false;
}

static size_t
build_id_in_memory(struct space *space, const struct module *module, unsigned char room[SPACE_BUILD_ID_MAX])
{
	uint32_t magic, type;
	uint64_t phdrs, address, size;
	uint16_t count;
	size_t found = 0;
	if (!space_u32(space, module->base, &magic) || magic != 0x464c457f || !space_u64(space, module->base + 32, &phdrs)
	    || !space_u16(space, module->base + 56, &count) || phdrs > module->size)
		return 0;
	for (uint64_t i = 0, at = module->base + phdrs; i < count && i < PHDRS_MOST; i++, at += 56) {
		if (!space_u32(space, at, &type) || !space_u64(space, at + 8, &address) || !space_u64(space, at + 32, &size))
			return 0;
		/* by file offset: notes lie in the first segment, which begins at the base */
		if (type == PT_NOTE && address < module->size && find_build_note(space, module->base + address, size, room, &found))
			return found;
	}
	return 0;
}

size_t
space_build_id(struct space *space, const struct module *module, unsigned char room[SPACE_BUILD_ID_MAX])
{
	size_t size;
	if (codeview_kind(space, module) != BPEL)
		return space->os == OS_WINDOWS ? 0 : build_id_in_memory(space, module, room);
	size = module->codeview_size - 4;
	if (size > SPACE_BUILD_ID_MAX)
		size = SPACE_BUILD_ID_MAX;
	return view_read(&space->view, module->codeview_at + 4, room, size) ? size : 0;
}

void
space_debug_id(struct space *space, const struct module *module, char room[48])
{
	unsigned char id[SPACE_BUILD_ID_MAX] = {0};
	struct text text = text_in(room, 48);
	uint32_t kind = codeview_kind(space, module), time, age;
	if (kind == RSDS && module->codeview_size >= 24 && view_read(&space->view, module->codeview_at + 4, id, 16)
	    && view_u32(&space->view, module->codeview_at + 20, &age)) {
		put_guid(&text, id);
		text_printf(&text, "%" PRIx32, age);
	} else if (kind == NB10 && module->codeview_size >= 16 && view_u32(&space->view, module->codeview_at + 8, &time)
	           && view_u32(&space->view, module->codeview_at + 12, &age)) {
		text_printf(&text, "%08" PRIX32 "%" PRIx32, time, age);
	} else if (space_build_id(space, module, id) > 0) {
		put_guid(&text, id);
		text_put(&text, "0");
	}
}

void
space_code_id(struct space *space, const struct module *module, char room[2 * SPACE_BUILD_ID_MAX + 1])
{
	unsigned char id[SPACE_BUILD_ID_MAX];
	struct text text = text_in(room, 2 * SPACE_BUILD_ID_MAX + 1);
	if (module->timestamp != 0)
		text_printf(&text, "%08" PRIX32 "%" PRIx64, module->timestamp, module->size);
	else
		encode_hex(&text, (struct span){id, space_build_id(space, module, id)});
}

void
space_debug_name(struct space *space, const struct module *module, char room[SPACE_NAME_MAX])
{
	uint32_t kind = codeview_kind(space, module), head = kind == RSDS ? 24 : 16;
	struct text text = text_in(room, SPACE_NAME_MAX);
	if ((kind == RSDS || kind == NB10) && module->codeview_size > head)
		words_put_utf8_at(&text, &space->view, module->codeview_at + head, module->codeview_size - head);
}
