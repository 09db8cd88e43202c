/* What AWS refuses in a pool's LambdaConfig. */
#include "identity/triggers/trigger.h"

/* Fields of arn:partition:service:region:account:... */
static struct str arn_region(struct str arn)
{
    struct str field = STR_NONE;
    for (int i = 0; i < 4; i++)
        if (!str_split(&arn, ':', &field))
            return STR_NONE;
    return field;
}

static gh_err refuse(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

static gh_err check_key(struct call *call, const struct idp_LambdaConfigType *config, struct str region)
{
    if ((config->custom_email_sender || config->custom_sms_sender) && !config->kms_key_id.ptr)
        return refuse(call, "KMSKeyId parameter is required when Custom SMS/Email Lambda trigger is used.");
    struct str key_region = arn_region(config->kms_key_id);
    if (config->kms_key_id.ptr && !str_eq(key_region, region))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid arn %.*s", STR_FMT(key_region));
    return NULL;
}

static gh_err check_token_version(struct call *call, const struct idp_UserPoolType *doc)
{
    const struct idp_LambdaConfigType *config = doc->lambda_config;
    const struct idp_PreTokenGenerationVersionConfigType *versioned = config->pre_token_generation_config;
    if (!versioned)
        return NULL;
    if (config->pre_token_generation.ptr && !str_eq(config->pre_token_generation, versioned->lambda_arn))
        return refuse(call, "Cannot use PreTokenGenerationLambda and PreTokenGeneration with different Lambda "
                            "function ARN's");
    if (str_is(doc->user_pool_tier, "LITE") && !str_is(versioned->lambda_version, "V1_0"))
        return gh_fail(call->arena, &idp_FeatureUnavailableInTierException,
                       "The following features need to be disabled for the LITE pricing tier configured: Token "
                       "Customization with Pre-Token Generation Lambda %.*s",
                       STR_FMT(versioned->lambda_version));
    return NULL;
}

gh_err trigger_check_config(struct call *call, const struct idp_UserPoolType *doc)
{
    const struct pool pool = { .doc = (struct idp_UserPoolType *)doc };
    struct str region = arn_region(doc->arn);
    if (!doc->lambda_config)
        return NULL;
    for (int i = 0; i < TRIGGERS; i++) {
        struct str function = trigger_function(&pool, (enum trigger)i);
        if (function.ptr && !str_eq(arn_region(function), region))
            return refuse(call, "Cross-region lambda functions are not supported");
    }
    gh_err err = check_key(call, doc->lambda_config, region);
    return err ? err : check_token_version(call, doc);
}
