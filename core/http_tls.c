#include "core/http_tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/socket.h"

enum { RECORD_BYTES = 16 * 1024, PEER_BYTES = 4096, CHECK_AGAIN_US = 60 * 1000 * 1000 };

struct http_tls {
    SSL *ssl;
    struct tls_sites *sites;
    struct arena *arena; /* of what a client's certificate says; NULL when it has none */
    struct tls_peer peer;
    enum http_tls_state state;
    struct tls_trust *checked_by; /* the truststore that verified last; NULL: none did */
    int64_t checked_us;
};

static BIO_METHOD *method(void);
static int bio_read(BIO *bio, char *into, int room);
static int bio_write(BIO *bio, const char *bytes, int n);
static long bio_ctrl(BIO *bio, int what, long number, void *ptr);
static void check_again(struct http_tls *tls, const struct tls_sites *now, int64_t now_us);
static void describe(struct http_tls *tls);
static void describe_certificate(struct http_tls *tls, X509 *certificate);
static struct str gather(const struct http_out *out, char scratch[RECORD_BYTES]);

struct http_tls *http_tls_new(struct http_conn *conn, struct tls_sites *sites)
{
    struct http_tls *tls = calloc(1, sizeof *tls);
    BIO *bio = BIO_new(method());
    if (!tls)
        abort();
    tls->ssl = tls_sites_accept(sites);
    if (!tls->ssl || !bio) {
        SSL_free(tls->ssl);
        BIO_free(bio);
        free(tls);
        return NULL;
    }
    BIO_set_data(bio, conn);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    tls->sites = tls_sites_ref(sites);
    tls->state = HTTP_TLS_WAITS;
    return tls;
}

void http_tls_free(struct http_tls *tls, bool farewell)
{
    if (farewell)
        http_tls_farewell(tls);
    SSL_free(tls->ssl);
    tls_sites_unref(tls->sites);
    tls_trust_unref(tls->checked_by);
    if (tls->arena)
        arena_free(tls->arena);
    free(tls);
}

enum http_tls_state http_tls_state(const struct http_tls *tls)
{
    return tls->state;
}

