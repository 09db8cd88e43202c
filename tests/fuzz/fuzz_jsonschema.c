/* Schemas come from whoever may deploy, bodies from anybody. What is read prints as what it was, whatever compiles
 * gives every body a verdict, and says why when it is no good one.
 * Input: a schema, a NUL byte, a body. */
#include "core/jsonschema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static const struct jt *read_back(struct arena *arena, struct str text)
{
    struct str why = STR_NONE;
    int64_t steps = 1000000;
    const struct jt *tree = jt_parse(arena, text, &why);
    same(tree || why.len > 0);
    if (tree) {
        const struct jt *again = jt_parse(arena, jt_string(arena, tree), NULL);
        same(again && jt_equal(tree, again, &steps));
    }
    return tree;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024);
    struct str text = { (const char *)data, size }, body = STR("{}"), why = STR_NONE, errors = STR_NONE;
    ptrdiff_t cut = str_find(text, '\0');
    if (cut >= 0) {
        body = str_from(text, (size_t)cut + 1);
        text = str_sub(text, 0, (size_t)cut);
    }
    const struct jt *tree = read_back(arena, text), *value = read_back(arena, body);
    struct jsonschema *schema = tree ? jsonschema_compile(arena, tree, STR_NONE, NULL, &why) : NULL;
    same(!tree || schema || why.len > 0);
    if (schema && value) {
        enum jsonschema_verdict verdict = jsonschema_check(schema, value, body.len, arena, &errors);
        same(verdict == JSONSCHEMA_VALID || errors.len > 2);
    }
    if (tree)
        jsonschema_is_schema(arena, tree, &errors);
    arena_free(arena);
    return 0;
}
