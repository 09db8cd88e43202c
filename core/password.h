/* Passwords at rest: argon2id, as PHC strings ("$argon2id$v=19$m=19456,t=2,p=1$salt$hash").
 *
 * About 22 ms of CPU and 19 MiB each: job threads only. */
#pragma once

#include "core/env.h"

struct password_cost {
    uint32_t memory_kib, passes, lanes;
};
/* OWASP's first recommendation of 2023: m=19456 (19 MiB), t=2, p=1. */
extern const struct password_cost PASSWORD_COST_DEFAULT;

/* Lives in the arena; absent only when memory for the hash cannot be had. */
struct str password_hash(const struct env *env, struct arena *arena, struct str password,
                         const struct password_cost *cost);
/* False also when `hash` is no argon2id PHC string. */
bool password_verify(struct arena *arena, struct str password, struct str hash);
/* Made with this cost; false: to be hashed anew when the password is at hand. */
bool password_hash_is_of(struct str hash, const struct password_cost *cost);
/* Spends what a verification would: for users who do not exist, so that time tells nothing. */
void password_waste(struct str password, const struct password_cost *cost);
