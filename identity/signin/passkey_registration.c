/* StartWebAuthnRegistration, CompleteWebAuthnRegistration.
 *
 * Between the two nothing is kept: the challenge itself says when it was given out and at which client, and that
 * it was us, to this user. When it has been answered it is spent. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/log.h"
#include "identity/signin/passkey.h"
#include "identity/tokens/token.h"

enum { TIMEOUT_MS = 60000, CHALLENGE_TTL_S = 120 }; /* the browser's, and ours with the way there and back */

struct challenge {
    uint8_t at[8]; /* microseconds, big-endian */
    uint8_t chance[16];
    uint8_t client[8];
    uint8_t mac[16];
};

static struct str bytes_of(const struct challenge *challenge)
{
    return digest_str((const uint8_t *)challenge, sizeof *challenge);
}

static void mac_into(struct call *call, const char *purpose, struct str who, struct str data, uint8_t *out, size_t n)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, str_of(purpose), str_printf(call->arena, "%.*s/%.*s", STR_FMT(who), STR_FMT(base64url_encode(call->arena, data))), mac);
    memcpy(out, mac, n);
}

static void sign(struct call *call, const struct access *access, struct challenge *challenge, uint8_t mac[16])
{
    mac_into(call, "passkey-challenge", access->user.sub,
             str_concat(call->arena, access->client.pool.id, digest_str((const uint8_t *)challenge, offsetof(struct challenge, mac))),
             mac, sizeof challenge->mac);
}

static struct challenge challenge_new(struct call *call, const struct access *access)
{
    struct challenge challenge;
    for (int i = 0; i < 8; i++)
        challenge.at[i] = (uint8_t)((uint64_t)call->now_us >> (56 - 8 * i));
    env_random(call->env, challenge.chance, sizeof challenge.chance);
    mac_into(call, "passkey-client", access->client.id, digest_str(challenge.chance, sizeof challenge.chance),
             challenge.client, sizeof challenge.client);
    sign(call, access, &challenge, challenge.mac);
    return challenge;
}

/* Errors: WebAuthnChallengeNotFoundException ("... has expired"), WebAuthnClientMismatchException ("the access token
 * is for a different client than the one in the original StartWebAuthnRegistration request"). */
static gh_err challenge_check(struct call *call, const struct access *access, struct str given, int64_t *until_s)
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
    mac_into(call, "passkey-client", access->client.id, digest_str(challenge.chance, sizeof challenge.chance), client,
             sizeof client);
    if (digest_equal(digest_str(client, sizeof client), digest_str(challenge.client, sizeof client)))
        return NULL;
    return gh_fail(call->arena, &idp_WebAuthnClientMismatchException,
                   "The registration was started with another app client's access token.");
}

static gh_err too_many(struct call *call)
{
    return gh_fail(call->arena, &idp_LimitExceededException, "A user can have at most %d passkeys.", PASSKEYS_OF_USER);
}

/* Whom the authenticator shows: where usernames are subs, what people sign in by. */
static struct str shown_name(const struct access *access)
{
    const struct pool *pool = &access->client.pool;
    struct str email = user_attribute(&access->user, "email"), phone = user_attribute(&access->user, "phone_number");
    if (!pool_names_are_subs(pool))
        return access->user.username;
    return pool_signs_in_by(pool, "email") && email.len ? email : phone.len ? phone : access->user.username;
}

static json_t *creation_options(struct call *call, const struct access *access, const struct webauthn_rule *rule,
                                struct str verification, const struct passkey_row *rows, size_t n)
{
    struct challenge challenge = challenge_new(call, access);
    json_t *options = json_own(call->arena, json_object()), *party = json_object(), *user = json_object(),
           *selection = json_object(), *algorithms = json_array();
    json_set_str(party, "id", rule->rp_id);
    json_set_str(party, "name", rule->rp_id);
    json_set_str(user, "id", base64url_encode(call->arena, access->user.sub));
    json_set_str(user, "name", shown_name(access));
    json_set_str(user, "displayName", shown_name(access));
    json_set_flag(selection, "requireResidentKey", true);
    json_set_str(selection, "residentKey", STR("required"));
    json_set_str(selection, "userVerification", verification);
    json_array_append_new(algorithms, json_pack("{s:s,s:i}", "type", "public-key", "alg", WEBAUTHN_ES256));
    json_array_append_new(algorithms, json_pack("{s:s,s:i}", "type", "public-key", "alg", WEBAUTHN_RS256));
    json_object_set_new(options, "rp", party);
    json_object_set_new(options, "user", user);
    json_set_str(options, "challenge", base64url_encode(call->arena, bytes_of(&challenge)));
    json_object_set_new(options, "pubKeyCredParams", algorithms);
    json_set_i64(options, "timeout", TIMEOUT_MS);
    json_object_set(options, "excludeCredentials", passkey_descriptors(call, rows, n));
    json_object_set_new(options, "authenticatorSelection", selection);
    json_set_str(options, "attestation", STR("none"));
    return options;
}

