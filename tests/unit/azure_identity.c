/* SPDX-License-Identifier: MIT */
/* Tokens: asked for once, kept, renewed ahead of time by one thread while the others go on. */
#include "azure/identity.h"

#include "azure/login.h"
#include "base/log.h"
#include "base/stop.h"
#include "token_peer.h"
#include "unit.h"


#define THREADS 8

static struct identity identity;
static struct network network;
static struct token_peer peer;
static struct fault fault;
static char token[TOKEN_MAX];
static unsigned given;

static void
begin(void)
{
	fault_clear(&fault);
	token_peer_open(&peer);
	CHECK(identity_open(&identity, "managed", &network, cloud_of(""), &fault));
}

static bool
take(const char *resource, unsigned refused)
{
	struct text text = text_in(token, sizeof token);
	fault_clear(&fault);
	return identity_token(&identity, resource, refused, &given, &text, &fault);
}

static void
asks_once_a_resource(void)
{
	begin();
	for (int i = 0; i < 3; i++) {
		CHECK(take("https://a/", 0) && given == 1);
		CHECK_TEXT(token, "t1");
	}
	CHECK(strstr(peer.last, "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fa%2F HTTP/1.1\r\n") == peer.last);
	CHECK(strstr(peer.last, "\r\nMetadata: true\r\n") != NULL);
	CHECK(take("b", 0));
	CHECK_TEXT(token, "t2");
	CHECK(take("https://a/", 0));
	CHECK_TEXT(token, "t1");
	CHECK(turn_peer_asked(&peer.turns) == 2);
	for (int i = 0; i < IDENTITY_RESOURCES - 2; i++) {
		static char names[IDENTITY_RESOURCES][2];
		names[i][0] = (char)('c' + i);
		CHECK(take(names[i], 0));
	}
	CHECK(!take("one too many", 0) && fault.kind == FAULT_BOUND);
	identity_close(&identity);
	CHECK(strstr(identity.held[0].token, "t1") == NULL);
	turn_peer_close(&peer.turns);
}

static void
gives_another_to_who_was_refused(void)
{
	begin();
	CHECK(take("a", 0) && given == 1);
	CHECK(take("a", 1) && given == 2);
	CHECK_TEXT(token, "t2");
	CHECK(take("a", 1) && given == 2); /* somebody else got it already */
	CHECK(turn_peer_asked(&peer.turns) == 2);
	pthread_mutex_lock(&peer.turns.lock);
	peer.body = "{\"access_token\":\"t2\",\"expires_in\":9}";
	pthread_mutex_unlock(&peer.turns.lock);
	CHECK(!take("a", 2) && fault.kind == FAULT_DENIED && strstr(fault.text, "no newer") != NULL && strstr(fault.text, "t2") == NULL);
	CHECK(take("a", 0) && given == 2);
	turn_peer_close(&peer.turns);
}

static void
renews_in_the_last_fifth(void)
{
	begin();
	pthread_mutex_lock(&peer.turns.lock);
	peer.lifetime_s = 3;
	pthread_mutex_unlock(&peer.turns.lock);
	CHECK(take("a", 0) && given == 1);
	peer_sleep_ms(1300);
	CHECK(take("a", 0) && given == 1);
	peer_sleep_ms(400);
	CHECK(take("a", 0) && given == 2);
	/* a renewal that fails does no harm until the token has run out */
	pthread_mutex_lock(&peer.turns.lock);
	peer.status = 400;
	pthread_mutex_unlock(&peer.turns.lock);
	peer_sleep_ms(1700);
	CHECK(take("a", 0) && given == 2);
	peer_sleep_ms(400);
	CHECK(!take("a", 0) && fault.kind == FAULT_DENIED);
	CHECK(turn_peer_asked(&peer.turns) == 4);
	turn_peer_close(&peer.turns);
}

