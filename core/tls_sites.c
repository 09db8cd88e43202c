#include "core/tls_sites.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "core/digest.h"
#include "core/map.h"

enum { TICKET_S = 3600, TICKET_KEY_S = 12 * 3600 };

struct tls_sites {
    atomic_int references;
    SSL_CTX *front; /* what a connection begins with; it has the tickets' keys */
    time_t front_s; /* when it was made, monotonic */
    struct map *by_name;
};

static int site_index = -1, table_index = -1; /* of struct tls_site and struct tls_sites in an SSL */
static pthread_once_t index_made = PTHREAD_ONCE_INIT;

static int choose_site(SSL *ssl, int *alert, void *unused);
static bool asked_name(SSL *ssl, char name[256], size_t *len);
static bool enter_site(SSL *ssl, const struct tls_site *site);
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *ctx);
static SSL_CTX *context_new(void);
static bool configure(struct tls_site *site);
static void site_unref(void *site);

static void make_index(void)
{
    site_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    table_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static time_t monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

struct tls_sites *tls_sites_new(const struct tls_sites *before)
{
    struct tls_sites *sites = calloc(1, sizeof *sites);
    if (!sites)
        abort();
    pthread_once(&index_made, make_index);
    sites->references = 1;
    sites->by_name = map_new();
    if (before && monotonic_s() - before->front_s < TICKET_KEY_S) {
        SSL_CTX_up_ref(before->front);
        sites->front = before->front;
        sites->front_s = before->front_s;
        return sites;
    }
    sites->front = context_new();
    sites->front_s = monotonic_s();
    if (sites->front) {
        SSL_CTX_set_client_hello_cb(sites->front, choose_site, NULL);
        return sites;
    }
    tls_sites_unref(sites);
    return NULL;
}

static void put(struct tls_sites *sites, struct tls_site *site)
{
    struct tls_site *before = map_set(sites->by_name, site->name.len ? site->name : STR("-"), site);
    if (before)
        site_unref(before);
}

void tls_sites_share(struct tls_sites *sites, const struct tls_site *site)
{
    struct tls_site *shared = (struct tls_site *)(uintptr_t)site; /* only its count changes */
    atomic_fetch_add(&shared->references, 1);
    put(sites, shared);
}

bool tls_sites_add(struct tls_sites *sites, struct str name, struct tls_certificate *certificate, struct tls_trust *trust,
                   const struct tls_limits *limits, const unsigned char origin[32], struct arena *arena,
                   struct str *why)
{
    struct tls_site *site = calloc(1, sizeof *site + name.len + 1); /* the name behind it */
    if (!site)
        abort();
    char *copy = (char *)(site + 1);
    memcpy(copy, name.len ? name.ptr : "", name.len);
    *site = (struct tls_site){ .name = { copy, name.len },
                               .certificate = tls_certificate_ref(certificate),
                               .trust = trust ? tls_trust_ref(trust) : NULL,
                               .limits = *limits };
    atomic_init(&site->references, 1);
    if (origin)
        memcpy(site->origin, origin, sizeof site->origin);
    if (!configure(site)) {
        *why = str_printf(arena, "OpenSSL refuses the certificate: %s",
                          ERR_reason_error_string(ERR_peek_error()) ? ERR_reason_error_string(ERR_peek_error())
                                                                    : "no reason given");
        ERR_clear_error();
        site_unref(site);
        return false;
    }
    put(sites, site);
    return true;
}

struct tls_sites *tls_sites_ref(struct tls_sites *sites)
{
    atomic_fetch_add_explicit(&sites->references, 1, memory_order_relaxed);
    return sites;
}

void tls_sites_unref(struct tls_sites *sites)
{
    if (!sites || atomic_fetch_sub(&sites->references, 1) > 1)
        return;
    map_free(sites->by_name, site_unref);
    SSL_CTX_free(sites->front);
    free(sites);
}

const struct tls_site *tls_sites_find(const struct tls_sites *sites, struct str name)
{
    char wild[256];
    const struct tls_site *site = name.len ? map_get(sites->by_name, name) : NULL;
    ptrdiff_t dot = str_find(name, '.');
    if (!site && dot > 0 && name.len - (size_t)dot + 1 < sizeof wild) {
        size_t len = name.len - (size_t)dot;
        wild[0] = '*';
        memcpy(wild + 1, name.ptr + dot, len);
        site = map_get(sites->by_name, (struct str){ wild, len + 1 });
    }
    return site ? site : map_get(sites->by_name, STR("-")); /* no host is called so */
}

SSL *tls_sites_accept(struct tls_sites *sites)
{
    SSL *ssl = SSL_new(sites->front);
    if (ssl && SSL_set_ex_data(ssl, table_index, sites) == 1) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    SSL_free(ssl);
    return NULL;
}

const struct tls_site *tls_sites_of(SSL *ssl)
{
    return SSL_get_ex_data(ssl, site_index);
}

/* --- in the handshake --- */

static int choose_site(SSL *ssl, int *alert, void *unused)
{
    const struct tls_sites *sites = SSL_get_ex_data(ssl, table_index);
    (void)unused;
    char name[256];
    size_t len = 0;
    *alert = SSL_AD_DECODE_ERROR;
    if (!asked_name(ssl, name, &len))
        return SSL_CLIENT_HELLO_ERROR;
    const struct tls_site *site = tls_sites_find(sites, (struct str){ name, len });
    *alert = site ? SSL_AD_INTERNAL_ERROR : SSL_AD_UNRECOGNIZED_NAME;
    return site && enter_site(ssl, site) ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

/* server_name of RFC 6066: a list of one entry of type 0. False: it is malformed. */
static bool asked_name(SSL *ssl, char name[256], size_t *len)
{
    const unsigned char *data;
    size_t n;
    *len = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &n) != 1)
        return true;
    if (n < 5 || (size_t)(data[0] << 8 | data[1]) != n - 2 || data[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    size_t bytes = (size_t)(data[3] << 8 | data[4]);
    if (bytes != n - 5 || bytes == 0 || bytes > 255)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        char c = (char)data[5 + i];
        if (c <= ' ' || c == 0x7f)
            return false;
        name[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    *len = name[bytes - 1] == '.' ? bytes - 1 : bytes;
    return true;
}

/* SSL_set_SSL_CTX brings certificate, ciphers and trusted authorities along, not the rest. */
static bool enter_site(SSL *ssl, const struct tls_site *site)
{
    if (!SSL_set_SSL_CTX(ssl, site->context) || SSL_set_ex_data(ssl, site_index, (void *)(uintptr_t)site) != 1 ||
        SSL_set_min_proto_version(ssl, site->limits.min_version) != 1 ||
        SSL_set_max_proto_version(ssl, site->limits.max_version) != 1 ||
        SSL_set_session_id_context(ssl, site->session_id, sizeof site->session_id) != 1)
        return false;
    if (!site->trust)
        return true;
    /* A resumed session is not verified again, and what it showed may be revoked or expired by now:
     * where certificates count, each connection shows its own. */
    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
    return SSL_set_num_tickets(ssl, 0) == 1;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *ctx)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)ssl;
    (void)ctx;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301: no_application_protocol */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* --- contexts --- */

static SSL_CTX *context_new(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets only: nothing to keep here */
    SSL_CTX_set_timeout(context, TICKET_S);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return context;
}

static bool configure(struct tls_site *site)
{
    const struct tls_limits *limits = &site->limits;
    unsigned char key[SHA256_BYTES] = { 0 };
    unsigned len = sizeof key;
    site->context = context_new();
    if (!site->context)
        return false;
    /* The same name under another certificate, other limits or other authorities is another site. */
    X509_digest(tls_certificate_leaf(site->certificate), EVP_sha256(), key, &len);
    digest_sha256_of(site->session_id, site->name, site->trust ? STR("\nmutual\n") : STR("\n"), digest_str(key, sizeof key),
                     str_of(limits->ciphers ? limits->ciphers : ""), str_of(limits->suites ? limits->suites : ""),
                     ((struct str){ (const char *)&limits->min_version, sizeof limits->min_version }));
    if ((limits->ciphers && SSL_CTX_set_cipher_list(site->context, limits->ciphers) != 1) ||
        (limits->suites && SSL_CTX_set_ciphersuites(site->context, limits->suites) != 1) ||
        SSL_CTX_use_certificate(site->context, tls_certificate_leaf(site->certificate)) != 1 ||
        SSL_CTX_use_PrivateKey(site->context, tls_certificate_key(site->certificate)) != 1 ||
        SSL_CTX_set1_chain(site->context, tls_certificate_chain(site->certificate)) != 1)
        return false;
    if (site->trust)
        tls_trust_use(site->trust, site->context);
    return true;
}

static void site_unref(void *ptr)
{
    struct tls_site *site = ptr;
    if (atomic_fetch_sub(&site->references, 1) > 1)
        return;
    SSL_CTX_free(site->context);
    tls_certificate_unref(site->certificate);
    tls_trust_unref(site->trust);
    free(site);
}
