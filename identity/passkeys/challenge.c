#include "identity/passkeys/challenge.h"

#include "core/base64.h"
#include "core/digest.h"
#include "identity/signin/sign_in.h"

enum { CHALLENGE_TTL_S = 120 }; /* a browser has 60 s; with the way there and back */

struct challenge {
    uint8_t at[8]; /* microseconds, big-endian */
    uint8_t chance[16];
    uint8_t client[8];
    uint8_t mac[16];
};

static void mac_into(struct call *call, const char *purpose, struct str who, struct str data, uint8_t *out,
                     size_t n)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(
        call->sealer, str_of(purpose),
        str_printf(call->arena, "%.*s/%.*s", STR_FMT(who), STR_FMT(base64url_encode(call->arena, data))),
        mac);
    memcpy(out, mac, n);
}

static void sign(struct call *call, const struct access *access, struct challenge *challenge, uint8_t mac[16])
{
    mac_into(call, "passkey-challenge", access->user.sub,
             str_concat(call->arena, access->client.pool.id,
                        digest_str((const uint8_t *)challenge, offsetof(struct challenge, mac))),
             mac, sizeof challenge->mac);
}

struct str passkey_challenge_new(struct call *call, const struct access *access)
{
    struct challenge challenge;
    for (int i = 0; i < 8; i++)
        challenge.at[i] = (uint8_t)((uint64_t)call->now_us >> (56 - 8 * i));
    env_random(call->env, challenge.chance, sizeof challenge.chance);
    mac_into(call, "passkey-client", access->client.id, digest_str(challenge.chance, sizeof challenge.chance),
             challenge.client, sizeof challenge.client);
    sign(call, access, &challenge, challenge.mac);
    return str_copy(call->arena, digest_str((const uint8_t *)&challenge, sizeof challenge));
}

gh_err passkey_challenge_check(struct call *call, const struct access *access, struct str given,
                               int64_t *until_s)
{
    struct challenge challenge;
    uint8_t mac[16], client[8];
    bool ours = given.len == sizeof challenge;
    if (ours) {
        memcpy(&challenge, given.ptr, sizeof challenge);
        sign(call, access, &challenge, mac);
        ours = digest_equal(digest_str(mac, sizeof mac), digest_str(challenge.mac, sizeof mac));
    }
    uint64_t at = 0;
    for (int i = 0; ours && i < 8; i++)
        at = at << 8 | challenge.at[i];
    *until_s = (int64_t)at / 1000000 + CHALLENGE_TTL_S;
    if (!ours || call->now_us / 1000000 >= *until_s)
        return gh_fail(call->arena, &idp_WebAuthnChallengeNotFoundException,
                       "The challenge was not found or has expired. Start the registration again.");
    mac_into(call, "passkey-client", access->client.id, digest_str(challenge.chance, sizeof challenge.chance),
             client, sizeof client);
    if (digest_equal(digest_str(client, sizeof client), digest_str(challenge.client, sizeof client)))
        return NULL;
    return gh_fail(call->arena, &idp_WebAuthnClientMismatchException,
                   "The registration was started with another app client's access token.");
}

gh_err passkey_challenge_spend(struct call *call, struct tx *tx, struct str challenge, int64_t until_s)
{
    bool fresh;
    store_spend(tx, sign_in_spent_mac(call, challenge), until_s, call->now_us / 1000000, &fresh);
    if (tx->err || fresh)
        return tx->err;
    return gh_fail(call->arena, &idp_WebAuthnChallengeNotFoundException,
                   "The challenge has been used already.");
}
