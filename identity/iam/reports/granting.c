/* ListPoliciesGrantingServiceAccess: which policies let somebody into which services. */
#include "identity/iam/reports/carried.h"

static struct iam_PolicyGrantingServiceAccess *describe(struct call *call, const struct carried *one)
{
    static const char *const owners[] = { [ENTITY_USER] = "USER", [ENTITY_GROUP] = "GROUP", [ENTITY_ROLE] = "ROLE" };
    struct iam_PolicyGrantingServiceAccess *out = ARENA_NEW(call->arena, struct iam_PolicyGrantingServiceAccess);
    out->policy_name = one->name;
    out->policy_type = one->arn.ptr ? STR("MANAGED") : STR("INLINE");
    if (one->arn.ptr) {
        out->policy_arn = one->arn;
    } else { /* "Inline policies do not have an ARN": whose it is says which one is meant */
        out->entity_type = str_of(owners[one->owner->kind]);
        out->entity_name = one->owner->name;
    }
    return out;
}

static bool is_before(const struct carried_list *list, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (list->items[i].arn.ptr && list->items[at].arn.ptr && str_eq(list->items[i].arn, list->items[at].arn))
            return true;
    return false;
}

static struct str nth_namespace(const void *items, size_t i)
{
    return ((const struct str *)items)[i];
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

gh_err iam_ListPoliciesGrantingServiceAccess(struct call *call, const struct iam_ListPoliciesGrantingServiceAccess_in *in,
                                             struct iam_ListPoliciesGrantingServiceAccess_out *out)
{
    struct entity entity;
    struct carried_list list;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, (struct opt_i64){ 0 }, &page);
    if (!err)
        err = carrier_find(call, in->arn, &entity);
    if (!err)
        err = carried_by(call, &entity, &list);
    if (err)
        return err;
    struct str *names = in->service_namespaces.items;
    qsort(names, in->service_namespaces.n, sizeof *names, by_text);
    struct iam_cut cut = iam_cut(call, &page, names, in->service_namespaces.n, nth_namespace);
    struct iam_listPolicyGrantingServiceAccessResponseListType *entries = &out->policies_granting_service_access;
    *entries = (struct iam_listPolicyGrantingServiceAccessResponseListType){
        true, cut.n, ARENA_ARRAY(call->arena, struct iam_ListPoliciesGrantingServiceAccessEntry *, cut.n) };
    for (size_t i = 0; i < cut.n; i++) {
        struct iam_ListPoliciesGrantingServiceAccessEntry *entry = entries->items[i] =
            ARENA_NEW(call->arena, struct iam_ListPoliciesGrantingServiceAccessEntry);
        entry->service_namespace = names[cut.first + i];
        entry->policies = (struct iam_policyGrantingServiceAccessListType){
            true, 0, ARENA_ARRAY(call->arena, struct iam_PolicyGrantingServiceAccess *, list.n) };
        for (size_t p = 0; p < list.n; p++)
            if (policy_grants_service(&list.items[p].policy, entry->service_namespace) && !is_before(&list, p))
                entry->policies.items[entry->policies.n++] = describe(call, &list.items[p]);
    }
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}
