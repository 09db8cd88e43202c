#include "identity/pools/options.h"

#include "core/log.h"
#include "identity/pools/errand.h"
#include "identity/store/pool.h"
#include "identity/triggers/webhook.h"

#define WEBHOOK(trigger)                                                                                     \
    { "webhook." trigger, OPTION_TEXT, 1, 2048, NULL,                                                        \
      "https address (http: of this machine) asked in place of LambdaConfig." trigger ", signed" }

static const struct option_spec specs[] = {
    { "lockoutAfterFailures", OPTION_COUNT, 1, 1000, NULL,
      "wrong passwords in a row after which a user waits: 1 s, then twice as long each time (not set: 5, as on AWS)" },
    { "lockoutMaxSeconds", OPTION_COUNT, 1, 86400, NULL, "the longest of these waits (not set: 900, as on AWS)" },
    { "lockoutForgetSeconds", OPTION_COUNT, 60, 86400, NULL,
      "without a wrong password for so long, counting begins anew (not set: 900, as on AWS)" },
    { "ipFailuresPerMinute", OPTION_COUNT, 0, 1000000, NULL,
      "wrong passwords and codes that one address (of IPv6: one /64) may give in a minute; then TooManyRequestsException "
      "(not set: 60, and any number from this machine; 0: any number)" },
    { "authEventDays", OPTION_COUNT, 1, 36500, NULL,
      "how long AdminListUserAuthEvents remembers, in days (not set: 730, as on AWS)" },
    { "refuseCompromisedPasswords", OPTION_FLAG, 0, 0, NULL,
      "new passwords that are in the list of --compromised-passwords are refused, without threat protection (not set: as "
      "CompromisedCredentialsRiskConfiguration says)" },
    { "capForgotPassword", OPTION_COUNT, 1, 1000000, NULL, "ForgotPassword of a user in an hour (not set: 20)" },
    { "capConfirmForgotPassword", OPTION_COUNT, 1, 1000000, NULL,
      "ConfirmForgotPassword of a user in an hour (not set: 15, and 5 after wrong passwords that lock the user; "
      "AWS: 5 to 20, by risk)" },
    { "capResendConfirmationCode", OPTION_COUNT, 1, 1000000, NULL, "ResendConfirmationCode of a user in an hour (not set: 5)" },
    { "capConfirmSignUp", OPTION_COUNT, 1, 1000000, NULL, "ConfirmSignUp of a user in an hour (not set: 15)" },
    { "capChangePassword", OPTION_COUNT, 1, 1000000, NULL, "ChangePassword of a user in an hour (not set: 5)" },
    { "capGetUserAttributeVerificationCode", OPTION_COUNT, 1, 1000000, NULL,
      "GetUserAttributeVerificationCode of a user in an hour (not set: 5)" },
    { "capVerifyUserAttribute", OPTION_COUNT, 1, 1000000, NULL, "VerifyUserAttribute of a user in an hour (not set: 15)" },
    WEBHOOK("PreSignUp"),
    WEBHOOK("PostConfirmation"),
    WEBHOOK("PreAuthentication"),
    WEBHOOK("PostAuthentication"),
    WEBHOOK("CustomMessage"),
    WEBHOOK("UserMigration"),
    WEBHOOK("PreTokenGeneration"),
    WEBHOOK("DefineAuthChallenge"),
    WEBHOOK("CreateAuthChallenge"),
    WEBHOOK("VerifyAuthChallengeResponse"),
    WEBHOOK("CustomEmailSender"),
    WEBHOOK("CustomSMSSender"),
    { "webhookTokenVersion", OPTION_TEXT, 1, 8, "V1_0|V2_0|V3_0",
      "which event webhook.PreTokenGeneration gets (not set: V1_0)" },
    { "triggerTimeoutMs", OPTION_COUNT, 50, 60000, NULL,
      "how long one try of a trigger may take; there are three (not set: 5000, as on AWS)" },
    { "machineTokenAudience", OPTION_TEXT, 0, 16, "client|resource",
      "`aud` of GetClientToken's tokens: the client's id, or the resource servers of their scopes (not set: none, as on AWS)" },
    { "keyListedSeconds", OPTION_COUNT, 300, 604800, NULL,
      "how long the next signing keys stand in the JWKS before they sign (not set: 7200; the JWKS may be kept for 300)" },
    { "keyRotationDays", OPTION_COUNT, 1, 3650, NULL,
      "age at which signing keys are rotated, at the first sign-in then (not set: never; gatehouse pool keys POOL rotate)" },
    { "migrateFromEndpoint", OPTION_TEXT, 1, 2048, NULL,
      "address of another pool's server (https://cognito-idp.eu-west-1.amazonaws.com): who is unknown here and signs in "
      "with a password is tried there and, if it is right, made a user here" },
    { "migrateFromClient", OPTION_TEXT, 1, 128, NULL, "the app client there; it allows USER_PASSWORD_AUTH" },
    { "migrateFromClientSecret", OPTION_SECRET, 1, 64, NULL, "its secret, if it has one" },
    { "migrateFromPool", OPTION_TEXT, 1, 55, NULL, "the pool's id there, for AdminGetUser" },
    { "migrateFromRegion", OPTION_TEXT, 1, 32, NULL, "its region, to sign for (not set: this one)" },
    { "migrateFromAccessKey", OPTION_TEXT, 16, 128, NULL,
      "an access key that may AdminGetUser there: for ForgotPassword, and for users with a second factor there" },
    { "migrateFromSecretKey", OPTION_SECRET, 1, 128, NULL, "its secret" },
    { "migrateFromTimeoutMs", OPTION_COUNT, 100, 20000, NULL, "how long each of two requests may take (not set: 5000)" },
    { "passkeyOrigins", OPTION_TEXT, 0, 2048, NULL,
      "origins besides https://RelyingPartyId that passkeys may be used on, apart by commas: apps' own, as "
      "android:apk-key-hash:... (not set: none)" },
};
const struct option_table pool_options = { specs, COUNT(specs) };

