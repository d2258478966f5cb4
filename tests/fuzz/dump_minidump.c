/* SPDX-License-Identifier: MIT */
/* A minidump as it lies in a file. */
#include "dump_any.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t count);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t count)
{
	if (count < 4 || memcmp(data, "MDMP", 4) != 0)
		return -1;
	return use_bytes(data, count);
}
