/* SPDX-License-Identifier: MIT */
#include "dump/symfile.h"

#include "unit.h"

#include <stdarg.h>

#define BUDGET (1ull << 30)
#define MODULE "MODULE windows x86_64 0123456789ABCDEF0123456789ABCDEF1 x.pdb\n"

static char content[1 << 21];
static size_t used;
static unsigned char room[SYMFILE_WINDOW];
static struct symfile_block blocks[SYMFILE_BLOCKS];
static struct symfile_window window;
static struct symfile file;
static struct symbol symbol;

static void put(const char *format, ...) PRINTF_LIKE(1, 2);

static void
put(const char *format, ...)
{
	va_list words;
	va_start(words, format);
	used += (size_t)vsnprintf(content + used, sizeof content - used, format, words);
	va_end(words);
}

static void
fill_up(char byte, size_t count)
{
	memset(content + used, byte, count);
	used += count;
}

static void
open_content(void)
{
	window = (struct symfile_window){.room = room, .budget = BUDGET};
	file = (struct symfile){.fd = -1, .bytes = {(const unsigned char *)content, used}, .size = used, .blocks = blocks};
	symfile_open(&file, &window);
	symfile_index(&file, &window);
}

static void
open_text(const char *text)
{
	used = 0;
	put("%s", text);
	open_content();
}

/* "function+offset file:line" of an address; empty: unknown. */
static const char *
at(uint32_t rva)
{
	static char words[sizeof symbol + 32];
	words[0] = 0;
	if (symfile_find(&file, &window, rva, &symbol))
		snprintf(words, sizeof words, "%s+%x%s%s:%u", symbol.name, (unsigned)(rva - symbol.start), symbol.file[0] != 0 ? " " : "",
		         symbol.file, (unsigned)symbol.line);
	return words;
}

static void
ids(void)
{
	open_text(MODULE);
	CHECK_TEXT(file.id, "0123456789ABCDEF0123456789ABCDEF1");
	CHECK_TEXT(at(0x1000), "");
	open_text("MODULE windows x86_64\n");
	CHECK_TEXT(file.id, "");
	open_text("MODULE windows x86_64 12");
	CHECK_TEXT(file.id, "12");
	open_text("MODULE a b 012345678901234567890123456789012345678901234567 x");
	CHECK_TEXT(file.id, "");
	open_text("");
	CHECK_TEXT(file.id, "");
	CHECK_TEXT(at(0), "");
	open_text("FUNC 10 10 0 f\nMODULE a b 1 x\n");
	CHECK_TEXT(file.id, "");
}

static void
functions_and_lines(void)
{
	open_text(MODULE "INFO CODE_ID 1 x.exe\r\nFILE 0 c:\\src\\a b.c\r\nFILE 7 b.h\n"
	          "FUNC 1000 20 8 f(int, char)\r\n1000 8 10 0\n1008 10 11 7\n1018 4 12 9\n"
	          "FUNC m 1020 10 0 g\n1020 ffffffff 4 0\nFUNC 1040 0 0 none\nFUNC 1050 10 0 h\nSTACK CFI INIT 1000 20 .cfa: $rsp\n");
	CHECK_TEXT(at(0xfff), "");
	CHECK_TEXT(at(0x1000), "f(int, char)+0 c:\\src\\a b.c:10");
	CHECK_TEXT(at(0x1007), "f(int, char)+7 c:\\src\\a b.c:10");
	CHECK_TEXT(at(0x1008), "f(int, char)+8 b.h:11");
	CHECK_TEXT(at(0x1018), "f(int, char)+18:12"); /* its file is not in the list */
	CHECK_TEXT(at(0x101c), "f(int, char)+1c:0");
	CHECK_TEXT(at(0x101f), "f(int, char)+1f:0");
	CHECK(!symbol.nearest);
	CHECK_TEXT(at(0x1020), "g+0 c:\\src\\a b.c:4");
	CHECK_TEXT(at(0x1030), "");
	CHECK_TEXT(at(0x1040), "");
	CHECK_TEXT(at(0x1055), "h+5:0");
	CHECK_TEXT(at(0x1060), "");
	CHECK_TEXT(at(UINT32_MAX), "");
}

