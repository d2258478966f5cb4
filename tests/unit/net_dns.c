/* SPDX-License-Identifier: MIT */
#include "net/dns.h"

#include "unit.h"

struct message {
	unsigned char at[8192];
	size_t count;
};

static void
put(struct message *m, const void *bytes, size_t count)
{
	memcpy(m->at + m->count, bytes, count);
	m->count += count;
}

static void
put16(struct message *m, unsigned value)
{
	unsigned char two[2] = {(unsigned char)(value >> 8), (unsigned char)value};
	put(m, two, 2);
}

/* A name as labels; "@N" at its end is a pointer to N. */
static void
put_name(struct message *m, const char *name)
{
	while (*name != 0 && *name != '@') {
		size_t count = strcspn(name, ".@");
		unsigned char length = (unsigned char)count;
		put(m, &length, 1);
		put(m, name, count);
		name += count + (name[count] == '.');
	}
	if (*name == '@')
		put16(m, 0xc000u | (unsigned)atoi(name + 1));
	else
		put(m, "", 1);
}

static size_t
put_record(struct message *m, const char *owner, unsigned type, const void *data, size_t count)
{
	size_t place;
	put_name(m, owner);
	put16(m, type);
	put16(m, 1);
	put16(m, 0);
	put16(m, 300);
	put16(m, (unsigned)count);
	place = m->count;
	put(m, data, count);
	m->at[7]++;
	return place;
}

static size_t
put_alias(struct message *m, const char *owner, const char *target)
{
	struct message name = {.count = 0};
	put_name(&name, target);
	return put_record(m, owner, 5, name.at, name.count);
}

static struct dns_question question;
static struct dns_answer answer;

/* The answer to `question`, without records yet. */
static struct message
reply(unsigned high_flags, unsigned low_flags)
{
	struct message m = {.count = 0};
	put(&m, question.wire, question.end);
	m.at[2] = (unsigned char)high_flags;
	m.at[3] = (unsigned char)low_flags;
	m.at[11] = 0;
	return m;
}

static enum dns_verdict
judge(const struct message *m)
{
	return dns_judge(&question, (struct span){m->at, m->count}, false, &answer);
}

static const unsigned char four[4] = {10, 0, 0, 4}, five[4] = {10, 0, 0, 5};
static const unsigned char six[16] = {0xfd, [15] = 6};

static void
ask(const char *name, enum dns_type type)
{
	CHECK(dns_write(&question, name, type, 0x1234, true));
}

static void
a_question(void)
{
	static const unsigned char wanted[] = {
		0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 'a', 3, 'B', 'c', 'd', 0, 0, 28, 0, 1,
		0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0,
	};
	ask("a.Bcd", DNS_AAAA);
	CHECK(question.count == sizeof wanted && memcmp(question.wire, wanted, sizeof wanted) == 0);
	CHECK(question.end == question.count - 11);
	CHECK(dns_write(&question, "a.Bcd.", DNS_AAAA, 0x1234, false));
	CHECK(question.count == question.end && question.count == sizeof wanted - 11 && question.wire[11] == 0);
}

static void
names_that_are_none(void)
{
	char label[65], name[260];
	memset(label, 'a', 64);
	label[64] = 0;
	CHECK(!dns_write(&question, label, DNS_A, 1, true));
	CHECK(dns_write(&question, label + 1, DNS_A, 1, true));
	for (size_t count = 252; count <= 256; count++) {
		memset(name, 'x', count);
		for (size_t i = 50; i < count; i += 50)
			name[i] = '.';
		name[count] = 0;
		CHECK(dns_write(&question, name, DNS_A, 1, true) == (count <= 253));
		CHECK(question.count <= sizeof question.wire);
	}
	CHECK(!dns_write(&question, "", DNS_A, 1, true));
	CHECK(!dns_write(&question, ".", DNS_A, 1, true));
	CHECK(!dns_write(&question, "a..b", DNS_A, 1, true));
	CHECK(!dns_write(&question, ".a", DNS_A, 1, true));
	CHECK(!dns_write(&question, "a..", DNS_A, 1, true));
}

