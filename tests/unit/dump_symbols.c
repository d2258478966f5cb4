/* SPDX-License-Identifier: MIT */
#include "dump/symbols.h"

#include "unit.h"

#include "made_dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BASE 0x140000000u
#define CODEVIEW 3800 /* place in the file */
#define ID "0403020106050807090A0B0C0D0E0F10"
#define RECORDS "FILE 0 a.c\nFUNC 1000 10 0 f\n1000 10 5 0\n"

static char folder[] = "/tmp/kudump-symbols-XXXXXX";
static struct symbols symbols;
static struct memory memory;
static struct module module;
static struct space *space;

static const char *
in(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void
make_file(const char *name, const char *id)
{
	FILE *out = fopen(in(name), "w");
	if (out == NULL)
		abort();
	fprintf(out, "MODULE windows x86_64 %s a.pdb\n" RECORDS, id);
	fclose(out);
}

static void
remove_file(const char *name)
{
	CHECK(remove(in(name)) == 0);
}

/* Anew, with a module of that PDB; NULL: of none. */
static void
begin(const char *pdb)
{
	struct fault fault = {0};
	if (memory.at == NULL && !memory_open(&memory, symbols_need(), &fault))
		abort();
	memset(memory.at, 0, memory.used);
	memory.used = 0;
	made_begin(9, 2);
	made_module(BASE, 0x8000, "C:\\A.exe");
	made_range(BASE, 0x1000);
	memcpy(made.file + CODEVIEW, "RSDS\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x1f\0\0\0", 24);
	if (pdb != NULL)
		memcpy(made.file + CODEVIEW + 24, pdb, strlen(pdb) + 1);
	space = made_open(0, 0);
	module = space->modules[0];
	module.codeview_at = pdb != NULL ? CODEVIEW : 0;
	module.codeview_size = 64;
	symbols_open(&symbols, &memory, folder);
}

static bool
is_found(void)
{
	const struct symbol *symbol = symbols_at(&symbols, space, &module, 0x1004);
	bool found = strcmp(symbol->name, "f") == 0 && symbol->line == 5 && strcmp(symbol->file, "a.c") == 0 && symbol->start == 0x1000;
	CHECK(found || symbol->name[0] == 0);
	symbols_close(&symbols);
	return found;
}

static void
layouts(void)
{
	static const char *const names[] = {"Shop.sym", "shop.sym", "Shop.pdb/" ID "1f/Shop.sym", "shop.pdb/" ID "1f/shop.sym",
	                                    "Shop.pdb/" ID "1F/Shop.sym", "shop.pdb/" ID "1F/shop.sym"};
	begin("d:\\x\\Shop.pdb");
	CHECK(!is_found());
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char above[128];
		snprintf(above, sizeof above, "%.8s", names[i]);
		if (i >= 2)
			CHECK(mkdir(in(above), 0700) == 0);
		snprintf(above, sizeof above, "%.*s", (int)sizeof "Shop.pdb/" ID "1f" - 1, names[i]);
		if (i >= 2)
			CHECK(mkdir(in(above), 0700) == 0);
		make_file(names[i], ID "1f");
		begin("d:\\x\\Shop.pdb");
		CHECK(is_found());
		remove_file(names[i]);
		if (i < 2)
			continue;
		remove_file(above);
		snprintf(above, sizeof above, "%.8s", names[i]);
		remove_file(above);
	}
}

static void
other_builds(void)
{
	make_file("shop.sym", ID "1e");
	begin("shop.pdb");
	(void)symbols_at(&symbols, space, &module, 0x1004);
	CHECK(symbols.found == 0 && symbols.other_id == 1);
	CHECK_TEXT(symbols.other_name, "shop.pdb");
	CHECK(!is_found());
	begin(NULL); /* a module without an id has none */
	CHECK(!is_found());
	remove_file("shop.sym");
	CHECK(mkdir(in("shop.pdb"), 0700) == 0);
	begin("shop.pdb");
	(void)symbols_at(&symbols, space, &module, 0x1004);
	CHECK(symbols.other_id == 1);
	CHECK(!is_found());
	remove_file("shop.pdb");
	begin("shop.pdb");
	(void)symbols_at(&symbols, space, &module, 0x1004);
	CHECK(symbols.other_id == 0);
	CHECK(!is_found());
}

/* A dump's names do not lead out of the folder, nor to what is no file. */
static void
hostile_names(void)
{
	static const char *const names[] = {"..", ".", "/", "x/..", "a\\..", ""};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		begin(names[i]);
		CHECK(!is_found());
	}
	CHECK(mkdir(in("shop.sym"), 0700) == 0);
	begin("shop.pdb");
	CHECK(!is_found());
	remove_file("shop.sym");
	CHECK(mkfifo(in("shop.sym"), 0600) == 0);
	begin("shop.pdb");
	CHECK(!is_found());
	remove_file("shop.sym");
}

/* More modules than are kept: the oldest goes, and its file is closed. */
static void
many_modules(void)
{
	int before = open("/dev/null", O_RDONLY), after;
	close(before);
	make_file("shop.sym", ID "1f");
	begin("shop.pdb");
	for (unsigned i = 0; i < SYMBOLS_FILES + 5; i++) {
		module.base = BASE + 0x10000 * i;
		CHECK_TEXT(symbols_at(&symbols, space, &module, 0x1000)->name, "f");
	}
	CHECK(symbols.found == SYMBOLS_FILES + 5);
	CHECK_TEXT(symbols_at(&symbols, space, &module, 0x1001)->name, "f");
	CHECK(symbols.found == SYMBOLS_FILES + 5);
	module.base = BASE;
	CHECK_TEXT(symbols_at(&symbols, space, &module, 0x1002)->name, "f");
	CHECK(symbols.found == SYMBOLS_FILES + 6);
	CHECK(is_found());
	after = open("/dev/null", O_RDONLY);
	CHECK(after == before);
	close(after);
	remove_file("shop.sym");
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	UNIT_RUN(layouts);
	UNIT_RUN(other_builds);
	UNIT_RUN(hostile_names);
	UNIT_RUN(many_modules);
	if (rmdir(folder) != 0)
		return 1;
	return unit_end();
}
