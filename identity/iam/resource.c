#include "identity/iam/resource.h"

#include "identity/store/iam_entity.h"

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

void iam_resource(struct db *db, struct arena *arena, struct policy_request *request, struct policy_context *context)
{
    enum entity_kind kind;
    struct str name;
    struct entity entity;
    bool found = false;
    if (!str_starts_nocase(request->action, STR("iam:")) || !names_entity(request->resource, &kind, &name))
        return;
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
    for (size_t i = 0; i < entity.tags.n; i++) {
        policy_context_add_tagged(context, "aws:ResourceTag/", entity.tags.items[i]->key, entity.tags.items[i]->value);
        policy_context_add_tagged(context, "iam:ResourceTag/", entity.tags.items[i]->key, entity.tags.items[i]->value);
    }
    policy_context_add(context, "iam:PermissionsBoundary", entity.boundary);
}
