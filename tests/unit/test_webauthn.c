#include "vectors.h"

#include "core/cbor_tree.h"
#include "core/digest.h"
#include "identity/passkeys/webauthn.h"

static const struct str RP = STR_INIT("example.org");
static json_t *all; /* the vectors of W3C Web Authentication Level 3 */

/* What becomes of each: the four keys that Cognito does not offer are refused, and so are pages in a frame of
 * another site, which the vectors have so that a relying party may allow them. */
static const struct {
    const char *id;
    enum webauthn_verdict registered;
} expected[] = {
    { "none-es256", WEBAUTHN_OK },
    { "packed-self-es256", WEBAUTHN_OK },
    { "none-es256-crossOrigin", WEBAUTHN_WRONG_ORIGIN },
    { "none-es256-topOrigin", WEBAUTHN_WRONG_ORIGIN },
    { "none-es256-long-credential-id", WEBAUTHN_OK },
    { "packed-es256", WEBAUTHN_OK },
    { "packed-es384", WEBAUTHN_UNSUPPORTED },
    { "packed-es512", WEBAUTHN_UNSUPPORTED },
    { "packed-rs256", WEBAUTHN_OK },
    { "packed-eddsa", WEBAUTHN_UNSUPPORTED },
    { "packed-ed448", WEBAUTHN_UNSUPPORTED },
    { "tpm-es256", WEBAUTHN_OK },
    { "android-key-es256", WEBAUTHN_OK },
    { "apple-es256", WEBAUTHN_OK },
    { "fido-u2f-es256", WEBAUTHN_OK },
};

struct ceremony {
    struct webauthn_rule rule;
    struct str client_data, object; /* attestation object, or authenticator data */
    struct str signature;
};

static const json_t *vector_named(const char *id)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(all, "vectors"), i, one)
        if (str_is(json_str(one, "id"), id))
            return one;
    fail_msg("no vector %s", id);
    return NULL;
}

static struct ceremony registration(struct arena *arena, const json_t *vector)
{
    const json_t *part = json_object_get(vector, "registration");
    return (struct ceremony){ { .rp_id = RP, .challenge = vector_hex(arena, part, "challenge") },
                              vector_hex(arena, part, "clientDataJSON"),
                              vector_hex(arena, part, "attestationObject"),
                              STR_NONE };
}

static struct ceremony authentication(struct arena *arena, const json_t *vector)
{
    const json_t *part = json_object_get(vector, "authentication");
    return (struct ceremony){ { .rp_id = RP, .challenge = vector_hex(arena, part, "challenge") },
                              vector_hex(arena, part, "clientDataJSON"),
                              vector_hex(arena, part, "authenticatorData"),
                              vector_hex(arena, part, "signature") };
}

static enum webauthn_verdict registers(struct arena *arena, const struct ceremony *c,
                                       struct webauthn_new *out)
{
    return webauthn_register(arena, &c->rule, c->client_data, c->object, out);
}

static enum webauthn_verdict signs_in(struct arena *arena, const struct ceremony *c,
                                      const struct webauthn_key *key)
{
    struct webauthn_seen seen;
    return webauthn_sign_in(arena, &c->rule, key, c->client_data, c->object, c->signature, &seen);
}

/* A copy with a byte changed by xor; negative counts from the end. */
static struct str changed(struct arena *arena, struct str bytes, ptrdiff_t at, uint8_t by)
{
    struct str copy = str_copy(arena, bytes);
    ((char *)(uintptr_t)copy.ptr)[at < 0 ? (ptrdiff_t)copy.len + at : at] ^= (char)by;
    return copy;
}

/* ... with a text in place of another, found in it. */
static struct str replaced(struct arena *arena, struct str bytes, struct str old, struct str fresh)
{
    ptrdiff_t at = str_find_str(bytes, old);
    if (at < 0)
        fail_msg("%.*s is not there", STR_FMT(old));
    return str_concat(arena, str_concat(arena, str_sub(bytes, 0, (size_t)at), fresh),
                      str_from(bytes, (size_t)at + old.len));
}

