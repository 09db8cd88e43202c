/* Claims from facts; and what a PreTokenGeneration answer may change of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "identity/tokens/pre_token.h"

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

static json_t *parsed(const char *text)
{
    struct str why = STR_NONE;
    json_t *value = json_parse(arena, str_of(text), &why);
    if (!value)
        fail_msg("%s: %.*s", text, STR_FMT(why));
    return value;
}

/* RFC 7396: null takes a member away. */
static json_t *patched(const char *base, const char *patch)
{
    json_t *out = parsed(base), *changes = parsed(patch), *value;
    const char *name;
    json_object_foreach(changes, name, value)
        if (json_is_null(value))
            json_object_del(out, name);
        else
            json_object_set(out, name, value);
    return out;
}

static void same(const char *row, const char *what, const json_t *expected, const json_t *found)
{
    if (!json_equal((json_t *)expected, (json_t *)found))
        fail_msg("%s: %s is %s, not %s", row, what, json_print(arena, found).ptr, json_print(arena, expected).ptr);
}

/* ---- claims ---- */

static struct idp_UserPoolClientType doc;
static struct client client = {
    .id = STR_INIT("app"), .doc = &doc, .access_ttl_s = 600, .id_ttl_s = 7200, .revocation = true
};
static struct session session = { .origin = STR_INIT("origin"), .event = STR_INIT("event"), .auth_s = 900 };
static const struct group_row staff[] = {
    { .name = STR_INIT("admins"), .role = STR_INIT("arn:a"), .has_precedence = true, .precedence = 1 },
    { .name = STR_INIT("users"), .role = STR_INIT("arn:b"), .has_precedence = true, .precedence = 2 },
    { .name = STR_INIT("all") },
};

static struct user user_with(const char *attributes)
{
    return (struct user){ .sub = STR("u-1"), .username = STR("ada"), .attributes = parsed(attributes) };
}

static struct token_facts facts_of(const struct user *user)
{
    return (struct token_facts){
        .client = &client, .user = user, .session = &session, .issuer = STR("https://i/p"), .jti = STR("jti"),
        .scope = SCOPE_OF_SIGN_IN, .now_s = 1000
    };
}

#define ID                                                                                                                \
    "{\"sub\":\"u-1\",\"iss\":\"https://i/p\",\"cognito:username\":\"ada\",\"aud\":\"app\",\"origin_jti\":\"origin\","     \
    "\"event_id\":\"event\",\"token_use\":\"id\",\"auth_time\":900,\"exp\":8200,\"iat\":1000,\"jti\":\"jti\"}"
#define ACCESS                                                                                                            \
    "{\"sub\":\"u-1\",\"iss\":\"https://i/p\",\"client_id\":\"app\",\"origin_jti\":\"origin\",\"event_id\":\"event\","     \
    "\"token_use\":\"access\",\"scope\":\"aws.cognito.signin.user.admin\",\"auth_time\":900,\"exp\":1600,\"iat\":1000,"    \
    "\"jti\":\"jti\",\"username\":\"ada\"}"

static void attributes_are_typed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *attributes, *id;
    } rows[] = {
        { "none", "{}", "{}" },
        { "strings stay", "{\"email\":\"a@x\",\"name\":\"Ada\",\"phone_number\":\"+1\"}",
          "{\"email\":\"a@x\",\"name\":\"Ada\",\"phone_number\":\"+1\"}" },
        { "verified marks are booleans", "{\"email_verified\":\"true\",\"phone_number_verified\":\"false\"}",
          "{\"email_verified\":true,\"phone_number_verified\":false}" },
        { "an address is an object", "{\"address\":\"St James Square\"}", "{\"address\":{\"formatted\":\"St James Square\"}}" },
        { "updated_at is a number", "{\"updated_at\":\"17\"}", "{\"updated_at\":17}" },
        { "custom ones are strings, whatever their type", "{\"custom:tier\":\"3\",\"custom:on\":\"true\"}",
          "{\"custom:tier\":\"3\",\"custom:on\":\"true\"}" },
        { "those of developers never", "{\"dev:custom:x\":\"1\"}", "{}" },
        { "identities: strings within",
          "{\"identities\":\"[{\\\"userId\\\":\\\"7\\\",\\\"providerName\\\":\\\"G\\\",\\\"providerType\\\":\\\"OIDC\\\","
          "\\\"issuer\\\":null,\\\"primary\\\":true,\\\"dateCreated\\\":1642699117273}]\"}",
          "{\"identities\":[{\"userId\":\"7\",\"providerName\":\"G\",\"providerType\":\"OIDC\",\"issuer\":null,"
          "\"primary\":\"true\",\"dateCreated\":\"1642699117273\"}]}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct user user = user_with(rows[i].attributes);
        struct token_facts facts = facts_of(&user);
        same(rows[i].name, "the ID token", patched(ID, rows[i].id), token_claims(arena, &facts, KEY_FOR_ID));
        same(rows[i].name, "the access token", parsed(ACCESS), token_claims(arena, &facts, KEY_FOR_ACCESS));
    }
}

