#include "core/json.h"
#include "policy/document.h"

static const char syntax_error[] = "Syntax errors in policy.";

static bool parse_statement(struct arena *arena, json_t *json, bool variables, struct statement *out);
static bool parse_strings(struct arena *arena, json_t *json, struct str **items, size_t *n);
static bool parse_principals(struct arena *arena, json_t *json, struct statement *out);
static bool parse_actions(struct arena *arena, json_t *json, struct statement *out);
static bool parse_resources(struct arena *arena, json_t *json, bool variables, struct statement *out);
static bool parse_conditions(struct arena *arena, json_t *json, bool variables, struct statement *out);
static bool members_known(json_t *object, const char *const *known);

bool policy_parse(struct arena *arena, enum policy_use use, struct str text, struct policy *out, struct str *why)
{
    static const char *const known[] = { "Version", "Id", "Statement", NULL };
    *out = (struct policy){ 0 };
    *why = str_of(syntax_error);
    struct str where;
    json_t *root = json_parse(arena, text, &where);
    if (!root && use == POLICY_TRUST)
        *why = STR("This policy contains invalid Json");
    if (!json_is_object(root) || !members_known(root, known))
        return false;

    json_t *version = json_object_get(root, "Version"), *id = json_object_get(root, "Id");
    if ((version && !json_is_string(version)) || (id && !json_is_string(id)))
        return false;
    out->version = json_value_str(version);
    bool current = str_is(out->version, "2012-10-17");
    if (version && !current && !str_is(out->version, "2008-10-17"))
        return false;

    /* "Statement": one object, or a list of at least one. */
    json_t *list = json_object_get(root, "Statement");
    bool single = json_is_object(list);
    out->n = single ? 1 : json_array_size(list);
    if (out->n == 0)
        return false;
    out->statements = ARENA_ARRAY(arena, struct statement, out->n);
    for (size_t i = 0; i < out->n; i++) {
        json_t *one = single ? list : json_array_get(list, i);
        if (!json_is_object(one) || !parse_statement(arena, one, current, &out->statements[i]))
            return false;
    }
    *why = STR_NONE;
    return true;
}

static bool parse_statement(struct arena *arena, json_t *json, bool variables, struct statement *out)
{
    static const char *const known[] = { "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
                                         "NotAction", "Resource", "NotResource", "Condition",    NULL };
    if (!members_known(json, known))
        return false;
    json_t *sid = json_object_get(json, "Sid");
    if (sid && !json_is_string(sid))
        return false;
    out->sid = json_value_str(sid);
    out->effect = json_str(json, "Effect");
    out->deny = str_eq_nocase(out->effect, STR("deny"));
    if (!out->deny && !str_eq_nocase(out->effect, STR("allow")))
        return false;
    return parse_principals(arena, json, out) && parse_actions(arena, json, out) &&
           parse_resources(arena, json, variables, out) &&
           parse_conditions(arena, json_object_get(json, "Condition"), variables, out);
}

static bool members_known(json_t *object, const char *const *known)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        const char *const *at = known;
        while (*at && strcmp(*at, name) != 0)
            at++;
        if (!*at)
            return false;
    }
    return true;
}

/* X or NotX, not both. False when both stand there. */
static bool either(json_t *json, const char *plain, const char *negated, json_t **value, bool *is_negated)
{
    json_t *a = json_object_get(json, plain), *b = json_object_get(json, negated);
    *value = a ? a : b;
    *is_negated = b != NULL;
    return !(a && b);
}

