/* What pages send of authenticators, byte by byte: client data, attestation objects, authenticator data,
 * CBOR. Whatever is accepted must be whole: an id, a key that can verify, the page's origin and challenge.
 * Input: 'R' registration, 'S' sign-in, 'C' an item of CBOR; then parts, each after its length in two bytes.
 */
#include "core/cbor_tree.h"
#include "core/json.h"
#include "core/key.h"
#include "identity/passkeys/webauthn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char RP[] = "example.org";

static void must(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static struct str part(struct str *rest)
{
    size_t len = rest->len < 2 ? 0 : (size_t)(uint8_t)rest->ptr[0] << 8 | (uint8_t)rest->ptr[1];
    *rest = str_from(*rest, 2);
    struct str one = str_sub(*rest, 0, len);
    *rest = str_from(*rest, len);
    return one;
}

/* The challenge is taken for the one that was given out, so that the rest is reached. */
static bool rule_for(struct arena *arena, struct str client_data, struct webauthn_rule *rule,
                     struct client_data *client)
{
    *rule = (struct webauthn_rule){ .rp_id = str_of(RP) };
    if (!client_data_read(arena, client_data, client))
        return false;
    must(client->type.ptr && client->origin.ptr && client->challenge.len > 0);
    rule->challenge = client->challenge;
    return true;
}

static void registration(struct arena *arena, struct str rest)
{
    struct webauthn_rule rule;
    struct webauthn_new fresh;
    struct client_data client;
    struct str client_data = part(&rest), object = part(&rest);
    bool readable = rule_for(arena, client_data, &rule, &client);
    if (webauthn_register(arena, &rule, client_data, object, &fresh) != WEBAUTHN_OK)
        return;
    must(readable && !client.cross_origin && webauthn_origin_is_allowed(client.origin, &rule));
    must(fresh.key.id.len > 0 && fresh.key.id.len <= WEBAUTHN_ID_MOST && fresh.aaguid.len == 16);
    must(!fresh.backed_up || fresh.backup_eligible);
    struct key *key = key_from_jwk(arena, fresh.key.jwk);
    must(key != NULL);
    key_free(key);
}

static void sign_in(struct arena *arena, struct str rest)
{
    static const char jwk[] = "{\"kty\":\"EC\",\"alg\":\"ES256\",\"crv\":\"P-256\","
                              "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
                              "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}";
    struct webauthn_rule rule;
    struct webauthn_seen seen;
    struct client_data client;
    const struct webauthn_key key = { .id = STR("id"),
                                      .jwk = json_parse(arena, str_of(jwk), NULL),
                                      .counter = 7 };
    struct str client_data = part(&rest), auth = part(&rest), signature = part(&rest);
    rule_for(arena, client_data, &rule, &client);
    enum webauthn_verdict verdict = webauthn_sign_in(arena, &rule, &key, client_data, auth, signature, &seen);
    must(verdict != WEBAUTHN_OK || seen.counter > 7);
}

static void item(struct arena *arena, struct str rest)
{
    size_t extent = cbor_tree_extent(rest);
    must(extent <= rest.len);
    const cbor_item_t *tree = cbor_tree_read(arena, rest);
    must(!tree || extent == rest.len);
    int64_t number;
    cbor_tree_int(tree, &number);
    cbor_tree_bytes(cbor_tree_member(tree, "authData"));
    cbor_tree_text(cbor_tree_numbered(tree, -1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024);
    struct str rest = str_from((struct str){ (const char *)data, size }, 1);
    switch (size ? data[0] : 0) {
    case 'R':
        registration(arena, rest);
        break;
    case 'S':
        sign_in(arena, rest);
        break;
    default:
        item(arena, rest);
    }
    arena_free(arena);
    return 0;
}
