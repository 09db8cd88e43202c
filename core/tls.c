#include "core/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct tls_trust {
    pthread_mutex_t lock;
    X509_STORE *store; /* NULL until it is asked for */
    char *extra_file;
};

struct tls_identity {
    atomic_int references;
    char *id;
    X509 *certificate;
    EVP_PKEY *key;
};

/* One file with everything spares a look into a folder, by the loop, for each handshake. */
static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt";

static X509_STORE *read_trust(const char *extra_file)
{
    X509_STORE *store = X509_STORE_new();
    bool chosen = getenv("SSL_CERT_FILE") || getenv("SSL_CERT_DIR"); /* OpenSSL's own variables */
    if (store && (chosen || X509_STORE_load_file(store, bundle) != 1))
        X509_STORE_set_default_paths(store);
    if (store && extra_file && X509_STORE_load_file(store, extra_file) != 1) {
        X509_STORE_free(store);
        store = NULL;
    }
    ERR_clear_error();
    return store;
}

struct tls_trust *tls_trust_new(const char *extra_file)
{
    struct tls_trust *trust = calloc(1, sizeof *trust);
    if (!trust)
        abort();
    pthread_mutex_init(&trust->lock, NULL);
    if (!extra_file)
        return trust;
    trust->extra_file = strdup(extra_file);
    X509_STORE *probe = X509_STORE_new();
    bool good = probe && X509_STORE_load_file(probe, extra_file) == 1;
    X509_STORE_free(probe);
    ERR_clear_error();
    if (good)
        return trust;
    tls_trust_free(trust);
    return NULL;
}

void tls_trust_free(struct tls_trust *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->store);
    pthread_mutex_destroy(&trust->lock);
    free(trust->extra_file);
    free(trust);
}

static X509_STORE *store_of(struct tls_trust *trust)
{
    pthread_mutex_lock(&trust->lock);
    if (!trust->store)
        trust->store = read_trust(trust->extra_file);
    X509_STORE *store = trust->store;
    pthread_mutex_unlock(&trust->lock);
    return store;
}

void tls_trust_warm(struct tls_trust *trust)
{
    store_of(trust);
}

/* --- identities --- */

static BIO *reader(struct str text)
{
    return BIO_new_mem_buf(text.ptr, (int)text.len);
}

struct tls_identity *tls_identity_new(struct str id, struct str certificate_pem, struct str key_pem)
{
    struct tls_identity *identity = calloc(1, sizeof *identity);
    BIO *certificate = reader(certificate_pem), *key = reader(key_pem);
    if (!identity || !certificate || !key)
        abort();
    atomic_init(&identity->references, 1);
    identity->id = strndup(id.ptr, id.len);
    identity->certificate = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
    identity->key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    BIO_free(certificate);
    BIO_free(key);
    bool good = identity->certificate && identity->key &&
                X509_check_private_key(identity->certificate, identity->key) == 1;
    ERR_clear_error();
    if (good)
        return identity;
    tls_identity_unref(identity);
    return NULL;
}

struct tls_identity *tls_identity_ref(struct tls_identity *identity)
{
    if (identity)
        atomic_fetch_add(&identity->references, 1);
    return identity;
}

void tls_identity_unref(struct tls_identity *identity)
{
    if (!identity || atomic_fetch_sub(&identity->references, 1) != 1)
        return;
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
    free(identity->id);
    free(identity);
}

const char *tls_identity_id(const struct tls_identity *identity)
{
    return identity ? identity->id : "";
}

/* --- sessions --- */

/* A root that we do not know is as good as one that we know, but there must be one. */
static int take_any_authority(int good, X509_STORE_CTX *chain)
{
    int error = X509_STORE_CTX_get_error(chain);
    if (!good && (error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)) {
        X509_STORE_CTX_set_error(chain, X509_V_OK);
        return 1;
    }
    return good;
}

static bool set_trust(SSL_CTX *context, struct tls_trust *trust, const char *ca_file)
{
    if (ca_file)
        return SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1;
    X509_STORE *store = trust ? store_of(trust) : NULL;
    if (store)
        SSL_CTX_set1_cert_store(context, store);
    return store || SSL_CTX_set_default_verify_paths(context) == 1;
}

SSL_CTX *tls_client_context(struct tls_trust *trust, const char *ca_file, enum tls_checks checks,
                            const struct tls_identity *identity)
{
    static const unsigned char http_1_1[] = "\x08http/1.1";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_protos(context, http_1_1, sizeof http_1_1 - 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, checks == TLS_CHECK_ALL ? NULL : take_any_authority);
    bool good = set_trust(context, trust, ca_file);
    if (good && identity)
        good = SSL_CTX_use_certificate(context, identity->certificate) == 1 &&
               SSL_CTX_use_PrivateKey(context, identity->key) == 1;
    ERR_clear_error();
    if (good)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

SSL *tls_client_session(SSL_CTX *context, int fd, const char *host)
{
    unsigned char address[16];
    SSL *ssl = SSL_new(context);
    if (!ssl)
        return NULL;
    bool numeric = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    bool named = numeric ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                         : SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
    if (named && SSL_set_fd(ssl, fd) == 1) {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set_connect_state(ssl);
        return ssl;
    }
    SSL_free(ssl);
    return NULL;
}

const char *tls_failure(const SSL *ssl)
{
    long verdict = SSL_get_verify_result(ssl);
    if (verdict != X509_V_OK)
        return X509_verify_cert_error_string(verdict);
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return reason ? reason : "the other side broke the handshake off";
}
