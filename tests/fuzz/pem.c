/* SPDX-License-Identifier: MIT */
/* Text to trusted certificates: the PEM scanner, the certificate reader, BearSSL's decoder and the store. Beside it the
 * same bytes as one DER certificate, sent to the checker of chains in pieces. */
#include "base/log.h"
#include "net/checker.h"
#include "net/trust.h"

#include <stdlib.h>

#define NOW 1800000000

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t count);

static struct memory memory;
static struct trust trust;
static struct checker checker;

static void
check_chain(const uint8_t *at, size_t count)
{
	struct fault fault = {0};
	size_t half = count / 2;
	const br_x509_class **engine = &checker.vtable;
	unsigned error;
	checker_open(&checker, &trust, NOW);
	(*engine)->start_chain(engine, "fuzz.test");
	for (int round = 0; round < 2; round++) {
		(*engine)->start_cert(engine, (uint32_t)count);
		if (half > 0)
			(*engine)->append(engine, at, half);
		if (count > half)
			(*engine)->append(engine, at + half, count - half);
		(*engine)->end_cert(engine);
	}
	error = (*engine)->end_chain(engine);
	if (error != 0)
		(void)checker_explain(&checker, (int)error, "fuzz.test", &fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t count)
{
	struct fault fault = {0};
	if (memory.at == NULL && !memory_open(&memory, trust_need(), &fault))
		abort();
	log_open(LOG_QUIET);
	memory.used = 0;
	trust_open(&trust, &memory);
	if (trust_add_pem(&trust, (struct span){at, count}, &fault) != (fault.kind == FAULT_NONE))
		abort();
	if (trust.count > TRUST_ANCHORS_MAX || trust.used > TRUST_BYTES_MAX)
		abort();
	check_chain(at, count);
	return 0;
}
