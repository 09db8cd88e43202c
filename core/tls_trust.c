#include "core/tls_trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    MAX_CERTIFICATES = 1000,
    MAX_WARNINGS = 50,
    INTERMEDIATES = 2, /* "Certificates can have a maximum chain length of four" */
    SECURITY_LEVEL = 2, /* 112 bits: RSA-2048, and no SHA-1 */
    MIN_EC_BITS = 256,
    CLIENT_CHAIN_BYTES = 32 * 1024,
};

struct tls_trust {
    atomic_int references;
    X509_STORE *store;
    const struct env *env;
    bool revocation;
};

static bool add_all(struct tls_trust *trust, STACK_OF(X509_INFO) *infos, struct arena *arena,
                    struct tls_warnings *warnings, size_t *certificates);
static void examine(struct arena *arena, X509 *certificate, int64_t now_s, struct tls_warnings *warnings);
static void warn_of_missing_lists(STACK_OF(X509_INFO) *infos, STACK_OF(X509_INFO) *lists, struct arena *arena,
                                  struct tls_warnings *warnings);
static int check_client(X509_STORE_CTX *ctx, void *trust);
static bool keys_are_strong(X509_STORE_CTX *ctx);

static STACK_OF(X509_INFO) *read_infos(struct str pem)
{
    if (!pem.ptr)
        return sk_X509_INFO_new_null();
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    STACK_OF(X509_INFO) *infos = PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return infos;
}

struct tls_trust *tls_trust_read(struct arena *arena, struct str pem, struct str crl_pem, const struct env *env,
                                 struct tls_warnings *warnings, struct str *why)
{
    struct tls_trust *trust = calloc(1, sizeof *trust);
    size_t certificates = 0;
    if (!trust)
        abort();
    trust->references = 1;
    trust->env = env;
    trust->store = X509_STORE_new();
    *warnings = (struct tls_warnings){ ARENA_ARRAY(arena, struct str, MAX_WARNINGS), 0 };
    STACK_OF(X509_INFO) *infos = read_infos(pem), *lists = read_infos(crl_pem);
    const char *problem = NULL;
    if (!trust->store || !infos || !lists)
        problem = "a certificate or revocation list in it cannot be read";
    else if (!add_all(trust, infos, arena, warnings, &certificates) || !add_all(trust, lists, arena, warnings, &certificates))
        problem = "it has too many certificates, or one that cannot be used";
    else if (certificates == 0)
        problem = "there is no certificate in it";
    if (!problem && trust->revocation)
        warn_of_missing_lists(infos, lists, arena, warnings);
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
    sk_X509_INFO_pop_free(lists, X509_INFO_free);
    ERR_clear_error();
    if (!problem)
        return trust;
    *why = str_of(problem);
    tls_trust_unref(trust);
    return NULL;
}

struct tls_trust *tls_trust_ref(struct tls_trust *trust)
{
    atomic_fetch_add(&trust->references, 1);
    return trust;
}

void tls_trust_unref(struct tls_trust *trust)
{
    if (!trust || atomic_fetch_sub(&trust->references, 1) > 1)
        return;
    X509_STORE_free(trust->store);
    free(trust);
}

/* The callback borrows the trust: whoever owns the context keeps it. */
void tls_trust_use(struct tls_trust *trust, SSL_CTX *context)
{
    SSL_CTX_set1_cert_store(context, trust->store);
    SSL_CTX_set_cert_verify_callback(context, check_client, trust);
    SSL_CTX_set_max_cert_list(context, CLIENT_CHAIN_BYTES);
}

const char *tls_trust_refuses(struct tls_trust *trust, X509 *certificate, STACK_OF(X509) *chain)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    const char *why = "no memory to check the certificate";
    if (ctx && X509_STORE_CTX_init(ctx, trust->store, certificate, chain) == 1 &&
        X509_STORE_CTX_set_default(ctx, "ssl_client") == 1) {
        check_client(ctx, trust);
        int error = X509_STORE_CTX_get_error(ctx);
        why = error == X509_V_OK ? NULL : X509_verify_cert_error_string(error);
    }
    X509_STORE_CTX_free(ctx);
    return why;
}

