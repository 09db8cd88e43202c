/* Logins meet identities: found, linked, merged. */
#include "core/id.h"
#include "identity/identity_pools/identity_record.h"

enum { MOST_DEVELOPER_USERS = 20 };

static gh_err mismatch(struct call *call)
{
    return gh_fail(call->arena, &ci_NotAuthorizedException,
                   "Logins don't match. Please include at least one valid login for this identity or identity pool.");
}

static gh_err conflict(struct call *call)
{
    return gh_fail(call->arena, &ci_ResourceConflictException, "Login is already linked to another account.");
}

static gh_err too_many(struct call *call)
{
    return gh_fail(call->arena, &ci_ResourceConflictException,
                   "An identity can have at most %d developer user identifiers.", MOST_DEVELOPER_USERS);
}

static gh_err no_guests(struct call *call)
{
    return gh_fail(call->arena, &ci_NotAuthorizedException,
                   "Unauthenticated access is not supported for this identity pool.");
}

/* One being worked out. */
struct proof {
    struct call *call;
    struct tx *tx; /* NULL: only looking */
    const struct identity_pool *pool;
    const struct logins *logins;
    struct identity_row *owners; /* of logins->items[i]; id absent: nobody's yet */
};

static gh_err find_owners(struct proof *p)
{
    p->owners = ARENA_ARRAY(p->call->arena, struct identity_row, p->logins->n + 1);
    for (size_t i = 0; i < p->logins->n; i++) {
        struct str id;
        bool found = false;
        gh_err err = store_login_owner(p->call->db, p->tx, p->call->arena, p->pool->id, &p->logins->items[i].key, &id);
        if (!err && id.ptr)
            err = store_identity_find(p->call->db, p->tx, p->call->arena, id, &p->owners[i], &found);
        if (err)
            return err;
    }
    return NULL;
}

static bool owns_one(const struct proof *p, struct str id)
{
    for (size_t i = 0; i < p->logins->n; i++)
        if (p->owners[i].id.ptr && str_eq(p->owners[i].id, id))
            return true;
    return false;
}

/* The oldest of those that the logins belong to; NULL: nobody's yet. */
static const struct identity_row *oldest(const struct proof *p)
{
    const struct identity_row *best = NULL;
    for (size_t i = 0; i < p->logins->n; i++)
        if (p->owners[i].id.ptr && (!best || p->owners[i].created_us < best->created_us))
            best = &p->owners[i];
    return best;
}

/* ---- merging ---- */

static bool same_provider(const struct login_key *a, const struct login_key *b)
{
    return !a->developer && !b->developer && str_eq(a->provider, b->provider);
}

gh_err identity_merge(struct call *call, struct tx *tx, struct str from, struct str to)
{
    struct login_row *theirs, *ours;
    size_t n_theirs, n_ours, developers = 0;
    gh_err err = identity_record_logins(call, tx, from, &theirs, &n_theirs);
    if (!err)
        err = identity_record_logins(call, tx, to, &ours, &n_ours);
    if (err)
        return err;
    for (size_t i = 0; i < n_ours; i++)
        developers += ours[i].key.developer;
    for (size_t i = 0; i < n_theirs; i++) {
        developers += theirs[i].key.developer;
        for (size_t j = 0; j < n_ours; j++)
            if (same_provider(&theirs[i].key, &ours[j].key))
                return conflict(call);
    }
    if (developers > MOST_DEVELOPER_USERS)
        return too_many(call);
    store_identity_merge(tx, from, to, call->now_us);
    return NULL;
}

/* "One login per public provider; a second → ResourceConflictException." */
static gh_err link_new(struct proof *p, struct str home)
{
    struct login_row *ours;
    size_t n, developers = 0;
    bool linked = false;
    gh_err err = identity_record_logins(p->call, p->tx, home, &ours, &n);
    for (size_t i = 0; !err && i < n; i++)
        developers += ours[i].key.developer;
    for (size_t i = 0; !err && i < p->logins->n; i++) {
        const struct login_key *key = &p->logins->items[i].key;
        if (p->owners[i].id.ptr)
            continue;
        for (size_t j = 0; j < n; j++)
            if (same_provider(key, &ours[j].key))
                return conflict(p->call);
        developers += key->developer;
        if (developers > MOST_DEVELOPER_USERS)
            return too_many(p->call);
        store_login_put(p->tx, p->pool->id, key, home, p->call->now_us);
        linked = true;
    }
    if (!err && linked)
        store_identity_touch(p->tx, home, p->call->now_us);
    return err;
}

