/* SPDX-License-Identifier: MIT */
/* The type of a thrown C++ object, and its what() where it is a string. For dump/reason. */
#ifndef DUMP_REASON_CPP_H
#define DUMP_REASON_CPP_H

#include "dump/space.h"

/* Puts "std::runtime_error: text" or only the type; false: nothing can be had. */
bool reason_put_cpp(struct text *, struct space *) MUST_CHECK;

#endif
