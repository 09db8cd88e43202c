#include "identity/identity.h"

bool identity_looks_at(struct arena *arena, const struct credential *credential, struct str begin)
{
    if (!credential)
        return false;
    const struct policy_set *const sets[] = { credential->policies.identity, credential->policies.boundary,
                                              credential->policies.session };
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct str *names;
        size_t n = sets[i] ? policy_set_keys(sets[i], arena, &names) : 0;
        for (size_t k = 0; k < n; k++)
            if (str_starts_nocase(names[k], begin))
                return true;
    }
    return false;
}
