/* Certificates of servers: whose they are, and what is refused when they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "core/tls_certificate.h"

enum { NOW_S = 1800000000, YEAR_S = 365 * 24 * 3600 };

static struct tls_certificate *made(struct arena *arena, const char *name)
{
    struct str why = STR_NONE;
    struct tls_certificate *certificate = tls_certificate_self_signed(str_of(name), NOW_S, arena, &why);
    assert_non_null(certificate);
    return certificate;
}

static void test_whose(void **state)
{
    (void)state;
    static const struct {
        const char *certificate, *name;
        bool covers;
    } rows[] = {
        { "a.x.test", "a.x.test", true },   { "a.x.test", "A.X.TEST", true },  { "a.x.test", "b.x.test", false },
        { "*.x.test", "b.x.test", true },   { "*.x.test", "*.x.test", true },  { "*.x.test", "c.b.x.test", false },
        { "*.x.test", "x.test", false },    { "a.x.test", "*.x.test", false }, { "*.x.test", "*.b.x.test", false },
        { "a.x.test", "", false },          { "a.x.test", "a", false },
    };
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_certificate *certificate = made(arena, rows[i].certificate);
        if (tls_certificate_covers(certificate, str_of(rows[i].name)) != rows[i].covers)
            fail_msg("%s for %s", rows[i].certificate, rows[i].name);
        tls_certificate_unref(certificate);
    }
    arena_free(arena);
}

static struct str pem_of(struct arena *arena, const struct tls_certificate *certificate, bool key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    if (key)
        PEM_write_bio_PrivateKey(bio, tls_certificate_key(certificate), NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_X509(bio, tls_certificate_leaf(certificate));
    long n = BIO_get_mem_data(bio, &bytes);
    struct str text = str_copy(arena, (struct str){ bytes, (size_t)n });
    BIO_free(bio);
    return text;
}

static void test_reading(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct tls_certificate *one = made(arena, "a.x.test"), *two = made(arena, "b.x.test");
    struct str cert = pem_of(arena, one, false), key = pem_of(arena, one, true), other = pem_of(arena, two, true);
    BIO *sealed = BIO_new(BIO_s_mem());
    char *bytes;
    PEM_write_bio_PKCS8PrivateKey(sealed, tls_certificate_key(one), EVP_aes_128_cbc(), "pass", 4, NULL, NULL);
    struct str locked = { NULL, (size_t)BIO_get_mem_data(sealed, &bytes) };
    locked = str_copy(arena, (struct str){ bytes, locked.len });
    const struct {
        const char *name;
        struct str cert, key;
        int64_t now_s;
        const char *why; /* NULL: it is taken */
    } rows[] = {
        { "a pair", cert, key, NOW_S, NULL },
        { "the key in front of the certificate", str_concat(arena, key, cert), key, NOW_S, NULL },
        { "a chain", str_concat(arena, cert, pem_of(arena, two, false)), key, NOW_S, NULL },
        { "the key of another", cert, other, NOW_S, "the key is not this certificate's" },
        { "expired", cert, key, NOW_S + 2 * YEAR_S, "the certificate has expired" },
        { "no certificate", key, key, NOW_S, "no certificate in PEM form" },
        { "nothing", STR(""), STR(""), NOW_S, "no certificate in PEM form" },
        { "no key", cert, cert, NOW_S, "no unencrypted private key in PEM form" },
        { "a key under a password", cert, locked, NOW_S, "no unencrypted private key in PEM form" },
        { "a broken one", str_sub(cert, 0, cert.len / 2), key, NOW_S, "no certificate in PEM form" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str why = STR_NONE;
        struct tls_certificate *read = tls_certificate_read(arena, rows[i].cert, rows[i].key, rows[i].now_s, &why);
        if ((read == NULL) != (rows[i].why != NULL) || (rows[i].why && !str_is(why, rows[i].why)))
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(why));
        tls_certificate_unref(read);
    }
    BIO_free(sealed);
    tls_certificate_unref(one);
    tls_certificate_unref(two);
    arena_free(arena);
}

static void test_names_that_would_write_extensions(void **state)
{
    (void)state;
    static const char *const names[] = { "a.test,DNS:b.test", "a;b", "a\nb", "a:b", "\"a\"", "a\\b" };
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str why = STR_NONE;
        assert_null(tls_certificate_self_signed(str_of(names[i]), NOW_S, arena, &why));
        assert_true(why.len > 0);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_whose), cmocka_unit_test(test_reading),
                                        cmocka_unit_test(test_names_that_would_write_extensions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
