/* Which certificate, which rules a connection gets, by the name that the client asks for (SNI).
 *
 * A table is built once, then only read: by all loops at once, without a lock. Each connection holds
 * on to the table it began with, so that a new one takes over without touching what is open. */
#pragma once

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "core/tls_certificate.h"
#include "core/tls_trust.h"

struct tls_sites;

/* What a site speaks. Ciphers in OpenSSL's notation; NULL: OpenSSL's own choice. */
struct tls_limits {
    int min_version;     /* TLS1_2_VERSION or TLS1_3_VERSION */
    int max_version;     /* 0: the newest */
    const char *ciphers; /* TLS 1.2 */
    const char *suites;  /* TLS 1.3 */
};

struct tls_site {
    struct str name; /* "api.x.test", "*.x.test"; "" for clients that ask for no name, or one we don't know */
    struct tls_certificate *certificate;
    struct tls_trust *trust; /* NULL: clients need no certificate */
    struct tls_limits limits;
    SSL_CTX *context;
    unsigned char session_id[32]; /* sessions of one site do not open another */
    unsigned char origin[32];     /* the caller's: what it was made of */
    atomic_int references;        /* of tables */
};

/* One reference; NULL: no memory. Tickets of `before` (may be NULL) are taken on, for half a day. */
struct tls_sites *tls_sites_new(const struct tls_sites *before);
/* Takes references of its own. The last of one name counts; origin may be NULL. False: *why. */
bool tls_sites_add(struct tls_sites *sites, struct str name, struct tls_certificate *certificate, struct tls_trust *trust,
                   const struct tls_limits *limits, const unsigned char origin[32], struct arena *arena,
                   struct str *why);
/* The same site in another table: making one takes milliseconds. */
void tls_sites_share(struct tls_sites *sites, const struct tls_site *site);
struct tls_sites *tls_sites_ref(struct tls_sites *sites);
void tls_sites_unref(struct tls_sites *sites); /* NULL is taken */

/* The exact name, then "*." and what follows its first label, then the site without name; NULL: none.
 * `name` lower case. */
const struct tls_site *tls_sites_find(const struct tls_sites *sites, struct str name);

/* A session of the server's side, without a transport yet; the site is chosen in the handshake. It borrows
 * the table. */
SSL *tls_sites_accept(struct tls_sites *sites);
/* After the hello; NULL before. */
const struct tls_site *tls_sites_of(SSL *ssl);
