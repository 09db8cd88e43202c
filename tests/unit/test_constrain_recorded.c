/* Every constraint text that real AWS was recorded to give (vectors/aws-recorded), from the same parameters.
 */
#include "tests/unit/vectors.h"

#include <dirent.h>

#include "gen/apigateway.h"
#include "gen/iam.h"
#include "gen/lambda.h"
#include "gen/sts.h"
#include "wire/codec_json.h"
#include "wire/constrain.h"
#include "wire/pattern.h"

static const struct {
    const char *name;
    const struct service *service;
} services[] = { { "apigateway", &apigw_service },
                 { "iam", &iam_service },
                 { "lambda", &lambda_service },
                 { "lambda_", &lambda_service },
                 { "sts", &sts_service } };

/* Recorded texts that the operation's own code gives: what stands after the constraints of the model. */
static const struct {
    const char *operation, *part, *reason;
} exceptions[] = {
    { "CreateEventSourceMapping", "Member must not be null.",
      "InvalidParameterValueException: startingPosition is optional in the model, needed for streams" },
    { "CreateFunction", "Member must have length less than or equal to 64",
      "InvalidParameterValueException: of the name alone, where the model has the ARN's limit" },
    { "PublishLayerVersion", "Member must satisfy enum value set: [nodejs",
      "the list of runtimes is the operation's" },
    { "ListLayers", "Member must satisfy enum value set: [ruby3.5",
      "the list of runtimes is the operation's" },
};

static bool excepted[COUNT(exceptions)];

static struct str squeezed(struct arena *arena, struct str name)
{
    struct strbuf out = strbuf_in(arena, name.len);
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != '_')
            strbuf_char(&out,
                        (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32 : name.ptr[i]));
    return strbuf_view(&out);
}

static const struct operation *operation_of(struct arena *arena, const struct service *service, struct str op)
{
    for (size_t i = 0; i < service->n_operations; i++)
        if (str_eq(squeezed(arena, str_of(service->operations[i].name)), squeezed(arena, op)))
            return &service->operations[i];
    return NULL;
}

/* "{{2.Version}}" stands for what an earlier call gave: anything that fits. */
static json_t *stand_in(const struct shape *shape)
{
    static const char *const candidates[] = { "1", "abcdefghijklmnopqrstuv",
                                              "arn:aws:iam::111111111111:role/r",
                                              "arn:aws:lambda:us-east-1:111111111111:function:f",
                                              "arn:aws:lambda:us-east-1:111111111111:layer:l:1" };
    for (size_t i = 0; i < COUNT(candidates); i++)
        if ((!shape->pattern || pattern_matches(shape->pattern, str_of(candidates[i]))) &&
            (int64_t)strlen(candidates[i]) >= shape->min)
            return json_string(candidates[i]);
    return json_string("x");
}

/* boto3's parameters as a document: wire names in the body. A new reference. */
static json_t *as_document(const struct shape *shape, json_t *value)
{
    json_t *object, *item;
    const char *name;
    size_t i;
    if (shape->kind == SHAPE_LIST && json_is_array(value)) {
        json_t *list = json_array();
        json_array_foreach(value, i, item) json_array_append_new(list, as_document(shape->element, item));
        return list;
    }
    if (shape->kind == SHAPE_BLOB)
        return json_string("AAAA");
    if (shape->kind == SHAPE_STRING && str_find_str(json_value_str(value), STR("{{")) >= 0)
        return stand_in(shape);
    if ((shape->kind != SHAPE_STRUCT && shape->kind != SHAPE_MAP) || !json_is_object(value))
        return json_incref(value);
    object = json_object();
    json_object_foreach(value, name, item)
    {
        if (shape->kind == SHAPE_MAP)
            json_object_set_new(object, name, as_document(shape->element, item));
        for (i = 0; i < shape->n_members; i++)
            if (!strcmp(shape->members[i].name, name) &&
                !(shape->members[i].in == IN_QUERY && json_is_array(item) &&
                  !json_array_size(item))) /* is not sent */
                json_object_set_new(object,
                                    shape->members[i].in == IN_BODY ? shape->members[i].wire_name : name,
                                    as_document(shape->members[i].shape, item));
    }
    return object;
}

static bool is_excepted(const char *operation, struct str message)
{
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (!strcmp(exceptions[i].operation, operation) &&
            str_find_str(message, str_of(exceptions[i].part)) >= 0)
            return excepted[i] = true;
    return false;
}

static bool step_holds(struct arena *arena, const json_t *step, size_t *checked)
{
    const json_t *error = json_object_get(json_object_get(step, "expected"), "Error");
    struct str message = json_str(error, "Message"),
               params = json_print(arena, json_object_get(step, "params"));
    if (str_find_str(message, STR("alidation error")) < 0 || str_find(message, '<') >= 0 ||
        str_find_str(params, STR("{{py:")) >= 0 || str_find_str(params, STR("{{long string")) >= 0)
        return true;
    for (size_t i = 0; i < COUNT(services); i++) {
        if (!str_is(json_str(step, "service"), services[i].name))
            continue;
        const struct operation *operation = operation_of(arena, services[i].service, json_str(step, "op"));
        if (!operation)
            return false;
        void *in = arena_zalloc(arena, operation->in->alloc);
        json_t *document = json_own(arena, as_document(operation->in, json_object_get(step, "params")));
        struct str why = STR_NONE;
        if (!shape_from_json(arena, operation->in, document, in, &why))
            return true; /* a placeholder of another type */
        (*checked)++;
        gh_err err = constrain_check(arena, services[i].service, operation, in);
        bool ok =
            err && str_eq(err->message, message) &&
            str_is(json_str(error, "Code"), err->kind->query_code ? err->kind->query_code : err->kind->code);
        if (ok || is_excepted(operation->name, message))
            return true;
        print_error("%s:\n  got %.*s\n want %.*s\n", operation->name, err ? (int)err->message.len : 4,
                    err ? err->message.ptr : "NULL", STR_FMT(message));
        return false;
    }
    return true;
}

static void test_recorded_texts(void **state)
{
    (void)state;
    size_t checked = 0, wrong = 0, i;
    DIR *folder = opendir(VECTORS "/aws-recorded/replay");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!strstr(entry->d_name, ".json"))
            continue;
        struct arena *arena = arena_new(1 << 20);
        char path[512];
        snprintf(path, sizeof path, "aws-recorded/replay/%s", entry->d_name);
        json_t *tests = vector_json(arena, path), *test, *step;
        const char *name;
        json_object_foreach(tests, name, test) json_array_foreach(json_object_get(test, "steps"), i, step)
            wrong += !step_holds(arena, step, &checked);
        arena_free(arena);
    }
    closedir(folder);
    print_message("%zu recorded texts\n", checked);
    assert_int_equal(wrong, 0);
    assert_true(checked >= 50);
    for (i = 0; i < COUNT(exceptions); i++)
        if (!excepted[i])
            fail_msg("exception %s is needless", exceptions[i].operation);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_recorded_texts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