enum http_tls_state http_tls_handshake(struct http_tls *tls)
{
    ERR_clear_error();
    int done = SSL_do_handshake(tls->ssl);
    if (done == 1) {
        tls->state = HTTP_TLS_READY;
        describe(tls);
        return tls->state;
    }
    int why = SSL_get_error(tls->ssl, done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        tls->state = HTTP_TLS_FAILED; /* its alert, if any, is in the socket */
    ERR_clear_error();
    return tls->state;
}

const struct tls_peer *http_tls_peer(struct http_tls *tls, const struct tls_sites *now, int64_t now_us)
{
    if (tls->checked_by && now)
        check_again(tls, now, now_us);
    return &tls->peer;
}

/* Who was revoked or has expired does not stay for as long as its connection stays open. */
static void check_again(struct http_tls *tls, const struct tls_sites *now, int64_t now_us)
{
    const struct tls_site *site = tls_sites_find(now, tls->peer.site);
    struct tls_trust *trust = site && str_eq(site->name, tls->peer.site) && site->trust ? site->trust : tls->checked_by;
    if (tls->checked_us == 0)
        tls->checked_us = now_us;
    if (trust == tls->checked_by && now_us - tls->checked_us < CHECK_AGAIN_US)
        return;
    tls_trust_ref(trust);
    tls_trust_unref(tls->checked_by);
    tls->checked_by = trust;
    tls->checked_us = now_us;
    tls->peer.refusal = tls_trust_refuses(trust, SSL_get0_peer_certificate(tls->ssl), SSL_get_peer_cert_chain(tls->ssl));
    tls->peer.verified = !tls->peer.refusal && !tls->peer.resumed;
}

static ssize_t result(struct http_tls *tls)
{
    int why = SSL_get_error(tls->ssl, 0);
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    if (why == SSL_ERROR_ZERO_RETURN)
        return 0;
    tls->state = HTTP_TLS_FAILED;
    errno = ECONNRESET;
    return -1;
}

ssize_t http_tls_receive(struct http_tls *tls, char *into, size_t room)
{
    size_t n = 0;
    ERR_clear_error();
    if (SSL_read_ex(tls->ssl, into, room, &n) == 1)
        return (ssize_t)n;
    return result(tls);
}

ssize_t http_tls_send(struct http_tls *tls, struct str bytes)
{
    size_t n = 0;
    ERR_clear_error();
    if (SSL_write_ex(tls->ssl, bytes.ptr, bytes.len, &n) == 1)
        return (ssize_t)n;
    return result(tls);
}

/* Record after record, until all is out or the socket is full. Head and body of a small answer
 * leave in one. What OpenSSL could not get rid of, it wants to see again: it does, `out` only grows
 * at its end. */
ssize_t http_tls_send_out(struct http_tls *tls, struct http_out *out)
{
    static _Thread_local char scratch[RECORD_BYTES];
    ssize_t all = 0;
    while (!http_out_empty(out)) {
        ssize_t n = http_tls_send(tls, gather(out, scratch));
        if (n <= 0)
            return all > 0 && errno == EAGAIN ? all : n < 0 ? n : -1;
        http_out_advance(out, (size_t)n);
        all += n;
    }
    return all;
}

bool http_tls_holds(const struct http_tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

void http_tls_farewell(struct http_tls *tls)
{
    if (tls->state != HTTP_TLS_READY || SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN)
        return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

/* The first of what waits, up to a record's worth; in place when it lies in one piece. */
static struct str gather(const struct http_out *out, char scratch[RECORD_BYTES])
{
    struct iovec iov[3];
    int n = http_out_iov(out, iov);
    size_t len = 0;
    if (n == 1 || iov[0].iov_len >= RECORD_BYTES)
        return (struct str){ iov[0].iov_base, iov[0].iov_len < RECORD_BYTES ? iov[0].iov_len : RECORD_BYTES };
    for (int i = 0; i < n && len < RECORD_BYTES; i++) {
        size_t part = iov[i].iov_len < RECORD_BYTES - len ? iov[i].iov_len : RECORD_BYTES - len;
        memcpy(scratch + len, iov[i].iov_base, part);
        len += part;
    }
    return (struct str){ scratch, len };
}

/* --- the transport --- */

static BIO_METHOD *made;

static void make_method(void)
{
    made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (!made)
        abort();
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_ctrl);
}

static BIO_METHOD *method(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    return made;
}

static int bio_read(BIO *bio, char *into, int room)
{
    struct http_conn *conn = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!conn->readable) {
        BIO_set_retry_read(bio);
        return -1;
    }
    ssize_t n;
    do
        n = socket_receive(conn->watch.fd, into, (size_t)room);
    while (n < 0 && errno == EINTR);
    /* A short read empties the socket: the next bytes raise a new edge. */
    conn->readable = n == room || (n > 0 && conn->half_closed);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    return (int)n;
}

static int bio_write(BIO *bio, const char *bytes, int n)
{
    struct http_conn *conn = BIO_get_data(bio);
    struct iovec iov = { (char *)(uintptr_t)bytes, (size_t)n };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
    BIO_clear_retry_flags(bio);
    ssize_t sent;
    do
        sent = socket_send(conn->watch.fd, &message);
    while (sent < 0 && errno == EINTR);
    if (sent < n)
        conn->writable = false;
    if (sent < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)sent;
}

static long bio_ctrl(BIO *bio, int what, long number, void *ptr)
{
    (void)bio;
    (void)number;
    (void)ptr;
    return what == BIO_CTRL_FLUSH;
}

/* --- who is there --- */

static void describe(struct http_tls *tls)
{
    const struct tls_site *site = tls_sites_of(tls->ssl);
    const char *name = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
    struct tls_peer *peer = &tls->peer;
    peer->site = site->name;
    peer->version = SSL_get_version(tls->ssl);
    peer->cipher = SSL_get_cipher_name(tls->ssl);
    peer->resumed = SSL_session_reused(tls->ssl) == 1;
    peer->server_name = STR("");
    X509 *certificate = site->trust ? SSL_get0_peer_certificate(tls->ssl) : NULL;
    if (!name && !certificate)
        return;
    tls->arena = arena_new(certificate ? PEER_BYTES : 512);
    if (name)
        peer->server_name = str_lower(tls->arena, str_of(name));
    if (!certificate)
        return;
    tls->checked_by = tls_trust_ref(site->trust);
    long verdict = SSL_get_verify_result(tls->ssl);
    peer->verified = verdict == X509_V_OK && !peer->resumed;
    if (!peer->verified)
        peer->refusal = verdict == X509_V_OK ? "the session was resumed" : X509_verify_cert_error_string(verdict);
    describe_certificate(tls, certificate);
}

static struct str drained(struct arena *arena, BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    struct str text = str_copy(arena, (struct str){ bytes, n > 0 ? (size_t)n : 0 });
    (void)BIO_reset(bio);
    return text;
}

/* "a1:b2:…", as it stands in the certificate, without a leading zero byte. */
static struct str serial_text(struct arena *arena, X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    struct strbuf text = strbuf_in(arena, 64);
    int n = ASN1_STRING_length(serial);
    const unsigned char *bytes = ASN1_STRING_get0_data(serial);
    for (int i = 0; i < n; i++)
        strbuf_printf(&text, "%s%02x", i ? ":" : "", bytes[i]);
    return strbuf_view(&text);
}

static void describe_certificate(struct http_tls *tls, X509 *certificate)
{
    struct tls_peer *peer = &tls->peer;
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio)
        abort();
    PEM_write_bio_X509(bio, certificate);
    peer->pem = drained(tls->arena, bio);
    X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    peer->subject = drained(tls->arena, bio);
    X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
    peer->issuer = drained(tls->arena, bio);
    ASN1_TIME_print(bio, X509_get0_notBefore(certificate));
    peer->not_before = drained(tls->arena, bio);
    ASN1_TIME_print(bio, X509_get0_notAfter(certificate));
    peer->not_after = drained(tls->arena, bio);
    peer->serial = serial_text(tls->arena, certificate);
    BIO_free(bio);
}