static void
addresses(void)
{
	struct message m;
	ask("kudu.example", DNS_A);
	m = reply(0x81, 0x80);
	put_record(&m, "@12", 1, four, 4);
	put_record(&m, "KUDU.example", 1, five, 4);
	put_record(&m, "other.example", 1, four, 4);
	put_record(&m, "@12", 28, six, 16);
	put_record(&m, "@12", 1, six, 5);
	CHECK(judge(&m) == DNS_ANSWERED && answer.count == 2);
	CHECK(memcmp(answer.bytes[0], four, 4) == 0 && memcmp(answer.bytes[1], five, 4) == 0);
	ask("kudu.example", DNS_AAAA);
	m = reply(0x81, 0x80);
	put_record(&m, "@12", 28, six, 16);
	CHECK(judge(&m) == DNS_ANSWERED && answer.count == 1 && memcmp(answer.bytes[0], six, 16) == 0);
	m = reply(0x81, 0x80);
	CHECK(judge(&m) == DNS_ANSWERED && answer.count == 0);
	for (unsigned i = 0; i < ADDRESSES_MAX + 2; i++) {
		CHECK(answer.count == (i < ADDRESSES_MAX ? i : ADDRESSES_MAX));
		put_record(&m, "@12", 28, six, 16);
		CHECK(judge(&m) == DNS_ANSWERED);
	}
}

static void
other_peoples_answers(void)
{
	struct message m;
	ask("kudu.example", DNS_A);
	m = reply(0x81, 0x80);
	put_record(&m, "@12", 1, four, 4);
	m.at[14] ^= 0x20; /* another case is the same name */
	CHECK(judge(&m) == DNS_ANSWERED);
	m.at[14] ^= 0x01;
	CHECK(judge(&m) == DNS_FOREIGN);
	m.at[14] ^= 0x21;
	m.at[1] ^= 1;
	CHECK(judge(&m) == DNS_FOREIGN);
	m.at[1] ^= 1;
	m.at[question.end - 3] ^= 1; /* type */
	CHECK(judge(&m) == DNS_FOREIGN);
	m.at[question.end - 3] ^= 1;
	m.at[2] = 1; /* a question itself */
	CHECK(judge(&m) == DNS_FOREIGN);
	m.at[2] = 0x89; /* another opcode */
	CHECK(judge(&m) == DNS_FOREIGN);
	m.at[2] = 0x81;
	m.at[5] = 2;
	CHECK(judge(&m) == DNS_FOREIGN);
	m.at[5] = 0;
	CHECK(judge(&m) == DNS_FOREIGN);
	m.at[5] = 1;
	CHECK(judge(&m) == DNS_ANSWERED);
}

static void
refusals(void)
{
	struct message m;
	ask("kudu.example", DNS_A);
	for (unsigned rcode = 1; rcode < 16; rcode++) {
		enum dns_verdict wanted = rcode == 1 || rcode == 4 ? DNS_PLAIN : rcode == 3 ? DNS_MISSING : DNS_REFUSED;
		m = reply(0x81, 0x80 | rcode);
		CHECK(judge(&m) == wanted);
		m.at[5] = 0;
		m.count = 12;
		CHECK(judge(&m) == (rcode == 3 ? DNS_FOREIGN : wanted));
	}
	CHECK(dns_write(&question, "kudu.example", DNS_A, 7, false));
	m = reply(0x81, 0x81);
	CHECK(judge(&m) == DNS_REFUSED);
	m = reply(0x81, 0); /* recursion not available, no authority, nothing said */
	CHECK(judge(&m) == DNS_REFUSED);
	m = reply(0x85, 0);
	CHECK(judge(&m) == DNS_ANSWERED);
}

static void
aliases(void)
{
	struct message m;
	size_t place;
	char owner[32];
	ask("kudu.example", DNS_A);
	m = reply(0x81, 0x80);
	put_alias(&m, "@12", "waws.example");
	place = put_alias(&m, "WAWS.example", "host.cloudapp.example");
	snprintf(owner, sizeof owner, "@%d", (int)place);
	put_record(&m, owner, 1, four, 4);
	put_record(&m, "waws.example", 1, five, 4);
	CHECK(judge(&m) == DNS_ANSWERED && answer.count == 1 && memcmp(answer.bytes[0], four, 4) == 0);
	m = reply(0x81, 0x80); /* the same, the wrong way round */
	put_record(&m, "host.cloudapp.example", 1, four, 4);
	put_alias(&m, "waws.example", "host.cloudapp.example");
	put_alias(&m, "@12", "waws.example");
	CHECK(judge(&m) == DNS_ANSWERED && answer.count == 1);
	m = reply(0x81, 0x80); /* leads nowhere */
	put_alias(&m, "@12", "waws.example");
	CHECK(judge(&m) == DNS_ANSWERED && answer.count == 0);
}

