/* SPDX-License-Identifier: MIT */
/* The head of an HTTP/1.1 message (RFC 9112 sections 2 to 6) in a bounded buffer. Strict: what two readers could
 * understand differently is refused, and nothing of a value is quoted in a fault, as values may be secrets. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/text.h"

#include <stdint.h>

#define HTTP_USER_AGENT "kudump/" KUDUMP_VERSION /* plain: what looks like a browser is sent to a login page (facts: Kudu's wiki) */

enum http_framing { HTTP_EMPTY, HTTP_LENGTH, HTTP_CHUNKED, HTTP_UNTIL_CLOSE };

struct http_head {
	int status;                /* 100 to 999 */
	int minor;                 /* of HTTP/1.minor, one digit */
	struct span reason;        /* may be empty */
	struct span lines;         /* the header lines with their CRLFs, without the empty line */
	enum http_framing framing;
	uint64_t length;           /* with HTTP_LENGTH; for HEAD and 304 what Content-Length says, though no body comes */
	bool keep_alive;           /* the connection may carry another request after the body */
};

/* False as soon as the bytes cannot be or become the start of an HTTP/1 answer; true for none. */
bool http_head_begins(struct span bytes);

/* Where the head ends in `bytes`: count of bytes up to and with the empty line; 0: not yet. Lines that end in a bare
 * line feed count here, so that http_head_parse can refuse them at once and nobody waits for more. */
size_t http_head_end(struct span bytes);

/* Parses a response head that http_head_end measured. `head_request` is true for an answer to HEAD. Conflicting lengths,
 * a length beside a transfer coding, codings other than chunked, folded lines, control characters, blanks before ':' and
 * other smuggling are FAULT_NETWORK, too many lines FAULT_BOUND. The spans point into `bytes`. */
bool http_head_parse(struct http_head *, struct span bytes, bool head_request, struct fault *) MUST_CHECK;

/* Checks header lines, each with its CRLF and without the empty line: tokens as names, no control characters, no
 * folding. Faults as http_head_parse. */
bool http_head_check_lines(struct span lines, struct fault *) MUST_CHECK;

/* The n-th (from 0) value of a header, trimmed; name in any case. False when there is no n-th. */
bool http_head_find(const struct http_head *, const char *name, size_t n, struct span *value);

/* Whether words of a server tell again what it was told: the beginning of the credentials of an Authorization line, or the
 * password in them when they are Basic's. Such words are shown to nobody. */
bool http_head_tells(struct span words, struct span credentials);

/* Whether one of the comma-separated words of a header is `word`, in any case. */
bool http_head_has_word(const struct http_head *, const char *name, const char *word);

/* Bytes of names (RFC 9110 section 5.6.2) and of values: all but control characters, tabs allowed. */
bool http_is_token_byte(unsigned char);
bool http_is_text_byte(unsigned char);

#endif
