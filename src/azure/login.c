/* SPDX-License-Identifier: MIT */
#include "azure/login.h"

#include "base/encode.h"
#include "base/memory.h"

#include <string.h>

#define CREDENTIALS_MAX 1024

void
login_none(struct login *login)
{
	login->kind = LOGIN_NONE;
	login->authorization[0] = 0;
}

static bool
is_printable(const char *words)
{
	for (; *words != 0; words++)
		if ((unsigned char)*words < 0x20 || *words == 0x7f)
			return false;
	return true;
}

bool
login_basic(struct login *login, const char *user, const char *password, struct fault *fault)
{
	char both[CREDENTIALS_MAX];
	struct text plain = text_in(both, sizeof both);
	struct text value = text_in(login->authorization, sizeof login->authorization);
	if (strchr(user, ':') != NULL || !is_printable(user))
		return fault_raise(fault, FAULT_USAGE, "the user name holds a character that basic authentication cannot carry");
	if (password[0] == 0)
		return fault_raise(fault, FAULT_USAGE, "the password is empty");
	if (!is_printable(password))
		return fault_raise(fault, FAULT_USAGE, "the password holds a control character, perhaps a line end");
	text_printf(&plain, "%s:%s", user, password);
	text_put(&value, "Basic ");
	encode_base64(&value, text_span(&plain));
	memory_wipe(both, sizeof both);
	login->kind = LOGIN_BASIC;
	if (plain.cut || value.cut)
		return fault_raise(fault, FAULT_USAGE, "user and password are longer than %d bytes", CREDENTIALS_MAX);
	return true;
}

bool
login_bearer(struct login *login, const char *token, struct fault *fault)
{
	struct text value = text_in(login->authorization, sizeof login->authorization);
	for (const char *at = token; *at != 0; at++)
		if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f)
			return fault_raise(fault, FAULT_USAGE, "the token holds a character that is not of a token");
	text_printf(&value, "Bearer %s", token);
	login->kind = LOGIN_BEARER;
	if (token[0] == 0 || value.cut)
		return fault_raise(fault, FAULT_USAGE, "the token is %s", value.cut ? "longer than 8 KiB" : "empty");
	return true;
}

bool
login_put(const struct login *login, const char *resource, struct text *headers, struct fault *fault)
{
	if (login->kind == LOGIN_NONE)
		return true;
	if (resource != NULL && login->kind == LOGIN_BASIC) {
		fault_raise(fault, FAULT_USAGE, "Azure Resource Manager takes no user and password");
		return fault_hint(fault, "give a bearer token: --identity");
	}
	text_printf(headers, "Authorization: %s\r\n", login->authorization);
	return true;
}

void
login_close(struct login *login)
{
	memory_wipe(login, sizeof *login);
}
