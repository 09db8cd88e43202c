/* Templates come from whoever may deploy, their payloads from anybody. Whatever parses must run to an
 * end within its limits, and say where when it fails.
 * Input: a template, a NUL byte, a payload. */
#include "core/jsonpath.h"
#include "gateway/vtl/vtl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(bool condition)
{
    if (!condition)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vtl_limits limits = { .steps = 5000, .output_bytes = 64 * 1024, .heap_bytes = 16 * 1024 * 1024,
                                               .rounds = 100 };
    struct arena *arena = arena_new(16 * 1024);
    struct str template = { (const char *)data, size }, payload = STR("{}");
    ptrdiff_t cut = str_find(template, '\0');
    if (cut >= 0) {
        payload = str_from(template, (size_t)cut + 1);
        template = str_sub(template, 0, (size_t)cut);
    }
    struct vtl_where where = { 0 };
    struct vtl_template *tpl = vtl_parse(arena, template, &where);
    if (tpl) {
        struct vtl_input input = { .arena = arena, .body = payload, .path = vtl_map_value(vtl_map_new(arena)),
                                   .querystring = vtl_map_value(vtl_map_new(arena)),
                                   .header = vtl_map_value(vtl_map_new(arena)) };
        struct vtl_scope *scope = vtl_scope_new(arena);
        struct strbuf out = strbuf_in(arena, 256);
        vtl_scope_set(scope, STR("input"), vtl_input(&input));
        vtl_scope_set(scope, STR("util"), vtl_util());
        if (!vtl_run(tpl, scope, &limits, &out, &where))
            same(where.message.len > 0 && where.line > 0 && where.column > 0);
    } else {
        same(where.message.len > 0 && where.line > 0 && where.column > 0);
    }
    struct jsonpath *path = jsonpath_compile(arena, template, NULL);
    const struct jt *json = path ? jt_parse(arena, payload, NULL) : NULL;
    if (json)
        same(jsonpath_find_all(arena, path, json)->kind == JT_ARRAY);
    arena_free(arena);
    return 0;
}
