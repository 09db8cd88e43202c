/* Guard rails as somebody manages them: listed, put, removed. */
#include "core/json.h"
#include "identity/access/guard_rails.h"
#include "identity/state.h"
#include "identity/store/guard_rail.h"
#include "policy/order.h"

enum { OF_A_KIND = 5 }; /* "Maximum number of SCPs (RCPs) attached to …: 5" */

static const struct gh_kind invalid_input = { "InvalidInputException", 400, false, NULL };
static const struct gh_kind malformed = { "MalformedPolicyDocumentException", 400, false, NULL };
static const struct gh_kind not_found = { "PolicyNotFoundException", 404, false, NULL };
static const struct gh_kind constraint = { "ConstraintViolationException", 400, false, NULL };

static const struct kind {
    const char *name, *full; /* what stands there from the start */
    const char *full_document;
    enum policy_use use;
} kinds[] = {
    { "service", "FullAWSAccess", POLICY_FULL_ACCESS, POLICY_SERVICE_CONTROL },
    { "resource", "RCPFullAWSAccess", POLICY_RESOURCE_FULL_ACCESS, POLICY_RESOURCE_CONTROL },
};

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("+=,.@_-", c))))
            return false;
    }
    return name.len > 0 && name.len <= 128;
}

static gh_err check(struct call *call, const struct guard_rail_order *order, const struct kind **out)
{
    *out = NULL;
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_is(order->kind, kinds[i].name))
            *out = &kinds[i];
    if (!*out)
        return gh_fail(call->arena, &invalid_input, "A guard rail is of kind service or resource.");
    if (!is_name(order->name))
        return gh_fail(call->arena, &invalid_input,
                       "A guard rail's name has letters, digits and +=,.@_-, at most 128 of them.");
    return NULL;
}

/* The account's documents of a kind as they count: with FullAWSAccess, unless it was detached. */
static size_t attached(struct arena *arena, const struct guard_rail_list *all, const struct kind *kind, struct guard_rail **out)
{
    struct guard_rail *items = ARENA_ARRAY(arena, struct guard_rail, all->n + 1);
    size_t n = 0;
    bool full = true;
    for (size_t i = 0; i < all->n; i++) {
        if (!str_is(all->items[i].kind, kind->name))
            continue;
        if (all->items[i].document.len)
            items[n++] = all->items[i];
        else
            full = false;
    }
    if (full)
        items[n++] = (struct guard_rail){ str_of(kind->name), str_of(kind->full), str_of(kind->full_document), 0 };
    *out = items;
    return n;
}

static json_t *shown(const struct guard_rail *one)
{
    json_t *out = json_object();
    json_set_str(out, "name", one->name);
    json_set_str(out, "document", one->document);
    return out;
}

gh_err guard_rails_list(struct call *call, void *ctx, struct str *json)
{
    struct guard_rail_list all;
    json_t *out = json_own(call->arena, json_object());
    (void)ctx;
    gh_err err = guard_rail_list(call->db, NULL, call->arena, call->account, &all);
    for (size_t k = 0; !err && k < COUNT(kinds); k++) {
        struct guard_rail *items;
        json_t *list = json_array();
        size_t n = attached(call->arena, &all, &kinds[k], &items);
        for (size_t i = 0; i < n; i++)
            json_array_append_new(list, shown(&items[i]));
        json_object_set_new(out, kinds[k].name, list);
    }
    *json = json_print(call->arena, out);
    return err;
}

static gh_err find(struct call *call, struct tx *tx, const struct guard_rail_order *order, const struct kind *kind,
                   struct guard_rail **items, size_t *n, size_t *at)
{
    struct guard_rail_list all;
    gh_err err = guard_rail_list(call->db, tx, call->arena, call->account, &all);
    if (err)
        return err;
    *n = attached(call->arena, &all, kind, items);
    for (*at = 0; *at < *n; (*at)++)
        if (str_eq((*items)[*at].name, order->name))
            return NULL;
    return gh_fail(call->arena, &not_found, "There is no %s control policy called %.*s.", kind->name, STR_FMT(order->name));
}

