#include "identity/iam/resource.h"

#include "identity/store/iam_entity.h"
#include "identity/store/mfa_device.h"

/* "user/bob" without a path: the kind and the name. False for anything else. */
static bool names_entity(struct str resource, enum entity_kind *kind, struct str *name)
{
    static const enum entity_kind kinds[] = { ENTITY_USER, ENTITY_GROUP, ENTITY_ROLE, ENTITY_PROFILE, ENTITY_CERTIFICATE };
    struct str rest = resource, part;
    for (int i = 0; i < 5; i++)
        if (!str_split(&rest, ':', &part))
            return false;
    if (!str_split(&rest, '/', &part) || !rest.len || str_find(rest, '/') >= 0)
        return false;
    *name = rest;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        *kind = kinds[i];
        if (str_is(part, entity_kind_name(kinds[i])))
            return true;
    }
    return false;
}

static void add_tags(struct policy_context *context, const struct iam_tagListType *tags)
{
    for (size_t i = 0; i < tags->n; i++) {
        policy_context_add_tagged(context, "aws:ResourceTag/", tags->items[i]->key, tags->items[i]->value);
        policy_context_add_tagged(context, "iam:ResourceTag/", tags->items[i]->key, tags->items[i]->value);
    }
}

/* An MFA device is named by its whole ARN. False: it is none. */
static bool add_device(struct db *db, struct arena *arena, struct str resource, struct policy_context *context)
{
    struct mfa_device device;
    bool found = false;
    if (str_find_str(resource, STR(":mfa/")) < 0)
        return false;
    if (!mfa_device_find(db, NULL, arena, resource, &device, &found) && found)
        add_tags(context, &device.tags);
    return true;
}

/* Policies and identity providers are named by their whole ARN, and so is whoever calls for himself: what is there is
 * looked up for its tags. */
static bool is_arn_of_entity(struct str resource, enum entity_kind *kind, struct str *name)
{
    static const enum entity_kind kinds[] = { ENTITY_POLICY, ENTITY_OIDC, ENTITY_SAML, ENTITY_USER, ENTITY_GROUP, ENTITY_ROLE };
    struct str rest = resource, part;
    for (int i = 0; i < 5; i++)
        if (!str_split(&rest, ':', &part))
            return false;
    if (!str_split(&rest, '/', &part) || !rest.len)
        return false;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        *kind = kinds[i];
        bool provider = *kind == ENTITY_OIDC || *kind == ENTITY_SAML;
        *name = provider ? rest : str_from(rest, (size_t)(str_find_last(rest, '/') + 1));
        if (str_is(part, entity_kind_name(kinds[i])))
            return true;
    }
    return false;
}

/* CreateOpenIDConnectProvider names a URL, the ARN has it without its scheme. */
static struct str without_scheme(struct arena *arena, struct str resource)
{
    static const char *const schemes[] = { ":oidc-provider/https://", ":oidc-provider/http://" };
    for (size_t i = 0; i < COUNT(schemes); i++) {
        struct str scheme = str_of(schemes[i]);
        ptrdiff_t at = str_find_str(resource, scheme);
        if (at > 0)
            return str_printf(arena, "%.*s:oidc-provider/%.*s", STR_FMT(str_sub(resource, 0, (size_t)at)),
                              STR_FMT(str_from(resource, (size_t)at + scheme.len)));
    }
    return resource;
}

void iam_resource(struct db *db, struct arena *arena, struct policy_request *request, struct policy_context *context)
{
    enum entity_kind kind;
    struct str name;
    struct entity entity;
    bool found = false;
    if (!str_starts_nocase(request->action, STR("iam:")) || add_device(db, arena, request->resource, context))
        return;
    request->resource = without_scheme(arena, request->resource);
    if (!names_entity(request->resource, &kind, &name)) {
        if (is_arn_of_entity(request->resource, &kind, &name) &&
            !entity_load(db, NULL, arena, request->account, kind, name, &entity, &found) && found &&
            str_eq(entity.arn, request->resource))
            add_tags(context, &entity.tags);
        return;
    }
    /* What cannot be read stays as it was named; the operation itself will say that storage fails. */
    if (entity_load(db, NULL, arena, request->account, kind, name, &entity, &found))
        return;
    if (!found) {
        bool made = str_starts_nocase(request->action, STR("iam:Create")) ||
                    str_eq_nocase(request->action, STR("iam:UploadServerCertificate"));
        if (!made)
            request->shown_resource = str_printf(arena, "%s %.*s", entity_kind_name(kind), STR_FMT(name));
        return;
    }
    request->resource = entity.arn;
    add_tags(context, &entity.tags);
    policy_context_add(context, "iam:PermissionsBoundary", entity.boundary);
}