static void facts_are_told(void **state)
{
    (void)state;
    struct user user = user_with("{}");
    struct session stepped = session;
    struct token_facts facts = facts_of(&user);
    facts.groups = staff;
    facts.n_groups = COUNT(staff);
    same("groups", "ID",
         patched(ID, "{\"cognito:groups\":[\"admins\",\"users\",\"all\"],\"cognito:roles\":[\"arn:a\",\"arn:b\"],"
                     "\"cognito:preferred_role\":\"arn:a\"}"),
         token_claims(arena, &facts, KEY_FOR_ID));
    same("groups", "access", patched(ACCESS, "{\"cognito:groups\":[\"admins\",\"users\",\"all\"]}"),
         token_claims(arena, &facts, KEY_FOR_ACCESS));

    facts = facts_of(&user);
    stepped.acr = STR("urn:cognito:loa:2");
    stepped.amr = parsed("[\"pwd\",\"otp\",\"mfa\"]");
    stepped.device = STR("us-east-1_d");
    facts.session = &stepped;
    same("assurance", "ID", patched(ID, "{\"acr\":\"urn:cognito:loa:2\",\"amr\":[\"pwd\",\"otp\",\"mfa\"]}"),
         token_claims(arena, &facts, KEY_FOR_ID));
    same("assurance", "access",
         patched(ACCESS, "{\"acr\":\"urn:cognito:loa:2\",\"amr\":[\"pwd\",\"otp\",\"mfa\"],\"device_key\":\"us-east-1_d\"}"),
         token_claims(arena, &facts, KEY_FOR_ACCESS));

    facts = facts_of(&user);
    client.revocation = false;
    same("without revocation", "ID", patched(ID, "{\"jti\":null,\"origin_jti\":null}"), token_claims(arena, &facts, KEY_FOR_ID));
    same("without revocation", "access", patched(ACCESS, "{\"jti\":null,\"origin_jti\":null}"),
         token_claims(arena, &facts, KEY_FOR_ACCESS));
    client.revocation = true;

    facts.scope = STR("orders/read");
    facts.audience = parsed("\"orders\"");
    facts.most_s = 1100;
    facts.of_oauth = true;
    facts.act = parsed("{\"sub\":\"x\"}");
    same("derived", "access",
         patched(ACCESS, "{\"scope\":\"orders/read\",\"aud\":\"orders\",\"exp\":1100,\"version\":2,\"act\":{\"sub\":\"x\"}}"),
         token_claims(arena, &facts, KEY_FOR_ACCESS));
    facts.scope = STR("");
    assert_null(json_object_get(token_claims(arena, &facts, KEY_FOR_ACCESS), "scope"));

    const struct token_facts machine = { .client = &client, .issuer = STR("https://i/p"), .jti = STR("jti"),
                                         .scope = STR("a/b c/d"), .now_s = 1000, .of_oauth = true };
    same("a machine", "access",
         parsed("{\"sub\":\"app\",\"iss\":\"https://i/p\",\"client_id\":\"app\",\"token_use\":\"access\",\"scope\":\"a/b c/d\","
                "\"auth_time\":1000,\"exp\":1600,\"iat\":1000,\"version\":2,\"jti\":\"jti\"}"),
         token_claims(arena, &machine, KEY_FOR_ACCESS));
}

