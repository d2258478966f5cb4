/* SPDX-License-Identifier: MIT */
/* What may stand in a config, and what its values must be. For job/config alone. */
#ifndef JOB_CONFIG_RULES_H
#define JOB_CONFIG_RULES_H

#include "job/config.h"

enum rule_kind { RULE_TEXT, RULE_FLAG, RULE_WORDS, RULE_COUNT, RULE_BYTES, RULE_OBJECT, RULE_OBJECTS, RULE_NAMED };

struct config_rule {
	const char *name;
	enum rule_kind kind;
	size_t place;                      /* in the struct of its object */
	uint64_t least, most;              /* of a number; most entries of rows */
	const struct config_rule *inside;  /* of objects */
	size_t size, count_place, row_place; /* of rows: of one; where they are counted; where a row keeps its own place */
};

/* Of the file itself; NULL ends a table. At most 32 in one. */
extern const struct config_rule config_rules[];

void config_mistake(struct config *, size_t place, const char *format, ...) PRINTF_LIKE(3, 4);

/* Gives a row of a RULE_NAMED its name, which no other may have. */
void config_name_row(struct config *, const struct config_rule *, void *row, const char *name);

/* All that is not a matter of one value: defaults, references, addresses, secrets. */
void config_check(struct config *);

#endif