static struct str scalar_text(struct arena *arena, json_t *value)
{
    if (json_is_string(value))
        return json_value_str(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? STR("true") : STR("false");
    if (json_is_number(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        struct str copy = str_copy(arena, str_of(text));
        free(text);
        return copy;
    }
    return STR_NONE;
}

/* A string or a list of strings. */
static bool parse_strings(struct arena *arena, json_t *json, struct str **items, size_t *n)
{
    bool single = json_is_string(json);
    if (!single && !json_is_array(json))
        return false;
    *n = single ? 1 : json_array_size(json);
    *items = ARENA_ARRAY(arena, struct str, *n);
    for (size_t i = 0; i < *n; i++) {
        (*items)[i] = json_value_str(single ? json : json_array_get(json, i));
        if (!(*items)[i].ptr)
            return false;
    }
    return true;
}

static bool parse_principals(struct arena *arena, json_t *json, struct statement *out)
{
    json_t *value;
    if (!either(json, "Principal", "NotPrincipal", &value, &out->not_principal))
        return false;
    if (!value)
        return true;
    out->has_principal = true;
    if (json_is_string(value)) {
        out->principals = ARENA_NEW(arena, struct principal_pattern);
        out->n_principals = 1;
        return str_is(json_value_str(value), "*") && principal_read(STR("AWS"), STR("*"), out->principals);
    }
    if (!json_is_object(value))
        return false;
    const char *type;
    json_t *names;
    size_t total = 0;
    json_object_foreach(value, type, names)
        total += json_is_array(names) ? json_array_size(names) : 1;
    out->principals = ARENA_ARRAY(arena, struct principal_pattern, total);
    json_object_foreach(value, type, names) {
        struct str *texts;
        size_t n;
        if (!parse_strings(arena, names, &texts, &n))
            return false;
        for (size_t i = 0; i < n; i++)
            if (!principal_read(str_of(type), texts[i], &out->principals[out->n_principals++]))
                return false;
    }
    return true;
}

static bool parse_actions(struct arena *arena, json_t *json, struct statement *out)
{
    json_t *value;
    if (!either(json, "Action", "NotAction", &value, &out->not_action))
        return false;
    out->has_action = value != NULL;
    if (!value)
        return true;
    if (!parse_strings(arena, value, &out->action_texts, &out->n_actions))
        return false;
    out->actions = ARENA_ARRAY(arena, struct action_pattern, out->n_actions);
    for (size_t i = 0; i < out->n_actions; i++) {
        struct str rest = out->action_texts[i];
        out->actions[i].everything = str_is(rest, "*");
        str_split(&rest, ':', &out->actions[i].vendor);
        out->actions[i].name = rest;
    }
    return true;
}

static bool parse_resources(struct arena *arena, json_t *json, bool variables, struct statement *out)
{
    json_t *value;
    if (!either(json, "Resource", "NotResource", &value, &out->not_resource))
        return false;
    out->has_resource = value != NULL;
    if (!value)
        return true;
    struct str *texts;
    if (!parse_strings(arena, value, &texts, &out->n_resources))
        return false;
    out->resources = ARENA_ARRAY(arena, struct resource_pattern, out->n_resources);
    for (size_t i = 0; i < out->n_resources; i++)
        out->resources[i] = (struct resource_pattern){
            .arn = arn_pattern_compile(arena, texts[i], variables, false),
            .text = texts[i],
        };
    return true;
}

static bool parse_condition(struct arena *arena, const char *key, json_t *values, bool variables,
                            struct condition *out)
{
    bool single = !json_is_array(values);
    size_t n = single ? 1 : json_array_size(values);
    struct operand *operands = ARENA_ARRAY(arena, struct operand, n);
    for (size_t i = 0; i < n; i++) {
        struct str text = scalar_text(arena, single ? values : json_array_get(values, i));
        if (!text.ptr)
            return false;
        operands[i] = out->op->read(arena, text, variables);
    }
    out->key = str_of(key);
    out->operands = operands;
    out->n = n;
    return true;
}

static bool parse_conditions(struct arena *arena, json_t *json, bool variables, struct statement *out)
{
    if (!json)
        return true;
    if (!json_is_object(json))
        return false;
    const char *operator_name, *key;
    json_t *block, *values;
    size_t total = 0;
    json_object_foreach(json, operator_name, block) {
        if (!json_is_object(block))
            return false;
        total += json_object_size(block);
    }
    out->conditions = ARENA_ARRAY(arena, struct condition, total);
    json_object_foreach(json, operator_name, block) {
        json_object_foreach(block, key, values) {
            struct condition *condition = &out->conditions[out->n_conditions++];
            if (!condition_operator(str_of(operator_name), condition) ||
                !parse_condition(arena, key, values, variables, condition))
                return false;
        }
    }
    return true;
}
