#include "vectors.h"

#include "core/digest.h"
#include "core/key.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* "acceptable" is a PKCS#1 padding without its ASN.1 NULL: we refuse it. */
static size_t rsa_vectors(const char *path, enum key_alg alg)
{
    json_t *file = vector_json(arena, path), *group, *test;
    size_t g, t, ran = 0;
    json_array_foreach(json_object_get(file, "testGroups"), g, group)
    {
        const json_t *public = json_object_get(group, "publicKey");
        struct key *key = key_from_modulus(vector_hex(arena, public, "modulus"),
                                           vector_hex(arena, public, "publicExponent"));
        assert_non_null(key);
        json_array_foreach(json_object_get(group, "tests"), t, test)
        {
            bool right =
                key_verify(key, alg, vector_hex(arena, test, "msg"), vector_hex(arena, test, "sig"));
            if (right != str_is(json_str(test, "result"), "valid"))
                fail_msg("test %d: %s", (int)json_i64(test, "tcId", 0), json_str(test, "comment").ptr);
            ran++;
        }
        key_free(key);
    }
    return ran;
}

/* r and s side by side, as tokens have them. */
static size_t ec_vectors(const char *path, enum key_alg alg)
{
    json_t *file = vector_json(arena, path), *group, *test;
    size_t g, t, ran = 0;
    json_array_foreach(json_object_get(file, "testGroups"), g, group)
    {
        struct str point = vector_hex(arena, json_object_get(group, "publicKey"), "uncompressed");
        size_t half = (point.len - 1) / 2;
        json_t *jwk = json_own(arena, json_object());
        json_set_str(jwk, "kty", STR("EC"));
        json_set_str(jwk, "crv", alg == KEY_ES256 ? STR("P-256") : STR("P-384"));
        json_set_str(jwk, "x", base64url_encode(arena, str_sub(point, 1, half)));
        json_set_str(jwk, "y", base64url_encode(arena, str_from(point, 1 + half)));
        struct key *key = key_from_jwk(arena, jwk);
        assert_non_null(key);
        json_array_foreach(json_object_get(group, "tests"), t, test)
        {
            bool right = key_verify(key, alg, vector_hex(arena, test, "msg"), vector_hex(arena, test, "sig"));
            if (right != str_is(json_str(test, "result"), "valid"))
                fail_msg("%s %d: %s", path, (int)json_i64(test, "tcId", 0), json_str(test, "comment").ptr);
            ran++;
        }
        key_free(key);
    }
    return ran;
}

static void signature_vectors(void **state)
{
    (void)state;
    assert_int_equal(rsa_vectors("wycheproof/rsa_signature_2048_sha256_test.json", KEY_RS256), 259);
    assert_int_equal(rsa_vectors("wycheproof/rsa_signature_2048_sha384_test.json", KEY_RS384), 258);
    assert_int_equal(rsa_vectors("wycheproof/rsa_signature_2048_sha512_test.json", KEY_RS512), 259);
    assert_int_equal(ec_vectors("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", KEY_ES256), 262);
    assert_int_equal(ec_vectors("wycheproof/ecdsa_secp384r1_sha384_p1363_test.json", KEY_ES384), 280);
}

