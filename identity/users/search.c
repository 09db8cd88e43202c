#include "identity/users/search.h"

#include <stdlib.h>
#include <strings.h>

#include "core/json.h"
#include "core/time.h"
#include "identity/store/group.h"

enum op { OP_IS, OP_NOT, OP_CONTAINS, OP_PREFIX, OP_SUFFIX, OP_LT, OP_LE, OP_GT, OP_GE, OP_EXISTS };
static const char *const op_names[] = { "is", "not", "contains", "prefix", "suffix", "lt", "le", "gt", "ge", "exists" };

enum kind { KIND_TEXT, KIND_NUMBER, KIND_INSTANT, KIND_GROUP };

struct condition {
    struct str field;
    enum op op;
    enum kind kind;
    struct str value;
    double number; /* of a number or an instant */
};

/* What is no attribute, and what has an index. */
static const struct field {
    const char *name;
    enum kind kind;
    enum user_index index; /* USER_INDEXES: none */
} fields[] = {
    { "username", KIND_TEXT, USER_INDEXES },
    { "sub", KIND_TEXT, USERS_BY_SUB },
    { "status", KIND_TEXT, USERS_BY_STATUS },
    { "enabled", KIND_TEXT, USER_INDEXES },
    { "created", KIND_INSTANT, USER_INDEXES },
    { "modified", KIND_INSTANT, USER_INDEXES },
    { "group", KIND_GROUP, USERS_IN_GROUP },
    { "email", KIND_TEXT, USERS_BY_EMAIL },
    { "phone_number", KIND_TEXT, USERS_BY_PHONE_NUMBER },
    { "name", KIND_TEXT, USERS_BY_NAME },
    { "given_name", KIND_TEXT, USERS_BY_GIVEN_NAME },
    { "family_name", KIND_TEXT, USERS_BY_FAMILY_NAME },
    { "preferred_username", KIND_TEXT, USERS_BY_PREFERRED_USERNAME },
};

static const struct field *field_of(struct str name)
{
    for (size_t i = 0; i < COUNT(fields); i++)
        if (str_is(name, fields[i].name))
            return &fields[i];
    return NULL;
}

static gh_err bad(struct call *call, const char *fmt, struct str what)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, fmt, STR_FMT(what));
}

/* ---- reading ---- */

