/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

void
address_from_bytes(struct address *address, const unsigned char *bytes, size_t count, uint16_t port)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	memset(address, 0, sizeof *address);
	if (count == 4) {
		four.sin_port = htons(port);
		memcpy(&four.sin_addr, bytes, 4);
		memcpy(&address->at, &four, sizeof four);
		address->size = sizeof four;
	} else {
		six.sin6_port = htons(port);
		memcpy(&six.sin6_addr, bytes, 16);
		memcpy(&address->at, &six, sizeof six);
		address->size = sizeof six;
	}
}

static struct span
without_brackets(struct span literal)
{
	if (literal.count >= 2 && literal.at[0] == '[' && literal.at[literal.count - 1] == ']')
		return span_first(span_from(literal, 1), literal.count - 2);
	return literal;
}

/* The part behind %: an interface's number or name. */
static bool
read_scope(struct span words, uint32_t *scope)
{
	char name[IF_NAMESIZE];
	uint64_t number;
	if (span_decimal(words, &number)) {
		*scope = (uint32_t)number;
		return number <= UINT32_MAX;
	}
	if (words.count == 0 || !text_keep(name, sizeof name, words))
		return false;
	*scope = if_nametoindex(name);
	return *scope != 0;
}

static bool
read_ipv6(struct span literal, uint16_t port, struct address *address)
{
	char digits[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	uint32_t scope = 0;
	size_t percent;
	struct sockaddr_in6 six;
	struct span number = without_brackets(literal);
	if (span_find_byte(number, '%', &percent)) {
		if (!read_scope(span_from(number, percent + 1), &scope))
			return false;
		number = span_first(number, percent);
	}
	if (!text_keep(digits, sizeof digits, number) || inet_pton(AF_INET6, digits, bytes) != 1)
		return false;
	address_from_bytes(address, bytes, 16, port);
	memcpy(&six, &address->at, sizeof six);
	six.sin6_scope_id = scope;
	memcpy(&address->at, &six, sizeof six);
	return true;
}

bool
address_read(struct span literal, uint16_t port, struct address *address)
{
	char digits[INET_ADDRSTRLEN];
	unsigned char bytes[4];
	if (text_keep(digits, sizeof digits, literal) && inet_pton(AF_INET, digits, bytes) == 1) {
		address_from_bytes(address, bytes, 4, port);
		return true;
	}
	return read_ipv6(literal, port, address);
}

bool
address_is_ipv6(const struct address *address)
{
	return address->at.ss_family == AF_INET6;
}

/* The address in network order: 4 or 16 bytes. */
static size_t
bytes_of(const struct address *address, unsigned char bytes[16])
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	if (address_is_ipv6(address)) {
		memcpy(&six, &address->at, sizeof six);
		memcpy(bytes, &six.sin6_addr, 16);
		return 16;
	}
	memcpy(&four, &address->at, sizeof four);
	memcpy(bytes, &four.sin_addr, 4);
	return 4;
}

/* As bytes_of, with IPv4 taken out of the IPv6 addresses that carry it (RFC 4291 section 2.5.5.2). */
static size_t
inner_bytes_of(const struct address *address, unsigned char bytes[16])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (bytes_of(address, bytes) == 4)
		return 4;
	if (memcmp(bytes, mapped, sizeof mapped) != 0)
		return 16;
	memmove(bytes, bytes + 12, 4);
	return 4;
}

bool
address_is_loopback(const struct address *address)
{
	static const unsigned char one[16] = {[15] = 1};
	unsigned char bytes[16];
	if (inner_bytes_of(address, bytes) == 4)
		return bytes[0] == 127;
	return memcmp(bytes, one, sizeof one) == 0;
}

bool
address_is_within(const struct address *address, const struct address *network, unsigned bits)
{
	unsigned char one[16], other[16];
	const size_t count = inner_bytes_of(address, one);
	const unsigned whole = bits / 8, rest = bits % 8;
	if (inner_bytes_of(network, other) != count || bits > 8 * count || memcmp(one, other, whole) != 0)
		return false;
	return rest == 0 || (one[whole] ^ other[whole]) >> (8 - rest) == 0;
}

static void
put_address(struct text *text, const struct address *address)
{
	char digits[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	struct sockaddr_in6 six;
	bytes_of(address, bytes);
	if (inet_ntop(address->at.ss_family, bytes, digits, sizeof digits) == NULL)
		return;
	text_put(text, digits);
	if (!address_is_ipv6(address))
		return;
	memcpy(&six, &address->at, sizeof six);
	if (six.sin6_scope_id != 0)
		text_printf(text, "%%%lu", (unsigned long)six.sin6_scope_id);
}

void
address_put_port(struct text *text, const struct address *address)
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	if (address_is_ipv6(address)) {
		memcpy(&six, &address->at, sizeof six);
		text_put_byte(text, '[');
		put_address(text, address);
		text_printf(text, "]:%u", (unsigned)ntohs(six.sin6_port));
	} else {
		memcpy(&four, &address->at, sizeof four);
		put_address(text, address);
		text_printf(text, ":%u", (unsigned)ntohs(four.sin_port));
	}
}

void
addresses_add(struct addresses *addresses, const struct address *address)
{
	if (addresses->count < ADDRESSES_MAX)
		addresses->list[addresses->count++] = *address;
}

void
addresses_alternate(struct addresses *all, const struct addresses *ipv6, const struct addresses *ipv4)
{
	all->count = 0;
	for (size_t i = 0; i < ADDRESSES_MAX; i++) {
		if (i < ipv6->count)
			addresses_add(all, &ipv6->list[i]);
		if (i < ipv4->count)
			addresses_add(all, &ipv4->list[i]);
	}
}