static void
public_names(void)
{
	open_text(MODULE "FUNC 1000 10 0 f\nPUBLIC 900 0 early\nPUBLIC m 1020 0 late\nPUBLIC 0 0 zero\nPUBLIC 1008 4 within\nPUBLIC 1000 0 same\n");
	CHECK_TEXT(at(0x8ff), "");
	CHECK_TEXT(at(0x900), "early+0:0");
	CHECK(symbol.nearest);
	CHECK_TEXT(at(0xfff), "early+6ff:0");
	CHECK_TEXT(at(0x1008), "f+8:0");
	CHECK_TEXT(at(0x1010), "within+8:0");
	CHECK_TEXT(at(0x1020), "late+0:0");
	CHECK_TEXT(at(0x5000), "late+3fe0:0");
	open_text(MODULE "PUBLIC 900 0 early\nFUNC 1000 10 0 f\n");
	CHECK_TEXT(at(0x1010), ""); /* behind f is no longer early */
	open_text(MODULE "PUBLIC 1000 0 same\nFUNC 1000 10 0 f\n");
	CHECK_TEXT(at(0x1010), "");
	CHECK_TEXT(at(0x100f), "f+f:0");
}

/* Of what was inlined, the call in the function itself counts, however deep it goes. */
static void
inlined(void)
{
	open_text(MODULE "FILE 0 a.c\nFILE 1 a.h\nINLINE_ORIGIN 0 deep\nINLINE_ORIGIN 1 middle\nFUNC 1000 40 0 f\n"
	          "INLINE 0 8 0 1 1010 8 1030 4\nINLINE 1 9 1 0 1010 4\n1000 10 7 0\n1010 8 3 1\n1018 18 9 0\n1030 4 5 1\n1034 c 6 0\n");
	CHECK_TEXT(at(0x100f), "f+f a.c:7");
	CHECK_TEXT(at(0x1010), "f+10 a.c:8");
	CHECK_TEXT(at(0x1017), "f+17 a.c:8");
	CHECK_TEXT(at(0x1018), "f+18 a.c:9");
	CHECK_TEXT(at(0x1033), "f+33 a.c:8");
	CHECK_TEXT(at(0x1034), "f+34 a.c:6");
}

/* Many blocks: sorted, the other way round, and shuffled; lines of a function that lie in the next block. */
static void
many(void)
{
	static const unsigned steps[] = {1, 6999, 4001};
	for (unsigned way = 0; way < 3; way++) {
		used = 0;
		put(MODULE);
		for (unsigned i = 0; i < 7000; i++)
			put("FILE %u f%u.c\n", i * steps[way] % 7000, i * steps[way] % 7000);
		for (unsigned i = 0; i < 7000; i++) {
			unsigned n = i * steps[way] % 7000, start = 0x1000 + n * 0x20;
			put("FUNC %x 18 0 a_function_%u\n%x 8 %u %u\n%x 8 %u %u\n%x 8 1 0\n", start, n, start, n + 1, n, start + 8, n + 2, 6999 - n,
			    start + 16);
		}
		for (unsigned i = 0; i < 7000; i += 100)
			put("PUBLIC %x 0 p%u\n", 0x101a + i * steps[way] % 7000 * 0x20, i * steps[way] % 7000);
		open_content();
		for (unsigned n = 0; n < 7000; n += n < 6990 ? 37 : 1) {
			char wanted[80];
			snprintf(wanted, sizeof wanted, "a_function_%u+7 f%u.c:%u", n, n, n + 1);
			CHECK_TEXT(at(0x1007 + n * 0x20), wanted);
			snprintf(wanted, sizeof wanted, "a_function_%u+8 f%u.c:%u", n, 6999 - n, n + 2);
			CHECK_TEXT(at(0x1008 + n * 0x20), wanted);
			snprintf(wanted, sizeof wanted, "p%u+5:0", n);
			CHECK_TEXT(at(0x101f + n * 0x20), n % 100 == 0 ? wanted : "");
		}
	}
}

