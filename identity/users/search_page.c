/* GET /_gatehouse/user-pools/{id}/users?email.contains=x&sort=-created&limit=1000: a page of a search.
 *
 * Without `sort` in the order of whatever index is used, and no user is looked at twice. With it, all that match are
 * looked at once a page, and the page's users are kept. */
#include "identity/pools/errand.h"
#include "identity/users/search.h"

#include "core/json.h"
#include "core/time.h"
#include "core/uri.h"

#include <stdlib.h>
#include <strings.h>

enum { PAGE = 60, MOST = 10000 };

/* What a user is sorted by. Who has no such value comes last, whichever way it is sorted. */
struct entry {
    bool has;
    double number;
    struct str text, key;
};

struct page {
    struct call *call;
    struct search search;
    json_t *users;
    size_t limit;
    bool more;
    struct str place; /* of the last user taken */
    /* sorted */
    struct str sort;
    bool descending, numeric;
    bool has_after;
    struct entry after;
    struct entry *best; /* at most limit + 1, in order; strings by malloc */
    size_t n;
};

static json_t *shown(struct call *call, const struct user *user)
{
    json_t *one = json_object();
    json_set_str(one, "username", user->username);
    json_set_str(one, "sub", user->sub);
    json_set_str(one, "status", user->status);
    json_set_flag(one, "enabled", user->enabled);
    json_set_str(one, "created", time_iso8601_ms(call->arena, user->created_us));
    json_set_str(one, "modified", time_iso8601_ms(call->arena, user->modified_us));
    json_object_set(one, "attributes", user->attributes);
    return one;
}

/* ---- in the index's order ---- */

static bool take(void *ctx, const struct user *user, struct str index_value)
{
    struct page *page = ctx;
    page->more = json_array_size(page->users) == page->limit;
    if (page->more)
        return false;
    json_array_append_new(page->users, shown(page->call, user));
    if (json_array_size(page->users) == page->limit)
        page->place = search_place(page->call->arena, index_value, user->folded);
    return true;
}

/* ---- sorted ---- */

static int order_of(const struct page *page, const struct entry *a, const struct entry *b)
{
    if (a->has != b->has)
        return a->has ? -1 : 1;
    int order = 0;
    if (a->has && page->numeric)
        order = a->number < b->number ? -1 : a->number > b->number;
    else if (a->has)
        order = strcasecmp(a->text.ptr, b->text.ptr);
    if (page->descending)
        order = -order;
    return order ? order : str_cmp(a->key, b->key);
}

static struct entry entry_of(const struct page *page, const struct user *user)
{
    struct entry e = { .key = user->folded, .text = STR("") };
    struct str field = page->sort, value;
    if (str_is(field, "created") || str_is(field, "modified")) {
        e.has = true;
        e.number = (double)(str_is(field, "created") ? user->created_us : user->modified_us);
        return e;
    }
    value = str_is(field, "username")  ? user->username
            : str_is(field, "sub")     ? user->sub
            : str_is(field, "status")  ? user->status
            : str_is(field, "enabled") ? (user->enabled ? STR("true") : STR("false"))
                                       : json_value_str(json_at(user->attributes, field));
    e.has = value.ptr != NULL;
    e.text = value.ptr ? value : STR("");
    if (page->numeric && value.ptr)
        e.number = strtod(value.ptr, NULL);
    return e;
}

static struct str heap_copy(struct str s)
{
    char *copy = malloc(s.len + 1);
    if (!copy)
        abort();
    memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (struct str){ copy, s.len };
}

static void drop(struct entry *e)
{
    free((char *)(uintptr_t)e->text.ptr);
    free((char *)(uintptr_t)e->key.ptr);
}

