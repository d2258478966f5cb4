/* SPDX-License-Identifier: MIT */
/* What the blob service says when it says no: which code it was, in words for the user, and what to do about it.
 * (REST: "Common REST API error codes", "Blob service error codes".) */
#ifndef AZURE_BLOB_REFUSAL_H
#define AZURE_BLOB_REFUSAL_H

#include "azure/blob_target.h"
#include "http/client.h"

#define REFUSAL_CODE_MAX 64
#define BLOB_OTHER_NAME "another name (dump: --name-template, put: --name)" /* in hints */

struct blob_refusal {
	int status;
	char code[REFUSAL_CODE_MAX];       /* as ContainerNotFound; empty: the answer had none */
	char request_id[REFUSAL_CODE_MAX]; /* for Microsoft's support */
	int64_t service_s;                 /* the answer's Date; 0: none */
	unsigned retry_after_s;            /* 0: not said */
};

enum blob_way {
	BLOB_FINAL,   /* asking again would not help */
	BLOB_PASSING, /* asking again may: back off */
	BLOB_DAMAGED, /* the bytes did not arrive as they were sent: send them again, at most twice */
	BLOB_RENEW    /* the token was refused: fetch a new one, once */
};

/* Reads the code from the header, else from the start of the body (an HTML page of a proxy has none). */
void blob_refusal_read(struct blob_refusal *, struct http_client *);

bool blob_refusal_is(const struct blob_refusal *, const char *code);

/* Raises the fault that fits, with the status in detail; one that is passing is FAULT_NETWORK, as retry.h wants it. The
 * text says which right, date or clock is wrong where that can be known: `now_s` is our clock. */
enum blob_way blob_refusal_tell(const struct blob_refusal *, const struct blob_target *, int64_t now_s, struct fault *);

#endif
