/* SPDX-License-Identifier: MIT */
/* One SCM site as one thread sees it: a kept-alive connection, the login, and the instance that answers. All requests of
 * a session carry the same affinity cookie, since process ids mean something on one instance only. */
#ifndef AZURE_SITE_H
#define AZURE_SITE_H

#include "azure/login.h"
#include "base/json.h"
#include "http/client.h"

struct site {
	struct http_client client;
	const struct login *login;
	char name[64];                    /* contoso of contoso.scm.azurewebsites.net; for people and file names */
	char instance[INSTANCE_MAX + 1];  /* WEBSITE_INSTANCE_ID of the one that answers; empty while unknown */
	char machine[MACHINE_MAX];        /* machineName of it; empty while unknown */
	bool pinned;                      /* the user asked for this instance */
	bool proven;                      /* and what answered has told that it is the one */
	bool by_arm;                      /* through Azure Resource Manager: client.origin.path is the site's resource id */
	int64_t stall_ms;                 /* between two bytes of a body; 0: the default. The owner's to set */
	struct json_reader json;          /* of the answer being read */
	const void *who;                  /* the owner's address of the site: by it a login knows it again */
	unsigned audience, tried;         /* of a bearer login: which of its audiences; bits: refused since one was taken */
	unsigned given, refused;          /* number of the token that was sent last; of one that was not taken */
	bool renewed;                     /* a new token was taken, and nothing accepted since */
	bool logged_in, login_refused;    /* of the last request: it had its login; the site said no to that */
	char headers[LOGIN_MAX + 512];    /* of the request being sent: holds the secret */
	char said[ERROR_BODY_MAX];        /* what the server said to the last request it refused */
};

/* contoso of https://contoso.scm.azurewebsites.net, an address whole, or "site". */
void site_put_name(const struct url *scm, char *room, size_t size);

/* Whether the words can be a WEBSITE_INSTANCE_ID: 1 to INSTANCE_MAX hex digits. */
bool site_is_instance_id(const char *words);

/* `instance` may be NULL: the one that answers first is kept. The URL must be an origin (path "/") and stay. */
bool site_open(struct site *, const struct network *, const struct url *scm, const struct login *, const char *instance,
               struct fault *) MUST_CHECK;

/* The same through Azure Resource Manager: `arm` is what arm_parse made. */
bool site_open_arm(struct site *, const struct network *, const struct url *arm, const struct login *,
                   const char *instance, struct fault *) MUST_CHECK;

/* Before asking for another instance of the same site: `machine` is its name if known, else empty. An empty `instance`
 * lets the front end choose. */
void site_turn(struct site *, const char *instance, const char *machine);

/* Notes the WEBSITE_INSTANCE_ID that an answer carried; FAULT_MISSING when it is another instance than was asked. */
bool site_check_instance(struct site *, const char *id, struct fault *) MUST_CHECK;

enum site_care {
	SITE_HARMLESS, /* may be asked again: passing faults are retried with back-off */
	SITE_ONCE      /* never repeated */
};

struct site_request {
	const char *method, *target;
	const char *headers;   /* more lines, each with CRLF; NULL: none */
	struct span body;      /* sent, with its length, when has_body */
	bool has_body;
	enum site_care care;
	int64_t first_byte_ms; /* 0: the default */
	int also;              /* a status that is as good as 200; 0: none */
};

/* Sends it. True on 200 (or `also`) with the answer's head in client.head and its body unread. Any other status becomes a
 * fault as site_get's. */
bool site_ask(struct site *, const struct site_request *, struct fault *) MUST_CHECK;

/* GET target. True on 200 with the answer's head in client.head and its body unread. Any other status becomes a fault in
 * plain words (login refused, login page, IP rule, stopped app, not found, server error…) whose detail is the status,
 * with what the server said in `said`. first_byte_ms 0: the default. */
bool site_get(struct site *, const char *target, enum site_care, int64_t first_byte_ms, struct fault *) MUST_CHECK;

/* After site_get: FAULT_DENIED when a page came instead of data (a login page with 200). */
bool site_check_data(struct site *, struct fault *) MUST_CHECK;

/* As site_get, then opens `json` on the body: faults also as of site_check_data. */
bool site_get_json(struct site *, const char *target, const char *const *wanted, size_t count, struct fault *) MUST_CHECK;

/* The first element of the answer; FAULT_CORRUPT when it has none. And: the rest of it, so that all is known to be valid. */
bool site_first(struct site *, struct fault *) MUST_CHECK;
bool site_to_end(struct site *, struct fault *) MUST_CHECK;

/* After the last element: makes the connection ready for the next request. */
void site_done(struct site *);

/* Notes a machineName that an answer carried; FAULT_NETWORK when it is another than before: another instance answered. */
bool site_check_machine(struct site *, const char *machine, struct fault *) MUST_CHECK;

void site_close(struct site *);

#endif
