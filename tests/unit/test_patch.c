#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/ops/method_setting.h"
#include "gateway/ops/patch.h"

static const struct patch_row rows[] = {
    { "/name", PATCH_REPLACE, patch_string },
    { "/description", PATCH_CHANGE, patch_text },
    { "/enabled", PATCH_REPLACE, patch_flag },
    { "/size", PATCH_REPLACE, patch_integer },
    { "/types/*", PATCH_CHANGE, patch_key_in_list },
    { "/scopes", PATCH_ADD | PATCH_REMOVE, patch_value_in_list },
    { "/parameters/*", PATCH_CHANGE, patch_flag_entry, "Invalid parameter name specified" },
    { "/models/*", PATCH_CHANGE, patch_string_entry, "Content-Type specified was not found" },
    { "/templates/*", PATCH_CHANGE, patch_template_entry },
    { "/cache", PATCH_REPLACE, patch_not_built },
};
static const struct patch_rules plain = { rows, COUNT(rows), patch_refuse_plain, NULL };
static const struct patch_rules path_only = { rows, COUNT(rows), patch_refuse_path, NULL };
static const struct patch_rules listed = { rows, COUNT(rows), patch_refuse_listed, "[/name, /description]" };

static const struct patch_row stage_rows[] = {
    { "/*/*/throttling/burstLimit", PATCH_REPLACE, method_setting_patch },
    { "/*/*/throttling/rateLimit", PATCH_REPLACE, method_setting_patch },
    { "/*/*/logging/loglevel", PATCH_REPLACE, method_setting_patch },
    { "/*/*", PATCH_REMOVE, method_setting_remove },
};
static const struct patch_rules stage = { stage_rows, COUNT(stage_rows), method_setting_refuse, NULL };

#define REST "\"metricsEnabled\":false,\"dataTraceEnabled\":false,"
#define CACHE                                                                                                  \
    "\"cachingEnabled\":false,\"cacheTtlInSeconds\":300,\"cacheDataEncrypted\":false,"                       \
    "\"requireAuthorizationForCacheControl\":true,"                                                            \
    "\"unauthorizedCacheControlHeaderStrategy\":\"SUCCEED_WITH_RESPONSE_HEADER\""

