/* SPDX-License-Identifier: MIT */
#include "cmd/status.h"

#include "base/log.h"
#include "base/stop.h"

int
status_of(const struct fault *fault)
{
	static const enum status table[] = {
		[FAULT_NONE] = STATUS_DONE, [FAULT_USAGE] = STATUS_USAGE, [FAULT_SYSTEM] = STATUS_DESTINATION,
		[FAULT_NETWORK] = STATUS_NETWORK, [FAULT_TLS] = STATUS_NETWORK, [FAULT_TIMEOUT] = STATUS_NETWORK,
		[FAULT_DENIED] = STATUS_DENIED, [FAULT_MISSING] = STATUS_NOTHING, [FAULT_BUSY] = STATUS_BUSY,
		[FAULT_CORRUPT] = STATUS_CORRUPT, [FAULT_BOUND] = STATUS_UNABLE, [FAULT_UNABLE] = STATUS_UNABLE,
	};
	if (fault->kind == FAULT_STOPPED)
		return 128 + fault->detail;
	return (int)table[fault->kind];
}

int
status_of_stop(void)
{
	struct fault fault;
	fault_clear(&fault);
	if (!stop_check(&fault))
		log_fault(&fault);
	return status_of(&fault);
}

int
status_of_run(int first, size_t done, size_t failed, bool whole)
{
	if (stop_signal() != 0 && first != STATUS_DONE)
		return 128 + stop_signal();
	if (stop_signal() != 0 && !whole)
		return status_of_stop();
	if (failed > 0 && done > 0)
		return STATUS_SOME;
	return first;
}
