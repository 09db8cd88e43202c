/* Public keys of credentials, and the statements of attestation that are signed by them or by their makers.
 */
#include "identity/passkeys/webauthn_key.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/key.h"

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

static void set_number(struct arena *arena, json_t *jwk, const char *name, const cbor_item_t *cose,
                       int64_t label)
{
    struct str bytes = cbor_tree_bytes(cbor_tree_numbered(cose, label));
    if (bytes.ptr)
        json_set_str(jwk, name, base64url_encode(arena, bytes));
}

/* As a JWK, so that core/key.h reads it: which refuses points off their curve and moduli that are too short.
 */
enum webauthn_verdict webauthn_jwk(struct arena *arena, const cbor_item_t *cose, json_t **out)
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
struct str webauthn_signed_bytes(struct arena *arena, struct str authenticator_data, struct str client_data)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(client_data, hash);
    return str_concat(arena, authenticator_data, digest_str(hash, sizeof hash));
}

bool webauthn_is_signed(struct arena *arena, const json_t *jwk, struct str bytes, struct str signature)
{
    enum key_alg alg;
    const struct key *key = key_of(arena, jwk, &alg);
    return key && key_verify_der(key, alg, bytes, signature);
}

/* ---- attestation ---- */

static bool is_standard(struct str format)
{
    static const char *const formats[] = {
        "none", "packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "compound"
    };
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
    bool ok = key && ctx &&
              EVP_DigestVerifyInit_ex(ctx, NULL, rows[row].digest, NULL, NULL, key, NULL) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                               (const unsigned char *)bytes.ptr, bytes.len) == 1;
    EVP_MD_CTX_free(ctx);
    X509_free(x509);
    return ok;
}

/* "packed", 8.2: signed by the maker's key where there are certificates, else by the new key itself. */
static bool packed_is_right(struct arena *arena, const cbor_item_t *statement, const json_t *jwk,
                            struct str bytes)
{
    int64_t alg;
    const cbor_item_t *chain = cbor_tree_member(statement, "x5c");
    struct str signature = cbor_tree_bytes(cbor_tree_member(statement, "sig"));
    if (!signature.ptr || !cbor_tree_int(cbor_tree_member(statement, "alg"), &alg))
        return false;
    if (!chain)
        return alg == (str_is(json_str(jwk, "alg"), "ES256") ? WEBAUTHN_ES256 : WEBAUTHN_RS256) &&
               webauthn_is_signed(arena, jwk, bytes, signature);
    return cbor_isa_array(chain) && cbor_array_size(chain) > 0 &&
           is_signed_by_maker(cbor_tree_bytes(cbor_array_handle(chain)[0]), alg, bytes, signature);
}

enum webauthn_verdict webauthn_check_statement(struct arena *arena, struct str format,
                                               const cbor_item_t *statement, const json_t *jwk,
                                               struct str raw, struct str client_data)
{
    if (!is_standard(format))
        return WEBAUTHN_UNSUPPORTED;
    if (str_is(format, "none"))
        return cbor_map_size(statement) == 0 ? WEBAUTHN_OK : WEBAUTHN_MALFORMED;
    if (str_is(format, "packed") &&
        !packed_is_right(arena, statement, jwk, webauthn_signed_bytes(arena, raw, client_data)))
        return WEBAUTHN_WRONG_SIGNATURE;
    return WEBAUTHN_OK;
}