static void one_role_is_preferred(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct group_row groups[3];
        const char *role; /* NULL: none */
    } rows[] = {
        { "no groups with roles", { { .name = STR_INIT("a") } }, NULL },
        { "the only one", { { .role = STR_INIT("r") } }, "r" },
        { "the same one twice", { { .role = STR_INIT("r") }, { .role = STR_INIT("r"), .has_precedence = true } }, "r" },
        { "lowest precedence", { { .role = STR_INIT("r"), .has_precedence = true, .precedence = 3 },
                                 { .role = STR_INIT("s"), .has_precedence = true, .precedence = 2 } }, "s" },
        { "none is the last", { { .role = STR_INIT("r") }, { .role = STR_INIT("s"), .has_precedence = true, .precedence = 9 } }, "s" },
        { "a tie of one role", { { .role = STR_INIT("r"), .has_precedence = true, .precedence = 2 },
                                 { .role = STR_INIT("r"), .has_precedence = true, .precedence = 2 },
                                 { .role = STR_INIT("s"), .has_precedence = true, .precedence = 3 } }, "r" },
        { "a tie of two", { { .role = STR_INIT("r"), .has_precedence = true, .precedence = 2 },
                            { .role = STR_INIT("s"), .has_precedence = true, .precedence = 2 } }, NULL },
        { "a tie behind the best", { { .role = STR_INIT("r"), .has_precedence = true, .precedence = 1 },
                                     { .role = STR_INIT("s"), .has_precedence = true, .precedence = 2 },
                                     { .role = STR_INIT("t"), .has_precedence = true, .precedence = 2 } }, "r" },
        { "neither has any", { { .role = STR_INIT("r") }, { .role = STR_INIT("s") } }, NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str role = preferred_role(rows[i].groups, 3);
        if (rows[i].role ? !str_is(role, rows[i].role) : role.ptr != NULL)
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(role));
    }
}

/* ---- PreTokenGeneration ---- */

#define DRAFT_ID                                                                                                          \
    "{\"sub\":\"u\",\"cognito:groups\":[\"g\"],\"cognito:roles\":[\"r\"],\"cognito:preferred_role\":\"r\",\"aud\":\"app\","   \
    "\"cognito:username\":\"ada\",\"email\":\"a@x\",\"email_verified\":true,\"token_use\":\"id\",\"iat\":5,\"exp\":9}"
#define DRAFT_ACCESS                                                                                                      \
    "{\"sub\":\"u\",\"cognito:groups\":[\"g\"],\"client_id\":\"app\",\"scope\":\"aws.cognito.signin.user.admin\","           \
    "\"username\":\"ada\",\"event_id\":\"e\",\"token_use\":\"access\"}"
#define V1(inner) "{\"claimsOverrideDetails\":" inner "}"
#define V2(inner) "{\"claimsAndScopeOverrideDetails\":" inner "}"
#define V2_ID(inner) V2("{\"idTokenGeneration\":" inner "}")
#define V2_ACCESS(inner) V2("{\"accessTokenGeneration\":" inner "}")

