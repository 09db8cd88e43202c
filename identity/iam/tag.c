/* Tags of users, roles, policies and instance profiles: the same three operations each time. */
#include "identity/iam/tag_list.h"

static gh_err find(struct call *call, struct tx *tx, enum entity_kind kind, struct str name, struct entity *out)
{
    bool by_arn = kind == ENTITY_POLICY || kind == ENTITY_OIDC || kind == ENTITY_SAML;
    return by_arn ? iam_find_arn(call, tx, kind, name, out) : iam_find(call, tx, kind, name, out);
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

static gh_err tag(struct call *call, enum entity_kind kind, struct str name, const struct iam_tagListType *tags)
{
    struct entity entity;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, kind, name, &entity);
    if (!err)
        err = tag_list_merge(call, &entity.tags, tags);
    return save(call, &tx, &entity, err);
}

static gh_err untag(struct call *call, enum entity_kind kind, struct str name, const struct iam_tagKeyListType *keys)
{
    struct entity entity;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, kind, name, &entity);
    if (!err)
        tag_list_remove(&entity.tags, keys);
    return save(call, &tx, &entity, err);
}

static gh_err list(struct call *call, enum entity_kind kind, struct str name, struct str marker,
                   struct opt_i64 max_items, struct iam_tagListType *out, struct opt_bool *truncated, struct str *next)
{
    struct entity entity;
    gh_err err = find(call, NULL, kind, name, &entity);
    return err ? err : tag_list_page(call, &entity.tags, marker, max_items, out, truncated, next);
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
TAG_OPERATIONS(OpenIDConnectProvider, open_id_connect_provider_arn, ENTITY_OIDC)
TAG_OPERATIONS(SAMLProvider, saml_provider_arn, ENTITY_SAML)
TAG_OPERATIONS(ServerCertificate, server_certificate_name, ENTITY_CERTIFICATE)
TAG_OPERATIONS(InstanceProfile, instance_profile_name, ENTITY_PROFILE)