/* A line as long as the window, and longer, is none; those around it count. */
static void
long_lines(void)
{
	static const size_t sizes[] = {SYMFILE_WINDOW - 13, SYMFILE_WINDOW - 12, SYMFILE_WINDOW - 11, 3 * SYMFILE_WINDOW + 5};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		used = 0;
		put(MODULE "FUNC 1000 10 0 f\nPUBLIC 20 0 ");
		fill_up('x', sizes[i]);
		put("\nFUNC 3000 10 0 g\n3000 10 5 0\nFILE 0 z.c\n");
		open_content();
		CHECK_TEXT(at(0x1000), "f+0:0");
		CHECK_TEXT(at(0x3001), "g+1 z.c:5");
		CHECK((at(0x21)[0] != 0) == (i == 0));
	}
	CHECK(strlen(symbol.name) < sizeof symbol.name);
	used = 0;
	put(MODULE);
	fill_up('F', 1 << 20);
	open_content();
	CHECK_TEXT(at(0), "");
}

static void
long_names(void)
{
	used = 0;
	put(MODULE "FILE 3 /start/");
	for (unsigned i = 0; i < 200; i++)
		put("\xc3\xa9");
	put("/end.c\nFUNC 10 10 0 ");
	for (unsigned i = 0; i < 200; i++)
		put("\xc3\xa9");
	put("\n10 10 2 3\n");
	open_content();
	CHECK(symfile_find(&file, &window, 0x10, &symbol));
	CHECK(strlen(symbol.name) == 254);
	CHECK(strncmp(symbol.file, "...\xc3\xa9", 5) == 0 && strcmp(symbol.file + strlen(symbol.file) - 6, "/end.c") == 0);
}

static void
hostile(void)
{
	open_text(MODULE "FILE 99999999999999999999 x\nFILE -1 x\nFILE x\nFILE\nFILE 4294967295 x\nFUNC 100000000 10 0 far\nFUNC fffffff0 ffffffff 0 high\n"
	          "fffffff0 ffffffff 99999999999999999999 0\nfffffff0 8 3 4294967295\nFUNC 10\nFUNC 10 10\nFUNC 10 10 0\nFUNC 10 10 0 \nFUNC zz 10 0 f\n"
	          "FUNC 00000000000000010 10 0 f\nPUBLIC\nPUBLIC 10\nPUBLIC m\nFUNC m 40 10 0 ok\nINLINE\nINLINE 0 0\nINLINE 0 1 2 3 40\nINLINE 0 1 2 3 40 x\n"
	          "INLINE 1 9 9 9 40 10\n40\n40 1\n40 1 1\n40 x 1 1\n\n \n");
	CHECK_TEXT(at(0x10), "");
	CHECK_TEXT(at(0xfffffff2u), "high+2:0");
	CHECK_TEXT(at(0x45), "ok+5:0");
	used = 0;
	put(MODULE "FUNC 10 10 0 a");
	fill_up(0, 3);
	put("b\n10 10 1");
	fill_up(0, 1);
	put(" 0\nFUNC 20 10 0 \xff\x80z");
	open_content();
	CHECK_TEXT(at(0x10), "a+0:0");
	CHECK_TEXT(at(0x20), "\xef\xbf\xbd\xef\xbf\xbdz+0:0");
}

/* Every cut of a file is read without a fault, and what lies before it is found. */
static void
torn(void)
{
	static const char text[] = MODULE "FILE 0 a.c\nFUNC 1000 10 0 f\n1000 10 4 0\nPUBLIC 2000 0 p\n";
	for (size_t cut = 0; cut < sizeof text; cut++) {
		used = 0;
		put("%.*s", (int)cut, text);
		open_content();
		if (cut > sizeof text - 18)
			CHECK_TEXT(at(0x1000), "f+0 a.c:4");
		(void)at(0x2000);
	}
	CHECK_TEXT(at(0x2001), "p+1:0");
}

static void
budget(void)
{
	open_text(MODULE "FUNC 1000 10 0 f\n");
	window.budget = used - 1;
	CHECK_TEXT(at(0x1000), "");
	CHECK(window.exhausted);
	window.budget = used;
	CHECK_TEXT(at(0x1000), "f+0:0");
	CHECK(window.budget == 0);
}

int
main(void)
{
	UNIT_RUN(ids);
	UNIT_RUN(functions_and_lines);
	UNIT_RUN(public_names);
	UNIT_RUN(inlined);
	UNIT_RUN(many);
	UNIT_RUN(long_lines);
	UNIT_RUN(long_names);
	UNIT_RUN(hostile);
	UNIT_RUN(torn);
	UNIT_RUN(budget);
	return unit_end();
}
