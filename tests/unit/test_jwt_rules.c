/* What a JWT authorizer asks of a token whose signature is right. */
#include "vectors.h"

#include "gateway/issuer/jwt_rules.h"
#include "core/key_set.h"

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

static json_t *claims_of(const char *text)
{
    struct str why;
    json_t *claims = json_parse(arena, str_of(text), &why);
    if (!claims)
        fail_msg("%s: %.*s", text, STR_FMT(why));
    return claims;
}

static struct str audiences[] = { STR_INIT("shop"), STR_INIT("till") };
static struct str tiers[] = { STR_INIT("gold"), STR_INIT("") };
static struct jwt_claim_rule claim_rules[] = {
    { STR_INIT("tier"), true, tiers, 2 },
    { STR_INIT("tenant"), false, audiences, 2 },
    { STR_INIT("who"), true, NULL, 0 },
};

static const struct {
    const char *name, *claims;
    bool plain, ruled; /* good for an issuer without and with claim rules */
} rows[] = {
    { "aud a text", "{\"aud\":\"shop\"}", true, false },
    { "aud a list", "{\"aud\":[\"x\",\"till\"]}", true, false },
    { "aud of others", "{\"aud\":[\"x\"]}", false, false },
    { "aud a prefix", "{\"aud\":\"sho\"}", false, false },
    { "aud empty", "{\"aud\":\"\"}", false, false },
    { "aud with a NUL behind it", "{\"aud\":\"shop\\u0000\"}", false, false },
    { "aud null hides client_id", "{\"aud\":null,\"client_id\":\"shop\"}", false, false },
    { "client_id for aud", "{\"client_id\":\"shop\"}", true, false },
    { "client_id a list", "{\"client_id\":[\"shop\"]}", false, false },
    { "nothing", "{}", false, false },
    { "all rules", "{\"aud\":\"shop\",\"tier\":\"gold\",\"who\":\"ann\"}", true, true },
    { "an empty text can be expected", "{\"aud\":\"shop\",\"tier\":\"\",\"who\":\"ann\"}", true, true },
    { "an optional claim that is right", "{\"aud\":\"shop\",\"tier\":\"gold\",\"who\":\"ann\",\"tenant\":\"till\"}", true, true },
    { "an optional claim that is wrong", "{\"aud\":\"shop\",\"tier\":\"gold\",\"who\":\"ann\",\"tenant\":\"x\"}", true, false },
    { "an optional claim that is null", "{\"aud\":\"shop\",\"tier\":\"gold\",\"who\":\"ann\",\"tenant\":null}", true, false },
    { "a required claim of another type", "{\"aud\":\"shop\",\"tier\":\"gold\",\"who\":true}", true, false },
    { "a required claim in a list", "{\"aud\":\"shop\",\"tier\":[\"gold\"],\"who\":\"ann\"}", true, false },
};

static void audience_and_claims(void **state)
{
    (void)state;
    const struct jwt_issuer plain = { .audiences = audiences, .n_audiences = 2 };
    const struct jwt_issuer ruled = { .audiences = audiences, .n_audiences = 2, .claims = claim_rules, .n_claims = 3 };
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *claims = claims_of(rows[i].claims);
        if (!jwt_rules_broken(&plain, claims) != rows[i].plain || !jwt_rules_broken(&ruled, claims) != rows[i].ruled)
            fail_msg("%s", rows[i].name);
    }
}

static void issuers_by_the_letter(void **state)
{
    (void)state;
    struct jwt_issuer list[] = { { .name = STR_INIT("https://a.example") }, { .name = STR_INIT("https://a.example/") } };
    const struct jwt_rules rules = { .issuers = list, .n_issuers = 2 };
    assert_ptr_equal(jwt_rules_issuer(&rules, claims_of("{\"iss\":\"https://a.example\"}")), &list[0]);
    assert_ptr_equal(jwt_rules_issuer(&rules, claims_of("{\"iss\":\"https://a.example/\"}")), &list[1]);
    static const char *const none[] = { "{}", "{\"iss\":\"https://A.example\"}", "{\"iss\":\"https://a.example//\"}",
                                        "{\"iss\":[\"https://a.example\"]}", "{\"iss\":\"\"}",
                                        "{\"iss\":\"https://a.example\\u0000\"}" };
    for (size_t i = 0; i < COUNT(none); i++)
        if (jwt_rules_issuer(&rules, claims_of(none[i])))
            fail_msg("%s", none[i]);
    assert_null(jwt_rules_issuer(&rules, NULL));
}

static void scopes(void **state)
{
    (void)state;
    static const struct str wanted[] = { STR_INIT("orders/read"), STR_INIT("all") };
    static const struct {
        const char *claims;
        bool holds;
    } table[] = {
        { "{\"scope\":\"orders/read\"}", true },      { "{\"scope\":\"x all\"}", true },
        { "{\"scope\":\" all \"}", true },            { "{\"scp\":\"all\"}", true },
        { "{\"scp\":[\"x\",\"all\"]}", true },        { "{\"scope\":\"x\",\"scp\":[\"all\"]}", true },
        { "{\"scope\":\"All\"}", false },             { "{\"scope\":\"al\"}", false },
        { "{\"scope\":\"all,x\"}", false },           { "{\"scope\":\"x\\tall\"}", false },
        { "{\"scope\":\"\"}", false },                { "{\"scp\":[[\"all\"]]}", false },
        { "{\"scp\":[\"x all\"]}", false },           { "{\"scp\":{\"all\":1}}", false },
        { "{}", false },                              { "{\"scope\":null}", false },
    };
    for (size_t i = 0; i < COUNT(table); i++)
        if (jwt_has_scope(claims_of(table[i].claims), wanted, 2) != table[i].holds)
            fail_msg("%s", table[i].claims);
}

#define EC(kid, more) \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"" kid "\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"" more "}"

static void key_sets(void **state)
{
    (void)state;
    const char *why = NULL;
    struct str text = STR("{\"keys\":[" EC("a", "") "," EC("b", ",\"use\":\"enc\"") "," EC("twice", "") "," EC("twice", "")
                          ",{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"c\"},7," EC("", "") "]}");
    struct key_set *set = key_set_parse(text, arena, &why);
    assert_non_null(set);
    assert_non_null(key_set_find(set, STR("a"), KEY_ES256));
    assert_null(key_set_find(set, STR("a"), KEY_ES384));
    assert_null(key_set_find(set, STR("a"), KEY_RS256));
    static const char *const none[] = { "b", "c", "twice", "", "A", "a ", "aa" };
    for (size_t i = 0; i < COUNT(none); i++)
        if (key_set_find(set, str_of(none[i]), KEY_ES256))
            fail_msg("%s", none[i]);
    assert_true(key_set_is(set, text));
    assert_false(key_set_is(set, STR("{}")));
    key_set_release(set);
    static const char *const bad[] = { "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[]}x", "null" };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (key_set_parse(str_of(bad[i]), arena, &why))
            fail_msg("%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(audience_and_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(issuers_by_the_letter, setup, teardown),
        cmocka_unit_test_setup_teardown(scopes, setup, teardown),
        cmocka_unit_test_setup_teardown(key_sets, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
