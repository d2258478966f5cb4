/* SPDX-License-Identifier: MIT */
#include "job/signature.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

/* Short names begin like these, in any case. What ends with a dot is a whole name without its extension. */
static const char *const system_names[] = {
	/* Windows */
	"ntdll.", "kernel32.", "kernelbase.", "user32.", "gdi32", "win32u.", "advapi32.", "sechost.", "rpcrt4.", "combase.",
	"ole32.", "oleaut32.", "ws2_32.", "mswsock.", "bcrypt", "crypt32.", "ucrtbase", "msvcrt.", "msvcp", "vcruntime",
	"wow64", "wer.", "faultrep.", "dbghelp.", "dbgcore.", "shlwapi.", "shell32.", "winhttp.", "wininet.", "w3tp.",
	"w3dt.", "iiscore.", "iisutil.", "w3wphost.", "nativerd.", "aspnetcorev2", "hwebcore.",
	/* .NET */
	"coreclr.", "clr.", "clrjit.", "mscorwks.", "mscoree", "mscorlib.", "mscorsvw.", "hostfxr.", "hostpolicy.",
	"system.", "microsoft.", "netstandard.", "webengine", "libcoreclr", "libclrjit.", "libhostfxr.", "libhostpolicy.",
	"libsystem.", "libmscordaccore",
	/* Linux, macOS */
	"libc.", "libc-", "libpthread", "ld-linux", "ld-musl", "ld-2.", "libstdc++", "libgcc_s", "libm.", "libm-", "libdl",
	"librt.", "linux-vdso", "linux-gate", "[vdso]", "libsystem_", "libc++", "libdyld", "dyld", "corefoundation",
};

static const char *const framework_names[] = {"System.", "Microsoft.", "Interop.", "Interop+", "Internal.", "MS.Internal."};

static bool
is_system(const char *module)
{
	struct span name = span_of(module);
	for (size_t i = 0; i < sizeof system_names / sizeof system_names[0]; i++)
		if (span_begins_nocase(name, system_names[i]))
			return true;
	return false;
}

bool
signature_is_framework(const char *method)
{
	for (size_t i = 0; i < sizeof framework_names / sizeof framework_names[0]; i++)
		if (span_begins(span_of(method), framework_names[i]))
			return true;
	return false;
}

bool
signature_is_own(const struct signed_frame *frame)
{
	if (frame->managed)
		return frame->function != NULL && frame->function[0] != 0 && !signature_is_framework(frame->function);
	return frame->module != NULL && frame->module[0] != 0 && !frame->runtime && !is_system(frame->module);
}

void
signature_begin(struct signature *signature, const char *what)
{
	snprintf(signature->text, sizeof signature->text, "%.255s", what);
	signature->hash[0] = 0;
	signature->count = 0;
	signature->last = strlen(signature->text);
}

/* A function that calls itself counts once, however deep: the depth is not the crash's kind. */
static bool
is_again(const struct signature *signature, size_t before, size_t used)
{
	size_t size = before - signature->last;
	return used - before == size && memcmp(signature->text + before, signature->text + signature->last, size) == 0;
}

bool
signature_add(struct signature *signature, const struct signed_frame *frame)
{
	size_t before = strlen(signature->text);
	struct text text = {signature->text, before, sizeof signature->text, false};
	if (!signature_is_own(frame))
		return false;
	if (signature->count == SIGNATURE_FRAMES)
		return true;
	text_put(&text, " | ");
	if (frame->managed)
		text_printf(&text, "%.200s", frame->function);
	else if (frame->function != NULL && frame->function[0] != 0)
		text_printf(&text, "%.100s!%.150s", frame->module, frame->function);
	else
		text_printf(&text, "%.100s+0x%" PRIx64, frame->module, frame->offset);
	if (signature->count > 0 && is_again(signature, before, text.used)) {
		signature->text[before] = 0;
		return true;
	}
	signature->last = before;
	signature->count++;
	return true;
}

void
signature_end(struct signature *signature)
{
	uint64_t hash = FNV_BASIS;
	for (const char *at = signature->text; *at != 0; at++)
		hash = (hash ^ (unsigned char)*at) * FNV_PRIME;
	snprintf(signature->hash, sizeof signature->hash, "%016" PRIx64, hash);
}
