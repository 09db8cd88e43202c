#include "core/tls_certificate.h"

#include "core/tls_issue.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SELF_SIGNED_S = 397 * 24 * 3600, MAX_CHAIN = 10, MIN_RSA_BITS = 2048 };

struct tls_certificate {
    atomic_int references;
    X509 *leaf;
    STACK_OF(X509) *chain;
    EVP_PKEY *key;
};

static struct tls_certificate *certificate_new(void);
static bool read_chain(struct tls_certificate *own, BIO *bio);
static const char *unfit(const struct tls_certificate *own, int64_t now_s);
static bool self_sign(struct tls_certificate *own, const char *name, int64_t now_s);

/* A key file that asks for a password would stop the server at its terminal. */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)ctx;
    return -1;
}

struct tls_certificate *tls_certificate_read(struct arena *arena, struct str chain_pem, struct str key_pem, int64_t now_s,
                                       struct str *why)
{
    struct tls_certificate *own = certificate_new();
    BIO *chain = BIO_new_mem_buf(chain_pem.ptr, (int)chain_pem.len);
    BIO *key = BIO_new_mem_buf(key_pem.ptr, (int)key_pem.len);
    const char *problem = NULL;
    if (!read_chain(own, chain))
        problem = "no certificate in PEM form";
    else if (!(own->key = PEM_read_bio_PrivateKey(key, NULL, no_password, NULL)))
        problem = "no unencrypted private key in PEM form";
    else
        problem = unfit(own, now_s);
    BIO_free(chain);
    BIO_free(key);
    ERR_clear_error();
    if (!problem)
        return own;
    *why = str_copy(arena, str_of(problem));
    tls_certificate_unref(own);
    return NULL;
}

struct tls_certificate *tls_certificate_self_signed(struct str name, int64_t now_s, struct arena *arena, struct str *why)
{
    struct tls_certificate *own = certificate_new();
    own->key = EVP_EC_gen("P-256");
    own->leaf = X509_new();
    own->chain = sk_X509_new_null();
    if (own->key && own->leaf && own->chain && self_sign(own, str_c(arena, name), now_s))
        return own;
    ERR_clear_error();
    *why = STR("a self-signed certificate cannot be made for that name");
    tls_certificate_unref(own);
    return NULL;
}

struct tls_certificate *tls_certificate_ref(struct tls_certificate *own)
{
    atomic_fetch_add(&own->references, 1);
    return own;
}

void tls_certificate_unref(struct tls_certificate *own)
{
    if (!own || atomic_fetch_sub(&own->references, 1) > 1)
        return;
    X509_free(own->leaf);
    sk_X509_pop_free(own->chain, X509_free);
    EVP_PKEY_free(own->key);
    free(own);
}

X509 *tls_certificate_leaf(const struct tls_certificate *own)
{
    return own->leaf;
}

STACK_OF(X509) *tls_certificate_chain(const struct tls_certificate *own)
{
    return own->chain;
}

EVP_PKEY *tls_certificate_key(const struct tls_certificate *own)
{
    return own->key;
}

bool tls_certificate_covers(const struct tls_certificate *own, struct str name)
{
    char asked[256];
    if (name.len < 2 || name.len + 1 > sizeof asked)
        return false;
    memcpy(asked, name.ptr, name.len);
    if (asked[0] == '*') /* any name below will do: a certificate for "*.x" covers all of them, or none */
        asked[0] = 'a';
    bool wild = name.ptr[0] == '*';
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    bool covers = X509_check_host(own->leaf, asked, name.len, flags, NULL) == 1;
    /* "a.x" may stand there as itself: ask for a name that nobody has. */
    if (covers && wild) {
        char other[280];
        int len = snprintf(other, sizeof other, "gatehouse-probe%.*s", (int)name.len - 1, name.ptr + 1);
        covers = X509_check_host(own->leaf, other, (size_t)len, flags, NULL) == 1;
    }
    return covers;
}

static struct tls_certificate *certificate_new(void)
{
    struct tls_certificate *own = calloc(1, sizeof *own);
    if (!own)
        abort();
    own->references = 1;
    return own;
}

static bool read_chain(struct tls_certificate *own, BIO *bio)
{
    own->chain = sk_X509_new_null();
    own->leaf = PEM_read_bio_X509(bio, NULL, no_password, NULL);
    for (int i = 0; own->leaf && i < MAX_CHAIN; i++) {
        X509 *next = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        if (!next || !sk_X509_push(own->chain, next))
            break;
    }
    return own->leaf != NULL;
}

static const char *unfit(const struct tls_certificate *own, int64_t now_s)
{
    time_t now = (time_t)now_s;
    if (X509_check_private_key(own->leaf, own->key) != 1)
        return "the key is not this certificate's";
    if (EVP_PKEY_is_a(own->key, "RSA") && EVP_PKEY_get_bits(own->key) < MIN_RSA_BITS)
        return "the RSA key has fewer than 2048 bits";
    if (X509_cmp_time(X509_get0_notAfter(own->leaf), &now) < 0)
        return "the certificate has expired";
    return NULL;
}

static bool self_sign(struct tls_certificate *own, const char *name, int64_t now_s)
{
    X509 *certificate = own->leaf;
    unsigned char serial[16];
    char names[560];
    BIGNUM *number = RAND_bytes(serial, sizeof serial) == 1 ? BN_bin2bn(serial, sizeof serial, NULL) : NULL;
    X509_NAME *subject = X509_get_subject_name(certificate);
    /* The common name has room for 64 bytes; what counts is the alternative name. */
    int n = snprintf(names, sizeof names, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", name);
    bool ok = number && n > 0 && (size_t)n < sizeof names && strpbrk(name, ",:;\"\\\n") == NULL &&
              X509_set_version(certificate, X509_VERSION_3) == 1 &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL &&
              X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -3600, &(time_t){ (time_t)now_s }) != NULL &&
              X509_time_adj_ex(X509_getm_notAfter(certificate), 0, SELF_SIGNED_S, &(time_t){ (time_t)now_s }) != NULL &&
              X509_set_pubkey(certificate, own->key) == 1 &&
              X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"Gatehouse development",
                                         -1, -1, 0) == 1 &&
              X509_set_issuer_name(certificate, subject) == 1 &&
              tls_add_extension(certificate, NID_subject_alt_name, names) &&
              tls_add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
              tls_add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
              X509_sign(certificate, own->key, EVP_sha256()) > 0;
    BN_free(number);
    return ok;
}
