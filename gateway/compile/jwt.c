/* JWT authorizers: the rules, and the hold on their issuers' keys. */
#include "core/issuer.h"
#include "gateway/compile/compile.h"

static struct str *copy_list(struct compiler *c, const json_t *list, size_t *n)
{
    struct str *out = ARENA_ARRAY(c->arena, struct str, json_array_size(list) + 1);
    json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
        out[(*n)++] = compile_copy(c, json_value_str(one));
    return out;
}

static void let_go(void *ptr)
{
    struct jwt_issuer *issuer = ptr;
    struct issuer *keys = atomic_load(&issuer->keys);
    if (keys)
        issuer_release(keys);
}

static void compile_claims(struct compiler *c, const json_t *list, struct jwt_issuer *out)
{
    json_t *one;
    size_t i;
    out->claims = ARENA_ARRAY(c->arena, struct jwt_claim_rule, json_array_size(list) + 1);
    json_array_foreach(list, i, one) {
        struct jwt_claim_rule *rule = &out->claims[out->n_claims++];
        rule->name = compile_copy(c, json_str(one, "claimName"));
        rule->required = json_flag(one, "required", false);
        rule->expected = copy_list(c, json_object_get(one, "expectedValues"), &rule->n_expected);
    }
}

bool compile_jwt(struct compiler *c, const json_t *json, struct gw_authorizer *out)
{
    struct jwt_rules *rules = ARENA_NEW(c->arena, struct jwt_rules);
    json_t *issuers = json_object_get(json, "issuers"), *one;
    size_t i;
    out->jwt = rules;
    rules->issuers = ARENA_ARRAY(c->arena, struct jwt_issuer, json_array_size(issuers) + 1);
    json_array_foreach(issuers, i, one) {
        struct jwt_issuer *issuer = &rules->issuers[rules->n_issuers++];
        issuer->name = compile_copy(c, json_str(one, "issuer"));
        issuer->jwks_uri = compile_copy(c, json_str(one, "jwksUri"));
        issuer->audiences = copy_list(c, json_object_get(one, "audiences"), &issuer->n_audiences);
        compile_claims(c, json_object_get(one, "additionalClaims"), issuer);
        arena_defer(c->arena, let_go, issuer);
        if (!issuer->name.len || !issuer->jwks_uri.len || !issuer->n_audiences)
            return compile_fail(c, "jwtConfiguration: an issuer without name, jwksUri or audiences");
    }
    json_array_foreach(json_object_get(json, "defaultAlgorithms"), i, one) {
        enum key_alg alg;
        if (!key_alg_of(json_value_str(one), &alg))
            return compile_fail(c, "jwtConfiguration: algorithm %.*s is not known", STR_FMT(json_value_str(one)));
        rules->algorithms[alg] = true;
    }
    return rules->n_issuers > 0 || compile_fail(c, "jwtConfiguration has no issuers");
}