static void must_be(const char *id, const char *what, enum webauthn_verdict got, enum webauthn_verdict want)
{
    if (got != want)
        fail_msg("%s, %s: %d, not %d", id, what, (int)got, (int)want);
}

/* One thing changed at a time, in a registration that is accepted as it stands. */
static void registration_changes(struct arena *arena, const char *id, const json_t *vector)
{
    struct ceremony good = registration(arena, vector), bad;
    struct webauthn_new fresh;
    uint8_t hash[SHA256_BYTES];
    digest_sha256(RP, hash);
    struct str party = digest_str(hash, sizeof hash);
    ptrdiff_t head = str_find_str(good.object, party);
    assert_true(head > 0);
#define TRY(what, want, change)                                                                              \
    do {                                                                                                     \
        bad = good;                                                                                          \
        change;                                                                                              \
        must_be(id, what, registers(arena, &bad, &fresh), want);                                             \
    } while (0)
    TRY("another challenge", WEBAUTHN_WRONG_CHALLENGE,
        bad.rule.challenge = changed(arena, good.rule.challenge, 0, 1));
    TRY("another origin", WEBAUTHN_WRONG_ORIGIN,
        bad.client_data =
            replaced(arena, good.client_data, STR("https://example.org"), STR("https://example.com")));
    TRY("another relying party", WEBAUTHN_WRONG_PARTY, bad.object = changed(arena, good.object, head, 1));
    TRY("the other ceremony", WEBAUTHN_WRONG_CEREMONY,
        bad.client_data = replaced(arena, good.client_data, STR("webauthn.create"), STR("webauthn.get")));
    TRY("in a frame of another site", WEBAUTHN_WRONG_ORIGIN,
        bad.client_data =
            replaced(arena, good.client_data, STR("\"crossOrigin\":false"), STR("\"crossOrigin\":true")));
    TRY("nobody there", WEBAUTHN_NOT_PRESENT, bad.object = changed(arena, good.object, head + 32, 0x01));
    TRY("no attested credential", WEBAUTHN_MALFORMED,
        bad.object = changed(arena, good.object, head + 32, 0x40));
    TRY("extensions that are not there", WEBAUTHN_MALFORMED,
        bad.object = changed(arena, good.object, head + 32, 0x80));
    TRY("something behind the object", WEBAUTHN_MALFORMED,
        bad.object = str_concat(arena, good.object, STR("\0")));
    TRY("the object cut off", WEBAUTHN_MALFORMED, bad.object = str_sub(good.object, 0, good.object.len - 1));
    TRY("no object", WEBAUTHN_MALFORMED, bad.object = STR(""));
    TRY("an unknown format", WEBAUTHN_UNSUPPORTED, {
        const cbor_item_t *object = cbor_tree_read(arena, good.object);
        struct str name = cbor_tree_text(cbor_tree_member(object, "fmt"));
        bad.object = changed(arena, good.object, str_find_str(good.object, name), 1);
    });
    TRY("client data that is no JSON", WEBAUTHN_MALFORMED, bad.client_data = str_from(good.client_data, 1));
    TRY("client data that is a list", WEBAUTHN_MALFORMED, bad.client_data = STR("[]"));
    bool verified = good.object.ptr[head + 32] & 0x04;
    TRY("a user who must be verified", verified ? WEBAUTHN_OK : WEBAUTHN_NOT_VERIFIED,
        bad.rule.verify_user = true);
    if (str_starts(str_of(id), STR("packed")))
        TRY("a counter that the statement did not sign", WEBAUTHN_WRONG_SIGNATURE,
            bad.object = changed(arena, good.object, head + 36, 1));
    if (str_starts(str_of(id), STR("none")))
        TRY("a key off its curve", WEBAUTHN_MALFORMED, bad.object = changed(arena, good.object, -1, 1));
#undef TRY
}

