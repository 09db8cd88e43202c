/* JSON from strangers: the public parsing suite through core/json, and wrong types through the decoder. */
#include "tests/unit/vectors.h"

#include <dirent.h>
#include <math.h>
#include <time.h>

#include "gen/apigateway.h"
#include "gen/cognito_idp.h"
#include "gen/lambda.h"
#include "wire/codec_json.h"

static struct str file_bytes(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("no %s", path);
    struct strbuf bytes = strbuf_in(arena, 4096);
    for (int c; (c = fgetc(file)) != EOF;)
        strbuf_char(&bytes, (char)c);
    fclose(file);
    return strbuf_view(&bytes);
}

/* What a parser may do either way: what ours does. Anything not named here is refused. */
static const char *const taken[] = {
    "i_number_double_huge_neg_exp.json",
    "i_number_real_underflow.json",
    "i_structure_500_nested_arrays.json",
    NULL,
};

static bool is_taken(const char *name)
{
    for (const char *const *row = taken; *row; row++)
        if (!strcmp(*row, name))
            return true;
    return false;
}

static void test_the_parsing_suite(void **state)
{
    (void)state;
    size_t n = 0, wrong = 0;
    DIR *folder = opendir(VECTORS "/json-parsing/test_parsing");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        struct arena *arena = arena_new(1 << 16);
        char path[512];
        snprintf(path, sizeof path, VECTORS "/json-parsing/test_parsing/%s", entry->d_name);
        struct str text = file_bytes(arena, path), why = STR_NONE;
        clock_t began = clock();
        json_t *json = json_parse(arena, text, &why);
        bool expected = entry->d_name[0] == 'y' || (entry->d_name[0] == 'i' && is_taken(entry->d_name));
        /* duplicate names are refused on purpose: which of two is meant decides nothing twice */
        if (!strncmp(entry->d_name, "y_object_duplicated_key", 23) ||
            !strcmp(entry->d_name, "y_object_escaped_null_in_key.json"))
            expected = false; /* nor is a name with a NUL one that C code should meet */
        bool ok = (json != NULL) == expected && (json || why.len) && clock() - began < CLOCKS_PER_SEC;
        if (json)
            ok = ok && json_equal(json, json_parse(arena, json_print(arena, json), NULL));
        if (!ok)
            print_error("%s: %s %.*s\n", entry->d_name, json ? "taken" : "refused", STR_FMT(why));
        wrong += !ok;
        n++;
        arena_free(arena);
    }
    closedir(folder);
    assert_int_equal(wrong, 0);
    assert_int_equal(n, 318);
}

static const struct {
    const struct shape *shape;
    const char *json, *why; /* NULL: fits */
} rows[] = {
    { &idp_shape_CreateUserPool_in, "{\"PoolName\":\"a\"}", NULL },
    { &idp_shape_CreateUserPool_in, "{\"PoolName\":null,\"Policies\":null,\"Schema\":[null]}", NULL },
    { &idp_shape_CreateUserPool_in, "{\"Unknown\":{\"a\":[1]}}", NULL },
    { &idp_shape_CreateUserPool_in, "{\"PoolName\":true}",
      "class java.lang.Boolean can not be converted to an String" },
    { &idp_shape_CreateUserPool_in, "{\"PoolName\":1.5}",
      "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String" },
    { &idp_shape_CreateUserPool_in, "{\"PoolName\":{}}",
      "Start of structure or map found where not expected." },
    { &idp_shape_CreateUserPool_in, "{\"PoolName\":[]}", "Start of list found where not expected" },
    { &idp_shape_CreateUserPool_in, "{\"Policies\":\"x\"}",
      "Unrecognized collection type class java.lang.String" },
    { &idp_shape_CreateUserPool_in, "{\"Policies\":[]}", "Start of list found where not expected" },
    { &idp_shape_CreateUserPool_in, "{\"Schema\":{}}",
      "Start of structure or map found where not expected." },
    { &idp_shape_CreateUserPool_in, "{\"UserPoolTags\":[]}", "Start of list found where not expected" },
    { &idp_shape_CreateUserPool_in, "{\"UserPoolTags\":{\"a\":1}}",
      "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String" },
    { &idp_shape_CreateUserPool_in, "[]", "Start of list found where not expected" },
    { &idp_shape_CreateUserPool_in, "\"x\"", "Unrecognized collection type class java.lang.String" },
    { &idp_shape_ListUsers_in, "{\"Limit\":\"5\"}",
      "class java.lang.String can not be converted to an Integer" },
    { &idp_shape_ListUsers_in, "{\"Limit\":5.9}", NULL }, /* TruncatingBigNumber */
    { &idp_shape_ListUsers_in, "{\"Limit\":4294967297}",
      "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an Integer" },
    { &idp_shape_ListUsers_in, "{\"Limit\":1e300}",
      "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an Integer" },
    { &lambda_shape_CreateFunction_in, "{\"Code\":{\"ZipFile\":\"a\"}}", "Invalid Base64" },
    { &lambda_shape_CreateFunction_in, "{\"Publish\":\"true\"}",
      "class java.lang.String can not be converted to an Boolean" },
    /* recorded: requestParameters {"True": true}, responseTemplates {"application/json": 123} */
    { &apigw_shape_PutIntegration_in, "{\"requestParameters\":{\"True\":true}}",
      "class java.lang.Boolean can not be converted to an String" },
};

