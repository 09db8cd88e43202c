#include "vectors.h"

#include "core/digest.h"
#include "core/jwt.h"

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

/* What a pool does: read, choose the key of that kid, check the signature. A set with two keys of
 * one kid is ambiguous and chooses none. */
static bool accepts(struct str token, const json_t *jwks)
{
    struct jwt jwt;
    if (!jwt_read(arena, token, &jwt))
        return false;
    const json_t *keys = json_object_get(jwks, "keys"), *jwk, *found = NULL;
    size_t i, n = 0;
    if (!keys && str_eq(json_str(jwks, "kid"), jwt.kid))
        found = jwks, n = 1;
    json_array_foreach(keys, i, jwk) if (str_eq(json_str(jwk, "kid"), jwt.kid)) found = jwk, n++;
    struct key *key = n == 1 ? key_from_jwk(arena, found) : NULL;
    bool right = key && key_verify(key, jwt.alg, jwt.signing_input, jwt.signature);
    key_free(key);
    return right;
}

/* Cases whose verdict differs from upstream's, and why. Each must still differ. */
static const struct {
    const char *file, *group, *comment, *why;
} known[] = {
    { "json_web_crypto_test", "jws_aes", "acceptsValid", "HS256 is not on our allow-list" },
    { "json_web_crypto_test", "jws_keyset", "acceptsValid", "HS256 is not on our allow-list" },
    { "json_web_key_test", "jws_keyset", "acceptsValid", "HS256 is not on our allow-list" },
    { "json_web_key_test", "HS256", "long_key", "HS256 is not on our allow-list" },
    { "json_web_key_test", "HS384", "long_key", "HS384 is not on our allow-list" },
    { "json_web_key_test", "HS512", "long_key", "HS512 is not on our allow-list" },
    { "json_web_crypto_test", "jws_rsa_roca_key", "rejectsKeyWithRocaVulnerability",
      "no ROCA detection: keys are our own, or of an issuer that was configured" },
    { "json_web_key_test", "jws_rsa_roca_key", "rejectsKeyWithRocaVulnerability",
      "no ROCA detection: keys are our own, or of an issuer that was configured" },
};

static bool is_known(const char *file, struct str group, struct str comment, bool *used)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(known[i].file, file) == 0 && str_is(group, known[i].group) &&
            str_is(comment, known[i].comment)) {
            used[i] = true;
            return true;
        }
    return false;
}

static size_t run_file(const char *file, bool *used)
{
    json_t *json = vector_json(arena, str_printf(arena, "wycheproof/%s.json", file).ptr), *group, *test;
    size_t g, t, ran = 0;
    json_array_foreach(json_object_get(json, "testGroups"), g, group)
    {
        const json_t *jwks = json_object_get(group, "public");
        if (!jwks)
            jwks = json_object_get(group, "private");
        json_array_foreach(json_object_get(group, "tests"), t, test)
        {
            ran++;
            const json_t *jws = json_object_get(test, "jws");
            bool jwe = !jws; /* we issue none: refused wholesale */
            struct str token = jwe ? json_str(test, "jwe") : json_value_str(jws);
            if (!token.ptr) /* the JSON serialisation */
                token = json_print(arena, jwe ? json_object_get(test, "jwe") : jws);
            struct str comment = json_str(test, "comment"), name = json_str(group, "comment");
            bool valid = !jwe && str_is(json_str(test, "result"), "valid");
            bool differs = accepts(token, jwks) != valid;
            if (differs != is_known(file, name, comment, used))
                fail_msg("%s %s/%s: %s", file, name.ptr, comment.ptr,
                         differs ? "wrong verdict" : "no longer known");
        }
    }
    return ran;
}

static void wycheproof(void **state)
{
    (void)state;
    bool used[COUNT(known)] = { false };
    assert_int_equal(run_file("json_web_crypto_test", used), 83);
    assert_int_equal(run_file("json_web_key_test", used), 26);
    for (size_t i = 0; i < COUNT(known); i++)
        if (!used[i])
            fail_msg("not met: %s/%s", known[i].group, known[i].comment);
}

