/* POST /_gatehouse/user-pools/{id}/schema-change: what AWS freezes when a pool is made.
 *
 *   {"usernameAttributes": ["email"], "aliasAttributes": [], "caseSensitive": false, "required": {"email": true},
 *    "attributes": [{"Name": "custom:level", "AttributeDataType": "Number", "NumberAttributeConstraints": {…}}],
 *    "apply": true}
 *   -> {"dryRun": false, "applied": true, "users": 1000, "conflicts": 2, "shown": [{"username": "…", "why": "…"}, …]}
 * Without `apply` a dry run. Nothing is changed while there are conflicts; all is changed in one transaction.
 *
 * Users keep their usernames and subs: in a pool that comes to sign in by e-mail, "ada" is still ada, has her address as
 * another name, and her SRP verifier, which is bound to the username, stays good. */
#include "identity/pools/errand.h"
#include "identity/store/pool.h"
#include "identity/store/user_search.h"
#include "identity/users/user.h"

#include "core/json.h"
#include "core/map.h"
#include "wire/codec_json.h"

#include <stdlib.h>

enum { SHOWN = 100, PAGE = 200 };
static const char *const addresses[] = { "email", "phone_number", "preferred_username" };

/* 64-bit hashes of all names seen: two million take 32 MiB, and a false alarm is one in a million pools. */
struct seen {
    uint64_t *slots;
    size_t n, cap;
};

struct change {
    struct call *call;
    struct tx *tx;
    struct pool next; /* as the pool will be */
    bool renames;     /* names change: keys, aliases */
    bool checks_values;
    struct seen seen;
    int64_t users, conflicts;
    json_t *shown;
    struct str after; /* sub of the last user of a page */
    size_t on_page;
};

