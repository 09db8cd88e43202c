/* Running a fixture: what the data plane would do with the same template, model or authorizer's answer. */
#include "gateway/fixture.h"

#include "core/jsonschema.h"
#include "core/regex.h"
#include "gateway/models.h"
#include "gateway/stage/stage.h"
#include "gateway/vtl/vtl.h"
#include "policy/eval.h"

struct run {
    struct arena *arena;
    const struct fixture *fixture;
    struct strbuf problems;
};

static void differs(struct run *run, const char *what, struct str got, struct str want)
{
    strbuf_printf(&run->problems, "%s%s\n    expected: %.*s\n    got:      %.*s", run->problems.len ? "\n  " : "", what,
                  STR_FMT(want), STR_FMT(got));
}

static void check_text(struct run *run, const char *what, struct str got)
{
    const struct yaml *want = yaml_get(run->fixture->expect, what);
    if (want && !str_eq(want->text, got))
        differs(run, what, got, want->text);
}

static void check_json(struct run *run, const char *what, const json_t *got)
{
    const struct yaml *node = yaml_get(run->fixture->expect, what);
    json_t *want = node ? yaml_json(run->arena, node) : NULL;
    if (want && !(got && json_equal(got, want)))
        differs(run, what, got ? json_print(run->arena, got) : STR("(nothing)"), json_print(run->arena, want));
}

/* --- templates --- */

static struct vtl_value texts(struct arena *arena, const json_t *json, bool nested)
{
    struct vtl_map *map = vtl_map_new(arena);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, name, value) {
        if (nested && json_is_object(value))
            vtl_map_put(map, str_of(name), texts(arena, value, true));
        else if (!json_is_null(value)) /* "always a string" */
            vtl_map_put(map, str_of(name), vtl_text(json_is_string(value) ? json_value_str(value) : json_print(arena, value)));
    }
    map->read_only = true;
    return vtl_map_value(map);
}

static struct vtl_map *override(struct vtl_map *context, const char *name, const char *const *groups, size_t n)
{
    struct vtl_map *map = vtl_map_new(context->arena);
    for (size_t i = 0; i < n; i++) {
        struct vtl_map *group = vtl_map_new(context->arena);
        group->write_once = true;
        vtl_map_put(map, str_of(groups[i]), vtl_map_value(group));
    }
    vtl_map_put(context, str_of(name), vtl_map_value(map));
    return map;
}

/* Without what nothing was set in. */
static json_t *override_json(struct arena *arena, const struct vtl_map *map)
{
    json_t *out = json_own(arena, json_object());
    for (size_t i = 0; i < map->n; i++) {
        const struct vtl_entry *e = &map->entries[i];
        if (e->removed || (e->value.kind == VTL_MAP && !e->value.map->live))
            continue;
        if (e->value.kind == VTL_MAP)
            json_object_setn(out, e->key.ptr, e->key.len, override_json(arena, e->value.map));
        else
            json_object_setn_new(out, e->key.ptr, e->key.len, json_of(vtl_string(arena, e->value)));
    }
    return out;
}

void fixture_outcome(struct arena *a, const struct fixture *f, struct fixture_outcome *out)
{
    static const char *const request_groups[] = { "header", "path", "querystring" }, *const response_groups[] = { "header" };
    struct vtl_where where = { 0 };
    struct vtl_template *tpl = vtl_parse(a, f->text, &where);
    struct vtl_value context = texts(a, f->context, true);
    struct vtl_map *request = override(context.map, "requestOverride", request_groups, COUNT(request_groups));
    struct vtl_map *response = override(context.map, "responseOverride", response_groups, COUNT(response_groups));
    struct vtl_input input = { .arena = a, .body = f->body, .path = texts(a, json_object_get(f->params, "path"), false),
                               .querystring = texts(a, json_object_get(f->params, "querystring"), false),
                               .header = texts(a, json_object_get(f->params, "header"), false) };
    struct vtl_scope *scope = vtl_scope_new(a);
    vtl_scope_set(scope, STR("input"), vtl_input(&input));
    vtl_scope_set(scope, STR("context"), context);
    vtl_scope_set(scope, STR("stageVariables"), texts(a, f->stage_variables, false));
    vtl_scope_set(scope, STR("util"), vtl_util());
    struct strbuf text = strbuf_in(a, 1024);
    *out = (struct fixture_outcome){ .error = STR_NONE };
    if (!tpl || !vtl_run(tpl, scope, &vtl_limits_default, &text, &where))
        out->error = str_printf(a, "line %d, column %d: %.*s", where.line, where.column, STR_FMT(where.message));
    out->output = strbuf_view(&text);
    out->request_override = override_json(a, request);
    out->response_override = override_json(a, response);
}

