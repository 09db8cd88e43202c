/* StartWebAuthnRegistration, CompleteWebAuthnRegistration. */
#include "core/base64.h"
#include "core/json.h"
#include "identity/passkeys/passkey.h"
#include "identity/passkeys/challenge.h"

enum { TIMEOUT_MS = 60000 }; /* the browser's */

static gh_err too_many(struct call *call)
{
    return gh_fail(call->arena, &idp_LimitExceededException, "A user can have at most %d passkeys.",
                   PASSKEYS_OF_USER);
}

/* Whom the authenticator shows: where usernames are subs, what people sign in by. */
static struct str shown_name(const struct access *access)
{
    const struct pool *pool = &access->client.pool;
    struct str email = user_attribute(&access->user, "email"),
               phone = user_attribute(&access->user, "phone_number");
    if (!pool_names_are_subs(pool))
        return access->user.username;
    return pool_signs_in_by(pool, "email") && email.len ? email : phone.len ? phone : access->user.username;
}

static json_t *creation_options(struct call *call, const struct access *access,
                                const struct webauthn_rule *rule, struct str verification,
                                const struct passkey_row *rows, size_t n)
{
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
    json_set_str(options, "challenge", base64url_encode(call->arena, passkey_challenge_new(call, access)));
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
        err = store_passkey_list(call->db, NULL, call->arena, access.client.pool.id, access.user.sub, &rows,
                                 &n);
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
    struct str attachment = json_str(credential, "authenticatorAttachment"),
               aaguid = hex_encode(call->arena, fresh->aaguid);
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
    struct tx tx;
    int64_t n = 0;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = passkey_challenge_spend(call, &tx, challenge, until_s);
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
    if (!passkey_id(call, credential, &id) ||
        !passkey_member(call, response, "clientDataJSON", &client_data) ||
        !passkey_member(call, response, "attestationObject", &object) ||
        !client_data_read(call->arena, client_data, &client))
        return invalid(call, webauthn_verdict_text(WEBAUTHN_MALFORMED));
    gh_err err = passkey_rule(call, &access->client.pool, &rule, &verification);
    if (!err)
        err = passkey_challenge_check(call, access, client.challenge, &until_s);
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

gh_err idp_CompleteWebAuthnRegistration(struct call *call,
                                        const struct idp_CompleteWebAuthnRegistration_in *in,
                                        struct idp_CompleteWebAuthnRegistration_out *out)
{
    struct access access;
    (void)out;
    gh_err err = access_load(call, in->access_token, &access);
    if (!err)
        err = passkey_check_enabled(call, &access.client.pool);
    return err ? err : complete(call, &access, in->credential);
}
