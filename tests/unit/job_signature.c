/* SPDX-License-Identifier: MIT */
#include "job/signature.h"

#include "unit.h"

static struct signature signature;

static bool
add_native(const char *module, const char *function, uint64_t offset)
{
	return signature_add(&signature, &(struct signed_frame){module, function, offset, false, false});
}

static bool
add_managed(const char *method)
{
	return signature_add(&signature, &(struct signed_frame){NULL, method, 0, true, false});
}

static bool
is_own(const char *module)
{
	return signature_is_own(&(struct signed_frame){module, NULL, 0, false, false});
}

static void
systems(void)
{
	CHECK(!is_own("ntdll.dll"));
	CHECK(!is_own("KERNELBASE.dll"));
	CHECK(!is_own("libc.so.6"));
	CHECK(!is_own("libc-2.19.so"));
	CHECK(!is_own("coreclr.dll"));
	CHECK(!is_own("System.Private.CoreLib.dll"));
	CHECK(is_own("ntdllish.dll"));
	CHECK(is_own("shop.dll"));
	CHECK(is_own("libcart.so"));
	CHECK(!is_own(""));
}

static void
frameworks(void)
{
	CHECK(signature_is_framework("System.Threading.Thread.StartCallback"));
	CHECK(signature_is_framework("Microsoft.AspNetCore.Http.Foo.Bar"));
	CHECK(!signature_is_framework("Shop.Orders.Process"));
	CHECK(!signature_is_framework("Systematic.Run"));
}

static void
own_frames_count(void)
{
	signature_begin(&signature, "EXCEPTION_ACCESS_VIOLATION_READ");
	CHECK(!add_native("ntdll.dll", "RtlRaise", 16));
	CHECK(add_native("shop.exe", "", 0x1234));
	CHECK(!signature_add(&signature, &(struct signed_frame){"shop.exe", NULL, 1, false, true}));
	CHECK(!add_native(NULL, "", 0));
	CHECK(add_native("cart.dll", "cart_add", 0x99));
	CHECK(add_managed("Shop.Run"));
	CHECK(add_native("more.dll", "", 1));
	signature_end(&signature);
	CHECK_TEXT(signature.text, "EXCEPTION_ACCESS_VIOLATION_READ | shop.exe+0x1234 | cart.dll!cart_add | Shop.Run");
	CHECK(strlen(signature.hash) == 16);
}

static void
recursion_counts_once(void)
{
	char hash[17];
	signature_begin(&signature, "X");
	for (int i = 0; i < 3; i++)
		CHECK(add_native("a.exe", "f", 0));
	CHECK(add_native("a.exe", "ff", 0));
	CHECK(add_native("a.exe", "f", 0));
	signature_end(&signature);
	CHECK_TEXT(signature.text, "X | a.exe!f | a.exe!ff | a.exe!f");
	memcpy(hash, signature.hash, sizeof hash);
	signature_begin(&signature, "X");
	CHECK(add_native("a.exe", "f", 0) && add_native("a.exe", "ff", 0) && add_native("a.exe", "f", 0));
	signature_end(&signature);
	CHECK_TEXT(signature.hash, hash);
}

static void
hash_is_fnv(void)
{
	signature_begin(&signature, "foobar");
	signature_end(&signature);
	CHECK_TEXT(signature.hash, "85944171f73967e8");
}

static void
long_names_stay_inside(void)
{
	static char name[5000];
	memset(name, 'n', sizeof name - 1);
	signature_begin(&signature, name);
	for (unsigned i = 0; i < 5; i++) {
		name[0] = (char)('a' + i);
		CHECK(add_native(name, name, 0));
	}
	signature_end(&signature);
	CHECK(strlen(signature.text) < sizeof signature.text);
	CHECK(strlen(signature.text) == 255 + 3 * (3 + 100 + 1 + 150));
}

int
main(void)
{
	UNIT_RUN(systems);
	UNIT_RUN(frameworks);
	UNIT_RUN(own_frames_count);
	UNIT_RUN(recursion_counts_once);
	UNIT_RUN(hash_is_fnv);
	UNIT_RUN(long_names_stay_inside);
	return unit_end();
}