gh_err idp_StartWebAuthnRegistration(struct call *call, const struct idp_StartWebAuthnRegistration_in *in,
                                     struct idp_StartWebAuthnRegistration_out *out)
{
    struct access access;
    struct webauthn_rule rule;
    struct str verification;
    struct passkey_row *rows;
    size_t n;
    gh_err err = access_load(call, in->access_token, &access);
    if (!err)
        err = passkey_check_enabled(call, &access.client.pool);
    if (!err)
        err = passkey_rule(call, &access.client.pool, &rule, &verification);
    if (!err)
        err = store_passkey_list(call->db, NULL, call->arena, access.client.pool.id, access.user.sub, &rows, &n);
    if (err)
        return err;
    if (n >= PASSKEYS_OF_USER)
        return too_many(call);
    out->credential_creation_options = creation_options(call, &access, &rule, verification, rows, n);
    return NULL;
}

/* ---- its answer ---- */

static gh_err invalid(struct call *call, const char *why)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid credential: %s.", why);
}

static gh_err refusal(struct call *call, enum webauthn_verdict verdict)
{
    static const struct gh_kind *const kinds[] = {
        [WEBAUTHN_WRONG_ORIGIN] = &idp_WebAuthnOriginNotAllowedException,
        [WEBAUTHN_WRONG_PARTY] = &idp_WebAuthnRelyingPartyMismatchException,
        [WEBAUTHN_NOT_VERIFIED] = &idp_WebAuthnCredentialNotSupportedException,
        [WEBAUTHN_UNSUPPORTED] = &idp_WebAuthnCredentialNotSupportedException,
        [WEBAUTHN_COUNTER] = NULL,
    };
    const char *why = webauthn_verdict_text(verdict);
    if (!kinds[verdict])
        return invalid(call, why);
    return gh_fail(call->arena, kinds[verdict], "The passkey was not registered: %s.", why);
}

/* Providers that people know by name; others are told apart by what they are. */
static struct str friendly_name(struct str aaguid_hex, struct str attachment)
{
    static const struct {
        const char *aaguid, *name;
    } known[] = {
        { "ea9b8d664d011d213ce4b6b48cb575d4", "Google Password Manager" },
        { "fbfc3007154e4ecc8c0b6e020557d7bd", "iCloud Keychain" },
        { "08987058cadc4b81b6e130de50dcbe96", "Windows Hello" },
        { "adce000235bcc60a648b0b25f1f05503", "Chrome on Mac" },
        { "bada5566a7aa401fbd9645619a55120d", "1Password" },
        { "d548826e79b4db40a3d811116f7e8349", "Bitwarden" },
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_is(aaguid_hex, known[i].aaguid))
            return str_of(known[i].name);
    return str_is(attachment, "cross-platform") ? STR("Security key") : STR("Passkey");
}

/* "usb", "internal", ...: words that a browser gave, kept for the descriptors of the next ceremony. */
static json_t *transports_of(struct call *call, const json_t *response)
{
    json_t *kept = json_own(call->arena, json_array()), *one;
    size_t i;
    json_array_foreach(json_object_get(response, "transports"), i, one) {
        struct str word = json_value_str(one);
        bool good = word.len > 0 && word.len <= 32 && json_array_size(kept) < 8;
        for (size_t k = 0; good && k < word.len; k++)
            good = (word.ptr[k] >= 'a' && word.ptr[k] <= 'z') || word.ptr[k] == '-';
        if (good)
            json_array_append(kept, one);
    }
    return kept;
}

