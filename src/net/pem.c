/* SPDX-License-Identifier: MIT */
#include "net/pem.h"

#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

void
pem_open(struct pem *pem)
{
	memset(pem, 0, sizeof *pem);
}

static int
digit_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits make three bytes, less one for each pad. */
static void
take_four(struct pem *pem)
{
	size_t bytes = 3 - pem->pads;
	if (bytes > sizeof pem->der - pem->count) {
		pem->broken = true;
		return;
	}
	for (size_t i = 0; i < bytes; i++)
		pem->der[pem->count++] = (unsigned char)(pem->bits >> (16 - 8 * i));
	pem->digits = 0;
	pem->bits = 0;
}

static void
take_digit(struct pem *pem, unsigned char c)
{
	int value = digit_value(c);
	if (c == ' ' || c == '\t' || pem->broken)
		return;
	if (c == '=' && pem->pads < 2 && pem->digits >= 2) {
		pem->pads++;
		value = 0;
	} else if (value < 0 || pem->pads > 0) {
		pem->broken = true;
		return;
	}
	pem->bits = pem->bits << 6 | (uint32_t)value;
	if (++pem->digits == 4)
		take_four(pem);
}

static void
begin_block(struct pem *pem)
{
	pem->inside = true;
	pem->broken = false;
	pem->count = pem->digits = pem->pads = 0;
	pem->bits = 0;
}

/* Ends the block, if one is open: what came of it? */
static enum pem_event
end_block(struct pem *pem, bool in_order)
{
	bool whole = in_order && !pem->broken && pem->digits == 0 && pem->count > 0;
	if (!pem->inside)
		return PEM_MORE;
	pem->inside = false;
	return whole ? PEM_CERTIFICATE : PEM_BROKEN;
}

static bool
is_certificate(struct span label)
{
	return span_is(label, "CERTIFICATE") || span_is(label, "X509 CERTIFICATE");
}

static void
remember(struct pem *pem, struct span label)
{
	size_t place;
	if (span_find(label, "PRIVATE KEY", &place))
		pem->saw_key = true;
	else
		pem->saw_other = true;
}

/* A whole BEGIN or END marker stands in the line. What follows on the same line counts as a new line: files that were
 * joined without a newline between them keep all their certificates. */
static enum pem_event
take_marker(struct pem *pem, struct span line)
{
	bool begins = span_begins(line, BEGIN);
	struct span label = span_from(line, begins ? strlen(BEGIN) : strlen(END));
	enum pem_event event;
	label = span_first(label, label.count - strlen(DASHES));
	pem->line_used = 0;
	event = end_block(pem, !begins && is_certificate(label));
	if (begins && is_certificate(label))
		begin_block(pem);
	else if (begins)
		remember(pem, label);
	return event;
}

static bool
is_marker(struct span line)
{
	size_t lead = span_begins(line, BEGIN) ? strlen(BEGIN) : span_begins(line, END) ? strlen(END) : line.count;
	return line.count >= lead + strlen(DASHES) && span_is(span_from(line, line.count - strlen(DASHES)), DASHES);
}

/* Blanks and a byte order mark may stand before a marker. */
static bool
is_lead(unsigned char c)
{
	return c == ' ' || c == '\t' || c == 0xef || c == 0xbb || c == 0xbf;
}

static enum pem_event
take_line_byte(struct pem *pem, unsigned char c)
{
	struct span line;
	if (pem->line_used == 0 && is_lead(c))
		return PEM_MORE;
	if (pem->line_used < sizeof pem->line)
		pem->line[pem->line_used++] = (char)c;
	line = (struct span){(const unsigned char *)pem->line, pem->line_used};
	return c == '-' && is_marker(line) ? take_marker(pem, line) : PEM_MORE;
}

static enum pem_event
take_byte(struct pem *pem, unsigned char c)
{
	if (pem->bytes < sizeof pem->head)
		pem->head[pem->bytes] = c;
	pem->bytes++;
	if (c == '\n' || c == '\r') {
		/* inside a block only markers are kept as lines, and this one was none */
		if (pem->inside && pem->line_used > 0)
			pem->broken = true;
		pem->line_used = 0;
		return PEM_MORE;
	}
	if (!pem->inside || pem->line_used > 0 || c == '-')
		return take_line_byte(pem, c);
	take_digit(pem, c);
	return PEM_MORE;
}

enum pem_event
pem_next(struct pem *pem, struct span *rest)
{
	enum pem_event event = PEM_MORE;
	while (event == PEM_MORE && rest->count > 0) {
		event = take_byte(pem, rest->at[0]);
		*rest = span_from(*rest, 1);
	}
	return event;
}

enum pem_event
pem_end(struct pem *pem)
{
	pem->line_used = 0;
	return end_block(pem, false);
}
