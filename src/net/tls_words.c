/* SPDX-License-Identifier: MIT */
#include "net/tls_words.h"

#include <string.h>

/* RFC 5246 section 7.2 */
enum alert {
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_ACCESS_DENIED = 49,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INSUFFICIENT_SECURITY = 71,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_UNRECOGNIZED_NAME = 112,
	ALERT_CERTIFICATE_REQUIRED = 116 /* RFC 8446 */
};

enum record_type { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };

static bool
explain_client_certificate(const char *host, struct fault *fault)
{
	fault_raise(fault, FAULT_TLS, "%s wants a client certificate, which kudump does not have", host);
	return fault_hint(fault, "App Service: the setting \"client certificate mode\" can exclude paths, or be optional");
}

static bool
explain_new_version(const char *host, struct fault *fault)
{
	fault_raise(fault, FAULT_TLS, "%s does not accept TLS 1.2: it wants TLS 1.3, which kudump cannot speak", host);
	return fault_hint(fault, "App Service: set the minimum TLS version of the SCM site to 1.2");
}

/* A server that sent a fatal alert. */
static bool
explain_alert(const struct tls *tls, int alert, const char *host, struct fault *fault)
{
	bool about_us = tls->chooser.asked && ((alert >= ALERT_BAD_CERTIFICATE && alert <= ALERT_CERTIFICATE_UNKNOWN) ||
	                                       alert == ALERT_HANDSHAKE_FAILURE || alert == ALERT_UNKNOWN_CA);
	if (about_us || alert == ALERT_CERTIFICATE_REQUIRED)
		return explain_client_certificate(host, fault);
	switch (alert) {
	case ALERT_PROTOCOL_VERSION: return explain_new_version(host, fault);
	case ALERT_HANDSHAKE_FAILURE:
	case ALERT_INSUFFICIENT_SECURITY:
		fault_raise(fault, FAULT_TLS, "%s has no cipher suite or signature algorithm in common with kudump (alert %d)", host,
		            alert);
		return fault_hint(fault, "offered are TLS 1.2 and ECDHE with AES-GCM or ChaCha20-Poly1305; a server with only an older TLS "
		                         "also answers like this");
	case ALERT_UNRECOGNIZED_NAME:
		return fault_raise(fault, FAULT_TLS, "the server there does not know the name %s (alert 112)", host);
	case ALERT_ACCESS_DENIED: return fault_raise(fault, FAULT_TLS, "%s denied access (TLS alert 49)", host);
	case ALERT_INTERNAL_ERROR:
		return fault_raise(fault, FAULT_TLS, "%s reports an internal error of its own (TLS alert 80)", host);
	default: return fault_raise(fault, FAULT_TLS, "%s ended TLS with alert %d", host, alert);
	}
}

/* The first bytes were not those of TLS 1.2: an old TLS, or no TLS at all. */
static bool
explain_version(const struct tls *tls, const char *host, struct fault *fault)
{
	const unsigned char *head = tls->in;
	bool record = (head[0] == RECORD_HANDSHAKE || head[0] == RECORD_ALERT) && head[1] == 3;
	if (tls->open)
		return fault_raise(fault, FAULT_TLS, "%s sent something that is no TLS record", host);
	if (record) {
		fault_raise(fault, FAULT_TLS, "%s speaks only a TLS older than 1.2", host);
		return fault_hint(fault, "TLS 1.0 and 1.1 are no longer safe; Azure has switched them off");
	}
	if (memcmp(head, "HTTP/", 5) == 0)
		fault_raise(fault, FAULT_TLS, "%s answers in plain HTTP on this port, not in TLS", host);
	else
		fault_raise(fault, FAULT_TLS, "%s does not speak TLS on this port", host);
	return fault_hint(fault, "check the port, and whether the address should begin with http://");
}

static bool
explain(const struct tls *tls, int error, const char *host, struct fault *fault)
{
	if (checker_owns(error))
		return checker_explain(&tls->checker, error, host, fault);
	if (error >= BR_ERR_RECV_FATAL_ALERT && error < BR_ERR_RECV_FATAL_ALERT + 256)
		return explain_alert(tls, error - BR_ERR_RECV_FATAL_ALERT, host, fault);
	switch (error) {
	case BR_ERR_UNSUPPORTED_VERSION:
	case BR_ERR_BAD_VERSION: return explain_version(tls, host, fault);
	case BR_ERR_BAD_CIPHER_SUITE:
		return fault_raise(fault, FAULT_TLS, "%s chose a cipher suite that was not offered", host);
	case BR_ERR_BAD_MAC:
		return fault_raise(fault, FAULT_TLS, "a record from %s arrived altered (its authentication failed)", host);
	case BR_ERR_BAD_SIGNATURE:
		return fault_raise(fault, FAULT_TLS, "%s does not hold the private key of its certificate: its signature is wrong",
		                   host);
	case BR_ERR_INVALID_ALGORITHM:
		return fault_raise(fault, FAULT_TLS, "%s uses a curve or signature algorithm that was not offered", host);
	case BR_ERR_WRONG_KEY_USAGE:
		return fault_raise(fault, FAULT_TLS, "the key usage of the certificate of %s does not allow TLS with it", host);
	case BR_ERR_BAD_LENGTH:
	case BR_ERR_TOO_LARGE:
		return fault_raise(fault, FAULT_TLS, "%s sent a TLS record longer than is allowed", host);
	case BR_ERR_BAD_FINISHED:
		return fault_raise(fault, FAULT_TLS, "the handshake with %s was altered on the way", host);
	case BR_ERR_UNEXPECTED:
		return fault_raise(fault, FAULT_TLS, "%s sent %sa message out of order", host,
		                   !tls->open && tls->checker.seen == 0 ? "no certificate, or " : "");
	case BR_ERR_RESUME_MISMATCH:
		return fault_raise(fault, FAULT_TLS, "%s resumed a session with other parameters than it had", host);
	default: return fault_raise(fault, FAULT_TLS, "%s broke the rules of TLS (BearSSL says %d)", host, error);
	}
}

bool
tls_words_explain(const struct tls *tls, struct fault *fault)
{
	int error = br_ssl_engine_last_error(&tls->client.eng);
	bool first = fault->kind == FAULT_NONE;
	explain(tls, error, br_ssl_engine_get_server_name(&tls->client.eng), fault);
	if (first)
		fault->detail = error;
	return false;
}

bool
tls_words_lost(const struct tls *tls, int error, struct fault *fault)
{
	const char *host = br_ssl_engine_get_server_name(&tls->client.eng);
	bool first = fault->kind == FAULT_NONE;
	if (error != 0 && (tls->open || !tls->chooser.asked))
		return fault_errno(fault, FAULT_NETWORK, error, tls->open ? "TLS connection with %s" : "TLS handshake with %s", host);
	if (tls->open)
		fault_raise(fault, FAULT_NETWORK, "%s ended the connection without a TLS close: what came may be cut", host);
	else if (tls->chooser.asked)
		explain_client_certificate(host, fault);
	else
		fault_raise(fault, FAULT_NETWORK, "%s ended the connection during the TLS handshake", host);
	if (first)
		fault->detail = BR_ERR_IO;
	return false;
}
