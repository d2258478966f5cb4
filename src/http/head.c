/* SPDX-License-Identifier: MIT */
#include "http/head.h"

#include "base/encode.h"
#include "base/memory.h"

#include <string.h>

#define VERSION_START "HTTP/1."
#define TOLD_BYTES 12 /* that many bytes of a secret are one */

bool
http_is_token_byte(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool
http_is_text_byte(unsigned char c)
{
	return c == '\t' || (c >= ' ' && c != 0x7f);
}

bool
http_head_begins(struct span bytes)
{
	size_t count = sizeof VERSION_START - 1;
	if (bytes.count < count)
		count = bytes.count;
	return count == 0 || memcmp(bytes.at, VERSION_START, count) == 0;
}

size_t
http_head_end(struct span bytes)
{
	size_t at = 0, place;
	while (span_find_byte(span_from(bytes, at), '\n', &place)) {
		at += place + 1;
		if (at < bytes.count && bytes.at[at] == '\n')
			return at + 1;
		if (at + 1 < bytes.count && bytes.at[at] == '\r' && bytes.at[at + 1] == '\n')
			return at + 2;
	}
	return 0;
}

/* The next line without its CRLF; *rest moves behind it. */
static bool
take_line(struct span *rest, struct span *line, struct fault *fault)
{
	size_t place;
	if (!span_find_byte(*rest, '\n', &place))
		return fault_raise(fault, FAULT_NETWORK, "a header line without an end");
	if (place == 0 || rest->at[place - 1] != '\r')
		return fault_raise(fault, FAULT_NETWORK, "a header line that ends in a bare line feed");
	*line = span_first(*rest, place - 1);
	*rest = span_from(*rest, place + 1);
	for (size_t i = 0; i < line->count; i++)
		if (!http_is_text_byte(line->at[i]))
			return fault_raise(fault, FAULT_NETWORK, "a control character (0x%02x) in a header line", line->at[i]);
	return true;
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* HTTP/1.1 200 OK; the reason may be missing, also with its blank (RFC 9112 section 4). */
static bool
parse_status(struct http_head *head, struct span line, struct fault *fault)
{
	const unsigned char *at = line.at;
	if (!span_begins(line, VERSION_START) || line.count < 9 || !is_digit(at[7]) || at[8] != ' ')
		return fault_raise(fault, FAULT_NETWORK, "the answer is not HTTP/1.1");
	if (line.count < 12 || !is_digit(at[9]) || !is_digit(at[10]) || !is_digit(at[11]) || at[9] == '0' ||
	    (line.count > 12 && at[12] != ' '))
		return fault_raise(fault, FAULT_NETWORK, "the answer has no proper HTTP status");
	head->minor = at[7] - '0';
	head->status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
	head->reason = span_trim(span_from(line, 12));
	return true;
}

static bool
check_line(struct span line, struct fault *fault)
{
	size_t colon;
	if (line.count == 0)
		return fault_raise(fault, FAULT_NETWORK, "an empty line among header lines");
	if (line.at[0] == ' ' || line.at[0] == '\t')
		return fault_raise(fault, FAULT_NETWORK, "a folded header line");
	if (!span_find_byte(line, ':', &colon) || colon == 0)
		return fault_raise(fault, FAULT_NETWORK, "a header line without a name");
	for (size_t i = 0; i < colon; i++)
		if (!http_is_token_byte(line.at[i]))
			return fault_raise(fault, FAULT_NETWORK, "a header name with the byte 0x%02x in it", line.at[i]);
	return true;
}

bool
http_head_check_lines(struct span lines, struct fault *fault)
{
	struct span line;
	for (size_t count = 1; lines.count > 0; count++) {
		if (count > HEAD_LINES_MAX)
			return fault_raise(fault, FAULT_BOUND, "more than %d header lines", HEAD_LINES_MAX);
		if (!take_line(&lines, &line, fault) || !check_line(line, fault))
			return false;
	}
	return true;
}

bool
http_head_find(const struct http_head *head, const char *name, size_t n, struct span *value)
{
	struct span rest = head->lines, line, key;
	while (span_cut(&rest, '\n', &line)) {
		if (line.count > 0 && line.at[line.count - 1] == '\r')
			line.count--;
		if (!span_cut(&line, ':', &key) || !span_is_nocase(key, name))
			continue;
		if (n-- == 0) {
			*value = span_trim(line);
			return true;
		}
	}
	return false;
}

bool
http_head_has_word(const struct http_head *head, const char *name, const char *word)
{
	struct span value, part;
	for (size_t n = 0; http_head_find(head, name, n, &value); n++)
		while (span_cut(&value, ',', &part))
			if (span_is_nocase(span_trim(part), word))
				return true;
	return false;
}

/* The same length twice is one length (RFC 9112 section 6.3); a list of them is not read. */
static bool
find_length(struct http_head *head, bool *there, struct fault *fault)
{
	struct span value;
	uint64_t length;
	*there = false;
	for (size_t n = 0; http_head_find(head, "Content-Length", n, &value); n++) {
		if (!span_decimal(value, &length) || length > INT64_MAX)
			return fault_raise(fault, FAULT_NETWORK, "the Content-Length of the answer is no proper number");
		if (*there && length != head->length)
			return fault_raise(fault, FAULT_NETWORK, "the answer gives two different Content-Lengths");
		*there = true;
		head->length = length;
	}
	return true;
}

/* We never say TE or Accept-Encoding, so that chunked alone may come; in HTTP/1.0 not even that (section 6.1). */
static bool
find_coding(const struct http_head *head, bool *chunked, struct fault *fault)
{
	struct span value;
	*chunked = false;
	for (size_t n = 0; http_head_find(head, "Transfer-Encoding", n, &value); n++) {
		if (n > 0 || !span_is_nocase(value, "chunked"))
			return fault_raise(fault, FAULT_NETWORK, "the answer has a Transfer-Encoding other than chunked");
		if (head->minor == 0)
			return fault_raise(fault, FAULT_NETWORK, "an HTTP/1.0 answer has a Transfer-Encoding");
		*chunked = true;
	}
	return true;
}

/* RFC 9112 section 6.3, in its order. */
static bool
find_framing(struct http_head *head, bool head_request, struct fault *fault)
{
	bool length, chunked;
	if (!find_length(head, &length, fault) || !find_coding(head, &chunked, fault))
		return false;
	if (length && chunked)
		return fault_raise(fault, FAULT_NETWORK, "the answer has both a Content-Length and a Transfer-Encoding");
	head->keep_alive = !http_head_has_word(head, "Connection", "close") &&
	                   (head->minor > 0 || http_head_has_word(head, "Connection", "keep-alive"));
	if (head_request || head->status < 200 || head->status == 204 || head->status == 304) {
		/* a server that announces a body where none can be may send it all the same */
		if (head->status == 204 && (chunked || head->length > 0))
			head->keep_alive = false;
		head->framing = HTTP_EMPTY;
	} else if (chunked || length) {
		head->framing = chunked ? HTTP_CHUNKED : HTTP_LENGTH;
	} else {
		head->framing = HTTP_UNTIL_CLOSE;
		head->keep_alive = false;
	}
	return true;
}

bool
http_head_parse(struct http_head *head, struct span bytes, bool head_request, struct fault *fault)
{
	struct span line, last;
	memset(head, 0, sizeof *head);
	if (!take_line(&bytes, &line, fault) || !parse_status(head, line, fault))
		return false;
	if (bytes.count < 2)
		return fault_raise(fault, FAULT_NETWORK, "a head without its empty line");
	last = span_from(bytes, bytes.count - 2);
	if (!span_is(last, "\r\n"))
		return fault_raise(fault, FAULT_NETWORK, "a head whose empty line is a bare line feed");
	head->lines = span_first(bytes, bytes.count - 2);
	return http_head_check_lines(head->lines, fault) && find_framing(head, head_request, fault);
}

static bool
holds(struct span words, struct span secret)
{
	secret = span_first(secret, TOLD_BYTES);
	for (size_t i = 0; secret.count > 0 && i + secret.count <= words.count; i++)
		if (memcmp(words.at + i, secret.at, secret.count) == 0)
			return true;
	return false;
}

bool
http_head_tells(struct span words, struct span credentials)
{
	unsigned char login[1024]; /* user and password fit: see BASIC_MAX of azure/login and the proxy's */
	struct span password = {login, 0};
	size_t place;
	bool tells = holds(words, credentials);
	if (decode_base64(credentials, login, sizeof login, &password.count) && span_find_byte(password, ':', &place))
		tells = holds(words, span_from(password, place + 1)) || tells;
	memory_wipe(login, sizeof login);
	return tells;
}
