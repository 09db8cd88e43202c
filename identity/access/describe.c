#include "identity/access/describe.h"

#include "gen/cognito_identity.h"
#include "gen/cognito_idp.h"

#pragma weak ci_ListTagsForResource /* as every handler: it may not be built */

/* Tags are what the service's own operation lists. What cannot be read is not told: the operation that was
 * called will say why. */
static void describe_user_pool(struct call *call, struct str arn, struct policy_context *context)
{
    const struct idp_ListTagsForResource_in in = { .resource_arn = arn };
    struct idp_ListTagsForResource_out out = { 0 };
    if (str_find_str(arn, STR(":userpool/")) < 0 || idp_ListTagsForResource(call, &in, &out))
        return;
    for (size_t i = 0; i < out.tags.n; i++)
        policy_context_add_tagged(context, "aws:ResourceTag/", out.tags.items[i].key, out.tags.items[i].value);
}

static void describe_identity_pool(struct call *call, struct str arn, struct policy_context *context)
{
    const struct ci_ListTagsForResource_in in = { .resource_arn = arn };
    struct ci_ListTagsForResource_out out = { 0 };
    if (!ci_ListTagsForResource || str_find_str(arn, STR(":identitypool/")) < 0 || ci_ListTagsForResource(call, &in, &out))
        return;
    for (size_t i = 0; i < out.tags.n; i++)
        policy_context_add_tagged(context, "aws:ResourceTag/", out.tags.items[i].key, out.tags.items[i].value);
}

static const char *const keys[] = { "aws:ResourceTag/", NULL };
const struct describer user_pool_describer = { keys, describe_user_pool };
const struct describer identity_pool_describer = { keys, describe_identity_pool };