static unsigned at_once, failed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *
want(void *state)
{
	char room[TOKEN_MAX];
	struct text text = text_in(room, sizeof room);
	struct fault mine;
	unsigned number;
	int64_t began = clock_ms();
	bool done;
	(void)state;
	fault_clear(&mine);
	done = identity_token(&identity, "a", 0, &number, &text, &mine);
	pthread_mutex_lock(&lock);
	at_once += done && clock_ms() - began < 150;
	failed += !done;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void
want_together(void)
{
	pthread_t threads[THREADS];
	at_once = failed = 0;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, want, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void
renews_for_all_by_one(void)
{
	begin();
	pthread_mutex_lock(&peer.turns.lock);
	peer.delay_ms = 200;
	peer.lifetime_s = 3;
	pthread_mutex_unlock(&peer.turns.lock);
	want_together(); /* none is there: all wait for one */
	CHECK(turn_peer_asked(&peer.turns) == 1 && failed == 0 && at_once == 0);
	peer_sleep_ms(1700);
	want_together(); /* one renews, the others go on with the one that is still good */
	CHECK(turn_peer_asked(&peer.turns) == 2 && failed == 0 && at_once == THREADS - 1);
	turn_peer_close(&peer.turns);
	begin();
	pthread_mutex_lock(&peer.turns.lock);
	peer.delay_ms = 300;
	peer.status = 400;
	pthread_mutex_unlock(&peer.turns.lock);
	want_together(); /* one's failure is that of all who waited for it */
	CHECK(failed == THREADS && turn_peer_asked(&peer.turns) == 1);
	turn_peer_close(&peer.turns);
}

static void
write_file(const char *path, const char *words)
{
	FILE *file = fopen(path, "w");
	fputs(words, file);
	fclose(file);
}

static void
reads_a_file_each_time(void)
{
	char path[] = "/tmp/kudump-unit-XXXXXX", words[64];
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	fault_clear(&fault);
	snprintf(words, sizeof words, "file:%s", path);
	write_file(path, "one\r\n");
	CHECK(identity_open(&identity, words, &network, cloud_of(""), &fault));
	CHECK(take("a", 0) && given == 1);
	CHECK_TEXT(token, "one");
	CHECK(!take("a", 1) && fault.kind == FAULT_DENIED);
	write_file(path, "two");
	CHECK(take("a", 1) && given == 2);
	CHECK_TEXT(token, "two");
	unlink(path); /* as while it is being replaced */
	CHECK(take("a", 0));
	CHECK_TEXT(token, "two");
	write_file(path, "");
	CHECK(take("a", 0));
	CHECK(!take("b", 0) && fault.kind == FAULT_USAGE);
	write_file(path, "two words");
	CHECK(!take("b", 0) && strstr(fault.text, "two") == NULL);
	memset(token, 'x', sizeof token - 1);
	token[sizeof token - 1] = 0;
	write_file(path, token);
	CHECK(take("b", 0));
	FILE *file = fopen(path, "a");
	fputs("y", file);
	fclose(file);
	CHECK(!take("c", 0) && fault.kind == FAULT_BOUND);
	unlink(path);
}

static void
takes_what_was_given(void)
{
	setenv("KUDUMP_TOKEN", "abc.def\n", 1);
	fault_clear(&fault);
	CHECK(identity_open(&identity, "token", &network, cloud_of(""), &fault));
	CHECK(take("a", 0));
	CHECK_TEXT(token, "abc.def");
	CHECK(!take("a", 1) && fault.kind == FAULT_DENIED && strstr(fault.text, "abc") == NULL);
	setenv("KUDUMP_TOKEN", "", 1);
	fault_clear(&fault);
	CHECK(!identity_open(&identity, "token", &network, cloud_of(""), &fault) && fault.kind == FAULT_USAGE);
	setenv("KUDUMP_TOKEN", "gef\x01ngen", 1);
	fault_clear(&fault);
	CHECK(identity_open(&identity, "token", &network, cloud_of(""), &fault));
	CHECK(!take("a", 0) && strstr(fault.text, "gef") == NULL);
	unsetenv("KUDUMP_TOKEN");
}

/* Which audience each site takes; a site that is not known yet begins with the one that was taken last. */
static void
knows_what_each_site_takes(void)
{
	static const char site[3];
	struct login login = {.kind = LOGIN_BEARER, .identity = &identity};
	static char many[IDENTITY_TAKERS + 2];
	begin();
	CHECK(login_audiences(&login) == 2 && login_audience(&login, &site[0]) == 0);
	login_note_taken(&login, &site[0], 1);
	CHECK(login_audience(&login, &site[0]) == 1 && login_is_taken(&login, &site[0], 1) && !login_is_taken(&login, &site[0], 0));
	CHECK(login_audience(&login, &site[1]) == 1 && !login_is_taken(&login, &site[1], 1));
	login_note_taken(&login, &site[1], 0);
	CHECK(login_audience(&login, &site[0]) == 1 && login_audience(&login, &site[1]) == 0 && login_audience(&login, &site[2]) == 0);
	for (size_t i = 0; i < sizeof many; i++)
		login_note_taken(&login, &many[i], 1);
	CHECK(login_is_taken(&login, &many[0], 1) && !login_is_taken(&login, &many[sizeof many - 1], 1));
	login.audience = "https://other";
	CHECK(login_audiences(&login) == 1 && login_audience(&login, &site[0]) == 0);
	turn_peer_close(&peer.turns);
}

/* What a token says of itself for a message. */
static void
tells_of_itself(const char *words, const char *wanted)
{
	char room[200];
	struct text text = text_in(room, sizeof room);
	setenv("KUDUMP_TOKEN", words, 1);
	fault_clear(&fault);
	CHECK(identity_open(&identity, "token", &network, cloud_of(""), &fault));
	CHECK(take("a", 0));
	identity_put_reason(&identity, "a", &text);
	CHECK_TEXT(room, wanted);
	unsetenv("KUDUMP_TOKEN");
}

static void
reads_what_tokens_say(void)
{
	tells_of_itself("e30.eyJhdWQiOiJodHRwczovL3gvPz4-PyIsImV4cCI6OTAwMDAwMDAwMH0.sig", "the token is for https://x/?>>?");
	tells_of_itself("e30.eyJhdWQiOiJ4IiwiZXhwIjoxMDAwMDAwMDAwfQ.sig", "the token ran out at 2001-09-09T01:46:40Z");
	tells_of_itself("e30.eyJhdWQiOiJ4IiwiZXhwIjoxMDAwMDAwMDAwfQ", "");
	tells_of_itself("e30.eyJhdWQiOiJ4Ii.sig", "");
	tells_of_itself("e30.!!.sig", "");
	tells_of_itself("opaque", "");
	tells_of_itself("...", "");
}

/* Status and body of an endpoint's answer, and what is made of them. */
static void
tells(int status, const char *body, enum fault_kind kind, const char *words)
{
	begin();
	pthread_mutex_lock(&peer.turns.lock);
	peer.status = status;
	peer.body = body;
	pthread_mutex_unlock(&peer.turns.lock);
	CHECK(!take("a", 0));
	if (fault.kind != kind || strstr(fault.text, words) == NULL)
		fprintf(stderr, "%d %s: %s\n", status, body, fault.text);
	CHECK(fault.kind == kind && strstr(fault.text, words) != NULL);
	CHECK(strstr(fault.text, "geheim") == NULL && strstr(fault.hint, "geheim") == NULL);
	turn_peer_close(&peer.turns);
}

static void
explains_refusals(void)
{
	tells(400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}", FAULT_DENIED, "no identity of its own");
	tells(400, "{\"error\":\"invalid_resource\",\"error_description\":\"geheim\"}", FAULT_DENIED, "no such audience");
	CHECK(fault.detail == TOKEN_NO_RESOURCE);
	tells(400, "{\"error_description\":\"AADSTS500011: geheim\"}", FAULT_DENIED, "AADSTS500011");
	CHECK(fault.detail == TOKEN_NO_RESOURCE);
	tells(403, "geheim", FAULT_DENIED, "refused (HTTP 403)");
	tells(400, "{\"error\":{\"code\":\"x\",\"message\":\"AADSTS7000215: geheim\"}}", FAULT_DENIED, "client secret is wrong (AADSTS7000215)");
	tells(400, "{\"error_description\":\"AADSTS: geheim\"}", FAULT_DENIED, "refused");
	tells(400, "{\"error_description\":\"AADSTS99999999999999999999999: geheim\"}", FAULT_DENIED, "refused");
	tells(200, "{\"access_token\":\"\"}", FAULT_NETWORK, "no token");
	tells(200, "{\"access_token\":[\"geheim\"]}", FAULT_NETWORK, "no token");
	tells(200, "{\"access_token\":\"ge heim\"}", FAULT_USAGE, "not of a token");
	tells(200, "{\"access_token\":\"geheim", FAULT_NETWORK, "no token");
	tells(200, "<html>geheim", FAULT_NETWORK, "no token");
	tells(200, "", FAULT_NETWORK, "no token");
}

static void
refuses(const char *words, const char *why)
{
	fault_clear(&fault);
	CHECK(!identity_open(&identity, words, &network, cloud_of(""), &fault) && fault.kind == FAULT_USAGE);
	CHECK(strstr(fault.text, why) != NULL);
}

static void
refuses_bad_words(void)
{
	refuses("", "no identity");
	refuses("manage", "no identity");
	refuses("managed:a/b", "client id");
	refuses("managed:11111111-1111-1111-1111-111111111111-1111-1111-1111-111111111111-11111", "too long");
	refuses("client", "AZURE_TENANT_ID is not set");
	setenv("AZURE_TENANT_ID", "t", 1);
	refuses("client", "AZURE_CLIENT_ID is not set");
	setenv("AZURE_CLIENT_ID", "c", 1);
	refuses("client", "AZURE_CLIENT_SECRET is not set");
	refuses("federated", "AZURE_FEDERATED_TOKEN_FILE is not set");
	CHECK_TEXT(token_source_of_environment(), "managed");
	setenv("AZURE_FEDERATED_TOKEN_FILE", "f", 1);
	CHECK_TEXT(token_source_of_environment(), "federated");
	setenv("AZURE_CLIENT_SECRET", "s", 1);
	CHECK_TEXT(token_source_of_environment(), "client");
	setenv("AZURE_AUTHORITY_HOST", "http://login.example", 1);
	refuses("client", "AZURE_AUTHORITY_HOST");
	setenv("AZURE_AUTHORITY_HOST", "https://login.example/tenant", 1);
	refuses("client", "AZURE_AUTHORITY_HOST");
	setenv("AZURE_AUTHORITY_HOST", "login.example", 1);
	fault_clear(&fault);
	CHECK(identity_open(&identity, "client", &network, cloud_of(""), &fault));
	CHECK_TEXT(identity.source.endpoint.host, "login.example");
	unsetenv("AZURE_AUTHORITY_HOST");
	CHECK(identity_open(&identity, "client", &network, cloud_of("x.scm.azurewebsites.us"), &fault));
	CHECK_TEXT(identity.source.endpoint.host, "login.microsoftonline.us");
}

static void
knows_clouds(void)
{
	CHECK_TEXT(cloud_of("contoso.scm.azurewebsites.net")->scm[0], "https://appservice.azure.com");
	CHECK_TEXT(cloud_of("contoso.scm.azurewebsites.us")->scm[0], "https://appservice.azure.us");
	CHECK_TEXT(cloud_of("contoso.scm.chinacloudsites.cn")->scm[0], "https://appservice.azure.cn");
	CHECK_TEXT(cloud_of("acct.blob.core.usgovcloudapi.net")->arm, "https://management.usgovcloudapi.net/");
	CHECK_TEXT(cloud_of("V.Vault.Azure.CN")->vault, "https://vault.azure.cn");
	CHECK(cloud_of("") == cloud_of("localhost") && cloud_of("azurewebsites.us") == cloud_of("") && cloud_of(".azurewebsites.us") == cloud_of(""));
}

static void
logs_in(void)
{
	static struct login login;
	char room[2048];
	struct text text = text_in(room, sizeof room);
	fault_clear(&fault);
	login_none(&login);
	CHECK(login_put(&login, 0, 0, &given, &text, &fault) && text.used == 0 && login_audiences(&login) == 0);
	CHECK(login_basic(&login, "$contoso", "p:w", &fault) && login_put(&login, 0, 0, &given, &text, &fault));
	CHECK_TEXT(room, "Authorization: Basic JGNvbnRvc286cDp3\r\n");
	CHECK(!login_basic(&login, "a:b", "p", &fault) && fault.kind == FAULT_USAGE);
	fault_clear(&fault);
	CHECK(!login_basic(&login, "a", "p\n", &fault));
	fault_clear(&fault);
	memset(room, 'x', BASIC_MAX);
	room[BASIC_MAX - 3] = 0; /* with "a:" and the NUL just what fits */
	CHECK(login_basic(&login, "a", room, &fault));
	room[BASIC_MAX - 3] = 'x';
	room[BASIC_MAX - 2] = 0;
	CHECK(!login_basic(&login, "a", room, &fault) && strstr(fault.text, "xxx") == NULL);
	begin();
	login_bearer(&login, &identity, NULL);
	CHECK(login_audiences(&login) == 2);
	text_reset(&text);
	CHECK(login_put(&login, 1, 0, &given, &text, &fault));
	CHECK_TEXT(room, "Authorization: Bearer t1\r\n");
	CHECK(strstr(peer.last, "resource=https%3A%2F%2Fmanagement.azure.com%2F ") != NULL);
	login_bearer(&login, &identity, "api://own");
	CHECK(login_audiences(&login) == 1);
	text_reset(&text);
	CHECK(login_put(&login, 0, 0, &given, &text, &fault) && strstr(peer.last, "resource=api%3A%2F%2Fown ") != NULL);
	turn_peer_close(&peer.turns);
}

int
main(void)
{
	log_open(LOG_QUIET);
	UNIT_RUN(asks_once_a_resource);
	UNIT_RUN(gives_another_to_who_was_refused);
	UNIT_RUN(renews_in_the_last_fifth);
	UNIT_RUN(renews_for_all_by_one);
	UNIT_RUN(reads_a_file_each_time);
	UNIT_RUN(takes_what_was_given);
	UNIT_RUN(knows_what_each_site_takes);
	UNIT_RUN(reads_what_tokens_say);
	UNIT_RUN(explains_refusals);
	UNIT_RUN(refuses_bad_words);
	UNIT_RUN(knows_clouds);
	UNIT_RUN(logs_in);
	return unit_end();
}
