#include "policy/lint/findings.h"

#include <stdarg.h>
#include <stdlib.h>

enum { MANAGED_POLICY_SIZE = 6144, MOST_FINDINGS = 1000 };

static void lint_document(struct lint *lint);
static void lint_statement(struct lint *lint, const struct jt *statement);
static int by_place(const void *a, const void *b);

const char *policy_finding_type_name(enum policy_finding_type type)
{
    static const char *const names[] = { "ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION" };
    return names[type];
}

size_t policy_lint(struct arena *arena, enum policy_use use, struct str document, struct policy_finding **out)
{
    struct lint lint = { .arena = arena, .use = use, .text = document };
    struct str why;
    lint.root = jt_parse(arena, document, &why);
    if (!lint.root)
        lint_found(&lint, FINDING_ERROR, "JSON_SYNTAX_ERROR", "Fix the JSON syntax error: %.*s.",
                   STR_FMT(why));
    else
        lint_document(&lint);
    if (lint.n)
        qsort(lint.findings, lint.n, sizeof *lint.findings, by_place);
    *out = lint.findings;
    return lint.n;
}

static int by_place(const void *a, const void *b)
{
    const struct policy_finding *x = a, *y = b;
    return x->spot.offset != y->spot.offset
               ? (x->spot.offset > y->spot.offset) - (x->spot.offset < y->spot.offset)
           : x->type != y->type ? (int)x->type - (int)y->type
                                : strcmp(x->code, y->code);
}

/* ---- places and findings ---- */

static void into(struct lint *lint, struct json_step step)
{
    if (lint->depth < LINT_PATH)
        lint->path[lint->depth] = step;
    lint->depth++;
}

void lint_into(struct lint *lint, struct str name)
{
    into(lint, (struct json_step){ .name = name });
}

void lint_at(struct lint *lint, size_t index)
{
    into(lint, (struct json_step){ .index = index });
}

void lint_out(struct lint *lint)
{
    lint->depth--;
}

static struct policy_position position(struct str text, size_t at)
{
    struct policy_position out = { 1, 1 };
    for (size_t i = 0; i < at && i < text.len; i++) {
        out.column = text.ptr[i] == '\n' ? 1 : out.column + 1;
        out.line += text.ptr[i] == '\n';
    }
    return out;
}

static void found(struct lint *lint, bool name, enum policy_finding_type type, const char *code,
                  const char *fmt, va_list args)
{
    if (lint->n == MOST_FINDINGS)
        return;
    if (lint->n == lint->cap) {
        size_t cap = lint->cap * 2 + 8, size = sizeof *lint->findings;
        lint->findings = arena_grow(lint->arena, lint->findings, lint->cap * size, cap * size);
        lint->cap = cap;
    }
    size_t depth = lint->depth < LINT_PATH ? lint->depth : LINT_PATH;
    struct json_step *path = ARENA_ARRAY(lint->arena, struct json_step, depth);
    memcpy(path, lint->path, depth * sizeof *path);
    struct policy_finding *one = &lint->findings[lint->n++];
    *one = (struct policy_finding){ .type = type,
                                    .code = code,
                                    .path = path,
                                    .n_path = depth,
                                    .details = str_vprintf(lint->arena, fmt, args) };
    if (lint->root)
        json_place(lint->text, path, depth, name, &one->spot);
    one->begin = position(lint->text, one->spot.offset);
    one->end = position(lint->text, one->spot.end);
}

void lint_found(struct lint *lint, enum policy_finding_type type, const char *code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    found(lint, false, type, code, fmt, args);
    va_end(args);
}

void lint_found_name(struct lint *lint, enum policy_finding_type type, const char *code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    found(lint, true, type, code, fmt, args);
    va_end(args);
}

void lint_each(struct lint *lint, const struct jt *value, void (*fn)(struct lint *, struct str, void *),
               void *ctx)
{
    if (jt_is(value, JT_STRING)) {
        fn(lint, jt_text(value), ctx);
        return;
    }
    if (!jt_is(value, JT_ARRAY)) {
        lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                   "The text does not match the expected JSON data type string.");
        return;
    }
    for (uint32_t i = 0; i < value->n; i++) {
        lint_at(lint, i);
        if (jt_is(&value->items[i], JT_STRING))
            fn(lint, jt_text(&value->items[i]), ctx);
        else
            lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                       "The text does not match the expected JSON data type string.");
        lint_out(lint);
    }
}

bool lint_any(const struct jt *value, bool (*fits)(struct str))
{
    if (jt_is(value, JT_STRING))
        return fits(jt_text(value));
    for (uint32_t i = 0; jt_is(value, JT_ARRAY) && i < value->n; i++)
        if (jt_is(&value->items[i], JT_STRING) && fits(jt_text(&value->items[i])))
            return true;
    return false;
}

/* ---- the document ---- */

static void elements(struct lint *lint, const struct jt *object, const char *const *known)
{
    for (uint32_t i = 0; i < object->n; i++) {
        struct str name = object->object->members[i].name;
        const char *const *at = known;
        while (*at && !str_is(name, *at))
            at++;
        lint_into(lint, name);
        if (!*at)
            lint_found_name(lint, FINDING_ERROR, "INVALID_POLICY_ELEMENT",
                            "The policy element %.*s is not valid.", STR_FMT(name));
        lint_out(lint);
    }
}

