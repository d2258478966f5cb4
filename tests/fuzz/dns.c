/* SPDX-License-Identifier: MIT */
/* Answers of a DNS server. The first byte chooses the question; what follows is the message, whose id is made to fit so
 * that more than the first check is reached. */
#include "net/dns.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
demand(bool condition)
{
	if (!condition)
		abort();
}

/* The same bytes as a name. */
static void
write_name(const unsigned char *data, size_t size)
{
	struct dns_question question;
	char name[600];
	size_t count = size < sizeof name - 1 ? size : sizeof name - 1;
	memcpy(name, data, count);
	name[count] = 0;
	if (dns_write(&question, name, DNS_A, 1, true))
		demand(question.count <= sizeof question.wire && question.end + 11 == question.count && strlen(name) <= HOST_MAX + 1);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct dns_question question;
	struct dns_answer answer, again;
	enum dns_verdict verdict;
	unsigned char message[8192];
	size_t count;
	if (size < 1)
		return 0;
	write_name(data + 1, size - 1);
	count = size - 1 < sizeof message ? size - 1 : sizeof message;
	memcpy(message, data + 1, count);
	demand(dns_write(&question, "kudu.example", data[0] & 1 ? DNS_AAAA : DNS_A, 0x1234, (data[0] & 2) != 0));
	if (count >= 2)
		memcpy(message, question.wire, 2);
	if (count >= question.end && data[0] & 8)
		memcpy(message + 12, question.wire + 12, question.end - 12);
	verdict = dns_judge(&question, (struct span){message, count}, (data[0] & 4) != 0, &answer);
	demand(answer.count <= ADDRESSES_MAX);
	demand(verdict == DNS_ANSWERED || verdict == DNS_CUT || answer.count == 0);
	/* what is whole is no worse as the beginning of something */
	if (verdict == DNS_ANSWERED)
		demand(dns_judge(&question, (struct span){message, count}, true, &again) == verdict && again.count == answer.count);
	return 0;
}
