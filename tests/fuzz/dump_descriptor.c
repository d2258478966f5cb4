/* SPDX-License-Identifier: MIT */
/* The JSON by which a .NET runtime describes itself: what is taken from it stays within its limits, and a text that was
 * taken is valid however it is cut. */
#include "dump/clr_descriptor.h"

#include <stdlib.h>
#include <string.h>

static struct clr_descriptor whole, again;

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	struct span json = {data, count};
	bool good;
	if (count > CLR_DESCRIPTOR_BYTES)
		return 0;
	good = clr_descriptor_parse(&whole, json);
	if (good && clr_descriptor_parse(&again, span_first(json, count - 1)) && data[count - 1] > ' ')
		abort();
	for (size_t i = 0; i < CLR_FIELDS; i++)
		if (whole.has_field[i] ? whole.offsets[i] > 0x100000 : whole.offsets[i] != 0)
			abort();
	if (memchr(whole.thread_contract, 0, sizeof whole.thread_contract) == NULL)
		abort();
	return 0;
}