/* RFC 7520: 4.1 is the one RS256 example, 4.3 the one with ES512; all others must be refused. */
static void cookbook(void **state)
{
    (void)state;
    static const char *const files[] = {
        "4_1.rsa_v15_signature",
        "4_2.rsa-pss_signature",
        "4_3.ecdsa_signature",
        "4_4.hmac-sha2_integrity_protection",
        "4_5.signature_with_detached_content",
        "4_6.protecting_specific_header_fields",
        "4_7.protecting_content_only",
        "4_8.multiple_signatures",
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        json_t *file = vector_json(arena, str_printf(arena, "jose/cookbook/jws/%s.json", files[i]).ptr);
        const json_t *output = json_object_get(file, "output"),
                     *key_json = json_object_get(json_object_get(file, "input"), "key");
        struct str token = json_str(output, "compact");
        if (!token.ptr)
            token = json_print(arena, json_object_get(output, "json"));
        if (accepts(token, key_json) != (i == 0 || i == 2))
            fail_msg("%s", files[i]);
    }
}

static void cookbook_4_1_in_detail(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "jose/cookbook/jws/4_1.rsa_v15_signature.json");
    const json_t *input = json_object_get(file, "input");
    struct str token = json_str(json_object_get(file, "output"), "compact");
    struct jwt jwt;
    assert_true(jwt_read(arena, token, &jwt));
    assert_true(str_eq(jwt.payload, json_str(input, "payload")));
    struct key *key = key_from_jwk(arena, json_object_get(input, "key"));
    bool signed_;
    assert_null(jwt_claims(arena, &jwt, key, &signed_)); /* a sentence is no claims set */
    assert_true(signed_);
    key_free(key);

    size_t refused = 0;
    for (size_t at = 0; at < token.len; at += 7) {
        char *bent = (char *)str_copy(arena, token).ptr;
        bent[at] = bent[at] == 'A' ? 'B' : 'A';
        refused += !accepts((struct str){ bent, token.len }, json_object_get(input, "key"));
    }
    assert_int_equal(refused, (token.len + 6) / 7);
}

static void unencoded_payloads_of_rfc7797(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "jose/cookbook/rfc7797/hmac-sha2_b64_false.json");
    struct jwt jwt;
    struct str token = json_str(json_object_get(file, "output"), "compact");
    assert_false(jwt_read(arena, token.ptr ? token : json_print(arena, file), &jwt));
    /* the same head on a token whose segments are otherwise fine */
    struct str head =
        base64url_encode(arena, STR("{\"alg\":\"RS256\",\"kid\":\"k\",\"b64\":false,\"crit\":[\"b64\"]}"));
    assert_false(jwt_read(arena, str_concat(arena, head, STR(".e30.AAAA")), &jwt));
}

static const struct {
    const char *name, *header;
    bool read;
} header_rows[] = {
    { "Cognito's", "{\"kid\":\"k\",\"alg\":\"RS256\"}", true },
    { "typ JWT", "{\"kid\":\"k\",\"alg\":\"RS256\",\"typ\":\"JWT\"}", true },
    { "typ at+jwt", "{\"kid\":\"k\",\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", true },
    { "typ logout+jwt", "{\"kid\":\"k\",\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}", false },
    { "typ dpop+jwt", "{\"kid\":\"k\",\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}", false },
    { "typ a number", "{\"kid\":\"k\",\"alg\":\"RS256\",\"typ\":1}", false },
    { "x5t is ignored", "{\"kid\":\"k\",\"alg\":\"RS256\",\"x5t\":\"AAAA\"}", true },
    { "ES384", "{\"kid\":\"k\",\"alg\":\"ES384\"}", true },
    { "PS256", "{\"kid\":\"k\",\"alg\":\"PS256\"}", false },
    { "ES256K", "{\"kid\":\"k\",\"alg\":\"ES256K\"}", false },
    { "EdDSA", "{\"kid\":\"k\",\"alg\":\"EdDSA\"}", false },
    { "alg in lower case", "{\"kid\":\"k\",\"alg\":\"rs256\"}", false },
    { "alg with a NUL behind it", "{\"kid\":\"k\",\"alg\":\"RS256\\u0000\"}", false },
    { "kid empty", "{\"kid\":\"\",\"alg\":\"RS256\"}", false },
    { "white space around members", " { \"kid\" : \"k\" , \"alg\" : \"RS256\" } ", true },
    { "trailing bytes", "{\"kid\":\"k\",\"alg\":\"RS256\"}x", false },
    { "an array", "[\"RS256\"]", false },
    { "not JSON", "RS256", false },
};

