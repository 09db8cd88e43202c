#include "identity/passkeys/webauthn_key.h"

#include "core/digest.h"

/* Authenticator data: 32 bytes hash of the relying party's id, flags, counter (4 bytes); then, as flags say,
 * the new credential (model 16, length of its id 2, id, COSE key) and extensions. */
enum {
    HEAD_BYTES = 37,
    AAGUID_BYTES = 16,
    USER_PRESENT = 0x01,
    USER_VERIFIED = 0x04,
    BACKUP_ELIGIBLE = 0x08,
    BACKED_UP = 0x10,
    HAS_CREDENTIAL = 0x40,
    HAS_EXTENSIONS = 0x80,
};

struct auth_data {
    struct str party_hash;
    uint8_t flags;
    uint32_t counter;
    struct str aaguid, id;
    const cbor_item_t *key; /* NULL: none */
};

static cbor_item_t *take_item(struct arena *arena, struct str *rest)
{
    size_t len = cbor_tree_extent(*rest);
    cbor_item_t *item = len ? cbor_tree_read(arena, str_sub(*rest, 0, len)) : NULL;
    *rest = str_from(*rest, len);
    return item && cbor_isa_map(item) ? item : NULL;
}

static uint32_t number(struct str bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.ptr[i];
    return value;
}

static bool auth_data_read(struct arena *arena, struct str bytes, struct auth_data *out)
{
    *out = (struct auth_data){ .flags = 0 };
    if (bytes.len < HEAD_BYTES || bytes.len > WEBAUTHN_OBJECT_MOST)
        return false;
    out->party_hash = str_sub(bytes, 0, SHA256_BYTES);
    out->flags = (uint8_t)bytes.ptr[SHA256_BYTES];
    out->counter = number(str_sub(bytes, SHA256_BYTES + 1, 4));
    if (out->flags & BACKED_UP && !(out->flags & BACKUP_ELIGIBLE))
        return false;
    struct str rest = str_from(bytes, HEAD_BYTES);
    if (out->flags & HAS_CREDENTIAL) {
        if (rest.len < AAGUID_BYTES + 2)
            return false;
        size_t len = number(str_sub(rest, AAGUID_BYTES, 2));
        out->aaguid = str_sub(rest, 0, AAGUID_BYTES);
        rest = str_from(rest, AAGUID_BYTES + 2);
        if (!len || len > WEBAUTHN_ID_MOST || len > rest.len)
            return false;
        out->id = str_sub(rest, 0, len);
        rest = str_from(rest, len);
        if (!(out->key = take_item(arena, &rest)))
            return false;
    }
    if (out->flags & HAS_EXTENSIONS && !take_item(arena, &rest)) /* outputs of which we asked for none */
        return false;
    return rest.len == 0;
}

/* What both ceremonies ask of client data and authenticator data. */
static enum webauthn_verdict check(struct arena *arena, const struct webauthn_rule *rule,
                                   struct str client_data, const char *type, const struct auth_data *auth)
{
    struct client_data client;
    uint8_t hash[SHA256_BYTES];
    if (!client_data_read(arena, client_data, &client))
        return WEBAUTHN_MALFORMED;
    if (!str_is(client.type, type))
        return WEBAUTHN_WRONG_CEREMONY;
    if (!digest_equal(client.challenge, rule->challenge))
        return WEBAUTHN_WRONG_CHALLENGE;
    if (client.cross_origin || !webauthn_origin_is_allowed(client.origin, rule))
        return WEBAUTHN_WRONG_ORIGIN;
    digest_sha256(rule->rp_id, hash);
    if (!str_eq(auth->party_hash, digest_str(hash, sizeof hash)))
        return WEBAUTHN_WRONG_PARTY;
    if (!(auth->flags & USER_PRESENT))
        return WEBAUTHN_NOT_PRESENT;
    if (rule->verify_user && !(auth->flags & USER_VERIFIED))
        return WEBAUTHN_NOT_VERIFIED;
    return WEBAUTHN_OK;
}

enum webauthn_verdict webauthn_register(struct arena *arena, const struct webauthn_rule *rule,
                                        struct str client_data, struct str attestation_object,
                                        struct webauthn_new *out)
{
    struct auth_data auth;
    json_t *jwk;
    const cbor_item_t *object =
        attestation_object.len <= WEBAUTHN_OBJECT_MOST ? cbor_tree_read(arena, attestation_object) : NULL;
    struct str format = cbor_tree_text(cbor_tree_member(object, "fmt")),
               raw = cbor_tree_bytes(cbor_tree_member(object, "authData"));
    const cbor_item_t *statement = cbor_tree_member(object, "attStmt");
    if (!format.ptr || !raw.ptr || !statement || (!cbor_isa_map(statement) && !str_is(format, "compound")) ||
        !auth_data_read(arena, raw, &auth) || !auth.key)
        return WEBAUTHN_MALFORMED;
    enum webauthn_verdict verdict = check(arena, rule, client_data, "webauthn.create", &auth);
    if (verdict == WEBAUTHN_OK)
        verdict = webauthn_jwk(arena, auth.key, &jwk);
    if (verdict == WEBAUTHN_OK)
        verdict = webauthn_check_statement(arena, format, statement, jwk, raw, client_data);
    if (verdict != WEBAUTHN_OK)
        return verdict;
    *out = (struct webauthn_new){
        .key = { auth.id, jwk, auth.counter },
        .aaguid = auth.aaguid,
        .format = format,
        .user_verified = auth.flags & USER_VERIFIED,
        .backup_eligible = auth.flags & BACKUP_ELIGIBLE,
        .backed_up = auth.flags & BACKED_UP,
    };
    return WEBAUTHN_OK;
}

enum webauthn_verdict webauthn_sign_in(struct arena *arena, const struct webauthn_rule *rule,
                                       const struct webauthn_key *key, struct str client_data,
                                       struct str authenticator_data, struct str signature,
                                       struct webauthn_seen *out)
{
    struct auth_data auth;
    if (!auth_data_read(arena, authenticator_data, &auth))
        return WEBAUTHN_MALFORMED;
    enum webauthn_verdict verdict = check(arena, rule, client_data, "webauthn.get", &auth);
    if (verdict != WEBAUTHN_OK)
        return verdict;
    if (!webauthn_is_signed(arena, key->jwk, webauthn_signed_bytes(arena, authenticator_data, client_data),
                            signature))
        return WEBAUTHN_WRONG_SIGNATURE;
    /* "If the new count is less than or equal to the stored one: a signal that the authenticator may be
     * cloned." */
    if ((auth.counter || key->counter) && auth.counter <= key->counter)
        return WEBAUTHN_COUNTER;
    *out = (struct webauthn_seen){ auth.counter, auth.flags & USER_VERIFIED, auth.flags & BACKED_UP };
    return WEBAUTHN_OK;
}
