#include "core/json_tree.h"
#include "policy/document.h"

static const char syntax_error[] = "Syntax errors in policy.";

/* What the parts of a document are read with. */
struct reader {
    struct arena *arena;
    struct str text; /* strings without escapes are views of it */
    bool variables;  /* Version 2012-10-17 */
};

static bool parse_statement(struct reader *r, const struct jt *json, struct statement *out);
static bool parse_strings(struct reader *r, const struct jt *json, struct str **items, size_t *n);
static bool parse_principals(struct reader *r, const struct jt *json, struct statement *out);
static bool parse_actions(struct reader *r, const struct jt *json, struct statement *out);
static bool parse_resources(struct reader *r, const struct jt *json, struct statement *out);
static bool parse_conditions(struct reader *r, const struct jt *json, struct statement *out);
static bool members_known(const struct jt *object, const char *const *known);
static bool absent_or_string(const struct jt *value);
static struct str kept(struct reader *r, struct str text);

bool policy_parse(struct arena *scratch, struct arena *arena, enum policy_use use, struct str text, struct policy *out,
                  struct str *why)
{
    static const char *const known[] = { "Version", "Id", "Statement", NULL };
    *out = (struct policy){ 0 };
    struct str where;
    const struct jt *root = jt_parse(scratch, text, &where);
    *why = !root && use == POLICY_TRUST ? STR("This policy contains invalid Json") : str_of(syntax_error);
    if (!jt_is(root, JT_OBJECT) || !members_known(root, known))
        return false;

    const struct jt *version = jt_get(root, STR("Version"));
    if (!absent_or_string(version) || !absent_or_string(jt_get(root, STR("Id"))))
        return false;
    struct reader reader = { .arena = arena, .text = text };
    out->version = kept(&reader, jt_get_str(root, "Version"));
    reader.variables = str_is(out->version, "2012-10-17");
    if (version && !reader.variables && !str_is(out->version, "2008-10-17"))
        return false;

    /* "Statement": one object, or a list of at least one. */
    const struct jt *list = jt_get(root, STR("Statement"));
    bool single = jt_is(list, JT_OBJECT);
    out->n = single ? 1 : jt_is(list, JT_ARRAY) ? list->n : 0;
    if (out->n == 0)
        return false;
    out->statements = ARENA_ARRAY(arena, struct statement, out->n);
    for (size_t i = 0; i < out->n; i++)
        if (!parse_statement(&reader, single ? list : &list->items[i], &out->statements[i]))
            return false;
    *why = STR_NONE;
    return true;
}

static bool parse_statement(struct reader *r, const struct jt *json, struct statement *out)
{
    static const char *const known[] = { "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
                                         "NotAction", "Resource", "NotResource", "Condition",    NULL };
    if (!jt_is(json, JT_OBJECT) || !members_known(json, known) || !absent_or_string(jt_get(json, STR("Sid"))))
        return false;
    out->sid = kept(r, jt_get_str(json, "Sid"));
    out->effect = kept(r, jt_get_str(json, "Effect"));
    out->deny = str_eq_nocase(out->effect, STR("deny"));
    if (!out->deny && !str_eq_nocase(out->effect, STR("allow")))
        return false;
    return parse_principals(r, json, out) && parse_actions(r, json, out) && parse_resources(r, json, out) &&
           parse_conditions(r, jt_get(json, STR("Condition")), out);
}

/* Strings with escapes live in the tree's arena, which may go before the policy does. */
static struct str kept(struct reader *r, struct str text)
{
    bool view = text.ptr >= r->text.ptr && text.ptr <= r->text.ptr + r->text.len;
    return view || !text.ptr ? text : str_copy(r->arena, text);
}

static bool absent_or_string(const struct jt *value)
{
    return !value || value->kind == JT_STRING;
}

static bool members_known(const struct jt *object, const char *const *known)
{
    for (size_t i = 0; i < object->n; i++) {
        const char *const *at = known;
        while (*at && !str_is(object->object->members[i].name, *at))
            at++;
        if (!*at)
            return false;
    }
    return true;
}

/* X or NotX, not both. False when both stand there. */
static bool either(const struct jt *json, struct str plain, struct str negated, const struct jt **value, bool *is_negated)
{
    const struct jt *a = jt_get(json, plain), *b = jt_get(json, negated);
    *value = a ? a : b;
    *is_negated = b != NULL;
    return !(a && b);
}

/* One value, or a list of them. */
static size_t list_length(const struct jt *value)
{
    return value->kind == JT_ARRAY ? value->n : 1;
}

static const struct jt *list_item(const struct jt *value, size_t i)
{
    return value->kind == JT_ARRAY ? &value->items[i] : value;
}

