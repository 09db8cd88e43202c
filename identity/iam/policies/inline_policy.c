/* Inline policies of users, groups and roles: the same four operations thrice. */
#include "identity/iam/iam.h"

static const struct {
    int64_t max;
    const char *word;
} kinds[] = {
    [ENTITY_USER] = { 2048, "user" },
    [ENTITY_GROUP] = { 5120, "group" },
    [ENTITY_ROLE] = { 10240, "role" },
};

/* "The total size of all inline policies of an entity", white space not counted. */
static gh_err check_total(struct call *call, struct tx *tx, const struct entity *owner, struct str name,
                          struct str document)
{
    struct named_policies all;
    gh_err err = inline_list(call->db, tx, call->arena, owner->id, &all);
    size_t total = policy_size(document);
    for (size_t i = 0; !err && i < all.n; i++)
        if (!str_eq(all.items[i].name, name))
            total += policy_size(all.items[i].document);
    if (!err && total > (size_t)kinds[owner->kind].max)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Maximum policy size of %lld bytes exceeded for %s %.*s",
                      (long long)kinds[owner->kind].max, kinds[owner->kind].word, STR_FMT(owner->name));
    return err;
}

static gh_err put(struct call *call, enum entity_kind kind, struct str owner_name, struct str name,
                  struct str document)
{
    struct entity owner;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_changeable(call, &tx, kind, owner_name, &owner);
    if (!err)
        err = iam_check_policy(call, POLICY_IDENTITY, document);
    if (!err)
        err = check_total(call, &tx, &owner, name, document);
    if (!err)
        inline_put(&tx, owner.id, name, document);
    err = iam_finish(&tx, err);
    if (!err)
        iam_reload(call, &owner);
    return err;
}

static gh_err missing(struct call *call, enum entity_kind kind, struct str name)
{
    return gh_fail(call->arena, &iam_NoSuchEntityException, "The %s policy with name %.*s cannot be found.",
                   kinds[kind].word, STR_FMT(name));
}

static gh_err get(struct call *call, enum entity_kind kind, struct str owner_name, struct str name,
                  struct str *document)
{
    struct entity owner;
    gh_err err = iam_find(call, NULL, kind, owner_name, &owner);
    if (!err)
        err = inline_find(call->db, NULL, call->arena, owner.id, name, document);
    if (!err && !document->ptr)
        err = missing(call, kind, name);
    if (!err)
        *document = iam_document(call, *document);
    return err;
}

static gh_err drop(struct call *call, enum entity_kind kind, struct str owner_name, struct str name)
{
    struct entity owner;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_changeable(call, &tx, kind, owner_name, &owner);
    if (!err) {
        inline_delete(&tx, owner.id, name);
        if (!tx.err && tx.changes == 0)
            err = missing(call, kind, name);
    }
    err = iam_finish(&tx, err);
    if (!err)
        iam_reload(call, &owner);
    return err;
}

static struct str policy_name(const void *items, size_t i)
{
    return ((const struct named_policy *)items)[i].name;
}

static gh_err list(struct call *call, enum entity_kind kind, struct str owner_name, struct str marker,
                   struct opt_i64 max_items, struct iam_policyNameListType *names, struct opt_bool *truncated,
                   struct str *next)
{
    struct entity owner;
    struct named_policies all;
    struct iam_page page;
    gh_err err = iam_page(call, marker, max_items, &page);
    if (!err)
        err = iam_find(call, NULL, kind, owner_name, &owner);
    if (!err)
        err = inline_list(call->db, NULL, call->arena, owner.id, &all);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, all.items, all.n, policy_name);
    *names = (struct iam_policyNameListType){ true, cut.n, ARENA_ARRAY(call->arena, struct str, cut.n) };
    for (size_t i = 0; i < cut.n; i++)
        names->items[i] = all.items[cut.first + i].name;
    *truncated = some_bool(cut.truncated);
    *next = cut.marker;
    return NULL;
}

#define INLINE_OPERATIONS(Kind, kind, KIND)                                                                         \
    gh_err iam_Put##Kind##Policy(struct call *call, const struct iam_Put##Kind##Policy_in *in,                      \
                                 struct iam_Put##Kind##Policy_out *out)                                             \
    {                                                                                                               \
        (void)out;                                                                                                  \
        return put(call, KIND, in->kind##_name, in->policy_name, in->policy_document);                              \
    }                                                                                                               \
    gh_err iam_Get##Kind##Policy(struct call *call, const struct iam_Get##Kind##Policy_in *in,                      \
                                 struct iam_Get##Kind##Policy_out *out)                                             \
    {                                                                                                               \
        out->kind##_name = in->kind##_name;                                                                         \
        out->policy_name = in->policy_name;                                                                         \
        return get(call, KIND, in->kind##_name, in->policy_name, &out->policy_document);                            \
    }                                                                                                               \
    gh_err iam_Delete##Kind##Policy(struct call *call, const struct iam_Delete##Kind##Policy_in *in,                \
                                    struct iam_Delete##Kind##Policy_out *out)                                       \
    {                                                                                                               \
        (void)out;                                                                                                  \
        return drop(call, KIND, in->kind##_name, in->policy_name);                                                  \
    }                                                                                                               \
    gh_err iam_List##Kind##Policies(struct call *call, const struct iam_List##Kind##Policies_in *in,                \
                                    struct iam_List##Kind##Policies_out *out)                                       \
    {                                                                                                               \
        return list(call, KIND, in->kind##_name, in->marker, in->max_items, &out->policy_names, &out->is_truncated, \
                    &out->marker);                                                                                  \
    }

INLINE_OPERATIONS(User, user, ENTITY_USER)
INLINE_OPERATIONS(Group, group, ENTITY_GROUP)
INLINE_OPERATIONS(Role, role, ENTITY_ROLE)