static const struct str SHOWN = STR_INIT("(set)"); /* a secret, to whoever asks */

static struct str place(struct call *call, struct str pool_id, const char *name)
{
    return str_printf(call->arena, "pool-option/%.*s/%s", STR_FMT(pool_id), name);
}

struct str pool_option_secret(struct call *call, const struct pool *pool, const char *name)
{
    struct str sealed = option_text(pool->more, name), plain = STR_NONE;
    if (!sealed.ptr || unseal(call->sealer, call->arena, place(call, pool->id, name), sealed, &plain))
        return plain;
    log_at(LOG_ERROR, "a sealed option does not open", { "pool", pool->id }, { "option", str_of(name) });
    return STR_NONE;
}

/* Secrets are shown as set, not as what they are. */
static struct str shown(struct call *call, const struct pool *pool)
{
    json_t *all = json_own(call->arena, json_object());
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(pool->more, "options"), name, value) {
        const struct option_spec *spec = option_find(&pool_options, name);
        if (spec && spec->kind == OPTION_SECRET)
            json_set_str(all, name, SHOWN);
        else
            json_object_set(all, name, value);
    }
    return json_print(call->arena, all);
}

gh_err pool_options_get(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct pool pool;
    gh_err err = pool_load(call, errand->pool_id, &pool);
    if (!err)
        *json = shown(call, &pool);
    return err;
}

static gh_err bad(struct call *call, struct str why)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%.*s", STR_FMT(why));
}

/* What was named and is a secret is sealed for its place; as it was shown, it stays what it is. */
static void seal_secrets(struct call *call, struct str pool_id, json_t *options, const json_t *changes,
                         const json_t *before)
{
    for (size_t i = 0; i < pool_options.n; i++) {
        const struct option_spec *spec = &pool_options.specs[i];
        struct str given = json_str(changes, spec->name), old = json_str(before, spec->name);
        if (spec->kind != OPTION_SECRET || !given.ptr)
            continue;
        bool same = str_eq(given, SHOWN) && old.ptr;
        json_set_str(options, spec->name,
                     same ? old : seal(call->sealer, call->arena, place(call, pool_id, spec->name), given));
    }
}

static gh_err change(struct call *call, const struct pool_errand *errand, struct pool *pool)
{
    struct str why = STR_NONE;
    const json_t *changes = json_parse(call->arena, *errand->body, &why);
    if (!json_is_object(changes))
        return bad(call, STR("Send a JSON object of options: {\"name\": value}. null takes one away"));
    json_t *before = json_object_get(pool->more, "options");
    json_t *options = json_own(call->arena, json_object());
    if (before && !str_is(errand->method, "PUT"))
        json_object_update(options, before);
    if (!options_change(call->arena, &pool_options, options, changes, &why))
        return bad(call, why);
    struct str bad_webhook = webhook_options_bad(call->arena, options);
    if (bad_webhook.ptr)
        return bad(call, bad_webhook);
    seal_secrets(call, pool->id, options, changes, before);
    json_object_set(pool->more, "options", options);
    return NULL;
}

gh_err pool_options_put(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct pool pool;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena); /* two changes at once: the second sees the first */
    gh_err err = pool_load_in(call, &tx, errand->pool_id, &pool);
    if (!err)
        err = change(call, errand, &pool);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    store_pool_update_more(&tx, pool.id, json_print(call->arena, pool.more));
    err = tx_commit(&tx);
    if (!err)
        *json = shown(call, &pool);
    return err;
}
