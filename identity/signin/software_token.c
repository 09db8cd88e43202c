/* The authenticator app of a user: AssociateSoftwareToken, VerifySoftwareToken, AdminDeleteSoftwareToken.
 *
 * Each takes an access token, or the Session of an MFA_SETUP challenge; then the new secret travels in the
 * Session until a code proves it, and only then stands with the user. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/log.h"
#include "identity/signin/mfa.h"
#include "identity/signin/sign_in.h"
#include "identity/signin/totp.h"

enum { DEVICE_NAME_MAX = 1024 };

static struct str seed_place(struct call *call, const struct user *user)
{
    return str_printf(call->arena, "pool-totp/%.*s/%.*s", STR_FMT(user->pool), STR_FMT(user->sub));
}

static struct str open_seed(struct call *call, const struct user *user, struct str sealed)
{
    struct str seed = STR_NONE;
    if (!sealed.ptr || unseal(call->sealer, call->arena, seed_place(call, user), sealed, &seed))
        return seed;
    log_at(LOG_ERROR, "a sealed value does not open", { "what", STR("TOTP seed") }, { "pool", user->pool },
           { "sub", user->sub });
    return STR_NONE;
}

struct str totp_seed(struct call *call, const struct user *user)
{
    return open_seed(call, user, json_str(json_object_get(user->more, "totp"), "seed"));
}

void totp_give(struct call *call, struct user *user, struct str seed)
{
    json_t *totp = json_object();
    json_set_str(totp, "seed", seal(call->sealer, call->arena, seed_place(call, user), seed));
    json_object_set_new(user->more, "totp", totp);
}

struct str totp_device_name(const struct user *user)
{
    return json_str(json_object_get(user->more, "totp"), "name");
}

struct str totp_use(struct call *call, const struct user *user, int64_t step, int64_t *until_s)
{
    *until_s = (step + TOTP_WINDOW + 1) * TOTP_STEP_S + 1;
    return str_printf(call->arena, "totp/%.*s/%.*s/%lld", STR_FMT(user->pool), STR_FMT(user->sub),
                      (long long)step);
}

gh_err totp_used(struct call *call)
{
    return gh_fail(call->arena, &idp_ExpiredCodeException, "Your software token has already been used once.");
}

static gh_err not_offered(struct call *call)
{
    return gh_fail(call->arena, &idp_SoftwareTokenMFANotFoundException,
                   "Software Token MFA has not been enabled by the userPool");
}

/* Who asks: by an access token, or in the middle of a sign-in. */
struct asker {
    struct client client;
    struct user user;
    bool signing_in;
    struct sign_in sign_in;
};

static gh_err find_asker(struct call *call, struct str access_token, struct str session, struct asker *out)
{
    gh_err err;
    if (access_token.ptr) {
        struct access access;
        err = access_load(call, access_token, &access);
        *out = (struct asker){ .client = access.client, .user = access.user };
    } else if (session.ptr) {
        err = sign_in_open(call, session, "MFA_SETUP", &out->sign_in);
        out->signing_in = true;
        out->client = out->sign_in.client;
        out->user = out->sign_in.user;
        if (!err && !out->user.sub.ptr)
            err = gh_fail(call->arena, &idp_NotAuthorizedException, "Invalid session for the user.");
        if (!err)
            err = sign_in_check_user(&out->sign_in);
    } else {
        err = gh_fail(call->arena, &idp_InvalidParameterException,
                      "Missing required parameter AccessToken or Session");
    }
    if (!err && !(pool_mfa_offered(&out->client.pool) & MFA_BIT(MFA_TOTP)))
        err = not_offered(call);
    return err;
}

gh_err idp_AssociateSoftwareToken(struct call *call, const struct idp_AssociateSoftwareToken_in *in,
                                  struct idp_AssociateSoftwareToken_out *out)
{
    struct asker asker = { .signing_in = false };
    gh_err err = find_asker(call, in->access_token, in->session, &asker);
    if (err)
        return err;
    uint8_t bytes[TOTP_SECRET_BYTES];
    env_random(call->env, bytes, sizeof bytes);
    struct str seed = digest_str(bytes, sizeof bytes);
    struct str sealed = seal(call->sealer, call->arena, seed_place(call, &asker.user), seed);
    out->secret_code = base32_encode(call->arena, seed);
    digest_wipe(bytes, sizeof bytes);
    if (asker.signing_in) {
        sign_in_keep(&asker.sign_in, "MFA_SETUP", json_pack("{s:s}", "pending", sealed.ptr));
        out->session = sign_in_seal(&asker.sign_in);
        return NULL;
    }
    json_t *totp = json_object_get(asker.user.more, "totp");
    if (!totp) {
        totp = json_object();
        json_object_set_new(asker.user.more, "totp", totp);
    }
    json_set_str(totp, "pending", sealed);
    return user_save_alone(call, &asker.client.pool, &asker.user);
}

