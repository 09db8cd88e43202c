/* Who has a managed policy: users, groups, roles; by attachment and as boundary. */
#include "identity/iam/iam.h"
#include "identity/iam/policies/managed.h"

struct owner {
    struct str place; /* "group name": by which pages go on */
    struct entity entity;
};
struct owners {
    size_t n;
    struct owner *items;
};

static gh_err add_owners(struct call *call, struct str arn, const char *kind, struct owners *out)
{
    struct arns ids;
    gh_err err = attached_owners(call->db, NULL, call->arena, call->account, arn, kind, &ids);
    if (err)
        return err;
    struct owner *items = ARENA_ARRAY(call->arena, struct owner, out->n + ids.n);
    if (out->n)
        memcpy(items, out->items, out->n * sizeof *items);
    out->items = items;
    for (size_t i = 0; !err && i < ids.n; i++) {
        struct owner *one = &items[out->n];
        bool found;
        err = entity_load_id(call->db, NULL, call->arena, ids.items[i], &one->entity, &found);
        one->place = str_printf(call->arena, "%s %.*s", entity_kind_name(one->entity.kind), STR_FMT(one->entity.name));
        out->n += !err && found;
    }
    return err;
}

static int by_place(const void *a, const void *b)
{
    return str_cmp(((const struct owner *)a)->place, ((const struct owner *)b)->place);
}

static struct str nth_place(const void *items, size_t i)
{
    return ((const struct owner *)items)[i].place;
}

/* What the filters leave, each once: the same policy may be attached and the boundary. */
static void sift(const struct iam_ListEntitiesForPolicy_in *in, struct owners *owners)
{
    static const char *const filters[] = { [ENTITY_USER] = "User", [ENTITY_GROUP] = "Group", [ENTITY_ROLE] = "Role" };
    size_t kept = 0;
    qsort(owners->items, owners->n, sizeof *owners->items, by_place);
    for (size_t i = 0; i < owners->n; i++) {
        const struct owner *one = &owners->items[i];
        if ((!in->entity_filter.ptr || str_is(in->entity_filter, filters[one->entity.kind])) &&
            (!in->path_prefix.ptr || str_starts(one->entity.path, in->path_prefix)) &&
            (kept == 0 || !str_eq(owners->items[kept - 1].place, one->place)))
            owners->items[kept++] = *one;
    }
    owners->n = kept;
}

static void add(struct call *call, const struct entity *owner, struct iam_ListEntitiesForPolicy_out *out)
{
    if (owner->kind == ENTITY_USER) {
        struct iam_PolicyUser *user = out->policy_users.items[out->policy_users.n++] = ARENA_NEW(call->arena, struct iam_PolicyUser);
        *user = (struct iam_PolicyUser){ owner->name, owner->id };
    } else if (owner->kind == ENTITY_GROUP) {
        struct iam_PolicyGroup *group = out->policy_groups.items[out->policy_groups.n++] = ARENA_NEW(call->arena, struct iam_PolicyGroup);
        *group = (struct iam_PolicyGroup){ owner->name, owner->id };
    } else {
        struct iam_PolicyRole *role = out->policy_roles.items[out->policy_roles.n++] = ARENA_NEW(call->arena, struct iam_PolicyRole);
        *role = (struct iam_PolicyRole){ owner->name, owner->id };
    }
}

gh_err iam_ListEntitiesForPolicy(struct call *call, const struct iam_ListEntitiesForPolicy_in *in,
                                 struct iam_ListEntitiesForPolicy_out *out)
{
    static const char *const kinds[] = { "user", "group", "role", "boundary" };
    struct owners owners = { 0 };
    struct entity policy;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err && !managed_find(in->policy_arn))
        err = iam_find_policy(call, NULL, in->policy_arn, &policy);
    for (size_t i = 0; !err && i < COUNT(kinds); i++) {
        bool boundary = strcmp(kinds[i], "boundary") == 0;
        if (!in->policy_usage_filter.ptr || boundary == str_is(in->policy_usage_filter, "PermissionsBoundary"))
            err = add_owners(call, in->policy_arn, kinds[i], &owners);
    }
    if (err)
        return err;
    sift(in, &owners);
    struct iam_cut cut = iam_cut(call, &page, owners.items, owners.n, nth_place);
    out->policy_users = (struct iam_PolicyUserListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_PolicyUser *, cut.n) };
    out->policy_groups = (struct iam_PolicyGroupListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_PolicyGroup *, cut.n) };
    out->policy_roles = (struct iam_PolicyRoleListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_PolicyRole *, cut.n) };
    for (size_t i = 0; i < cut.n; i++)
        add(call, &owners.items[cut.first + i].entity, out);
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}