static void
long_and_endless_chains(void)
{
	for (int hops = DNS_CHAIN_MAX - 1; hops <= DNS_CHAIN_MAX + 1; hops++) {
		struct message m;
		char owner[32] = "@12", target[32];
		ask("kudu.example", DNS_A);
		m = reply(0x81, 0x80);
		for (int i = 0; i < hops; i++) {
			snprintf(target, sizeof target, "n%d.example", i);
			put_alias(&m, owner, target);
			snprintf(owner, sizeof owner, "%s", target);
		}
		put_record(&m, owner, 1, four, 4);
		CHECK(judge(&m) == (hops <= DNS_CHAIN_MAX ? DNS_ANSWERED : DNS_BROKEN));
	}
	struct message m = reply(0x81, 0x80);
	put_alias(&m, "@12", "a.example");
	put_alias(&m, "a.example", "kudu.example");
	CHECK(judge(&m) == DNS_BROKEN);
	m = reply(0x81, 0x80);
	put_alias(&m, "@12", "@12");
	CHECK(judge(&m) == DNS_BROKEN);
}

static void
pointers(void)
{
	struct message m;
	char owner[32];
	ask("kudu.example", DNS_A);
	/* to itself, forward, past the end, into the middle of two that point at each other */
	for (int i = 0; i < 4; i++) {
		m = reply(0x81, 0x80);
		snprintf(owner, sizeof owner, "@%d", (int)m.count + (i == 1 ? 4 : i == 2 ? 4000 : 0));
		put_record(&m, i == 3 ? "x@30" : owner, 1, four, 4);
		if (i == 3)
			snprintf(owner, sizeof owner, "@%d", (int)m.count), put_record(&m, owner, 1, four, 4);
		CHECK(judge(&m) == DNS_BROKEN && answer.count == 0);
	}
	/* a label of the reserved kinds */
	m = reply(0x81, 0x80);
	put(&m, "\x40" "abc", 4);
	m.at[7] = 1;
	CHECK(judge(&m) == DNS_BROKEN);
	/* a pointer cut in half */
	m = reply(0x81, 0x80);
	put(&m, "\xc0", 1);
	m.at[7] = 1;
	CHECK(judge(&m) == DNS_BROKEN);
}

static void
overlong_name(void)
{
	struct message m;
	size_t place = 0;
	char owner[80];
	ask("kudu.example", DNS_A);
	m = reply(0x81, 0x80);
	/* each of these alone is short; joined by pointers they pass 255 bytes at the fifth */
	for (int i = 0; i < 6; i++) {
		char label[52];
		memset(label, 'a' + i, 50);
		label[50] = 0;
		snprintf(owner, sizeof owner, i == 0 ? "%s" : "%s@%d", label, (int)place);
		place = m.count;
		put_record(&m, owner, 16, "", 0);
		CHECK(judge(&m) == (i < 4 ? DNS_ANSWERED : DNS_BROKEN));
	}
}

static void
cut_answers(void)
{
	struct message m;
	ask("kudu.example", DNS_A);
	m = reply(0x83, 0x80);
	CHECK(judge(&m) == DNS_CUT && answer.count == 0);
	put_record(&m, "@12", 1, four, 4);
	m.at[7] = 9;
	CHECK(judge(&m) == DNS_CUT && answer.count == 1);
	m.at[2] = 0x81;
	CHECK(judge(&m) == DNS_BROKEN);
	CHECK(dns_judge(&question, (struct span){m.at, m.count}, true, &answer) == DNS_ANSWERED && answer.count == 1);
}

/* Every prefix, and every byte changed: no verdict is wrong in memory, and no prefix passes for whole. */
static void
mutations(void)
{
	struct message m;
	ask("kudu.example", DNS_A);
	m = reply(0x81, 0x80);
	put_alias(&m, "@12", "waws@17");
	put_record(&m, "waws@17", 1, four, 4);
	CHECK(judge(&m) == DNS_ANSWERED && answer.count == 1);
	for (size_t count = 0; count < m.count; count++) {
		unsigned char *exact = malloc(count == 0 ? 1 : count);
		memcpy(exact, m.at, count);
		CHECK(dns_judge(&question, (struct span){exact, count}, false, &answer) ==
		      (count < question.end ? DNS_FOREIGN : DNS_BROKEN));
		free(exact);
	}
	for (size_t i = 0; i < m.count; i++)
		for (unsigned value = 0; value < 256; value++) {
			unsigned char *exact = malloc(m.count);
			memcpy(exact, m.at, m.count);
			exact[i] = (unsigned char)value;
			dns_judge(&question, (struct span){exact, m.count}, false, &answer);
			CHECK(answer.count <= 1);
			free(exact);
		}
}

int
main(void)
{
	UNIT_RUN(a_question);
	UNIT_RUN(names_that_are_none);
	UNIT_RUN(addresses);
	UNIT_RUN(other_peoples_answers);
	UNIT_RUN(refusals);
	UNIT_RUN(aliases);
	UNIT_RUN(long_and_endless_chains);
	UNIT_RUN(pointers);
	UNIT_RUN(overlong_name);
	UNIT_RUN(cut_answers);
	UNIT_RUN(mutations);
	return unit_end();
}
