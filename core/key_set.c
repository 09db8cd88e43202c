#include "core/key_set.h"

#include "core/digest.h"
#include "core/json.h"

enum { KEYS_MAX = 64, KID_MAX = 1024 };

struct key_set {
    atomic_int references;
    struct arena *arena;
    uint8_t hash[SHA256_BYTES];
    size_t n;
    struct named_key {
        struct str kid;
        struct key *key;
    } keys[KEYS_MAX];
};

static void free_key(void *key)
{
    key_free(key);
}

struct key_set *key_set_parse(struct str jwks, struct arena *scratch, const char **why)
{
    json_t *json = json_parse(scratch, jwks, NULL), *keys = json_object_get(json, "keys"), *jwk;
    size_t i;
    if (!json_is_object(json) || !json_is_array(keys)) {
        *why = "it is no JSON Web Key Set";
        return NULL;
    }
    struct arena *arena = arena_new(4096);
    struct key_set *set = ARENA_NEW(arena, struct key_set);
    set->arena = arena;
    atomic_init(&set->references, 1);
    digest_sha256(jwks, set->hash);
    json_array_foreach(keys, i, jwk) {
        struct str kid = json_str(jwk, "kid");
        struct key *key = kid.len && kid.len <= KID_MAX && set->n < KEYS_MAX ? key_from_jwk(scratch, jwk) : NULL;
        if (!key)
            continue;
        arena_defer(arena, free_key, key);
        set->keys[set->n++] = (struct named_key){ str_copy(arena, kid), key };
    }
    return set;
}

void key_set_hold(struct key_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
}

void key_set_release(void *ptr)
{
    struct key_set *set = ptr;
    if (set && atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) == 1)
        arena_free(set->arena);
}

const struct key *key_set_find(const struct key_set *set, struct str kid, enum key_alg alg)
{
    const struct key *found = NULL;
    for (size_t i = 0; i < set->n; i++) {
        if (!str_eq(set->keys[i].kid, kid) || !key_fits(set->keys[i].key, alg))
            continue;
        if (found)
            return NULL; /* whose signature would it be? */
        found = set->keys[i].key;
    }
    return found;
}

bool key_set_is(const struct key_set *set, struct str jwks)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(jwks, hash);
    return memcmp(hash, set->hash, sizeof hash) == 0;
}
