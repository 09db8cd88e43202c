#include "identity/guard_rails.h"
#include "identity/state.h"

bool identity_looks_at(struct identity *identity, struct arena *arena, const struct credential *credential, struct str begin)
{
    if (!credential)
        return false;
    const struct policy_set *service, *resource;
    guard_rails_of(identity->guard_rails, arena, credential->principal.account, &service, &resource);
    const struct policy_set *const sets[] = { credential->policies.identity, credential->policies.boundary,
                                              credential->policies.session, service, resource };
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct str *names;
        size_t n = sets[i] ? policy_set_keys(sets[i], arena, &names) : 0;
        for (size_t k = 0; k < n; k++)
            if (str_starts_nocase(names[k], begin))
                return true;
    }
    return false;
}