static const struct {
    const char *name;
    const struct patch_rules *rules;
    const char *before, *op, *path, *value;
    const char *after; /* a document, or the error's message */
} table[] = {
    { "replace sets a string", &plain, "{}", "replace", "/name", "x", "{\"name\":\"x\"}" },
    { "a string may be empty", &plain, "{\"name\":\"x\"}", "replace", "/name", "", "{\"name\":\"\"}" },
    { "an empty text is none", &plain, "{\"description\":\"x\"}", "replace", "/description", "", "{}" },
    { "remove takes a member away", &plain, "{\"description\":\"x\"}", "remove", "/description", NULL, "{}" },
    { "true is true", &plain, "{}", "replace", "/enabled", "true", "{\"enabled\":true}" },
    { "a bad boolean reads as false [recorded]", &plain, "{\"enabled\":true}", "replace", "/enabled", "whatever", "{\"enabled\":false}" },
    { "no boolean reads as false [recorded]", &plain, "{\"enabled\":true}", "replace", "/enabled", NULL, "{\"enabled\":false}" },
    { "numbers come as strings", &plain, "{}", "replace", "/size", "10", "{\"size\":10}" },
    { "what is no number is refused", &plain, "{}", "replace", "/size", "1e3", "Invalid value for size: 1e3" },

    { "~1 in a segment is a slash", &plain, "{}", "add", "/types/image~1png", NULL, "{\"types\":[\"image/png\"]}" },
    { "~0 in a segment is a tilde", &plain, "{}", "add", "/types/a~0b", NULL, "{\"types\":[\"a~b\"]}" },
    { "~01 is ~1, decoded once", &plain, "{}", "add", "/types/a~01", NULL, "{\"types\":[\"a~1\"]}" },
    { "a list has no index '-' [recorded]", &plain, "{}", "add", "/types/-", "image/png", "{\"types\":[\"-\"]}" },
    { "an element is added once", &plain, "{\"types\":[\"a\"]}", "add", "/types/a", NULL, "{\"types\":[\"a\"]}" },
    { "replace moves an element to the end [recorded]", &plain, "{\"types\":[\"a\",\"b\"]}", "replace", "/types/a", "c", "{\"types\":[\"b\",\"c\"]}" },
    { "an emptied list disappears", &plain, "{\"types\":[\"a\"]}", "remove", "/types/a", NULL, "{}" },
    { "the whole list has no path [recorded]", &plain, "{\"types\":[\"a\"]}", "remove", "/types", NULL, "Invalid patch path /types" },
    { "elements by value", &plain, "{\"scopes\":[\"a\",\"b\"]}", "remove", "/scopes", "a", "{\"scopes\":[\"b\"]}" },

    { "an entry of a map", &plain, "{}", "add", "/models/application~1json", "Pet", "{\"models\":{\"application/json\":\"Pet\"}}" },
    { "an unescaped slash is another path [recorded]", &plain, "{}", "add", "/models/application/json", "Pet", "Invalid patch path /models/application/json" },
    { "an emptied map disappears [recorded]", &plain, "{\"models\":{\"a/b\":\"Pet\"}}", "remove", "/models/a~1b", "Pet", "{}" },
    { "replace of an absent entry [recorded]", &plain, "{}", "replace", "/models/wrong", "Pet", "Content-Type specified was not found" },
    { "remove of an absent entry [recorded]", &plain, "{\"parameters\":{\"x\":true}}", "remove", "/parameters/wrong", NULL, "Invalid parameter name specified" },
    { "flags in a map", &plain, "{}", "add", "/parameters/method.request.header.X", "true", "{\"parameters\":{\"method.request.header.X\":true}}" },
    { "an empty template reads back as null [recorded]", &plain, "{}", "add", "/templates/a~1b", "", "{\"templates\":{\"a/b\":null}}" },

    { "no path [recorded]", &path_only, "{}", "add", NULL, "x", "Invalid patch path null" },
    { "unknown path [recorded]", &plain, "{}", "add", "/httpMethod", "PUT", "Invalid patch path /httpMethod" },
    { "a path without its slash", &plain, "{}", "replace", "name", "x", "Invalid patch path name" },
    { "another operation [recorded]", &plain, "{}", "add", "/name", "x", "Invalid patch operation specified. Must be one of: [replace]" },
    { "another operation, where only the path is named [recorded]", &path_only, "{}", "add", "/name", "x", "Invalid patch path /name" },
    { "move and test do nothing anywhere", &plain, "{}", "move", "/name", "x", "Invalid patch operation specified. Must be one of: [replace]" },
    { "unknown path where choices are listed [recorded]", &listed, "{}", "replace", "/invalid", "dogs",
      "Invalid patch path  '/invalid' specified for op 'replace'. Must be one of: [/name, /description]" },
    { "another operation where choices are listed [recorded]", &listed, "{}", "remove", "/name", NULL,
      "Invalid patch path  '/name' specified for op 'remove'. Please choose supported operations" },
    { "what is not enforced is refused by name", &plain, "{}", "replace", "/cache", "true", "/cache is not supported by Gatehouse yet" },

    { "a method setting starts from the defaults", &stage, "{\"methodSettings\":{}}", "replace", "/*/*/throttling/burstLimit", "7",
      "{\"methodSettings\":{\"*/*\":{" REST "\"throttlingBurstLimit\":7,\"throttlingRateLimit\":10000.0," CACHE "}}}" },
    { "or from what all methods have [recorded]", &stage, "{\"methodSettings\":{\"*/*\":{\"throttlingBurstLimit\":7}}}", "replace",
      "/~1pets~1{id}/GET/throttling/rateLimit", "1.5",
      "{\"methodSettings\":{\"*/*\":{\"throttlingBurstLimit\":7},\"pets/{id}/GET\":{\"throttlingBurstLimit\":7,\"throttlingRateLimit\":1.5}}}" },
    { "the root's", &stage, "{\"methodSettings\":{\"*/*\":{}}}", "replace", "/~1/GET/throttling/burstLimit", "1",
      "{\"methodSettings\":{\"*/*\":{},\"/GET\":{\"throttlingBurstLimit\":1}}}" },
    { "a limit that is no number", &stage, "{\"methodSettings\":{}}", "replace", "/*/*/throttling/burstLimit", "1.5", "Invalid value for /*/*/throttling/burstLimit: 1.5" },
    { "a level of logging is one of three", &stage, "{\"methodSettings\":{\"*/*\":{}}}", "replace", "/*/*/logging/loglevel", "OFF", "{\"methodSettings\":{\"*/*\":{\"loggingLevel\":\"OFF\"}}}" },
    { "an entry goes as a whole", &stage, "{\"methodSettings\":{\"*/*\":{}}}", "remove", "/*/*", NULL, "{\"methodSettings\":{}}" },
    { "an entry that is not there [recorded]", &stage, "{\"methodSettings\":{}}", "remove", "/accessLogSettings/randomValue", "x",
      "Cannot remove method setting accessLogSettings/randomValue because there is no method setting for this method " },
    { "access log, other members [recorded]", &stage, "{}", "add", "/accessLogSettings/*", "x",
      "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]" },
};

static void every_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct arena *arena = arena_new(4096);
        struct str why;
        json_t *document = json_parse(arena, str_of(table[i].before), &why);
        struct apigw_PatchOperation one = { str_of(table[i].op), str_of(table[i].path), str_of(table[i].value), STR_NONE };
        struct apigw_PatchOperation *items[] = { &one };
        struct apigw_ListOfPatchOperation operations = { true, 1, items };
        gh_err err = patch_apply(table[i].rules, arena, document, &operations, NULL);
        struct str got = err ? err->message : json_print(arena, document);
        if (!str_is(got, table[i].after))
            fail_msg("%s: got %.*s, want %s", table[i].name, STR_FMT(got), table[i].after);
        arena_free(arena);
    }
}

static void the_first_error_ends_it(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    json_t *document = json_own(arena, json_object());
    struct apigw_PatchOperation good = { STR("replace"), STR("/name"), STR("x"), STR_NONE };
    struct apigw_PatchOperation bad = { STR("replace"), STR("/nope"), STR("x"), STR_NONE };
    struct apigw_PatchOperation later = { STR("replace"), STR("/name"), STR("y"), STR_NONE };
    struct apigw_PatchOperation *items[] = { &good, &bad, &later };
    struct apigw_ListOfPatchOperation operations = { true, 3, items };
    gh_err err = patch_apply(&plain, arena, document, &operations, NULL);
    assert_non_null(err);
    assert_ptr_equal(err->kind, &apigw_BadRequestException);
    assert_true(str_is(json_str(document, "name"), "x")); /* the caller throws the document away */
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path),
        cmocka_unit_test(the_first_error_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