static struct str doc_of(struct call *call, const json_t *credential, const struct webauthn_new *fresh,
                         const struct webauthn_rule *rule)
{
    json_t *doc = json_own(call->arena, json_object());
    struct str attachment = json_str(credential, "authenticatorAttachment"), aaguid = hex_encode(call->arena, fresh->aaguid);
    if (!str_is(attachment, "platform") && !str_is(attachment, "cross-platform"))
        attachment = STR_NONE;
    json_object_set(doc, "key", (json_t *)(uintptr_t)fresh->key.jwk);
    json_set_str(doc, "name", friendly_name(aaguid, attachment));
    json_set_str(doc, "party", rule->rp_id);
    json_set_str(doc, "attachment", attachment);
    json_object_set(doc, "transports", transports_of(call, json_object_get(credential, "response")));
    json_set_str(doc, "aaguid", aaguid);
    json_set_str(doc, "format", fresh->format);
    json_set_flag(doc, "verified", fresh->user_verified);
    json_set_flag(doc, "eligible", fresh->backup_eligible);
    json_set_flag(doc, "backedUp", fresh->backed_up);
    return json_print(call->arena, doc);
}

/* Spends the challenge and writes the row, both or neither. */
static gh_err keep(struct call *call, const struct passkey_row *row, struct str challenge, int64_t until_s)
{
    uint8_t mac[SHA256_BYTES];
    struct tx tx;
    bool fresh;
    int64_t n = 0;
    sealer_mac(call->sealer, STR("pool-spent"), challenge, mac);
    tx_begin(&tx, call->db, call->arena);
    store_spend(&tx, base64url_encode(call->arena, digest_str(mac, sizeof mac)), until_s, call->now_us / 1000000, &fresh);
    gh_err err = tx.err;
    if (!err && !fresh)
        err = gh_fail(call->arena, &idp_WebAuthnChallengeNotFoundException, "The challenge has been used already.");
    if (!err)
        err = store_passkey_count(call->db, &tx, call->arena, row->pool, row->sub, &n);
    if (!err && n >= PASSKEYS_OF_USER)
        err = too_many(call);
    if (!err) {
        store_passkey_insert(&tx, row);
        err = tx.err ? tx.err : tx.changes ? NULL : invalid(call, "it is registered already");
    }
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    return tx_commit(&tx);
}

static gh_err complete(struct call *call, const struct access *access, const json_t *credential)
{
    const json_t *response = json_object_get(credential, "response");
    struct str id, client_data, object, verification;
    struct client_data client;
    struct webauthn_rule rule;
    struct webauthn_new fresh;
    int64_t until_s;
    if (!passkey_id(call, credential, &id) || !passkey_member(call, response, "clientDataJSON", &client_data) ||
        !passkey_member(call, response, "attestationObject", &object) ||
        !client_data_read(call->arena, client_data, &client))
        return invalid(call, webauthn_verdict_text(WEBAUTHN_MALFORMED));
    gh_err err = passkey_rule(call, &access->client.pool, &rule, &verification);
    if (!err)
        err = challenge_check(call, access, client.challenge, &until_s);
    if (err)
        return err;
    rule.challenge = client.challenge;
    enum webauthn_verdict verdict = webauthn_register(call->arena, &rule, client_data, object, &fresh);
    if (verdict == WEBAUTHN_OK && !str_eq(id, fresh.key.id))
        verdict = WEBAUTHN_MALFORMED;
    if (verdict != WEBAUTHN_OK)
        return refusal(call, verdict);
    const struct passkey_row row = {
        .pool = access->client.pool.id,
        .id = base64url_encode(call->arena, id),
        .sub = access->user.sub,
        .created_us = call->now_us,
        .used_us = call->now_us,
        .counter = fresh.key.counter,
        .doc = doc_of(call, credential, &fresh, &rule),
    };
    return keep(call, &row, client.challenge, until_s);
}

gh_err idp_CompleteWebAuthnRegistration(struct call *call, const struct idp_CompleteWebAuthnRegistration_in *in,
                                        struct idp_CompleteWebAuthnRegistration_out *out)
{
    struct access access;
    (void)out;
    gh_err err = access_load(call, in->access_token, &access);
    if (!err)
        err = passkey_check_enabled(call, &access.client.pool);
    return err ? err : complete(call, &access, in->credential);
}
