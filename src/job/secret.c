/* SPDX-License-Identifier: MIT */
#include "job/secret.h"

#include "base/file.h"

#include <string.h>

bool
secret_is_reference(const char *words)
{
	static const char *const kinds[] = {"env:", "file:", "vault:https://"};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (span_begins(span_of(words), kinds[i]) && words[strlen(kinds[i])] != 0)
			return true;
	return false;
}

static bool
from_environment(const char *name, char *room, size_t size, struct fault *fault)
{
	const char *value = text_environment(name);
	if (value == NULL)
		return fault_raise(fault, FAULT_USAGE, "%s is not set", name);
	return text_keep(room, size, span_of(value)) || fault_raise(fault, FAULT_BOUND, "%s is too long", name);
}

bool
secret_read_file(const char *path, char *room, size_t size, struct fault *fault)
{
	size_t count = 0;
	if (!file_read_whole(path, room, size - 1, &count, fault))
		return false;
	room[count] = 0;
	room[strcspn(room, "\r\n")] = 0;
	return room[0] != 0 || fault_raise(fault, FAULT_USAGE, "%s has no first line", path);
}

bool
secret_read(const char *reference, const struct secret_means *means, char *room, size_t size, struct fault *fault)
{
	room[0] = 0;
	if (strncmp(reference, "env:", 4) == 0)
		return from_environment(reference + 4, room, size, fault);
	if (strncmp(reference, "file:", 5) == 0)
		return secret_read_file(reference + 5, room, size, fault);
	if (means->vault != NULL)
		return means->vault(means->state, reference + 6, room, size, fault);
	fault_raise(fault, FAULT_UNABLE, "a vault: reference needs an identity that may read the vault");
	return fault_hint(fault, "use env:NAME or file:PATH");
}
