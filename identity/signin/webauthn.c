#include "identity/signin/webauthn.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/base64.h"
#include "core/cbor_tree.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/key.h"

/* Authenticator data: 32 bytes hash of the relying party's id, flags, counter (4 bytes); then, as flags say, the
 * new credential (model 16, length of its id 2, id, COSE key) and extensions. */
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
static enum webauthn_verdict check(struct arena *arena, const struct webauthn_rule *rule, struct str client_data,
                                   const char *type, const struct auth_data *auth)
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

/* ---- keys ---- */

/* Labels of COSE keys, RFC 9052 and 9053. */
enum { COSE_KTY = 1, COSE_ALG = 3, COSE_CURVE = -1, COSE_X = -2, COSE_Y = -3, COSE_N = -1, COSE_E = -2 };
enum { KTY_EC = 2, KTY_RSA = 3, CURVE_P256 = 1 };

static void free_key(void *key)
{
    key_free(key);
}

static const struct key *key_of(struct arena *arena, const json_t *jwk, enum key_alg *alg)
{
    struct key *key = key_alg_of(json_str(jwk, "alg"), alg) ? key_from_jwk(arena, jwk) : NULL;
    if (key)
        arena_defer(arena, free_key, key);
    return key;
}

static void set_number(struct arena *arena, json_t *jwk, const char *name, const cbor_item_t *cose, int64_t label)
{
    struct str bytes = cbor_tree_bytes(cbor_tree_numbered(cose, label));
    if (bytes.ptr)
        json_set_str(jwk, name, base64url_encode(arena, bytes));
}

/* As a JWK, so that core/key.h reads it: which refuses points off their curve and moduli that are too short. */
static enum webauthn_verdict jwk_of(struct arena *arena, const cbor_item_t *cose, json_t **out)
{
    int64_t kty, alg, curve = 0;
    enum key_alg named;
    json_t *jwk = json_own(arena, json_object());
    if (!cbor_tree_int(cbor_tree_numbered(cose, COSE_KTY), &kty) ||
        !cbor_tree_int(cbor_tree_numbered(cose, COSE_ALG), &alg))
        return WEBAUTHN_MALFORMED;
    if (alg == WEBAUTHN_ES256 && kty == KTY_EC) {
        if (!cbor_tree_int(cbor_tree_numbered(cose, COSE_CURVE), &curve) || curve != CURVE_P256)
            return WEBAUTHN_MALFORMED;
        json_set_str(jwk, "kty", STR("EC"));
        json_set_str(jwk, "alg", STR("ES256"));
        json_set_str(jwk, "crv", STR("P-256"));
        set_number(arena, jwk, "x", cose, COSE_X);
        set_number(arena, jwk, "y", cose, COSE_Y);
    } else if (alg == WEBAUTHN_RS256 && kty == KTY_RSA) {
        json_set_str(jwk, "kty", STR("RSA"));
        json_set_str(jwk, "alg", STR("RS256"));
        set_number(arena, jwk, "n", cose, COSE_N);
        set_number(arena, jwk, "e", cose, COSE_E);
    } else {
        return alg == WEBAUTHN_ES256 || alg == WEBAUTHN_RS256 ? WEBAUTHN_MALFORMED : WEBAUTHN_UNSUPPORTED;
    }
    *out = jwk;
    return key_of(arena, jwk, &named) ? WEBAUTHN_OK : WEBAUTHN_MALFORMED;
}

/* Both ceremonies sign the authenticator data followed by the client data's hash. */
static struct str signed_bytes(struct arena *arena, struct str authenticator_data, struct str client_data)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(client_data, hash);
    return str_concat(arena, authenticator_data, digest_str(hash, sizeof hash));
}

static bool is_signed(struct arena *arena, const json_t *jwk, struct str bytes, struct str signature)
{
    enum key_alg alg;
    const struct key *key = key_of(arena, jwk, &alg);
    return key && key_verify_der(key, alg, bytes, signature);
}

/* ---- a new credential ---- */

static bool is_standard(struct str format)
{
    static const char *const formats[] = { "none",        "packed",  "tpm",     "android-key", "android-safetynet",
                                           "fido-u2f",    "apple",   "compound" };
    for (size_t i = 0; i < COUNT(formats); i++)
        if (str_is(format, formats[i]))
            return true;
    return false;
}

