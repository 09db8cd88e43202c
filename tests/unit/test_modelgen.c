/* What the generator makes of a description: C names, layouts, recursion, tables (tests/fixtures/garden.yaml). */
#include "tests/unit/vectors.h"

#include "gen/garden.h"
#include "wire/codec_json.h"

/* Built: its address stands in the table, and the thunk calls it with its own types. */
gh_err garden_CreatePlant(struct call *call, const struct garden_CreatePlant_in *in, struct garden_CreatePlant_out *out)
{
    static struct garden_Plant parent = { .name = STR_INIT("root") };
    (void)call;
    out->whole = (struct garden_Plant){ .name = in->name, .parent = &parent };
    return NULL;
}

static const struct operation *operation_named(const char *name)
{
    for (size_t i = 0; i < garden_service.n_operations; i++)
        if (!strcmp(garden_service.operations[i].name, name))
            return &garden_service.operations[i];
    fail_msg("no %s", name);
    return NULL;
}

static const struct member *member_named(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n_members; i++)
        if (!strcmp(shape->members[i].name, name))
            return &shape->members[i];
    fail_msg("%s has no %s", shape->name, name);
    return NULL;
}

static void test_handlers_that_are_missing_are_null(void **state)
{
    (void)state;
    const struct operation *create = operation_named("CreatePlant");
    assert_non_null(create->handler);
    assert_null(operation_named("GetPlant")->handler);
    assert_non_null(operation_named("GetPlant")->run);
    const struct garden_CreatePlant_in in = { .name = STR("oak") };
    struct garden_CreatePlant_out out = { 0 };
    assert_null(create->run(NULL, &in, &out));
    assert_true(str_is(out.name, "oak")); /* `whole` and the members are the same bytes */
    assert_true(str_is(out.parent->name, "root"));
}

static void test_members_have_c_names(void **state)
{
    (void)state;
    struct garden_CreatePlant_in in = { .default_ = STR("a"), .oauth_uris = { .n = 0 }, .planted_at = { true, 1.5 } };
    struct garden_GetPlant_in get = { .mfa_depth = some_i64(3), .with = { .n = 0 } };
    assert_true(in.planted_at.set && get.mfa_depth.value == 3);
    const struct member *planted = member_named(&garden_shape_CreatePlant_in, "plantedAt");
    assert_string_equal(planted->wire_name, "planted");
    assert_int_equal(planted->offset, offsetof(struct garden_CreatePlant_in, planted_at));
    assert_int_equal(planted->shape->time, TIME_ISO8601);
    assert_true(member_named(&garden_shape_CreatePlant_in, "Name")->required);
    assert_false(member_named(&garden_shape_CreatePlant_in, "default")->required);
}

static void test_operations(void **state)
{
    (void)state;
    const struct operation *get = operation_named("GetPlant"), *import = operation_named("ImportPlants");
    assert_string_equal(get->path, "/plants/{name+}");
    assert_string_equal(get->arn, "arn:{p}:garden:{r}:{a}:plant/{Name}");
    assert_int_equal(member_named(get->in, "Name")->in, IN_PATH);
    assert_int_equal(member_named(get->in, "MFADepth")->in, IN_HEADER);
    assert_int_equal(member_named(get->in, "with")->in, IN_QUERY);
    assert_int_equal(member_named(get->out, "Count")->in, IN_HEADER);
    assert_int_equal(member_named(get->out, "Shoots")->in, IN_BODY);
    assert_string_equal(import->path, "/plants?mode=import");
    assert_int_equal(import->status, 201);
    assert_true(import->unsigned_ && !get->unsigned_);
    assert_int_equal(member_named(import->in, "body")->in, IN_PAYLOAD);
    assert_true(member_named(import->in, "body")->required);
    assert_int_equal(import->out->n_members, 0);
    for (size_t i = 1; i < garden_service.n_operations; i++) /* sorted, for bsearch */
        assert_true(strcmp(garden_service.operations[i - 1].name, garden_service.operations[i].name) < 0);
}

static void test_shapes_and_errors(void **state)
{
    (void)state;
    assert_string_equal(garden_shape_Name.pattern, "[\\w\"-]+");
    assert_true(garden_shape_Name.has_min && garden_shape_Name.min == 1 && garden_shape_Name.max == 8);
    assert_string_equal(garden_shape_Kind.values[1], "2nd \"kind\"");
    assert_null(garden_shape_Kind.values[2]);
    assert_true(garden_shape_Bytes.sensitive && garden_shape_Bytes.kind == SHAPE_BLOB);
    assert_true(garden_shape_Names.has_max && !garden_shape_Names.has_min);
    assert_int_equal(garden_Withered.status, 410);
    assert_string_equal(garden_Withered.query_code, "Gone");
    assert_ptr_equal(operation_named("GetPlant")->errors[0], &garden_Withered);
    assert_true(garden_service.n_errors == 1 && garden_service.errors[0].type);
    assert_string_equal(garden_service.errors[0].message_name, "Message");
    assert_string_equal(garden_service.validation->code, "ValidationException");
    assert_true(garden_service.input_prefix);
}

static void test_recursive_shapes(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    static const char text[] = "{\"Name\":\"a\",\"Parent\":{\"Name\":\"b\"},\"Shoots\":[{\"Shoots\":[{\"Name\":\"c\"}]}],"
                               "\"ByName\":{\"k\":[{\"Name\":\"d\"}]},\"NamesByKind\":{\"TREE\":[\"x\",\"y\"]}}";
    struct garden_Plant plant;
    assert_true(shape_parse(arena, &garden_shape_Plant, STR(text), &plant));
    assert_true(str_is(plant.shoots.items[0]->shoots.items[0]->name, "c"));
    assert_true(str_is(plant.by_name.items[0].value.items[0]->name, "d"));
    assert_true(str_is(plant.names_by_kind.items[0].value.items[1], "y"));
    assert_true(str_is(shape_print(arena, &garden_shape_Plant, &plant), text));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handlers_that_are_missing_are_null),
        cmocka_unit_test(test_members_have_c_names),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_shapes_and_errors),
        cmocka_unit_test(test_recursive_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
