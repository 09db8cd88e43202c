/* ListUsers: a page at a time, one condition at most. */
#include "identity/users/user.h"

enum { PAGE = 60, SCAN = 500 };

/* `name = "value"` or `name ^= "value"`. */
struct filter {
    struct str name, value;
    bool prefix, any;
};

/* "Searchable: username (case-sensitive), email, phone_number, name, given_name, family_name,
 * preferred_username, cognito:user_status (case-insensitive), status (Enabled/Disabled, case-sensitive), sub"
 */
static const struct searchable {
    const char *name;
    bool case_sensitive;
} searchable[] = {
    { "username", true },
    { "sub", true },
    { "status", true },
    { "email", false },
    { "phone_number", false },
    { "name", false },
    { "given_name", false },
    { "family_name", false },
    { "preferred_username", false },
    { "cognito:user_status", false },
};

static const struct searchable *find_searchable(struct str name)
{
    for (size_t i = 0; i < COUNT(searchable); i++)
        if (str_is(name, searchable[i].name))
            return &searchable[i];
    return NULL;
}

/* The text between quotes, `\"` for a quote in it; nothing may follow. */
static bool quoted(struct arena *arena, struct str text, struct str *out)
{
    if (text.len < 2 || text.ptr[0] != '"' || text.ptr[text.len - 1] != '"')
        return false;
    text = str_sub(text, 1, text.len - 2);
    struct strbuf buf = strbuf_in(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            return false;
        if (text.ptr[i] == '\\' && ++i == text.len)
            return false;
        strbuf_char(&buf, text.ptr[i]);
    }
    *out = strbuf_view(&buf);
    return true;
}

static gh_err filter_read(struct call *call, struct str text, struct filter *out)
{
    *out = (struct filter){ .any = str_empty(str_trim(text)) };
    if (out->any)
        return NULL;
    ptrdiff_t equals = str_find(text, '=');
    struct str left = equals > 0 ? str_trim(str_sub(text, 0, (size_t)equals)) : STR_NONE;
    if (str_ends(left, STR("^"))) {
        out->prefix = true;
        left = str_trim(str_sub(left, 0, left.len - 1));
    }
    if (left.len >= 2 && left.ptr[0] == '"' && left.ptr[left.len - 1] == '"')
        left = str_sub(left, 1, left.len - 2);
    if (!left.len || !quoted(call->arena, str_trim(str_from(text, (size_t)equals + 1)), &out->value))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Error while parsing filter");
    if (!find_searchable(left))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid search attribute: %.*s",
                       STR_FMT(left));
    out->name = left;
    return NULL;
}

static struct str value_of(const struct user *user, struct str name)
{
    if (str_is(name, "username"))
        return user->username;
    if (str_is(name, "sub"))
        return user->sub;
    if (str_is(name, "status"))
        return user->enabled ? STR("Enabled") : STR("Disabled");
    if (str_is(name, "cognito:user_status"))
        return user->status;
    return user_attribute(user, name.ptr);
}

static bool matches(struct call *call, const struct filter *filter, const struct user *user)
{
    if (filter->any)
        return true;
    const struct searchable *row = find_searchable(filter->name);
    struct str value = value_of(user, str_of(row->name));
    if (!value.ptr)
        return false;
    if (row->case_sensitive)
        return filter->prefix ? str_starts(value, filter->value) : str_eq(value, filter->value);
    (void)call;
    return filter->prefix ? str_starts_nocase(value, filter->value) : str_eq_nocase(value, filter->value);
}

static gh_err check_wanted(struct call *call, const struct pool *pool,
                           const struct idp_SearchedAttributeNamesListType *wanted)
{
    for (size_t i = 0; i < wanted->n; i++)
        if (!pool_attribute(pool, wanted->items[i]))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "One or more requested attributes do not exist.");
    return NULL;
}

/* "pages may be short or empty with a PaginationToken": a filter looks at SCAN users a call. */
gh_err idp_ListUsers(struct call *call, const struct idp_ListUsers_in *in, struct idp_ListUsers_out *out)
{
    struct pool pool;
    struct filter filter = { .any = true };
    struct str after;
    struct user *users;
    size_t n, limit = in->limit.set && in->limit.value ? (size_t)in->limit.value : PAGE;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = filter_read(call, in->filter, &filter);
    if (!err)
        err = check_wanted(call, &pool, &in->attributes_to_get);
    if (!err)
        err = page_open(call, "users", pool.id, in->pagination_token, &after);
    size_t scan = filter.any ? limit : SCAN;
    if (!err)
        err = store_user_list(call->db, call->arena, pool.id, after, (int64_t)scan + 1, &users, &n);
    if (err)
        return err;
    out->users.set = true;
    out->users.items = ARENA_ARRAY(call->arena, struct idp_UserType *, limit);
    size_t at = 0;
    for (; at < n && at < scan && out->users.n < limit; at++)
        if (matches(call, &filter, &users[at]))
            out->users.items[out->users.n++] = user_shown(call, &users[at], &in->attributes_to_get);
    if (at < n && at > 0)
        out->pagination_token = page_token(call, "users", pool.id, users[at - 1].folded);
    return NULL;
}
