/* SPDX-License-Identifier: MIT */
/* Why a TLS connection failed, in plain words. */
#ifndef NET_TLS_WORDS_H
#define NET_TLS_WORDS_H

#include "net/tls.h"

/* For the error the engine of `tls` has met. Always false. */
bool tls_words_explain(const struct tls *, struct fault *);

/* For a connection that ended, or failed with errno `error` (0: just ended), without the TLS close. Always false. */
bool tls_words_lost(const struct tls *, int error, struct fault *);

#endif