static bool rank(void *ctx, const struct user *user, struct str index_value)
{
    struct page *page = ctx;
    struct entry e = entry_of(page, user);
    (void)index_value;
    if (page->has_after && order_of(page, &e, &page->after) <= 0)
        return true;
    if (page->n > page->limit && order_of(page, &e, &page->best[page->limit]) >= 0)
        return true;
    size_t low = 0, high = page->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (order_of(page, &page->best[middle], &e) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (page->n > page->limit)
        drop(&page->best[--page->n]);
    memmove(&page->best[low + 1], &page->best[low], (page->n - low) * sizeof e);
    e.text = heap_copy(e.text);
    e.key = heap_copy(e.key);
    page->best[low] = e;
    page->n++;
    return true;
}

static gh_err sorted(struct call *call, struct page *page)
{
    page->best = ARENA_ARRAY(call->arena, struct entry, page->limit + 2);
    gh_err err = search_each(call, &page->search, rank, page);
    page->more = page->n > page->limit;
    for (size_t i = 0; !err && i < page->n && i < page->limit; i++) {
        struct user user;
        bool found = false;
        err = store_user_find(call->db, NULL, call->arena, page->search.pool->id, USER_BY_NAME, page->best[i].key, &user,
                              &found);
        if (!err && found)
            json_array_append_new(page->users, shown(call, &user));
    }
    if (page->more) {
        const struct entry *last = &page->best[page->limit - 1];
        page->place = str_printf(call->arena, "%d %.17g %zu:%.*s%.*s", last->has, last->number, last->text.len,
                                 STR_FMT(last->text), STR_FMT(last->key));
    }
    for (size_t i = 0; i < page->n; i++)
        drop(&page->best[i]);
    return err;
}

static void read_after(struct call *call, struct page *page, struct str place)
{
    struct str has = STR_NONE, number = STR_NONE, length = STR_NONE;
    int64_t n = 0;
    page->has_after = str_split(&place, ' ', &has) && str_split(&place, ' ', &number) && str_split(&place, ':', &length) &&
                      str_i64(length, &n) && n >= 0;
    page->after = (struct entry){ str_is(has, "1"), strtod(str_c(call->arena, number), NULL),
                                  str_copy(call->arena, str_sub(place, 0, (size_t)n)), str_from(place, (size_t)n) };
}

/* ---- the request ---- */

static gh_err check_sort(struct call *call, const struct pool *pool, struct page *page)
{
    static const char *const own[] = { "username", "sub", "status", "enabled", "created", "modified" };
    page->descending = str_starts(page->sort, STR("-"));
    page->sort = str_from(page->sort, page->descending);
    const struct idp_SchemaAttributeType *attribute = pool_attribute(pool, page->sort);
    bool known = attribute != NULL;
    for (size_t i = 0; i < COUNT(own); i++)
        known |= str_is(page->sort, own[i]);
    page->numeric = (attribute && str_is(attribute->attribute_data_type, "Number")) || str_is(page->sort, "created") ||
                    str_is(page->sort, "modified");
    return known ? NULL
                 : gh_fail(call->arena, &idp_InvalidParameterException, "Nothing to sort by is called %.*s.",
                           STR_FMT(page->sort));
}

/* Everything in the query that is not about the page is a condition. */
static gh_err read_query(struct call *call, struct str query, struct page *page, json_t *where, struct str *next)
{
    struct str name, value;
    int64_t limit = PAGE;
    while (uri_query_next(&query, &name, &value)) {
        name = uri_decode(call->arena, name, true);
        value = uri_decode(call->arena, value.ptr ? value : STR(""), true);
        if (str_is(name, "sort"))
            page->sort = value;
        else if (str_is(name, "next"))
            *next = value;
        else if (!str_is(name, "limit"))
            json_object_set_new(where, str_c(call->arena, name), json_of(value));
        else if (!str_i64(value, &limit) || limit < 1 || limit > MOST)
            return gh_fail(call->arena, &idp_InvalidParameterException, "limit is a number from 1 to %d.", MOST);
    }
    page->limit = (size_t)limit;
    return NULL;
}

gh_err pool_users_search(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct page page = { .call = call, .users = json_own(call->arena, json_array()) };
    struct pool pool;
    json_t *where = json_own(call->arena, json_object());
    struct str next = STR_NONE, place;
    gh_err err = pool_load(call, errand->pool_id, &pool);
    if (!err)
        err = read_query(call, errand->query, &page, where, &next);
    if (!err)
        err = search_read(call, &pool, where, &page.search);
    if (!err && page.sort.ptr)
        err = check_sort(call, &pool, &page);
    if (!err)
        err = page_open(call, page.sort.ptr ? "users-sorted" : "users-search", pool.id, next, &place);
    if (!err && page.sort.ptr && place.ptr)
        read_after(call, &page, place);
    if (!err && !page.sort.ptr)
        search_place_read(place, &page.search.query);
    if (!err)
        err = page.sort.ptr ? sorted(call, &page) : search_each(call, &page.search, take, &page);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object());
    json_object_set(answer, "users", page.users);
    if (page.more)
        json_set_str(answer, "next", page_token(call, page.sort.ptr ? "users-sorted" : "users-search", pool.id, page.place));
    *json = json_print(call->arena, answer);
    return NULL;
}
