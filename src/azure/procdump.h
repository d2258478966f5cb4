/* SPDX-License-Identifier: MIT */
/* A dump by the ProcDump that App Service has on its machines: started through Kudu's /api/command on the very instance,
 * detached, so that the front end's 230 s do not matter; written to a folder of its own on the site's storage, fetched from
 * there with Range, and deleted. Several instances of a site can do so at once. */
#ifndef AZURE_PROCDUMP_H
#define AZURE_PROCDUMP_H

#include "azure/kudu.h"
#include "azure/vfs.h"

struct procdump {
	struct site *site;
	char folder[VFS_PATH_MAX - 32]; /* LogFiles/kudump/MACHINE-PID-SECONDS-TYPE-ID; empty: nothing was made */
	char log_etag[VFS_ETAG_MAX];
	char said[ERROR_BODY_MAX];      /* what ProcDump wrote */
	bool failed;                    /* ProcDump will write no dump any more */
	int64_t began_s;                /* UTC, of a dump that an earlier run left; else 0 */
	struct vfs_source file;
};

/* Says on stderr what it is about to run, runs it, waits for its end and opens the dump. One that an earlier run of kudump
 * left of this process less than an hour ago is waited for and taken instead; older ones are deleted.
 * Waits without limit while the dump grows, and patience_ms when it does not. After a fault the dump, if there is one,
 * still stands on the site and the hint says so; what holds no dump has been deleted. FAULT_UNABLE where there is no
 * ProcDump, it may not open the process or the storage is full, FAULT_MISSING when the process is gone, FAULT_TIMEOUT. */
bool procdump_open(struct procdump *, struct site *, const struct kudu_process *, unsigned type, int64_t patience_ms,
                   struct kudu_dump *, struct fault *) MUST_CHECK;

/* Deletes the dump, the log and the folder, each only if it still is what was read. */
bool procdump_delete(struct procdump *, struct fault *) MUST_CHECK;

#endif
