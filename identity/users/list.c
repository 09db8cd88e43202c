/* ListUsers: a page at a time, one condition at most. */
#include "identity/users/search.h"

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
    enum user_index index;
    bool upper; /* the index has upper case */
} searchable[] = {
    { "username", true, USERS_BY_KEY, false },
    { "sub", true, USERS_BY_SUB, false },
    { "status", true, USERS_DISABLED, false },
    { "email", false, USERS_BY_EMAIL, false },
    { "phone_number", false, USERS_BY_PHONE_NUMBER, false },
    { "name", false, USERS_BY_NAME, false },
    { "given_name", false, USERS_BY_GIVEN_NAME, false },
    { "family_name", false, USERS_BY_FAMILY_NAME, false },
    { "preferred_username", false, USERS_BY_PREFERRED_USERNAME, false },
    { "cognito:user_status", false, USERS_BY_STATUS, true },
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

static bool matches(const struct filter *filter, const struct user *user)
{
    if (filter->any)
        return true;
    const struct searchable *row = find_searchable(filter->name);
    struct str value = value_of(user, str_of(row->name));
    if (!value.ptr)
        return false;
    if (row->case_sensitive)
        return filter->prefix ? str_starts(value, filter->value) : str_eq(value, filter->value);
    return filter->prefix ? str_starts_nocase(value, filter->value) : str_eq_nocase(value, filter->value);
}

/* Every filter has its index. "status" has one for the few who are disabled; the enabled are nearly all. */
static struct user_query query_of(struct call *call, const struct pool *pool, const struct filter *filter)
{
    struct user_query q = { .pool = pool->id, .match = MATCH_ALL };
    const struct searchable *row = filter->any ? NULL : find_searchable(filter->name);
    bool disabled = row && row->index == USERS_DISABLED && filter->value.len && str_starts(STR("Disabled"), filter->value);
    if (!row || (row->index == USERS_DISABLED && !disabled))
        return q;
    q.by = row->index;
    q.match = filter->prefix && !disabled ? MATCH_BEGINS : MATCH_IS;
    q.value = row->upper                    ? str_upper(call->arena, filter->value)
              : row->index == USERS_BY_KEY ? pool_fold(call, pool, filter->value)
              : row->index == USERS_BY_SUB ? filter->value
                                           : str_lower(call->arena, filter->value);
    return q;
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

struct page {
    struct call *call;
    const struct idp_ListUsers_in *in;
    const struct filter *filter;
    struct idp_ListUsers_out *out;
    struct str at; /* of the last row seen */
    size_t limit, seen;
    bool more;
};

static bool see(void *ctx, struct arena *scratch, const struct user *user, struct str index_value)
{
    struct page *page = ctx;
    struct call *call = page->call;
    (void)scratch;
    page->more = page->out->users.n == page->limit || page->seen == SCAN;
    if (page->more)
        return false;
    page->seen++;
    page->at = search_place(call->arena, index_value, user->folded);
    if (matches(page->filter, user))
        page->out->users.items[page->out->users.n++] = user_shown_kept(call, user, &page->in->attributes_to_get);
    return true;
}

/* "pages may be short or empty with a PaginationToken": a filter looks at SCAN users a call. */
gh_err idp_ListUsers(struct call *call, const struct idp_ListUsers_in *in, struct idp_ListUsers_out *out)
{
    struct pool pool;
    struct filter filter = { .any = true };
    struct str after;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = filter_read(call, in->filter, &filter);
    if (!err)
        err = check_wanted(call, &pool, &in->attributes_to_get);
    if (!err)
        err = page_open(call, "users", pool.id, in->pagination_token, &after);
    if (err)
        return err;
    struct page page = { .call = call, .in = in, .filter = &filter, .out = out,
                         .limit = in->limit.set && in->limit.value ? (size_t)in->limit.value : PAGE };
    struct user_query q = query_of(call, &pool, &filter);
    search_place_read(after, &q);
    out->users.set = true;
    out->users.items = ARENA_ARRAY(call->arena, struct idp_UserType *, page.limit);
    err = store_users_each(call->db, call->arena, &q, see, &page);
    if (!err && page.more)
        out->pagination_token = page_token(call, "users", pool.id, page.at);
    return err;
}