static gh_err bad(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

/* ---- names seen ---- */

static bool seen_put(struct seen *seen, uint64_t hash)
{
    hash |= 1; /* 0: an empty slot */
    for (size_t at = hash & (seen->cap - 1);; at = (at + 1) & (seen->cap - 1)) {
        if (seen->slots[at] == hash)
            return false;
        if (seen->slots[at])
            continue;
        seen->slots[at] = hash;
        seen->n++;
        return true;
    }
}

/* False: somebody has that name. */
static bool seen_add(struct seen *seen, struct str name)
{
    if (seen->n * 2 >= seen->cap) {
        struct seen grown = { .cap = seen->cap ? seen->cap * 2 : 1024 };
        grown.slots = calloc(grown.cap, sizeof *grown.slots);
        if (!grown.slots)
            abort();
        for (size_t i = 0; i < seen->cap; i++)
            if (seen->slots[i])
                seen_put(&grown, seen->slots[i]);
        free(seen->slots);
        *seen = grown;
    }
    return seen_put(seen, str_hash(name));
}

/* ---- what is asked for ---- */

static bool read_list(const json_t *given, struct arena *arena, struct str **items, size_t *n, bool *set, size_t most)
{
    const json_t *one;
    size_t i;
    *set = true;
    *n = 0;
    *items = ARENA_ARRAY(arena, struct str, json_array_size(given) + 1);
    json_array_foreach(given, i, one) {
        bool known = false;
        for (size_t k = 0; k < most; k++)
            known |= str_is(json_value_str(one), addresses[k]);
        if (!known)
            return false;
        (*items)[(*n)++] = json_value_str(one);
    }
    return json_is_array(given);
}

static gh_err read_names(struct change *change, const json_t *body)
{
    struct arena *arena = change->call->arena;
    struct idp_UserPoolType *doc = change->next.doc;
    const json_t *by = json_object_get(body, "usernameAttributes"), *also = json_object_get(body, "aliasAttributes"),
                 *cases = json_object_get(body, "caseSensitive");
    if (by && !read_list(by, arena, &doc->username_attributes.items, &doc->username_attributes.n, &doc->username_attributes.set, 2))
        return bad(change->call, "usernameAttributes is an array of email and phone_number.");
    if (also && !read_list(also, arena, &doc->alias_attributes.items, &doc->alias_attributes.n, &doc->alias_attributes.set, 3))
        return bad(change->call, "aliasAttributes is an array of email, phone_number and preferred_username.");
    if (cases && !json_is_boolean(cases))
        return bad(change->call, "caseSensitive is true or false.");
    if (cases) {
        doc->username_configuration = ARENA_NEW(arena, struct idp_UsernameConfigurationType);
        doc->username_configuration->case_sensitive = some_bool(json_is_true(cases));
        change->next.case_sensitive = json_is_true(cases);
    }
    change->renames = by || also || cases;
    return NULL;
}

static gh_err read_required(struct change *change, const json_t *required)
{
    const char *name;
    json_t *value;
    if (required && !json_is_object(required))
        return bad(change->call, "required is an object: {\"email\": true}.");
    json_object_foreach((json_t *)(uintptr_t)required, name, value) {
        const struct idp_SchemaAttributeType *old = pool_attribute(&change->next, str_of(name));
        if (!old || !json_is_boolean(value) || strchr(name, ':') || strcmp(name, "sub") == 0)
            return gh_fail(change->call->arena, &idp_InvalidParameterException,
                           "required: %s is no standard attribute that is required (true) or not (false).", name);
        struct idp_SchemaAttributeType *to = ARENA_NEW(change->call->arena, struct idp_SchemaAttributeType);
        *to = *old;
        to->required = some_bool(json_is_true(value));
        for (size_t i = 0; i < change->next.doc->schema_attributes.n; i++)
            if (change->next.doc->schema_attributes.items[i] == old)
                change->next.doc->schema_attributes.items[i] = to;
        change->checks_values = true;
    }
    return NULL;
}

static gh_err read_attributes(struct change *change, const json_t *attributes)
{
    const json_t *one;
    size_t i;
    if (attributes && !json_is_array(attributes))
        return bad(change->call, "attributes is an array of schema attributes.");
    json_array_foreach(attributes, i, one) {
        struct idp_SchemaAttributeType given;
        struct str why = STR_NONE;
        if (!shape_from_json(change->call->arena, &idp_shape_SchemaAttributeType, one, &given, &why))
            return gh_fail(change->call->arena, &idp_InvalidParameterException, "attributes: %.*s", STR_FMT(why));
        gh_err err = pool_schema_change(change->call, &change->next, &given);
        if (err)
            return err;
        change->checks_values = true;
    }
    return NULL;
}

static gh_err read_change(struct change *change, const json_t *body)
{
    static const char *const known[] = { "usernameAttributes", "aliasAttributes", "caseSensitive", "required", "attributes", "apply" };
    const char *name;
    json_t *value;
    if (!json_is_object(body))
        return bad(change->call, "Send {\"caseSensitive\": false} or the like.");
    json_object_foreach((json_t *)(uintptr_t)body, name, value) {
        bool is_known = false;
        for (size_t i = 0; i < COUNT(known); i++)
            is_known |= strcmp(name, known[i]) == 0;
        if (!is_known)
            return gh_fail(change->call->arena, &idp_InvalidParameterException,
                           "%s is nothing to change: there are usernameAttributes, aliasAttributes, caseSensitive, required, "
                           "attributes.", name);
    }
    gh_err err = read_names(change, body);
    if (!err)
        err = read_required(change, json_object_get(body, "required"));
    if (!err)
        err = read_attributes(change, json_object_get(body, "attributes"));
    if (!err && !change->renames && !change->checks_values)
        err = bad(change->call, "Nothing to change is given.");
    return err ? err : pool_check_settings(change->call, change->next.doc, change->next.more);
}

/* ---- conflicts ---- */

static void conflict(struct change *change, const struct user *user, const char *fmt, struct str what)
{
    struct arena *arena = change->call->arena;
    if (change->conflicts++ >= SHOWN)
        return;
    json_t *one = json_object();
    json_set_str(one, "username", user->username);
    json_set_str(one, "why", str_printf(arena, fmt, STR_FMT(what)));
    json_array_append_new(change->shown, one);
}

static struct str folded(struct arena *arena, const struct pool *pool, struct str name)
{
    return pool->case_sensitive ? name : str_lower(arena, name);
}

static bool has_address(const struct pool *pool, const struct user *user)
{
    for (size_t i = 0; i < 2; i++)
        if (pool_signs_in_by(pool, addresses[i]) && user_attribute(user, addresses[i]).len)
            return true;
    return false;
}

static void check_names(struct change *change, struct arena *scratch, const struct user *user)
{
    const struct pool *next = &change->next;
    struct str key = folded(scratch, next, user->username);
    bool only_sub = str_eq(user->username, user->sub), named = !only_sub;
    if (!seen_add(&change->seen, key))
        conflict(change, user, "another user has the name %.*s", key);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        if (!user_is_also(next, user, addresses[i]))
            continue;
        struct str value = folded(scratch, next, user_attribute(user, addresses[i]));
        named = true;
        if (!str_eq(value, key) && !seen_add(&change->seen, value))
            conflict(change, user, "another user has the name %.*s", value);
    }
    if (pool_names_are_subs(next) && !has_address(next, user))
        conflict(change, user, "has none of the attributes that are to be signed in by%.*s", STR(""));
    else if (!named)
        conflict(change, user, "would have no name but the sub: no alias is set and verified%.*s", STR(""));
    if ((pool_has_alias(next, "email") && is_email(user->username)) ||
        (pool_has_alias(next, "phone_number") && is_phone_number(user->username)))
        conflict(change, user, "the username looks like an alias%.*s", STR(""));
}