static void version(struct lint *lint)
{
    const struct jt *value = jt_get(lint->root, STR("Version"));
    struct str text = jt_get_str(lint->root, "Version");
    lint->variables = str_is(text, "2012-10-17");
    if (!value) {
        lint_found(lint, FINDING_WARNING, "MISSING_VERSION",
                   "We recommend that you specify the Version element to help you with debugging permission "
                   "issues.");
        return;
    }
    lint_into(lint, STR("Version"));
    if (!text.ptr)
        lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                   "The text does not match the expected JSON data type string.");
    else if (!lint->variables && !str_is(text, "2008-10-17"))
        lint_found(lint, FINDING_ERROR, "INVALID_VERSION",
                   "The version %.*s is not valid. Use one of the following versions: 2012-10-17, 2008-10-17",
                   STR_FMT(text));
    lint_out(lint);
}

static void size(struct lint *lint)
{
    size_t n = policy_size(lint->text);
    if (lint->use == POLICY_IDENTITY && n > MANAGED_POLICY_SIZE)
        lint_found(lint, FINDING_WARNING, "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
                   "The %zu characters in the identity policy, excluding whitespace, exceed the %d character "
                   "maximum for "
                   "inline and managed policies. We recommend that you use multiple granular policies.",
                   n, MANAGED_POLICY_SIZE);
}

static void lint_document(struct lint *lint)
{
    static const char *const known[] = { "Version", "Id", "Statement", NULL };
    if (!jt_is(lint->root, JT_OBJECT)) {
        lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                   "The text does not match the expected JSON data type object.");
        return;
    }
    elements(lint, lint->root, known);
    version(lint);
    size(lint);
    const struct jt *list = jt_get(lint->root, STR("Statement"));
    if (!list || (jt_is(list, JT_ARRAY) && list->n == 0)) {
        lint_found(lint, FINDING_ERROR, "MISSING_STATEMENT", "Add a statement to the policy");
        return;
    }
    lint_into(lint, STR("Statement"));
    if (jt_is(list, JT_ARRAY))
        for (uint32_t i = 0; i < list->n; i++) {
            lint_at(lint, i);
            lint_statement(lint, &list->items[i]);
            lint_out(lint);
        }
    else
        lint_statement(lint, list);
    lint_repetition(lint, list);
    lint_out(lint);
}

/* ---- a statement ---- */

static void effect(struct lint *lint, const struct jt *statement)
{
    const struct jt *value = jt_get(statement, STR("Effect"));
    if (!value) {
        lint_found(lint, FINDING_ERROR, "MISSING_EFFECT",
                   "Add an Effect element to the policy statement with a value of Allow or Deny.");
        return;
    }
    lint_into(lint, STR("Effect"));
    struct str text = jt_is(value, JT_STRING) ? jt_text(value) : jt_string(lint->arena, value);
    if (!str_is(text, "Allow") && !str_is(text, "Deny"))
        lint_found(lint, FINDING_ERROR, "INVALID_EFFECT", "The effect %.*s is not valid. Use Allow or Deny.",
                   STR_FMT(text));
    lint_out(lint);
}

static void sid(struct lint *lint, const struct jt *statement)
{
    const struct jt *value = jt_get(statement, STR("Sid"));
    if (!value)
        return;
    lint_into(lint, STR("Sid"));
    struct str text = jt_is(value, JT_STRING) ? jt_text(value) : STR_NONE;
    size_t good = 0;
    while (good < text.len &&
           strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", text.ptr[good]))
        good++;
    if (!text.ptr)
        lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                   "The text does not match the expected JSON data type string.");
    else if (text.len == 0)
        lint_found(lint, FINDING_SUGGESTION, "EMPTY_SID_VALUE",
                   "Add a value to the empty string in the Sid element.");
    else if (good < text.len && lint->use != POLICY_RESOURCE)
        lint_found(lint, FINDING_ERROR, "UNSUPPORTED_SID",
                   "Update the characters in the Sid element to use one of the following character types: "
                   "[a-z, A-Z, 0-9]");
    lint_out(lint);
}

static void combinations(struct lint *lint, const struct jt *statement)
{
    static const char *const pairs[][2] = { { "Action", "NotAction" },
                                            { "Resource", "NotResource" },
                                            { "Principal", "NotPrincipal" } };
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (jt_get(statement, str_of(pairs[i][0])) && jt_get(statement, str_of(pairs[i][1])))
            lint_found(lint, FINDING_ERROR, "UNSUPPORTED_ELEMENT_COMBINATION",
                       "The policy elements %s and %s can not be used in the same statement. Remove one of "
                       "these elements.",
                       pairs[i][0], pairs[i][1]);
}

static void lint_statement(struct lint *lint, const struct jt *statement)
{
    static const char *const known[] = { "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
                                         "NotAction", "Resource", "NotResource", "Condition",    NULL };
    if (!jt_is(statement, JT_OBJECT)) {
        lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                   "The text does not match the expected JSON data type object.");
        return;
    }
    elements(lint, statement, known);
    effect(lint, statement);
    sid(lint, statement);
    combinations(lint, statement);
    lint_principals(lint, statement);
    lint_actions(lint, statement);
    lint_resources(lint, statement);
    lint_conditions(lint, statement);
    lint_risks(lint, statement);
}