/* Of the certificate's key, whatever it is: these are the makers' keys, not the users'. */
static bool is_signed_by_maker(struct str certificate, int64_t alg, struct str bytes, struct str signature)
{
    static const struct {
        int64_t alg;
        const char *digest; /* NULL: part of the algorithm */
    } rows[] = { { -7, "SHA256" },   { -35, "SHA384" },  { -36, "SHA512" }, { -257, "SHA256" },
                 { -258, "SHA384" }, { -259, "SHA512" }, { -8, NULL } };
    size_t row = 0;
    while (row < COUNT(rows) && rows[row].alg != alg)
        row++;
    const unsigned char *at = (const unsigned char *)certificate.ptr;
    X509 *x509 = row < COUNT(rows) && certificate.ptr ? d2i_X509(NULL, &at, (long)certificate.len) : NULL;
    EVP_PKEY *key = x509 ? X509_get0_pubkey(x509) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = key && ctx && EVP_DigestVerifyInit_ex(ctx, NULL, rows[row].digest, NULL, NULL, key, NULL) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                               (const unsigned char *)bytes.ptr, bytes.len) == 1;
    EVP_MD_CTX_free(ctx);
    X509_free(x509);
    return ok;
}

/* "packed", 8.2: signed by the maker's key where there are certificates, else by the new key itself. */
static bool packed_is_right(struct arena *arena, const cbor_item_t *statement, const json_t *jwk, struct str bytes)
{
    int64_t alg;
    const cbor_item_t *chain = cbor_tree_member(statement, "x5c");
    struct str signature = cbor_tree_bytes(cbor_tree_member(statement, "sig"));
    if (!signature.ptr || !cbor_tree_int(cbor_tree_member(statement, "alg"), &alg))
        return false;
    if (!chain)
        return alg == (str_is(json_str(jwk, "alg"), "ES256") ? WEBAUTHN_ES256 : WEBAUTHN_RS256) &&
               is_signed(arena, jwk, bytes, signature);
    return cbor_isa_array(chain) && cbor_array_size(chain) > 0 &&
           is_signed_by_maker(cbor_tree_bytes(cbor_array_handle(chain)[0]), alg, bytes, signature);
}

static enum webauthn_verdict check_statement(struct arena *arena, struct str format, const cbor_item_t *statement,
                                             const json_t *jwk, struct str raw, struct str client_data)
{
    if (!is_standard(format))
        return WEBAUTHN_UNSUPPORTED;
    if (str_is(format, "none"))
        return cbor_map_size(statement) == 0 ? WEBAUTHN_OK : WEBAUTHN_MALFORMED;
    if (str_is(format, "packed") && !packed_is_right(arena, statement, jwk, signed_bytes(arena, raw, client_data)))
        return WEBAUTHN_WRONG_SIGNATURE;
    return WEBAUTHN_OK;
}

enum webauthn_verdict webauthn_register(struct arena *arena, const struct webauthn_rule *rule, struct str client_data,
                                        struct str attestation_object, struct webauthn_new *out)
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
        verdict = jwk_of(arena, auth.key, &jwk);
    if (verdict == WEBAUTHN_OK)
        verdict = check_statement(arena, format, statement, jwk, raw, client_data);
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

/* ---- a sign-in ---- */

enum webauthn_verdict webauthn_sign_in(struct arena *arena, const struct webauthn_rule *rule,
                                       const struct webauthn_key *key, struct str client_data,
                                       struct str authenticator_data, struct str signature, struct webauthn_seen *out)
{
    struct auth_data auth;
    if (!auth_data_read(arena, authenticator_data, &auth))
        return WEBAUTHN_MALFORMED;
    enum webauthn_verdict verdict = check(arena, rule, client_data, "webauthn.get", &auth);
    if (verdict != WEBAUTHN_OK)
        return verdict;
    if (!is_signed(arena, key->jwk, signed_bytes(arena, authenticator_data, client_data), signature))
        return WEBAUTHN_WRONG_SIGNATURE;
    /* "If the new count is less than or equal to the stored one: a signal that the authenticator may be cloned." */
    if ((auth.counter || key->counter) && auth.counter <= key->counter)
        return WEBAUTHN_COUNTER;
    *out = (struct webauthn_seen){ auth.counter, auth.flags & USER_VERIFIED, auth.flags & BACKED_UP };
    return WEBAUTHN_OK;
}