static void check_values(struct change *change, struct arena *scratch, const struct user *user)
{
    struct call brief = *change->call; /* words about a million misfits are not all kept */
    brief.arena = scratch;
    const struct idp_SchemaAttributesListType *schema = &change->next.doc->schema_attributes;
    for (size_t i = 0; i < schema->n; i++) {
        const struct idp_SchemaAttributeType *attribute = schema->items[i];
        struct str value = json_value_str(json_at(user->attributes, attribute->name));
        if (attribute->required.value && !value.len && !str_is(attribute->name, "sub"))
            conflict(change, user, "has no %.*s, which is to be required", attribute->name);
        gh_err err = value.len ? attribute_check_value(&brief, attribute, value) : NULL;
        if (err)
            conflict(change, user, "%.*s", str_trim(err->message));
    }
}

static bool check(void *ctx, struct arena *scratch, const struct user *user, struct str index_value)
{
    struct change *change = ctx;
    (void)index_value;
    change->users++;
    if (change->renames)
        check_names(change, scratch, user);
    if (change->checks_values)
        check_values(change, scratch, user);
    return true;
}

/* ---- the change ---- */

struct renaming {
    struct change *change;
    struct user *users;
    size_t n;
};

static bool collect(void *ctx, struct arena *scratch, const struct user *user, struct str index_value)
{
    struct renaming *r = ctx;
    struct arena *arena = r->change->call->arena;
    (void)scratch;
    struct user *kept = &r->users[r->n++];
    *kept = (struct user){ .pool = r->change->next.id, .sub = str_copy(arena, user->sub), .username = str_copy(arena, user->username),
                           .folded = str_copy(arena, user->folded), .attributes = json_own(arena, json_incref(user->attributes)) };
    r->change->after = str_copy(arena, index_value);
    return r->n < PAGE;
}

/* One page of users in order of the sub, which stays what it is. */
static gh_err rename_page(struct change *change, bool *more)
{
    struct call *outer = change->call, call = *outer;
    struct arena *arena = arena_new(256 * 1024);
    call.arena = arena;
    change->call = &call;
    struct renaming r = { change, ARENA_ARRAY(arena, struct user, PAGE), 0 };
    const struct user_query q = { .pool = change->next.id, .by = USERS_BY_SUB, .match = MATCH_BEGINS, .value = STR(""),
                                  .after_value = change->after, .tx = change->tx };
    gh_err err = store_users_each(call.db, arena, &q, collect, &r);
    for (size_t i = 0; !err && i < r.n; i++) {
        struct str key = folded(arena, &change->next, r.users[i].username);
        if (!str_eq(key, r.users[i].folded))
            store_user_refold(change->tx, change->next.id, r.users[i].sub, key);
        err = change->tx->err ? change->tx->err
                              : user_put_names(&call, change->tx, &change->next, &r.users[i], false, &idp_AliasExistsException);
    }
    *more = r.n == PAGE;
    change->after = str_copy(outer->arena, change->after);
    change->call = outer;
    if (err)
        err = gh_fail(outer->arena, err->kind, "%.*s", STR_FMT(err->message));
    arena_free(arena);
    return err;
}

static gh_err apply(struct change *change)
{
    struct call *call = change->call;
    bool more = change->renames;
    gh_err err = NULL;
    change->next.doc->last_modified_date = some_time_us(call->now_us);
    store_pool_update(change->tx, change->next.id, shape_print(call->arena, &idp_shape_UserPoolType, change->next.doc));
    if (change->renames)
        store_alias_drop_all(change->tx, change->next.id);
    while (!err && more)
        err = rename_page(change, &more);
    return err;
}

gh_err pool_schema_change_run(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    const json_t *body = json_parse(call->arena, *errand->body, NULL);
    bool asked = json_flag(body, "apply", false), applied = false;
    struct tx tx;
    struct change change = { .call = call, .tx = &tx, .shown = json_own(call->arena, json_array()) };
    tx_begin(&tx, call->db, call->arena); /* nobody is added between the check and the change */
    gh_err err = pool_load_in(call, &tx, errand->pool_id, &change.next);
    if (!err)
        err = read_change(&change, body);
    const struct user_query all = { .pool = change.next.id, .match = MATCH_ALL, .tx = &tx };
    if (!err)
        err = store_users_each(call->db, call->arena, &all, check, &change);
    if (!err && asked && !change.conflicts) {
        err = apply(&change);
        applied = !err;
    }
    free(change.seen.slots);
    if (!applied)
        tx_rollback(&tx);
    else
        err = tx_commit(&tx);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object());
    json_set_flag(answer, "dryRun", !asked);
    json_set_flag(answer, "applied", applied);
    json_set_i64(answer, "users", change.users);
    json_set_i64(answer, "conflicts", change.conflicts);
    json_object_set(answer, "shown", change.shown);
    *json = json_print(call->arena, answer);
    return NULL;
}
