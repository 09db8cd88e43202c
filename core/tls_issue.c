#include "core/tls_issue.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { RSA_BITS = 2048, SERIAL_BYTES = 8 };

bool tls_add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static const struct {
    int nid;
    const char *value;
} uses[] = {
    [TLS_ISSUE_CLIENT] = { NID_ext_key_usage, "clientAuth" },
    [TLS_ISSUE_SIGNER] = { NID_key_usage, "critical,digitalSignature" },
};

static bool fill(X509 *certificate, EVP_PKEY *key, enum tls_issue_use use, const char *common_name, int64_t now_s,
                 int64_t valid_s)
{
    unsigned char serial[SERIAL_BYTES];
    time_t now = (time_t)now_s;
    if (RAND_bytes(serial, sizeof serial) != 1)
        return false;
    serial[0] &= 0x7f; /* positive */
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    X509_NAME *name = X509_get_subject_name(certificate);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) &&
              X509_set_version(certificate, X509_VERSION_3) == 1 &&
              X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &now) &&
              X509_time_adj_ex(X509_getm_notAfter(certificate), 0, (long)valid_s, &now) &&
              X509_set_pubkey(certificate, key) == 1 &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0) == 1 &&
              X509_set_issuer_name(certificate, name) == 1 &&
              tls_add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
              tls_add_extension(certificate, uses[use].nid, uses[use].value) && X509_sign(certificate, key, EVP_sha256()) > 0;
    BN_free(number);
    return ok;
}

static struct str text_of(struct arena *arena, BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    return str_copy(arena, (struct str){ bytes, (size_t)len });
}

bool tls_issue(struct arena *arena, enum tls_issue_use use, const char *common_name, int64_t now_s, int64_t valid_s,
               struct str *certificate_pem, struct str *key_pem)
{
    EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
    X509 *certificate = X509_new();
    BIO *shown = BIO_new(BIO_s_mem()), *kept = BIO_new(BIO_s_secmem());
    bool ok = key && certificate && shown && kept && fill(certificate, key, use, common_name, now_s, valid_s) &&
              PEM_write_bio_X509(shown, certificate) == 1 &&
              PEM_write_bio_PrivateKey(kept, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (ok) {
        *certificate_pem = text_of(arena, shown);
        *key_pem = text_of(arena, kept);
    }
    BIO_free(shown);
    BIO_free(kept);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return ok;
}
