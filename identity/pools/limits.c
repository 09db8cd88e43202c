#include "identity/pools/limits.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/bucket.h"
#include "core/glob.h"
#include "core/map.h"
#include "gen/cognito_identity.h"
#include "gen/cognito_idp.h"
#include "identity/store/pool_record.h"

/* Without --limits aws an account may do this much more than on AWS before anybody has said anything. */
enum { OPEN_FACTOR = 100, MOST_PER_SECOND = 1000000, MOST_BUCKETS = 20000 };

/* "Quotas in Amazon Cognito": requests a second of an account in a region. */
static const struct category {
    const char *name;
    int64_t per_second;
} categories[] = {
    { "UserAuthentication", 120 },    { "UserCreation", 50 },          { "UserFederation", 25 },
    { "UserAccountRecovery", 30 },    { "UserRead", 120 },             { "UserUpdate", 25 },
    { "UserToken", 120 },             { "UserList", 30 },              { "UserResourceRead", 50 },
    { "UserResourceUpdate", 25 },     { "UserPoolRead", 15 },          { "UserPoolUpdate", 15 },
    { "UserPoolResourceRead", 20 },   { "UserPoolResourceUpdate", 15 }, { "UserPoolClientRead", 15 },
    { "UserPoolClientUpdate", 15 },   { "ClientAuthentication", 150 },
};

/* The first row that fits. */
static const struct {
    const char *operation, *category;
} members[] = {
    { "*InitiateAuth", "UserAuthentication" },
    { "*RespondToAuthChallenge", "UserAuthentication" },
    { "GetClientToken", "ClientAuthentication" },
    { "GetDerivedToken", "UserToken" },
    { "GetTokensFromRefreshToken", "UserToken" },
    { "RevokeToken", "UserToken" },
    { "AdminConfirmSignUp", "UserCreation" },
    { "AdminCreateUser", "UserCreation" },
    { "ConfirmSignUp", "UserCreation" },
    { "SignUp", "UserCreation" },
    { "AdminResetUserPassword", "UserAccountRecovery" },
    { "AdminSetUserPassword", "UserAccountRecovery" },
    { "ChangePassword", "UserAccountRecovery" },
    { "*ForgotPassword", "UserAccountRecovery" },
    { "AdminGetUser", "UserRead" },
    { "GetUser", "UserRead" },
    { "ListUsers*", "UserList" },
    { "Admin*UserToGroup", "UserUpdate" },
    { "Admin*UserFromGroup", "UserUpdate" },
    { "*UserAttributes", "UserUpdate" },
    { "VerifyUserAttribute", "UserUpdate" },
    { "*DeleteUser", "UserUpdate" },
    { "AdminDisable*", "UserUpdate" },
    { "AdminEnableUser", "UserUpdate" },
    { "AdminLinkProviderForUser", "UserUpdate" },
    { "*GlobalSignOut", "UserUpdate" },
    { "ResendConfirmationCode", "UserResourceRead" },
    { "GetUserAttributeVerificationCode", "UserResourceRead" },
    { "GetUserAuthFactors", "UserResourceRead" },
    { "*GetDevice", "UserResourceRead" },
    { "*ListDevices", "UserResourceRead" },
    { "ListWebAuthnCredentials", "UserResourceRead" },
    { "ListUserSessions", "UserResourceRead" },
    { "AdminList*", "UserResourceRead" },
    { "AdminGet*", "UserResourceRead" },
    { "Admin*", "UserResourceUpdate" },
    { "*Device", "UserResourceUpdate" },
    { "*DeviceStatus", "UserResourceUpdate" },
    { "*SoftwareToken", "UserResourceUpdate" },
    { "*WebAuthn*", "UserResourceUpdate" },
    { "SetUserMFAPreference", "UserResourceUpdate" },
    { "SetUserSettings", "UserResourceUpdate" },
    { "UpdateAuthEventFeedback", "UserResourceUpdate" },
    { "RevokeUserSession", "UserResourceUpdate" },
    { "DescribeUserPool", "UserPoolRead" },
    { "ListUserPools", "UserPoolRead" },
    { "CreateUserPool", "UserPoolUpdate" },
    { "UpdateUserPool", "UserPoolUpdate" },
    { "DeleteUserPool", "UserPoolUpdate" },
    { "DescribeUserPoolClient", "UserPoolClientRead" },
    { "ListUserPoolClient*", "UserPoolClientRead" },
    { "GetUserPoolClient*", "UserPoolClientRead" },
    { "*UserPoolClient*", "UserPoolClientUpdate" },
    { "Describe*", "UserPoolResourceRead" },
    { "Get*", "UserPoolResourceRead" },
    { "List*", "UserPoolResourceRead" },
    { "*", "UserPoolResourceUpdate" },
};