static bool number_of(struct str text, double *out)
{
    char copy[64], *end;
    if (!text.len || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *out = strtod(copy, &end);
    return *end == '\0';
}

static bool instant_of(struct str text, double *out)
{
    return time_parse_iso8601(text, out) || number_of(text, out);
}

/* "email.contains": the field's own name may have dots in it. */
static void split_name(struct str name, struct condition *out)
{
    ptrdiff_t dot = str_find_last(name, '.');
    *out = (struct condition){ .field = name, .op = OP_IS };
    for (size_t i = 0; dot > 0 && i < COUNT(op_names); i++) {
        if (!str_is(str_from(name, (size_t)dot + 1), op_names[i]))
            continue;
        out->field = str_sub(name, 0, (size_t)dot);
        out->op = (enum op)i;
    }
}

static gh_err read_one(struct call *call, const struct pool *pool, struct str name, struct str value,
                       struct condition *out)
{
    split_name(name, out);
    out->value = value;
    const struct field *field = field_of(out->field);
    const struct idp_SchemaAttributeType *attribute = pool_attribute(pool, out->field);
    if (!field && !attribute)
        return bad(call, "Nothing to search by is called %.*s: name an attribute of the pool's schema, username, sub, "
                         "status, enabled, created, modified or group, and after a dot is, not, contains, prefix, "
                         "suffix, lt, le, gt, ge or exists.", out->field);
    out->kind = field                                                        ? field->kind
                : str_is(attribute->attribute_data_type, "Number")   ? KIND_NUMBER
                : str_is(attribute->attribute_data_type, "DateTime") ? KIND_INSTANT
                                                                     : KIND_TEXT;
    if (out->kind == KIND_GROUP && out->op != OP_IS && out->op != OP_NOT)
        return bad(call, "%.*s: a group is or is not.", name);
    if (out->op == OP_EXISTS)
        return str_is(value, "true") || str_is(value, "false") ? NULL : bad(call, "%.*s wants true or false.", name);
    if (out->op >= OP_CONTAINS && out->op <= OP_SUFFIX)
        return value.len ? NULL : bad(call, "%.*s wants some text.", name);
    if (out->kind == KIND_NUMBER && !number_of(value, &out->number))
        return bad(call, "%.*s wants a number.", name);
    if (out->kind == KIND_INSTANT && !instant_of(value, &out->number))
        return bad(call, "%.*s wants an instant such as 2026-11-21 or 2026-11-21T09:00:00Z.", name);
    return NULL;
}

/* ---- the index to go through ---- */

static void drive_by(struct call *call, struct search *search, const struct condition *c)
{
    const struct field *field = field_of(c->field);
    enum user_match match = c->op == OP_IS ? MATCH_IS : c->op == OP_PREFIX ? MATCH_BEGINS : MATCH_ALL;
    bool by_key = str_is(c->field, "username") && !pool_names_are_subs(search->pool) && !search->pool->case_sensitive;
    if (match == MATCH_ALL || (search->query.match == MATCH_IS && !by_key))
        return; /* nothing better than what there is */
    if (str_is(c->field, "enabled") && str_is(c->value, "false")) {
        search->query.by = USERS_DISABLED;
        search->query.match = MATCH_IS;
        return;
    }
    enum user_index index = by_key ? USERS_BY_KEY : field ? field->index : USER_INDEXES;
    if (index == USER_INDEXES || !user_index_has(index, match))
        return;
    search->query.by = index;
    search->query.match = match;
    search->query.value = index == USERS_BY_STATUS  ? str_upper(call->arena, c->value)
                          : index == USERS_IN_GROUP ? c->value
                                                    : str_lower(call->arena, c->value);
}

/* Text that must stand in the document as it is. */
static void narrow_by(struct call *call, struct search *search, const struct condition *c)
{
    if (c->kind != KIND_TEXT || (c->op != OP_IS && !(c->op >= OP_CONTAINS && c->op <= OP_SUFFIX)) ||
        !pool_attribute(search->pool, c->field) || str_is(c->field, "sub") || c->value.len <= search->query.within.len)
        return;
    for (size_t i = 0; i < c->value.len; i++)
        if ((unsigned char)c->value.ptr[i] < ' ' || c->value.ptr[i] == '"' || c->value.ptr[i] == '\\' ||
            c->value.ptr[i] == '/' || c->value.ptr[i] == 0x7f)
            return;
    search->query.within = str_lower(call->arena, c->value);
}

gh_err search_read(struct call *call, const struct pool *pool, const json_t *where, struct search *out)
{
    const char *name;
    json_t *value;
    *out = (struct search){ .pool = pool, .query = { .pool = pool->id, .match = MATCH_ALL },
                            .conditions = ARENA_ARRAY(call->arena, struct condition, SEARCH_CONDITIONS) };
    json_object_foreach((json_t *)(uintptr_t)where, name, value) {
        if (out->n == SEARCH_CONDITIONS)
            return gh_fail(call->arena, &idp_InvalidParameterException, "At most %d conditions are taken.",
                           SEARCH_CONDITIONS);
        struct str text = json_is_string(value) ? json_value_str(value) : json_print(call->arena, value);
        gh_err err = read_one(call, pool, str_of(name), text, &out->conditions[out->n]);
        if (err)
            return err;
        drive_by(call, out, &out->conditions[out->n]);
        narrow_by(call, out, &out->conditions[out->n++]);
    }
    return NULL;
}

/* ---- matching ---- */

static struct str value_of(const struct user *user, struct str field)
{
    return str_is(field, "username")  ? user->username
           : str_is(field, "sub")     ? user->sub
           : str_is(field, "status")  ? user->status
           : str_is(field, "enabled") ? (user->enabled ? STR("true") : STR("false"))
                                      : json_value_str(json_at(user->attributes, field));
}

static int compare_text(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? strncasecmp(a.ptr, b.ptr, n) : 0;
    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

static bool ends_nocase(struct str text, struct str tail)
{
    return text.len >= tail.len && str_eq_nocase(str_from(text, text.len - tail.len), tail);
}

static bool holds_text(const struct condition *c, struct arena *scratch, struct str value)
{
    switch (c->op) {
    case OP_CONTAINS:
        return str_find_str(str_lower(scratch, value), str_lower(scratch, c->value)) >= 0;
    case OP_PREFIX:
        return str_starts_nocase(value, c->value);
    case OP_SUFFIX:
        return ends_nocase(value, c->value);
    default:
        return false;
    }
}

static bool in_order(enum op op, int order)
{
    return op == OP_IS    ? order == 0
           : op == OP_NOT ? order != 0
           : op == OP_LT  ? order < 0
           : op == OP_LE  ? order <= 0
           : op == OP_GT  ? order > 0
                          : order >= 0;
}

static bool is_in_group(struct call *call, struct arena *scratch, const struct user *user, struct str group)
{
    bool found = false;
    return !store_member_find(call->db, scratch, user->pool, group, user->sub, &found) && found;
}

static bool holds(struct call *call, struct arena *scratch, const struct condition *c, const struct user *user)
{
    if (c->kind == KIND_GROUP)
        return is_in_group(call, scratch, user, c->value) == (c->op == OP_IS);
    struct str value = value_of(user, c->field);
    bool created = str_is(c->field, "created"), own_time = created || str_is(c->field, "modified");
    if (c->op == OP_EXISTS)
        return (own_time || value.ptr) == str_is(c->value, "true");
    if (!own_time && !value.ptr)
        return c->op == OP_NOT;
    if (c->op >= OP_CONTAINS && c->op <= OP_SUFFIX)
        return holds_text(c, scratch, value);
    if (c->kind == KIND_TEXT)
        return in_order(c->op, compare_text(value, c->value));
    double number = own_time ? (double)(created ? user->created_us : user->modified_us) / 1e6 : 0;
    if (!own_time && !(c->kind == KIND_NUMBER ? number_of(value, &number) : instant_of(value, &number)))
        return c->op == OP_NOT;
    return in_order(c->op, number < c->number ? -1 : number > c->number);
}

bool search_matches(struct call *call, struct arena *scratch, const struct search *search, const struct user *user)
{
    for (size_t i = 0; i < search->n; i++)
        if (!holds(call, scratch, &search->conditions[i], user))
            return false;
    return true;
}

/* ---- going through ---- */

/* "12:<value of twelve bytes><key>" */
struct str search_place(struct arena *arena, struct str index_value, struct str key)
{
    return str_printf(arena, "%zu:%.*s%.*s", index_value.len, STR_FMT(index_value), STR_FMT(key));
}

void search_place_read(struct str place, struct user_query *query)
{
    struct str length;
    int64_t n = 0;
    if (!place.ptr || !str_split(&place, ':', &length) || !str_i64(length, &n) || n < 0)
        return;
    query->after_value = str_sub(place, 0, (size_t)n);
    query->after_key = str_from(place, (size_t)n);
}

struct walk {
    struct call *call;
    const struct search *search;
    bool (*see)(void *ctx, const struct user *user, struct str index_value);
    void *ctx;
};

static bool step(void *ctx, struct arena *scratch, const struct user *user, struct str index_value)
{
    const struct walk *walk = ctx;
    return !search_matches(walk->call, scratch, walk->search, user) || walk->see(walk->ctx, user, index_value);
}

gh_err search_each(struct call *call, const struct search *search,
                   bool (*see)(void *ctx, const struct user *user, struct str index_value), void *ctx)
{
    struct walk walk = { call, search, see, ctx };
    return store_users_each(call->db, call->arena, &search->query, step, &walk);
}
