/* SPDX-License-Identifier: MIT */
/* Certificates out of PEM text (RFC 7468), a byte at a time through fixed room. A block that cannot be read costs only
 * itself: not its neighbours, as with a missing last newline, a byte order mark, a second BEGIN or bad Base64. */
#ifndef NET_PEM_H
#define NET_PEM_H

#include "base/span.h"

#define PEM_DER_MAX (16u * 1024u) /* bytes of one certificate; the largest of a public chain have about 8 KiB */

enum pem_event {
	PEM_MORE,        /* all that was given is used up */
	PEM_CERTIFICATE, /* der and count hold one */
	PEM_BROKEN       /* a certificate block was passed over: cut, not Base64, or larger than PEM_DER_MAX */
};

struct pem {
	unsigned char der[PEM_DER_MAX];
	size_t count;
	bool saw_key;      /* a private key stood in the text; it was not looked at */
	bool saw_other;    /* some other kind of block did */
	uint64_t bytes;    /* of text so far */
	unsigned char head[2]; /* the first of them: a binary file or UTF-16 shows there */
	/* the room's own from here */
	char line[72];
	size_t line_used;
	bool inside, broken;
	uint32_t bits;
	unsigned digits, pads;
};

void pem_open(struct pem *);

/* Moves *rest forward to behind the next event. */
enum pem_event pem_next(struct pem *, struct span *rest);

/* At the end of the text: PEM_BROKEN when it ended inside a block, else PEM_MORE. */
enum pem_event pem_end(struct pem *);

#endif
