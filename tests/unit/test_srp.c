#include "vectors.h"

#include <openssl/bn.h>

#include "core/digest.h"
#include "identity/signin/srp_numbers.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 16);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct str number(struct str hex)
{
    struct str out;
    assert_true(srp_number(arena, hex, &out));
    return out;
}

static void published_sign_in(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "crypto-kat/cognito-srp.json");
    const json_t *c = json_array_get(json_object_get(file, "cases"), 0);
    struct str pool = json_str(c, "pool_name"), block;
    assert_true(base64_decode(arena, json_str(c, "secret_block_b64"), &block));

    /* the claim from the published key */
    struct str key = vector_hex(arena, c, "hkdf_key");
    uint8_t claim[SRP_CLAIM_BYTES];
    srp_claim((const uint8_t *)key.ptr, pool, json_str(c, "username_in_hmac"), block,
              json_str(c, "timestamp"), claim);
    assert_string_equal(base64_encode(arena, digest_str(claim, sizeof claim)).ptr,
                        json_str(c, "password_claim_signature_b64").ptr);
}

/* A client in the test, by the formulas of the amplify library, against the server's half. */
static struct str bytes_of(const BIGNUM *bn)
{
    char *out = arena_alloc(arena, (size_t)BN_num_bytes(bn) + 1, 1);
    out[0] = 0;
    int len = BN_bn2bin(bn, (unsigned char *)out + 1);
    return out[1] & 0x80 ? (struct str){ out, (size_t)len + 1 } : (struct str){ out + 1, (size_t)len };
}

static void client_key(struct str N_hex, struct str a_hex, struct str salt, struct str B_hex, struct str pool,
                       struct str user, struct str password, uint8_t key[32])
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *N = NULL, *a = NULL, *B = NULL, *g = BN_new(), *A = BN_new(), *k = BN_new(), *x = BN_new(),
           *u = BN_new(), *S = BN_new(), *t = BN_new();
    BN_hex2bn(&N, N_hex.ptr);
    BN_hex2bn(&a, a_hex.ptr);
    BN_hex2bn(&B, B_hex.ptr);
    BN_set_word(g, 2);
    BN_mod_exp(A, g, a, N, ctx);
    uint8_t h[32], inner[32];
    digest_sha256_of(h, bytes_of(N), bytes_of(g));
    BN_bin2bn(h, 32, k);
    digest_sha256_of(inner, pool, user, STR(":"), password);
    BN_bin2bn((const unsigned char *)salt.ptr, (int)salt.len, t);
    digest_sha256_of(h, bytes_of(t), digest_str(inner, 32));
    BN_bin2bn(h, 32, x);
    digest_sha256_of(h, bytes_of(A), bytes_of(B));
    BN_bin2bn(h, 32, u);
    BN_mod_exp(t, g, x, N, ctx); /* S = (B - k g^x) ^ (a + u x) */
    BN_mod_mul(t, t, k, N, ctx);
    BN_mod_sub(t, B, t, N, ctx);
    BN_mul(S, u, x, ctx);
    BN_add(S, S, a);
    BN_mod_exp(S, t, S, N, ctx);
    uint8_t prk[32];
    digest_hmac_sha256(bytes_of(u), bytes_of(S), prk);
    digest_hmac_sha256(digest_str(prk, 32), STR("Caldera Derived Key\x01"), key);
    BIGNUM *all[] = { N, a, B, g, A, k, x, u, S, t };
    for (size_t i = 0; i < COUNT(all); i++)
        BN_free(all[i]);
    BN_CTX_free(ctx);
}

/* The client of this test gives the published key, so it is a faithful one. */
static void the_tests_client_is_faithful(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "crypto-kat/cognito-srp.json");
    const json_t *c = json_array_get(json_object_get(file, "cases"), 0);
    uint8_t key[32];
    client_key(json_str(file, "N"), json_str(c, "a"), number(json_str(c, "salt")), json_str(c, "B"),
               json_str(c, "pool_name"), json_str(c, "identity_user"), json_str(c, "password"), key);
    assert_string_equal(hex_encode(arena, digest_str(key, SRP_KEY_BYTES)).ptr, json_str(c, "hkdf_key").ptr);
}

/* Many salts and exponents, so that values with and without a leading 00 byte all occur: fixed-width
 * padding would fail for one in 256 of them. */
static void server_and_client_agree(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "crypto-kat/cognito-srp.json");
    const json_t *c = json_array_get(json_object_get(file, "cases"), 0);
    for (int round = 0; round < 24; round++) {
        uint8_t salt[SRP_SALT_BYTES], b[SRP_EXPONENT_BYTES], server[SRP_KEY_BYTES], client[32];
        digest_sha256_of(b, STR("b"), str_printf(arena, "%d", round));
        memset(salt, 0x5a, sizeof salt);
        salt[0] = (uint8_t)(round * 11); /* 00, a set top bit, and others */
        struct str password = str_printf(arena, "pässwörd %d", round);
        struct str v = srp_verifier(arena, digest_str(salt, sizeof salt), STR("AbC"), STR("user"), password);
        struct str B = srp_public(arena, v, b);
        client_key(json_str(file, "N"), json_str(c, "a"), digest_str(salt, sizeof salt), srp_hex(arena, B),
                   STR("AbC"), STR("user"), password, client);
        assert_true(srp_key(arena, number(json_str(c, "A")), B, v, b, server));
        assert_memory_equal(server, client, SRP_KEY_BYTES);

        client_key(json_str(file, "N"), json_str(c, "a"), digest_str(salt, sizeof salt), srp_hex(arena, B),
                   STR("AbC"), STR("user"), STR("wrong"), client);
        assert_memory_not_equal(server, client, SRP_KEY_BYTES);
    }
}

