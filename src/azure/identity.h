/* SPDX-License-Identifier: MIT */
/* One identity and the tokens it has been given, one a resource: kept until shortly before they run out and renewed then,
 * in the middle of transfers, whichever thread comes first. The others go on with a token that is still good; no lock is
 * held while a token is fetched. */
#ifndef AZURE_IDENTITY_H
#define AZURE_IDENTITY_H

#include "azure/token_claims.h"
#include "azure/token_source.h"

#include <pthread.h>

#define IDENTITY_RESOURCES 6 /* Kudu's two audiences, storage, Resource Manager, Key Vault, and one more */
#define IDENTITY_TAKERS 128  /* sites of a run, some of them also through Resource Manager */

struct identity_held {
	const char *resource;
	char token[TOKEN_MAX];
	unsigned number;          /* of the token; 0: none yet */
	int64_t until_ms, renew_ms; /* of clock_ms() */
	struct token_claims claims; /* of one that the user brought */
	unsigned failures;
	struct fault fault;       /* of the last failure */
};

struct identity_taker {
	const void *who;
	const char *resource;
};

/* About 180 KiB, to stand in memory_open_secret's memory. */
struct identity {
	struct identity_held held[IDENTITY_RESOURCES];
	size_t count;
	struct identity_taker takers[IDENTITY_TAKERS];
	size_t taker_count;
	struct token_desk desk;   /* of whoever is fetching */
	bool busy;                /* somebody is */
	pthread_mutex_t lock;
	pthread_cond_t settled;
	const struct cloud *cloud; /* public, to look at */
	struct token_source source;
};

/* `words` as token_source_open takes them. Nothing goes over the network yet. Call once, before threads. */
bool identity_open(struct identity *, const char *words, const struct network *, const struct cloud *, struct fault *) MUST_CHECK;

/* The same of a token that was given and stays where it is. */
bool identity_open_given(struct identity *, const char *token, const struct network *, const struct cloud *,
                         struct fault *) MUST_CHECK;

/* Puts a token for a resource (one of cloud.h's, or another string that stays) into the text, without "Bearer ".
 * *given is its number. Who was refused with a token says its number in `refused`, 0 else: then it is another one, or
 * FAULT_DENIED when there is no newer one. From any thread; waits when no token is good any more.
 * Faults as of token_source_get. */
bool identity_token(struct identity *, const char *resource, unsigned refused, unsigned *given, struct text *into,
                    struct fault *) MUST_CHECK;

/* Puts why a token that the user brought may have been refused, as far as it tells itself; else nothing. */
void identity_put_reason(struct identity *, const char *resource, struct text *);

/* Notes for what resource somebody (an address that stays) has taken a token; for which one that is, else the one that was
 * taken by anybody last, else NULL. *own: it was this one who took it. From any thread. */
void identity_note_taken(struct identity *, const void *who, const char *resource);
const char *identity_taken(struct identity *, const void *who, bool *own);

/* Overwrites the tokens. */
void identity_close(struct identity *);

#endif