static void sign_in_changes(struct arena *arena, const char *id, const json_t *vector,
                            const struct webauthn_key *key, const struct webauthn_key *other)
{
    struct ceremony good = authentication(arena, vector), bad;
    struct webauthn_key known;
#define TRY(what, want, change)                                                                              \
    do {                                                                                                     \
        bad = good;                                                                                          \
        known = *key;                                                                                        \
        change;                                                                                              \
        must_be(id, what, signs_in(arena, &bad, &known), want);                                              \
    } while (0)
    TRY("as it stands", WEBAUTHN_OK, (void)0);
    TRY("another challenge", WEBAUTHN_WRONG_CHALLENGE,
        bad.rule.challenge = changed(arena, good.rule.challenge, -1, 1));
    TRY("another origin", WEBAUTHN_WRONG_ORIGIN,
        bad.client_data = replaced(arena, good.client_data, STR("example.org"), STR("example.net")));
    TRY("another relying party", WEBAUTHN_WRONG_PARTY, bad.object = changed(arena, good.object, 31, 1));
    TRY("the other ceremony", WEBAUTHN_WRONG_CEREMONY,
        bad.client_data = replaced(arena, good.client_data, STR("webauthn.get"), STR("webauthn.create")));
    TRY("nobody there", WEBAUTHN_NOT_PRESENT, bad.object = changed(arena, good.object, 32, 0x01));
    TRY("a verified flag that was not signed", WEBAUTHN_WRONG_SIGNATURE,
        bad.object = changed(arena, good.object, 32, 0x04));
    TRY("backed up, but not eligible", WEBAUTHN_MALFORMED,
        bad.object = changed(arena, good.object, 32, (uint8_t)((good.object.ptr[32] & 0x18) ^ 0x10)));
    TRY("a byte of the signature", WEBAUTHN_WRONG_SIGNATURE,
        bad.signature = changed(arena, good.signature, -1, 1));
    TRY("no signature", WEBAUTHN_WRONG_SIGNATURE, bad.signature = STR(""));
    TRY("another credential's key", WEBAUTHN_WRONG_SIGNATURE, known = *other);
    TRY("a key that says another algorithm", WEBAUTHN_WRONG_SIGNATURE, {
        json_t *jwk = json_own(arena, json_copy((json_t *)(uintptr_t)key->jwk));
        json_set_str(jwk, "alg", str_is(json_str(jwk, "alg"), "ES256") ? STR("RS256") : STR("ES256"));
        known.jwk = jwk;
    });
    TRY("a counter that went back", WEBAUTHN_COUNTER, known.counter = 5);
    TRY("something behind the data", WEBAUTHN_MALFORMED,
        bad.object = str_concat(arena, good.object, STR("\0")));
    TRY("the data cut off", WEBAUTHN_MALFORMED, bad.object = str_sub(good.object, 0, 36));
    TRY("client data changed where nobody looks", WEBAUTHN_WRONG_SIGNATURE,
        bad.client_data = replaced(arena, good.client_data, STR("}"), STR(" }")));
    TRY("a user who must be verified", good.object.ptr[32] & 0x04 ? WEBAUTHN_OK : WEBAUTHN_NOT_VERIFIED,
        bad.rule.verify_user = true);
#undef TRY
}