gh_err guard_rails_get(struct call *call, void *ctx, struct str *json)
{
    const struct guard_rail_order *order = ctx;
    const struct kind *kind;
    struct guard_rail *items;
    size_t n, at;
    gh_err err = check(call, order, &kind);
    err = err ? err : find(call, NULL, order, kind, &items, &n, &at);
    if (!err)
        *json = json_print(call->arena, json_own(call->arena, shown(&items[at])));
    return err;
}

/* FullAWSAccess's own document only: attached again, it has no row. */
static bool same_document(struct arena *arena, struct str a, const char *b)
{
    struct str why;
    return json_equal(json_parse(arena, a, &why), json_parse(arena, str_of(b), &why));
}

static gh_err put(struct call *call, struct tx *tx, const struct guard_rail_order *order, const struct kind *kind)
{
    struct guard_rail *items;
    size_t n = 0, at;
    gh_err missing = find(call, tx, order, kind, &items, &n, &at);
    if (missing && missing->kind != &not_found)
        return missing;
    if (missing && n >= OF_A_KIND)
        return gh_fail(call->arena, &constraint, "An account has at most five %s control policies.", kind->name);
    if (str_is(order->name, kind->full)) {
        guard_rail_delete(tx, call->account, order->kind, order->name);
        return NULL;
    }
    guard_rail_put(tx, call->account, &(struct guard_rail){ order->kind, order->name, *order->body, call->now_us });
    return NULL;
}

static gh_err take_away(struct call *call, struct tx *tx, const struct guard_rail_order *order, const struct kind *kind)
{
    struct guard_rail *items;
    size_t n = 0, at;
    gh_err err = find(call, tx, order, kind, &items, &n, &at);
    if (err)
        return err;
    if (str_is(order->name, "RCPFullAWSAccess"))
        return gh_fail(call->arena, &constraint, "RCPFullAWSAccess cannot be detached.");
    if (kind->use == POLICY_SERVICE_CONTROL && n == 1)
        return gh_fail(call->arena, &constraint, "An account has at least one service control policy.");
    if (str_is(order->name, kind->full))
        guard_rail_put(tx, call->account, &(struct guard_rail){ order->kind, order->name, STR(""), call->now_us });
    else
        guard_rail_delete(tx, call->account, order->kind, order->name);
    return NULL;
}

static gh_err change(struct call *call, const struct guard_rail_order *order, const struct kind *kind,
                     gh_err (*how)(struct call *, struct tx *, const struct guard_rail_order *, const struct kind *))
{
    struct identity *identity = call->module;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = how(call, &tx, order, kind);
    err = err ? err : tx_commit(&tx);
    tx_rollback(&tx);
    if (!err)
        guard_rails_reload(identity->guard_rails, call->arena, call->account);
    return err;
}

gh_err guard_rails_put(struct call *call, void *ctx, struct str *json)
{
    const struct guard_rail_order *order = ctx;
    const struct kind *kind;
    struct str why;
    gh_err err = check(call, order, &kind);
    if (err)
        return err;
    if (!policy_check(call->arena, kind->use, *order->body, &why))
        return gh_fail(call->arena, &malformed, "%.*s", STR_FMT(why));
    if (str_is(order->name, kind->full) && !same_document(call->arena, *order->body, kind->full_document))
        return gh_fail(call->arena, &invalid_input, "%s is AWS's name for its own document.", kind->full);
    err = change(call, order, kind, put);
    return err ? err : guard_rails_get(call, ctx, json);
}

gh_err guard_rails_delete(struct call *call, void *ctx, struct str *json)
{
    const struct guard_rail_order *order = ctx;
    const struct kind *kind;
    (void)json;
    gh_err err = check(call, order, &kind);
    return err ? err : change(call, order, kind, take_away);
}
