#include "identity/iam/reports/simulate_scene.h"

#include "identity/iam/iam.h"
#include "identity/iam/reports/source.h"
#include "policy/arn.h"

/* "arn:aws:iam::1:user/path/name", of a user, group or role. */
gh_err simulated_source(struct call *call, struct str arn, struct entity *out)
{
    static const enum entity_kind kinds[] = { ENTITY_USER, ENTITY_GROUP, ENTITY_ROLE };
    struct str name = str_from(arn, (size_t)(str_find_last(arn, '/') + 1));
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct str head = str_printf(call->arena, ":%s/", entity_kind_name(kinds[i]));
        if (str_find_str(arn, head) < 0)
            continue;
        gh_err err = iam_find(call, NULL, kinds[i], name, out);
        return err || str_eq(out->arn, arn) ? err : iam_no_such(call, kinds[i], name);
    }
    return gh_fail(call->arena, &iam_InvalidInputException, "Invalid Entity Arn: %.*s does not clearly define entity type and name.",
                   STR_FMT(arn));
}

/* "arn:aws:iam::123456789012:user/x". */
static bool is_user(struct str arn, struct str *account)
{
    struct arn split;
    if (!arn_split(arn, &split) || !str_is(split.part[2], "iam") || split.part[4].len != 12 ||
        !str_starts(split.part[5], STR("user/")))
        return false;
    *account = split.part[4];
    return true;
}

static gh_err find_owner(struct call *call, struct str owner, struct str *account)
{
    struct arn split;
    bool is_root = arn_split(owner, &split) && str_is(split.part[5], "root") && split.part[4].len == 12;
    if (!is_root && owner.len != 12)
        return gh_fail(call->arena, &iam_InvalidInputException,
                       "Invalid Input ResourceOwner must be the ARN of an account: arn:aws:iam::123456789012:root");
    *account = is_root ? split.part[4] : owner;
    return NULL;
}

/* "Each of the EC2 scenarios requires that you specify instance, image, and security group resources", and more. */
static gh_err check_handling(struct call *call, const struct simulated_order *order)
{
    static const struct {
        const char *name, *needs[7];
    } options[] = {
        { "EC2-Classic-InstanceStore", { "instance", "image", "security-group" } },
        { "EC2-Classic-EBS", { "instance", "image", "security-group", "volume" } },
        { "EC2-VPC-InstanceStore", { "instance", "image", "security-group", "network-interface" } },
        { "EC2-VPC-InstanceStore-Subnet", { "instance", "image", "security-group", "network-interface", "subnet" } },
        { "EC2-VPC-EBS", { "instance", "image", "security-group", "network-interface", "volume" } },
        { "EC2-VPC-EBS-Subnet", { "instance", "image", "security-group", "network-interface", "subnet", "volume" } },
    };
    if (!order->handling.ptr)
        return NULL;
    for (size_t i = 0; i < COUNT(options); i++) {
        if (!str_is(order->handling, options[i].name))
            continue;
        for (const char *const *need = options[i].needs; *need; need++) {
            bool there = false;
            for (size_t r = 0; r < order->resources->n; r++)
                there |= str_find_str(order->resources->items[r], str_printf(call->arena, ":%s/", *need)) >= 0;
            if (!there)
                return gh_fail(call->arena, &iam_InvalidInputException, "Invalid Input %s needs a resource of type %s.",
                               options[i].name, *need);
        }
        return NULL;
    }
    return gh_fail(call->arena, &iam_InvalidInputException, "Invalid Input ResourceHandlingOption: %.*s", STR_FMT(order->handling));
}

gh_err simulated_scene(struct call *call, const struct simulated_order *order, const struct entity *source,
                       struct simulated_scene *out)
{
    struct arena *arena = call->arena;
    struct str account = call->account, owner = STR_NONE;
    *out = (struct simulated_scene){ 0 };
    if (order->caller_arn.ptr && !is_user(order->caller_arn, &account))
        return gh_fail(arena, &iam_InvalidInputException, "Invalid Input CallerArn must be the ARN of an IAM user.");
    /* "Simulation of resource-based policies isn't supported for IAM roles." */
    if (order->resource_policy.ptr && source && source->kind == ENTITY_ROLE)
        return gh_fail(arena, &iam_InvalidInputException,
                       "Invalid Input Simulation of resource-based policies is not supported for IAM roles.");
    /* "CallerArn is required if you include a ResourcePolicy and the PolicySourceArn is not the ARN for an IAM user." */
    if (order->resource_policy.ptr && !order->caller_arn.ptr && !(source && source->kind == ENTITY_USER))
        return gh_fail(arena, &iam_InvalidInputException, "Invalid Input CallerArn is required with ResourcePolicy.");
    if (order->caller_arn.ptr || (source && source->kind == ENTITY_USER)) {
        out->principal_arn = order->caller_arn.ptr ? order->caller_arn : source->arn;
        out->account = account;
    } else if (source && source->kind == ENTITY_ROLE) {
        out->role_arn = source->arn;
        out->account = account;
    }
    gh_err err = order->resource_owner.ptr ? find_owner(call, order->resource_owner, &owner) : NULL;
    out->cross_account = owner.ptr && !str_eq(owner, account);
    return err ? err : check_handling(call, order);
}