/* The device flow's verifier is the same arithmetic with other names. */
static void published_verifier(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "crypto-kat/cognito-srp.json");
    const json_t *d = json_array_get(json_object_get(file, "device_verifier"), 0);
    struct str salt, expected;
    assert_true(base64_decode(arena, json_str(d, "salt_b64"), &salt));
    assert_true(base64_decode(arena, json_str(d, "password_verifier_b64"), &expected));
    struct str v = srp_verifier(arena, salt, json_str(d, "device_group_key"), json_str(d, "device_key"),
                                json_str(d, "device_password"));
    struct str hex = srp_hex(arena, v);
    assert_string_equal(hex.ptr, hex_encode(arena, expected).ptr);
}

static void keys_a_client_would_know(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "crypto-kat/cognito-srp.json");
    uint8_t b[SRP_EXPONENT_BYTES] = { 7 }, key[SRP_KEY_BYTES];
    struct str v = srp_verifier(arena, STR("salt"), STR("p"), STR("u"), STR("x")),
               B = srp_public(arena, v, b);
    assert_false(srp_key(arena, number(STR("0")), B, v, b, key));
    assert_false(srp_key(arena, number(STR("0000")), B, v, b, key));
    assert_false(srp_key(arena, number(json_str(file, "N")), B, v, b, key)); /* A = N */
    assert_true(srp_key(arena, number(STR("1")), B, v, b, key));
    struct str out;
    assert_false(srp_number(arena, STR(""), &out));
    assert_false(srp_number(arena, STR("xyz"), &out));
    assert_true(srp_number(arena, STR("ABC"), &out)); /* odd length, upper case */
    assert_string_equal(hex_encode(arena, out).ptr, "0abc");
}

static const struct {
    const char *text;
    bool canonical;
} timestamps[] = {
    { "Tue Feb 1 03:04:05 UTC 2000", true },
    { "Sat Nov 21 03:04:05 UTC 2026", true },
    { "Tue Feb 01 03:04:05 UTC 2000", false }, /* zero-padded day */
    { "Wed Feb 1 03:04:05 UTC 2000", false },  /* wrong weekday */
    { "Tue Feb 1 3:04:05 UTC 2000", false },
    { "Tue Feb 1 03:04:05 GMT 2000", false },
    { "Tue Feb 1 03:04:05 UTC 2000 ", false },
    { "tue feb 1 03:04:05 UTC 2000", false },
    { "Thu Feb 30 03:04:05 UTC 2000", false },
    { "Tue  Feb 1 03:04:05 UTC 2000", false },
    { "", false },
    { "2000-02-01T03:04:05Z", false },
};

static void timestamps_are_taken_as_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(timestamps); i++)
        if (srp_timestamp_is_canonical(str_of(timestamps[i].text)) != timestamps[i].canonical)
            fail_msg("%s", timestamps[i].text);
}

/* Without a verifier B is g^b alone: the precomputed powers against plain exponentiation. */
static void powers_of_g(void **state)
{
    (void)state;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *N = BN_get_rfc3526_prime_3072(NULL), *g = BN_new(), *exponent = BN_new(), *expected = BN_new();
    BN_set_word(g, 2);
    for (int row = 0; row < 40; row++) {
        struct arena *own = arena_new(4096);
        uint8_t b[SRP_EXPONENT_BYTES] = { 0 }, bytes[384];
        if (row == 1)
            b[SRP_EXPONENT_BYTES - 1] = 1;
        else if (row == 2)
            memset(b, 0xff, sizeof b);
        else if (row == 3)
            b[0] = 0x80;
        else if (row > 3 && BN_rand(exponent, 8 * (int)sizeof b, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY))
            BN_bn2binpad(exponent, b, sizeof b);
        BN_bin2bn(b, sizeof b, exponent);
        BN_mod_exp(expected, g, exponent, N, ctx);
        struct str B = srp_public(own, STR(""), b);
        size_t n = (size_t)BN_bn2bin(expected, bytes);
        if (B.len != n || memcmp(B.ptr, bytes, n) != 0)
            fail_msg("row %d: g^b is another number", row);
        arena_free(own);
    }
    BN_free(N);
    BN_free(g);
    BN_free(exponent);
    BN_free(expected);
    BN_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(published_sign_in, setup, teardown),
        cmocka_unit_test_setup_teardown(the_tests_client_is_faithful, setup, teardown),
        cmocka_unit_test_setup_teardown(server_and_client_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(published_verifier, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_a_client_would_know, setup, teardown),
        cmocka_unit_test(powers_of_g),
        cmocka_unit_test_setup_teardown(timestamps_are_taken_as_bytes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
