/* GetWebIdentityToken: who somebody is here, for others to verify. An account's issuer has a key for each algorithm, made when
 * it is first needed, and publishes both. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "core/json.h"
#include "identity/iam/reports/outbound.h"
#include "identity/store/outbound_key.h"
#include "identity/sts/sts.h"

#define NAMESPACE "https://sts.amazonaws.com/"

enum { DEFAULT_S = 300, PAYLOAD_BYTES = 8192 };

static const enum key_alg offered[] = { KEY_RS256, KEY_ES384 };

static void free_key(void *key)
{
    key_free(key);
}

static struct key *parse(struct arena *arena, const struct outbound_key *row, enum key_alg alg)
{
    if (!row->der.ptr)
        return NULL;
    struct key *key = alg == KEY_RS256 ? key_from_private_der(row->der) : key_ec_from_private_der(row->der, alg);
    digest_wipe((void *)(uintptr_t)row->der.ptr, row->der.len);
    if (key)
        arena_defer(arena, free_key, key);
    return key;
}

static gh_err make(const struct identity *identity, struct arena *arena, struct str account, enum key_alg alg)
{
    struct key *key = alg == KEY_RS256 ? key_rsa_generate(NULL) : key_ec_generate(alg);
    if (!key)
        return gh_fail(arena, &GH_INTERNAL, "a signing key could not be made");
    struct outbound_key row = { id_uuid(identity->env, arena), key_private_der(arena, key) };
    gh_err err = outbound_key_add(identity->db, identity->sealer, arena, account, alg, &row);
    digest_wipe((void *)(uintptr_t)row.der.ptr, row.der.len);
    key_free(key);
    return err;
}

/* The account's key; made when there is none. */
static gh_err find_key(const struct identity *identity, struct arena *arena, struct str account, enum key_alg alg,
                       struct str *kid, struct key **key)
{
    struct outbound_key row;
    gh_err err = outbound_key_find(identity->db, identity->sealer, arena, account, alg, &row);
    if (!err && !row.kid.ptr)
        err = make(identity, arena, account, alg);
    if (!err && !row.kid.ptr)
        err = outbound_key_find(identity->db, identity->sealer, arena, account, alg, &row);
    if (err)
        return err;
    *kid = row.kid;
    *key = parse(arena, &row, alg);
    return *key ? NULL : gh_fail(arena, &GH_INTERNAL, "the signing key of account %.*s cannot be read", STR_FMT(account));
}

/* --- the token --- */

static json_t *tags_json(const struct tag *tags, size_t n)
{
    json_t *object = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_setn_new(object, tags[i].key.ptr, tags[i].key.len, json_of(tags[i].value));
    return object;
}

static json_t *audience_json(const struct sts_webIdentityTokenAudienceListType *audience)
{
    if (audience->n == 1)
        return json_of(audience->items[0]);
    json_t *list = json_array();
    for (size_t i = 0; i < audience->n; i++)
        json_array_append_new(list, json_of(audience->items[i]));
    return list;
}

static struct str claims_of(struct call *call, const struct sts_GetWebIdentityToken_in *in, struct str issuer,
                            struct tags tags, int64_t valid_s)
{
    const struct credential *caller = sts_caller(call);
    int64_t now_s = call->now_us / 1000000;
    json_t *claims = json_own(call->arena, json_object()), *ours = json_object();
    json_set_str(claims, "iss", issuer);
    json_object_set_new(claims, "aud", audience_json(&in->audience));
    json_set_str(claims, "sub", caller->role_arn.ptr ? caller->role_arn : caller->principal.arn);
    json_set_i64(claims, "iat", now_s);
    json_set_i64(claims, "exp", now_s + valid_s);
    json_set_str(claims, "jti", id_uuid(call->env, call->arena));
    json_set_str(ours, "aws_account", call->account);
    json_set_str(ours, "source_region", call->region);
    if (caller->n_tags)
        json_object_set_new(ours, "principal_tags", tags_json(caller->tags, caller->n_tags));
    if (tags.n)
        json_object_set_new(ours, "request_tags", tags_json(tags.items, tags.n));
    json_object_set_new(claims, NAMESPACE, ours);
    return json_print(call->arena, claims);
}

static struct str mint(struct call *call, const struct key *key, struct str kid, enum key_alg alg, struct str claims)
{
    struct str header = str_printf(call->arena, "{\"kid\":\"%.*s\",\"typ\":\"JWT\",\"alg\":\"%s\"}", STR_FMT(kid),
                                   key_alg_name(alg));
    struct str text = str_printf(call->arena, "%.*s.%.*s", STR_FMT(base64url_encode(call->arena, header)),
                                 STR_FMT(base64url_encode(call->arena, claims)));
    struct str signature = base64url_encode(call->arena, key_sign(call->arena, key, alg, text));
    return str_printf(call->arena, "%.*s.%.*s", STR_FMT(text), STR_FMT(signature));
}