/* "Quotas in Amazon Cognito identity pools": each operation by itself. */
static const struct category pool_operations[] = {
    { "GetId", 25 }, { "GetCredentialsForIdentity", 200 }, { "GetOpenIdToken", 200 },
    { "GetOpenIdTokenForDeveloperIdentity", 200 },
};
static const struct category other_pool_operation = { "", 10 };

struct call_limits {
    struct identity *identity;
    bool aws;
    pthread_rwlock_t lock;
    struct map *buckets; /* "account/region/category" -> struct bucket */
};

const char *call_category(struct str operation)
{
    size_t i = 0;
    while (!glob_match(str_of(members[i].operation), operation))
        i++;
    return members[i].category;
}

static const struct category *category_of(struct str name)
{
    for (size_t i = 0; i < COUNT(categories); i++)
        if (str_is(name, categories[i].name))
            return &categories[i];
    return NULL;
}

static int64_t default_of(const struct call_limits *limits, const struct category *category)
{
    return limits->aws ? category->per_second : category->per_second * OPEN_FACTOR;
}

static struct str key_of(struct arena *arena, struct str account, struct str region, struct str category)
{
    return str_printf(arena, "%.*s/%.*s/%.*s", STR_FMT(account), STR_FMT(region), STR_FMT(category));
}

/* `anew` false: unless there is one. */
static void set(struct call_limits *limits, struct str key, int64_t per_second, bool anew)
{
    pthread_rwlock_wrlock(&limits->lock);
    if (anew || (!map_get(limits->buckets, key) && map_count(limits->buckets) < MOST_BUCKETS)) {
        struct bucket *bucket = calloc(1, sizeof *bucket);
        if (!bucket)
            abort();
        bucket_init(bucket, (double)per_second, per_second);
        free(map_set(limits->buckets, key, bucket));
    }
    pthread_rwlock_unlock(&limits->lock);
}

struct loading {
    struct call_limits *limits;
    struct arena *arena;
};

static void load_one(void *ctx, struct str account, struct str region, struct str category, int64_t per_second)
{
    struct loading *loading = ctx;
    set(loading->limits, key_of(loading->arena, account, region, category), per_second, true);
}

struct call_limits *call_limits_open(struct identity *identity, bool aws, struct arena *arena, struct str *why)
{
    struct call_limits *limits = calloc(1, sizeof *limits);
    if (!limits)
        abort();
    limits->identity = identity;
    limits->aws = aws;
    limits->buckets = map_new();
    pthread_rwlock_init(&limits->lock, NULL);
    struct loading loading = { limits, arena };
    gh_err err = store_limits(identity->db, arena, load_one, &loading);
    if (!err)
        return limits;
    *why = err->message;
    call_limits_close(limits);
    return NULL;
}

void call_limits_close(struct call_limits *limits)
{
    if (!limits)
        return;
    map_free(limits->buckets, free);
    pthread_rwlock_destroy(&limits->lock);
    free(limits);
}

/* 1: taken; 0: none left; -1: nobody has asked for this category yet. */
static int take(struct call_limits *limits, struct str key, int64_t now_us)
{
    pthread_rwlock_rdlock(&limits->lock);
    struct bucket *bucket = map_get(limits->buckets, key);
    int taken = bucket ? bucket_take(bucket, now_us) : -1;
    pthread_rwlock_unlock(&limits->lock);
    return taken;
}

