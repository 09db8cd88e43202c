/* Tags of users, roles, policies and instance profiles: the same three operations each time. */
#include "identity/iam/iam.h"

enum { MAX_TAGS = 50 };

static gh_err find(struct call *call, struct tx *tx, enum entity_kind kind, struct str name, struct entity *out)
{
    return kind == ENTITY_POLICY ? iam_find_policy(call, tx, name, out) : iam_find(call, tx, kind, name, out);
}

static gh_err save(struct call *call, struct tx *tx, struct entity *entity, gh_err err)
{
    if (!err)
        entity_update(tx, entity);
    err = iam_finish(tx, err);
    if (!err && (entity->kind == ENTITY_USER || entity->kind == ENTITY_ROLE)) /* aws:PrincipalTag */
        principals_reload(iam_identity(call), call->arena, entity->id);
    return err;
}

static bool same_key(const struct iam_Tag *tag, struct str key)
{
    return str_eq_nocase(tag->key, key);
}

/* "If a tag with the key already exists, its value is overwritten." */
static gh_err tag(struct call *call, enum entity_kind kind, struct str name, const struct iam_tagListType *tags)
{
    struct entity entity;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, kind, name, &entity);
    if (!err)
        err = iam_check_tags(call, tags);
    if (!err) {
        struct iam_Tag **items = ARENA_ARRAY(call->arena, struct iam_Tag *, entity.tags.n + tags->n);
        size_t n = 0;
        for (size_t i = 0; i < entity.tags.n; i++) {
            bool replaced = false;
            for (size_t t = 0; t < tags->n; t++)
                replaced |= same_key(tags->items[t], entity.tags.items[i]->key);
            if (!replaced)
                items[n++] = entity.tags.items[i];
        }
        for (size_t t = 0; t < tags->n; t++)
            items[n++] = tags->items[t];
        entity.tags = (struct iam_tagListType){ true, n, items };
        if (n > MAX_TAGS)
            err = gh_fail(call->arena, &iam_LimitExceededException,
                          "The number of tags has reached the maximum limit.");
    }
    return save(call, &tx, &entity, err);
}

static gh_err untag(struct call *call, enum entity_kind kind, struct str name, const struct iam_tagKeyListType *keys)
{
    struct entity entity;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, kind, name, &entity);
    size_t n = 0;
    for (size_t i = 0; !err && i < entity.tags.n; i++) {
        bool gone = false;
        for (size_t k = 0; k < keys->n; k++)
            gone |= same_key(entity.tags.items[i], keys->items[k]);
        if (!gone)
            entity.tags.items[n++] = entity.tags.items[i];
    }
    if (!err)
        entity.tags.n = n;
    return save(call, &tx, &entity, err);
}

static struct str nth_key(const void *items, size_t i)
{
    return ((struct iam_Tag *const *)items)[i]->key;
}

static int by_key(const void *a, const void *b)
{
    return str_cmp((*(struct iam_Tag *const *)a)->key, (*(struct iam_Tag *const *)b)->key);
}

static gh_err list(struct call *call, enum entity_kind kind, struct str name, struct str marker,
                   struct opt_i64 max_items, struct iam_tagListType *out, struct opt_bool *truncated, struct str *next)
{
    struct entity entity;
    struct iam_page page;
    gh_err err = iam_page(call, marker, max_items, &page);
    if (!err)
        err = find(call, NULL, kind, name, &entity);
    if (err)
        return err;
    qsort(entity.tags.items, entity.tags.n, sizeof *entity.tags.items, by_key);
    struct iam_cut cut = iam_cut(call, &page, entity.tags.items, entity.tags.n, nth_key);
    *out = (struct iam_tagListType){ true, cut.n, entity.tags.items + cut.first };
    *truncated = some_bool(cut.truncated);
    *next = cut.marker;
    return NULL;
}

#define TAG_OPERATIONS(Kind, member, KIND)                                                                             \
    gh_err iam_Tag##Kind(struct call *call, const struct iam_Tag##Kind##_in *in, struct iam_Tag##Kind##_out *out)      \
    {                                                                                                                  \
        (void)out;                                                                                                     \
        return tag(call, KIND, in->member, &in->tags);                                                                 \
    }                                                                                                                  \
    gh_err iam_Untag##Kind(struct call *call, const struct iam_Untag##Kind##_in *in, struct iam_Untag##Kind##_out *out) \
    {                                                                                                                  \
        (void)out;                                                                                                     \
        return untag(call, KIND, in->member, &in->tag_keys);                                                           \
    }                                                                                                                  \
    gh_err iam_List##Kind##Tags(struct call *call, const struct iam_List##Kind##Tags_in *in,                           \
                                struct iam_List##Kind##Tags_out *out)                                                  \
    {                                                                                                                  \
        return list(call, KIND, in->member, in->marker, in->max_items, &out->tags, &out->is_truncated, &out->marker);  \
    }

TAG_OPERATIONS(User, user_name, ENTITY_USER)
TAG_OPERATIONS(Role, role_name, ENTITY_ROLE)
TAG_OPERATIONS(Policy, policy_arn, ENTITY_POLICY)
TAG_OPERATIONS(InstanceProfile, instance_profile_name, ENTITY_PROFILE)