/* X509_verify_cert stops at the first thing that is wrong, and its word is final: no callback of
 * ours looks at single errors. */
static int check_client(X509_STORE_CTX *ctx, void *ptr)
{
    const struct tls_trust *trust = ptr;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_flags(param, trust->revocation ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL : 0);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_depth(param, INTERMEDIATES);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_time(param, (time_t)env_now_s(trust->env));
    bool good = X509_verify_cert(ctx) == 1;
    int error = X509_STORE_CTX_get_error(ctx);
    if (good && !keys_are_strong(ctx))
        error = X509_V_ERR_EE_KEY_TOO_SMALL;
    else if (!good && error == X509_V_OK)
        error = X509_V_ERR_UNSPECIFIED;
    X509_STORE_CTX_set_error(ctx, error);
    ERR_clear_error();
    return 1;
}

static bool key_is_strong(X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    return key && (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_bits(key) >= MIN_EC_BITS);
}

static bool keys_are_strong(X509_STORE_CTX *ctx)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (!key_is_strong(sk_X509_value(chain, i)))
            return false;
    return true;
}

/* --- reading --- */

static bool add_all(struct tls_trust *trust, STACK_OF(X509_INFO) *infos, struct arena *arena,
                    struct tls_warnings *warnings, size_t *certificates)
{
    for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
        X509_INFO *info = sk_X509_INFO_value(infos, i);
        if (info->x509) {
            if (++*certificates > MAX_CERTIFICATES || X509_STORE_add_cert(trust->store, info->x509) != 1)
                return false;
            examine(arena, info->x509, env_now_s(trust->env), warnings);
        }
        if (info->crl) {
            if (X509_STORE_add_crl(trust->store, info->crl) != 1)
                return false;
            trust->revocation = true;
        }
    }
    return true;
}

static void warn(struct arena *arena, struct tls_warnings *warnings, X509_NAME *name, const char *what)
{
    char subject[256] = "";
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        int n = BIO_read(bio, subject, sizeof subject - 1);
        subject[n > 0 ? n : 0] = '\0';
    }
    BIO_free(bio);
    if (warnings->n < MAX_WARNINGS)
        warnings->items[warnings->n++] = str_printf(arena, "Certificate with subject '%s' %s", subject, what);
}

static void examine(struct arena *arena, X509 *certificate, int64_t now_s, struct tls_warnings *warnings)
{
    time_t now = (time_t)now_s;
    X509_NAME *name = X509_get_subject_name(certificate);
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    int digest = NID_undef, bits = 0;
    X509_get_signature_info(certificate, &digest, NULL, &bits, NULL);
    if (X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0)
        warn(arena, warnings, name, "has expired");
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0)
        warn(arena, warnings, name, "is not valid yet");
    if (!key || !key_is_strong(certificate) || (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) < 2048))
        warn(arena, warnings, name, "has a key that is too small");
    if (bits < 112)
        warn(arena, warnings, name, "is signed with a hash that is too weak");
}

static bool has_list(STACK_OF(X509_INFO) *infos, X509_NAME *issuer)
{
    for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
        X509_CRL *crl = sk_X509_INFO_value(infos, i)->crl;
        if (crl && X509_NAME_cmp(X509_CRL_get_issuer(crl), issuer) == 0)
            return true;
    }
    return false;
}

static void warn_of_missing_lists(STACK_OF(X509_INFO) *infos, STACK_OF(X509_INFO) *lists, struct arena *arena,
                                  struct tls_warnings *warnings)
{
    for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
        X509 *certificate = sk_X509_INFO_value(infos, i)->x509;
        X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;
        if (certificate && X509_check_ca(certificate) && !has_list(infos, name) && !has_list(lists, name))
            warn(arena, warnings, name, "has no revocation list: what it issued is refused");
    }
}
