/* SPDX-License-Identifier: MIT */
#include "azure/blob_left.h"

#include "unit.h"

static char seen[2048];

static void
note(void *state, struct span id, uint64_t size)
{
	size_t used = strlen(seen);
	(void)state;
	snprintf(seen + used, sizeof seen - used, "%.*s=%llu ", (int)id.count, (const char *)id.at, (unsigned long long)size);
}

/* The blocks of a list that comes in pieces of `piece` bytes. */
static const char *
read_in(const char *xml, size_t piece, bool *ended)
{
	struct blob_left left = {.block = note};
	size_t count = strlen(xml);
	seen[0] = 0;
	for (size_t at = 0; at < count; at += piece)
		blob_left_add(&left, span_first(span_from(span_of(xml), at), piece));
	*ended = left.ended;
	return seen;
}

static const char *
of(const char *xml)
{
	bool ended;
	return read_in(xml, strlen(xml) + 1, &ended);
}

static void
reads_pieces_of_any_size(void)
{
	static const char xml[] = "\xef\xbb\xbf<?xml version=\"1.0\"?><BlockList><CommittedBlocks><Block><Name>old</Name><Size>3</Size></Block>"
	                          "</CommittedBlocks><UncommittedBlocks><Block><Name>AAA</Name><Size>5</Size></Block>\n"
	                          "<Block><Size>6</Size><Name>BBB=</Name></Block></UncommittedBlocks></BlockList>";
	for (size_t piece = 1; piece < sizeof xml; piece++) {
		bool ended;
		CHECK_TEXT(read_in(xml, piece, &ended), "AAA=5 BBB==6 ");
		CHECK(ended);
	}
	for (size_t cut = 1; cut + 1 < sizeof xml; cut++) {
		struct blob_left left = {.block = note};
		blob_left_add(&left, (struct span){(const unsigned char *)xml, cut});
		CHECK(!left.ended);
	}
}

static void
lists_can_be_empty(void)
{
	bool ended;
	CHECK_TEXT(read_in("<?xml?><BlockList/>", 5, &ended), "");
	CHECK(ended);
	CHECK_TEXT(read_in("<?xml?><BlockList />", 5, &ended), "");
	CHECK(ended);
	CHECK_TEXT(read_in("<BlockList><UncommittedBlocks/></BlockList>", 5, &ended), "");
	CHECK(ended);
	CHECK_TEXT(read_in("<html><body>welcome</body></html>", 5, &ended), "");
	CHECK(!ended);
}

static void
passes_over_what_is_no_block(void)
{
	char long_xml[1024];
	CHECK_TEXT(of("<UncommittedBlocks><Block><Name>A</Name></Block><Block><Size>5</Size></Block>"), "");
	CHECK_TEXT(of("<UncommittedBlocks><Block><Name>A</Name><Block><Size>5</Size></Block>"), "");
	CHECK_TEXT(of("<UncommittedBlocks><Block><Name></Name><Size>5</Size></Block>"), "");
	CHECK_TEXT(of("<UncommittedBlocks><Block><Name>A</Name><Size>-5</Size></Block>"), "");
	CHECK_TEXT(of("<UncommittedBlocks><Block><Name>A</Name><Size>99999999999999999999</Size></Block>"), "");
	CHECK_TEXT(of("<UncommittedBlocks></UncommittedBlocks><Block><Name>A</Name><Size>5</Size></Block>"), "");
	CHECK_TEXT(of("<Block><Name>A</Name><Size>5</Size></Block><UncommittedBlocks>"), "");
	for (size_t length = LEFT_TEXT_MAX - 2; length <= LEFT_TEXT_MAX + 1; length++) {
		int used = snprintf(long_xml, sizeof long_xml, "<UncommittedBlocks><Block><Name>");
		memset(long_xml + used, 'A', length);
		snprintf(long_xml + used + length, sizeof long_xml - (size_t)used - length, "</Name><Size>5</Size></Block>");
		CHECK((of(long_xml)[0] == 'A') == (length < LEFT_TEXT_MAX));
	}
	/* a name of a tag that is too long is no other's */
	CHECK_TEXT(of("<UncommittedBlocksAndManyMoreLetters><Block><Name>A</Name><Size>5</Size></Block>"), "");
	CHECK_TEXT(of("<UncommittedBlocks><Block><Name>A\0B</Name><Size>5</Size></Block>"), "");
}

int
main(void)
{
	UNIT_RUN(reads_pieces_of_any_size);
	UNIT_RUN(lists_can_be_empty);
	UNIT_RUN(passes_over_what_is_no_block);
	return unit_end();
}