/* A string or a list of strings. */
static bool parse_strings(struct reader *r, const struct jt *json, struct str **items, size_t *n)
{
    *n = list_length(json);
    *items = ARENA_ARRAY(r->arena, struct str, *n);
    for (size_t i = 0; i < *n; i++) {
        const struct jt *item = list_item(json, i);
        if (item->kind != JT_STRING)
            return false;
        (*items)[i] = kept(r, jt_text(item));
    }
    return true;
}

static bool parse_principals(struct reader *r, const struct jt *json, struct statement *out)
{
    const struct jt *value;
    if (!either(json, STR("Principal"), STR("NotPrincipal"), &value, &out->not_principal))
        return false;
    if (!value)
        return true;
    out->has_principal = true;
    if (value->kind == JT_STRING) {
        out->principals = ARENA_NEW(r->arena, struct principal_pattern);
        out->n_principals = 1;
        return str_is(jt_text(value), "*") && principal_read(STR("AWS"), STR("*"), out->principals);
    }
    if (value->kind != JT_OBJECT)
        return false;
    const struct jt_member *members = value->object->members;
    size_t total = 0;
    for (size_t m = 0; m < value->n; m++)
        total += list_length(&members[m].value);
    out->principals = ARENA_ARRAY(r->arena, struct principal_pattern, total);
    for (size_t m = 0; m < value->n; m++) {
        struct str *texts;
        size_t n;
        if (!parse_strings(r, &members[m].value, &texts, &n))
            return false;
        for (size_t i = 0; i < n; i++)
            if (!principal_read(members[m].name, texts[i], &out->principals[out->n_principals++]))
                return false;
    }
    return true;
}

static bool parse_actions(struct reader *r, const struct jt *json, struct statement *out)
{
    const struct jt *value;
    if (!either(json, STR("Action"), STR("NotAction"), &value, &out->not_action))
        return false;
    out->has_action = value != NULL;
    if (!value)
        return true;
    if (!parse_strings(r, value, &out->action_texts, &out->n_actions))
        return false;
    out->actions = ARENA_ARRAY(r->arena, struct action_pattern, out->n_actions);
    for (size_t i = 0; i < out->n_actions; i++) {
        struct str rest = out->action_texts[i];
        out->actions[i].everything = str_is(rest, "*");
        str_split(&rest, ':', &out->actions[i].vendor);
        out->actions[i].name = rest;
    }
    return true;
}

static bool parse_resources(struct reader *r, const struct jt *json, struct statement *out)
{
    const struct jt *value;
    if (!either(json, STR("Resource"), STR("NotResource"), &value, &out->not_resource))
        return false;
    out->has_resource = value != NULL;
    if (!value)
        return true;
    struct str *texts;
    if (!parse_strings(r, value, &texts, &out->n_resources))
        return false;
    out->resources = ARENA_ARRAY(r->arena, struct resource_pattern, out->n_resources);
    for (size_t i = 0; i < out->n_resources; i++)
        out->resources[i] = (struct resource_pattern){
            .arn = arn_pattern_compile(r->arena, texts[i], r->variables, false),
            .text = texts[i],
        };
    return true;
}

/* "true", true and 10 compare as their text. */
static struct str scalar_text(struct reader *r, const struct jt *value)
{
    switch (value->kind) {
    case JT_STRING:
    case JT_NUMBER:
        return kept(r, jt_text(value));
    case JT_BOOL:
        return value->flag ? STR("true") : STR("false");
    default:
        return STR_NONE;
    }
}

static bool parse_condition(struct reader *r, struct str key, const struct jt *values, struct condition *out)
{
    size_t n = list_length(values);
    struct operand *operands = ARENA_ARRAY(r->arena, struct operand, n);
    for (size_t i = 0; i < n; i++) {
        struct str text = scalar_text(r, list_item(values, i));
        if (!text.ptr)
            return false;
        operands[i] = out->op->read(r->arena, text, r->variables);
    }
    out->key = kept(r, key);
    out->operands = operands;
    out->n = n;
    return true;
}

static bool parse_conditions(struct reader *r, const struct jt *json, struct statement *out)
{
    if (!json)
        return true;
    if (json->kind != JT_OBJECT)
        return false;
    if (!json->object)
        return true; /* {} */
    const struct jt_member *blocks = json->object->members;
    size_t total = 0;
    for (size_t b = 0; b < json->n; b++) {
        if (blocks[b].value.kind != JT_OBJECT)
            return false;
        total += blocks[b].value.n;
    }
    out->conditions = ARENA_ARRAY(r->arena, struct condition, total);
    for (size_t b = 0; b < json->n; b++) {
        const struct jt *block = &blocks[b].value;
        for (size_t k = 0; k < block->n; k++) {
            struct condition *condition = &out->conditions[out->n_conditions++];
            const struct jt_member *line = &block->object->members[k];
            if (!condition_operator(blocks[b].name, condition) ||
                !parse_condition(r, line->name, &line->value, condition))
                return false;
        }
    }
    return true;
}