static void headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(header_rows); i++) {
        struct jwt jwt;
        struct str head = base64url_encode(arena, str_of(header_rows[i].header));
        if (jwt_read(arena, str_concat(arena, head, STR(".e30.AAAA")), &jwt) != header_rows[i].read)
            fail_msg("%s", header_rows[i].name);
    }
}

static void minted_as_cognito_does(void **state)
{
    (void)state;
    struct key *key = key_rsa_generate(NULL);
    struct str token = jwt_mint(arena, key, STR("a/b+c="), STR("{\"sub\":\"x\",\"exp\":5}"));
    struct str head;
    assert_true(base64url_decode(arena, str_sub(token, 0, (size_t)str_find(token, '.')), &head));
    assert_string_equal(head.ptr, "{\"kid\":\"a/b+c=\",\"alg\":\"RS256\"}");
    struct jwt jwt;
    assert_true(jwt_read(arena, token, &jwt));
    assert_string_equal(jwt.kid.ptr, "a/b+c=");
    bool signed_;
    json_t *claims = jwt_claims(arena, &jwt, key, &signed_);
    assert_true(signed_);
    assert_string_equal(json_str(claims, "sub").ptr, "x");
    key_free(key);
}

static const struct {
    const char *name, *claims;
    enum jwt_time verdict; /* at second 1000 */
} time_rows[] = {
    { "exp in a second", "{\"exp\":1001}", JWT_LIVE },
    { "exp exactly now: \"on or after\"", "{\"exp\":1000}", JWT_EXPIRED },
    { "exp a second ago", "{\"exp\":999}", JWT_EXPIRED },
    { "exp missing", "{}", JWT_BAD_TIME },
    { "exp a string", "{\"exp\":\"1001\"}", JWT_BAD_TIME },
    { "exp a float", "{\"exp\":1e99}", JWT_BAD_TIME },
    { "exp negative", "{\"exp\":-1}", JWT_BAD_TIME },
    { "exp beyond any calendar", "{\"exp\":9223372036854775807}", JWT_BAD_TIME },
    { "exp null", "{\"exp\":null}", JWT_BAD_TIME },
    { "nbf now", "{\"exp\":2000,\"nbf\":1000}", JWT_LIVE },
    { "nbf in a minute", "{\"exp\":2000,\"nbf\":1060}", JWT_BAD_TIME },
    { "nbf a string", "{\"exp\":2000,\"nbf\":\"0\"}", JWT_BAD_TIME },
    { "iat now", "{\"exp\":2000,\"iat\":1000}", JWT_LIVE },
    { "iat in a minute: \"must be before the current time\"", "{\"exp\":2000,\"iat\":1060}", JWT_BAD_TIME },
};

static void times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(time_rows); i++)
        if (jwt_check_time(json_parse(arena, str_of(time_rows[i].claims), NULL), 1000) !=
            time_rows[i].verdict)
            fail_msg("%s", time_rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wycheproof, setup, teardown),
        cmocka_unit_test_setup_teardown(cookbook, setup, teardown),
        cmocka_unit_test_setup_teardown(cookbook_4_1_in_detail, setup, teardown),
        cmocka_unit_test_setup_teardown(unencoded_payloads_of_rfc7797, setup, teardown),
        cmocka_unit_test_setup_teardown(headers, setup, teardown),
        cmocka_unit_test_setup_teardown(minted_as_cognito_does, setup, teardown),
        cmocka_unit_test_setup_teardown(times, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
