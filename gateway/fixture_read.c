/* A fixture file becomes fixtures; what is misspelt is refused by name, file and line. */
#include "gateway/fixture.h"

struct source {
    struct arena *arena;
    struct str file;
    const struct fixture_files *files;
    struct str *why;
};

static bool fail(struct source *s, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static bool fail(struct source *s, int line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str text = str_vprintf(s->arena, fmt, args);
    va_end(args);
    *s->why = str_printf(s->arena, "%.*s:%d: %.*s", STR_FMT(s->file), line, STR_FMT(text));
    return false;
}

/* The first field of each row makes the fixture its kind. */
static const struct {
    const char *fields[10], *expect[6];
} kinds[] = {
    [FIXTURE_TEMPLATE] = { { "template", "name", "body", "bodyFile", "params", "context", "stageVariables", "expect" },
                           { "output", "json", "error", "requestOverride", "responseOverride" } },
    [FIXTURE_MODEL] = { { "model", "name", "body", "bodyFile", "models", "expect" }, { "valid", "errors" } },
    [FIXTURE_AUTHORIZER] = { { "authorizer", "name", "methodArn", "token", "identityValidationExpression", "expect" },
                             { "decision", "principalId", "context" } },
};

static bool names_known(struct source *s, const struct yaml *map, const char *const *known, size_t n, const char *of)
{
    struct strbuf all = strbuf_in(s->arena, 128);
    for (size_t k = 0; k < n && known[k]; k++)
        strbuf_printf(&all, "%s%s", k ? ", " : "", known[k]);
    for (size_t i = 0; i < map->n; i++) {
        bool found = false;
        for (size_t k = 0; k < n && known[k]; k++)
            found = found || str_is(map->names[i], known[k]);
        if (!found)
            return fail(s, map->name_lines[i], "no field of %s is called \"%.*s\"; there are %s", of,
                        STR_FMT(map->names[i]), strbuf_view(&all).ptr);
    }
    return true;
}

/* Text as it stands; a list or map as JSON; {file: NAME} from beside the fixture. */
static bool text_of(struct source *s, const struct yaml *node, struct str *out)
{
    const struct yaml *file = yaml_get(node, "file");
    if (node->kind == YAML_TEXT) {
        *out = node->text;
        return true;
    }
    if (!file || node->n != 1 || file->kind != YAML_TEXT) {
        *out = json_print(s->arena, yaml_json(s->arena, node));
        return true;
    }
    *out = s->files->read(s->files->user, file->text);
    return out->ptr || fail(s, file->line, "there is no file %.*s beside this one", STR_FMT(file->text));
}

static bool plain_text(struct source *s, const struct yaml *map, const char *name, struct str *out)
{
    const struct yaml *node = yaml_get(map, name);
    if (!node)
        return true;
    *out = node->text;
    return node->kind == YAML_TEXT || fail(s, node->line, "%s is a text", name);
}

static bool values(struct source *s, const struct yaml *map, const char *name, json_t **out)
{
    const struct yaml *node = yaml_get(map, name);
    if (!node)
        return true;
    *out = yaml_json(s->arena, node);
    return node->kind == YAML_MAP || fail(s, node->line, "%s is a map", name);
}

static bool read_body(struct source *s, const struct yaml *map, struct fixture *f)
{
    const struct yaml *body = yaml_get(map, "body"), *file = yaml_get(map, "bodyFile");
    f->body = STR("");
    if (body && file)
        return fail(s, file->line, "body and bodyFile exclude each other");
    if (file && file->kind == YAML_TEXT) {
        f->body = s->files->read(s->files->user, file->text);
        return f->body.ptr || fail(s, file->line, "there is no file %.*s beside this one", STR_FMT(file->text));
    }
    return !body || text_of(s, body, &f->body);
}

static bool check_expect(struct source *s, const struct yaml *map, struct fixture *f)
{
    f->expect = yaml_get(map, "expect");
    if (!f->expect || f->expect->kind != YAML_MAP || !f->expect->n)
        return fail(s, f->expect ? f->expect->line : f->line, "expect, a map of what must come out, is missing");
    return names_known(s, f->expect, kinds[f->kind].expect, COUNT(kinds[0].expect), "expect");
}

static bool check_params(struct source *s, const struct yaml *map)
{
    static const char *const places[] = { "path", "querystring", "header" };
    const struct yaml *params = yaml_get(map, "params");
    return !params || params->kind != YAML_MAP || names_known(s, params, places, COUNT(places), "params");
}

static bool read_one(struct source *s, const struct yaml *map, struct fixture *f)
{
    int kind = -1;
    if (map->kind != YAML_MAP)
        return fail(s, map->line, "a fixture is a map");
    for (size_t k = 0; k < COUNT(kinds); k++)
        if (yaml_get(map, kinds[k].fields[0])) {
            if (kind >= 0)
                return fail(s, map->line, "template, model and authorizer exclude each other");
            kind = (int)k;
        }
    if (kind < 0)
        return fail(s, map->line, "a fixture has one of template, model and authorizer");
    *f = (struct fixture){ .kind = (enum fixture_kind)kind, .file = s->file, .line = map->line };
    f->name = str_printf(s->arena, "line %d", map->line);
    static const char *const called[] = { "a template's fixture", "a model's fixture", "an authorizer's fixture" };
    return names_known(s, map, kinds[kind].fields, COUNT(kinds[0].fields), called[kind]) &&
           plain_text(s, map, "name", &f->name) && text_of(s, yaml_get(map, kinds[kind].fields[0]), &f->text) &&
           read_body(s, map, f) && check_params(s, map) && values(s, map, "params", &f->params) &&
           values(s, map, "context", &f->context) && values(s, map, "stageVariables", &f->stage_variables) &&
           values(s, map, "models", &f->models) && plain_text(s, map, "methodArn", &f->method_arn) &&
           plain_text(s, map, "token", &f->token) &&
           plain_text(s, map, "identityValidationExpression", &f->validation) && check_expect(s, map, f);
}

bool fixture_read(struct arena *arena, struct str file, struct str text, const struct fixture_files *files,
                  struct fixture_list *out, struct str *why)
{
    struct source s = { arena, file, files, why };
    struct str problem = STR_NONE;
    const struct yaml *root = yaml_parse(arena, text, &problem);
    if (!root) {
        *why = str_printf(arena, "%.*s: %.*s", STR_FMT(file), STR_FMT(problem));
        return false;
    }
    bool many = root->kind == YAML_LIST;
    out->n = many ? root->n : 1;
    out->items = ARENA_ARRAY(arena, struct fixture, out->n + 1);
    for (size_t i = 0; i < out->n; i++)
        if (!read_one(&s, many ? &root->items[i] : root, &out->items[i]))
            return false;
    return true;
}
