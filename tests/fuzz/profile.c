/* SPDX-License-Identifier: MIT */
/* Publish profiles: whatever the file holds, either a login comes out of it or words without any of it. */
#include "azure/profile.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profile profile;
	struct fault fault;
	fault_clear(&fault);
	memset(&profile, 'x', sizeof profile);
	if (profile_read(&profile, (struct span){data, size}, &fault)) {
		assert(fault.kind == FAULT_NONE && profile.user[0] != 0 && profile.password[0] != 0);
		assert(memchr(profile.scm, 0, sizeof profile.scm) != NULL && strncmp(profile.scm, "https://", 8) == 0);
		assert(memchr(profile.user, 0, sizeof profile.user) != NULL && strcmp(profile.password, "REDACTED") != 0);
		return 0;
	}
	assert(fault.kind == FAULT_USAGE && fault.text[0] != 0);
	for (size_t i = 0; i < sizeof profile; i++)
		assert(((const unsigned char *)&profile)[i] == 0);
	return 0;
}
