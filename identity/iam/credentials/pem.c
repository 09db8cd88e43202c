#include "identity/iam/credentials/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "core/base64.h"
#include "core/digest.h"

enum { MOST_IN_CHAIN = 10 };

/* Who uploads a key that asks for a password gets an answer, not a prompt at the server's terminal. */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)ctx;
    return -1;
}

static int64_t seconds(const ASN1_TIME *time)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static bool describe(struct arena *arena, X509 *x509, struct pem_certificate *out)
{
    unsigned char *der = NULL;
    uint8_t digest[SHA256_BYTES];
    int len = i2d_X509(x509, &der);
    if (len <= 0)
        return false;
    digest_sha256((struct str){ (const char *)der, (size_t)len }, digest);
    OPENSSL_free(der);
    *out = (struct pem_certificate){ hex_encode(arena, digest_str(digest, sizeof digest)),
                                     seconds(X509_get0_notBefore(x509)), seconds(X509_get0_notAfter(x509)) };
    return true;
}

/* The certificates of a text; words between them are passed over (RFC 7468: explanatory text), other blocks are not. */
static STACK_OF(X509) *read_all(struct str text)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    X509 *one;
    while (all && bio && sk_X509_num(all) <= MOST_IN_CHAIN && (one = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
        sk_X509_push(all, one);
    bool whole = all && bio && sk_X509_num(all) > 0 && sk_X509_num(all) <= MOST_IN_CHAIN &&
                 BIO_ctrl_pending(bio) == 0 &&
                 ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    BIO_free(bio);
    ERR_clear_error();
    if (whole)
        return all;
    sk_X509_pop_free(all, X509_free);
    return NULL;
}

static X509 *read_one(struct str text)
{
    STACK_OF(X509) *all = read_all(text);
    X509 *one = all && sk_X509_num(all) == 1 ? sk_X509_pop(all) : NULL;
    sk_X509_pop_free(all, X509_free);
    return one;
}

bool pem_certificate_read(struct arena *arena, struct str text, struct pem_certificate *out)
{
    X509 *x509 = read_one(text);
    bool good = x509 && describe(arena, x509, out);
    X509_free(x509);
    return good;
}

static bool has_signed(X509 *issuer, X509 *subject)
{
    return X509_check_issued(issuer, subject) == X509_V_OK && X509_verify(subject, X509_get0_pubkey(issuer)) == 1;
}

/* "The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order." */
static bool check_chain(X509 *leaf, struct str text, int *index)
{
    STACK_OF(X509) *chain = read_all(text);
    X509 *below = leaf;
    *index = 0;
    for (; chain && *index < sk_X509_num(chain); (*index)++) {
        X509 *issuer = sk_X509_value(chain, *index);
        if (!has_signed(issuer, below))
            break;
        below = issuer;
    }
    bool good = chain && *index == sk_X509_num(chain);
    sk_X509_pop_free(chain, X509_free);
    return good;
}

static enum pem_verdict check(X509 *leaf, EVP_PKEY *key, struct str chain, int *index)
{
    if (!leaf)
        return PEM_NO_CERTIFICATE;
    if (!key)
        return PEM_NO_KEY;
    if (X509_check_private_key(leaf, key) != 1)
        return PEM_MISMATCH;
    return chain.ptr && !check_chain(leaf, chain, index) ? PEM_NO_CHAIN : PEM_OK;
}

enum pem_verdict pem_server_check(struct arena *arena, struct str body, struct str key_text, struct str chain,
                                  struct pem_certificate *out, int *index)
{
    X509 *leaf = read_one(body);
    BIO *bio = leaf ? BIO_new_mem_buf(key_text.ptr, (int)key_text.len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    enum pem_verdict verdict = check(leaf, key, chain, index);
    if (verdict == PEM_OK && !describe(arena, leaf, out))
        verdict = PEM_NO_CERTIFICATE;
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(leaf);
    ERR_clear_error();
    return verdict;
}
