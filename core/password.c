#include "core/password.h"

#include <argon2.h>
#include <stdio.h>

enum { SALT_BYTES = 16, HASH_BYTES = 32 };

const struct password_cost PASSWORD_COST_DEFAULT = { .memory_kib = 19456, .passes = 2, .lanes = 1 };

struct str password_hash(const struct env *env, struct arena *arena, struct str password,
                         const struct password_cost *cost)
{
    uint8_t salt[SALT_BYTES];
    env_random(env, salt, sizeof salt);
    size_t len =
        argon2_encodedlen(cost->passes, cost->memory_kib, cost->lanes, SALT_BYTES, HASH_BYTES, Argon2_id);
    char *text = arena_alloc(arena, len, 1);
    if (argon2id_hash_encoded(cost->passes, cost->memory_kib, cost->lanes, password.ptr, password.len, salt,
                              sizeof salt, HASH_BYTES, text, len) != ARGON2_OK)
        return STR_NONE;
    return str_of(text);
}

bool password_verify(struct arena *arena, struct str password, struct str hash)
{
    return str_starts(hash, STR("$argon2id$")) &&
           argon2id_verify(str_c(arena, hash), password.ptr, password.len) == ARGON2_OK;
}

bool password_hash_is_of(struct str hash, const struct password_cost *cost)
{
    char prefix[64];
    int len = snprintf(prefix, sizeof prefix, "$argon2id$v=19$m=%u,t=%u,p=%u$", cost->memory_kib, cost->passes,
                       cost->lanes);
    return str_starts(hash, (struct str){ prefix, (size_t)len });
}

void password_waste(struct str password, const struct password_cost *cost)
{
    static const uint8_t salt[SALT_BYTES] = { 0 };
    uint8_t out[HASH_BYTES];
    (void)argon2id_hash_raw(cost->passes, cost->memory_kib, cost->lanes, password.ptr, password.len, salt,
                            sizeof salt, out, sizeof out);
}