static void vectors(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct webauthn_new other, fresh;
    const struct webauthn_key none = { .jwk = NULL };
    size_t accepted = 0;
    assert_int_equal(json_array_size(json_object_get(all, "vectors")), COUNT(expected));
    struct ceremony first = registration(arena, vector_named("none-es256-long-credential-id"));
    assert_int_equal(registers(arena, &first, &other), WEBAUTHN_OK);
    for (size_t i = 0; i < COUNT(expected); i++) {
        const char *id = expected[i].id;
        const json_t *vector = vector_named(id);
        struct ceremony made = registration(arena, vector);
        must_be(id, "registration", registers(arena, &made, &fresh), expected[i].registered);
        if (expected[i].registered == WEBAUTHN_WRONG_ORIGIN) /* the rest of it is right */
            made.client_data =
                replaced(arena, made.client_data, STR("\"crossOrigin\":true"), STR("\"crossOrigin\":false"));
        if (expected[i].registered == WEBAUTHN_UNSUPPORTED)
            continue;
        must_be(id, "registration", registers(arena, &made, &fresh), WEBAUTHN_OK);
        const json_t *part = json_object_get(vector, "registration");
        assert_true(str_eq(fresh.key.id, vector_hex(arena, part, "credential_id")));
        if (json_object_get(part, "aaguid"))
            assert_true(str_eq(fresh.aaguid, vector_hex(arena, part, "aaguid")));
        if (expected[i].registered != WEBAUTHN_OK) {
            struct ceremony used = authentication(arena, vector);
            must_be(id, "sign-in", signs_in(arena, &used, &fresh.key), WEBAUTHN_WRONG_ORIGIN);
            continue;
        }
        accepted++;
        registration_changes(arena, id, vector);
        must_be(id, "registration", registers(arena, &made, &fresh), WEBAUTHN_OK);
        sign_in_changes(arena, id, vector, &fresh.key,
                        strcmp(id, "none-es256-long-credential-id") == 0 ? &none : &other.key);
    }
    assert_int_equal(accepted, 9);
    arena_free(arena);
}

static const struct {
    const char *origin, *rp_id;
    bool allowed;
} origins[] = {
    { "https://example.org", "example.org", true },
    { "https://auth.example.org", "example.org", true },
    { "https://example.org:8443", "example.org", true },
    { "https://example.org", "auth.example.org", false },
    { "http://example.org", "example.org", false },
    { "http://localhost:5173", "localhost", true },
    { "http://app.localhost", "localhost", true },
    { "https://localhost:5173", "localhost", true },
    { "https://badexample.org", "example.org", false },
    { "https://example.org.evil.com", "example.org", false },
    { "https://example.org@evil.com", "example.org", false },
    { "https://evil.com/example.org", "example.org", false },
    { "https://evil.com#.example.org", "example.org", false },
    { "https://example.org/", "example.org", false },
    { "https://Example.org", "example.org", false },
    { "https://.example.org", "example.org", false },
    { "https://example.org.", "example.org", false },
    { "https://example.org:", "example.org", false },
    { "https://example.org:0", "example.org", false },
    { "https://example.org:99999", "example.org", false },
    { "https://example.org:1@evil", "example.org", false },
    { "http://127.0.0.1:3000", "localhost", false },
    { "https://[::1]", "localhost", false },
    { "null", "example.org", false },
    { "", "example.org", false },
    { "android:apk-key-hash:AAAA", "example.org", false },
    { "android:apk-key-hash:BBBB", "example.org", true }, /* listed below */
    { "ios:bundle-id:x", "example.org", true },
};

static void whose_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(origins); i++) {
        struct webauthn_rule rule = { .rp_id = str_of(origins[i].rp_id),
                                      .more_origins = STR("android:apk-key-hash:BBBB, ios:bundle-id:x,") };
        if (webauthn_origin_is_allowed(str_of(origins[i].origin), &rule) != origins[i].allowed)
            fail_msg("%s for %s", origins[i].origin, origins[i].rp_id);
    }
}

static const struct {
    const char *text;
    bool good;
} parties[] = {
    { "example.org", true },
    { "localhost", true },
    { "a-b.c0.example", true },
    { "", false },
    { "Example.org", false },
    { "example.org.", false },
    { ".example.org", false },
    { "a..b", false },
    { "127.0.0.1", false },
    { "::1", false },
    { "0x7f.1", false },
    { "https://example.org", false },
    { "example.org:443", false },
    { "example.org/", false },
    { "-a.org", false },
    { "a-.org", false },
    { "ex ample.org", false },
    { "b\xc3\xbc"
      "cher.org",
      false },
};

static void relying_party_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parties); i++)
        if (webauthn_is_rp_id(str_of(parties[i].text)) != parties[i].good)
            fail_msg("%s", parties[i].text);
}

int main(void)
{
    struct arena *arena = arena_new(65536);
    all = vector_json(arena, "webauthn/webauthn-l3.json");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(whose_page),
        cmocka_unit_test(relying_party_ids),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
