/* What functions may have on AWS and none has here: the questions have true answers. Making one is
 * not built, and says so (501). */
#include "functions/ops/common.h"

static gh_err nothing_there(struct call *call, struct str function_name, struct str qualifier)
{
    struct named named;
    gh_err err = named_resolve(call, function_name, qualifier, &named);
    return err ? err : lambda_fail(call, &lambda_ResourceNotFoundException, "The resource you requested does not exist.");
}

gh_err lambda_GetFunctionUrlConfig(struct call *call, const struct lambda_GetFunctionUrlConfig_in *in,
                                   struct lambda_GetFunctionUrlConfig_out *out)
{
    (void)out;
    return nothing_there(call, in->function_name, in->qualifier);
}

gh_err lambda_DeleteFunctionUrlConfig(struct call *call, const struct lambda_DeleteFunctionUrlConfig_in *in,
                                      struct lambda_DeleteFunctionUrlConfig_out *out)
{
    (void)out;
    return nothing_there(call, in->function_name, in->qualifier);
}

gh_err lambda_GetFunctionCodeSigningConfig(struct call *call, const struct lambda_GetFunctionCodeSigningConfig_in *in,
                                           struct lambda_GetFunctionCodeSigningConfig_out *out)
{
    struct function_row function;
    struct named named;
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err)
        err = named_row(call, NULL, &named, &function);
    out->function_name = named.id.name;
    return err;
}