/* The new secret takes the old one's place; the step is used up, in the same commit. */
static gh_err accept(struct call *call, struct asker *asker, struct str sealed, struct str name, int64_t step)
{
    json_t *totp = json_object();
    json_object_set_new(asker->user.more, "totp", totp);
    json_set_str(totp, "seed", sealed);
    json_set_str(totp, "name", name);
    if (asker->signing_in) { /* who sets a factor up in order to sign in wants it */
        enum mfa_factor preferred;
        bool has = user_mfa_preferred(&asker->user, &preferred);
        user_mfa_set(&asker->user, user_mfa_enabled(&asker->user) | MFA_BIT(MFA_TOTP),
                     has ? &preferred : NULL);
    }
    int64_t until_s;
    bool fresh;
    struct str use = totp_use(call, &asker->user, step, &until_s);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_spend(&tx, sign_in_spent_mac(call, use), until_s, call->now_us / 1000000, &fresh);
    gh_err err =
        !tx.err && !fresh ? totp_used(call) : user_save(call, &tx, &asker->client.pool, &asker->user, false);
    if (!err)
        return tx_commit(&tx);
    tx_rollback(&tx);
    return err;
}

gh_err idp_VerifySoftwareToken(struct call *call, const struct idp_VerifySoftwareToken_in *in,
                               struct idp_VerifySoftwareToken_out *out)
{
    struct asker asker = { .signing_in = false };
    gh_err err = find_asker(call, in->access_token, in->session, &asker);
    if (err)
        return err;
    if (in->friendly_device_name.len > DEVICE_NAME_MAX)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "FriendlyDeviceName has at most %d bytes.", DEVICE_NAME_MAX);
    const json_t *kept = asker.signing_in ? sign_in_recall(&asker.sign_in, "MFA_SETUP")
                                          : json_object_get(asker.user.more, "totp");
    struct str sealed = str_copy(call->arena, json_str(kept, "pending")),
               seed = open_seed(call, &asker.user, sealed);
    if (!seed.ptr)
        return gh_fail(call->arena, &idp_SoftwareTokenMFANotFoundException,
                       "User has not set up software token mfa");
    int64_t step;
    if (!totp_find(seed, in->user_code, call->now_us / 1000000, &step))
        return asker.signing_in ? gh_fail(call->arena, &idp_CodeMismatchException, "Code mismatch")
                                : gh_fail(call->arena, &idp_EnableSoftwareTokenMFAException,
                                          "Code mismatch and fail enable Software Token MFA");
    err = accept(call, &asker, sealed, in->friendly_device_name, step);
    if (err)
        return err;
    if (asker.signing_in) {
        sign_in_keep(&asker.sign_in, "MFA_SETUP", json_pack("{s:s}", "done", mfa_name(MFA_TOTP)));
        out->session = sign_in_seal(&asker.sign_in);
    }
    out->status = STR("SUCCESS");
    return NULL;
}

gh_err idp_AdminDeleteSoftwareToken(struct call *call, const struct idp_AdminDeleteSoftwareToken_in *in,
                                    struct idp_AdminDeleteSoftwareToken_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    enum mfa_factor preferred;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (!err && str_eq(user.status, UNCONFIRMED))
        err = gh_fail(call->arena, &idp_UserNotConfirmedException, "User is not confirmed.");
    if (err)
        return err;
    json_object_del(user.more, "totp");
    bool has = user_mfa_preferred(&user, &preferred) && preferred != MFA_TOTP;
    user_mfa_set(&user, user_mfa_enabled(&user) & ~MFA_BIT(MFA_TOTP), has ? &preferred : NULL);
    return user_save_alone(call, &pool, &user);
}