static void check_error(struct run *run, struct str got)
{
    const struct yaml *want = yaml_get(run->fixture->expect, "error");
    if (got.ptr ? !want || str_find_str(got, want->text) < 0 : want != NULL)
        differs(run, "error", got.ptr ? got : STR("(none)"), want ? want->text : STR("(none)"));
}

static void run_template(struct run *run)
{
    struct fixture_outcome outcome;
    struct str why = STR_NONE;
    fixture_outcome(run->arena, run->fixture, &outcome);
    check_error(run, outcome.error);
    if (outcome.error.ptr)
        return;
    check_text(run, "output", outcome.output);
    if (yaml_get(run->fixture->expect, "json")) {
        const json_t *json = json_parse(run->arena, outcome.output, &why);
        if (!json)
            differs(run, "json", str_printf(run->arena, "no JSON, %.*s: %.*s", STR_FMT(why), STR_FMT(outcome.output)),
                    STR("JSON"));
        else
            check_json(run, "json", json);
    }
    check_json(run, "requestOverride", outcome.request_override);
    check_json(run, "responseOverride", outcome.response_override);
}

/* --- models --- */

static const struct jt *look_up(void *user, struct str uri)
{
    struct run *run = user;
    struct str api_id, name = model_reference(uri, &api_id);
    json_t *schema = name.ptr ? json_at(run->fixture->models, name) : NULL;
    struct str text = json_is_string(schema) ? json_value_str(schema) : schema ? json_print(run->arena, schema) : STR_NONE;
    return text.ptr ? jt_parse(run->arena, text, NULL) : NULL;
}

static void run_model(struct run *run)
{
    const struct fixture *f = run->fixture;
    const struct jsonschema_names names = { look_up, run };
    struct str why = STR_NONE, errors = STR_NONE;
    const struct jt *schema = jt_parse(run->arena, f->text, &why);
    struct jsonschema *compiled =
        schema ? jsonschema_compile(run->arena, schema, STR_NONE, &names, &why) : NULL;
    if (!compiled) {
        differs(run, "model", why, STR("a schema of draft 4"));
        return;
    }
    const struct jt *body = jt_parse(run->arena, f->body.len ? f->body : STR("{}"), &why);
    bool valid = body && jsonschema_check(compiled, body, f->body.len, run->arena, &errors) == JSONSCHEMA_VALID;
    if (!body)
        errors = STR("[the body is no JSON]");
    json_t *got = json_own(run->arena, json_boolean(valid));
    check_json(run, "valid", got);
    check_text(run, "errors", errors.ptr ? errors : STR(""));
    if (run->problems.len && errors.ptr && !yaml_get(f->expect, "errors"))
        strbuf_printf(&run->problems, "\n    errors:   %.*s", STR_FMT(errors));
}

/* --- authorizers --- */

static void unref(void *policy)
{
    auth_policy_unref(policy);
}

static struct str decide(struct run *run, const struct auth_policy *policy, struct str *reason)
{
    struct policy_decision decision;
    const struct policy_request request = { .action = STR("execute-api:Invoke"), .resource = run->fixture->method_arn };
    enum policy_effect effect =
        policy_set_decide(run->arena, policy->policy, "identity-based policy", &request, &decision);
    *reason = policy_reason(run->arena, &request, &decision);
    return effect == POLICY_ALLOW ? STR("Allow") : STR("Deny");
}

static void run_authorizer(struct run *run)
{
    const struct fixture *f = run->fixture;
    struct str why = STR_NONE, decision = STR("Unauthorized");
    struct auth_policy *policy = NULL;
    pcre2_code *expression = f->validation.ptr ? regex_compile(run->arena, f->validation) : NULL;
    if (f->validation.ptr && !expression)
        differs(run, "identityValidationExpression", f->validation, STR("a regular expression"));
    if (expression && !regex_matches_whole(expression, f->token.ptr ? f->token : STR(""))) {
        why = STR("the token does not match identityValidationExpression");
    } else {
        policy = auth_policy_read(f->text, run->arena, &why);
        decision = policy ? decide(run, policy, &why) : STR("Malformed");
    }
    if (policy)
        arena_defer(run->arena, unref, policy);
    size_t before = run->problems.len;
    check_text(run, "decision", decision);
    if (run->problems.len > before)
        strbuf_printf(&run->problems, "\n    because:  %.*s", STR_FMT(why));
    check_text(run, "principalId", policy ? policy->principal_id : STR(""));
    check_json(run, "context", policy ? policy->context : NULL);
}

bool fixture_run(struct arena *arena, const struct fixture *fixture, struct str *why)
{
    static void (*const runs[])(struct run *) = {
        [FIXTURE_TEMPLATE] = run_template, [FIXTURE_MODEL] = run_model, [FIXTURE_AUTHORIZER] = run_authorizer,
    };
    struct run run = { arena, fixture, strbuf_in(arena, 256) };
    runs[fixture->kind](&run);
    *why = strbuf_view(&run.problems);
    return run.problems.len == 0;
}