static const struct category *category_of_call(const struct call *call)
{
    struct str name = str_of(call->operation->name);
    if (call->service == &idp_service)
        return category_of(str_of(call_category(name)));
    for (size_t i = 0; i < COUNT(pool_operations); i++)
        if (str_is(name, pool_operations[i].name))
            return &pool_operations[i];
    return &other_pool_operation;
}

gh_err call_limits_take(struct call *call, struct str account, struct str region)
{
    struct call_limits *limits = ((struct identity *)call->module)->limits;
    bool users = call->service == &idp_service;
    if (!limits || !call->operation || call->counted || (!users && call->service != &ci_service))
        return NULL;
    call->counted = true;
    const struct category *category = category_of_call(call);
    struct str key = key_of(call->arena, account, region, users ? str_of(category->name) : str_of(call->operation->action));
    int64_t now_us = env_monotonic_us(call->env);
    int taken = take(limits, key, now_us);
    if (taken < 0) {
        set(limits, key, default_of(limits, category), false);
        taken = take(limits, key, now_us);
    }
    return taken ? NULL : gh_fail(call->arena, users ? &idp_TooManyRequestsException : &ci_TooManyRequestsException,
                                  "Rate exceeded");
}

/* ---- operations ---- */

static gh_err category_asked(struct call *call, const struct idp_LimitDefinitionType *definition, const struct category **out)
{
    *out = NULL;
    for (size_t i = 0; i < definition->attributes.n; i++)
        if (str_is(definition->attributes.items[i].key, "Category"))
            *out = category_of(definition->attributes.items[i].value);
    if (*out && definition->attributes.n == 1)
        return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException,
                   "LimitDefinition.Attributes must be {\"Category\": one of Amazon Cognito's API categories}.");
}

static struct idp_LimitType *shown(struct call *call, struct idp_LimitDefinitionType *definition, int64_t value, int64_t free_value)
{
    struct idp_LimitType *limit = ARENA_NEW(call->arena, struct idp_LimitType);
    *limit = (struct idp_LimitType){ definition, some_i64(value), some_i64(free_value) };
    return limit;
}

gh_err idp_GetProvisionedLimit(struct call *call, const struct idp_GetProvisionedLimit_in *in,
                               struct idp_GetProvisionedLimit_out *out)
{
    const struct category *category;
    int64_t value;
    struct call_limits *limits = ((struct identity *)call->module)->limits;
    gh_err err = call_limits_take(call, call->account, call->region);
    if (!err)
        err = category_asked(call, in->limit_definition, &category);
    if (!err)
        err = store_limit_find(call->db, call->arena, call->account, call->region, str_of(category->name), &value);
    if (err)
        return err;
    int64_t free_value = default_of(limits, category);
    out->limit = shown(call, in->limit_definition, value < 0 ? free_value : value, free_value);
    return NULL;
}

/* "between default and account maximum". Without --limits aws an account may also hold itself to less. */
gh_err idp_UpdateProvisionedLimit(struct call *call, const struct idp_UpdateProvisionedLimit_in *in,
                                  struct idp_UpdateProvisionedLimit_out *out)
{
    const struct category *category;
    struct call_limits *limits = ((struct identity *)call->module)->limits;
    int64_t value = in->requested_limit_value.value;
    gh_err err = call_limits_take(call, call->account, call->region);
    if (!err)
        err = category_asked(call, in->limit_definition, &category);
    if (err)
        return err;
    int64_t free_value = default_of(limits, category), least = limits->aws ? free_value : 1;
    if (value < least)
        return gh_fail(call->arena, &idp_InvalidParameterException, "RequestedLimitValue must be at least %lld.",
                       (long long)least);
    if (value > MOST_PER_SECOND)
        return gh_fail(call->arena, &idp_ServiceQuotaExceededException, "RequestedLimitValue must be at most %d.",
                       MOST_PER_SECOND);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_limit_put(&tx, call->account, call->region, str_of(category->name), value);
    err = tx_commit(&tx);
    if (err)
        return err;
    set(limits, key_of(call->arena, call->account, call->region, str_of(category->name)), value, true);
    out->limit = shown(call, in->limit_definition, value, free_value);
    return NULL;
}
