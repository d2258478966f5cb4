/* SPDX-License-Identifier: MIT */
#include "azure/login.h"

#include "base/encode.h"
#include "base/memory.h"

#include <string.h>

void
login_none(struct login *login)
{
	login->kind = LOGIN_NONE;
	login->basic[0] = 0;
	login->identity = NULL;
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
	char both[BASIC_MAX];
	struct text plain = text_in(both, sizeof both);
	struct text value = text_in(login->basic, sizeof login->basic);
	if (strchr(user, ':') != NULL || !is_printable(user))
		return fault_raise(fault, FAULT_USAGE, "the user name holds a character that basic authentication cannot carry");
	if (password[0] == 0)
		return fault_raise(fault, FAULT_USAGE, "the password is empty");
	if (!is_printable(password))
		return fault_raise(fault, FAULT_USAGE, "the password holds a control character, perhaps a line end");
	text_printf(&plain, "%s:%s", user, password);
	encode_base64(&value, text_span(&plain));
	memory_wipe(both, sizeof both);
	login->kind = LOGIN_BASIC;
	if (plain.cut || value.cut)
		return fault_raise(fault, FAULT_USAGE, "user and password are longer than %d bytes", BASIC_MAX);
	return true;
}

void
login_bearer(struct login *login, struct identity *identity, const char *audience)
{
	login->kind = LOGIN_BEARER;
	login->identity = identity;
	login->audience = audience;
}

unsigned
login_audiences(const struct login *login)
{
	if (login->kind != LOGIN_BEARER)
		return 0;
	return login->audience != NULL || !token_source_asks(&login->identity->source) ? 1 : 2;
}

bool
login_renews(const struct login *login)
{
	return login->kind == LOGIN_BEARER && login->identity->source.kind != TOKEN_GIVEN;
}

static const char *
resource_of(const struct login *login, unsigned audience)
{
	if (audience == LOGIN_ARM)
		return login->identity->cloud->arm;
	return login->audience != NULL ? login->audience : login->identity->cloud->scm[audience];
}

unsigned
login_audience(const struct login *login, const void *who)
{
	unsigned count = login_audiences(login);
	bool own;
	const char *taken = count > 1 ? identity_taken(login->identity, who, &own) : NULL;
	for (unsigned i = 0; taken != NULL && i < count; i++)
		if (strcmp(resource_of(login, i), taken) == 0)
			return i;
	return 0;
}

void
login_note_taken(const struct login *login, const void *who, unsigned audience)
{
	if (login->kind == LOGIN_BEARER)
		identity_note_taken(login->identity, who, resource_of(login, audience));
}

bool
login_is_taken(const struct login *login, const void *who, unsigned audience)
{
	bool own;
	const char *taken = login->kind == LOGIN_BEARER ? identity_taken(login->identity, who, &own) : NULL;
	return taken != NULL && own && strcmp(resource_of(login, audience), taken) == 0;
}

void
login_put_reason(const struct login *login, unsigned audience, struct text *text)
{
	identity_put_reason(login->identity, resource_of(login, audience), text);
}

bool
login_put(const struct login *login, unsigned audience, unsigned refused, unsigned *given, struct text *text,
          struct fault *fault)
{
	if (login->kind == LOGIN_NONE)
		return true;
	if (login->kind == LOGIN_BASIC && audience == LOGIN_ARM) {
		fault_raise(fault, FAULT_USAGE, "Azure Resource Manager takes no user and password");
		return fault_hint(fault, "give a bearer token: --identity");
	}
	if (login->kind == LOGIN_BASIC) {
		text_printf(text, "Authorization: Basic %s\r\n", login->basic);
		return true;
	}
	text_put(text, "Authorization: Bearer ");
	if (!identity_token(login->identity, resource_of(login, audience), refused, given, text, fault))
		return false;
	text_put(text, "\r\n");
	return true;
}
