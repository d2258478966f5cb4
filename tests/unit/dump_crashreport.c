/* SPDX-License-Identifier: MIT */
/* createdump's report beside a core: taken only if it is of this dump, and whole. */
#include "dump/crashreport.h"

#include "unit.h"

#include <unistd.h>

static char folder[] = "/tmp/kudump-unit-XXXXXX", core[64], path[128];
static struct managed_exception exception;
static struct managed_frame frames[MANAGED_FRAMES_MAX];

static const char report[] =
	"{\"payload\":{\"protocol_version\":\"1.0.0\",\"configuration\":{\"threads\":[{\"crashed\":\"true\"}]},\"threads\":[\n"
	"{\"is_managed\":\"true\",\"crashed\":\"false\",\"managed_exception_object\":\"0x1\",\"managed_exception_type\":\"Other\",\"native_thread_id\":\"0x7\","
	"\"stack_frames\":[{\"method_name\":\"Other.Run()\",\"native_address\":\"0x1\"}]},\n"
	"{\"is_managed\":\"true\",\"crashed\":\"true\",\"managed_exception_object\":\"0x7eca0a8098d8\",\"managed_exception_type\":\"Shop.\\u0042ad\",\"managed_exception_hresult\":\"0x80131999\","
	"\"native_thread_id\":\"0x7f\",\"ctx\":{\"IP\":\"0x5\",\"native_thread_id\":\"0x9\"},\"stack_frames\":["
	"{\"is_managed\":\"false\",\"native_address\":\"0x10\",\"unmanaged_name\":\"abort\"},"
	"{\"is_managed\":\"true\",\"native_address\":\"0x7f00DEAD\",\"method_name\":\"Shop.Orders.Load(Int32)\",\"token\":\"0x6000001\"},"
	"{\"method_name\":\"Shop.Worker.Run()\",\"more\":{\"method_name\":\"no\"}}]},"
	"{\"crashed\":\"false\",\"native_thread_id\":\"0x8\",\"stack_frames\":[{\"method_name\":\"Late.Run()\"}]}]},"
	"\"parameters\":{\"threads\":[{\"crashed\":\"true\",\"managed_exception_type\":\"No\"}]}}";

static bool
read_text(const char *text, size_t count, uint32_t thread)
{
	FILE *file = fopen(path, "wb");
	if (file == NULL || fwrite(text, 1, count, file) != count || fclose(file) != 0)
		return false;
	memset(&exception, 0, sizeof exception);
	memset(frames, 0, sizeof frames);
	exception.frames = frames;
	return crashreport_read(core, thread, &exception);
}

static void
whole(void)
{
	CHECK(read_text(report, sizeof report - 1, 0x7f));
	CHECK_TEXT(exception.type, "Shop.Bad");
	CHECK(exception.has_hresult && exception.hresult == 0x80131999 && !exception.has_message);
	CHECK(exception.address == 0x7eca0a8098d8);
	CHECK(exception.frame_count == 2 && exception.frames_left_out == 0);
	CHECK_TEXT(frames[0].method, "Shop.Orders.Load");
	CHECK(frames[0].pc == 0x7f00dead && frames[1].pc == 0);
	CHECK_TEXT(frames[1].method, "Shop.Worker.Run");
}

static void
of_another_dump(void)
{
	CHECK(!read_text(report, sizeof report - 1, 7));
	CHECK(exception.type[0] == 0 && exception.frame_count == 0);
	CHECK(read_text(report, sizeof report - 1, 0x7f));
	unlink(path);
	CHECK(!crashreport_read(core, 0x7f, &exception));
}

static void
torn(void)
{
	for (size_t i = 0; i < sizeof report - 1; i++)
		if (read_text(report, i, 0x7f))
			fprintf(stderr, "cut at %zu it was taken\n", i), unit_bad++;
	CHECK(!read_text("", 0, 0x7f));
	CHECK(!read_text("[]", 2, 0x7f));
	CHECK(!read_text("{}", 2, 0x7f));
	CHECK(!read_text("\"payload\"", 9, 0x7f));
}

/* Long names are left out rather than cut, deep nesting and many frames cost nothing. */
static void
hostile(void)
{
	static char text[65536];
	size_t used = 0;
	const char *head = "{\"payload\":{\"threads\":[{\"crashed\":\"true\",\"native_thread_id\":\"0x7f\",\"managed_exception_type\":\"T\",\"stack_frames\":[";
	used = (size_t)snprintf(text, sizeof text, "%s", head);
	for (unsigned i = 0; i < MANAGED_FRAMES_MAX + 2; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s{\"method_name\":\"M%u\"}", i > 0 ? "," : "", i);
	used += (size_t)snprintf(text + used, sizeof text - used, "]}]}}");
	CHECK(read_text(text, used, 0x7f));
	CHECK(exception.frame_count == MANAGED_FRAMES_MAX && exception.frames_left_out == 2);
	CHECK_TEXT(frames[MANAGED_FRAMES_MAX - 1].method, "M127");
	used = (size_t)snprintf(text, sizeof text, "%s{\"method_name\":\"", head);
	memset(text + used, 'a', 3000);
	used += 3000;
	used += (size_t)snprintf(text + used, sizeof text - used, "\"},{\"method_name\":\"b\"}]}]}}");
	CHECK(read_text(text, used, 0x7f));
	CHECK(exception.frame_count == 1);
	CHECK_TEXT(frames[0].method, "b");
	memset(text, '[', sizeof text);
	CHECK(!read_text(text, sizeof text, 0x7f));
}

static void
named_badly(void)
{
	static char longest[8192];
	memset(longest, 'a', sizeof longest - 1);
	CHECK(!crashreport_read(longest, 0x7f, &exception));
	CHECK(!crashreport_read("/nowhere/core", 0x7f, &exception));
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(core, sizeof core, "%s/core", folder);
	snprintf(path, sizeof path, "%s.crashreport.json", core);
	UNIT_RUN(whole);
	UNIT_RUN(of_another_dump);
	UNIT_RUN(torn);
	UNIT_RUN(hostile);
	UNIT_RUN(named_badly);
	unlink(path);
	rmdir(folder);
	return unit_end();
}