static gh_err may_tag(struct call *call, struct tags tags)
{
    struct policy_context context = policy_context_in(call->arena);
    struct str *keys = ARENA_ARRAY(call->arena, struct str, tags.n);
    for (size_t i = 0; i < tags.n; i++) {
        keys[i] = tags.items[i].key;
        policy_context_add_tagged(&context, "aws:RequestTag/", keys[i], tags.items[i].value);
    }
    policy_context_add_list(&context, "aws:TagKeys", keys, tags.n);
    struct policy_request request = { .action = STR("sts:TagGetWebIdentityToken"), .resource = STR("*"),
                                      .keys = context.keys, .n_keys = context.n };
    struct policy_decision decision;
    if (!tags.n || identity_allows(call->module, call->arena, sts_caller(call), &request, &decision))
        return NULL;
    return gh_fail(call->arena, &STS_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(call->arena, &request, &decision)));
}

/* "You cannot use this operation to extend the lifetime of a session beyond what was granted." */
static gh_err check_life(struct call *call, int64_t valid_s)
{
    int64_t until_s = sts_caller(call)->expires_s;
    if (!until_s || call->now_us / 1000000 + valid_s <= until_s)
        return NULL;
    return gh_fail(call->arena, &sts_SessionDurationEscalationException,
                   "The requested token duration would extend the session beyond its original expiration time.");
}

gh_err sts_GetWebIdentityToken(struct call *call, const struct sts_GetWebIdentityToken_in *in,
                               struct sts_GetWebIdentityToken_out *out)
{
    struct str issuer, kid, claims;
    struct key *key;
    enum key_alg alg;
    bool enabled = false;
    struct tags tags = sts_tags(call, &in->tags);
    int64_t valid_s = in->duration_seconds.set ? in->duration_seconds.value : DEFAULT_S;
    gh_err err = outbound_issuer(call, call->account, &issuer, &enabled);
    if (!err && !enabled)
        err = gh_fail(call->arena, &sts_OutboundWebIdentityFederationDisabledException,
                      "The outbound web identity federation feature is not enabled for this account.");
    if (!err && (!key_alg_of(in->signing_algorithm, &alg) || (alg != KEY_RS256 && alg != KEY_ES384)))
        err = gh_fail(call->arena, &STS_VALIDATION_ERROR, "SigningAlgorithm must be RS256 or ES384");
    if (!err)
        err = sts_check_tags(call, tags);
    if (!err)
        err = may_tag(call, tags);
    if (!err)
        err = check_life(call, valid_s);
    if (err)
        return err;
    claims = claims_of(call, in, issuer, tags, valid_s);
    if (claims.len > PAYLOAD_BYTES)
        return gh_fail(call->arena, &sts_JWTPayloadSizeExceededException,
                       "The requested token payload size exceeds the maximum allowed size.");
    err = find_key(call->module, call->arena, call->account, alg, &kid, &key);
    if (err)
        return err;
    out->web_identity_token = mint(call, key, kid, alg, claims);
    int64_t expires_s = call->now_us / 1000000 + valid_s;
    out->expiration = (struct opt_time){ true, (double)expires_s };
    return NULL;
}

/* --- what others verify it with --- */

static struct str discovery(struct arena *arena, struct str issuer)
{
    return str_printf(arena,
                      "{\"issuer\":\"%.*s\",\"jwks_uri\":\"%.*s/.well-known/jwks.json\","
                      "\"response_types_supported\":[\"id_token\"],\"subject_types_supported\":[\"public\"],"
                      "\"id_token_signing_alg_values_supported\":[\"RS256\",\"ES384\"],"
                      "\"claims_supported\":[\"sub\",\"aud\",\"exp\",\"iat\",\"iss\",\"jti\",\"" NAMESPACE "\"]}",
                      STR_FMT(issuer), STR_FMT(issuer));
}

static gh_err key_set(const struct identity *identity, struct arena *arena, struct str account, struct str *json)
{
    json_t *set = json_own(arena, json_object()), *keys = json_array();
    json_object_set_new(set, "keys", keys);
    for (size_t i = 0; i < COUNT(offered); i++) {
        struct str kid;
        struct key *key;
        gh_err err = find_key(identity, arena, account, offered[i], &kid, &key);
        if (err)
            return err;
        json_array_append(keys, key_public_jwk(arena, key, kid, offered[i]));
    }
    *json = json_print(arena, set);
    return NULL;
}

bool identity_outbound_document(struct identity *identity, struct arena *arena, struct str id, struct str path,
                                struct str *json)
{
    struct call call = { .arena = arena, .env = identity->env, .db = identity->db, .sealer = identity->sealer,
                         .base_url = identity->base_url, .module = identity };
    struct str account;
    if (outbound_account(&call, id, &account) || !account.ptr)
        return false;
    if (str_is(path, "/.well-known/openid-configuration")) {
        *json = discovery(arena, str_printf(arena, "%.*s/%.*s", STR_FMT(identity->base_url), STR_FMT(id)));
        return true;
    }
    return str_is(path, "/.well-known/jwks.json") && !key_set(identity, arena, account, json);
}
