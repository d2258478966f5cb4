/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include "base/linux.h"
#include "base/stop.h"
#include "net/name.h"
#include "net/tls_words.h"
#include "net/wait.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define ENTROPY_BYTES 32

static const uint16_t aes_suites[] = {
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384};
static const uint16_t chacha_suites[] = {
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256};

enum { AES_SUITES = 4, CHACHA_SUITES = 2 };

static bool
prefers_aes(void)
{
	return br_aes_x86ni_ctr_get_vtable() != NULL && br_ghash_pclmul_get() != 0;
}

/* Whatever this CPU does fastest comes first: without AES instructions ChaCha20 is 3.7 times as fast. */
static void
offer_suites(br_ssl_engine_context *engine)
{
	bool aes_first = prefers_aes();
	uint16_t numbers[AES_SUITES + CHACHA_SUITES];
	for (size_t i = 0; i < AES_SUITES; i++)
		numbers[aes_first ? i : CHACHA_SUITES + i] = aes_suites[i];
	for (size_t i = 0; i < CHACHA_SUITES; i++)
		numbers[aes_first ? AES_SUITES + i : i] = chacha_suites[i];
	br_ssl_engine_set_suites(engine, numbers, AES_SUITES + CHACHA_SUITES);
}

/* The plain C ChaCha20 is faster than BearSSL's SSE2 one. */
static void
set_ciphers(br_ssl_engine_context *engine)
{
	br_poly1305_run poly1305 = br_poly1305_ctmulq_get();
	br_ssl_engine_set_default_aes_gcm(engine);
	br_ssl_engine_set_chapol(engine, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(engine, br_chacha20_ct_run);
	br_ssl_engine_set_poly1305(engine, poly1305 != 0 ? poly1305 : br_poly1305_ctmul_run);
}

/* Only what TLS 1.2 with these suites needs; BearSSL's full profile also links 3DES, CBC, MD5 and SHA-1. */
static void
set_algorithms(br_ssl_engine_context *engine)
{
	br_ssl_engine_set_versions(engine, BR_TLS12, BR_TLS12);
	br_ssl_engine_add_flags(engine, BR_OPT_NO_RENEGOTIATION);
	offer_suites(engine);
	set_ciphers(engine);
	br_ssl_engine_set_hash(engine, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(engine, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_hash(engine, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_prf_sha256(engine, &br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(engine, &br_tls12_sha384_prf);
	br_ssl_engine_set_default_rsavrfy(engine);
	br_ssl_engine_set_default_ecdsa(engine);
}

static void
ignore_list(const br_ssl_client_certificate_class **context)
{
	(void)context;
}

static void
ignore_name(const br_ssl_client_certificate_class **context, size_t count)
{
	(void)context, (void)count;
}

static void
ignore_bytes(const br_ssl_client_certificate_class **context, const unsigned char *from, size_t count)
{
	(void)context, (void)from, (void)count;
}

static void
choose_none(const br_ssl_client_certificate_class **context, const br_ssl_client_context *client, uint32_t kinds,
            br_ssl_client_certificate *choice)
{
	struct tls_chooser *chooser = (struct tls_chooser *)(void *)context;
	(void)client, (void)kinds;
	chooser->asked = true;
	memset(choice, 0, sizeof *choice);
}

/* With no certificate chosen the last two are never called. */
static const br_ssl_client_certificate_class chooser_class = {
	sizeof(struct tls_chooser), ignore_list, ignore_name, ignore_bytes, ignore_list, ignore_list, choose_none, NULL, NULL};

/* BearSSL would take entropy from the CPU alone. */
static bool
seed(br_ssl_engine_context *engine, struct fault *fault)
{
	unsigned char entropy[ENTROPY_BYTES];
	if (!random_bytes(entropy, sizeof entropy, fault))
		return false;
	br_ssl_engine_inject_entropy(engine, entropy, sizeof entropy);
	memset(entropy, 0, sizeof entropy);
	return true;
}

static void
prepare(struct tls *tls, int fd, const struct trust *trust)
{
	br_ssl_engine_context *engine = &tls->client.eng;
	tls->fd = fd;
	tls->send_error = 0;
	tls->open = tls->closed = false;
	tls->ahead_count = 0;
	tls->chooser = (struct tls_chooser){&chooser_class, false};
	checker_open(&tls->checker, trust, clock_utc_s());
	br_ssl_client_zero(&tls->client);
	set_algorithms(engine);
	br_ssl_engine_set_x509(engine, &tls->checker.vtable);
	br_ssl_client_set_client_certificate(&tls->client, &tls->chooser.vtable);
	br_ssl_engine_set_buffers_bidi(engine, tls->in, sizeof tls->in, tls->out, sizeof tls->out);
}

/* Without a trailing dot. An empty name would switch BearSSL's check of the name off, so it ends here. */
static bool
keep_host(char room[HOST_MAX + 1], const char *host, struct fault *fault)
{
	struct span name = span_of(host);
	if (name.count > 0 && name.at[name.count - 1] == '.')
		name = span_first(name, name.count - 1);
	if (name_is_literal(host)) {
		fault_raise(fault, FAULT_TLS, "%s is an address, and certificates are checked against names", host);
		return fault_hint(fault, "use the name in the URL, and --resolve NAME:%s if it does not resolve", host);
	}
	if (name.count == 0 || !text_keep(room, HOST_MAX + 1, name))
		return fault_raise(fault, FAULT_TLS, "a host name of %zu bytes cannot be used for TLS", name.count);
	return true;
}

static bool
has_error(int error)
{
	return error != EAGAIN && error != EWOULDBLOCK && error != EINTR;
}

/* Sends what the engine has ready, without waiting. */
static bool
push(struct tls *tls)
{
	size_t count;
	const unsigned char *from = br_ssl_engine_sendrec_buf(&tls->client.eng, &count);
	ssize_t done;
	if (from == NULL || tls->send_error != 0)
		return false;
	done = send(tls->fd, from, count, MSG_NOSIGNAL);
	if (done < 0 && has_error(errno))
		tls->send_error = errno;
	if (done <= 0)
		return false;
	br_ssl_engine_sendrec_ack(&tls->client.eng, (size_t)done);
	return true;
}

static void
pull_ahead(struct tls *tls, unsigned char *room, size_t size)
{
	size_t count = size < tls->ahead_count ? size : tls->ahead_count;
	memcpy(room, tls->ahead, count);
	memmove(tls->ahead, tls->ahead + count, tls->ahead_count - count);
	tls->ahead_count -= count;
	br_ssl_engine_recvrec_ack(&tls->client.eng, count);
}

enum pulled { PULLED_BYTES, PULLED_NOTHING, PULLED_END, PULLED_ERROR };

/* Receives for the engine, without waiting. It asks for the head of a record, then for the body; the next head is read
 * together with the body, which saves every second call. */
static enum pulled
pull(struct tls *tls, int *error)
{
	size_t size;
	unsigned char *room = br_ssl_engine_recvrec_buf(&tls->client.eng, &size);
	struct iovec parts[2] = {{room, size}, {tls->ahead, sizeof tls->ahead}};
	ssize_t got;
	if (room == NULL)
		return PULLED_NOTHING;
	if (tls->ahead_count > 0) {
		pull_ahead(tls, room, size);
		return PULLED_BYTES;
	}
	got = readv(tls->fd, parts, size > sizeof tls->ahead ? 2 : 1);
	*error = errno;
	if (got < 0)
		return has_error(*error) ? PULLED_ERROR : PULLED_NOTHING;
	if (got == 0)
		return PULLED_END;
	if ((size_t)got > size)
		tls->ahead_count = (size_t)got - size;
	br_ssl_engine_recvrec_ack(&tls->client.eng, (size_t)got < size ? (size_t)got : size);
	return PULLED_BYTES;
}

/* Waiting looks once even after the deadline, so a peer that sends byte by byte is stopped here. */
static bool
wait_for_more(struct tls *tls, bool sending, struct deadline deadline, struct fault *fault)
{
	bool readable, writable;
	if (deadline_passed(deadline))
		return fault_raise(fault, FAULT_TIMEOUT, "timed out: the other side is too slow");
	if (!sending)
		return wait_readable(tls->fd, deadline, fault);
	return wait_either(tls->fd, &readable, &writable, deadline, fault);
}

/* Moves some bytes one way or the other; waits when none will move. A send that failed is told only when nothing more
 * can be read: what the peer said before it closed explains more. */
static bool
step(struct tls *tls, struct deadline deadline, struct fault *fault)
{
	size_t count;
	int error = 0;
	/* a fast peer never lets us wait, and only waits see a signal */
	if (!stop_check(fault))
		return false;
	if (push(tls))
		return true;
	switch (pull(tls, &error)) {
	case PULLED_BYTES: return true;
	case PULLED_END: return tls_words_lost(tls, tls->send_error, fault);
	case PULLED_ERROR: return tls_words_lost(tls, error, fault);
	case PULLED_NOTHING: break;
	}
	if (tls->send_error != 0)
		return tls_words_lost(tls, tls->send_error, fault);
	return wait_for_more(tls, br_ssl_engine_sendrec_buf(&tls->client.eng, &count) != NULL, deadline, fault);
}

static bool
shake_hands(struct tls *tls, struct deadline deadline, struct fault *fault)
{
	for (;;) {
		unsigned state = br_ssl_engine_current_state(&tls->client.eng);
		if (state & BR_SSL_CLOSED)
			return tls_words_explain(tls, fault);
		if (state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP))
			return true;
		if (!step(tls, deadline, fault))
			return fault->kind == FAULT_TIMEOUT ? fault_while(fault, "TLS handshake") : false;
	}
}

static bool
offer_session(struct tls *tls, const struct tls_session *session, const char *host)
{
	if (session == NULL || !session->valid || strcmp(session->host, host) != 0)
		return false;
	br_ssl_engine_set_session_parameters(&tls->client.eng, &session->parameters);
	return true;
}

static void
keep_session(const struct tls *tls, struct tls_session *session, const char *host)
{
	br_ssl_engine_get_session_parameters(&tls->client.eng, &session->parameters);
	session->valid = session->parameters.session_id_len > 0 && text_keep(session->host, sizeof session->host, span_of(host));
	session->resumed = tls->checker.seen == 0;
}

bool
tls_open(struct tls *tls, int fd, const char *host, const struct trust *trust, struct tls_session *session,
         struct deadline deadline, struct fault *fault)
{
	char name[HOST_MAX + 1];
	bool resume;
	if (!keep_host(name, host, fault))
		return false;
	prepare(tls, fd, trust);
	if (!seed(&tls->client.eng, fault))
		return false;
	resume = offer_session(tls, session, name);
	if (!br_ssl_client_reset(&tls->client, name, resume))
		return tls_words_explain(tls, fault);
	if (session != NULL)
		session->valid = false;
	if (!shake_hands(tls, deadline, fault))
		return false;
	tls->open = true;
	if (session != NULL)
		keep_session(tls, session, name);
	return true;
}

/* The engine takes and gives nothing more: properly closed, or why not? */
static bool
ended(struct tls *tls, struct fault *fault)
{
	if (br_ssl_engine_last_error(&tls->client.eng) != BR_ERR_OK)
		return tls_words_explain(tls, fault);
	tls->closed = true;
	return true;
}

bool
tls_read(struct tls *tls, void *room, size_t size, size_t *got, struct deadline deadline, struct fault *fault)
{
	br_ssl_engine_context *engine = &tls->client.eng;
	size_t count;
	assert(size > 0);
	*got = 0;
	for (;;) {
		const unsigned char *from = br_ssl_engine_recvapp_buf(engine, &count);
		if (from != NULL) {
			*got = count < size ? count : size;
			memcpy(room, from, *got);
			br_ssl_engine_recvapp_ack(engine, *got);
			return true;
		}
		if (br_ssl_engine_current_state(engine) & BR_SSL_CLOSED)
			return ended(tls, fault);
		if (!step(tls, deadline, fault))
			return false;
	}
}

/* Gives the engine as much as it takes of the rest; the last record is made short rather than waited with. */
static size_t
give(br_ssl_engine_context *engine, const unsigned char *from, size_t count)
{
	size_t size, given = 0;
	unsigned char *room;
	while (given < count && (room = br_ssl_engine_sendapp_buf(engine, &size)) != NULL) {
		size_t part = count - given < size ? count - given : size;
		memcpy(room, from + given, part);
		br_ssl_engine_sendapp_ack(engine, part);
		given += part;
	}
	if (given == count)
		br_ssl_engine_flush(engine, 0);
	return given;
}

bool
tls_write(struct tls *tls, const void *from, size_t count, size_t *sent, struct deadline deadline, struct fault *fault)
{
	br_ssl_engine_context *engine = &tls->client.eng;
	size_t given = 0, ignored;
	*sent = 0;
	while (*sent < count) {
		if (br_ssl_engine_recvapp_buf(engine, &ignored) != NULL)
			return true;
		if (br_ssl_engine_current_state(engine) & BR_SSL_CLOSED)
			return ended(tls, fault);
		if (given < count)
			given += give(engine, (const unsigned char *)from + given, count - given);
		if ((given < count || br_ssl_engine_sendrec_buf(engine, &ignored) != NULL) && !step(tls, deadline, fault))
			return false;
		if (br_ssl_engine_sendrec_buf(engine, &ignored) == NULL)
			*sent = given;
	}
	return true;
}

bool
tls_has_data(const struct tls *tls)
{
	size_t wanted;
	if (tls->ahead_count > 0 || br_ssl_engine_recvapp_buf(&tls->client.eng, &wanted) != NULL)
		return true;
	/* between records the engine asks for a whole head */
	return br_ssl_engine_recvrec_buf(&tls->client.eng, &wanted) != NULL && wanted != TLS_AHEAD;
}

void
tls_close(struct tls *tls)
{
	br_ssl_engine_context *engine = &tls->client.eng;
	size_t count;
	if (!tls->open || tls->closed)
		return;
	/* BearSSL 0.6 would keep what was not read and not close */
	while (br_ssl_engine_recvapp_buf(engine, &count) != NULL)
		br_ssl_engine_recvapp_ack(engine, count);
	br_ssl_engine_close(engine);
	while (push(tls))
		continue;
	tls->closed = true;
}
