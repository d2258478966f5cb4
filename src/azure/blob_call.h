/* SPDX-License-Identifier: MIT */
/* One request to the blob service from a lane: authorised, sent, judged, and sent again while that may help. */
#ifndef AZURE_BLOB_CALL_H
#define AZURE_BLOB_CALL_H

#include "azure/blob_refusal.h"
#include "azure/crew.h"

struct blob_call {
	const struct blob_target *target;
	const char *method;
	const char *name;        /* of the blob, within the target */
	const char *query;       /* our parameters, encoded; NULL: none */
	const char *headers;     /* more lines, each with CRLF; NULL: none */
	const char *id;          /* x-ms-client-request-id: finds the request in the service's logs */
	struct span body;
	bool has_body;
	bool check_crc;          /* the answer's x-ms-content-crc64, where there is one, must be that of the body */
	struct source *from;     /* instead of body, as in http_request */
	void (*rewind)(struct source *);
	uint64_t length;
	struct http_times times;
	bool once;               /* no second try */
	bool (*wanted)(void *);  /* asked before another try; NULL: always */
	void *state;             /* wanted's */
};

/* True when the service said 2xx; the answer's head is then lane->client.head. Else a fault, and *refusal is the last
 * refusal: its status is 0 when the last try brought no answer. */
bool blob_call(struct crew_lane *, const struct blob_call *, struct blob_refusal *, struct fault *) MUST_CHECK;

#endif
