/* SPDX-License-Identifier: MIT */
#include "net/dns.h"

#include <string.h>

enum { HEADER = 12, TYPE_CNAME = 5, TYPE_OPT = 41, CLASS_IN = 1, LABEL_MAX = 63 };
enum { RCODE_FORMERR = 1, RCODE_NXDOMAIN = 3, RCODE_NOTIMP = 4 };

static unsigned
big16(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void
put16(struct dns_question *question, unsigned value)
{
	question->wire[question->count++] = (unsigned char)(value >> 8);
	question->wire[question->count++] = (unsigned char)value;
}

static bool
put_name(struct dns_question *question, struct span name)
{
	struct span label;
	size_t start = question->count;
	if (name.count > 0 && name.at[name.count - 1] == '.')
		name.count--;
	if (name.count == 0 || name.count > HOST_MAX || name.at[name.count - 1] == '.')
		return false;
	while (span_cut(&name, '.', &label)) {
		if (label.count == 0 || label.count > LABEL_MAX)
			return false;
		question->wire[question->count++] = (unsigned char)label.count;
		memcpy(question->wire + question->count, label.at, label.count);
		question->count += label.count;
	}
	question->wire[question->count++] = 0;
	return question->count - start <= DNS_NAME_MAX;
}

bool
dns_write(struct dns_question *question, const char *name, enum dns_type type, uint16_t id, bool edns)
{
	memset(question, 0, sizeof *question);
	question->edns = edns;
	put16(question, id);
	put16(question, 0x0100); /* recursion desired */
	put16(question, 1);
	put16(question, 0);
	put16(question, 0);
	put16(question, edns ? 1 : 0);
	if (!put_name(question, span_of(name)))
		return false;
	put16(question, type);
	put16(question, CLASS_IN);
	question->end = question->count;
	if (!edns)
		return true;
	question->wire[question->count++] = 0; /* the root owns the OPT record */
	put16(question, TYPE_OPT);
	put16(question, DNS_UDP_BYTES);
	put16(question, 0);
	put16(question, 0);
	put16(question, 0);
	return true;
}

/* A walk over the labels of a name. Each pointer must lead to before the part it ends, so every walk comes to an end. */
struct walk {
	struct span message;
	size_t at, part, length;
	size_t behind; /* where the record goes on, once the first pointer or the root has been seen */
};

static struct walk
walk_from(struct span message, size_t at)
{
	return (struct walk){message, at, at, 0, 0};
}

/* The next label; an empty one is the root, after which there is nothing. */
static bool
walk_label(struct walk *walk, struct span *label)
{
	const struct span message = walk->message;
	while (walk->at < message.count && message.at[walk->at] >= 0xc0) {
		size_t target;
		if (walk->at + 2 > message.count)
			return false;
		target = big16(message.at + walk->at) & 0x3fff;
		if (walk->behind == 0)
			walk->behind = walk->at + 2;
		if (target >= walk->part)
			return false;
		walk->at = walk->part = target;
	}
	if (walk->at >= message.count || message.at[walk->at] > LABEL_MAX)
		return false;
	*label = span_first(span_from(message, walk->at + 1), message.at[walk->at]);
	if (label->count != message.at[walk->at])
		return false;
	walk->at += 1 + label->count;
	walk->length += 1 + label->count;
	if (label->count == 0 && walk->behind == 0)
		walk->behind = walk->at;
	return walk->length <= DNS_NAME_MAX;
}

static bool
name_behind(struct span message, size_t at, size_t *behind)
{
	struct walk walk = walk_from(message, at);
	struct span label;
	do
		if (!walk_label(&walk, &label))
			return false;
	while (label.count > 0);
	*behind = walk.behind;
	return true;
}

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static bool
same_bytes(const unsigned char *a, const unsigned char *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static bool
same_name(struct span message, size_t a, size_t b)
{
	struct walk one = walk_from(message, a), other = walk_from(message, b);
	struct span x, y;
	do
		if (!walk_label(&one, &x) || !walk_label(&other, &y) || x.count != y.count || !same_bytes(x.at, y.at, x.count))
			return false;
	while (x.count > 0);
	return true;
}

struct record {
	size_t owner, data, size;
	unsigned type, class;
};

static bool
read_record(struct span message, size_t *at, struct record *record)
{
	const unsigned char *fixed;
	record->owner = *at;
	if (!name_behind(message, *at, at) || message.count - *at < 10)
		return false;
	fixed = message.at + *at;
	record->type = big16(fixed);
	record->class = big16(fixed + 2);
	record->size = big16(fixed + 8);
	record->data = *at + 10;
	if (message.count - record->data < record->size)
		return false;
	*at = record->data + record->size;
	return true;
}

/* What dns_judge looks at: the answer section as far as it is well-formed. */
struct section {
	struct span message;
	size_t start;
	unsigned records;
};

static bool
find_alias(const struct section *section, size_t owner, size_t *target)
{
	struct record record;
	size_t at = section->start, end;
	for (unsigned i = 0; i < section->records && read_record(section->message, &at, &record); i++)
		if (record.type == TYPE_CNAME && record.class == CLASS_IN && name_behind(section->message, record.data, &end) &&
		    end <= record.data + record.size && same_name(section->message, record.owner, owner)) {
			*target = record.data;
			return true;
		}
	return false;
}

static void
collect(const struct section *section, size_t owner, unsigned type, struct dns_answer *answer)
{
	const size_t size = type == DNS_A ? 4 : 16;
	struct record record;
	size_t at = section->start;
	for (unsigned i = 0; i < section->records && read_record(section->message, &at, &record); i++)
		if (record.type == type && record.class == CLASS_IN && record.size == size && answer->count < ADDRESSES_MAX &&
		    same_name(section->message, record.owner, owner))
			memcpy(answer->bytes[answer->count++], section->message.at + record.data, size);
}

/* How many records of the section are whole; true when that is all of them. */
static bool
measure(struct section *section)
{
	const unsigned promised = section->records;
	struct record record;
	size_t at = section->start;
	section->records = 0;
	while (section->records < promised && read_record(section->message, &at, &record))
		section->records++;
	return section->records == promised;
}

static bool
read_section(struct section *section, unsigned type, bool partial, struct dns_answer *answer)
{
	size_t name = HEADER, hops = 0;
	if (!measure(section) && !partial)
		return false;
	while (find_alias(section, name, &name))
		if (++hops > DNS_CHAIN_MAX)
			return false;
	collect(section, name, type, answer);
	return true;
}

/* A refusal may come without the question: some servers that do not know EDNS send little but the header. */
static bool
is_for(const struct dns_question *question, struct span message)
{
	const unsigned char *at = message.at;
	if (message.count < HEADER || memcmp(at, question->wire, 2) != 0 || (at[2] & 0xf8) != 0x80)
		return false;
	if (big16(at + 4) == 0)
		return (at[3] & 0x0f) != 0 && (at[3] & 0x0f) != RCODE_NXDOMAIN;
	return big16(at + 4) == 1 && message.count >= question->end &&
	       same_bytes(at + HEADER, question->wire + HEADER, question->end - HEADER);
}

enum dns_verdict
dns_judge(const struct dns_question *question, struct span message, bool partial, struct dns_answer *answer)
{
	struct section section;
	unsigned rcode, type = big16(question->wire + question->end - 4);
	bool cut, lame;
	answer->count = 0;
	if (!is_for(question, message))
		return DNS_FOREIGN;
	rcode = message.at[3] & 0x0f;
	if (rcode == RCODE_NXDOMAIN)
		return DNS_MISSING;
	if (rcode != 0)
		return question->edns && (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP) ? DNS_PLAIN : DNS_REFUSED;
	cut = (message.at[2] & 0x02) != 0;
	section = (struct section){message, question->end, big16(message.at + 6)};
	/* neither an authority nor willing to ask one: it knows nothing, which is not the same as "there is none" */
	lame = section.records == 0 && !cut && (message.at[2] & 0x04) == 0 && (message.at[3] & 0x80) == 0;
	if (lame)
		return DNS_REFUSED;
	if (!read_section(&section, type, partial || cut, answer))
		return DNS_BROKEN;
	return cut ? DNS_CUT : DNS_ANSWERED;
}
