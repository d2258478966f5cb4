/* SPDX-License-Identifier: MIT */
/* The names of a file being written: its folder, its temporary name, and the claim of the final one. For file.c. */
#ifndef BASE_FILE_PLACE_H
#define BASE_FILE_PLACE_H

#include "base/file.h"

/* Makes what folders are missing and the temporary file; fd, folder and temporary are set, overwrite was. After false
 * nothing is left. */
bool file_place_open(struct file_sink *, const char *path, struct fault *) MUST_CHECK;

/* Removes the temporary file, and what folders were made for it if nobody else uses them. */
void file_place_leave(struct file_sink *);

/* A path as a message shows it: of a very long one the end. */
const char *file_shown(const char *path);

/* FAULT_SYSTEM with errno, "doing path", and what to try. Always false. */
bool file_refuse(struct fault *, int error, const char *doing, const char *path);

#endif
