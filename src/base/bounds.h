/* SPDX-License-Identifier: MIT */
/* Every limit of the program and why it is what it is. A limit that is met is a fault with words, never a bigger buffer. */
#ifndef BASE_BOUNDS_H
#define BASE_BOUNDS_H

#define KUDUMP_VERSION "0.1"

#define KIB 1024u
#define MIB (1024u * 1024u)

/* faults: one line of a terminal or a log, long enough for a URL without its query and a server's sentence */
#define FAULT_TEXT_MAX 480
#define FAULT_HINT_MAX 240

/* names and addresses */
#define HOST_MAX 253            /* RFC 1035 2.3.4, without the trailing dot */
#define URL_MAX 4096            /* a SAS with user delegation fields is about 600 bytes; a Kudu URL about 200 */
#define ADDRESSES_MAX 8         /* per name: enough for both families behind a load balancer */
#define OVERRIDES_MAX 16        /* --resolve HOST:ADDR */

/* HTTP: Azure's heads are about 2 KiB with their Set-Cookie pairs; nginx allows 8 KiB a line by default */
#define HEAD_MAX (32u * KIB)
#define HEAD_LINES_MAX 200
#define INTERIM_MAX 16          /* 1xx answers before the real one */
#define CHUNK_LINE_MAX 4096     /* size, extensions and CRLF */
#define TRAILER_MAX 8192        /* all trailer lines together */
#define DRAIN_MAX (256u * KIB)  /* rest of a body worth reading to keep a connection; beyond it closing is cheaper */
#define ERROR_BODY_MAX 4096     /* how much of an error page is looked at for a sentence */

/* time, in ms */
#define CONNECT_MS 30000
#define ANSWER_MS 120000        /* first byte of an ordinary answer: a cold Kudu takes a minute, a detail runs a helper for up to 60 s */
#define FIRST_BYTE_MS 900000    /* of a dump: Kudu writes it whole first. Azure's front end cuts at 230 s, other front ends do not */
#define STALL_MS 60000          /* between two bytes */
#define BUSY_FIRST_MS 4000      /* pauses while Kudu ends a dump of ours that the front end gave up */
#define BUSY_MOST_MS 30000
#define RETRY_FIRST_MS 800
#define RETRY_MOST_MS 30000
#define RETRY_TRIES 6           /* about a minute and a half in all */
#define RETRY_AFTER_MOST_S 300  /* a Retry-After beyond this is answered by giving up with these words */

/* JSON */
#define JSON_DEPTH_MAX 512      /* nesting; the detail of a process has 4 */
#define JSON_WINDOW 16384       /* the wanted members of one element, as text; tokens of it: JSON_TOKENS */
#define JSON_TOKENS 64
#define JSON_WANTED_MAX 24
#define JSON_NAME_MAX 64        /* bytes of one name in a wanted path; Kudu's longest is 30 */
#define JSON_PATH_MAX 4         /* names in a wanted path: properties/environment_variables/NAME is 3 */
#define JSON_READ 4096          /* bytes asked of the source at once */

/* Kudu */
#define PROCESSES_MAX 16384     /* of one instance; a sandbox allows far fewer */
#define PROCESS_NAME_MAX 64
#define MACHINE_MAX 64
#define USER_MAX 96
#define INSTANCE_MAX 64         /* WEBSITE_INSTANCE_ID is 64 hex digits */

/* minidumps */
#define DUMP_BYTES_LEAST (64u * KIB) /* Kudu's own test asks 256 KiB of its smallest type; the useless ones have 4 to 12 KiB */

/* block blobs: documented for x-ms-version 2019-12-12 and later */
#define BLOCKS_MAX 50000u
#define BLOCK_BYTES_MAX (4000ull * MIB)
#define BLOCK_BYTES_LEAST (64u * KIB)
#define BLOCK_BYTES_DEFAULT (4u * MIB)
#define LANES_DEFAULT 4
#define LANES_MAX 64
#define JOBS_DEFAULT 4
#define JOBS_MAX 64

/* destinations of one dump, sites of one run */
#define DESTINATIONS_MAX 8
#define SITES_MAX 64
#define ARGUMENTS_MAX 4096      /* files of one put: each name is compared with all others */
#define PATH_BYTES_MAX 4096
#define THREAD_STACK (96u * KIB) /* no array over 4 KiB stands on a stack; BearSSL's deepest call takes about 12 KiB */

#endif