static void answers_change_what_they_may(void **state)
{
    (void)state;
    static const struct {
        const char *name, *version, *response, *id, *access; /* id NULL: no such answer */
    } rows[] = {
        { "V1: nothing", "V1_0", V1("null"), "{}", "{}" },
        { "V1: nothing at all", "V1_0", "{}", "{}", "{}" },
        { "V1: added, overridden", "V1_0", V1("{\"claimsToAddOrOverride\":{\"tier\":\"gold\",\"email\":\"b@x\"}}"),
          "{\"tier\":\"gold\",\"email\":\"b@x\"}", "{}" },
        { "V1: suppressed", "V1_0", V1("{\"claimsToSuppress\":[\"email\",\"nope\"]}"), "{\"email\":null}", "{}" },
        { "V1: suppressing wins", "V1_0", V1("{\"claimsToAddOrOverride\":{\"email\":\"b@x\",\"t\":\"1\"},\"claimsToSuppress\":[\"email\",\"t\"]}"),
          "{\"email\":null}", "{}" },
        { "V1: fixed claims stay", "V1_0",
          V1("{\"claimsToAddOrOverride\":{\"sub\":\"x\",\"iss\":\"x\",\"aud\":\"x\",\"exp\":\"x\",\"iat\":\"x\",\"token_use\":\"access\","
             "\"auth_time\":\"x\",\"jti\":\"x\",\"origin_jti\":\"x\",\"nonce\":\"x\",\"at_hash\":\"x\",\"nbf\":\"x\",\"azp\":\"x\","
             "\"acr\":\"x\",\"amr\":\"x\",\"act\":\"x\",\"identities\":\"x\",\"cognito:username\":\"x\",\"cognito:groups\":\"x\","
             "\"cognito:roles\":\"x\",\"cognito:any\":\"x\",\"dev:any\":\"x\"},"
             "\"claimsToSuppress\":[\"sub\",\"aud\",\"exp\",\"token_use\",\"cognito:username\",\"cognito:groups\"]}"),
          "{}", "{}" },
        { "V1: groups of one's own", "V1_0",
          V1("{\"groupOverrideDetails\":{\"groupsToOverride\":[\"a\",\"b\"],\"iamRolesToOverride\":[\"s\"],\"preferredRole\":\"s\"}}"),
          "{\"cognito:groups\":[\"a\",\"b\"],\"cognito:roles\":[\"s\"],\"cognito:preferred_role\":\"s\"}", "{\"cognito:groups\":[\"a\",\"b\"]}" },
        { "V1: an empty object takes groups away", "V1_0", V1("{\"groupOverrideDetails\":{}}"),
          "{\"cognito:groups\":null,\"cognito:roles\":null,\"cognito:preferred_role\":null}", "{\"cognito:groups\":null}" },
        { "V1: null keeps them", "V1_0", V1("{\"groupOverrideDetails\":null}"), "{}", "{}" },
        { "V1 does not read V2's", "V1_0", V2_ID("{\"claimsToSuppress\":[\"email\"]}"), "{}", "{}" },
        { "V1: a number", "V1_0", V1("{\"claimsToAddOrOverride\":{\"tier\":3}}"), NULL, NULL },
        { "V1: an object", "V1_0", V1("{\"claimsToAddOrOverride\":{\"tier\":{}}}"), NULL, NULL },
        { "V1: null", "V1_0", V1("{\"claimsToAddOrOverride\":{\"tier\":null}}"), NULL, NULL },
        { "V1: a list for an object", "V1_0", V1("{\"claimsToAddOrOverride\":[]}"), NULL, NULL },
        { "V1: a text for a list", "V1_0", V1("{\"claimsToSuppress\":\"email\"}"), NULL, NULL },
        { "V1: numbers in a list", "V1_0", V1("{\"claimsToSuppress\":[5]}"), NULL, NULL },
        { "V1: details are a text", "V1_0", V1("\"x\""), NULL, NULL },
        { "V1: groups are a list", "V1_0", V1("{\"groupOverrideDetails\":[]}"), NULL, NULL },
        { "V1: a group is a number", "V1_0", V1("{\"groupOverrideDetails\":{\"groupsToOverride\":[1]}}"), NULL, NULL },
        { "V1: a role is a number", "V1_0", V1("{\"groupOverrideDetails\":{\"preferredRole\":1}}"), NULL, NULL },
        { "the answer is a list", "V1_0", "[]", NULL, NULL },
        { "the answer is null", "V2_0", "null", NULL, NULL },

        { "V2: values of any type", "V2_0",
          V2("{\"idTokenGeneration\":{\"claimsToAddOrOverride\":{\"n\":1.5,\"b\":true,\"l\":[1,{\"x\":[]}],\"o\":{\"p\":\"q\"}}},"
             "\"accessTokenGeneration\":{\"claimsToAddOrOverride\":{\"o\":{\"p\":2},\"email\":\"a@x\"}}}"),
          "{\"n\":1.5,\"b\":true,\"l\":[1,{\"x\":[]}],\"o\":{\"p\":\"q\"}}", "{\"o\":{\"p\":2},\"email\":\"a@x\"}" },
        { "V2: four of the ID token take strings only", "V2_0",
          V2_ID("{\"claimsToAddOrOverride\":{\"email_verified\":false,\"address\":{\"x\":1},\"updated_at\":5,\"phone_number_verified\":[]}}"), "{}", "{}" },
        { "V2: and strings they take", "V2_0", V2_ID("{\"claimsToAddOrOverride\":{\"updated_at\":\"5\"}}"), "{\"updated_at\":\"5\"}", "{}" },
        { "V2: suppressing wins in both", "V2_0",
          V2("{\"idTokenGeneration\":{\"claimsToAddOrOverride\":{\"x\":1},\"claimsToSuppress\":[\"x\"]},"
             "\"accessTokenGeneration\":{\"claimsToAddOrOverride\":{\"x\":1},\"claimsToSuppress\":[\"x\"]}}"), "{}", "{}" },
        { "V2: fixed claims of the access token stay", "V2_0",
          V2_ACCESS("{\"claimsToAddOrOverride\":{\"sub\":1,\"client_id\":1,\"username\":1,\"scope\":\"admin\",\"device_key\":1,\"event_id\":1,"
                    "\"version\":1,\"token_use\":\"id\",\"cognito:groups\":[\"x\"],\"exp\":99},"
                    "\"claimsToSuppress\":[\"client_id\",\"username\",\"scope\",\"event_id\",\"cognito:groups\"]}"), "{}", "{}" },
        { "V2: aud is this client or nobody", "V2_0", V2_ACCESS("{\"claimsToAddOrOverride\":{\"aud\":\"app\"}}"), "{}", "{\"aud\":\"app\"}" },
        { "V2: another aud", "V2_0", V2_ACCESS("{\"claimsToAddOrOverride\":{\"aud\":\"other\"}}"), "{}", "{}" },
        { "V2: a list for aud", "V2_0", V2_ACCESS("{\"claimsToAddOrOverride\":{\"aud\":[\"app\"]}}"), "{}", "{}" },
        { "V2: scopes come and go", "V2_0",
          V2_ACCESS("{\"scopesToAdd\":[\"openid\",\"a/b\",\"a/b\"],\"scopesToSuppress\":[\"aws.cognito.signin.user.admin\"]}"), "{}", "{\"scope\":\"openid a/b\"}" },
        { "V2: a scope that is suppressed is not added", "V2_0", V2_ACCESS("{\"scopesToAdd\":[\"a\",\"b\"],\"scopesToSuppress\":[\"a\"]}"), "{}",
          "{\"scope\":\"aws.cognito.signin.user.admin b\"}" },
        { "V2: no scope is left", "V2_0", V2_ACCESS("{\"scopesToSuppress\":[\"aws.cognito.signin.user.admin\"]}"), "{}", "{\"scope\":null}" },
        { "V2: a space would be two, reserved ones are ours", "V2_0", V2_ACCESS("{\"scopesToAdd\":[\"x y\",\"aws.cognito.admin\",\"\",\"a\\tb\",\"c\\\"d\"]}"), "{}", "{}" },
        { "V2: groups in both", "V2_0", V2("{\"groupOverrideDetails\":{\"groupsToOverride\":[\"a\"]}}"),
          "{\"cognito:groups\":[\"a\"],\"cognito:roles\":null,\"cognito:preferred_role\":null}", "{\"cognito:groups\":[\"a\"]}" },
        { "V2 does not read V1's", "V2_0", V1("{\"claimsToSuppress\":[\"email\"]}"), "{}", "{}" },
        { "V2: scopes are a text", "V2_0", V2_ACCESS("{\"scopesToAdd\":\"a\"}"), NULL, NULL },
        { "V2: scopes are numbers", "V2_0", V2_ACCESS("{\"scopesToSuppress\":[1]}"), NULL, NULL },
        { "V2: a list for a token", "V2_0", V2_ID("[]"), NULL, NULL },
        { "V2: claims are a text", "V2_0", V2_ACCESS("{\"claimsToAddOrOverride\":\"x\"}"), NULL, NULL },
        { "V3: as V2", "V3_0", V2_ACCESS("{\"claimsToAddOrOverride\":{\"x\":1}}"), "{}", "{\"x\":1}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct drafts drafts = { parsed(DRAFT_ID), parsed(DRAFT_ACCESS) };
        bool good = pre_token_apply(arena, str_of(rows[i].version), parsed(rows[i].response), STR("app"), &drafts);
        if (good != (rows[i].id != NULL))
            fail_msg("%s: %s", rows[i].name, good ? "taken" : "refused");
        if (!good)
            continue;
        same(rows[i].name, "ID", patched(DRAFT_ID, rows[i].id), drafts.id);
        same(rows[i].name, "access", patched(DRAFT_ACCESS, rows[i].access), drafts.access);
    }
}

static void values_have_a_depth(void **state)
{
    (void)state;
    for (int levels = 5; levels <= 60; levels += 55) {
        struct strbuf text = strbuf_in(arena, 512);
        strbuf_add(&text, STR("{\"claimsAndScopeOverrideDetails\":{\"accessTokenGeneration\":{\"claimsToAddOrOverride\":{\"x\":"));
        for (int i = 0; i < levels; i++)
            strbuf_char(&text, '[');
        for (int i = 0; i < levels; i++)
            strbuf_char(&text, ']');
        strbuf_add(&text, STR("}}}}"));
        struct drafts drafts = { NULL, parsed(DRAFT_ACCESS) };
        assert_int_equal(pre_token_apply(arena, STR("V3_0"), parsed(str_c(arena, strbuf_view(&text))), STR("app"), &drafts),
                         levels < 24);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(attributes_are_typed, setup, teardown),
        cmocka_unit_test_setup_teardown(facts_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(one_role_is_preferred, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_change_what_they_may, setup, teardown),
        cmocka_unit_test_setup_teardown(values_have_a_depth, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