static void test_wrong_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        struct str why = STR_NONE;
        const json_t *json = json_parse(arena, str_of(rows[i].json), NULL);
        void *out = arena_zalloc(arena, rows[i].shape->alloc);
        bool ok = json_decode(arena, rows[i].shape, json, out, JSON_BODY, &why);
        if (ok != !rows[i].why || (rows[i].why && !str_is(why, rows[i].why)))
            fail_msg("row %zu %s: %.*s", i, rows[i].json, STR_FMT(why));
        arena_free(arena);
    }
}

/* A store keeps a resource as the JSON of its struct: what comes back is the same. */
static void test_documents_keep_everything(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    struct idp_UserPoolType pool = { .id = STR("us-east-1_a"),
                                     .name = STR(""),
                                     .creation_date = { true, 1732158000.123 },
                                     .estimated_number_of_users = some_i64(0) };
    struct idp_LambdaConfigType config = { .pre_sign_up = STR("arn:aws:lambda:us-east-1:1:function:f") };
    struct idp_UserPoolTagsType_entry tag = { STR("k"), STR("v\xc3\xa9") };
    pool.lambda_config = &config;
    pool.user_pool_tags.set = true;
    pool.user_pool_tags.n = 1;
    pool.user_pool_tags.items = &tag;
    pool.schema_attributes.set = true; /* empty, not absent */
    struct str text = shape_print(arena, &idp_shape_UserPoolType, &pool);
    struct idp_UserPoolType back;
    assert_true(shape_parse(arena, &idp_shape_UserPoolType, text, &back));
    assert_true(str_is(back.id, "us-east-1_a"));
    assert_true(back.name.ptr && back.name.len == 0);
    assert_null(back.arn.ptr);
    assert_true(back.creation_date.set && fabs(back.creation_date.value - 1732158000.123) < 1e-6);
    assert_false(back.last_modified_date.set);
    assert_true(back.estimated_number_of_users.set && back.estimated_number_of_users.value == 0);
    assert_true(str_eq(back.lambda_config->pre_sign_up, config.pre_sign_up));
    assert_true(back.user_pool_tags.n == 1 && str_eq(back.user_pool_tags.items[0].value, tag.value));
    assert_true(back.schema_attributes.set && back.schema_attributes.n == 0);
    assert_false(back.alias_attributes.set);
    assert_true(str_eq(text, shape_print(arena, &idp_shape_UserPoolType, &back)));
    arena_free(arena);
}

/* Members bound to path and query belong to a document, not to a body. */
static void test_bodies_leave_bound_members_out(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct apigw_CreateResource_in in = { .rest_api_id = STR("a"),
                                          .parent_id = STR("b"),
                                          .path_part = STR("pets") };
    assert_true(str_is(json_print(arena, json_encode(arena, &apigw_shape_CreateResource_in, &in, JSON_BODY)),
                       "{\"pathPart\":\"pets\"}"));
    struct apigw_CreateResource_in back;
    assert_true(shape_parse(arena, &apigw_shape_CreateResource_in,
                            shape_print(arena, &apigw_shape_CreateResource_in, &in), &back));
    assert_true(str_is(back.rest_api_id, "a") && str_is(back.parent_id, "b"));
    arena_free(arena);
}

static void test_answers_are_always_utf8(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct apigw_CreateResource_in in = { .path_part = STR("a\xff") };
    struct str text = json_print(arena, json_encode(arena, &apigw_shape_CreateResource_in, &in, JSON_BODY));
    assert_true(str_is(text, "{\"pathPart\":\"a\xef\xbf\xbd\"}"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_parsing_suite),
        cmocka_unit_test(test_wrong_types),
        cmocka_unit_test(test_documents_keep_everything),
        cmocka_unit_test(test_bodies_leave_bound_members_out),
        cmocka_unit_test(test_answers_are_always_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