/* ---- who it is ---- */

/* Of the identity that was claimed: the row of who it turns out to be. *guest: it has no logins yet. */
static gh_err claimed(struct proof *p, struct str given, struct identity_row *out, bool *guest)
{
    struct call *call = p->call;
    struct identity_pool pool;
    struct login_row *linked;
    size_t n;
    gh_err err = identity_record_find(call, p->tx, given, out, &pool);
    if (!err)
        err = identity_record_logins(call, p->tx, given, &linked, &n);
    if (err)
        return err;
    *guest = n == 0 && !out->disabled;
    if (!str_eq(out->pool, p->pool->id))
        return identity_forbidden(call, given);
    if (out->disabled) { /* merged: whoever proves to be what it was merged into goes on as that */
        bool found = false;
        if (!out->merged_into.ptr || !owns_one(p, out->merged_into))
            return identity_forbidden(call, given);
        err = store_identity_find(call->db, p->tx, call->arena, out->merged_into, out, &found);
        return err || (found && !out->disabled) ? err : identity_forbidden(call, given);
    }
    if (*guest && !logins_prove(p->logins))
        return p->pool->doc->allow_unauthenticated_identities.value ? NULL : no_guests(call);
    if (p->logins->own) /* its token is as good as a login of it, and of nobody else */
        return str_eq(p->logins->own->identity, given) && !*guest ? NULL : mismatch(call);
    return *guest || owns_one(p, given) ? NULL : mismatch(call);
}

/* What is `home`, and is that all? *settled: nothing has to be written. */
static gh_err decide(struct proof *p, struct str given, struct identity_row *home, bool *settled)
{
    bool guest = false;
    *home = (struct identity_row){ .id = STR_NONE };
    gh_err err = find_owners(p);
    if (!err && given.ptr)
        err = claimed(p, given, home, &guest);
    else if (!err && !logins_prove(p->logins) && !p->pool->doc->allow_unauthenticated_identities.value)
        err = no_guests(p->call);
    if (err)
        return err;
    if ((!given.ptr || guest) && oldest(p))
        *home = *oldest(p);
    *settled = home->id.ptr && (!guest || str_eq(home->id, given));
    for (size_t i = 0; i < p->logins->n; i++)
        *settled = *settled && p->owners[i].id.ptr && str_eq(p->owners[i].id, home->id);
    return NULL;
}

gh_err identity_prove_in(struct call *call, struct tx *tx, const struct identity_pool *pool, struct str given,
                         const struct logins *logins, struct identity_row *out)
{
    struct proof p = { call, tx, pool, logins, NULL };
    bool settled;
    gh_err err = decide(&p, given, out, &settled);
    if (err || settled)
        return err;
    if (!out->id.ptr)
        *out = identity_record_new(call, tx, pool);
    if (given.ptr && !str_eq(given, out->id)) {
        struct identity_row old;
        bool found;
        err = store_identity_find(call->db, tx, call->arena, given, &old, &found);
        if (!err && found && !old.disabled)
            err = identity_merge(call, tx, given, out->id);
    }
    for (size_t i = 0; !err && i < logins->n; i++) {
        struct str owner = p.owners[i].id;
        bool again = false;
        for (size_t j = 0; owner.ptr && j < i; j++)
            again |= p.owners[j].id.ptr && str_eq(p.owners[j].id, owner);
        if (owner.ptr && !again && !str_eq(owner, out->id))
            err = identity_merge(call, tx, owner, out->id);
    }
    return err ? err : link_new(&p, out->id);
}

gh_err identity_check_login(struct call *call, struct tx *tx, const struct identity_pool *pool, struct str id,
                            const struct logins *logins)
{
    struct proof p = { call, tx, pool, logins, NULL };
    gh_err err = find_owners(&p);
    if (err)
        return err;
    return owns_one(&p, id) || (logins->own && str_eq(logins->own->identity, id)) ? NULL : mismatch(call);
}

gh_err identity_prove(struct call *call, const struct identity_pool *pool, struct str given, const struct logins *logins,
                      struct identity_row *out)
{
    struct proof looking = { call, NULL, pool, logins, NULL };
    bool settled;
    gh_err err = decide(&looking, given, out, &settled);
    if (err || settled)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    return identity_pool_end(&tx, identity_prove_in(call, &tx, pool, given, logins, out));
}