/* An algorithm is a property of the key, not a wish of the token (a09, a10). */
static void a_key_verifies_its_own_algorithm_only(void **state)
{
    (void)state;
    json_t *rsa = json_own(arena, json_deep_copy(json_object_get(vector_json(arena, "crypto-kat/jwk-thumbprint-rfc7638.json"), "jwk")));
    static const struct {
        const char *alg;
        bool fits[6]; /* in the order of enum key_alg */
    } fits[] = {
        { NULL, { true, true, true, false, false, false } },
        { "RS256", { true, false, false, false, false, false } },
        { "RS512", { false, false, true, false, false, false } },
    };
    for (size_t i = 0; i < COUNT(fits); i++) {
        json_object_del(rsa, "alg");
        json_set_str(rsa, "alg", str_of(fits[i].alg));
        struct key *key = key_from_jwk(arena, rsa);
        for (int alg = 0; alg < 6; alg++)
            assert_int_equal(key_fits(key, (enum key_alg)alg), fits[i].fits[alg]);
        key_free(key);
    }
    /* RFC 7515, A.3: a point of P-256, then the same one bit off, short, and under another curve's name */
    json_t *ec = json_parse(arena, STR("{\"kty\":\"EC\",\"crv\":\"P-256\","
                                       "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                       "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"), NULL);
    struct key *key = key_from_jwk(arena, ec);
    assert_non_null(key);
    assert_true(key_fits(key, KEY_ES256) && !key_fits(key, KEY_ES384) && !key_fits(key, KEY_RS256));
    key_free(key);
    static const char *const bad[][2] = {
        { "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1" }, { "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4" },
        { "x", "83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU" },  { "crv", "P-384" },
        { "crv", "secp256k1" },                                 { "alg", "RS256" },
        { "alg", "ES384" },                                     { "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        json_t *copy = json_own(arena, json_deep_copy(ec));
        json_set_str(copy, bad[i][0], str_of(bad[i][1]));
        if (key_from_jwk(arena, copy))
            fail_msg("%s %s", bad[i][0], bad[i][1]);
    }
}

static void thumbprint_of_rfc7638(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "crypto-kat/jwk-thumbprint-rfc7638.json");
    struct key *key = key_from_jwk(arena, json_object_get(file, "jwk"));
    assert_non_null(key);
    uint8_t print[SHA256_BYTES];
    key_thumbprint(arena, key, print);
    assert_string_equal(base64url_encode(arena, digest_str(print, sizeof print)).ptr,
                        json_str(file, "sha256_thumbprint_b64url").ptr);
    key_free(key);
}

static void made_stored_and_read_again(void **state)
{
    (void)state;
    struct key *key = key_rsa_generate(NULL);
    assert_non_null(key);
    struct str signature = key_sign_rs256(arena, key, STR("hello"));
    assert_int_equal(signature.len, KEY_RSA_BITS / 8);

    struct key *again = key_from_private_der(key_private_der(arena, key));
    assert_non_null(again);
    struct str signature_again = key_sign_rs256(arena, again, STR("hello"));
    assert_true(str_eq(signature, signature_again)); /* PKCS#1 v1.5 is deterministic */

    struct str n, e;
    assert_true(base64url_decode(arena, key_modulus(arena, key), &n));
    assert_true(base64url_decode(arena, key_exponent(arena, key), &e));
    struct key *public = key_from_modulus(n, e);
    assert_true(key_verify_rs256(public, STR("hello"), signature));
    assert_false(key_verify_rs256(public, STR("hellO"), signature));
    assert_null(key_private_der(arena, public).ptr);
    assert_null(key_sign_rs256(arena, public, STR("hello")).ptr);
    key_free(key);
    key_free(again);
    key_free(public);
}

static void generation_can_be_given_up(void **state)
{
    (void)state;
    atomic_bool stop = true;
    assert_null(key_rsa_generate(&stop));
}

/* cases.md a72, on a good key bent one way at a time (short moduli: wycheproof's, in test_jwt) */
static const struct {
    const char *name, *member, *value; /* JSON; NULL removes it */
    bool taken;
} jwk_rows[] = {
    { "as it is", "kid", "\"x\"", true },
    { "no alg and no use named", "alg", NULL, true },
    { "key_ops with verify", "key_ops", "[\"sign\",\"verify\"]", true },
    { "key_ops without verify", "key_ops", "[\"encrypt\"]", false },
    { "key_ops no list", "key_ops", "\"verify\"", false },
    { "use enc", "use", "\"enc\"", false },
    { "alg RS512: for those only", "alg", "\"RS512\"", true },
    { "alg PS256", "alg", "\"PS256\"", false },
    { "alg ES256 on an RSA key", "alg", "\"ES256\"", false },
    { "alg no string", "alg", "[\"RS256\"]", false },
    { "alg HS256", "alg", "\"HS256\"", false },
    { "kty EC", "kty", "\"EC\"", false },
    { "kty missing", "kty", NULL, false },
    { "exponent 1", "e", "\"AQ\"", false },
    { "exponent even", "e", "\"AQAC\"", false },
    { "modulus missing", "n", NULL, false },
    { "modulus with padding", "n", "\"AAAA=\"", false },
};

static void jwk_rules(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "crypto-kat/jwk-thumbprint-rfc7638.json");
    for (size_t i = 0; i < COUNT(jwk_rows); i++) {
        json_t *jwk = json_own(arena, json_deep_copy(json_object_get(file, "jwk")));
        json_object_set_new(jwk, "use", json_string("sig"));
        if (jwk_rows[i].value)
            json_object_set(jwk, jwk_rows[i].member, json_parse(arena, str_of(jwk_rows[i].value), NULL));
        else
            json_object_del(jwk, jwk_rows[i].member);
        struct key *key = key_from_jwk(arena, jwk);
        if ((key != NULL) != jwk_rows[i].taken)
            fail_msg("%s", jwk_rows[i].name);
        key_free(key);
    }
    /* an even modulus: the good one with its last bit cleared */
    struct str n;
    assert_true(base64url_decode(arena, json_str(json_object_get(file, "jwk"), "n"), &n));
    ((char *)n.ptr)[n.len - 1] &= (char)0xfe;
    assert_null(key_from_modulus(n, STR("\x01\x00\x01")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signature_vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_verifies_its_own_algorithm_only, setup, teardown),
        cmocka_unit_test_setup_teardown(thumbprint_of_rfc7638, setup, teardown),
        cmocka_unit_test_setup_teardown(made_stored_and_read_again, setup, teardown),
        cmocka_unit_test(generation_can_be_given_up),
        cmocka_unit_test_setup_teardown(jwk_rules, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
