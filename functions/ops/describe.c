/* What policies may ask of a function as it is: aws:ResourceTag/K. */
#include "functions/ops/describe.h"

#include "functions/ops/common.h"
#include "wire/codec_json.h"

/* Versions and aliases go by their function's tags. What cannot be read is not told: the operation itself will
 * say why. */
static void describe(struct call *call, struct str arn, struct policy_context *context)
{
    struct named named;
    struct function_row row;
    struct lambda_Tags tags = { 0 };
    if (str_find_str(arn, STR(":function:")) < 0 || named_resolve(call, arn, STR_NONE, &named) || named_row(call, NULL, &named, &row))
        return;
    shape_parse(call->arena, &lambda_shape_Tags, row.tags, &tags);
    for (size_t i = 0; i < tags.n; i++)
        policy_context_add_tagged(context, "aws:ResourceTag/", tags.items[i].key, tags.items[i].value);
}

static const char *const keys[] = { "aws:ResourceTag/", NULL };
const struct describer function_describer = { keys, describe };
